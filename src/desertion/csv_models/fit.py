"""Fit a model to the counts in a CSV, for `desertion fit`: a file and options in, a plain dictionary out.

Every model gives the same keys; a number that a model does not have is None or an empty list. `refused` holds why
the data do not identify a model, `warnings` the doubts to print beside the numbers.
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
#: Number of draws for intervals without a formula; fewer where each has thousands of periods.
_DRAWS, _FEWEST_DRAWS, _NUMBERS = 20_000, 2_000, 10_000_000
#: From how many times the next largest count a day on a count is taken for a slip that the fit is about.
_FAR = 20
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
    """Fit a model to the counts in a CSV (see `table.read`) and forecast `steps` periods.

    `model` is one of `MODELS`; `trend` is in the grammar of `terms`, `linear` by default for the regressions,
    `constant` for the others; `period_unit` is by default that of the rows; `exposure` names the column with the
    exposure of each row.

    The keys of the result are those of `_EMPTY`: n counts rows; coefficients have name, estimate, se, low and high;
    growth per, estimate, low and high (for `linear` alone); totals, by calendar year, period_start, period_end, mean,
    low and high; forecast period_start, period_end, mean, median, intervals by level; change_points date and
    probability. Raises CsvError for faults in the file, UserError for an unknown or impossible option.
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
    alone = _alone(table)
    result: dict[str, Any] | Refused
    try:
        if model == "composite":
            with np.errstate(all="ignore"):  # a step that no number can hold is refused below
                result = composite_table.fit_table(
                    table, trend=text, period_unit=period_unit, harmonics=harmonics, steps=steps, level=level, seed=seed
                )
        elif isinstance(grid := from_table(table, period_unit), Refused):
            result = grid
        elif regressed:
            result = _regression(grid, cast(regression.Model, model), parsed, harmonics, steps, level, seed)
        else:
            result = _changepoint(grid, steps, level, seed)
    except UserError:
        raise
    except (ValueError, ArithmeticError):  # a step of the fit that no number can hold, as the libraries find it
        needs = f"a look at {alone}" if alone else "fewer terms"
        result = Refused("the fit does not converge: its means leave the range of numbers", needs)
    named = {"model": model, "trend": text, "n": len(table.rows)}
    if isinstance(result, Refused):
        return {**_EMPTY, **named, "refused": {"reason": result.reason, "needs": result.needs}}
    if alone:
        result["warnings"].append(f"{alone}: look whether it is right, for it decides this fit")
    rounded = [str(row.line) for row in table.rows if row.bound == "about" and model != "composite"]
    if rounded:
        result["warnings"].append(f"lines {', '.join(rounded[:10])} are rounded and were taken as they stand")
    plain: dict[str, Any] = _plain({**_EMPTY, **named, **result})
    return plain


def refusal(model: str, trend: str | None, reason: str, needs: str) -> dict[str, Any]:
    """All keys of `fit_file` for a file or options that allow no fit."""
    return {**_EMPTY, "model": model, "trend": trend, "refused": {"reason": reason, "needs": needs}}


def _alone(table: CountFile) -> str:
    """Words on a count that is so far above all others that a fit is about it alone, or an empty text."""
    rows = sorted((row for row in table.rows if row.value is not None), key=lambda row: row.value or 0)
    if len(rows) < 3:
        return ""
    largest, next_ = rows[-1].value or 0, max(rows[-2].value or 0, 1)
    times = (
        largest / next_ / max((rows[-1].end - rows[-1].start).days + 1, 1) * ((rows[-2].end - rows[-2].start).days + 1)
    )
    return f"{table.where(rows[-1])}: {largest:,.0f} is {times:,.0f} times the next largest" * (times > _FAR)


def _regression(
    grid: Grid, model: regression.Model, trend: terms.Trend, harmonics: int, steps: int, level: float, seed: int
) -> dict[str, Any] | Refused:
    fitted = smooth.fit_trend(grid, trend, model, harmonics=harmonics, level=level)
    if isinstance(fitted, Refused):
        return fitted
    growth = fitted.growth(12 / grid.months)
    doubts = list(fitted.warnings)
    ahead: list[forecast.Step] = []
    if steps:
        steps_ahead = forecast.forecast(fitted, grid, trend, steps, harmonics=harmonics, seed=seed)
        if isinstance(steps_ahead, Refused):
            doubts.append(f"no forecast: {steps_ahead}")
        else:
            ahead = steps_ahead
            doubts += _far(grid, steps)
            if model == "poisson":
                doubts.append("the forecast takes Poisson variation alone; where counts vary more it is too narrow")
    plain = ("df_resid", "loglik", "aic", "aicc", "deviance", "pearson_chi2", "dispersion")
    return {
        **{name: getattr(fitted, name) for name in plain},
        "coefficients": _coefficients(fitted.names, fitted.estimate, fitted.se, *fitted.interval),
        "growth": growth and {"per": "year", "estimate": growth[0], "low": growth[1], "high": growth[2]},
        "warnings": doubts,
        "fitted": fitted.fitted.tolist(),
        "totals": [
            {"period_start": a, "period_end": b, **dict(zip(("mean", "low", "high"), fitted.total(c), strict=True))}
            for a, b, c in grid.years()
        ],
        "forecast": [step._asdict() for step in ahead],
    }


