"""Read a CSV that anybody may have made; every fault is named by file, line and value."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from desertion.errors import CsvError

T = TypeVar("T")
_SHOWN = 20


def read_rows(
    path: Path, columns: Callable[[list[str]], list[str]], parse: Callable[[int, dict[str, str]], T], most: int
) -> list[T]:
    """The rows of the CSV at `path`, each as `parse(line, cells)` gives it; blank lines are skipped.

    `columns(header)` gives the names of the columns, `most` is the largest number of rows. Both functions raise
    ValueError for a fault. Raises CsvError with the faults found (the first 20), one per line.
    """
    lines: Any = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            return _rows(path.name, lines, columns, parse, most)
    except OSError as error:
        raise CsvError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise CsvError(f"{path.name}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        why = "a quote is opened and not closed" if "unexpected end" in str(error) else error
        raise CsvError(f"{path.name}:{lines.line_num}: is not CSV ({why}); save it as CSV again") from None


def _rows(
    name: str,
    lines: Any,  # of csv.reader
    columns: Callable[[list[str]], list[str]],
    parse: Callable[[int, dict[str, str]], T],
    most: int,
) -> list[T]:
    first = [column.strip() for column in next(lines, [])]
    try:
        header = columns(first)
    except ValueError as error:
        other = next((each for each in (";", "\t", "|") if len(first) == 1 and each in first[0]), "")
        advice = f"; cells are separated by commas, not by {other!r}" if other else ""
        raise CsvError(f"{name}:1: {error}{advice}") from None
    rows, faults = [], []
    following = lines.line_num + 1
    for number, cells in enumerate(lines, start=1):
        line, following = following, lines.line_num + 1  # a cell may hold line breaks
        if number > most:
            raise CsvError(f"{name}: row {number} is one too many; a file has at most {most:,} rows")
        if not any(cell.strip() for cell in cells):
            continue
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
            rows.append(parse(line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
        except ValueError as error:
            faults.append(f"{name}:{line} (row {number}): {error}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise CsvError("\n".join(faults[:_SHOWN] + more))
    if not rows:
        raise CsvError(f"{name}: has no rows below its header")
    return rows
