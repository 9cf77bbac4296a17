"""One homogeneous grid: disjoint cells of equal length in months, one count each, what the plain models need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from desertion.project import UserError
from desertion.trends import Refused
from desertion.trends.laws import Floats
from desertion.trends.table import Row, Table, TableError, contradictions

UNITS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_NAMES = {months: unit for unit, months in UNITS.items()}


def month_number(day: date) -> int:
    """Months since year 0: consecutive months differ by one."""
    return day.year * 12 + day.month - 1


def month_start(number: int) -> date:
    """First day of the month `number`. Raises UserError outside the years 1 to 9999."""
    if not 12 <= number < 120_000:
        raise UserError("a period lies outside the years 1 to 9999; shorten the forecast or mend the dates")
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class Grid:
    """n cells of `months` months: `first` starts cell 1; `index` (n) are their places, gaps left out; `counts` (n)."""

    first: date
    months: int
    index: Floats
    counts: Floats
    exposure: Floats | None = None

    @property
    def unit(self) -> str:
        """The cell's length in words."""
        return _NAMES.get(self.months, f"{self.months} months")

    @property
    def offset(self) -> Floats:
        """Log exposure of each cell, 0 where none is given."""
        return np.zeros(len(self.counts)) if self.exposure is None else np.log(self.exposure)

    def start(self, index: float) -> date:
        """First day of the cell at `index` (1 is the first cell, beyond the last is allowed)."""
        return month_start(month_number(self.first) + (round(index) - 1) * self.months)

    def end(self, index: float) -> date:
        """Last day of the cell at `index`."""
        return self.start(index + 1) - timedelta(days=1)

    def ahead(self, steps: int) -> Floats:
        """Places of the next `steps` cells after the last."""
        return np.asarray(self.index[-1] + np.arange(1, steps + 1, dtype=np.float64))

    def years(self) -> list[tuple[date, date, list[int]]]:
        """Calendar years that cells lie in whole: first and last day covered, and the cells' positions."""
        found: dict[int, list[int]] = {}
        for i, place in enumerate(self.index):
            if self.start(place).year == self.end(place).year:
                found.setdefault(self.start(place).year, []).append(i)
        return [(self.start(self.index[c[0]]), self.end(self.index[c[-1]]), c) for c in found.values()]


def annual(years: list[int], counts: list[float]) -> Grid:
    """A grid of calendar years in ascending order; years may be missing between. Raises UserError otherwise."""
    if any(b <= a for a, b in pairwise(years)) or len(years) != len(counts) or not years:
        raise UserError(f"years {years} do not ascend one by one with their counts; give each year once, in order")
    index = np.array(years, dtype=np.float64) - years[0] + 1
    return Grid(date(years[0], 1, 1), 12, index, np.asarray(counts, dtype=np.float64))


def from_table(table: Table, unit: str | None = None) -> Grid | Refused:
    """The grid that the rows of `table` are, or why they are none.

    Raises TableError where rows are out of order, UserError for an unknown `unit` or one that the rows have not.
    """
    if unit is not None and unit not in UNITS:
        raise UserError(f"period unit '{unit}' is unknown; one of {', '.join(UNITS)}")
    return _refusal(table) or _grid(table, unit)


def _refusal(table: Table) -> Refused | None:
    for what, values in (
        ("measures", {row.measure for row in table.rows}),
        ("compilers", {row.compiler for row in table.rows}),
        ("series", {row.series for row in table.rows}),
    ):
        if len(values) > 1:
            named = ", ".join(repr(value) for value in sorted(values)[:5])
            return Refused(f"{table.name} mixes {what}: {named}", "one of each in a file, or --model composite")
    clash = contradictions(table.rows)
    if clash:
        said = "; ".join(f"{table.where(r)}: {_said(r)} from {r.start} to {r.end}" for r in clash[:10])
        return Refused(f"these rows contradict each other: {said}", "one of them mended or left out")
    for row in table.rows:
        if not row.exact and row.bound != "about":
            where, said = table.where(row), _said(row)
            return Refused(f"{where}: {said} is a bound, not a count", "an exact count, or --model composite")
    return None


def _said(row: Row) -> str:
    if row.value is not None and row.low is None and row.high is None:
        return f"{'' if row.bound == 'exact' else row.bound.replace('_', ' ') + ' '}{row.value:.0f}"
    return f"{row.limits[0]:.0f} to {row.limits[1]:.0f}"


def _grid(table: Table, unit: str | None) -> Grid | Refused:
    lengths = []
    for before, row in zip((None, *table.rows), table.rows, strict=False):
        if before is not None and row.start < before.start:
            raise TableError(
                f"{table.where(row)}: period_start '{row.start}' comes after {before.start}; dates must ascend"
            )
        if before is not None and row.start <= before.end:
            return Refused(
                f"{table.where(row)}: the period from {row.start} overlaps the row before, which ends {before.end}",
                "disjoint periods, or --model composite",
            )
        after = row.end + timedelta(days=1) if row.end < date.max else row.end
        if row.start.day != 1 or after.day != 1:
            return Refused(
                f"{table.where(row)}: {row.start} to {row.end} is not whole months (both days belong to it)",
                "periods from the first day of a month to the last of one, or --model composite",
            )
        lengths.append(month_number(after) - month_number(row.start))
        if lengths[-1] != lengths[0]:
            return Refused(
                f"{table.where(row)}: a period of {lengths[-1]} months among periods of {lengths[0]}",
                "periods of one length, or --model composite",
            )
    months = lengths[0]
    if unit is not None and UNITS[unit] != months:
        raise UserError(f"{table.name}: its periods are {months} months long, not one {unit}; leave the unit out")
    first = month_number(table.rows[0].start)
    places = [(month_number(row.start) - first) / months for row in table.rows]
    for row, place in zip(table.rows, places, strict=True):
        if place != int(place):
            return Refused(
                f"{table.where(row)}: {row.start} is not a whole number of periods after {table.rows[0].start}",
                "periods on one grid, or --model composite",
            )
    counts = np.array([row.value for row in table.rows], dtype=np.float64)
    exposure = np.array([row.exposure for row in table.rows], dtype=np.float64) if table.exposure else None
    return Grid(table.rows[0].start, months, np.array(places) + 1, counts, exposure)
