"""The long view: cases and persons a month since 2013, by who counted."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import count_axis, year_axis
from desertion.plots.contract import BOUND, COVERS, IDS, date, numeric, text
from desertion.plots.frame import PlotPage
from desertion.plots.palette import counters
from desertion.plots.plot import EVENT, PlotWords, plot
from desertion.plots.steps import (
    EndLabel,
    counter_name,
    dot_name,
    draw_steps,
    end_labels,
    events,
    measure_name,
    name_inside,
    other_periods,
    part_note,
    strip,
)
from desertion.vocabulary import articles_label

#: Words of the title by measure, the first that has a finding.
_FOUND = {
    "cases_received_by_court": "Russian courts received {after} cases of absent soldiers a month in {last}, against "
    "{before} in {first}",
    "persons_convicted": "Russian courts convicted {after} soldiers of absence a month in {last}, against {before} in "
    "{first}",
}


def _words(rows: pd.DataFrame) -> PlotWords:
    counts = rows[rows["measure"] != EVENT]
    subtitle = "Absence without leave (Art. 337): cases or persons a month, over the periods that were counted"
    shape = []
    for (compiler, measure), line in counts.groupby(["compiler", "measure"], sort=False):
        line = line.sort_values("period_start")
        first, last = (wording.about(line["monthly"].iloc[place]) for place in (0, -1))
        if len(line) > 2:
            shape.append(f"{compiler}, {measure_name(str(measure))}: {first} to {last}")
    return PlotWords(_finding(wording.with_years(counts)), subtitle, "Steps. " + "; ".join(shape) + ".")


def _finding(counts: pd.DataFrame) -> str:
    """That the number at least doubled between the first and last whole year, by the counter of most periods."""
    for measure, words in _FOUND.items():
        lines = counts[counts["measure"].eq(measure) & counts["articles"].eq("337")]
        long = lines[(lines["period_end"] - lines["period_start"]).dt.days > 300]
        if long.empty:
            continue
        periods = long.groupby("compiler")["period_end"].agg(["size", "max"])
        periods = periods.sort_values(["size", "max"], kind="stable")
        line = long[long["compiler"] == periods.index[-1]].sort_values("period_end", kind="stable")
        before, after = line.iloc[0], line.iloc[-1]
        if after["monthly"] > 2 * before["monthly"]:
            return words.format(
                after=f"about {wording.about(after['monthly'])}", before=wording.about(before["monthly"]),
                first=before["year"], last=after["year"],
            )  # fmt: skip
    return ""


@plot(
    "Soldiers before Russian courts for absence without leave (Art. 337), by month",
    {
        "series": text("name of the series; of an event: what happened, in a few words"),
        "measure": text("what is counted; `event` in the rows of dated events"),
        "articles": text("articles counted: 337, 337+338+339", blank=True),
        "compiler": text("who counted", blank=True),
        "period_start": date("first day; of an event: its day"),
        "period_end": date("last day; of an event: its day"),
        "value": numeric("the count; blank for an event", blank=True),
        "monthly": numeric("the count for each month (30.4375 days) of its period; blank for an event", blank=True),
        "bound": replace(BOUND, meaning=f"{BOUND.meaning}; blank for an event", blank=True),
        "covers": COVERS,
        "ids": IDS,
    },
    _words,
)
def long_view(page: PlotPage, rows: pd.DataFrame) -> None:
    """Counts a month by counter as flat steps over the periods counted, the printed counts below, three events."""
    rows = wording.with_years(rows)
    dated, counts = (rows[rows["measure"].eq(EVENT) == each] for each in (True, False))
    if counts[["value", "monthly", "bound"]].replace("", None).isna().any(axis=None):
        raise ArgumentError("plot long_view: a row that is no event needs a value, its number a month and a bound")
    looks = counters(counts["compiler"])
    named = [name for name, look in looks.items() if look.line]
    first, end = int(rows["x0"].min()), max(float(counts["x1"].max()), float(rows["x1"].max()))
    ends = {name: float(counts.loc[counts["compiler"] == name, "x1"].max()) for name in named}
    late = [name for name in named if end - ends[name] < 0.2 * (end - first)]
    (axes,) = page.grid(1, (88, 84, 84), notes=_notes(page, counts, late))
    year_axis(axes, first, end, every=3 if page.narrow else 1)
    count_axis(axes, counts["monthly"].max() * 1.1)
    events(page, axes, dated)
    draw_steps(page, axes, counts)
    labels = []
    for name, look in looks.items():
        line = counts[counts["compiler"] == name].sort_values("period_end")
        last = line.iloc[-1]
        if look.line and name not in late:
            period = wording.period(line["period_start"].min(), line["period_end"].max())
            name_inside(page, axes, f"{counter_name(name)}: {measure_name(last['measure'])}, {period}", line, look)
            continue
        words = f"{measure_name(last['measure'])}: {round(last['monthly'])} a month, {wording.period_of(last)}"
        if not look.line:
            words = "\n".join(
                f"{dot_name(measure)}: {measure_name(measure)}" for measure in line["measure"].unique()[::-1]
            )
        labels.append(EndLabel(name, words, last["x1"] if look.line else last["x"], last["monthly"], look))
    end_labels(page, axes, labels, 78 if page.narrow else 116)
    if not page.narrow:
        strip(page, axes, counts, late)


def _notes(page: PlotPage, counts: pd.DataFrame, late: list[str]) -> str:
    """What a number of the plot covers where that is no calendar year, or not the whole of Art. 337 alone."""
    words = []
    odd = [other_periods(counts, name) for name in late]
    if any(odd) and not page.narrow:
        words.append(f"* {'; '.join(filter(None, odd))}.")
    words.append(part_note(counts))
    for (name, articles), _ in counts[counts["articles"] != "337"].groupby(["compiler", "articles"]):
        words.append(f"{name}: {articles_label(str(articles))} together.")
    return " ".join(filter(None, words))
