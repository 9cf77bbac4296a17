"""Forecasts beyond the reports: along the fitted walk, along another path of the level, or a pool of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from desertion.errors import UserError
from desertion.trends.arrays import Floats, Ints
from desertion.trends.composite import nb1, prior
from desertion.trends.composite.fitted import Fit
from desertion.trends.scores import LEVELS

Path = Literal["walk", "regime", "level", "mean", "returns", "pool"]
#: Ways in which the level may go on, and what each believes. `pool` gives each an equal share of the draws: of several
#: plausible forecasts an equal mixture is hard to beat where few can be scored (Stock and Watson, 2004).
PATHS: dict[Path, str] = {
    "walk": "the fitted walk goes on",
    "regime": "a walk whose steps are as large as those of the last twelve months",
    "level": "the last level stays",
    "mean": "the mean of the last three months stays",
    "returns": "the level returns to the mean of the last six months, by a fifth of the distance each month",
}
_RETURN = 0.8  # share of the distance that is left after a month

#: Columns of `outlook`.
OUTLOOK = [
    *("kind", "period_start", "period_end", "median"),
    *(f"{end}{100 * share:.0f}" for share in LEVELS for end in ("low", "high")),
]
#: Largest mean that counts are drawn from: numpy cannot draw from a Poisson law much above, and no count comes near.
_LARGEST = 1e15


def forecast(fit: Fit, n: int, series: str | None = None, path: Path = "walk") -> pd.DataFrame:
    """Predict the counts of the `n` periods after the reports, with 50, 80 and 95 % intervals; `attrs["draws"]`:
    (draws, n).

    `path` is how the level goes on, one of `PATHS` or their `pool`. Raises UserError if `n` is below 1, or the series
    or the path is unknown.
    """
    if n < 1:
        raise UserError(f"a forecast of {n} periods: n is at least 1")
    theta, nodes = fit.drawn
    rng = np.random.default_rng([fit.spec.seed, 1])
    mean = means(fit, n, fit.series(series), theta, nodes, path, rng)
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


def outlook(fit: Fit, n: int, series: str | None = None) -> pd.DataFrame:
    """Put the past and the future of `series` into one table; the future is the pool of all paths.

    Parameters
    ----------
    fit
        The fitted model.
    n
        Number of periods ahead.
    series
        Name of the series; the reference series by default.

    Returns
    -------
    DataFrame
        - kind: `fit` (periods that reports inform, at 95 % whatever the level of the fit) or `forecast` (n periods)
        - period_start, period_end: first and last day
        - median: expected cases (fit), predicted counts (forecast)
        - low50, high50, low80, high80, low95, high95: ends of the central intervals
    """
    months = replace(fit, spec=replace(fit.spec, level=0.95)).intensity(series)
    informed = months[~months["prior_driven"]].rename(columns={"low": "low95", "high": "high95"})
    future = forecast(fit, n, series, "pool").assign(kind="forecast")
    return pd.concat([informed.assign(kind="fit"), future], ignore_index=True).reindex(columns=OUTLOOK)


def means(fit: Fit, n: int, series: int, theta: Floats, nodes: Ints, path: Path, rng: np.random.Generator) -> Floats:
    """Expected cases of `series` in the n periods after the grid, at draws of theta: (draws, n)."""
    design = fit.design
    k = design.path.shape[1]
    if path == "pool":
        logs = np.empty((len(theta), n))
        for place, one in enumerate(PATHS):
            mine = slice(place, None, len(PATHS))
            logs[mine] = _levels(fit, n, theta[mine], nodes[mine], one, rng)
    else:
        logs = _levels(fit, n, theta, nodes, path, rng)
    level = np.exp(np.minimum(logs, np.log(_LARGEST)))
    if design.delayed[series]:
        past = np.exp(theta[:, :k] @ design.path.T + design.offset)
        level = fit.late(np.hstack([past, level]), nodes)[:, past.shape[1] :]
    return np.asarray(level * np.exp(theta[:, k:] @ design.factors[series])[:, None])


def _levels(fit: Fit, n: int, theta: Floats, nodes: Ints, path: Path, rng: np.random.Generator) -> Floats:
    """Log intensity of the next n periods at the last exposure: (draws, n)."""
    d, k = fit.design, fit.design.path.shape[1]
    if path not in PATHS:
        raise UserError(f"a level that goes on by '{path}' is unknown; one of {', '.join(PATHS)}, pool")
    offset = float(d.offset[-1])
    if path != "walk":
        past = theta[:, :k] @ d.path.T
        ahead, last = np.arange(1, n + 1), past[:, -1:]

        def latest(months: int) -> Floats:
            """The periods of the last `months` months, at least one."""
            return np.asarray(past[:, -max(months // d.grid.months, 1) :])

        if path == "regime":
            steps = np.diff(latest(12 + d.grid.months), axis=1)
            size = np.sqrt((steps**2).mean(axis=1)) if steps.shape[1] else np.zeros(len(past))
            walked = size[:, None] * rng.standard_normal((len(past), n)).cumsum(axis=1)
            return np.asarray(last + walked + offset)
        if path == "level":
            return np.asarray(np.repeat(last, n, axis=1) + offset)
        mean = np.log(np.exp(latest(3 if path == "mean" else 6)).mean(axis=1, keepdims=True))
        left = _RETURN ** (ahead * d.grid.months) if path == "returns" else np.zeros(n)
        return np.asarray(mean + left * (last - mean) + offset)
    index = np.arange(d.periods + 1, d.periods + n + 1, dtype=np.float64)
    _, fixed = prior.fixed_columns(d.grid, d.trend, d.order, index)
    f = fixed.shape[1]
    level = theta[:, :f] @ fixed.T + offset
    if d.walk.any():
        basis = prior.walk_basis(d.periods, d.order, n)[d.periods :]
        fresh = rng.standard_normal((len(theta), n)) * fit.hyper("tau")[nodes][:, None]
        level = level + np.hstack([theta[:, f : f + int(d.walk.sum())], fresh]) @ basis.T
    return np.asarray(level)
