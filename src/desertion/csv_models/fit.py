"""One CSV and a few options in, one plain dictionary out: what `desertion fit` prints.

Every model gives the same keys; where a model has no such number it is None or an empty list. What the data do not
identify comes back in `refused`, what a reader must know beside the numbers in `warnings`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy import special

from desertion.csv_models import changepoint, composite_table, forecast, smooth
from desertion.csv_models.grid import from_table
from desertion.csv_models.table import CountFile, read
from desertion.errors import UserError
from desertion.trends import Refused, regression, terms
from desertion.trends.arrays import Floats
from desertion.trends.grid import Grid
from desertion.trends.laws import LARGEST_MEAN

MODELS = (*regression.MODELS, "changepoint", "composite")
#: Draws behind intervals that have no formula; fewer where each has thousands of periods.
_DRAWS, _FEWEST_DRAWS, _NUMBERS = 20_000, 2_000, 10_000_000
_EMPTY: Mapping[str, Any] = {
    "model": None, "trend": None, "n": None, "df_resid": None, "coefficients": [], "loglik": None, "aic": None,
    "aicc": None, "deviance": None, "pearson_chi2": None, "dispersion": None, "growth": None, "warnings": [],
    "fitted": [], "totals": [], "forecast": [], "change_points": [], "refused": None,
}  # fmt: skip


def fit_file(
    path: str | Path,
    model: str = "poisson",
    trend: str | None = None,
    *,
    period_unit: str | None = None,
    exposure: str | None = None,
    harmonics: int = 0,
    steps: int = 0,
    level: float = 0.95,
    seed: int = 1,
) -> dict[str, Any]:
    """Fit `model` to the counts in the CSV at `path` and forecast `steps` periods.

    `trend` is `linear` where None, for the regressions; a change point has none but `constant`.
    Keys: model, trend, n, df_resid, coefficients [name, estimate, se, low, high], loglik, aic, aicc, deviance,
    pearson_chi2, dispersion, growth {per, estimate, low, high} (a factor, for `linear` alone), warnings, fitted,
    totals [period_start, period_end, mean, low, high] by calendar year, forecast [period_start, period_end, mean,
    median, intervals by level], change_points [date, probability], refused {reason, needs} or None.
    Raises CsvError for faults in the file, UserError for an option that is none.
    """
    if model not in MODELS:
        raise UserError(f"model '{model}' is unknown; one of {', '.join(MODELS)}")
    if not 0 < level < 1:
        raise UserError(f"level is {level!r}: it lies between 0 and 1, as 0.95")
    if not 0 <= steps <= forecast.MAX_STEPS:
        raise UserError(f"a forecast of {steps} periods: ask for 0 to {forecast.MAX_STEPS}")
    if seed < 0:
        raise UserError(f"seed {seed}: a seed is 0 or more")
    regressed = model in regression.MODELS
    text = trend or ("linear" if regressed else "constant")
    parsed = terms.parse(text)
    if model == "changepoint" and (text != "constant" or harmonics):
        raise UserError(f"{model} takes no trend and no harmonics: its level moves by itself; leave them out")
    table = read(path, exposure)
    if model == "composite":
        return _composite(table, text, period_unit, harmonics, steps, level, seed)
    grid = from_table(table, period_unit)
    result: dict[str, Any] | Refused
    if isinstance(grid, Refused):
        result = grid
    elif regressed:
        result = _regression(grid, cast(regression.Model, model), parsed, harmonics, steps, level, seed)
    else:
        result = _changepoint(grid, steps, level, seed)
    named = {"model": model, "trend": text, "n": len(table.rows)}
    if isinstance(result, Refused):
        return {**_EMPTY, **named, "refused": {"reason": result.reason, "needs": result.needs}}
    rounded = [str(row.line) for row in table.rows if row.bound == "about"]
    if rounded:
        result["warnings"].append(f"lines {', '.join(rounded[:10])} are rounded and were taken as they stand")
    return _plain_keys({**_EMPTY, **named, **result})


def refusal(model: str, trend: str | None, reason: str, needs: str) -> dict[str, Any]:
    """All keys of `fit_file` for a file or a call that nothing could be fitted to."""
    return {**_EMPTY, "model": model, "trend": trend, "refused": {"reason": reason, "needs": needs}}


def _composite(
    table: CountFile, trend: str, period_unit: str | None, harmonics: int, steps: int, level: float, seed: int
) -> dict[str, Any]:
    """The composite link model on the same table; it returns the same keys."""
    result = composite_table.fit_table(
        table, trend=trend, period_unit=period_unit, harmonics=harmonics, steps=steps, level=level, seed=seed
    )
    return _plain_keys({**_EMPTY, "model": "composite", "trend": trend, "n": len(table.rows), **result})


def _regression(
    grid: Grid, model: regression.Model, trend: terms.Trend, harmonics: int, steps: int, level: float, seed: int
) -> dict[str, Any] | Refused:
    fitted = smooth.fit_trend(grid, trend, model, harmonics=harmonics, level=level)
    if isinstance(fitted, Refused):
        return fitted
    low, high = fitted.interval
    growth = fitted.growth(12 / grid.months)
    doubts = list(fitted.warnings)
    ahead: list[forecast.Step] = []
    if steps:
        found = forecast.forecast(fitted, grid, trend, steps, harmonics=harmonics, seed=seed)
        if isinstance(found, Refused):
            doubts.append(f"no forecast: {found}")
        else:
            ahead = found
            doubts += _far(grid, steps)
            if model == "poisson":
                doubts.append("the forecast takes Poisson variation alone; where counts vary more it is too narrow")
    return {
        "df_resid": fitted.df_resid,
        "coefficients": _coefficients(fitted.names, fitted.estimate, fitted.se, low, high),
        "loglik": fitted.loglik,
        "aic": fitted.aic,
        "aicc": fitted.aicc,
        "deviance": fitted.deviance,
        "pearson_chi2": fitted.pearson_chi2,
        "dispersion": fitted.dispersion,
        "growth": growth and {"per": "year", "estimate": growth[0], "low": growth[1], "high": growth[2]},
        "warnings": doubts,
        "fitted": fitted.fitted.tolist(),
        "totals": [
            {"period_start": a, "period_end": b, **dict(zip(("mean", "low", "high"), fitted.total(c), strict=True))}
            for a, b, c in grid.years()
        ],
        "forecast": _forecast(ahead),
    }


def _changepoint(grid: Grid, steps: int, level: float, seed: int) -> dict[str, Any] | Refused:
    n = len(grid.counts)
    exposure = np.ones(n) if grid.exposure is None else grid.exposure
    found = changepoint.find(grid.counts, exposure)
    if isinstance(found, Refused):
        return found
    rng = np.random.default_rng(seed)
    rates = found.draws(_draws(n), rng)
    cuts = found.partition
    doubts = []
    if n < 20:
        doubts.append(f"{n} counts: below 20 a change point is easily an accident")
    if grid.index[-1] > n:
        doubts.append("periods are missing; a change at a gap may have come anywhere in it")
    dates = ", ".join(str(grid.start(grid.index[cut])) for cut in cuts)
    said = f"{len(cuts) or 'no'} change{'' if len(cuts) == 1 else 's'}{f' ({dates})' if cuts else ''}"
    given = "the others" if found.several else "that there is one"
    doubts.append(f"the best partition (penalty 3 log n) has {said}; a probability holds given {given}")
    doubts.append("a piecewise constant rate also fits steps to smooth growth")
    # one uncertain date: the first and the last cell are surely on its two sides
    first = [0, *cuts] if found.several or not cuts else [0, n - 1]
    per_segment = rates[:, first]
    dispersion, chi2, deviance, df = _poisson_fit(found, exposure)
    ahead = np.repeat(exposure[-1] * rates[:, -1:], steps, axis=1)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(per_segment, tails, axis=0)
    return {
        "df_resid": df,
        "coefficients": _coefficients(
            [f"rate:{k + 1}" for k in range(len(first))], per_segment.mean(axis=0), per_segment.std(axis=0), low, high
        ),
        "loglik": found.loglik,
        "deviance": deviance,
        "pearson_chi2": chi2,
        "dispersion": dispersion,
        "warnings": doubts + (_far(grid, steps) if steps else []),
        "fitted": found.fitted.tolist(),
        "totals": _totals(grid, rates * exposure, tails),
        "forecast": _forecast(forecast.describe(grid, ahead, rng.poisson(ahead).astype(np.float64))),
        "change_points": [
            {"date": grid.start(grid.index[place]), "probability": probability}
            for place, probability in zip(found.places, found.probability, strict=True)
        ],
    }


def _draws(periods: int) -> int:
    return max(_FEWEST_DRAWS, min(_DRAWS, _NUMBERS // periods))


def _poisson_fit(found: changepoint.ChangePoints, exposure: Floats) -> tuple[float | None, float, float, float]:
    """Pearson dispersion, Pearson chi2, deviance and residual degrees of freedom of the piecewise constant fit."""
    y = found.y
    mean = exposure * changepoint.rates(y, exposure, found.partition)
    used = mean > 0
    chi2 = float(np.sum((y[used] - mean[used]) ** 2 / mean[used]))
    deviance = float(2 * np.sum(special.xlogy(y[used], y[used] / mean[used]) - y[used] + mean[used]))
    df = len(y) - 2 * len(found.partition) - 1
    return chi2 / df if df > 0 else None, chi2, deviance, float(df)


def _coefficients(
    names: Sequence[str], estimate: Sequence[float] | Floats, se: Sequence[float] | Floats,
    low: Sequence[float] | Floats, high: Sequence[float] | Floats,
) -> list[dict[str, Any]]:  # fmt: skip
    keys = ("name", "estimate", "se", "low", "high")
    return [dict(zip(keys, row, strict=True)) for row in zip(names, estimate, se, low, high, strict=True)]


def _totals(grid: Grid, means: Floats, tails: list[float]) -> list[dict[str, Any]]:
    """Totals by calendar year from draws (draws × n) of the mean count of each cell."""
    found = []
    for start, end, cells in grid.years():
        total = means[:, cells].sum(axis=1)
        low, high = np.quantile(total, tails)
        found.append({"period_start": start, "period_end": end, "mean": total.mean(), "low": low, "high": high})
    return found


def _forecast(steps: Sequence[forecast.Step]) -> list[dict[str, Any]]:
    return [
        {
            "period_start": step.start,
            "period_end": step.end,
            "mean": step.mean,
            "median": step.median,
            "intervals": {f"{level:g}": list(limits) for level, limits in step.intervals.items()},
        }
        for step in steps
    ]


def _far(grid: Grid, steps: int) -> list[str]:
    found = []
    if steps > len(grid.counts) / 2:
        found.append(f"{steps} periods are forecast from {len(grid.counts)}: further ahead than half of what is known")
    if grid.exposure is not None:
        found.append("the forecast keeps the last exposure")
    return found


def _plain_keys(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) for key, value in result.items()}


def _plain(value: Any) -> Any:
    """`value` with what JSON has: numbers that are finite or None, dates as text."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (bool, str, int)) or value is None:
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    number = float(value)
    return number if math.isfinite(number) and abs(number) < LARGEST_MEAN else None


def describe(result: Mapping[str, Any]) -> str:
    """A fit of `fit_file` that was not refused, in a few lines for a terminal."""
    lines = [f"{result['model']}, trend {result['trend']}: {result['n']} counts"]
    for one in result["coefficients"]:
        lines.append(f"  {one['name']:22} {one['estimate']:10.4g}  ({one['low']:.4g} to {one['high']:.4g})")
    for name in ("df_resid", "dispersion", "loglik", "aicc", "deviance", "pearson_chi2"):
        if result[name] is not None:
            lines.append(f"  {name:22} {result[name]:10.6g}")
    if growth := result["growth"]:
        factor, low, high = (growth[name] for name in ("estimate", "low", "high"))
        lines.append(f"  growth a {growth['per']:13} ×{factor:9.4g}  ({low:.4g} to {high:.4g})")
    for one in result["change_points"]:
        lines.append(f"  change at {one['date']}   probability {one['probability']:.2f}")
    for one in result["forecast"]:
        widest = one["intervals"][max(one["intervals"], key=float)]
        period = f"{one['period_start']} to {one['period_end']}"
        lines.append(f"  {period}  {one['median']:.0f}  ({widest[0]:.0f} to {widest[1]:.0f})")
    lines += [f"  doubt: {warning}" for warning in result["warnings"]]
    return "\n".join(lines)
