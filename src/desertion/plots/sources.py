"""Coverage: the months that anyone counted, and how finely."""

from __future__ import annotations

import pandas as pd
from matplotlib.patches import Rectangle

from desertion.plots import wording
from desertion.plots.axes import year_axis
from desertion.plots.contract import COVERS, END, IDS, START, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.offences import article_name
from desertion.plots.palette import counters, lighter
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows
from desertion.plots.steps import counter_name, measure_name

#: Classes of period (longer, a year, half a year, a month): longest length in days, height of the bar as a share.
FINENESS = ((1e9, 0.4), (370, 0.6), (190, 0.8), (31, 1.0))


def fineness(rows: pd.DataFrame) -> pd.Series:
    """The place in `FINENESS` of each row's period."""
    days = (rows["period_end"] - rows["period_start"]).dt.days + 1
    return days.map(lambda each: max(step for step, (most, _) in enumerate(FINENESS) if each <= most))


def _words(rows: pd.DataFrame) -> PlotWords:
    subtitle = "Each bar is the period of one count; shorter periods are taller and bolder. Colour: who counted."
    first, last = rows["period_start"].min(), rows["period_end"].max()
    shape = f"{len(rows)} counts as bars on a calendar, {first:%Y} to {last:%Y}, one row for each counter and measure."
    return PlotWords(_finding(rows), subtitle, shape)


def _finding(rows: pd.DataFrame) -> str:
    """That authorities stopped counting by article, and that others count since."""
    official = rows["compiler"].map(lambda name: counter_name(name) != name)
    if not official.any() or official.all():
        return ""
    end = rows.loc[official, "period_end"].max()
    since = rows[~official & rows["period_start"].gt(end)]
    if since.empty:
        return ""
    return f"Official counts by offence end in {end.year}; only others have counted since"


@plot(
    "Who counted absence (Art. 337), desertion (338), refusal (332) and malingering (339), and when",
    {
        "articles": text("articles counted; groups of rows come in the table's order"),
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
    """One row per offence, measure and counter, one bar per count over its period; the shortest lie on top."""
    rows = wording.with_years(rows).assign(step=fineness(rows))
    looks = counters(rows["compiler"])
    parts = dict(list(rows.groupby(["articles", "measure", "compiler"], sort=False)))
    lines = [
        PlotRow(f"{counter_name(str(name))}: {measure_name(str(measure))}", str(len(part)), article_name(str(articles)))
        for (articles, measure, name), part in parts.items()
    ]
    layout = Rows(page, lines, strip=8)
    axes = layout.panel("counts")
    first, last = int(rows["x0"].min()), float(rows["x1"].max())
    year_axis(axes, first, last, every=4 if page.narrow else 2 if last - first > 9 else 1)
    axes.grid(axis="x", which="major")
    strip = layout.strip * page.size.scale
    for place, part in zip(layout.places, parts.values(), strict=True):
        for row in records(part.sort_values(["step", "period_start", "period_end"], kind="stable")):
            tall = FINENESS[row.step][1] * strip
            # A hair of white between neighbours: single months stay single.
            axes.add_patch(
                Rectangle(
                    (row.x0, place - tall / 2),
                    row.x1 - row.x0,
                    tall,
                    facecolor=lighter(looks[row.compiler].colour, FINENESS[row.step][1]),
                    edgecolor="white",
                    linewidth=0.25 * page.size.scale,
                    zorder=2 + row.step,
                    gid=gid(row.ids),
                )
            )
