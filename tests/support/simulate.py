"""Draws report sets from a known truth, to measure how often the fit's intervals cover it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from desertion.trends.composite import nb1, prior
from desertion.trends.counts import Observations
from desertion.trends.grid import month_start

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES = ("cases", "cases of another compiler", "verdicts")


@dataclass(frozen=True)
class Truth:
    """The process: `level` (months) expected cases, scale of the walk, dispersion, log factors, mean delay (months)."""

    first: date
    level: Floats
    tau: float
    phi: float
    compiler: float
    measure: float
    delay: float

    @property
    def bounds(self) -> Ints:
        """First days of the months, and the day after the last."""
        start = self.first.year * 12 + self.first.month - 1
        return np.array([month_start(start + k).toordinal() for k in range(len(self.level) + 1)], np.int64)


def truth(
    rng: np.random.Generator,
    months: int = 60,
    *,
    start: float = 5.0,
    tau: float = 0.12,
    phi: float = 3.0,
    compiler: float = -0.16,
    measure: float = -0.1,
    delay: float = 0.0,
    growth: float = 1.0,
) -> Truth:
    """A truth whose log intensity starts at `start` and walks by steps of scale `tau`.

    Beside its walk it grows evenly, by the factor `growth` from the first month to the last.
    """
    walk = start + np.concatenate([[0.0], np.cumsum(tau * rng.standard_normal(months - 1))])
    walk += np.log(growth) * np.linspace(0, 1, months)
    return Truth(date(2021, 1, 1), np.exp(walk), tau, phi, compiler, measure, delay)


def series_means(true: Truth) -> Floats:
    """Expected cases a month of the series in NAMES: (3, months). Before the first month the level was its first."""
    level = true.level
    lead = np.full(60, level[0])
    kernel = prior.delay_kernel(true.delay, 60)
    late = np.convolve(np.concatenate([lead, level]), kernel)[60 : 60 + len(level)]
    return np.array([level, level * np.exp(true.compiler), late * np.exp(true.measure)])


def reports(
    true: Truth, rng: np.random.Generator, *, months_told: int = 12, running: int = 9, extra: int = 1,
    floor_bounds: bool = False,
) -> Observations:  # fmt: skip
    """About 57 reports over 60 months: years, half-years, quarters, months, running totals; rounded and bounded ones.

    `months_told` single months and `running` running totals are of the first series; `extra` multiplies both and the
    months of the other series. A bounded count is printed as the round number below it and read as
    [v, v + unit − 1]; with `floor_bounds` it is read as open above, which is wrong on purpose.
    """
    bounds, months = true.bounds, len(true.level)
    length = np.diff(bounds)
    daily = np.repeat(series_means(true) / length, length, axis=1)
    totals = np.hstack([np.zeros((3, 1)), np.cumsum(nb1.sample(daily, true.phi - 1, rng), axis=1)])
    rows: dict[tuple[int, int, int], tuple[float, float]] = {}

    def add(series: int, a: int, b: int, rounded: bool = False) -> None:
        count = totals[series, b - bounds[0]] - totals[series, a - bounds[0]]
        low = high = float(count)
        if rounded and count >= 10:
            unit = 10.0 ** np.floor(np.log10(count / 10))
            low = float(np.floor(count / unit) * unit)
            high = np.inf if floor_bounds else low + unit - 1
        rows.setdefault((series, int(a), int(b)), (low, high))

    for year in range(months // 12):
        add(0, bounds[12 * year], bounds[12 * year + 12])
        for other in (1, 2) if year else ():
            add(other, bounds[12 * year], bounds[12 * year + 12])
    for half in range(1, months // 6, 3):
        add(0, bounds[6 * half], bounds[6 * half + 6])
    for quarter in range(0, months // 3, 5):
        add(0, bounds[3 * quarter], bounds[3 * quarter + 3], rounded=True)
    for month in rng.choice(months, min(months_told * extra, months), replace=False):
        add(0, bounds[month], bounds[month + 1], rounded=bool(rng.random() < 0.4))
    origin = bounds[min(20, months // 3)] + 20
    late = np.arange(min(24, months // 2), months)
    ends = bounds[late] + rng.integers(1, 28, len(late))
    for k, end in enumerate(ends[np.linspace(0, len(ends) - 1, min(running * extra, len(ends))).astype(int)]):
        add(0, origin, end, rounded=k % 3 == 1)
    for month in rng.choice(late, min(6 * extra, len(late)), replace=False):
        add(1, bounds[month], bounds[month + 1], rounded=True)
    for month in rng.choice(late, min(8 * extra, len(late)), replace=False):
        add(2, bounds[month], bounds[month + 1])
    place = np.array(list(rows), np.int64)
    limits = np.array(list(rows.values()))
    ids = tuple(f"R{k + 1:03d}" for k in range(len(rows)))
    return Observations(ids, place[:, 0], place[:, 1], place[:, 2], limits[:, 0], limits[:, 1], NAMES)
