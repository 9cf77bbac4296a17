"""Ukraine beside Russia: each by month as a multiple of its own average month, since each counts another step."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter

from desertion.plots import wording
from desertion.plots.axes import area, factor_axis, runs, steps, year_axis
from desertion.plots.contract import END, IDS, START, numeric, records, text
from desertion.plots.frame import SIZES, PlotPage, gid
from desertion.plots.labels import LEADING
from desertion.plots.palette import Style, counters
from desertion.plots.plot import PlotWords, plot

#: Height of the panel in mm, on a page of size single, double and slide.
_TALLS = (72, 78, 82)
_FRACTIONS = {0.5: "×½", 0.25: "×¼", 0.125: "×⅛"}


def _times(value: float) -> str:
    """`×9.4`, from 10 up whole."""
    return f"×{value:.1f}" if value < 9.95 else f"×{value:,.0f}"


def _latest(rows: pd.DataFrame) -> str:
    """What is known last of one country: `×9.4 in Jan–May 2025`."""
    last = [row for row in records(rows) if row.kind == "latest"]
    return f"{_times(last[-1].value)} in {wording.period_of(last[-1])}" if last else ""


def _words(rows: pd.DataFrame) -> PlotWords:
    first = int(rows["period_start"].min().year)
    parts = [
        f"{series} ({part['step'].iloc[0]}) {_latest(part)}" for series, part in rows.groupby("series", sort=False)
    ]
    subtitle = (
        f"Absence without leave a month, as a multiple of each country's average month in {first}. "
        "Each gridline is a doubling. Band: interval of the level."
    )
    levels = rows[rows["kind"].eq("level") & rows["period_start"].dt.year.eq(first + 1)]
    next_year = levels.groupby("series")["value"].mean().to_dict()
    latest = {row.series: row for row in records(rows[rows["kind"].eq("latest")])}
    title = ""
    if {"Russia", "Ukraine"} <= next_year.keys() & latest.keys():
        rose_first = next_year["Russia"] > 1.2 * next_year["Ukraine"]
        if rose_first and latest["Ukraine"].low > latest["Russia"].high:
            title = f"Russia's court cases rose first, in {first + 1}; "
            title += "since then Ukraine's proceedings have grown further"
    return PlotWords(title, subtitle, f"Lines by month with bands, log axis: {'; '.join(parts)}.")


@plot(
    "Absence without leave in Russia (Art. 337) and Ukraine (Art. 407), by month",
    {
        "series": text("the country"),
        "step": text("the step that is counted, in words, such as cases received by courts"),
        "compiler": text("who counted"),
        "kind": text(
            "level: a month of the fit; count: a count of one month; latest: the level of the last months",
            words=("level", "count", "latest"),
        ),
        "period_start": START,
        "period_end": END,
        "value": numeric("multiple of the country's average month of the first year", positive=True),
        "low": numeric(
            "lower end of the level's interval; blank for a count", blank=True, filled=["level"], positive=True
        ),
        "high": numeric("upper end of the level's interval; blank for a count", blank=True, filled=["level"]),
        "count": numeric("the number counted in the month; blank for a level", blank=True),
        "ids": IDS,
    },
    _words,
)
def ukraine(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted level of each country as steps with its band, its counts of single months as dots, on a log axis."""
    rows = wording.with_years(rows)
    (axes,) = page.grid(1, _TALLS)
    year_axis(axes, int(rows["x0"].min()), float(rows["x1"].max()))
    drawn = rows[rows["kind"].ne("latest")]
    low, high = drawn[["value", "low"]].min().min(), drawn[["value", "high"]].max().max()
    powers = [2.0**power for power in range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)]
    factor_axis(page, axes, powers[0], high * 1.08, powers, upright=True)
    shown = [power for power in powers if power <= high * 1.08]
    axes.yaxis.set_major_formatter(FixedFormatter([_FRACTIONS.get(power, f"×{power:g}") for power in shown]))
    looks = counters(rows["compiler"])
    ends: list[tuple[float, str, str, Style]] = []
    for series, part in rows.groupby("series", sort=False):
        look = looks[part["compiler"].iloc[0]]
        _draw(page, axes, part, look)
        words = f"{_latest(part)}\n{part['step'].iloc[0]}"
        ends.append((float(part["value"].iloc[part["x"].argmax()]), str(series), words, look))
    _names(page, axes, ends)


def _draw(page: PlotPage, axes: Axes, rows: pd.DataFrame, look: Style) -> None:
    for run in runs(rows[rows["kind"].eq("level")]):
        x, ids = steps(run), gid(str(run["ids"].iloc[0]))
        area(axes, run, "low", "high", facecolor=look.colour, alpha=0.18, gid=ids)
        middle = np.repeat(run["value"].to_numpy(), 2)
        axes.plot(x, middle, color=look.colour, linewidth=1.6 * page.size.scale, zorder=3, gid=ids)
        page.placer.path(axes, x.tolist(), middle.tolist())
    for row in records(rows[rows["kind"].eq("count")]):
        page.mark(axes, row.x, row.value, look, row.ids, points=3.4)


def _names(page: PlotPage, axes: Axes, ends: list[tuple[float, str, str, Style]]) -> None:
    """Name each country at its end, outside of the panel, the higher above, at least three lines apart."""
    size = page.size.small
    low, high = axes.get_ylim()
    tall = 0.8 * dict(zip(SIZES, _TALLS, strict=True))[page.kind] / 25.4 * 72
    room = 0.27 * page.size.width * 72
    last = math.inf
    for value, series, words, look in sorted(ends, key=lambda end: -end[0]):
        broken = page.wrap(words, size, room)
        y = math.log(value / low) / math.log(high / low) * tall
        y = min(y, last)
        last = y - LEADING * size * (2.4 + broken.count("\n"))
        how = {"xycoords": "axes fraction", "color": look.ink, "ha": "left", "annotation_clip": False}
        page.note(axes, series, (1, y / tall), (5, 1), va="bottom", fontweight="bold", **how)
        page.note(axes, broken, (1, y / tall), (5, -1), va="top", linespacing=LEADING, **how)
