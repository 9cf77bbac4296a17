"""The fitted monthly level behind the reports: its band, and each statement over the period that it covers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from desertion.plots import wording
from desertion.plots.axes import area, count_axis, runs, steps, year_axis
from desertion.plots.contract import BOUND, END, START, flag, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.labels import LEADING
from desertion.plots.palette import ESTIMATE, GREEN, RANGE, Style
from desertion.plots.plot import PlotWords, plot
from desertion.text import period

_ARROWS = {"at_least": "^", "at_most": "v"}


def _undivided(band: pd.DataFrame) -> str:
    """Runs of months inside counts that no report divides, in words."""
    parts = runs(band[band["undivided"]])
    return wording.listed(period(run["period_start"].iloc[0], run["period_end"].iloc[-1]) for run in parts)


def _words(rows: pd.DataFrame) -> PlotWords:
    band, reports = rows[rows["kind"] == "band"], rows[rows["kind"] == "report"]
    subtitle = "Cases of absence without leave (Art. 337) received by courts, a month"
    shape = f"{len(reports):,} reports as bars over their periods"
    informed = band[~band["prior_driven"]].sort_values("period_start")
    if len(informed):
        low, high = (wording.number(informed["mean"].agg(end)) for end in ("min", "max"))
        shape += f"; through them an estimated level between {low} and {high}, with its range"
    return PlotWords(_finding(by_year(reports)), subtitle, shape + ".")


def _finding(years: pd.DataFrame) -> str:
    """That the number at least doubled from the first year of the war to the last full one, and what came since."""
    full = years[years["days"].ge(300) & years["year"].ge(2022)]
    if len(full) < 2 or full["value"].iloc[-1] < 2 * full["value"].iloc[0]:
        return ""
    first, last = full.iloc[0], full.iloc[-1]
    words = f"From {wording.about(first['value'])} cases a month in {first['year']} to about "
    words += f"{wording.about(last['value'])} in {last['year']}"
    since = years.loc[years["year"] > last["year"], "value"]
    if since.empty or not 0.9 < since.iloc[-1] / last["value"] < 1.1:
        return words
    return f"{words}; no clear rise since"


def by_year(reports: pd.DataFrame) -> pd.DataFrame:
    """The number a month of each year: of a report of that year, else of reports that follow each other and end in it.

    Those are found from the last one back. Columns year, value, days, period_start and period_end.
    """
    reports = reports[reports["bound"].ne("at_least")].sort_values(["period_end", "period_start"], kind="stable")
    days = (reports["period_end"] - reports["period_start"]).dt.days + 1
    reports = reports.assign(days=days, year=reports["period_end"].dt.year, total=reports["value"] * days)
    whole = reports[reports["days"].between(358, 366)].groupby("year", as_index=False).tail(1)
    chain, rest = reports.tail(1), reports
    while len(rest):
        rest = reports[reports["period_end"] == chain["period_start"].min() - pd.Timedelta(days=1)]
        chain = pd.concat([rest.head(1), chain])
    parts = chain[~chain["year"].isin(whole["year"])].groupby("year", as_index=False)
    sums = parts.agg(
        total=("total", "sum"), days=("days", "sum"),
        period_start=("period_start", "min"), period_end=("period_end", "max"),
    )  # fmt: skip
    sums = sums[sums["days"].ge(100)].assign(value=lambda each: each["total"] / each["days"])
    years = pd.concat([whole, sums])[["year", "value", "days", "period_start", "period_end"]]
    return years.sort_values("year").reset_index(drop=True)


@plot(
    "Cases of absence without leave (Art. 337) before Russian courts: reports and an estimate",
    {
        "kind": text("band: a month of the fit; report: a statement", words=("band", "report")),
        "period_start": START,
        "period_end": END,
        "mean": numeric("fitted number in the month; blank for a report", blank=True, filled=["band"]),
        "low": numeric("lower end of the month's interval; blank for a report", blank=True, filled=["band"]),
        "high": numeric("upper end of the month's interval; blank for a report", blank=True, filled=["band"]),
        "prior_driven": flag("whether the prior, and no report, sets the month; false for a report"),
        "undivided": flag("whether the month lies in a count that no report divides; false for a report"),
        "value": numeric(
            "the statement's number for each month that it covers; blank for the band", blank=True, filled=["report"]
        ),
        "label": text("the statement in a few words; blank for the band", blank=True, filled=["report"]),
        "bound": replace(BOUND, meaning=f"{BOUND.meaning}; blank for the band", blank=True, filled=["report"]),
        "note": text("of the band: what later counts may change in its last months; blank for a report", blank=True),
        "ids": text("the statement's ids; for the band those of the statements behind the fit, joined by spaces"),
    },
    _words,
)
def intensity(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted level as steps with their band, hatched where the prior sets it; each report a bar over its period."""
    rows = wording.with_years(rows)
    band = rows[rows["kind"] == "band"]
    reports = rows[rows["kind"] == "report"]
    prior = band["prior_driven"]
    key = [(Style(GREEN, "_", "-"), True, "report, over its period")]
    key += [
        (Style(GREEN, marker, "-"), False, bound.replace("_", " "))
        for bound, marker in _ARROWS.items()
        if reports["bound"].eq(bound).any()
    ]
    if (~prior).any():
        key += [(Style(ESTIMATE, "_", "-"), True, "estimated level"), (Style(RANGE, "s", "-"), False, "its range")]
    tops = [band.loc[~prior, "high"].max(), reports["value"].max()]
    # The band of months without reports can be very wide: it does not set the scale.
    top = 1.06 * float(np.nanmax(tops if len(reports) or (~prior).any() else [band["mean"].max()]))
    notes = "Hatched: months that no report covers; no level is drawn."
    if (band["high"] > top).any():
        notes += f" Their interval reaches to {wording.number(band['high'].max())}, beyond the plot."
    notes = notes if prior.any() else ""
    if loose := _undivided(band):
        notes += f" Known only as a part of a longer count: {loose}."
    (axes,) = page.grid(1, (80, 82, 82), notes=" ".join([notes, *band["note"].unique()]).strip(), key=key)
    first, last = int(rows["x0"].min()), float(rows["x1"].max())
    year_axis(axes, first, last, every=2 if page.narrow and last - first > 6 else 1)
    count_axis(axes, top)
    # cut, too, where the prior takes over and where other statements stand behind the months
    for run in runs(band, "prior_driven", "ids"):
        _draw_run(page, axes, run)
    for row in records(reports.sort_values("x0", kind="stable")):
        _draw_report(page, axes, row)
    _strip(page, axes, by_year(reports))


