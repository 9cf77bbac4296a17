"""Growth from one year to the next, by stage of the proceedings and by counter."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from desertion.plots import wording
from desertion.plots.axes import factor_axis
from desertion.plots.contract import IDS, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.palette import Style, counters
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows

#: The shape of each stage; the colour is that of the counter.
SHAPES = {
    "registered": "s",
    "cleared": "P",
    "received by courts": "o",
    "verdict": "v",
    "convicted": "D",
    "convicted and in force": "^",
}
_DOUBLINGS = tuple(2.0**power for power in range(-6, 11))


def _finding(rows: pd.DataFrame) -> str:
    """The year whose growth depends on what is counted, and one in which all numbers nearly doubled; "" without."""
    apart, doubled = {}, []
    for year, part in rows.groupby("to_year"):
        ordered = part.sort_values("ratio", kind="stable")
        flat, steep = ordered.iloc[0], ordered.iloc[-1]
        if part["compiler"].nunique() < 2 or flat["ratio"] <= 1:
            continue
        if steep["low"] > flat["high"] and steep["ratio"] > 2 * flat["ratio"]:
            apart[steep["ratio"]] = f"{year:.0f}"
        elif steep["low"] <= flat["high"] and flat["ratio"] >= 1.7 and steep["ratio"] < 2.05:
            doubled.append(f"{year:.0f}")
    if not apart or not doubled:
        return ""
    steepest = apart[max(apart)]
    return f"How steep {steepest} was depends on what is counted; that numbers nearly doubled in {doubled[-1]} does not"


def _range(part: pd.DataFrame) -> str:
    least, most = (f"×{value:.1f}" for value in (part["ratio"].min(), part["ratio"].max()))
    return least if least == most else f"{least} to {most}"


def _words(rows: pd.DataFrame) -> PlotWords:
    years = list(rows.groupby("to_year"))
    ranges = "; ".join(f"{year:.0f} {_range(part)}" for year, part in years[-4:])
    return PlotWords(
        _finding(rows),
        "How many times as many as in the year before, by stage and counter",
        f"{len(rows)} dots on a log scale, by year, stage and counter: {ranges}.",
    )


#: End of a name that a row has no room for.
_OFFICE = "'s Office"


def _number(row: Any) -> str:
    """Both counts, with an asterisk where one is of a part of its year."""
    before, after = (
        wording.number(count) + "*" * bool(part)
        for count, part in ((row.from_count, row.from_part), (row.to_count, row.to_part))
    )
    return f"{before} → {after}"


@plot(
    "Growth of cases and convictions for absence (Art. 337) and other offences, by stage and counter",
    {
        "years": text("the pair of years: 2022 → 2023; heads a group of rows"),
        "to_year": numeric("the later year"),
        "stage": text(", ".join(SHAPES), words=SHAPES),
        "what": text("articles in words: Art. 337"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "from_count": numeric("earlier count"),
        "to_count": numeric("later count"),
        "from_part": text("what the earlier count covers of its year; blank for all", blank=True),
        "to_part": text("what the later count covers of its year; blank for all", blank=True),
        "ratio": numeric("later over earlier count, by the day", positive=True),
        "low": numeric("lower end of the interval of the ratio"),
        "high": numeric("upper end of the interval of the ratio"),
        "ids": IDS,
    },
    _words,
)
def stages(page: PlotPage, rows: pd.DataFrame) -> None:
    """One dot per stage, counter and pair of years on a log axis; a stage is a shape, a counter a colour."""
    small, scale = page.size.small, page.size.scale
    names = [f"{wording.capital(row.stage)}, {row.what}" for row in records(rows)]
    offices = rows["compiler"].str.removesuffix(_OFFICE).tolist()
    layout = Rows(page, [
        PlotRow(name if page.narrow else "", _number(row), row.years)
        for name, row in zip(names, records(rows), strict=True)
    ], strip=11)  # fmt: skip
    parts = list(filter(None, dict.fromkeys([*rows["from_part"], *rows["to_part"]])))
    once = "Each row is one counter, one stage and one set of articles; stages are never joined."
    axes = layout.panel(notes=f"* {wording.listed(parts)}: compared by the day.\n{once}" if parts else once)
    high = max(rows["ratio"].max(), 2.0)
    factor_axis(page, axes, min(rows["ratio"].min(), 1.0) / 1.12, high * (1.12 if page.narrow else 1.4), _DOUBLINGS)
    looks = counters(rows["compiler"])
    gap = max(page.width_of(counter, small, "bold") for counter in offices) + 1.2 * small
    left = -5 - gap - max(page.width_of(name, small) for name in names)
    for text_ in axes.texts[: 0 if page.narrow else len(layout.headers)]:
        text_.set(position=(left, 0))
    for y, name, counter, row in zip(layout.places, names, offices, records(rows), strict=True):
        look = looks[row.compiler]
        page.mark(axes, row.ratio, y, Style(look.colour, SHAPES[row.stage], ""), row.ids, points=6.0)
        bold: dict[str, Any] = {"color": look.ink, "fontweight": "bold", "va": "baseline"}
        grown, base = f"×{row.ratio:.1f}", -0.36 * small
        end = _beside(page, axes, row.ratio, y, f"{grown} {counter}", **bold) if page.narrow else row.ratio
        axes.plot([1, end], [y, y], color=look.colour, alpha=0.55, linewidth=1.5 * scale, zorder=2.5)
        if page.narrow:
            continue
        page.note(axes, grown, (row.ratio, y), (5.5, base), xycoords="data", ha="left", **bold)
        page.note(axes, counter, (0, y), (-5, base), ha="right", annotation_clip=False, **bold)
        page.note(axes, name, (0, y), (left, base), ha="left", va="baseline", annotation_clip=False)


def _beside(page: PlotPage, axes: Axes, x: float, y: float, words: str, **how: Any) -> float:
    """Words at the right of a dot and its line, or where the page ends at its left; returns where the line ends."""
    low, high = axes.get_xlim()
    across = 72 * (page.size.width - 0.25)
    wide, at = page.width_of(words, page.size.small, "bold"), max(x, 1.0)
    fits = math.log(at / low) / math.log(high / low) * across + wide + 8 < across
    page.note(
        axes, words, (at if fits else x, y), (6 if fits else -6, -0.36 * page.size.small), xycoords="data",
        ha="left" if fits else "right", in_layout=False, **how,
    )  # fmt: skip
    return x if fits else max(1.0, x * (high / low) ** (-(wide + 12) / across))
