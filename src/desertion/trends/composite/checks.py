"""Checks of a fit against its reports: residuals, predictions of reports held out, influence of each report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd
from scipy import special

from desertion import memo
from desertion.errors import ContradictionError, ModeError, SumError
from desertion.trends.arrays import Floats
from desertion.trends.composite import ahead, lattice, likelihood, model, nb1
from desertion.trends.composite.fitted import Fit
from desertion.trends.composite.laplace import mode, posterior_mean
from desertion.trends.composite.prior import share
from desertion.trends.counts import Observations
from desertion.trends.laws import cdf

#: Draws of theta, and of the counts for each, behind a predictive probability.
_DRAWS, _EACH = 80, 50
#: Draws of theta where one report after another is left out.
_FEW = 10


@dataclass(frozen=True)
class Diagnosis:
    """Checks of one fit, made by `diagnose`; `reports` has one row per report, with
    - id, series, period_start, period_end, low, high: the report, and `expected`: its expected cases
    - residual: randomised quantile residual (Dunn & Smyth, 1996), standard normal where the model holds; missing for a
    report open to one side
    - shift (with `influence`): change of the log of all cases when the report is left out, in posterior standard
    deviations
    - left_out (with `influence`): the report's predictive probability integral given the others

    `p_uniform`: Kolmogorov–Smirnov test of `left_out` where it is there, else of the residuals, which come from a fit
    that has seen the reports and so lie too near zero. `effective`: effective number of parameters.
    """

    reports: pd.DataFrame
    p_uniform: float
    effective: float

    def __repr__(self) -> str:
        words = f"p_uniform {self.p_uniform:.3g}, {self.effective:.3g} effective parameters"
        return f"Diagnosis of {len(self.reports)} reports: {words}"

    def _repr_html_(self) -> str:
        table = self.reports.to_html(index=False, max_rows=20, float_format="{:,.4g}".format)
        return f"<p>{escape(repr(self))}</p>{table}"


def diagnose(fit: Fit, *, influence: bool = False) -> Diagnosis:
    """Check whether the fit looks like its reports.

    `influence`: whether to fit again without each report in turn, hyper-parameters held at their mode.
    """
    return memo.recall(_diagnose, fit, influence)


def _diagnose(fit: Fit, influence: bool) -> Diagnosis:
    from scipy import stats

    obs = fit.obs
    below, upto, expected = _marginal(fit)
    rng = np.random.default_rng([fit.spec.seed, 2])
    u = below + rng.uniform(size=len(obs)) * (upto - below)
    residual = special.ndtri(np.clip(u, 1e-12, 1 - 1e-12))
    closed = np.isfinite(obs.high)
    residual[~closed] = np.nan
    table = obs.frame().assign(expected=expected, residual=residual)
    uniform = special.ndtr(residual[closed])
    if influence:
        table = table.join(_influence(fit))
        uniform = table.loc[closed & table["left_out"].notna(), "left_out"].to_numpy(np.float64)
    p = float(stats.kstest(uniform, "uniform").pvalue) if len(uniform) else float("nan")
    return Diagnosis(table, p, effective(fit))


def effective(fit: Fit) -> float:
    """Effective number of parameters at the best node: those that the reports, not the prior, determine."""
    best = int(np.argmax(fit.posterior.weight))
    precision = fit.design.precision(fit.posterior.hyper[best].tau)
    root = fit.posterior.root[best]
    return float(len(precision) - (precision * (root**2).sum(axis=1)).sum())


def _marginal(fit: Fit) -> tuple[Floats, Floats, Floats]:
    """Posterior chance of less than `low` and of at most `high` cases in each report's days, and the expected cases."""
    theta, node = fit.posterior.draw(400, np.random.default_rng([fit.spec.seed, 3]))
    delta = fit.hyper("delta")[node]
    obs = fit.obs
    bounds = fit.design.bounds()
    below, upto, expected = (np.empty(len(obs)) for _ in range(3))
    for series in range(len(obs.series_names)):
        rows = np.flatnonzero(obs.series == series)
        means = fit.means(series, theta, node) @ share(obs.start[rows], obs.stop[rows], bounds).T
        for j, i in enumerate(rows):
            below[i], upto[i] = (_mixture(n, means[:, j], delta) for n in (obs.low[i] - 1, obs.high[i]))
            expected[i] = means[:, j].mean()
    return below, upto, expected


