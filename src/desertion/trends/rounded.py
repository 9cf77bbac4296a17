"""What composite fits say, as the report prints it: rounded, in words, with the ids behind each number.

Months and totals are rounded to whole cases; forecasts, which rest on draws, to two digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.composite.ahead import OUTLOOK
from desertion.trends.counts import Observations, behind
from desertion.trends.hindsight import MODEL, MONTH
from desertion.trends.origins import BASELINES, ENOUGH, Score, summarise


class Outlook(NamedTuple):
    """A panel of the forecast plot: fit and series, why no forecast is made (None: one is), what to say of it."""

    fit: Fit | Refused
    series: str | None
    refused: Refused | None
    note: str


def _told(panel: Outlook) -> Fit | Refused:
    """The panel's fit, or why it says nothing of the panel's series."""
    fit, series = panel.fit, panel.series
    if isinstance(fit, Refused) or series is None or series in fit.obs.series_names:
        return fit
    return Refused(f"no statement of {series} was published", "such statements")


def carried(fit: Fit | Refused, claim: str = "levels") -> Refused | None:
    """None, or why `fit` does not carry `claim` (a key of `composite.claims`) in the report."""
    return fit if isinstance(fit, Refused) else composite.claims(fit)[claim]


def statements(fit: Fit) -> str:
    """The ids of the statements behind a fit, joined by spaces."""
    return " ".join(fit.obs.statements)


def two_digits(value: float) -> float:
    """`value` to two significant digits (NaN stays)."""
    return float(f"{value:.2g}")


def intensity(fit: Fit | Refused, reports: Observations | Refused) -> pd.DataFrame:
    """The table of `plots.intensity`: the fitted months where the fit carries levels, each report over its period."""
    parts = []
    if not isinstance(fit, Refused) and carried(fit) is None:
        months = fit.intensity()[["period_start", "period_end", "mean", "low", "high", "prior_driven"]].round(0)
        parts.append(months.assign(kind="band", ids=statements(fit)))
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
    columns = ["kind", "period_start", "period_end", *numbers, "label", "bound", "ids"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)


def outlook(panels: Mapping[str, Outlook], months: int) -> pd.DataFrame:
    """The table of `plots.forecast`, `months` ahead; a fit that carries no levels gives its refusal alone."""
    parts = []
    for title, panel in panels.items():
        fit, (_, series, refused, note) = _told(panel), panel
        if isinstance(fit, Refused):
            continue  # no statements, no panel
        if (lacking := carried(fit)) is not None:
            row = {"kind": "refused", "period_start": fit.starts[0], "period_end": fit.ends[-1], "panel": title}
            row |= {"note": f"No level and no forecast: {lacking}.", "ids": statements(fit)}
            parts.append(pd.DataFrame([row]))
            continue
        rows = composite.outlook(fit, months, series, refused)
        numbers = rows.columns.drop(["kind", "period_start", "period_end"])
        for column in numbers:
            rows[column] = rows[column].map(two_digits)
        words = note
        if refused is not None:
            words = f"No forecast: {refused.reason} (needs {refused.needs}). The lines only ask what if."
        parts.append(rows.assign(panel=title, note=words, ids=statements(fit)))
    columns = ["panel", *OUTLOOK, "note", "ids"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)


def calibration(scored: Sequence[Score]) -> str:
    """How the composite model did at the origins of `scored`, in a sentence for the forecast plot (none: blank)."""
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
    """The scores at the origins, the best first: mean WIS, CRPS and log score, and how often each interval held."""
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


def _period(first: date, last: date) -> str:
    """`2024`, or `2025, Jan to May`."""
    if (first.month, last.month) == (1, 12) and first.year == last.year:
        return str(first.year)
    return f"{first.year}, {first:%b} to {last:%b}"


def levels(panels: Mapping[str, Outlook]) -> pd.DataFrame:
    """Expected counts of each year (or the part that reports reach) and the growth on the year before.

    Columns: what, period, expected, interval, growth, ids. A panel whose fit carries no levels is one row, refused.
    """
    rows: list[dict[str, str]] = []
    for what, panel in panels.items():
        fit, series = _told(panel), panel.series
        refused = carried(fit)
        if isinstance(fit, Refused) or refused is not None:
            ids = "" if isinstance(fit, Refused) else statements(fit)
            lacking = {"what": what, "period": "all", "expected": "refused", "interval": str(refused), "growth": ""}
            rows.append(lacking | {"ids": ids})
            continue
        whole: int | None = None
        for row in fit.totals("year", series).to_dict("records"):
            first, last = row["period_start"], row["period_end"]
            year = first.year if (last - first).days >= 364 else None
            growth = fit.growth(whole, year, series) if whole is not None and year == whole + 1 else None
            told = not row["prior_driven"]
            rows.append(
                {
                    "what": what, "period": _period(first, last),
                    "expected": f"{row['mean']:,.0f}" if told else "prior-driven",
                    "interval": f"{row['low']:,.0f} to {row['high']:,.0f}" if told else "",
                    "growth": "" if growth is None else str(growth) if isinstance(growth, Refused)
                    else f"×{growth['ratio']:.2f} ({growth['low']:.2f} to {growth['high']:.2f})",
                    "ids": statements(fit),
                }
            )  # fmt: skip
            whole = year
    return pd.DataFrame(rows, columns=["what", "period", "expected", "interval", "growth", "ids"])


def influence(fit: Fit | Refused) -> str:
    """How well the reports foretell each other, each left out in turn, and which one matters most, in a sentence."""
    if isinstance(fit, Refused) or carried(fit) is not None:
        return ""
    found = composite.diagnose(fit, influence=True)
    shift = found.reports["shift"].abs().to_numpy(np.float64)
    most = int(np.nanargmax(shift))
    return (
        f"Left out one at a time, the {len(fit.obs)} reports fall where the others expect them (Kolmogorov–Smirnov "
        f"p = {found.p_uniform:.2f}); leaving out {' less '.join(behind(fit.obs.ids[most]))} moves the sum of all "
        f"cases most, by {shift[most]:.1f} posterior standard deviations."
    )


def factors(fit: Fit | Refused, names: Mapping[str, str]) -> pd.DataFrame:
    """Ratios of series and the model's own parameters: estimate and interval; `names` gives them words.

    Columns: quantity, estimate, interval. Refused where the fit does not carry ratios.
    """
    refused = carried(fit, "ratios")
    if isinstance(fit, Refused) or refused is not None:
        rows = [("ratios", "refused", str(refused))]
    else:
        rows = _factors(fit, names)
    return pd.DataFrame(rows, columns=["quantity", "estimate", "interval"])


def _factors(fit: Fit, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    rows = []
    for row in fit.factors().to_dict("records"):
        name, ends = str(row["name"]), np.array([row["estimate"], row["low"], row["high"]], dtype=np.float64)
        if name in names:
            value, low, high = ends if row["kind"] == "hyper" else np.exp(ends)
            rows.append((names[name], f"{value:.2f}", f"{low:.2f} to {high:.2f}"))
    return rows
