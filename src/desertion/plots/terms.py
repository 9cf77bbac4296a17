"""Suspended sentences: one share, from the official form to the verdicts of the war, in order of time."""

from __future__ import annotations

import pandas as pd

from desertion import vocabulary
from desertion.plots import wording
from desertion.plots.axes import value_axis
from desertion.plots.contract import BOUND, COVERS, END, IDS, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.intervals import span
from desertion.plots.palette import SOFT, counters
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows

#: Direction of the possible values from a printed bound.
_ARROWS = {"at_least": 1, "at_most": -1}


def _number(part: pd.DataFrame, *, spoken: bool = False) -> str:
    """The shares of one row: `73 (58–84)`, of several years the least and the greatest."""
    least, most = part["value"].min(), part["value"].max()
    if len(part) > 1:
        return f"{least:.0f} to {most:.0f}" if spoken else f"{least:.0f}–{most:.0f}"
    (row,) = records(part)
    words = (vocabulary.bounded if spoken else wording.bounded)(round(row.value), row.bound)
    if pd.isna(row.low):
        return words
    return f"{words} ({row.low:.0f} to {row.high:.0f})" if spoken else f"{words} ({row.low:.0f}–{row.high:.0f})"


def _groups(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """The rows of the plot: heading, words, and the shares on it."""
    return [(str(series), str(words), part) for (series, words), part in rows.groupby(["series", "row"], sort=False)]


def _words(rows: pd.DataFrame) -> PlotWords:
    groups, known = _groups(rows), list(records(rows[rows["low"].notna()]))
    title = ""
    if known and (known[-1].low > 50 or known[-1].high < 50):
        how = "Most" if known[-1].low > 50 else "Fewer than half of the"
        period = wording.period_of(known[-1])
        title = f"{how} known sentences for absence are suspended: {known[-1].value:.0f} % in {period}"
    shape = f"Dots in {len(groups)} row{'s' * (len(groups) != 1)} by time, percent suspended"
    if len(groups) > 1:
        ends = [f"{words.split(':')[0]} {_number(part, spoken=True)}" for _, words, part in (groups[0], groups[-1])]
        shape += f": from {ends[0]} to {ends[1]}"
    subtitle = "Suspended sentences in percent of all that were counted. Line: half. Bar: interval, where one is known."
    return PlotWords(title, subtitle, f"{shape}.")


@plot(
    "Suspended sentences for absence without leave (Art. 337) and for all crimes against military service",
    {
        "series": text("heading of a group of rows: which sentences, and by whom they were counted"),
        "row": text("words of the row; shares of several years with the same words stand in one row"),
        "articles": text("articles counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "value": numeric("suspended sentences in percent of all sentences that were counted"),
        "bound": BOUND,
        "low": numeric("lower end of the interval in percent; blank where there is none", blank=True),
        "high": numeric("upper end of the interval in percent", blank=True),
        "covers": COVERS,
        "ids": IDS,
    },
    _words,
)
def sentences(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per share in order of time, with its interval; the years of the official form stand in one row."""
    groups = _groups(rows)
    layout = Rows(page, [PlotRow(words, _number(part), series) for series, words, part in groups])
    axes = layout.panel("percent")
    value_axis(axes, 100, 5)
    axes.axvline(50, color=SOFT, linewidth=0.8 * page.size.scale, zorder=1.5)
    looks = counters(rows["compiler"])
    for y, (*_, part) in zip(layout.places, groups, strict=True):
        for row in records(part):
            look = looks[row.compiler]
            if pd.notna(row.low):
                span(page, axes, row.low, row.high, y, look.colour, row.ids, tall=1.6)
            if row.bound in _ARROWS:
                arrow = {"arrowstyle": "<-", "color": look.colour, "linewidth": page.size.scale, "shrinkA": 0}
                shift = (_ARROWS[row.bound] * 14 * page.size.scale, 0)
                axes.annotate(
                    "", (row.value, y), xytext=shift, textcoords="offset points", arrowprops=arrow | {"shrinkB": 0}
                )
            page.mark(axes, row.value, y, look, row.ids, points=6)
