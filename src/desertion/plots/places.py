"""Counts by place: one panel per list that one counter made, each from zero on its own scale."""

from __future__ import annotations

import pandas as pd

from desertion.plots import wording
from desertion.plots.contract import BOUND, END, IDS, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.labels import LEADING
from desertion.plots.palette import SOFT, counters
from desertion.plots.plot import PlotWords, plot


def _words(rows: pd.DataFrame) -> PlotWords:
    firsts = rows.groupby(["panel", "caption"], sort=False)["place"].first()
    leader, times = firsts.value_counts().index[0], int(firsts.value_counts().iloc[0])
    title = ""
    if times > 1 and 2 * times > len(firsts):
        title = f"{leader} comes first in {times} of {len(firsts)} lists of absent soldiers; none covers every court"
    subtitle = "Cases, verdicts or soldiers by place, in lists that one counter made. Each panel has its own scale."
    return PlotWords(
        title,
        subtitle,
        f"Bars by place in {len(firsts)} panel{'s' * (len(firsts) != 1)}, {len(rows)} counts, the largest first.",
    )


@plot(
    "Absence without leave (Art. 337) and refusals by place, as far as anyone counted",
    {
        "panel": text("title of the panel: what was counted, and by whom; panels come in the table's order"),
        "caption": text("words under the panel: the period, and how much of the whole the list covers"),
        "place": text("name of the place"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "value": numeric("the count"),
        "bound": BOUND,
        "ids": IDS,
    },
    _words,
)
def places(page: PlotPage, rows: pd.DataFrame) -> None:
    """One panel per list, one bar per place with its count; the caption says what the list covers."""
    size = page.size
    lists = [part for _, part in rows.groupby(["panel", "caption"], sort=False)]
    columns = 1 if page.narrow else min(2, len(lists))
    across = (size.width * 72 - 30) / columns - 12
    words = [page.wrap(part["caption"].iloc[0], size.small, across) for part in lists]
    names = [page.wrap(place, size.small, 0.4 * across) for part in lists for place in part["place"]]
    aside = max(page.width_of(line, size.small) for name in names for line in name.splitlines()) + 6
    strips = [1.9 + 0.6 * any("\n" in page.wrap(place, size.small, 0.4 * across) for place in part["place"])
              for part in lists]  # fmt: skip
    talls = [
        strip * size.small * len(part) + 2.6 * size.text + LEADING * size.small * (2 + each.count("\n"))
        for strip, part, each in zip(strips, lists, words, strict=True)
    ]
    rows_of = [talls[at : at + columns] for at in range(0, len(lists), columns)]
    axes = page.panels(
        len(lists), columns, heights=[max(each) / 72 * 25.4 + 3 for each in rows_of],
    )  # fmt: skip
    looks = counters(rows["compiler"])
    for at, (each, part) in enumerate(zip(axes, lists, strict=True)):
        beside = lists[at - at % columns : at - at % columns + columns]  # bars of neighbours are equally thick
        bottom = max(map(len, beside)) - 0.5
        each.set(xlim=(0, part["value"].max() * 1.25), ylim=(bottom, -0.5), xticks=[], yticks=[])
        each.spines["bottom"].set_visible(False)
        each.spines["left"].set_bounds(len(part) - 0.5, -0.5)
        left = {"linespacing": LEADING, "ha": "left"}
        title = {"fontsize": size.text, "fontweight": "bold", "va": "bottom", "xycoords": "axes fraction"}
        page.note(each, part["panel"].iloc[0], (0, 1), (-aside, 3), **left | title)
        page.note(each, words[at], (0, len(part) - 0.5), (-aside, -3), va="top", color=SOFT, **left)
        for y, (name, row) in enumerate(zip(part["place"], records(part), strict=True)):
            page.bar(each, 0, y - 0.34, row.value, 0.68, looks[row.compiler].colour, row.ids)
            name = page.wrap(name, size.small, 0.4 * across)
            page.note(each, name, (0, y), (-5, 0), ha="right", va="center", linespacing=LEADING)
            number = wording.bounded(row.value, row.bound)
            page.note(each, number, (row.value, y), (3, 0), xycoords="data", va="center")
