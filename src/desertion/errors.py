"""The errors of the package.

UserError               a mistake that the user can fix; the message says where, what, and what would be right
├── ArgumentError       an argument of a public function is wrong; a ValueError, too
├── ParameterError      a notebook has no such parameter; an AttributeError, too
├── DataError           the files of data/ have faults
├── CsvError            the CSV of counts given to `desertion fit` has faults
└── RunError            a notebook did not run to its end

ContradictionError      no counts satisfy these reports together
ModeError               Newton's method finds no mode of the posterior
SumError                a block of counts cannot be summed
ClaimError              a claim cannot be recomputed

The last four never reach a user: the caller turns each into a refusal or does without.

In JupyterLab, under papermill and under nbconvert a UserError is one message, with the lines of the cells that led to
it and without the package's own traceback, whose frames `%debug` still shows.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

_LISTED = 50  # faults in the message of a DataError


class UserError(Exception):
    """A mistake that the user can fix: the message says where it is, what it is and what would be right."""

    def _render_traceback_(self) -> list[str]:
        """The parts of the error that a notebook shows; IPython calls this in place of its own traceback."""
        shell = sys.modules["IPython"].get_ipython()
        lines = []
        for frame in traceback.extract_tb(self.__traceback__):
            if cell := shell.compile.format_code_name(frame.filename):
                function = "" if frame.name == "<module>" else f", in {frame.name}"
                lines += [f"{' '.join(cell)}, line {frame.lineno}{function}\n----> {frame.lineno} {frame.line}\n"]
        return [*lines, f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]


class ArgumentError(UserError, ValueError):
    """An argument of a public function is wrong: the message has its value and what would be right."""


class ParameterError(UserError, AttributeError):
    """A notebook has no such parameter, or a cell after the parameters cell sets it."""


class DataError(UserError):
    """The data have faults: `faults` holds all of them, the message the first 50, one per line."""

    def __init__(self, faults: Sequence[object]) -> None:
        self.faults = list(faults)
        lines = [str(fault) for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            lines.append(f"… and {len(faults) - _LISTED} more: `desertion check` prints them all")
        super().__init__("\n".join(lines))


class CsvError(UserError):
    """A CSV of counts has faults; the message has one line per fault, with file, line and value."""


class RunError(UserError):
    """A notebook did not run to its end; the message names notebook, cell, error and the partial notebook kept."""


class ContradictionError(Exception):
    """No counts satisfy these reports together; `reports` are their positions."""

    def __init__(self, reports: Sequence[int]) -> None:
        super().__init__(f"reports {sorted(reports)} contradict each other")
        self.reports = sorted(reports)


class ModeError(Exception):
    """Newton's method finds no mode of the posterior."""


class SumError(Exception):
    """A block of counts cannot be summed: its reports are all but impossible, or its counts are too large."""


class ClaimError(Exception):
    """A claim cannot be recomputed; the message says why."""
