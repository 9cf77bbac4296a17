"""Offences: how many cases each has, and its counts a month side by side."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from desertion.plots import wording
from desertion.plots.axes import count_axis, panel_title, year_axis
from desertion.plots.contract import BOUND, COVERS, END, IDS, START, flag, numeric, records, text
from desertion.plots.frame import MARGIN, PlotPage
from desertion.plots.palette import SOFT, counters
from desertion.plots.plot import PlotWords, plot
from desertion.plots.steps import counter_name, dot_name, draw_steps, measure_name, part_note
from desertion.vocabulary import ARTICLES

#: Tops of an axis whose three gridlines have plain numbers.
_TOPS = [3 * base * 10**power for power in range(7) for base in (1, 2, 3, 5)]


def article_name(articles: str) -> str:
    """`Absence without leave, Art. 337`; a sum of articles under its own name."""
    if articles in ARTICLES:
        return f"{wording.capital(ARTICLES[articles].removesuffix(' and other evasion'))}, Art. {articles}"
    return "Art. " + wording.listed(articles.split("+"))


def _words(rows: pd.DataFrame) -> PlotWords:
    totals, counts = rows[rows["total"]], rows[~rows["total"]]
    shape = f"Steps of counts a month in {counts['articles'].nunique()} panels"
    if totals.empty:
        return PlotWords("", "Cases or persons a month, over the periods that were counted", f"{shape}.")
    shares = totals.set_index("articles")["value"] / totals["value"].sum()
    subtitle = (
        f"{wording.capital(measure_name(totals['measure'].iloc[0]))} in Russia, "
        f"{wording.period(totals['period_start'].min(), totals['period_end'].max())}"
    )
    bars = ", ".join(f"{ARTICLES[row.articles]} {wording.number(row.value)}" for row in records(totals))
    return PlotWords(_finding(shares), subtitle, f"Bars: {bars}. {shape}.")


def _finding(shares: pd.Series) -> str:
    """That most cases are of absence, and whether desertion is rare."""
    absence, desertion = shares.get("337", 0.0), shares.get("338", 1.0)
    if absence <= 0.5:
        return ""
    rare = "; desertion proper (Art. 338) is rare" if desertion < 0.1 else ""
    return f"{wording.capital(wording.tenths(absence))} cases are absence without leave{rare}"


@plot(
    "Absence (Art. 337), desertion (338), refusal (332) and malingering (339) before Russian courts",
    {
        "articles": text("the article: 337, 338, 332, 339; bars and panels come in the table's order"),
        "series": text("name of the series: measure and compiler"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "value": numeric("the count; a zero is drawn as a zero"),
        "monthly": numeric("the count for each month (30.4375 days) of its period"),
        "total": flag("whether it is a running total, drawn as a bar"),
        "bound": BOUND,
        "covers": COVERS,
        "ids": IDS,
    },
    _words,
)
def offences(page: PlotPage, rows: pd.DataFrame) -> None:
    """Running totals of the same days as bars; below, one panel per article with its counts a month."""
    rows = wording.with_years(rows)
    totals, counts = rows[rows["total"]].sort_values("value", ascending=False), rows[~rows["total"]]
    articles = list(dict.fromkeys(counts["articles"]))
    columns = 1 if page.narrow else 2
    tops = _tops(counts)
    heights = [9 + 7 * len(totals) + (20 if page.narrow else 14)] * bool(len(totals))
    heights += [{"single": 40, "double": 46, "slide": 48}[page.kind]] * math.ceil(len(articles) / columns)
    axes = page.panels(
        len(articles), columns, first=int(len(totals) > 0), heights=heights, notes=_notes(counts, bool(len(totals)))
    )
    if len(totals):
        _bars(page, axes.pop(0), totals, _scales(tops))
    first, end = int(counts["x0"].min()), float(counts["x1"].max())
    for each, article in zip(axes, articles, strict=True):
        part = counts[counts["articles"] == article]
        panel_title(each, article_name(article), page.size.text)
        year_axis(each, first, end, every=4)
        count_axis(each, tops[article])
        each.set_yticks([place * tops[article] / 3 for place in range(4)])
        draw_steps(page, each, part)
        _label(page, each, part, first=article == articles[0])
        if end - part["x1"].max() > 1:
            words = f"no count after {part['year'].max()}"
            page.note(each, words, (1, 0.5), (-2, 0), xycoords="axes fraction", ha="right", va="center", color=SOFT)


def _tops(counts: pd.DataFrame) -> dict[str, float]:
    """The end of each panel's axis: one for all but the highest, whose axis is a plain number of times as long."""
    most = counts.groupby("articles", sort=False)["monthly"].max() * 1.1
    large, longest = most.idxmax(), float(most.max())
    small = next(top for top in _TOPS if top >= max([*most.drop(large), 1.0]))
    times = next(each for each in (1, 2, 5, 10, 20, 50, 100, 1000) if small * each >= longest)
    return {article: float(small * (times if article == large else 1)) for article in map(str, most.index)}


