"""Growth factors in rows, with their intervals."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from desertion.plots import wording
from desertion.plots.axes import FACTORS, factor_axis
from desertion.plots.contract import IDS, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import COUNTERS, INK, OFFICIAL, styles
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows


def span(
    page: PlotPage,
    axes: Axes,
    low: float,
    high: float,
    y: float,
    colour: str,
    ids: str,
    tall: float = 4.5,
) -> None:
    """A bar `tall` points high along a row, from one end of an interval to the other."""
    tall *= page.size.scale
    page.bar(axes, low, y - tall / 2, high - low, tall, colour, ids, zorder=3)


def tick(page: PlotPage, axes: Axes, x: float, y: float, ids: str) -> None:
    """An estimate as a thin upright line: a dot would hide a narrow interval."""
    tall = 4.0 * page.size.scale
    axes.plot([x, x], [y - tall, y + tall], color=INK, linewidth=1.3 * page.size.scale, zorder=5, gid=gid(ids))


def _factor(row: Any) -> str:
    if pd.isna(row.low):
        return f"×{wording.number(row.factor)}"
    return f"×{wording.interval(row.factor, row.low, row.high)}"


#: A pair of whole years.
_YEARS = re.compile(r"^(\d{4}) → (\d{4})$")
#: Words of the title by measure, the first that has a finding.
_FOUND = {
    "cases_received_by_court": "Courts received {times} times as many cases of absence without leave in {last} as in "
    "{first}",
    "persons_convicted": "Courts convicted {times} times as many soldiers of absence without leave in {last} as in "
    "{first}",
}


def _finding(rows: pd.DataFrame) -> str:
    """The greatest growth from one year to another, and whether official counts had fallen before.

    "" where no count of Art. 337 at least doubled with an interval above 1.
    """
    pairs = [(*map(int, each[0]), row) for row in records(rows) if (each := _YEARS.findall(row.label))]
    for measure, words in _FOUND.items():
        own = [each for each in pairs if each[2].measure == measure and each[2].articles == "337"]
        own = [each for each in own if each[2].low > 1 and each[2].factor >= 2]
        if not own:
            continue
        first, last, most = max(own, key=lambda each: each[2].factor)
        official = [each for each in pairs if COUNTERS.get(each[2].compiler) is OFFICIAL and each[1] <= first]
        fell = bool(official) and max(official, key=lambda each: (each[1], each[0]))[2].high < 1
        title = words.format(times=wording.about(most.factor), first=first, last=last)
        return title + "; convictions had fallen before" * fell
    return ""


def _growth_words(rows: pd.DataFrame) -> PlotWords:
    level, dispersion = (wording.number(rows[column].iloc[0], 0) for column in ("level", "dispersion"))
    points = " Hollow: the counts give no interval." if rows["low"].isna().any() else ""
    subtitle = (
        f"Later count ÷ earlier count, log scale. Bar: {level} % interval of the growth of the rate behind them, since "
        f"counts vary {dispersion} times as much as by chance alone.{points}"
    )
    low, high = (wording.number(each) for each in (rows["factor"].min(), rows["factor"].max()))
    return PlotWords(
        _finding(rows), subtitle, f"{len(rows)} growth factors, log scale, from ×{low} to ×{high}, with intervals."
    )


@plot(
    "Growth of convictions and cases for absence without leave (Art. 337)",
    {
        "series": text("heading of a group of rows: offence, measure and counter; each counter has a group of its own"),
        "label": text("the pair of periods: 2021 → 2023"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "factor": numeric("later count divided by earlier count", positive=True),
        "low": numeric("lower end of the interval of the ratio of rates; blank where there is none", blank=True),
        "high": numeric("upper end of that interval", blank=True),
        "level": numeric("level of the intervals in percent, one for the whole table", single=True),
        "dispersion": numeric("variance over mean of the counts, one for the whole table", single=True),
        "ids": IDS,
    },
    _growth_words,
)
def growth(page: PlotPage, rows: pd.DataFrame) -> None:
    """Growth factors on a log scale, each with the interval of the ratio of the rates, else a hollow mark."""
    level = wording.number(rows["level"].iloc[0])
    layout = Rows(page, [PlotRow(row.label, _factor(row), row.series) for row in records(rows)])
    axes = layout.panel(f"factor ({level} %)")
    ends = rows[["factor", "low", "high"]]
    # An interval down to zero runs off the axis.
    lowest = min(ends.where(ends > 0).min().min(), 1) / 1.15
    factor_axis(page, axes, lowest, max(ends.max().max(), 1) * 1.15, FACTORS)
    looks = styles(dict(zip(rows["series"], rows["compiler"], strict=True)))
    for y, row in zip(layout.places, records(rows), strict=True):
        look = looks[row.series]
        if pd.notna(row.low):
            span(page, axes, max(row.low, lowest), row.high, y, look.colour, row.ids)
        if pd.isna(row.low):
            page.mark(axes, row.factor, y, look, row.ids, hollow=True)
        else:
            tick(page, axes, row.factor, y, row.ids)