def _changepoint(grid: Grid, steps: int, level: float, seed: int) -> dict[str, Any] | Refused:
    n = len(grid.counts)
    exposure = np.ones(n) if grid.exposure is None else grid.exposure
    points = changepoint.find(grid.counts, exposure)
    if isinstance(points, Refused):
        return points
    rng = np.random.default_rng(seed)
    rates = points.draws(max(_FEWEST_DRAWS, min(_DRAWS, _NUMBERS // n)), rng)
    cuts = points.partition
    doubts = []
    if n < 20:
        doubts.append(f"{n} counts: below 20 a change point is easily an accident")
    if grid.index[-1] > n:
        doubts.append("periods are missing; a change at a gap may have come anywhere in it")
    dates = ", ".join(str(grid.start(grid.index[cut])) for cut in cuts)
    changes = f"{len(cuts) or 'no'} change{'' if len(cuts) == 1 else 's'}{f' ({dates})' if cuts else ''}"
    given = "the others" if points.several else "that there is one"
    doubts.append(f"the best partition (penalty 3 log n) has {changes}; a probability holds given {given}")
    doubts.append("a piecewise constant rate also fits steps to smooth growth")
    # one uncertain date: the first and the last cell are surely on its two sides
    first = [0, *cuts] if points.several or not cuts else [0, n - 1]
    per_segment = rates[:, first]
    ahead = np.repeat(exposure[-1] * rates[:, -1:], steps, axis=1)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(per_segment, tails, axis=0)
    names = [f"rate:{k + 1}" for k in range(len(first))]
    return {
        **_poisson_fit(points, exposure),
        "coefficients": _coefficients(names, per_segment.mean(axis=0), per_segment.std(axis=0), low, high),
        "loglik": points.loglik,
        "warnings": doubts + (_far(grid, steps) if steps else []),
        "fitted": points.fitted.tolist(),
        "totals": _totals(grid, rates * exposure, tails),
        "forecast": [s._asdict() for s in forecast.describe(grid, ahead, rng.poisson(ahead).astype(np.float64))],
        "change_points": [
            {"date": grid.start(grid.index[place]), "probability": probability}
            for place, probability in zip(points.places, points.probability, strict=True)
        ],
    }


def _poisson_fit(points: changepoint.ChangePoints, exposure: Floats) -> dict[str, Any]:
    """How the piecewise constant fit agrees with its counts."""
    y = points.y
    mean = exposure * changepoint.rates(y, exposure, points.partition)
    used = mean > 0
    chi2 = float(np.sum((y[used] - mean[used]) ** 2 / mean[used]))
    deviance = max(0.0, float(2 * np.sum(special.xlogy(y[used], y[used] / mean[used]) - y[used] + mean[used])))
    df = len(y) - 2 * len(points.partition) - 1
    dispersion = chi2 / df if df > 0 else None
    return {"df_resid": float(df), "deviance": deviance, "pearson_chi2": chi2, "dispersion": dispersion}


def _coefficients(
    names: Sequence[str], estimate: Floats, se: Floats, low: Floats, high: Floats
) -> list[dict[str, Any]]:
    keys = ("name", "estimate", "se", "low", "high")
    return [dict(zip(keys, row, strict=True)) for row in zip(names, estimate, se, low, high, strict=True)]


def _totals(grid: Grid, means: Floats, tails: list[float]) -> list[dict[str, Any]]:
    """Totals by calendar year from draws (draws × n) of the mean count of each cell."""
    totals = []
    for start, end, cells in grid.years():
        total = means[:, cells].sum(axis=1)
        low, high = np.quantile(total, tails)
        totals.append({"period_start": start, "period_end": end, "mean": total.mean(), "low": low, "high": high})
    return totals


def _far(grid: Grid, steps: int) -> list[str]:
    doubts = []
    if steps > len(grid.counts) / 2:
        doubts.append(f"{steps} periods are forecast from {len(grid.counts)}: further ahead than half of what is known")
    if grid.exposure is not None:
        doubts.append("the forecast keeps the last exposure")
    return doubts


def _plain(value: Any) -> Any:
    """`value` in the types of JSON: finite numbers or None, dates as text."""
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
    """Describe a fit of `fit_file` that was not refused, in a few lines for a terminal."""

    def form(value: float | None, digits: int = 4, width: int = 0) -> str:
        return f"{'beyond' if value is None else format(value, f'.{digits}g'):>{width}}"  # what no number holds

    lines = [f"{result['model']}, trend {result['trend']}: {result['n']} counts"]
    for one in result["coefficients"]:
        lines.append(f"  {one['name']:22} {form(one['estimate'], 4, 10)}  ({form(one['low'])} to {form(one['high'])})")
    for name in ("df_resid", "dispersion", "loglik", "aicc", "deviance", "pearson_chi2"):
        if result[name] is not None:
            lines.append(f"  {name:22} {result[name]:10.6g}")
    if growth := result["growth"]:
        factor, low, high = (growth[name] for name in ("estimate", "low", "high"))
        lines.append(f"  growth a {growth['per']:13} ×{form(factor, 4, 9)}  ({form(low)} to {form(high)})")
    for one in result["change_points"]:
        lines.append(f"  change at {one['date']}   probability {one['probability']:.2f}")
    for one in result["forecast"]:
        widest = one["intervals"][max(one["intervals"], key=float)]
        period = f"{one['period_start']} to {one['period_end']}"
        lines.append(f"  {period}  {form(one['median'], 15)}  ({form(widest[0], 15)} to {form(widest[1], 15)})")
    lines += [f"  doubt: {warning}" for warning in result["warnings"]]
    return "\n".join(lines)
