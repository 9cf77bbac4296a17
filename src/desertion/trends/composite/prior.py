"""The latent intensity before any report: its grid, trend, random walk, factors and delay, and their priors.

Every prior is an independent normal: the random walk is a cumulative sum of its increments, so the prior precision of
all parameters is diagonal and depends on the hyper-parameters only through the increments' 1/tau².
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from desertion.trends import terms
from desertion.trends.arrays import Flags, Floats, Ints
from desertion.trends.composite.lattice import Lattice
from desertion.trends.grid import UNITS, Grid, month_number, month_start

Unit = Literal["month", "quarter", "half-year", "year"]

#: Share of the prior variance that the reports must remove; below it a number is prior-driven.
CONTRACTION = 0.2


@dataclass(frozen=True)
class Priors:
    """Scales of the priors. `inf` makes one flat.

    tau, the standard deviation of the walk's increments, has an exponential law of rate `tau_rate` for one month
    (a penalised-complexity prior, Simpson et al., 2017: P(tau > 0.3) = 0.05 at rate 10); for longer periods and for
    order 2 the rate is such that the walk may move as far in a year. log(phi − 1), the factors' logarithms, the
    effects of steps and slopes, the level and the log of the delay's mean in months are normal. 95 % of phi's prior
    lies between 1.2 and 86: from nearly Poisson to beyond the 61 of the official counts of 2013–2021. `level_mean`
    None centres the level on the reports' crude rate.
    """

    level_mean: float | None = None
    level_sd: float = 10.0
    effect_sd: float = 2.0
    factor_sd: float = 0.5
    tau_rate: float = 10.0
    log_excess_mean: float = 1.5
    log_excess_sd: float = 1.5
    delay_median: float = 2.0
    delay_sd: float = 0.5

    def rate(self, months: int, order: int) -> float:
        """Rate of tau's exponential prior for periods of `months` months and a walk of `order` 1 or 2."""
        periods = 12 / months
        squares = periods if order == 1 else periods * (periods + 1) * (2 * periods + 1) / 6
        return float(self.tau_rate * np.sqrt(squares / 12))


@dataclass(frozen=True)
class Design:
    """log lambda = `path` @ theta[:k] + `offset` on `grid`; log factor of series s = `factors[s]` @ theta[k:].

    `path` is (periods, k), `factors` (series, p − k); `scale` (p) are prior standard deviations, nan for the walk's
    increments, whose scale is tau. `lead` periods before the first report carry the delay. Means are zero but the
    level's, `centre`.
    """

    grid: Grid
    names: tuple[str, ...]
    path: Floats
    factors: Floats
    offset: Floats
    scale: Floats
    centre: float
    order: int
    lead: int
    delayed: tuple[bool, ...]
    trend: terms.Trend

    @property
    def walk(self) -> Flags:
        """Mask of the parameters that are increments of the random walk."""
        return np.isnan(self.scale)

    @property
    def periods(self) -> int:
        """Number of periods of the latent intensity, those of the lead among them."""
        return len(self.path)

    def precision(self, tau: float) -> Floats:
        """Diagonal of the prior precision of theta."""
        return np.where(self.walk, tau**-2 if tau > 0 else np.inf, self.scale**-2.0)

    @property
    def mean(self) -> Floats:
        """Prior mean of theta."""
        mean = np.zeros(len(self.scale))
        mean[0] = self.centre
        return mean

    def bounds(self) -> Ints:
        """First days of the periods, and the day after the last: (periods + 1,)."""
        first = month_number(self.grid.first)
        return np.array(
            [month_start(first + k * self.grid.months).toordinal() for k in range(self.periods + 1)], np.int64
        )


def grid(first_day: int, last_day: int, unit: Unit, lead: int = 0) -> Grid:
    """The periods of one `unit` that hold the days from `first_day` to `last_day` (ordinals), and `lead` before."""
    months = UNITS[unit]
    start = month_number(date.fromordinal(first_day)) // months * months
    stop = month_number(date.fromordinal(last_day)) // months * months
    count = (stop - start) // months + 1
    places = np.arange(1, count + lead + 1, dtype=np.float64)
    return Grid(month_start(start - lead * months), months, places, np.zeros(len(places)))


def walk_basis(periods: int, order: int, ahead: int = 0) -> Floats:
    """The walk of `order` 1 or 2 on `periods + ahead` periods as sums of its increments: starts at zero (and flat)."""
    ones = np.tri(periods + ahead)
    return ones[:, 1:] if order == 1 else np.asarray((ones @ ones)[:, 1:-1])


def fixed_columns(cells: Grid, trend: terms.Trend, order: int, index: Floats) -> tuple[tuple[str, ...], Floats]:
    """The trend's columns at places `index`, with the line that a walk of order 2 is free to follow."""
    names, columns = terms.columns(trend, cells, index)
    if trend.smooth and order == 2 and "linear" not in names:
        names, columns = (*names, "linear"), np.column_stack([columns, index])
    return names, columns


def weights(lattice: Lattice, bounds: Ints) -> Floats:
    """Share of each period that each cell covers, by days: (cells, periods)."""
    days = np.diff(bounds).astype(np.float64)
    shares = np.zeros((len(lattice.cells), len(days)))
    for row, cell in zip(shares, lattice.cells, strict=True):
        for start, stop in cell.spans:
            row += np.clip(np.minimum(stop, bounds[1:]) - np.maximum(start, bounds[:-1]), 0, None)
    return shares / days


def share(start: Ints, stop: Ints, bounds: Ints) -> Floats:
    """Share of each period that each span of days covers: (spans, periods)."""
    inside = np.minimum(stop[:, None], bounds[1:]) - np.maximum(start[:, None], bounds[:-1])
    return np.asarray(np.clip(inside, 0, None) / np.diff(bounds))


def delay_kernel(mean: float, periods: int) -> Floats:
    """Geometric probabilities of a delay of 0, 1, … periods with mean `mean`, the last one taking the rest."""
    q = mean / (1 + mean)
    kernel = (1 - q) * q ** np.arange(periods, dtype=np.float64)
    kernel[-1] = q ** (periods - 1)
    return kernel


def delay(shares: Floats, late: Flags, mean: float, lead: int) -> Floats:
    """`shares` with the rows `late` moved back by a geometric delay of at most `lead` periods: (cells, periods)."""
    moved = shares.copy()
    moved[late] = 0.0
    for lag, chance in enumerate(delay_kernel(mean, lead + 1)):
        moved[late, : shares.shape[1] - lag] += chance * shares[late, lag:]
    return moved
