"""What the courts gave: suspended sentences, prison terms and their length."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import count_axis, panel_title, value_axis, year_axis
from desertion.plots.contract import BOUND, COVERS, END, IDS, START, flag, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.palette import STEPS, Style
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows


def _yearly(rows: pd.DataFrame) -> pd.Series[Any]:
    """Whether each row is of a series with a number for each of several years."""
    days = (rows["period_end"] - rows["period_start"]).dt.days
    return days.between(364, 365) & (rows.groupby("series")["period_start"].transform("nunique") > 2)


def _sentence_words(rows: pd.DataFrame) -> PlotWords:
    hollow = "Hollow: of a sample or a part of the verdicts." if rows["incomplete"].any() else ""
    subtitle = f"By year and by published number. {hollow}".rstrip()
    return PlotWords("", subtitle, f"{len(rows)} shares, numbers and lengths of sentences, on axes from zero.")


_UNITS = ("percent", "persons", "months")


@plot(
    "Russia: sentences for absence without leave (Art. 337) and all military-service offences",
    {
        "series": text("name of the series; of a panel in persons: the band of length, shortest first"),
        "articles": text("articles counted"),
        "compiler": text("who counted"),
        "unit": text(
            "percent (suspended share), persons (real terms by length, stacked) or months (length): one panel each"
        ),
        "period_start": START,
        "period_end": END,
        "value": numeric("the share, number or length"),
        "bound": BOUND,
        "incomplete": flag("whether it is of a sample or a part only, drawn hollow"),
        "covers": COVERS,
        "ids": IDS,
    },
    _sentence_words,
)
def sentences(page: PlotPage, rows: pd.DataFrame) -> None:
    """Suspended share by year, prison terms by length, and below them one row per later statement."""
    rows = wording.with_years(rows)
    unknown = sorted(set(rows["unit"]) - set(_UNITS))
    if unknown:
        raise ArgumentError(f"plot sentences: column 'unit' {unknown[0]!r} is none of {', '.join(_UNITS)}")
    yearly, percent = _yearly(rows), rows["unit"].eq("percent")
    top = [
        ("Suspended sentences each year, percent", _shares, rows[yearly & percent]),
        ("Real prison terms by length, persons", _bands, rows[rows["unit"] == "persons"]),
    ]
    top = [(title, draw, part) for title, draw, part in top if len(part)]
    statements = {
        "Suspended sentences, later statements, percent": rows[~yearly & percent],
        "Length of sentences, statements, months": rows[rows["unit"] == "months"],
    }
    below = [(title, part, _layout(page, part)) for title, part in statements.items() if len(part)]
    columns = 1 if page.narrow else 2
    tall = {"single": 42, "double": 50, "slide": 52}[page.kind]
    axes = page.panels(
        len(top),
        columns,
        heights=[tall] * math.ceil(len(top) / columns) + [layout.height + 5 for *_, layout in below],
        wide=len(below),
    )
    for each, (title, *_) in zip(axes, [*top, *below], strict=True):
        panel_title(each, title, page.size.text)
    for each, (_, draw, part) in zip(axes, top, strict=False):
        first, last = int(part["x0"].min()), math.ceil(part["x1"].max()) - 1
        year_axis(each, first, last, every=1 if last - first < 6 else 2)
        draw(page, each, part)
    for each, (_, part, layout) in zip(axes[len(top) :], below, strict=True):
        _statements(page, each, part, layout)


def _shares(page: PlotPage, axes: Axes, rows: pd.DataFrame) -> None:
    """Yearly shares, joined, on an axis of all percents."""
    count_axis(axes, 100, ticks=4)
    looks = page.looks(rows)
    page.connect(axes, rows, looks)
    for series, part in rows.groupby("series", sort=False):
        look = looks[str(series)]
        keys = {part["x"].idxmin(), part["x"].idxmax(), part["value"].idxmax(), part["value"].idxmin()}
        for row in records(part[::-1]):
            page.mark(axes, row.x, row.value, look, row.ids, hollow=row.incomplete)
            if row.Index in keys:
                page.value(axes, wording.bounded(row.value, row.bound), (row.x, row.value), colour=look.ink)
        page.name(axes, str(series), list(zip(part["x"], part["value"], strict=True)), look)


def _layout(page: PlotPage, rows: pd.DataFrame) -> Rows:
    words = (f"{row.series}, {wording.period_of(row)}" for row in records(rows))
    numbers = (wording.bounded(row.value, row.bound) for row in records(rows))
    return Rows(page, [PlotRow(*each) for each in zip(words, numbers, strict=True)])


def _statements(page: PlotPage, axes: Axes, rows: pd.DataFrame, layout: Rows) -> None:
    """One row per statement on an axis from zero; an arrow at a bound points to the possible values."""
    layout.draw(axes)
    value_axis(axes, 100 if rows["unit"].iloc[0] == "percent" else rows["value"].max() * 1.1, 5)
    looks = page.looks(rows)
    for place, row in zip(layout.places, records(rows), strict=True):
        look = looks[row.series]
        if row.bound in _ARROWS:
            arrow = {"arrowstyle": "<-", "color": look.colour, "linewidth": page.size.scale, "shrinkA": 0, "shrinkB": 0}
            shift = (_ARROWS[row.bound] * 14 * page.size.scale, 0)
            axes.annotate("", (row.value, place), xytext=shift, textcoords="offset points", arrowprops=arrow)
        page.mark(axes, row.value, place, look, row.ids, hollow=row.incomplete)


#: Direction of the possible values from a printed bound.
_ARROWS = {"at_least": 1, "at_most": -1}


def _bands(page: PlotPage, axes: Axes, rows: pd.DataFrame) -> None:
    """Bars stacked by length, from light (short) to dark (long), named at the last bar."""
    bands = list(dict.fromkeys(rows["series"]))
    if len(bands) > len(STEPS):
        raise ArgumentError(f"plot sentences: {len(bands)} bands of length; at most {len(STEPS)} can be told apart")
    colours = dict(zip(bands, STEPS, strict=False))
    count_axis(axes, rows.groupby("x0")["value"].sum().max() * 1.16, ticks=4)
    for _, year in rows.groupby("x0"):
        base, ordered = 0.0, year.sort_values("series", key=lambda column: column.map(bands.index))
        for row in records(ordered):
            page.bar(axes, row.x0 + 0.12, base, row.x1 - row.x0 - 0.24, row.value, colours[row.series], row.ids)
            base += row.value
        page.value(axes, wording.number(base), (ordered["x"].iloc[0], base), radius=0.0)
    page.block(axes, "", [("", [(Style(colours[band], "s", ""), False, band, "")]) for band in reversed(bands)])
