"""The fitted monthly level behind the reports: its band, and each statement over the period that it covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import area, count_axis, steps, year_axis
from desertion.plots.contract import END, START, flag, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import ESTIMATE, GREEN, RANGE, Style, ink
from desertion.plots.plot import PlotWords, plot
from desertion.plots.sources import fineness
from desertion.text import period

#: Width of a report's bar, in points, by `fineness`: shorter periods, which say more of a month, are thicker.
_WIDTHS = (0.9, 1.3, 1.8, 2.8)
_ARROWS = {"at_least": "^", "at_most": "v"}


def _check(rows: pd.DataFrame) -> None:
    wrong = ~rows["kind"].isin(["band", "report"])
    if wrong.any():
        raise ArgumentError(f"plot intensity: column 'kind' {rows['kind'][wrong].iloc[0]!r} is neither band nor report")
    band, reports = rows[rows["kind"] == "band"], rows[rows["kind"] == "report"]
    if band[["mean", "low", "high"]].isna().any(axis=None):
        raise ArgumentError("plot intensity: a row of kind band needs mean, low and high")
    if (reports["value"].isna() | (reports["label"] == "") | ~reports["bound"].isin(wording.BOUNDS)).any():
        raise ArgumentError("plot intensity: a row of kind report needs a value, a label and a bound")


def _runs(band: pd.DataFrame) -> list[pd.DataFrame]:
    """The months cut where one is missing, where the prior takes over and where other statements stand behind them."""
    band = band.sort_values("x0", kind="stable")
    gap = band["x0"] - band["x1"].shift() > 0.02
    other = (band[["prior_driven", "ids"]] != band[["prior_driven", "ids"]].shift()).any(axis=1)
    return [run for _, run in band.groupby((gap | other).cumsum())]


def _undivided(band: pd.DataFrame) -> str:
    """Runs of months inside counts that no report divides, in words."""
    band = band.sort_values("x0", kind="stable")
    flag = band["undivided"].astype(bool)
    runs = [run for _, run in band[flag].groupby((~flag).cumsum()[flag])]
    return wording.listed(period(run["period_start"].iloc[0], run["period_end"].iloc[-1]) for run in runs)


def _words(rows: pd.DataFrame) -> PlotWords:
    _check(rows)
    band, reports = rows[rows["kind"] == "band"], rows[rows["kind"] == "report"]
    subtitle = "Cases received by courts, a month. A bar is a report's total divided by the months that it covers."
    shape = f"{len(reports):,} reports as bars over their periods"
    informed = band[~band["prior_driven"]].sort_values("period_start")
    if len(informed):
        low, high = (informed["mean"].agg(end) for end in ("min", "max"))
        shape += f"; behind them a level with its range, between {wording.number(low)} and {wording.number(high)}"
    return PlotWords("", subtitle, shape + ".")


@plot(
    "Russia: how many cases a month under Art. 337 (AWOL) the reports imply",
    {
        "kind": text("band: a month of the fit; report: a statement"),
        "period_start": START,
        "period_end": END,
        "mean": numeric("fitted number in the month; blank for a report", blank=True),
        "low": numeric("lower end of the month's interval; blank for a report", blank=True),
        "high": numeric("upper end of the month's interval; blank for a report", blank=True),
        "prior_driven": flag("whether the prior, and no report, sets the month; false for a report"),
        "undivided": flag("whether the month lies in a count that no report divides; false for a report"),
        "value": numeric("the statement's number for each month that it covers; blank for the band", blank=True),
        "label": text("the statement in a few words; blank for the band", blank=True),
        "bound": text("exact, about, at_least or at_most; blank for the band", blank=True),
        "note": text("of the band: what later counts may change in its last months; blank for a report", blank=True),
        "ids": text("the statement's ids; for the band those of the statements behind the fit, joined by spaces"),
    },
    _words,
)
def intensity(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted level as steps with their band, hatched where the prior sets it; each report a bar over its period."""
    _check(rows)
    rows = wording.with_years(rows)
    band = rows[rows["kind"] == "band"]
    reports = rows[rows["kind"] == "report"].assign(step=fineness)
    prior = band["prior_driven"]
    key = [(Style(GREEN, "_", "-"), True, "a report over its period, the thicker the shorter")]
    key += [
        (Style(GREEN, marker, "-"), False, bound.replace("_", " "))
        for bound, marker in _ARROWS.items()
        if reports["bound"].eq(bound).any()
    ]
    if (~prior).any():
        key.append((Style(RANGE, "s", "-"), False, "fitted level with its interval"))
    tops = [band.loc[~prior, "high"].max(), reports["value"].max()]
    # The band of months without reports can be very wide: it does not set the scale.
    top = 1.12 * float(np.nanmax(tops if len(reports) or (~prior).any() else [band["mean"].max()]))
    notes = "Hatched: months that the prior sets, not the reports; no level is drawn."
    if (band["high"] > top).any():
        notes += f" Their interval reaches to {wording.number(band['high'].max())}, beyond the plot."
    notes = notes if prior.any() else ""
    if loose := _undivided(band):
        notes += f" Inside counts that no report divides, so told by those around them: {loose}."
    (axes,) = page.grid(1, (62, 82, 82), notes=" ".join([notes, *band["note"].unique()]).strip(), key=key)
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max())) - 1
    year_axis(axes, first, last, every=2 if page.narrow and last - first > 6 else 1)
    count_axis(axes, top)
    for run in _runs(band):
        _draw_run(page, axes, run)
    for row in records(reports.sort_values(["step", "x0"], kind="stable")):
        _draw_report(page, axes, row)
    # The shortest periods first: where there is no space for all labels, they say most.
    for row in records(reports.sort_values(["step", "value"], ascending=False, kind="stable")):
        page.value(axes, row.label, (row.x, row.value), colour=ink(GREEN), reach=7.0)


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
    width = _WIDTHS[row.step] * scale
    axes.plot(
        [row.x0, row.x1], [row.value, row.value], color=GREEN, linewidth=width, zorder=3 + 0.1 * row.step,
        clip_on=False, gid=gid(row.ids), dashes=(2, 1) if row.bound == "about" else (None, None),
    )  # fmt: skip
    page.placer.path(axes, [row.x0, row.x1], [row.value, row.value], weight=10)
    if row.bound in _ARROWS:
        axes.plot(
            [row.x], [row.value], marker=_ARROWS[row.bound], color=GREEN, markersize=4.5 * scale, markeredgewidth=0,
            linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip
