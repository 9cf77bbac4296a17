"""Counts in a CSV that anybody may have made, and the rows of it that contradict each other.

Columns: `period_start, period_end, value`, and optionally `low, high` or `bound`, `series, measure, compiler`
and an exposure. Periods are whole days, both ends included. Other columns are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from desertion.csv_models.reader import read_rows
from desertion.errors import CsvError
from desertion.figures import rules
from desertion.text import nearest, shown
from desertion.trends import graph
from desertion.vocabulary import BOUNDS

#: Largest number of rows, and largest count; no series of cases has more.
MAX_ROWS = 10_000
MAX_COUNT = 1e9
#: Range of an exposure: no unit of soldiers and years needs more, and products of three stay finite.
LEAST_EXPOSURE, MOST_EXPOSURE = 1e-30, 1e30
_SPREAD = 1e9  # of the exposures of one file: differences of their sums stay exact enough

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class CountRow:
    """One report: `value` cases between `start` and `end` (both included), or an interval or a bound of them."""

    line: int
    start: date
    end: date
    value: float | None
    low: float | None = None
    high: float | None = None
    bound: str = "exact"
    series: str = ""
    measure: str = ""
    compiler: str = ""
    exposure: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Name of the series: rows of different series never constrain each other."""
        return self.series, self.measure, self.compiler

    @property
    def exact(self) -> bool:
        """Whether the row gives one whole number and no interval."""
        return self.value is not None and self.bound == "exact" and self.low == self.high

    @property
    def limits(self) -> tuple[float, float]:
        """The counts that the row alone allows; a bound is open to one side, a rounded number allows anything."""
        if self.low is not None or self.high is not None:
            return self.low or 0.0, float("inf") if self.high is None else self.high
        value = self.value or 0.0
        allowed = {"exact": (value, value), "at_least": (value, float("inf")), "at_most": (0.0, value)}
        return allowed.get(self.bound, (0.0, float("inf")))


@dataclass(frozen=True)
class CountFile:
    """The rows of one file in its order."""

    name: str
    rows: tuple[CountRow, ...]
    exposure: str | None = None

    def where(self, row: CountRow) -> str:
        """The place of the row, for messages."""
        number = next(n for n, one in enumerate(self.rows, start=1) if one is row)
        return f"{self.name}:{row.line} (row {number})"


def read(path: str | Path, exposure: str | None = None) -> CountFile:
    """The rows of the CSV at `path`; `exposure` names the column that holds each row's exposure.

    Raises CsvError with the faults found (the first 20), one per line.
    """
    path = Path(path)

    needed = ["period_start", "period_end", "value", *([exposure] if exposure else [])]

    def columns(header: list[str]) -> list[str]:
        if missing := [column for column in needed if column not in header]:
            odd = next((f"; '{shown(one)}':{near[1:]}" for one in header if (near := nearest(one, missing))), "")
            has = ", ".join(map(shown, header)) or "nothing"
            raise ValueError(f"no column {', '.join(missing)}; the header has {has}{odd}")
        if twice := sorted({column for column in header if header.count(column) > 1}):
            raise ValueError(f"column {', '.join(twice)} stands twice; each column stands once")
        return header

    types = dict.fromkeys(("period_start", "period_end"), "date")
    rows = read_rows(path, columns, lambda line, cells: _row(line, cells, exposure), MAX_ROWS, needed, types=types)
    file = CountFile(path.name, tuple(rows), exposure)
    if exposure:
        ordered = sorted(rows, key=lambda row: row.exposure or 0)
        low, high = ordered[0], ordered[-1]
        if (high.exposure or 0) > _SPREAD * (low.exposure or 0):
            what = (
                f"{low.exposure:g} and the {high.exposure:g} of line {high.line} are in no one unit; mend one of them"
            )
            raise CsvError(f"{file.where(low)}: {exposure} {what}")
    return file


