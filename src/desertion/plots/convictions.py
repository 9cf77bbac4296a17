"""The long view: counts over time, by who counted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import count_axis, year_axis
from desertion.plots.contract import COVERS, IDS, date, flag, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.lettering import NBSP
from desertion.plots.palette import SOFT, Style
from desertion.plots.plot import EVENT, PlotWords, plot
from desertion.vocabulary import MEASURES


def _events(page: PlotPage, axes: Axes, events: pd.DataFrame) -> None:
    """Dated breaks as thin lines with a letter on top; letters of days closer than 2 points are joined."""
    span = axes.get_xlim()[1] - axes.get_xlim()[0]
    year = (page.size.width - 0.6) * 72 / span
    tags: list[tuple[float, str]] = []
    for letter, x in zip(_letters(), events["x"], strict=False):
        axes.axvline(x, color=SOFT, linewidth=0.5 * page.size.scale, dashes=(2, 2), zorder=1)
        page.placer.path(axes, (x, x), axes.get_ylim(), weight=0.2)
        if tags and (x - tags[-1][0]) * year < 2:
            tags[-1] = (tags[-1][0], f"{tags[-1][1]},{letter}")
        else:
            tags.append((x, letter))
    ends: list[float] = []
    for x, words in tags:
        half = page.width_of(words, page.size.small, "bold") / 2 + 1.5
        level = next((i for i, end in enumerate(ends) if x * year - half >= end), len(ends))
        ends[level : level + 1] = [x * year + half]
        page.note(
            axes, words, (x, 1), (0, 2 + level * 1.25 * page.size.small), xycoords=("data", "axes fraction"),
            ha="center", va="bottom", fontweight="bold", color=SOFT,
        )  # fmt: skip


def _letters() -> Iterator[str]:
    return map(chr, itertools.count(ord("a")))


def _event_key(events: pd.DataFrame) -> str:
    return "; ".join(
        f"{letter}{NBSP}{wording.day(start).replace(' ', NBSP)}: {series}"
        for letter, start, series in zip(_letters(), events["period_start"], events["series"], strict=False)
    )


def _words(rows: pd.DataFrame) -> PlotWords:
    counts = rows[rows["measure"] != EVENT]
    measures = wording.listed(MEASURES.get(measure, measure) for measure in counts["measure"])
    hatch = " Hatched: a count of that part of the year alone." if counts["incomplete"].any() else ""
    subtitle = f"{wording.capital(measures)}, by year and by who counted.{hatch}"
    return PlotWords("", subtitle, f"{counts['series'].nunique()} series of counts, from zero.")


@plot(
    "Russia: convictions for absence without leave (Art. 337) and all of chapter 33",
    {
        "series": text("name of the series as it stands beside its line; of an event: what happened, in a few words"),
        "measure": text("what is counted; `event` in the rows of dated breaks"),
        "articles": text("articles counted: 337, 337+338+339, ch33, …", blank=True),
        "compiler": text("who counted", blank=True),
        "period_start": date("first day; of an event: its day"),
        "period_end": date("last day; of an event: its day"),
        "value": numeric("the count; blank for an event", blank=True),
        "bound": text("exact, about, at_least or at_most; blank for an event", blank=True),
        "incomplete": flag("whether the period covers less than the year that it stands for"),
        "covers": COVERS,
        "ids": IDS,
    },
    _words,
)
def long_view(page: PlotPage, rows: pd.DataFrame) -> None:
    """Yearly convictions by compiler on one zero-based axis, with overlaps, incomplete periods and breaks."""
    rows = wording.with_years(rows)
    events = rows[rows["measure"] == EVENT].sort_values("period_start").assign(x=lambda each: each["x0"])
    counts = rows[rows["measure"] != EVENT]
    if (counts["value"].isna() | ~counts["bound"].isin(wording.BOUNDS)).any():
        raise ArgumentError("plot long_view: a row that is no event needs a value and a bound")
    counts = counts.assign(rival=counts.groupby("year")["compiler"].transform("nunique") > 1)
    counts = counts.assign(x=_apart(counts, counts["value"].max() / 30))
    looks = page.looks(counts)
    (axes,) = page.grid(
        1,
        (62, 82, 82),
        notes=_event_key(events),
    )
    first, last = int(rows["year"].min()), int(rows["year"].max())
    year_axis(axes, first, last, every=4 if page.narrow else 1 if last - first < 12 else 2)
    count_axis(axes, counts["value"].max() * 1.1)
    _events(page, axes, events)
    page.connect(axes, counts, looks)
    for series, part in counts.groupby("series", sort=False):
        part = part.sort_values("x")
        look = looks[str(series)]
        for row in records(part):
            if row.incomplete:
                page.bar(axes, row.x0, 0, row.x1 - row.x0, row.value, look.colour, row.ids, hatched=True)
            page.mark(axes, row.x, row.value, look, row.ids, hollow=row.incomplete)
        _name(page, axes, str(series), part, look)
        _values(page, axes, part, look)
    if counts["rival"].any():
        rivals = counts[counts["rival"]].groupby("year")
        lines = [
            (str(year), [(looks[row.series], row.incomplete, _with_part(row), row.ids) for row in records(part)])
            for year, part in rivals
        ]
        page.block(axes, "Years with rival counts", lines)


def _with_part(row: Any) -> str:
    """The number, and the part of the year that it covers where that is not all of it."""
    part = wording.period_of(row).removesuffix(f" {row.year}")
    return wording.bounded(row.value, row.bound) + (f" ({part})" if row.incomplete else "")


def _apart(counts: pd.DataFrame, near: float) -> pd.Series:
    """The middle of each period, moved a little within its year where marks of two series would hide each other."""
    middle = counts["x"].copy()
    for _, part in counts[counts["rival"]].groupby("year"):
        part = part.sort_values("value")
        cluster = (part["value"].diff() > near).cumsum()
        for _, close in part.groupby(cluster):
            if len(close) > 1:
                order = close.sort_index().index
                middle[order] = middle[order].mean() + (np.arange(len(order)) - (len(order) - 1) / 2) * 0.36
    return middle


def _name(page: PlotPage, axes: Axes, series: str, part: pd.DataFrame, look: Style) -> None:
    """The name of a series beside its highest points, or where its line leaves room."""
    marks = list(zip(part["x"], part["value"], strict=True))
    between = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in itertools.pairwise(marks)]
    points = sorted(marks, key=lambda point: -point[1]) + sorted(between, key=lambda point: -point[1])
    late = points[0][0] > sum(axes.get_xlim()) / 2
    page.name(axes, series, points, look, prefer="W" if late else "NE")


def _values(page: PlotPage, axes: Axes, part: pd.DataFrame, look: Style) -> None:
    """The numbers at the ends and extremes, and on wide pages the others too."""
    keys = {part.index[0], part.index[-1], part["value"].idxmax(), part["value"].idxmin()}
    for row in records(part):
        if row.Index in keys or not page.narrow:
            words = wording.bounded(row.value, row.bound)
            page.value(axes, words, (row.x, row.value), colour=look.ink, in_block=row.rival)
