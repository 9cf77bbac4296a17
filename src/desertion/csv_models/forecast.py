"""Forecasts of counts beyond the last period, by drawing parameters and then counts.

A plug-in interval leaves out that the trend itself is estimated. Coefficients (and the logarithm of the dispersion) are
drawn from their joint normal law, with t tails on the residual degrees of freedom where a dispersion is estimated; each
draw then gives one count per period, at the last exposure.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from desertion.errors import UserError
from desertion.trends import Refused, terms
from desertion.trends.arrays import Floats
from desertion.trends.grid import Grid
from desertion.trends.laws import LARGEST_MEAN, sample
from desertion.trends.regression import Regression
from desertion.trends.scores import LEVELS

DRAWS = 20_000
#: Largest number of periods ahead.
MAX_STEPS = 1_200


class Step(NamedTuple):
    """The forecast of one period: both days included, `intervals` by level, in whole counts."""

    period_start: date
    period_end: date
    mean: float
    median: float
    intervals: dict[float, tuple[float, float]]


def forecast(
    fit: Regression,
    grid: Grid,
    trend: terms.Trend,
    steps: int,
    *,
    harmonics: int = 0,
    draws: int = DRAWS,
    seed: int = 1,
) -> list[Step] | Refused:
    """Forecast the next `steps` periods of `grid` under the fitted `trend`.

    Refused for quasi-Poisson, which names no law of the counts, and for a smooth, which ends at its last knot.
    Raises UserError for a number of steps outside 1…1200.
    """
    if not 1 <= steps <= MAX_STEPS:
        raise UserError(f"a forecast of {steps} periods: ask for 1 to {MAX_STEPS}")
    drawn = draw(fit, grid, trend, steps, harmonics=harmonics, draws=draws, rng=np.random.default_rng(seed))
    return drawn if isinstance(drawn, Refused) else describe(grid, *drawn)


def draw(
    fit: Regression, grid: Grid, trend: terms.Trend, steps: int, *, harmonics: int = 0, draws: int = DRAWS,
    rng: np.random.Generator,
) -> tuple[Floats, Floats] | Refused:  # fmt: skip
    """Draws (draws × steps) of the means and of the counts of the next `steps` periods; refused as `forecast` is."""
    if fit.model == "quasi-poisson":
        return Refused("quasi-Poisson names no law of the counts, so it forecasts none", "--model nb1 (same variance)")
    if trend.smooth:
        return Refused("a smooth says nothing beyond its last period", "a trend with fixed terms")
    _, X = terms.columns(trend, grid, grid.ahead(steps), harmonics)
    b, dispersion = parameters(fit, draws, rng)
    mean = np.exp(np.minimum(b @ X.T + fit.offset[-1], np.log(LARGEST_MEAN)))
    return mean, sample(fit.law, mean, dispersion[:, None], rng)


def parameters(fit: Regression, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws of the coefficients (draws × p) and of the dispersion (draws)."""
    p = len(fit.names)
    if fit.joint is None:
        return rng.multivariate_normal(fit.estimate, fit.covariance, size=draws, method="eigh"), np.full(draws, 1.0)
    joint = rng.multivariate_normal(np.zeros(p + 1), fit.joint, size=draws, method="eigh")
    joint *= np.sqrt(fit.df_resid / rng.chisquare(fit.df_resid, size=draws))[:, None]
    # maximum likelihood underestimates the dispersion by the share of degrees of freedom that the trend has used
    above = (fit.dispersion - 1 if fit.model == "nb1" else fit.dispersion) * len(fit.y) / fit.df_resid
    drawn = above * np.exp(np.clip(joint[:, p], -20, 20))
    return fit.estimate + joint[:, :p], drawn + (fit.model == "nb1")


def describe(grid: Grid, mean: Floats, counts: Floats) -> list[Step]:
    """Summarise draws of the mean and of the counts (both draws × steps) after the last cell of `grid`."""
    steps = []
    for j, place in enumerate(grid.ahead(counts.shape[1])):
        tails = [tail for level in LEVELS for tail in ((1 - level) / 2, (1 + level) / 2)]
        limits = np.quantile(counts[:, j], [0.5, *tails], method="inverted_cdf").tolist()
        intervals = {level: (limits[1 + 2 * k], limits[2 + 2 * k]) for k, level in enumerate(LEVELS)}
        steps.append(Step(grid.start(place), grid.end(place), float(mean[:, j].mean()), limits[0], intervals))
    return steps
