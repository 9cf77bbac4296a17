"""Coverage: the months that anyone counted, and how finely."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from desertion.plots import wording
from desertion.plots.axes import year_axis
from desertion.plots.contract import COVERS, END, IDS, START, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import STEPS, Style
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows

#: Classes of period: longest length in days, name, height of the bar as a share of its row.
FINENESS = ((1e9, "longer", 0.34), (370, "a year", 0.56), (190, "up to half a year", 0.78), (31, "a month", 1.0))


def fineness(rows: pd.DataFrame) -> pd.Series:
    """The place in `FINENESS` of each row's period."""
    days = (rows["period_end"] - rows["period_start"]).dt.days + 1
    return days.map(lambda each: max(step for step, (most, _, _) in enumerate(FINENESS) if each <= most))


def _words(rows: pd.DataFrame) -> PlotWords:
    first, last = rows["period_start"].min(), rows["period_end"].max()
    shape = (
        f"{len(rows)} counts as bars along a calendar, {first:%Y} to {last:%Y}, one row for each offence and measure."
    )
    return PlotWords("", "Each bar is the period of one count; a running total is one long bar.", shape)


@plot(
    "Russia: which months of Art. 337, 338, 332 and 339 anyone counted, and how finely",
    {
        "row": text("words of the row: offence and measure; rows come in the table's order"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "covers": COVERS,
        "ids": IDS,
    },
    _words,
)
def coverage(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per offence and measure, one bar per count over its period; the shortest periods lie on top."""
    rows = wording.with_years(rows).assign(step=fineness(rows))
    names = list(dict.fromkeys(rows["row"]))
    counts = rows["row"].value_counts()
    layout = Rows(page, [PlotRow(name, str(counts[name])) for name in names], strip=9)
    axes = layout.panel(
        "counts",
        key=[(Style(STEPS[step], "s", ""), False, words) for step, (_, words, _) in enumerate(FINENESS)],
    )
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max())) - 1
    year_axis(axes, first, last, every=4 if page.narrow else 2 if last - first > 9 else 1)
    axes.grid(axis="x", which="major")
    strip = layout.strip * page.size.scale
    for row in records(rows.sort_values(["step", "period_start", "period_end"], kind="stable")):
        tall = FINENESS[row.step][2] * strip
        place = layout.places[names.index(row.row)]
        # A hair of white between neighbours: single months stay single.
        axes.add_patch(
            Rectangle(
                (row.x0, place - tall / 2),
                row.x1 - row.x0,
                tall,
                facecolor=STEPS[row.step],
                edgecolor="white",
                linewidth=0.25 * page.size.scale,
                zorder=2 + row.step,
                gid=gid(row.ids),
            )
        )
