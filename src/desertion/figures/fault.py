"""Faults of the data: what one is, how it is shown on a terminal, and the word that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from desertion.project import ROOT, UserError

_WIDTH = 60  # characters of a value that a message shows
_LISTED = 50  # faults that DataError prints


@dataclass(frozen=True, order=True)
class Fault:
    """One fault at one cell (or at a header, a row, a file: `column` then says which of these).

    `value` is the text as it stands in the file, uncut and unescaped; `str(fault)` is safe for a terminal.
    """

    file: str
    line: int
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        place = f"{_escape(self.file)}:{self.line}: {shown(self.column)}"
        return f"{place} '{shown(self.value)}': {self.message}"

    def as_dict(self) -> dict[str, str | int]:
        """The fault for JSON: `value` is whole, its invisible characters escaped as in the printed line."""
        return {
            "file": _escape(self.file),
            "line": self.line,
            "column": _escape(self.column),
            "value": _escape(self.value),
            "message": self.message,
        }


class DataError(UserError):
    """The data do not pass; `faults` holds every fault, the message the first of them, one a line."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = [str(fault) for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            lines.append(f"… and {len(faults) - _LISTED} more: `desertion check` prints them all")
        super().__init__("\n".join(lines))


def _escape(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown(value: str) -> str:
    """`value` for a message: control, bidi and other invisible characters escaped, cut at 60 characters."""
    escaped = _escape(value[: _WIDTH + 1])
    return escaped if len(escaped) <= _WIDTH and len(value) <= _WIDTH else escaped[: _WIDTH - 1] + "…"


def nearest(word: str, words: Collection[str]) -> str:
    """`; did you mean 'x'?` with the word of `words` most like `word`, or an empty text where none is near."""
    if len(words) > 2000:  # difflib compares with each: among tens of thousands only those that start alike
        words = [other for other in words if other[:3] == word[:3]][:2000]
    by_lower = {other.lower(): other for other in words}
    found = difflib.get_close_matches(word[:_WIDTH].strip().lower(), by_lower, 1, 0.6)
    return f"; did you mean '{shown(by_lower[found[0]])}'?" if found else ""


def place(path: Path) -> str:
    """`path` as a message names it: from the project's root where it lies inside, else as it was given."""
    whole = path.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(path)
