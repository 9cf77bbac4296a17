"""Counts per 1,000 soldiers and year, by several sizes of the army of which none is the main one."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import value_axis
from desertion.plots.contract import END, IDS, INCOMPLETE, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.labels import INK
from desertion.plots.palette import Style
from desertion.plots.plot import plot
from desertion.plots.rows import PlotRow, Rows

#: Shapes of the sizes of the army, in the table's order.
SHAPES = ("s", "o", "D", "^")


def _describe(rows: pd.DataFrame) -> str:
    phrases = [
        f"{series}: "
        + "; ".join(
            f"{wording.period_of(next(records(part)))} "
            + " or ".join(wording.number(rate) for rate in sorted(part["value"].dropna()))
            for _, part in group.groupby(["period_start", "period_end"], sort=False)
        )
        for series, group in rows.groupby("series", sort=False)
    ]
    sizes = f"Dots, one shape for each size of the army ({wording.listed(rows['denominator'])})"
    return f"{sizes}, per 1,000 soldiers and year. {'. '.join(phrases)}."


@plot(
    "Russia: Art. 337 (AWOL) convictions and cases per 1,000 soldiers",
    {
        "series": text("heading of a group of rows: what is counted, and by whom"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "denominator": text("whose size of the army the count is divided by; the shapes come in the table's order"),
        "value": numeric("count for each 1,000 soldiers and year; blank where this size is not known", blank=True),
        "incomplete": INCOMPLETE,
        "ids": IDS,
    },
    _describe,
)
def deployed_rate(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per count: a shape for its rate by each size of the army, with its number, and a thin line between."""
    sizes = list(dict.fromkeys(rows["denominator"]))
    if len(sizes) > len(SHAPES):
        raise ArgumentError(f"plot deployed_rate: {len(sizes)} sizes of the army; at most {len(SHAPES)} have a shape")
    shapes = dict(zip(sizes, SHAPES, strict=False))
    counts = [part for _, part in rows.groupby(["series", "period_start", "period_end"], sort=False)]
    firsts = [next(records(part)) for part in counts]
    layout = Rows(page, [PlotRow(wording.period_of(row), "", row.series) for row in firsts], strip=13)
    part = " Part of a year is scaled to one." if rows["incomplete"].any() else ""
    axes = layout.panel(
        subtitle=f"Persons convicted or cases received per 1,000 soldiers and year, by size of the army.{part}",
        key=[(Style(INK, shape, ""), False, size) for size, shape in shapes.items()],
    )
    value_axis(axes, rows["value"].max() * 1.12, 4 if page.narrow else 7)
    looks = page.looks(rows.assign(series=rows["compiler"]))
    for y, each in zip(layout.places, counts, strict=True):
        look = looks[each["compiler"].iloc[0]]
        ends = [each["value"].min(), each["value"].max()]
        axes.plot(ends, [y, y], color=look.colour, linewidth=0.7 * page.size.scale, zorder=2)
        for row in records(each.dropna(subset="value")):
            page.mark(axes, row.value, y, Style(look.colour, shapes[row.denominator], ""), row.ids, points=6)
        _numbers(page, axes, each, y, look)


def _numbers(page: PlotPage, axes: Axes, rows: pd.DataFrame, y: float, look: Style) -> None:
    """The number of each mark: at its right, or at its left where the next mark is near."""
    ordered = list(records(rows.dropna(subset="value").sort_values("value", kind="stable")))
    for place, row in enumerate(ordered):
        after = ordered[place + 1].value if place + 1 < len(ordered) else float("inf")
        near = after - row.value < 0.12 * axes.get_xlim()[1]
        side = "right" if near else "left"
        how = {"xycoords": "data", "ha": side, "va": "center", "color": look.ink, "zorder": 6}
        how["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        page.note(axes, wording.number(row.value), (row.value, y), (-5.5 if near else 5.5, 0), **how)