def _mixture(n: float, means: Floats, delta: Floats) -> float:
    if not np.isfinite(n):
        return 1.0
    poisson = delta == 0
    chance = np.empty(len(means))
    chance[poisson] = cdf("poisson", n, means[poisson])
    chance[~poisson] = cdf("nb1", n, means[~poisson], 1 + delta[~poisson])
    return float(chance.mean())


def predict(fit: Fit, rows: Observations, *, draws: int = _DRAWS, path: ahead.Path = "walk") -> pd.DataFrame:
    """Predict the counts of `rows` from the reports in the likelihood, exactly where they overlap.

    Days after the fit's last period are forecast along `path`; the columns of the draws take the paths of a pool in
    turn. The series of `rows` are the fit's. Adds to `rows.frame()`: mean,
    predicted_low, predicted_high (count, interval at the fit's level), probability (of a count inside the report's
    interval) and pit (probability of less, at a random point of the interval); `attrs["draws"]`: (rows, draws),
    `attrs["paths"]`: the path of each column.
    """
    rng = np.random.default_rng([fit.spec.seed, 4])
    theta, node = fit.posterior.draw(draws, rng)
    counts = np.full((len(rows), draws * _EACH), np.nan)
    parts = [pieces(fit, rows, i) for i in range(len(rows))]
    base = model.problem(fit.lattice, fit.design, fit.obs, fit.spec.reporting_delay)
    beyond = _beyond(fit, rows)
    ways = tuple(ahead.PATHS) if path == "pool" else (path,)
    wanted = np.any([inside.any(axis=1) for inside, _, _ in parts], axis=0)
    for k in range(draws):
        hyper = fit.posterior.hyper[node[k]]
        if wanted.any():
            m = model.posed(base, fit.design, hyper).means(theta[k])[0]
            try:
                drawn = likelihood.sample(fit.lattice, m, hyper.delta, _EACH, rng, wanted)
            except SumError:
                continue  # a draw far out, at which the reports are all but impossible
        for i, (inside, outside, loose) in enumerate(parts):
            level = fit.means(int(rows.series[i]), theta[k : k + 1], node[k : k + 1])[0]
            total = split(inside, outside, drawn, level, hyper.delta, rng) if inside.any() else np.zeros(_EACH)
            if beyond.shape[1] and beyond[i].any():
                n, series = beyond.shape[1], int(rows.series[i])
                on = ways[k % len(ways)]
                later = ahead.means(fit, n, series, theta[k : k + 1], node[k : k + 1], on, rng)[0]
                total += nb1.sample(np.full(_EACH, float(beyond[i] @ later)), hyper.delta, rng)
            if loose.any():
                total += nb1.sample(np.full(_EACH, float(loose @ level)), hyper.delta, rng)
            counts[i, k * _EACH : (k + 1) * _EACH] = total
    on_path = np.repeat(np.arange(draws) % len(ways), _EACH)
    if np.isnan(counts).any():
        sound = ~np.isnan(counts).any(axis=0)
        counts, on_path = (counts[:, sound], on_path[sound]) if sound.any() else (counts[:, :1], on_path[:1])
    table = rows.frame()
    table.attrs["draws"], table.attrs["paths"] = counts, np.array(ways)[on_path]
    tails = [(1 - fit.spec.level) / 2, (1 + fit.spec.level) / 2]
    low, high = np.quantile(counts, tails, axis=1) if len(rows) else (np.empty(0), np.empty(0))
    less = (counts < rows.low[:, None]).mean(axis=1)
    within = (counts <= rows.high[:, None]).mean(axis=1) - less
    return table.assign(
        mean=counts.mean(axis=1), predicted_low=low, predicted_high=high, probability=within,
        pit=less + rng.uniform(size=len(rows)) * within,
    )  # fmt: skip


