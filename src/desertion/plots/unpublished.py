"""What official totals of all offences leave for absence, desertion and evasion, beside what one counter saw."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from desertion.params.known import OTHER_OFFENCES
from desertion.plots import wording
from desertion.plots.axes import area, count_axis, runs, steps, year_axis
from desertion.plots.contract import END, IDS, START, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import ESTIMATE, RANGE, Style, counters
from desertion.plots.plot import PlotWords, plot


def _finding(rows: pd.DataFrame) -> str:
    """What is left in the last year that both counted, where the least of it is above the count; "" where it is not."""
    bounds, seen = (rows[rows["high"].notna() == bound] for bound in (True, False))
    days = (bounds["period_end"] - bounds["period_start"]).dt.days + 1
    for one in reversed(list(records(seen.sort_values("period_start")))):
        within = bounds["period_start"].ge(one.period_start) & bounds["period_end"].le(one.period_end)
        share = days[within] / ((one.period_end - one.period_start).days + 1)
        if abs(share.sum() - 1) > 0.01:
            continue
        low, high = ((bounds.loc[within, end] * share).sum() for end in ("low", "high"))
        if low <= one.value:
            return ""
        return (
            f"Official totals leave {_two(low)} to {_two(high)} convictions a month for leaving service in "
            f"{one.period_start.year}; {_two(one.value)} were counted"
        )
    return ""


def _two(value: float) -> str:
    """A number to two figures."""
    return wording.number(float(f"{value:.2g}"))


def _words(rows: pd.DataFrame) -> PlotWords:
    bounds = rows[rows["high"].notna()].sort_values("period_start")
    ends = "; ".join(
        f"{wording.period_of(row)} {wording.number(round(row.low))} to {wording.number(round(row.high))}"
        for row in records(bounds.iloc[[0, -1]] if len(bounds) > 1 else bounds)
    )
    seen = len(rows) - len(bounds)
    shape = f"Band of {len(bounds)} periods in steps, a month: {ends}" + f"; {seen} counts as lines" * bool(seen) + "."
    subtitle = "Persons convicted of absence, desertion or evasion (Art. 337–339), a month"
    return PlotWords(_finding(rows), subtitle, shape)


@plot(
    "Convictions that official totals leave for absence, desertion and evasion (Art. 337–339)",
    {
        "compiler": text("who counted"),
        "articles": text("articles counted: all offences, or those of the line"),
        "measure": text("what is counted"),
        "period_start": START,
        "period_end": END,
        "count": numeric("persons convicted in the period"),
        "value": numeric("the same a month"),
        "low": numeric("least that is left for the articles, a month; blank in the rows of the line", blank=True),
        "high": numeric("most that is left for the articles, a month", blank=True),
        "at": numeric("what is left with the assumed number of other offences, a month", blank=True),
        "ids": IDS,
    },
    _words,
)
def unpublished(page: PlotPage, rows: pd.DataFrame) -> None:
    """A band of what official totals leave for the articles, by half-year, and the steps of what a counter saw."""
    rows = wording.with_years(rows)
    looks = counters(rows["compiler"])
    bounds, seen = rows[rows["high"].notna()].sort_values("x0"), rows[rows["high"].isna()].sort_values("x0")
    (axes,) = page.grid(
        1, (72, 82, 82),
        notes="Range: the official total of all offences less {:,} to {:,} other offences a year, and no more than "
        "chapter 33 where that is printed. Official totals are of verdicts in force.".format(*OTHER_OFFENCES),
    )  # fmt: skip
    year_axis(axes, int(rows["x0"].min()), math.ceil(rows["x1"].max()) - 1)
    count_axis(axes, rows["value"].max() * 1.12)
    estimate = Style(ESTIMATE, "", "-", 1.1)
    for run in runs(bounds):
        area(axes, run, "low", "high", color=RANGE)
        _steps(page, axes, run, "value", looks[run["compiler"].iloc[0]])
        for part in runs(run[run["at"].notna()]):
            _steps(page, axes, part, "at", estimate)
    for row in records(seen):
        look = looks[row.compiler]
        ends, level, width = [row.x0, row.x1], [row.value] * 2, look.width * page.size.scale
        axes.plot(ends, level, color=look.colour, linewidth=width, zorder=4, gid=gid(row.ids))
        page.placer.path(axes, ends, level)
    official = looks[bounds["compiler"].iloc[-1]] if len(bounds) else estimate
    for part, column, words, look in (
        (bounds, "value", "All offences, official", official),
        (bounds[bounds["at"].notna()], "at", "Left if others are as assumed", estimate),
        *((own, "value", str(who), looks[str(who)]) for who, own in seen.groupby("compiler")),
    ):
        if len(part):
            last = part.iloc[-1]
            page.name(axes, words, [(last["x1"], last[column]), (last["x"], last[column])], look, prefer="E")
    for row in records(seen):
        words = wording.number(round(row.value))
        page.value(axes, words, (row.x, row.value), colour=looks[row.compiler].ink, prefer="S")


def _steps(page: PlotPage, axes: Any, run: pd.DataFrame, column: str, look: Style) -> None:
    """Periods that touch as flat steps, with thin risers between them."""
    x, y = steps(run), run[column].repeat(2).to_numpy()
    width = look.width * page.size.scale
    axes.plot(x, y, color=look.colour, linewidth=0.45 * width, zorder=2.5)
    for row in records(run):
        ends, level = [row.x0, row.x1], getattr(row, column)
        mark = gid(row.ids) if column == "value" else None
        axes.plot(ends, [level, level], color=look.colour, linewidth=width, zorder=3, gid=mark)
    page.placer.path(axes, x.tolist(), y.tolist())