def _scales(tops: dict[str, float]) -> str:
    small, large = min(tops.values()), max(tops.values())
    if small == large:
        return "All panels share one axis."
    name = ARTICLES[next(article for article, top in tops.items() if top == large)]
    return f"The panels share one axis; that of {name} is {wording.count(large / small)} times as long."


def _bars(page: PlotPage, axes: Axes, totals: pd.DataFrame, scales: str) -> None:
    """The totals as bars with their numbers, and under them the heading of the panels."""
    size, look = page.size, counters(totals["compiler"])[totals["compiler"].iloc[0]]
    whole = totals["value"].sum()
    axes.set(xlim=(0, 1.25 * totals["value"].max()), ylim=(len(totals) - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)
    names = [ARTICLES[article] if page.narrow else article_name(article) for article in totals["articles"]]
    axes.set_yticks(range(len(totals)), [wording.capital(name) for name in names], fontsize=size.small)
    for place, row in enumerate(records(totals)):
        page.bar(axes, 0, place - 0.32, row.value, 0.64, look.colour, row.ids)
        words = wording.bounded(row.value, row.bound) + f"  {100 * row.value / whole:.0f} %" * (not page.narrow)
        page.note(
            axes, words, (row.value, place), (5, 0), xycoords="data", va="center", color=look.ink, fontweight="bold"
        )
    left = MARGIN / size.width
    how: dict[str, Any] = {"xycoords": ("figure fraction", "axes fraction"), "va": "top", "annotation_clip": False}
    page.note(
        axes, "Each offence over time: cases or persons a month", (left, 0), (0, -8), fontsize=size.text,
        fontweight="bold", **how,
    )  # fmt: skip
    words = page.wrap(scales, size.small, (size.width - 2 * MARGIN) * 72)
    page.note(axes, words, (left, 0), (0, -8 - 1.45 * size.text), color=SOFT, linespacing=1.3, **how)


def _label(page: PlotPage, axes: Axes, rows: pd.DataFrame, *, first: bool) -> None:
    """The last number of each line, and in the first panel the name of each counter."""
    for name, look in counters(rows["compiler"]).items():
        line = rows[rows["compiler"] == name].sort_values("period_end")
        last = line.iloc[-1]
        if look.line and last["x1"] > axes.get_xlim()[1] - 1:
            words = wording.number(round(last["monthly"]))
            page.note(axes, words, (last["x1"], last["monthly"]), (0, 3), xycoords="data", ha="right", va="bottom",
                      color=look.ink)  # fmt: skip
        if first:
            points = [(row.x, row.monthly) for row in records(line[::-1])]
            words = f"{counter_name(name)}: {measure_name(last['measure'])}" if look.line else name
            page.name(axes, words, points, look, prefer="NW", weight="normal")


def _notes(counts: pd.DataFrame, totals: bool) -> str:
    """What the dots mean, and what is counted of the whole."""
    words = [part_note(counts)]
    looks = counters(counts["compiler"])
    dots = counts[counts["compiler"].map(lambda name: not looks[name].line)]
    for name, line in dots.groupby("compiler"):
        named = (f"{dot_name(measure)}, {measure_name(measure)}" for measure in dict.fromkeys(line["measure"]))
        words.append(f"{name}: {'; '.join(named)}.")
    return "\n".join(filter(None, words))
