"""Read a CSV that anybody may have made; every fault is named by file, line and value."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

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
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _rows(path.name, csv.reader(file, strict=True), columns, parse, most)
    except OSError as error:
        raise CsvError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise CsvError(f"{path.name}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise CsvError(f"{path.name}: is not CSV ({error})") from None


def _rows(
    name: str,
    lines: Iterator[list[str]],
    columns: Callable[[list[str]], list[str]],
    parse: Callable[[int, dict[str, str]], T],
    most: int,
) -> list[T]:
    first = [column.strip() for column in next(lines, [])]
    try:
        header = columns(first)
    except ValueError as error:
        raise CsvError(f"{name}:1: {error}") from None
    rows, faults = [], []
    for number, cells in enumerate(lines, start=1):
        if number > most:
            raise CsvError(f"{name}: row {number} is one too many; a file has at most {most:,} rows")
        if not any(cell.strip() for cell in cells):
            continue
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
            rows.append(parse(number + 1, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
        except ValueError as error:
            faults.append(f"{name}:{number + 1} (row {number}): {error}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise CsvError("\n".join(faults[:_SHOWN] + more))
    if not rows:
        raise CsvError(f"{name}: has no rows below its header")
    return rows
