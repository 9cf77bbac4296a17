"""Coverage and conflicts of the statements: months counted by anyone, rival values of one count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import FACTORS, RATIOS, factor_axis, year_axis
from desertion.plots.contract import COVERS, END, IDS, START, flag, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import BLUE, GREY, STEPS, VERMILION, Style
from desertion.plots.plot import plot
from desertion.plots.rows import PlotRow, Rows

#: Classes of period: longest length in days, name, height of the bar as a share of its row.
FINENESS = ((1e9, "longer", 0.34), (370, "a year", 0.56), (190, "up to half a year", 0.78), (31, "a month", 1.0))


def fineness(rows: pd.DataFrame) -> pd.Series:
    """The place in `FINENESS` of each row's period."""
    days = (rows["period_end"] - rows["period_start"]).dt.days + 1
    return days.map(lambda each: max(step for step, (most, _, _) in enumerate(FINENESS) if each <= most))


def _months(rows: pd.DataFrame) -> int:
    """Number of calendar months that these periods touch."""
    periods = zip(rows["period_start"], rows["period_end"], strict=True)
    return len({month for start, end in periods for month in pd.period_range(start, end, freq="M")})


def _describe_coverage(rows: pd.DataFrame) -> str:
    rows = rows.assign(step=fineness(rows))
    first, last = rows["period_start"].min(), rows["period_end"].max()
    phrases = [
        f"Bars along a calendar from {wording.day(first)} to {wording.day(last)}, one row for each offence and "
        f"measure, {len(rows)} counts; finer counts lie darker and taller over coarser ones"
    ]
    for name, part in rows.groupby("row", sort=False):
        fine = _months(part[part["step"] == len(FINENESS) - 1])
        phrases.append(
            f"{name}: {_plural(len(part), 'count')}, {part['period_start'].min():%Y} to {part['period_end'].max():%Y}"
            + (f", {_plural(fine, 'single month')}" if fine else "")
        )
    return ". ".join(phrases) + "."