def _row(line: int, cells: dict[str, str], exposure: str | None) -> CountRow:
    start, end = _date("period_start", cells), _date("period_end", cells)
    if end < start:
        raise ValueError(f"period_end '{end}' is before period_start '{start}'; the last day comes second")
    low, high = _count("low", cells), _count("high", cells)
    if low is not None and high is not None and low > high:
        raise ValueError(f"low '{cells['low']}' is above high '{cells['high']}'; an interval goes from low to high")
    value = _count("value", cells)
    if value is None and low is None and high is None:
        raise ValueError("value '' is blank; give the count, or an interval in low and high")
    bound = cells.get("bound", "") or "exact"
    if bound not in BOUNDS:
        raise ValueError(f"bound '{bound}' is unknown; one of {', '.join(BOUNDS)}")
    if value is not None and bound == "exact" and not (low or 0) <= value <= (value if high is None else high):
        raise ValueError(f"value '{cells['value']}' lies outside its own interval; widen low and high or mend it")
    return CountRow(
        line, start, end, value, low, high, bound,
        cells.get("series", ""), cells.get("measure", ""), cells.get("compiler", ""),
        _exposure(exposure, cells) if exposure else None,
    )  # fmt: skip


def _date(column: str, cells: dict[str, str]) -> date:
    text = cells[column]
    try:
        if len(text) != 10:
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{column} '{text}': {rules.date(text) or 'there is no such day'}") from None
    if not 2 <= day.year <= 9_000:  # a model looks at days before the first and after the last
        raise ValueError(f"{column} '{text}' lies outside the years 2 to 9000; mend the year")
    return day


def _number(column: str, text: str, right: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{column} '{text}' is not a number; {right}")
    return float(text)


def _count(column: str, cells: dict[str, str]) -> float | None:
    text = cells.get(column, "")
    if not text:
        return None
    number = _number(column, text, "write a whole number without separators")
    if number < 0:
        raise ValueError(f"{column} '{text}' is negative; a count is 0 or more")
    if number > MAX_COUNT:
        raise ValueError(f"{column} '{text}' is larger than {MAX_COUNT:,.0f}; no count of cases is")
    if number != int(number):
        raise ValueError(f"{column} '{text}' is not whole; a count is a whole number")
    return number


def _exposure(column: str, cells: dict[str, str]) -> float:
    text = cells[column]
    if not text:
        raise ValueError(f"{column} '' is missing; every row needs its exposure")
    number = _number(column, text, "an exposure is a number greater than 0")
    if not number > 0:
        raise ValueError(f"{column} '{text}' is not an exposure; it is a number greater than 0")
    if not LEAST_EXPOSURE <= number <= MOST_EXPOSURE:
        raise ValueError(f"{column} '{text}' is no exposure in a usual unit; write it between 1e-30 and 1e+30")
    return number


def contradictions(rows: Iterable[CountRow]) -> tuple[CountRow, ...]:
    """Rows that no whole numbers of events can satisfy together; empty where all agree.

    With N(t) the events before day t, a row is two bounds on N(end + 1) − N(start), and N never falls: a system of
    difference constraints, which has a solution, and then a whole one, unless its graph has a cycle of negative
    length. The rows on that cycle are returned.
    """
    groups: dict[tuple[str, str, str], list[CountRow]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    for group in groups.values():
        days = sorted({row.start.toordinal() for row in group} | {row.end.toordinal() + 1 for row in group})
        place = {day: i for i, day in enumerate(days)}
        edges = [(i + 1, i, 0.0, -1) for i in range(len(days) - 1)]
        for number, row in enumerate(group):
            a, b = place[row.start.toordinal()], place[row.end.toordinal() + 1]
            low, high = row.limits
            edges.append((b, a, -low, number))
            if high < float("inf"):
                edges.append((a, b, high, number))
        tail, head, length, why = (np.array(part) for part in zip(*edges, strict=True))
        if cycle := graph.negative_cycle(len(days), tail, head, length, why):
            return tuple(group[number] for number in cycle)
    return ()
