"""Composite fits as the report prints them: rounded, in words, with the ids behind each number.

Months and totals are rounded to whole cases; forecasts, which rest on draws, to two digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.composite.ahead import OUTLOOK
from desertion.trends.counts import Observations, behind
from desertion.trends.hindsight import MODEL, MONTH, HeldOut
from desertion.trends.origins import BASELINES, ENOUGH, Score, summarise


class Panel(NamedTuple):
    """A series of a fit that the report shows: `series` is one of the fit's (None: the reference)."""

    fit: Fit | Refused
    series: str | None = None


def _fit(panel: Panel) -> Fit | Refused:
    """The panel's fit, or the refusal where it does not have the panel's series."""
    fit, series = panel.fit, panel.series
    if isinstance(fit, Refused) or series is None or series in fit.obs.series_names:
        return fit
    return Refused(f"no statement of {series} was published", "such statements")


def carried(fit: Fit | Refused, claim: str = "levels", series: int = 1) -> Refused | None:
    """None, or why `fit` does not carry `claim` (a key of `composite.claims`) in the report.

    The claim compares so many `series`: it is refused where fewer were published.
    """
    if isinstance(fit, Refused):
        return fit
    if len(fit.obs.series_names) < series:
        return Refused("only one of the series that it compares is among the statements", "counts of both")
    return composite.claims(fit)[claim]


def statements(fit: Fit) -> str:
    """The ids of the statements behind a fit, joined by spaces."""
    return " ".join(fit.obs.statements)


def two_digits(value: float) -> float:
    """`value` to two significant digits (NaN stays)."""
    return float(f"{value:.2g}")


def four_digits(cell: Any) -> Any:
    """`cell` to four significant digits where it is a number that is not whole, as a look at a frame needs."""
    return float(f"{cell:.4g}") if isinstance(cell, float) and not cell.is_integer() else cell


def summaries(fits: Mapping[str, Fit | Refused]) -> pd.DataFrame:
    """Put the main numbers of several fits into one table.

    Parameters
    ----------
    fits
        Fits or refusals, by name.

    Returns
    -------
    DataFrame
        One row per fit and quantity:

        - fit, quantity: names
        - estimate, low, high: of expected cases, ratios and hyper-parameters, not rounded
        - contraction: share of the prior variance that the reports removed
        - prior_driven: whether that share is too small for the number to be the reports'
        - refused: why there is no fit, else blank
    """
    columns = ["fit", "quantity", "estimate", "low", "high", "contraction", "prior_driven", "refused"]
    tables = [
        pd.DataFrame([{"fit": name, "refused": str(fit)}])
        if isinstance(fit, Refused)
        else fit.summary().assign(fit=name, refused="")
        for name, fit in fits.items()
    ]
    return pd.concat(tables, ignore_index=True).reindex(columns=columns)


def intensity(fit: Fit | Refused, reports: Observations | Refused, note: str = "") -> pd.DataFrame:
    """Make the table of `plots.intensity`: the fitted months, and each report over its period.

    Parameters
    ----------
    fit
        The fit; its months are left out where it does not carry levels.
    reports
        The reports to draw.
    note
        What later counts may change in the last months (`posting.caveat`).

    Returns
    -------
    DataFrame
        - kind: `band` (a fitted month) or `report`
        - period_start, period_end: first and last day
        - mean, low, high, prior_driven: of a fitted month, in cases
        - value: of a report, in cases per month of 30.4 days
        - label, bound: the printed count, and whether it is exact
        - note: of a fitted month
        - ids: statements behind the row, joined by spaces
    """
    parts = []
    if not isinstance(fit, Refused) and carried(fit) is None:
        months = fit.intensity()[["period_start", "period_end", "mean", "low", "high", "prior_driven"]].round(0)
        parts.append(months.assign(kind="band", note=note, ids=statements(fit)))
    if not isinstance(reports, Refused):
        rows = reports.frame()
        exact = reports.exact
        low, high = rows["low"].map("{:,.0f}".format), rows["high"].map("{:,.0f}".format)
        parts.append(
            rows[["period_start", "period_end"]].assign(
                kind="report", prior_driven=False,
                value=(reports.middle / (reports.stop - reports.start) * MONTH).round(0),
                bound=np.where(exact, "exact", np.where(np.isfinite(rows["high"]), "about", "at_least")),
                label=low.where(exact | ~np.isfinite(rows["high"]), low + "–" + high),
                ids=[" ".join(behind(name)) for name in reports.ids],
            )
        )  # fmt: skip
    numbers = ["mean", "low", "high", "prior_driven", "value"]
    columns = ["kind", "period_start", "period_end", *numbers, "label", "bound", "note", "ids"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)


def outlook(fit: Fit | Refused, held_out: HeldOut, months: int, note: str = "") -> pd.DataFrame:
    """Make the table of `plots.forecast`: the fitted months, and what may follow.

    Parameters
    ----------
    fit
        The fit.
    held_out
        What forecasts of its reference series proved.
    months
        Number of months ahead, at most; none is shown further ahead than forecasts were tested.
    note
        What later counts may change in the last fitted months (`posting.caveat`).

    Returns
    -------
    DataFrame
        Empty where `no_forecast` gives a reason.

        - kind, period_start, period_end, median, low50 … high95: as in `composite.outlook`, to two digits
        - note: how the forecasts did at published counts, and `note`
        - ids: statements behind the fit, joined by spaces
    """
    columns = [*OUTLOOK, "note", "ids"]
    if isinstance(fit, Refused) or no_forecast(fit, held_out) is not None:
        return pd.DataFrame(columns=columns)
    rows = composite.outlook(fit, min(months, held_out.reach))
    numbers = rows.columns.drop(["kind", "period_start", "period_end"])
    rows[numbers] = rows[numbers].map(two_digits)
    return rows.assign(note=f"{calibration(held_out.scored)} {note}".strip(), ids=statements(fit))[columns]


def no_forecast(fit: Fit | Refused, held_out: HeldOut) -> Refused | None:
    """None, or why no forecast of the reference series of `fit` is shown."""
    if (refused := carried(fit) or held_out.refused) is not None:
        return refused
    if held_out.reach < 1:
        return Refused("forecasts were tested less than a month ahead", "counts that reach further")
    return None


def calibration(scored: Sequence[Score]) -> str:
    """Describe how the composite model did at the origins of `scored`, in a sentence for the forecast plot.

    Blank where the model was not scored.
    """
    lines = {line.model: line for line in summarise(scored)}
    if MODEL not in lines:
        return ""
    own, n = lines[MODEL], lines[MODEL].origins
    best = min((lines[name] for name in BASELINES), key=lambda line: line.wis)
    held = ", ".join(
        f"{own.coverage[share] * n:.0f} fell into the {100 * float(share):.0f} % interval"
        for share in ("0.95", "0.8", "0.5")
    )
    skill = 100 * (1 - own.wis / best.wis)
    better = f"{abs(skill):.0f} % {'below' if skill > 0 else 'above'} that of the best baseline ({best.model})"
    words = f"Held out: of {n} counts, each forecast from what was public before it, {held}; "
    words += f"the weighted interval score is {better}."
    return words + ("" if n >= ENOUGH else f" Fewer than {ENOUGH}: not ranked.")


def scores(scored: Iterable[Score]) -> pd.DataFrame:
    """Summarise the scores at the origins, the best model first, in words.

    Parameters
    ----------
    scored
        Scores of models and baselines at each origin.

    Returns
    -------
    DataFrame
        One row per model:

        - model: name
        - counts: number of counts forecast
        - WIS, CRPS, log score: means
        - 50 % held, 80 % held, 95 % held: how many counts fell into that interval
    """
    rows = []
    for line in summarise(list(scored)):
        held = {share: f"{line.coverage[share] * line.origins:.0f} of {line.origins}" for share in line.coverage}
        rows.append(
            {
                "model": line.model, "counts": line.origins, "WIS": f"{line.wis:.0f}", "CRPS": f"{line.crps:.0f}",
                "log score": f"{line.log_score:.1f}", "50 % held": held["0.5"], "80 % held": held["0.8"],
                "95 % held": held["0.95"],
            }
        )  # fmt: skip
    columns = ["model", "counts", "WIS", "CRPS", "log score", "50 % held", "80 % held", "95 % held"]
    return pd.DataFrame(rows, columns=columns)


def totals(panels: Mapping[str, Panel]) -> pd.DataFrame:
    """Expected counts of each calendar year (or the part that reports reach), and the growth on the year before.

    Parameters
    ----------
    panels
        Fits and series, by name; a fit that carries no levels is one row without numbers.

    Returns
    -------
    DataFrame
        - what: name of the panel
        - period_start, period_end: first and last day
        - mean, low, high: expected count and its interval, not rounded
        - prior_driven: whether no report informs the period
        - ratio, ratio_low, ratio_high: daily rate over that of the year before; missing where that is not a whole year
        - refused: why there is no level or no growth, else blank
        - ids: statements behind the fit, joined by spaces
    """
    rows: list[dict[Any, Any]] = []
    for what, panel in panels.items():
        fit, series = _fit(panel), panel.series
        refused = carried(fit)
        if isinstance(fit, Refused) or refused is not None:
            ids = "" if isinstance(fit, Refused) else statements(fit)
            rows.append({"what": what, "refused": str(refused), "ids": ids})
            continue
        before: int | None = None
        for row in fit.totals("year", series).to_dict("records"):
            year = row["period_start"].year if (row["period_end"] - row["period_start"]).days >= 364 else None
            line = row | {"what": what, "refused": "", "ids": statements(fit)}
            if before is not None and year == before + 1:
                growth = fit.growth(before, year, series)
                if isinstance(growth, Refused):
                    line["refused"] = str(growth)
                else:
                    line |= {"ratio": growth["ratio"], "ratio_low": growth["low"], "ratio_high": growth["high"]}
            rows.append(line)
            before = year
    numbers = ["mean", "low", "high", "prior_driven", "ratio", "ratio_low", "ratio_high"]
    return pd.DataFrame(rows, columns=["what", "period_start", "period_end", *numbers, "refused", "ids"])


def levels(totals: pd.DataFrame) -> pd.DataFrame:
    """Put rows of `totals` into words.

    Returns
    -------
    DataFrame
        - what, ids: as in `totals`
        - period: `2024`, or `2025, Jan to May`
        - expected, interval: whole cases; `refused` and the reason where the fit carries no levels
        - growth: ratio to the year before with its interval, or the reason why there is none
    """
    rows = []
    for row in totals.to_dict("records"):
        words = {"what": row["what"], "period": "all", "expected": "refused", "interval": row["refused"], "growth": ""}
        if pd.notna(row["mean"]):
            known = not row["prior_driven"]
            words = {
                "what": row["what"],
                "period": _period(row["period_start"], row["period_end"]),
                "expected": f"{row['mean']:,.0f}" if known else "prior-driven",
                "interval": f"{row['low']:,.0f} to {row['high']:,.0f}" if known else "",
                "growth": f"×{row['ratio']:.2f} ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
                if pd.notna(row["ratio"])
                else row["refused"],
            }
        rows.append(words | {"ids": row["ids"]})
    return pd.DataFrame(rows, columns=["what", "period", "expected", "interval", "growth", "ids"])


def _period(first: date, last: date) -> str:
    """`2024`, or `2025, Jan to May`."""
    if (first.month, last.month) == (1, 12) and first.year == last.year:
        return str(first.year)
    return f"{first.year}, {first:%b} to {last:%b}"


def influence(fit: Fit | Refused) -> str:
    """Describe how well the reports predict each other, each left out in turn, and which one matters most.

    Blank where the fit carries no levels.
    """
    if isinstance(fit, Refused) or carried(fit) is not None:
        return ""
    checked = composite.diagnose(fit, influence=True)
    shift = checked.reports["shift"].abs().to_numpy(np.float64)
    most = int(np.nanargmax(shift))
    return (
        f"Left out one at a time, the {len(fit.obs)} reports fall where the others expect them (Kolmogorov–Smirnov "
        f"p = {checked.p_uniform:.2f}); leaving out {' less '.join(behind(fit.obs.ids[most]))} moves the sum of all "
        f"cases most, by {shift[most]:.1f} posterior standard deviations."
    )


def factors(fit: Fit | Refused, names: Mapping[str, str]) -> pd.DataFrame:
    """Put ratios of series and hyper-parameters into words.

    Parameters
    ----------
    fit
        The fit.
    names
        Words for the rows of `Fit.factors` to show, by their names there.

    Returns
    -------
    DataFrame
        - quantity: the words; one row `ratios` where the fit does not carry ratios
        - estimate, interval: rounded to two decimals, or `refused` and the reason
    """
    refused = carried(fit, "ratios")
    rows = []
    if isinstance(fit, Refused) or refused is not None:
        rows.append(("ratios", "refused", str(refused)))
    else:
        for row in fit.factors().to_dict("records"):
            name, ends = str(row["name"]), np.array([row["estimate"], row["low"], row["high"]], dtype=np.float64)
            if name in names:
                value, low, high = ends if row["kind"] == "hyper" else np.exp(ends)
                rows.append((names[name], f"{value:.2f}", f"{low:.2f} to {high:.2f}"))
    return pd.DataFrame(rows, columns=["quantity", "estimate", "interval"])
