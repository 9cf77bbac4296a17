"""Counts per 1,000 soldiers and year, by several sizes of the army of which none is the main one."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import value_axis
from desertion.plots.contract import END, IDS, INCOMPLETE, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.palette import INK, Style, counters
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows

#: Shapes of the sizes of the army, in the table's order.
SHAPES = ("s", "o", "D", "^")


def _words(rows: pd.DataFrame) -> PlotWords:
    part = " Part of a year is scaled to one." if rows["incomplete"].any() else ""
    subtitle = f"Persons convicted or cases received per 1,000 soldiers and year, by size of the army.{part}"
    count = rows.groupby(["series", "period_start", "period_end"]).ngroups
    shape = (
        f"Dots in {count} row{'s' * (count != 1)} from zero, one shape for each size of the army: "
        f"{wording.listed(rows['denominator'])}."
    )
    whole = rows[~rows["incomplete"] & rows["measure"].isin(_NOUNS)].dropna(subset="value")
    order = whole.sort_values(
        ["measure", "period_end"], key=lambda each: each.eq("persons_convicted") if each.name == "measure" else each
    )
    title = ""
    if len(order):
        last = order[order[["series", "period_end"]].eq(order[["series", "period_end"]].iloc[-1]).all(axis=1)]
        low, high = last["value"].min(), last["value"].max()
        if high > 1.2 * low:
            period, noun = wording.period_of(next(records(last))), _NOUNS[last["measure"].iloc[0]]
            title = f"{low:.0f} to {high:.0f} {noun} in {period}, depending on the army size taken"
    return PlotWords(title, subtitle, shape)


#: What happened to soldiers, by the measure that counts it; for a title.
_NOUNS = {
    "persons_convicted": "in 1,000 Russian soldiers were convicted of leaving service",
    "cases_received_by_court": "court cases of leaving service came on 1,000 Russian soldiers",
}


@plot(
    "Convictions and cases of absence without leave (Art. 337) per 1,000 Russian soldiers",
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
    _words,
)
def deployed_rate(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per count: a shape for its rate by each size of the army, with its number, and a thin line between."""
    sizes = list(dict.fromkeys(rows["denominator"]))
    if len(sizes) > len(SHAPES):
        raise ArgumentError(f"plot deployed_rate: {len(sizes)} sizes of the army; at most {len(SHAPES)} have a shape")
    shapes = dict(zip(sizes, SHAPES, strict=False))
    counts = [part for _, part in rows.groupby(["series", "period_start", "period_end"], sort=False)]
    firsts = [next(records(part)) for part in counts]
    layout = Rows(page, [PlotRow(wording.period_of(row), "", row.series) for row in firsts], strip=24)
    axes = layout.panel(
        key=[(Style(INK, shape, ""), False, size) for size, shape in shapes.items()],
    )
    value_axis(axes, rows["value"].max() * 1.12, 4 if page.narrow else 7)
    looks = counters(rows["compiler"])
    for y, each in zip(layout.places, counts, strict=True):
        look = looks[each["compiler"].iloc[0]]
        ends = [each["value"].min(), each["value"].max()]
        axes.plot(ends, [y, y], color=look.colour, linewidth=0.7 * page.size.scale, zorder=2)
        for row in records(each.dropna(subset="value")):
            page.mark(axes, row.value, y, Style(look.colour, shapes[row.denominator], ""), row.ids, points=6)
        _numbers(page, axes, each, y, look)


def _numbers(page: PlotPage, axes: Axes, rows: pd.DataFrame, y: float, look: Style) -> None:
    """The number of each mark above it, moved apart where marks are near."""
    ordered = list(records(rows.dropna(subset="value").sort_values("value", kind="stable")))
    for place, row in enumerate(ordered):
        after = ordered[place + 1].value if place + 1 < len(ordered) else float("inf")
        before = ordered[place - 1].value if place else -float("inf")
        close = 0.08 * axes.get_xlim()[1]
        side = "right" if after - row.value < close else "left" if row.value - before < close else "center"
        shift = {"right": 3.0, "left": -3.0, "center": 0.0}[side]
        how = {"xycoords": "data", "ha": side, "va": "bottom", "color": look.ink}
        page.note(axes, wording.number(row.value), (row.value, y), (shift, 3), **how)
