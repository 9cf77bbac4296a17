"""Read a CSV that anybody may have made; every fault is named by file, line and value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

from desertion.errors import CsvError
from desertion.figures.read import decode, parse
from desertion.figures.spreadsheet import declared, separator
from desertion.text import shown

T = TypeVar("T")
_SHOWN = 20


def read_rows(
    path: Path, columns: Callable[[list[str]], list[str]], parse_row: Callable[[int, dict[str, str]], T], most: int,
    *needed: Collection[str], types: Mapping[str, str] | None = None,
) -> list[T]:  # fmt: skip
    """The rows of the CSV at `path`, each as `parse_row(line, cells)` gives it; blank lines are skipped.

    Files are read as those of data/ are: with byte-order marks, semicolons and tabs (where the header then has all of
    one of `needed`), Windows encodings and dates (columns by their `types`) that have one reading. `columns(header)`
    gives the names of the columns, `most` is the largest number of rows. Both functions raise ValueError for a fault.
    Raises CsvError with the faults found (the first 20), one per line.
    """
    try:
        text, issues = decode(path.read_bytes())
    except OSError as error:
        raise CsvError(f"{path}: cannot be read ({error.strerror or error})") from None
    below = declared(text)[0]
    parsed = parse(text, next((one for one in needed if separator(below, one) != ","), ()), types)
    for issue in [*(one for one in issues if not one.form), *([parsed.broken] if parsed.broken else [])]:
        raise CsvError(f"{path.name}:{issue.line}: {issue.column} '{shown(issue.value)}': {issue.message}")
    try:
        header = columns(parsed.header)
    except ValueError as error:
        raise CsvError(f"{path.name}:1: {error}") from None
    if len(parsed.rows) > most:
        raise CsvError(f"{path.name}: row {most + 1} is one too many; a file has at most {most:,} rows")
    rows, faults = [], []
    for number, (line, cells) in enumerate(parsed.rows, start=1):
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
            rows.append(parse_row(line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
        except ValueError as error:
            faults.append(f"{path.name}:{line} (row {number}): {error}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise CsvError("\n".join(faults[:_SHOWN] + more))
    if not rows:
        raise CsvError(f"{path.name}: has no rows below its header")
    return rows
