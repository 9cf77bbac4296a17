"""The fitted monthly level behind the reports: its band, and each statement over the period that it covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from desertion.plots import wording
from desertion.plots.axes import count_axis, year_axis
from desertion.plots.contract import END, START, flag, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import BLUE, Style, ink
from desertion.plots.plot import plot
from desertion.plots.sources import fineness

_BAND = "#D9D2C5"
_LINE = "#7A6F5B"
#: Width of a report's bar, in points, by `fineness`: the shorter its period, the more it says of a month.
_WIDTHS = (0.9, 1.3, 1.8, 2.8)
_ARROWS = {"at_least": "^", "at_most": "v"}


def _check(rows: pd.DataFrame) -> None:
    wrong = ~rows["kind"].isin(["band", "report"])
    if wrong.any():
        raise ValueError(f"plot intensity: column 'kind' {rows['kind'][wrong].iloc[0]!r} is neither band nor report")
    band, reports = rows[rows["kind"] == "band"], rows[rows["kind"] == "report"]
    if band[["mean", "low", "high"]].isna().any(axis=None):
        raise ValueError("plot intensity: a row of kind band needs mean, low and high")
    if (reports["value"].isna() | (reports["label"] == "") | ~reports["bound"].isin(wording.BOUNDS)).any():
        raise ValueError("plot intensity: a row of kind report needs a value, a label and a bound")


def _runs(band: pd.DataFrame) -> list[pd.DataFrame]:
    """The months cut where one is missing, where the prior takes over and where other statements stand behind them."""
    band = band.sort_values("x0", kind="stable")
    gap = band["x0"] - band["x1"].shift() > 0.02
    other = (band[["prior_driven", "ids"]] != band[["prior_driven", "ids"]].shift()).any(axis=1)
    return [run for _, run in band.groupby((gap | other).cumsum())]


def _describe(rows: pd.DataFrame) -> str:
    _check(rows)
    band, reports = rows[rows["kind"] == "band"], rows[rows["kind"] == "report"]
    said = ["Step plot of the fitted number a month with its band, from zero, over it each report as a bar"]
    if len(band):
        told = list(records(band[~band["prior_driven"]].sort_values("period_start", kind="stable")))
        first, last = band["period_start"].min(), band["period_end"].max()
        said.append(f"The fit covers {wording.period(first, last)}")
        if told:
            named = {"first": told[0], "last": told[-1]}
            named |= {"highest": max(told, key=lambda row: row.mean), "lowest": min(told, key=lambda row: row.mean)}
            said.append(
                "Months that reports inform: "
                + ", ".join(
                    f"{name} {wording.period(row.period_start, row.period_end)} {wording.number(row.mean)} "
                    f"({wording.number(row.low)} to {wording.number(row.high)})"
                    for name, row in named.items()
                )
            )
        prior = int(band["prior_driven"].sum())
        if prior:
            said.append(f"{prior:,} of {len(band):,} months are interpolated by the prior and not drawn as data")
    said.append(
        f"{len(reports):,} reports: "
        + "; ".join(
            f"{row.label}, {wording.bounded(row.value, row.bound, spoken=True)} a month in "
            f"{wording.period(row.period_start, row.period_end)}"
            for row in records(reports)
        )
        if len(reports)
        else "No report"
    )
    return ". ".join(said) + "."


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
        "value": numeric("the statement's number for each month that it covers; blank for the band", blank=True),
        "label": text("the statement in a few words; blank for the band", blank=True),
        "bound": text("exact, about, at_least or at_most; blank for the band", blank=True),
        "ids": text("the statement's ids; for the band those of the statements behind the fit, joined by spaces"),
    },
    _describe,
)
def intensity(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted level as steps with their band, hatched where the prior sets it; each report a bar over its period."""
    _check(rows)
    rows = wording.with_years(rows)
    band = rows[rows["kind"] == "band"]
    reports = rows[rows["kind"] == "report"].assign(step=fineness)
    prior = band["prior_driven"]
    key = [(Style(BLUE, "_", "-"), True, "a report over its period, the thicker the shorter")]
    key += [(Style(BLUE, _ARROWS[bound], "-"), False, words) for bound, words in _BOUNDS if _any(reports, bound)]
    if (~prior).any():
        key.append((Style(_BAND, "s", "-"), False, "fitted level with its interval"))
    tops = [band.loc[~prior, "high"].max(), reports["value"].max()]
    # What the prior alone allows has no end: it may not set the scale.
    top = 1.12 * float(np.nanmax(tops if len(reports) or (~prior).any() else [band["mean"].max()]))
    notes = "Hatched: months that the prior sets, not the reports; no level is drawn."
    if (band["high"] > top).any():
        notes += f" Their interval reaches to {wording.number(band['high'].max())}, beyond the plot."
    (axes,) = page.panels(
        heights=[{"single": 62, "double": 82, "slide": 82}[page.kind]],
        subtitle="Number a month. A bar is a statement's total divided by the months that it covers.",
        notes=notes if prior.any() else "",
        key=key,
    )
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max())) - 1
    year_axis(axes, first, last, every=2 if page.narrow and last - first > 6 else 1)
    count_axis(axes, top)
    for run in _runs(band):
        _draw_run(page, axes, run)
    for row in records(reports.sort_values(["step", "x0"], kind="stable")):
        _draw_report(page, axes, row)
    # The finest first: where there is no room for all words, these say most.
    for row in records(reports.sort_values(["step", "value"], ascending=False, kind="stable")):
        page.value(axes, row.label, (row.x, row.value), colour=ink(BLUE), reach=7.0)


_BOUNDS = (("at_least", "at least"), ("at_most", "at most"))


def _any(reports: pd.DataFrame, bound: str) -> bool:
    return bool((reports["bound"] == bound).any())


def _draw_run(page: PlotPage, axes: Axes, run: pd.DataFrame) -> None:
    scale, prior = page.size.scale, bool(run["prior_driven"].iloc[0])
    x = np.repeat([*run["x0"], run["x1"].iloc[-1]], 2)[1:-1]
    low, mean, high = (np.repeat(run[column].to_numpy(), 2) for column in ("low", "mean", "high"))
    axes.add_patch(
        Polygon(
            np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])]),
            facecolor="white" if prior else _BAND,
            edgecolor="#CCCCCC" if prior else "none",
            hatch="/////" if prior else None,
            linewidth=0,
            zorder=1.5,
            gid=gid(str(run["ids"].iloc[0])),
        )
    )
    for edge in (low, high):
        page.placer.path(axes, x.tolist(), edge.tolist(), weight=0.3)
    if not prior:
        axes.plot(x, mean, color=_LINE, linewidth=1.1 * scale, zorder=2)
        page.placer.path(axes, x.tolist(), mean.tolist(), weight=0.3)


def _draw_report(page: PlotPage, axes: Axes, row: Any) -> None:
    scale = page.size.scale
    width = _WIDTHS[row.step] * scale
    axes.plot(
        [row.x0, row.x1], [row.value, row.value], color=BLUE, linewidth=width, zorder=3 + 0.1 * row.step,
        clip_on=False, gid=gid(row.ids), dashes=(2, 1) if row.bound == "about" else (None, None),
    )  # fmt: skip
    page.placer.path(axes, [row.x0, row.x1], [row.value, row.value], weight=10)
    if row.bound in _ARROWS:
        axes.plot(
            [row.x], [row.value], marker=_ARROWS[row.bound], color=BLUE, markersize=4.5 * scale, markeredgewidth=0,
            linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip
