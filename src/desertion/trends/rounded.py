"""Composite fits as the report prints them: rounded, in words, with the ids behind each number.

Months and totals are rounded to whole cases; forecasts, which rest on draws, to two digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion.text import MONTH
from desertion.trends import LACKING, Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.composite.ahead import OUTLOOK
from desertion.trends.composite.counted import undivided
from desertion.trends.counts import Observations, behind
from desertion.trends.hindsight import MODEL, HeldOut
from desertion.trends.origins import BASELINES, ENOUGH, Score, summarise


class Panel(NamedTuple):
    """A series of a fit that the report shows: `series` is one of the fit's (None: the reference)."""

    fit: Fit | Refused
    series: str | None = None


def fitted(panel: Panel) -> Fit | Refused:
    """The panel's fit, or the refusal where it does not have the panel's series."""
    fit, series = panel.fit, panel.series
    if isinstance(fit, Refused) or series is None or series in fit.obs.series_names:
        return fit
    return Refused(f"no number of {series} was published", "such numbers")


def carried(fit: Fit | Refused, claim: str = "levels", series: int = 1) -> Refused | None:
    """Decide whether a fit carries a claim in the report.

    Parameters
    ----------
    fit : Fit or Refused
        The fit.
    claim : str
        A key of `composite.claims`: `levels`, `growth`, `ratios` or `break:` and a date.
    series : int
        Number of series that the claim compares; it is refused where fewer were published.

    Returns
    -------
    Refused or None
        None where it does, else why not.
    """
    if isinstance(fit, Refused):
        return fit
    if len(fit.obs.series_names) < series:
        return Refused("only one of the series that it compares is among the published numbers", "counts of both")
    return composite.claims(fit)[claim]


def statements(fit: Fit) -> str:
    """The ids of the statements behind a fit, joined by spaces."""
    return " ".join(fit.obs.statements)


def two_digits(value: float) -> float:
    """`value` to two significant digits (NaN stays)."""
    return float(f"{value:.2g}")


def four_digits(cell: Any) -> Any:
    """Round a cell of a frame to four significant digits, as a look at the frame needs.

    Parameters
    ----------
    cell : object
        A cell.

    Returns
    -------
    object
        The number rounded; a whole number, or what is no float, as it is.
    """
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
        - undivided: whether a fitted month lies in a count that no report divides (`counted.undivided`)
        - value: of a report, in cases per month of 30.4 days
        - label, bound: the printed count, and whether it is exact
        - note: of a fitted month
        - ids: statements behind the row, joined by spaces
    """
    parts = []
    if not isinstance(fit, Refused) and carried(fit) is None:
        months = fit.intensity()[["period_start", "period_end", "mean", "low", "high", "prior_driven"]].round(0)
        parts.append(months.assign(kind="band", undivided=undivided(fit), note=note, ids=statements(fit)))
    if not isinstance(reports, Refused):
        rows = reports.frame()
        exact = reports.exact
        low, high = rows["low"].map("{:,.0f}".format), rows["high"].map("{:,.0f}".format)
        parts.append(
            rows[["period_start", "period_end"]].assign(
                kind="report", prior_driven=False, undivided=False,
                value=(reports.middle / (reports.stop - reports.start) * MONTH).round(0),
                bound=np.where(exact, "exact", np.where(np.isfinite(rows["high"]), "about", "at_least")),
                label=low.where(exact | ~np.isfinite(rows["high"]), low + "–" + high),
                ids=[" ".join(behind(name)) for name in reports.ids],
            )
        )  # fmt: skip
    numbers = ["mean", "low", "high", "prior_driven", "undivided", "value"]
    columns = ["kind", "period_start", "period_end", *numbers, "label", "bound", "note", "ids"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)


def steps(facts: pd.DataFrame, figures: pd.DataFrame, reading: str) -> Observations | Refused:
    """Read the reports as a plot draws them: each running total as its difference to the one before.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    figures : DataFrame
        The statements (`data.figures`), for their hedges.
    reading : str
        How a printed bound is read (data/hedges.csv).

    Returns
    -------
    Observations or Refused
        The reports; refused where these facts cannot be reports of one fit.
    """
    posed = composite.pose(facts, figures, reading=reading, running="differences")
    return posed if isinstance(posed, Refused) else posed[0]


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
    """Decide whether a forecast of the reference series is shown.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    held_out : HeldOut
        What forecasts of its reference series proved (`hindsight.held_out`).

    Returns
    -------
    Refused or None
        None where it is, else why not.
    """
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
        - estimate, interval: rounded to two decimals, or `not enough data` and the reason
    """
    refused = carried(fit, "ratios")
    rows = []
    if isinstance(fit, Refused) or refused is not None:
        rows.append(("ratios", LACKING, str(refused)))
    else:
        for row in fit.factors().to_dict("records"):
            name, ends = str(row["name"]), np.array([row["estimate"], row["low"], row["high"]], dtype=np.float64)
            if name in names:
                value, low, high = ends if row["kind"] == "hyper" else np.exp(ends)
                rows.append((names[name], f"{value:.2f}", f"{low:.2f} to {high:.2f}"))
    return pd.DataFrame(rows, columns=["quantity", "estimate", "interval"])
