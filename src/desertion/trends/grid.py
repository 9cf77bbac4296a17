"""A homogeneous grid: disjoint cells of equal length in months with one count each, as the plain models need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from desertion.errors import UserError
from desertion.trends.arrays import Floats

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
        """Calendar years with whole cells: first and last day covered, and the positions of the cells."""
        years: dict[int, list[int]] = {}
        for i, place in enumerate(self.index):
            if self.start(place).year == self.end(place).year:
                years.setdefault(self.start(place).year, []).append(i)
        return [(self.start(self.index[c[0]]), self.end(self.index[c[-1]]), c) for c in years.values()]


def annual(years: list[int], counts: list[float]) -> Grid:
    """A grid of calendar years in ascending order; years may be missing between."""
    index = np.array(years, dtype=np.float64) - years[0] + 1
    return Grid(date(years[0], 1, 1), 12, index, np.asarray(counts, dtype=np.float64))