def _plural(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


@plot(
    "Russia: which months of Art. 337, 338, 332 and 339 anyone counted, and how finely",
    {
        "row": text("words of the row: offence and measure; rows come in the table's order"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "period_start": START,
        "period_end": END,
        "covers": COVERS,
        "ids": IDS,
    },
    _describe_coverage,
)
def coverage(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per offence and measure, one bar per count over its period; the shortest periods lie on top."""
    rows = wording.with_years(rows).assign(step=fineness(rows))
    names = list(dict.fromkeys(rows["row"]))
    counts = rows["row"].value_counts()
    layout = Rows(page, [PlotRow(name, str(counts[name])) for name in names], strip=9)
    axes = layout.panel(
        "counts",
        subtitle="Each bar is the period of one count; a running total is one long bar.",
        key=[(Style(STEPS[step], "s", ""), False, words) for step, (_, words, _) in enumerate(FINENESS)],
    )
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max())) - 1
    year_axis(axes, first, last, every=4 if page.narrow else 2 if last - first > 9 else 1)
    axes.grid(axis="x", which="major")
    strip = layout.strip * page.size.scale
    for row in records(rows.sort_values(["step", "period_start", "period_end"], kind="stable")):
        tall = FINENESS[row.step][2] * strip
        place = layout.places[names.index(row.row)]
        # A hair of white between neighbours: single months stay single.
        axes.add_patch(
            Rectangle(
                (row.x0, place - tall / 2),
                row.x1 - row.x0,
                tall,
                facecolor=STEPS[row.step],
                edgecolor="white",
                linewidth=0.25 * page.size.scale,
                zorder=2 + row.step,
                gid=gid(row.ids),
            )
        )


def _values(part: pd.DataFrame) -> str:
    """The values of one count, the chosen one first; if they are equal, what else differs between the readings."""
    ordered = part.sort_values("chosen", ascending=False, kind="stable")["value"]
    values = list(dict.fromkeys(wording.number(value) for value in ordered))
    unit = {"percent": " %", "months": " months"}.get(part["unit"].iloc[0], "")
    differs = part["differs"].iloc[0].replace("+", ", ")
    return " v ".join(values) + unit + ("" if len(values) > 1 else f" ({differs})")


def _describe_conflicts(rows: pd.DataFrame) -> str:
    labels = rows["label"].nunique()
    phrases = [
        f"Dot plot of the rival readings of {_plural(labels, 'count')}, divided by the one chosen, on a log axis"
    ]
    spread = rows.groupby("label", sort=False)["value"].agg(lambda values: values.max() / values.min())
    same = int((spread == 1).sum())
    if same:
        phrases.append(f"In {_plural(same, 'count')} all readings have one value and differ in period or measure")
    for label in spread[spread > 1].sort_values(ascending=False, kind="stable").index:
        part = rows[rows["label"] == label]
        phrases.append(f"{label}: {_values(part)}" + ("" if part["chosen"].any() else ", none chosen"))
    return ". ".join(phrases) + "."


@plot(
    "Russia: rival readings of one count, Art. 337 (AWOL), 338 (desertion), 332 (refusal)",
    {
        "label": text("words of the row: the count that is in conflict; rows come in the table's order"),
        "articles": text("articles counted"),
        "measure": text("what this reading says is counted"),
        "unit": text("unit of the value: persons, cases, percent, months"),
        "value": numeric("the reading's value, above zero"),
        "differs": text("in what the readings differ: value, period, measure, joined by +"),
        "chosen": flag("whether this reading is the one chosen; where none is, the first of the count is the base"),
        "ids": IDS,
    },
    _describe_conflicts,
)
def conflicts(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per conflict, one dot per reading, divided by the chosen one, which is full; rivals are hollow."""
    if (rows["value"] <= 0).any():
        raise ArgumentError("plot conflicts: a value of zero or less has no place on the log axis")
    base = rows.sort_values("chosen", ascending=False, kind="stable").groupby("label")["value"].transform("first")
    rows = rows.assign(ratio=rows["value"] / base)
    parts = {str(name): part for name, part in rows.groupby("label", sort=False)}
    stack = max(map(len, parts.values())) // 2
    layout = Rows(page, [PlotRow(name, _values(part)) for name, part in parts.items()], strip=5 + 2 * _STEP * stack)
    axes = layout.panel(
        "values",
        subtitle="Each reading ÷ the reading chosen, log scale. Readings of one value stand over each other.",
        key=[(_CHOSEN, False, "reading chosen"), (_RIVAL, True, "rival reading")],
    )
    low, high = min(rows["ratio"].min(), 0.8) / 1.06, max(rows["ratio"].max(), 1.25) * 1.06
    factor_axis(page, axes, low, high, RATIOS if high / low < 12 else FACTORS)
    wide = (page.size.width * 72 * (0.9 if page.narrow else 0.4)) / np.log(high / low)
    for place, part in zip(layout.places, parts.values(), strict=True):
        axes.plot(
            [part["ratio"].min(), part["ratio"].max()],
            [place, place],
            color=GREY,
            linewidth=0.8 * page.size.scale,
            zorder=2,
        )
        seen: list[float] = []
        for row in records(part.sort_values("chosen", ascending=False, kind="stable")):
            at = float(np.log(row.ratio) * wide)
            near = sum(abs(at - other) < 4.5 * page.size.scale for other in seen)
            seen.append(at)
            # Marks that would hide each other step up and down in turn; their place along the axis stays true.
            step = (near + 1) // 2 * (1 if near % 2 else -1) * _STEP * page.size.scale
            page.mark(
                axes,
                row.ratio,
                place + step,
                _CHOSEN if row.chosen else _RIVAL,
                row.ids,
                hollow=not row.chosen,
                points=4.2,
            )


#: Distance by which marks that would hide each other are moved apart, in points.
_STEP = 4.2
_CHOSEN, _RIVAL = Style(BLUE, "o", ""), Style(VERMILION, "D", "")
