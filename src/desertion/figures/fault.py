"""A fault of the data: one cell of one file, and what would be right there."""

from __future__ import annotations

from dataclasses import dataclass

from desertion.text import escaped, shown


@dataclass(frozen=True, order=True)
class Fault:
    """One fault at one cell, or at a header, a row or a file, which `column` then names.

    `value` is the text as it stands in the file, uncut and unescaped; `str(fault)` is safe for a terminal.
    """

    file: str
    line: int
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        place = f"{escaped(self.file)}:{self.line}: {shown(self.column)}"
        return f"{place} '{shown(self.value)}': {self.message}"

    def as_dict(self) -> dict[str, str | int]:
        """The fault for JSON: `value` is whole, its invisible characters escaped as in the printed line."""
        return {
            "file": escaped(self.file),
            "line": self.line,
            "column": escaped(self.column),
            "value": escaped(self.value),
            "message": self.message,
        }
