"""Offences: the articles side by side."""

from __future__ import annotations

import pandas as pd

from desertion.plots import wording
from desertion.plots.axes import count_axis, panels_by, year_axis
from desertion.plots.contract import BOUND, COVERS, END, IDS, INCOMPLETE, START, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.plot import PlotWords, plot
from desertion.vocabulary import ARTICLES, MEASURES


def article_name(articles: str) -> str:
    """`Art. 337: absence without leave`; a whole or a sum of articles under its own name."""
    if articles.isdigit():
        return f"Art. {articles}: {ARTICLES[articles]}" if articles in ARTICLES else f"Art. {articles}"
    return ARTICLES.get(articles, "Art. " + wording.listed(articles.split("+")))


def _offence_words(rows: pd.DataFrame) -> PlotWords:
    measures = wording.listed(MEASURES.get(measure, measure) for measure in rows["measure"])
    hollow = " Hollow: part of a year." if rows["incomplete"].any() else ""
    subtitle = f"{wording.capital(measures)}, by year. Each panel has its own scale, from zero.{hollow}"
    return PlotWords("", subtitle, f"{rows['articles'].nunique()} panels of counts by year, each with its own axis.")


@plot(
    "Russia: Art. 337 (AWOL), 338 (desertion), 332 (refusal) and 339 (malingering)",
    {
        "articles": text("the article of the panel: 337, 338, 332, 339; panels come in the table's order"),
        "series": text("name of the series in the key: measure and compiler"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "value": numeric("the count; a zero is drawn as a zero"),
        "bound": BOUND,
        "incomplete": INCOMPLETE,
        "covers": COVERS,
        "ids": IDS,
    },
    _offence_words,
)
def offences(page: PlotPage, rows: pd.DataFrame) -> None:
    """One panel per article, each from zero on its own scale; rival series stand side by side within a year."""
    rows = wording.with_years(rows)
    names = list(dict.fromkeys(rows["series"]))
    looks = page.looks(rows)
    panels = panels_by(
        page, rows, "articles", (36, 42, 48), 2, name=article_name,
        key=[(looks[name], False, name) for name in names],
    )  # fmt: skip
    first, last = int(rows["year"].min()), int(rows["year"].max())
    for each, part in panels:
        year_axis(each, first, last, every=2)
        count_axis(each, max(part["value"].max(), 1) * 1.25, ticks=4)
        # Series that share a year stand beside each other, in the order of the key.
        place = part["series"].map(names.index).groupby(part["year"]).rank(method="dense")
        shift = 0.26 * (place - (place.groupby(part["year"]).transform("max") + 1) / 2)
        part = part.assign(x=part["x"] + shift).sort_values("x")
        page.connect(each, part, looks)
        # Later marks are labelled first: they are the subject of the plot.
        for row in records(part[::-1]):
            look = looks[row.series]
            page.stem(each, row.x, row.value, look)
            page.mark(each, row.x, row.value, look, row.ids, hollow=row.incomplete)
            page.value(each, wording.bounded(row.value, row.bound), (row.x, row.value), colour=look.ink)