def split(
    inside: Floats, outside: Floats, drawn: Floats, level: Floats, delta: float, rng: np.random.Generator
) -> Floats:
    """Cases in the parts of the cells `inside` a period, at draws of the cells' counts; weights as in `pieces`."""
    total = np.zeros(len(drawn))
    for cell in np.flatnonzero(inside.any(axis=1)):
        a, b = float(inside[cell] @ level), float(outside[cell] @ level)
        total += drawn[:, cell] if b <= 0 else nb1.split(drawn[:, cell], a, b, delta, rng)
    return total


def _beyond(fit: Fit, rows: Observations) -> Floats:
    """Share of each period after the grid that each row covers: (rows, periods)."""
    grid, last = fit.design.grid, fit.design.periods
    edges = [grid.start(last + 1).toordinal()]
    while len(rows) and edges[-1] < rows.stop.max():
        edges.append(grid.start(last + 1 + len(edges)).toordinal())
    return share(rows.start, rows.stop, np.array(edges, np.int64))


def pieces(fit: Fit, rows: Observations, i: int) -> tuple[Floats, Floats, Floats]:
    """Weights of the periods: parts of each cell inside and outside report `i`, and its days in no cell."""
    bounds, cells = fit.design.bounds(), fit.lattice.cells

    def covered(a: int, b: int) -> Floats:
        return np.asarray(share(np.array([a]), np.array([b]), bounds)[0])

    inside, outside = np.zeros((len(cells), len(bounds) - 1)), np.zeros((len(cells), len(bounds) - 1))
    start, stop = int(rows.start[i]), int(rows.stop[i])
    loose = covered(start, stop)
    for j, cell in enumerate(cells):
        if cell.series != rows.series[i]:
            continue
        for a, b in cell.spans:
            whole = covered(a, b)
            if max(a, start) < min(b, stop):
                part = covered(max(a, start), min(b, stop))
                inside[j] += part
                outside[j] += np.where(np.abs(whole - part) > 1e-12, whole - part, 0.0)
                loose = loose - part
            else:
                outside[j] += whole
    return inside, outside, np.where(loose > 1e-9, loose, 0.0)


def held_out(fit: Fit) -> pd.DataFrame:
    """Predict the reports that are not in the likelihood (see `predict`)."""
    return predict(fit, fit.obs.take(list(fit.lattice.held_out)))


def _influence(fit: Fit) -> pd.DataFrame:
    best = int(np.argmax(fit.posterior.weight))
    hyper, theta = fit.posterior.hyper[best], fit.posterior.centre[best]
    whole = np.log(_all_cases(fit, theta))
    spread = max(_log_spread(fit, best), 1e-12)
    rows = []
    for i in range(len(fit.obs)):
        if i in fit.lattice.held_out:
            rows.append({"shift": 0.0, "left_out": np.nan})
            continue
        rest = fit.obs.take([j for j in range(len(fit.obs)) if j != i])
        try:
            cells = lattice.build(rest)
            posed = model.posed(model.problem(cells, fit.design, rest, fit.spec.reporting_delay), fit.design, hyper)
            without = mode(posed, theta)
        except (ModeError, ContradictionError):
            rows.append({"shift": np.nan, "left_out": np.nan})
            continue
        centre = posterior_mean(posed, without)
        posterior = replace(
            fit.posterior, hyper=(hyper,), weight=np.ones(1), centre=centre[None], root=without.root()[None]
        )
        others = replace(fit, obs=rest, lattice=cells, posterior=posterior)
        shift = (np.log(_all_cases(fit, centre)) - whole) / spread
        left_out = predict(others, fit.obs.take([i]), draws=_FEW)["pit"].iloc[0]
        rows.append({"shift": float(shift), "left_out": float(left_out)})
    return pd.DataFrame(rows)


def _all_cases(fit: Fit, theta: Floats) -> float:
    k = fit.design.path.shape[1]
    return float(np.exp(fit.design.path @ theta[:k] + fit.design.offset)[fit.design.lead :].sum())


def _log_spread(fit: Fit, node: int) -> float:
    k = fit.design.path.shape[1]
    level = np.exp(fit.design.path @ fit.posterior.centre[node][:k] + fit.design.offset)
    level[: fit.design.lead] = 0.0
    row = np.zeros(fit.posterior.centre.shape[1])
    row[:k] = (level / level.sum()) @ fit.design.path
    return float(np.sqrt(((row @ fit.posterior.root[node]) ** 2).sum()))
