"""Forecasts beyond the reports, by the fitted walk or under one of two scenarios."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from desertion.errors import UserError
from desertion.trends import Refused
from desertion.trends.arrays import Floats, Ints
from desertion.trends.composite import nb1, prior
from desertion.trends.composite.fitted import Fit
from desertion.trends.scores import LEVELS

Scenario = Literal["model", "stops", "continues"]

#: Columns of `outlook`.
OUTLOOK = [
    *("kind", "period_start", "period_end", "median"),
    *(f"{end}{100 * share:.0f}" for share in LEVELS for end in ("low", "high")),
]
#: Largest mean that counts are drawn from: numpy cannot draw from a Poisson law much above, and no count comes near.
_LARGEST = 1e15


def forecast(fit: Fit, n: int, series: str | None = None, scenario: Scenario = "model") -> pd.DataFrame:
    """Predict the counts of the `n` periods after the reports, with 50, 80 and 95 % intervals; `attrs["draws"]`:
    (draws, n).

    Under `model` the fitted walk goes on. `stops` (the last level stays) and `continues` (the growth of the last year
    goes on) answer a what-if question; their intervals leave out the walk. Raises UserError if `n` is below 1, or the
    series or the scenario is unknown.
    """
    if n < 1:
        raise UserError(f"a forecast of {n} periods: n is at least 1")
    theta, nodes = fit.drawn
    rng = np.random.default_rng([fit.spec.seed, 1])
    mean = means(fit, n, fit.series(series), theta, nodes, scenario, rng)
    counts = np.empty_like(mean)
    for node in np.unique(nodes):
        mine = nodes == node
        counts[mine] = nb1.sample(np.minimum(mean[mine], _LARGEST), fit.posterior.hyper[node].delta, rng)
    places = [fit.design.periods + 1 + k for k in range(n)]
    grid = fit.design.grid
    table = pd.DataFrame(
        {
            "period_start": [grid.start(k) for k in places], "period_end": [grid.end(k) for k in places],
            "mean": counts.mean(axis=0), "median": np.median(counts, axis=0),
        }
    )  # fmt: skip
    for share in LEVELS:
        low, high = np.quantile(counts, [(1 - share) / 2, (1 + share) / 2], axis=0)
        table[f"low{100 * share:.0f}"], table[f"high{100 * share:.0f}"] = low, high
    table.attrs["draws"] = counts
    return table


def outlook(fit: Fit, n: int, series: str | None = None, refused: Refused | None = None) -> pd.DataFrame:
    """Put the past and the future of `series` into one table.

    Parameters
    ----------
    fit
        The fitted model.
    n
        Number of periods ahead.
    series
        Name of the series; the reference series by default.
    refused
        Why there is no forecast; None where there is one.

    Returns
    -------
    DataFrame
        - kind: `fit` (periods that reports inform, at 95 % whatever the level of the fit), `forecast` (n periods),
          `refused` (one row without numbers in place of a forecast), `stops`, `continues` (medians of the scenarios)
        - period_start, period_end: first and last day
        - median: expected cases (fit), predicted counts (all others)
        - low50, high50, low80, high80, low95, high95: ends of the central intervals
    """
    months = replace(fit, spec=replace(fit.spec, level=0.95)).intensity(series)
    informed = months[~months["prior_driven"]].rename(columns={"low": "low95", "high": "high95"})
    if refused is None:
        ahead = forecast(fit, n, series, "model").assign(kind="forecast")
    else:
        ahead = months.tail(1)[["period_start", "period_end"]].assign(kind="refused")
    what_if = [
        forecast(fit, n, series, scenario)[["period_start", "period_end", "median"]].assign(kind=scenario)
        for scenario in ("stops", "continues")
    ]
    return pd.concat([informed.assign(kind="fit"), ahead, *what_if], ignore_index=True).reindex(columns=OUTLOOK)


def means(
    fit: Fit, n: int, series: int, theta: Floats, nodes: Ints, scenario: Scenario, rng: np.random.Generator
) -> Floats:
    """Expected cases of `series` in the n periods after the grid, at draws of theta: (draws, n)."""
    design = fit.design
    k = design.path.shape[1]
    level = np.exp(np.minimum(_levels(fit, n, theta, nodes, scenario, rng), np.log(_LARGEST)))
    if design.delayed[series]:
        past = np.exp(theta[:, :k] @ design.path.T + design.offset)
        level = fit.late(np.hstack([past, level]), nodes)[:, past.shape[1] :]
    return np.asarray(level * np.exp(theta[:, k:] @ design.factors[series])[:, None])


def _levels(fit: Fit, n: int, theta: Floats, nodes: Ints, scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Log intensity of the next n periods at the last exposure: (draws, n)."""
    d, k = fit.design, fit.design.path.shape[1]
    if scenario not in ("model", "stops", "continues"):
        raise UserError(f"scenario '{scenario}' is unknown; one of model, stops, continues")
    offset = float(d.offset[-1])
    if scenario != "model":
        now = theta[:, :k] @ d.path.T
        year = min(-(-12 // d.grid.months), d.periods - 1)
        pace = (now[:, -1] - now[:, -1 - year]) / max(year, 1) if scenario == "continues" else np.zeros(len(now))
        return np.asarray(now[:, -1:] + pace[:, None] * np.arange(1, n + 1) + offset)
    index = np.arange(d.periods + 1, d.periods + n + 1, dtype=np.float64)
    _, fixed = prior.fixed_columns(d.grid, d.trend, d.order, index)
    f = fixed.shape[1]
    level = theta[:, :f] @ fixed.T + offset
    if d.walk.any():
        basis = prior.walk_basis(d.periods, d.order, n)[d.periods :]
        fresh = rng.standard_normal((len(theta), n)) * fit.hyper("tau")[nodes][:, None]
        level = level + np.hstack([theta[:, f : f + int(d.walk.sum())], fresh]) @ basis.T
    return np.asarray(level)
