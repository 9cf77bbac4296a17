"""Rates and comparisons: per 1,000 deployed under rival denominators, and comparisons with other armies."""

from __future__ import annotations

import math

import pandas as pd

from desertion.plots import wording
from desertion.plots.axes import caption, count_axis, panels_by, value_axis, year_axis
from desertion.plots.contract import BOUND, END, IDS, INCOMPLETE, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.intervals import span, tick
from desertion.plots.palette import styles
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows


def _rate_words(rows: pd.DataFrame) -> PlotWords:
    main = wording.listed(rows["denominator"])
    ends = wording.listed(
        [f"lowest by {wording.listed(rows['low_by'])}", f"highest by {wording.listed(rows['high_by'])}"]
    )
    subtitle = f"A year, for each 1,000 deployed. Upright line: strength by {main}. Bar: other strengths, {ends}." + (
        " Hatched: part of a year, scaled to one." if rows["incomplete"].any() else ""
    )
    low, high = (wording.number(each) for each in (rows["low"].min(), rows["high"].max()))
    return PlotWords("", subtitle, f"{len(rows)} rates for each 1,000, {low} to {high} a year, with their ranges.")


@plot(
    "Russia: Art. 337 (AWOL) convictions and cases per 1,000 deployed",
    {
        "series": text("heading of a group of rows: what is counted, and by whom"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "value": numeric("rate for each 1,000 deployed and year, by the main denominator"),
        "denominator": text("whose estimate the main denominator is"),
        "low": numeric("lowest rate of the rival denominators"),
        "low_by": text("which denominator gives the lowest"),
        "high": numeric("highest rate of the rival denominators"),
        "high_by": text("which denominator gives the highest"),
        "incomplete": INCOMPLETE,
        "ids": IDS,
    },
    _rate_words,
)
def deployed_rate(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per period: an upright line at the main rate, a bar over the rates of rival denominators."""
    part = rows["incomplete"].map({True: " (part)", False: ""})
    layout = Rows(page, [
        PlotRow(f"{wording.period_of(row)}{words}", wording.interval(row.value, row.low, row.high), row.series)
        for row, words in zip(records(rows), part, strict=True)
    ])  # fmt: skip
    axes = layout.panel("rate (band)")
    value_axis(axes, rows[["value", "high"]].max().max() * 1.08, 4 if page.narrow else 7)
    looks = page.looks(rows)
    for y, row in zip(layout.places, records(rows), strict=True):
        span(page, axes, row.low, row.high, y, looks[row.series].colour, row.ids, hatched=row.incomplete)
        tick(page, axes, row.value, y, row.ids)


def _comparator_words(rows: pd.DataFrame) -> PlotWords:
    hollow = " Hollow: part of a period." if rows["incomplete"].any() else ""
    subtitle = f"Not one measure: compare courses, not heights. Each panel has its own scale, from zero.{hollow}"
    return PlotWords("", subtitle, f"{rows['panel'].nunique()} panels of counts over time, each with its own measure.")


@plot(
    "Absence and desertion in other armies, beside Russia's Art. 337 (AWOL)",
    {
        "panel": text("title of the panel: country and measure; panels come in the table's order"),
        "series": text("name of the series within the panel"),
        "definition": text("what exactly is counted, written under the panel; one for each panel"),
        "unit": text("unit of the values"),
        "period_start": START,
        "period_end": END,
        "value": numeric("the count"),
        "bound": BOUND,
        "incomplete": INCOMPLETE,
        "ids": IDS,
    },
    _comparator_words,
)
def comparators(page: PlotPage, rows: pd.DataFrame) -> None:
    """One panel per measure, each from zero on its own scale and calendar, with its definition under it."""
    rows = wording.with_years(rows)
    panels = panels_by(page, rows, "panel", (48, 54, 60), 2)
    for each, part in panels:
        first, last = int(part["x0"].min()), math.ceil(part["x1"].max()) - 1
        year_axis(each, first, last, every=1 if last - first < 6 else 2 if last - first < 12 else 4)
        count_axis(each, part["value"].max() * 1.2, ticks=4)
        looks = styles({series: series for series in part["series"]})
        page.connect(each, part, looks)
        caption(page, each, part["definition"].iloc[0], page.across)
        for series, own in part.groupby("series", sort=False):
            own, look = own.sort_values("x"), looks[str(series)]
            dense = len(own) > 15
            keys = {own.index[0], own.index[-1], own["value"].idxmax(), own["value"].idxmin()}
            for row in records(own[::-1]):
                page.mark(each, row.x, row.value, look, row.ids, hollow=row.incomplete, points=3.0 if dense else 4.8)
                if row.Index in keys or len(own) <= 6:
                    page.value(each, wording.bounded(row.value, row.bound), (row.x, row.value), colour=look.ink)
            if part["series"].nunique() > 1:
                page.name(each, str(series), list(zip(own["x"], own["value"], strict=True)), look)