def _strip(page: PlotPage, axes: Axes, years: pd.DataFrame) -> None:
    """The number a month of each year under the axis, and of which days it is where that is no calendar year."""
    size, ink = page.size.small, Style(GREEN, "s", "-").ink
    how: dict[str, Any] = {"va": "top", "color": ink, "annotation_clip": False}
    odd = []
    first, last = axes.get_xlim()
    for row in records(years):
        if not row.period_start.year == row.period_end.year == row.year or row.days < 358:
            odd.append(f"{row.year}: {wording.period_of(row)}")
        x = (row.year + min(row.year + 1, last)) / 2
        how["xycoords"] = ("data", "axes fraction")
        words = wording.number(round(row.value)) + "*" * any(each.startswith(str(row.year)) for each in odd)
        page.note(axes, words, (x, 0), (0, -2.6 * size), ha="center", fontweight="bold", fontsize=page.size.text, **how)
    words = "Counted, a month in each year" + f" (* {'; '.join(odd)})" * bool(odd)
    words = page.wrap(words, size, (page.size.width - 0.75) * 72)
    page.note(axes, words, (first, 0), (0, -4.2 * size), ha="left", linespacing=LEADING, **how)


def _draw_run(page: PlotPage, axes: Axes, run: pd.DataFrame) -> None:
    scale, prior = page.size.scale, bool(run["prior_driven"].iloc[0])
    x, mean = steps(run), np.repeat(run["mean"].to_numpy(), 2)
    look = {"facecolor": "white", "edgecolor": "#CCCCCC", "hatch": "/////"} if prior else {"facecolor": RANGE}
    for edge in area(axes, run, "low", "high", gid=gid(str(run["ids"].iloc[0])), **{"edgecolor": "none"} | look):
        page.placer.path(axes, x.tolist(), edge.tolist(), weight=0.3)
    if not prior:
        axes.plot(x, mean, color=ESTIMATE, linewidth=1.1 * scale, zorder=2)
        page.placer.path(axes, x.tolist(), mean.tolist(), weight=0.3)


def _draw_report(page: PlotPage, axes: Axes, row: Any) -> None:
    scale = page.size.scale
    axes.plot(
        [row.x0, row.x1], [row.value, row.value], color=GREEN, linewidth=2.2 * scale, alpha=0.75, zorder=3,
        clip_on=False, gid=gid(row.ids), dashes=(2, 1) if row.bound == "about" else (None, None),
    )  # fmt: skip
    page.placer.path(axes, [row.x0, row.x1], [row.value, row.value], weight=10)
    if row.bound in _ARROWS:
        axes.plot(
            [row.x], [row.value], marker=_ARROWS[row.bound], color=GREEN, markersize=4.5 * scale, markeredgewidth=0,
            linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip
