"""The composite model on any CSV: a `CountFile` in, one plain dictionary out, as `desertion fit` prints it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from desertion import hedges
from desertion.csv_models.table import CountFile, CountRow
from desertion.errors import UserError
from desertion.trends import Refused, composite, terms
from desertion.trends.composite import checks, model, prior
from desertion.trends.composite.fitted import Fit
from desertion.trends.counts import Observations
from desertion.trends.grid import UNITS, month_number
from desertion.trends.scores import LEVELS


def fit_table(
    table: CountFile,
    *,
    trend: str = "smooth",
    period_unit: str | None = None,
    harmonics: int = 0,
    steps: int = 0,
    level: float = 0.95,
    seed: int = 1,
) -> dict[str, Any] | Refused:
    """Fit the composite link model to the rows of `table` and forecast `steps` periods; keys as in `fit.fit_file`.

    Rows may overlap, be bounds or intervals, and be of several measures, compilers and series, each with a factor. The
    unit of the latent intensity is the longest that divides every row, or a month. `fitted` is the expected count of
    each row. Bounds are read by data/hedges.csv; a trend without `smooth` has flat priors. Raises UserError for an
    unknown or impossible option.
    """
    if harmonics:
        raise UserError("the composite model takes no harmonics; leave them out")
    if all(row.value == 0 and not row.high and row.bound != "at_least" for row in table.rows):
        return Refused("all counts are 0: the rate has no finite logarithm", "at least one event")
    obs = _observations(table)
    unit = _unit(table, period_unit)
    parsed = terms.parse(trend)
    flat = prior.Priors() if parsed.smooth else prior.Priors(level_sd=np.inf, effect_sd=np.inf)
    exposure = _exposure(table, obs, unit)
    if isinstance(exposure, Refused):
        return exposure
    spec = composite.Spec(
        trend=trend, unit=unit, priors=flat, factors=_factors(obs), exposure=exposure, level=level, seed=seed
    )
    fitted = model.fit(obs, spec)
    return fitted if isinstance(fitted, Refused) else _result(fitted, steps)


def _observations(table: CountFile) -> Observations:
    keys = sorted({row.key for row in table.rows})
    words = hedges.load()
    limits = np.array([_limits(row, words) for row in table.rows], dtype=np.float64)
    return Observations(
        tuple(table.where(row) for row in table.rows),
        np.array([keys.index(row.key) for row in table.rows], np.int64),
        np.array([row.start.toordinal() for row in table.rows], np.int64),
        np.array([row.end.toordinal() + 1 for row in table.rows], np.int64),
        limits[:, 0], limits[:, 1], tuple(_name(key) for key in keys),
    )  # fmt: skip


def _name(key: tuple[str, str, str]) -> str:
    return " / ".join(part for part in key if part) or "counts"


def _limits(row: CountRow, words: hedges.Hedges) -> tuple[float, float]:
    if row.low is not None or row.high is not None or row.value is None:
        return row.limits
    return words.interval(row.value, row.bound)


def _factors(obs: Observations) -> dict[str, tuple[str, ...]]:
    """One factor, named after the series, for each series but the first by name."""
    return {name: (f"factor:{name}",) for name in obs.series_names[1:]}


def _unit(table: CountFile, unit: str | None) -> prior.Unit:
    if unit is not None:
        if unit not in UNITS:
            raise UserError(f"period unit '{unit}' is unknown; one of {', '.join(UNITS)}")
        return cast(prior.Unit, unit)
    for unit, months in sorted(UNITS.items(), key=lambda item: -item[1]):
        if all(_whole(row, months) for row in table.rows):
            return cast(prior.Unit, unit)
    return "month"


def _whole(row: CountRow, months: int) -> bool:
    """Whether the row begins and ends with periods of `months` months, counted from January."""
    after = row.end.toordinal() + 1
    last = type(row.end).fromordinal(after)
    return row.start.day == last.day == 1 and month_number(row.start) % months == month_number(last) % months == 0


def _exposure(table: CountFile, obs: Observations, unit: prior.Unit) -> tuple[float, ...] | Refused | None:
    """The exposure of each period of the grid, from a row for just that period."""
    if table.exposure is None:
        return None
    grid = prior.grid(int(obs.start.min()), int(obs.stop.max()) - 1, unit)
    if len(grid.index) > model.MOST_PERIODS:
        return Refused(f"{len(grid.index):,} periods of one {unit}", "a longer period unit")
    given: dict[tuple[int, int], float] = {}
    for row in table.rows:
        place = (row.start.toordinal(), row.end.toordinal())
        if row.exposure is not None and given.setdefault(place, row.exposure) != row.exposure:
            return Refused(f"{table.where(row)}: another exposure for the same days", "one exposure a period")
    exposures = []
    for k in grid.index:
        days = (grid.start(k).toordinal(), grid.end(k).toordinal())
        if days not in given:
            return Refused(
                f"no row gives the exposure of {grid.start(k)} to {grid.end(k)}",
                f"a row for every {unit}, with its exposure",
            )
        exposures.append(given[days])
    return tuple(exposures)


def _result(fitted: Fit, steps: int) -> dict[str, Any]:
    factors = fitted.factors()
    phi = 1 + fitted.posterior.averaged(fitted.hyper("delta"))
    expected, chi2, deviance = _agreement(fitted, phi)
    spent = checks.effective(fitted)
    totals = fitted.totals("year")
    totals.loc[_unknown(fitted, totals), ["mean", "low", "high"]] = np.nan
    return {
        "df_resid": fitted.lattice.informative - spent,
        "coefficients": factors[["name", "estimate", "se", "low", "high"]].to_dict("records"),
        "loglik": fitted.loglik,
        "deviance": deviance,
        "pearson_chi2": chi2,
        "dispersion": phi,
        "growth": _growth(fitted),
        "warnings": composite.warnings(fitted),
        "fitted": expected.tolist(),
        "totals": totals[["period_start", "period_end", "mean", "low", "high"]].to_dict("records"),
        "forecast": _forecast(fitted, steps) if steps else [],
    }


def _unknown(fitted: Fit, totals: pd.DataFrame) -> list[bool]:
    """Mask of the years that no report informs; their totals would be the prior's."""
    first = np.array([day.toordinal() for day in totals["period_start"]])
    after = np.array([day.toordinal() + 1 for day in totals["period_end"]])
    met = (fitted.obs.start < after[:, None]) & (first[:, None] < fitted.obs.stop)
    return list(totals["prior_driven"].to_numpy(bool) & ~met.any(axis=1))


def _agreement(fitted: Fit, phi: float) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float, float]:
    """Expected count of each report, Pearson's statistic and the Poisson deviance of the closed ones' middles."""
    obs = fitted.obs
    theta, node = fitted.drawn
    expected = np.empty(len(obs))
    for s in range(len(obs.series_names)):
        rows = np.flatnonzero(obs.series == s)
        shares = prior.share(obs.start[rows], obs.stop[rows], fitted.design.bounds())
        expected[rows] = np.maximum((fitted.means(s, theta, node) @ shares.T).mean(axis=0), 1e-12)
    y = obs.middle
    closed = np.isfinite(obs.high)
    gap = y[closed] - expected[closed]
    chi2 = float((gap**2 / expected[closed]).sum())
    log = np.where(y[closed] > 0, y[closed] * np.log(np.maximum(y[closed], 1e-300) / expected[closed]), 0.0)
    return expected, chi2, max(0.0, float(2 * (log - gap).sum()))


def _growth(fitted: Fit) -> dict[str, Any] | None:
    if [kind for kind, _ in fitted.design.trend.terms if kind != "constant"] != ["linear"]:
        return None
    row = np.zeros((1, len(fitted.design.names)))
    row[0, fitted.design.names.index("linear")] = 12 / fitted.design.grid.months
    low, middle, high = np.exp(fitted.posterior.of(row).quantiles(fitted.tails))[:, 0]
    return {"per": "year", "estimate": middle, "low": low, "high": high}


def _forecast(fitted: Fit, steps: int) -> list[dict[str, Any]]:
    return [
        {
            "period_start": row["period_start"], "period_end": row["period_end"], "mean": row["mean"],
            "median": row["median"],
            "intervals": {f"{p:g}": [row[f"low{100 * p:.0f}"], row[f"high{100 * p:.0f}"]] for p in LEVELS},
        }
        for row in composite.forecast(fitted, steps).to_dict("records")
    ]  # fmt: skip
