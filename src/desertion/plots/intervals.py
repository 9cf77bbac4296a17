"""Intervals in rows: growth factors, and claims compared with the figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import FACTORS, RATIOS, factor_axis
from desertion.plots.contract import IDS, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.labels import INK
from desertion.plots.palette import GREY, VERMILION, Style
from desertion.plots.plot import plot
from desertion.plots.rows import PlotRow, Rows


def span(
    page: PlotPage,
    axes: Axes,
    low: float,
    high: float,
    y: float,
    colour: str,
    ids: str,
    *,
    tall: float = 4.5,
    hatched: bool = False,
) -> None:
    """A bar `tall` points high along a row, from one end of an interval to the other."""
    tall *= page.size.scale
    page.bar(axes, low, y - tall / 2, high - low, tall, colour, ids, hatched=hatched, zorder=3)


def _caps(page: PlotPage, axes: Axes, low: float, high: float, y: float, colour: str) -> None:
    tall = 2.0 * page.size.scale
    for x in (low, high):
        axes.plot([x, x], [y - tall, y + tall], color=colour, linewidth=0.9 * page.size.scale, zorder=3)


def tick(page: PlotPage, axes: Axes, x: float, y: float, ids: str) -> None:
    """An estimate as a thin upright line: a dot would hide a narrow interval."""
    tall = 4.0 * page.size.scale
    axes.plot([x, x], [y - tall, y + tall], color=INK, linewidth=1.3 * page.size.scale, zorder=5, gid=gid(ids))


def _factor(row: Any) -> str:
    if pd.isna(row.low):
        return f"×{wording.number(row.factor)}"
    return f"×{wording.interval(row.factor, row.low, row.high)}"


def _describe_growth(rows: pd.DataFrame) -> str:
    phrases = [f"Rows of growth factors on a log scale, {len(rows)} pairs of periods"]
    for series, part in rows.groupby("series", sort=False):
        pairs = []
        for row in records(part):
            words = f"{row.label} times {wording.number(row.factor)}"
            if pd.notna(row.low):
                words += f", exact interval {wording.number(row.low)} to {wording.number(row.high)}"
            if pd.notna(row.outer_low):
                words += (
                    f", at the assumed dispersion {wording.number(row.outer_low)} to {wording.number(row.outer_high)}"
                )
            pairs.append(words + ("" if pd.notna(row.low) else ", no interval"))
        phrases.append(f"{series}: " + "; ".join(pairs))
    each = list(records(rows))
    high, low = (end(each, key=lambda row: row.factor) for end in (max, min))
    phrases.append(f"Largest: {high.series}, {high.label}. Smallest: {low.series}, {low.label}")
    return ". ".join(phrases) + "."


@plot(
    "Russia: growth of convictions and cases for absence without leave (Art. 337)",
    {
        "series": text(
            "heading of a group of rows: offence, measure and compiler; rival compilers have groups of their own"
        ),
        "label": text("the pair of periods: 2021 → 2023"),
        "articles": text("articles counted"),
        "measure": text("what is counted"),
        "compiler": text("who counted"),
        "factor": numeric("later count divided by earlier count"),
        "low": numeric("lower end of the exact interval; blank where there is none", blank=True),
        "high": numeric("upper end of the exact interval", blank=True),
        "outer_low": numeric("lower end at the assumed dispersion", blank=True),
        "outer_high": numeric("upper end at the assumed dispersion", blank=True),
        "level": numeric("level of the intervals in percent, one for the whole table"),
        "dispersion": numeric("the assumed variance over the mean, one for the whole table"),
        "ids": IDS,
    },
    _describe_growth,
)
def growth(page: PlotPage, rows: pd.DataFrame) -> None:
    """Growth factors on a log scale: thick bar exact, thin bar at an assumed dispersion, else a hollow mark."""
    for column in ("level", "dispersion"):
        if rows[column].nunique() > 1:
            raise ArgumentError(f"plot growth: column {column!r} has several values; a plot shows one")
    if (rows["factor"] <= 0).any():
        raise ArgumentError("plot growth: column 'factor' has a value of zero or less, and the axis is a log axis")
    level, dispersion = (wording.number(rows[column].iloc[0]) for column in ("level", "dispersion"))
    layout = Rows(page, [PlotRow(row.label, _factor(row), row.series) for row in records(rows)])
    points = " Hollow: the counts give no interval." if rows["low"].isna().any() else ""
    axes = layout.panel(
        f"factor ({level} %)",
        subtitle=f"Later count ÷ earlier count, log scale. Thick bar: exact {level} % interval (Poisson). "
        f"Thin bar: {level} % if counts vary {dispersion} times as much.{points}",
    )
    ends = rows[["factor", "low", "high", "outer_low", "outer_high"]]
    factor_axis(page, axes, min(ends.min().min(), 1) / 1.15, max(ends.max().max(), 1) * 1.15, FACTORS)
    looks = page.looks(rows)
    for y, row in zip(layout.places, records(rows), strict=True):
        look = looks[row.series]
        if pd.notna(row.outer_low):
            span(page, axes, row.outer_low, row.outer_high, y, look.colour, row.ids, tall=0.9)
            _caps(page, axes, row.outer_low, row.outer_high, y, look.colour)
        if pd.notna(row.low):
            span(page, axes, row.low, row.high, y, look.colour, row.ids)
        if pd.isna(row.low):
            page.mark(axes, row.factor, y, look, row.ids, hollow=True)
        else:
            tick(page, axes, row.factor, y, row.ids)


def _stated(row: Any) -> str:
    """The claim as printed, with the range that its words admit."""
    ends = (row.stated_low, row.stated_high)
    if any(pd.isna(end) for end in ends) or ends[0] == ends[1]:
        return f"“{row.stated}”"
    return f"“{row.stated}” ({wording.number(ends[0])}–{wording.number(ends[1])})"


def _computed(row: Any) -> str:
    if pd.isna(row.low) or row.low == row.high:
        return wording.number(row.computed)
    return wording.interval(row.computed, row.low, row.high)


def _describe_claims(rows: pd.DataFrame) -> str:
    phrases = [
        f"Rows of {len(rows)} claims: what each states over what the figures give, on a log axis where 1 is agreement"
    ]
    for verdict, part in rows.groupby("verdict", sort=False):
        phrases.append(
            f"{wording.capital(str(verdict))}: "
            + "; ".join(f"{row.label}, said {_stated(row)}, computed {_computed(row)}" for row in records(part))
        )
    return ". ".join(phrases) + "."


@plot(
    "Claims about Art. 337 (AWOL), 338 (desertion) and 332 (refusal), recomputed",
    {
        "claim": text("id of the claim"),
        "label": text("the claim in a few words"),
        "stated": text("what is printed: almost ninefold, more than 700"),
        "stated_low": numeric("lower end of what the words admit; blank where it is open", blank=True),
        "stated_high": numeric("upper end of what the words admit; blank where it is open", blank=True),
        "computed": numeric("what the figures give, above zero"),
        "low": numeric("lower end of the computed interval; blank where the figures are exact", blank=True),
        "high": numeric("upper end of the computed interval", blank=True),
        "verdict": text("heading of the row's group: holds, does not hold, cannot be told, …"),
        "ids": IDS,
    },
    _describe_claims,
)
def claims(page: PlotPage, rows: pd.DataFrame) -> None:
    """Stated value of each claim divided by the computed one: a range that overlaps the interval can hold."""
    if (rows["computed"] <= 0).any():
        raise ArgumentError("plot claims: column 'computed' has a value of zero or less; the plot divides by it")
    if (rows["stated_low"].isna() & rows["stated_high"].isna()).any():
        raise ArgumentError("plot claims: a row has neither stated_low nor stated_high")
    order = {verdict: place for place, verdict in enumerate(dict.fromkeys(rows["verdict"]))}
    rows = rows.sort_values("verdict", key=lambda column: column.map(order), kind="stable")
    words = [(f"{row.label}: {_stated(row)}", _computed(row), wording.capital(row.verdict)) for row in records(rows)]
    layout = Rows(page, [PlotRow(*each) for each in words], strip=11)
    claim_look, figure_look = Style(VERMILION, "s", ""), Style(GREY, "s", "")
    axes = layout.panel(
        "computed",
        subtitle="Stated ÷ computed, log scale: ×1 is agreement. The number at the right is what the figures give.",
        key=[(claim_look, False, "what the words admit"), (figure_look, False, "what the figures give (interval)")],
    )
    ends = pd.concat([rows[column] / rows["computed"] for column in ("stated_low", "stated_high", "low", "high")])
    low, high = min(ends.min(), 0.9) / 1.08, max(ends.max(), 1.1) * 1.08
    factor_axis(page, axes, low, high, FACTORS if high / low > 12 else RATIOS)
    shift = 2.4 * page.size.scale
    for y, row in zip(layout.places, records(rows), strict=True):
        stated = [end / row.computed for end in (row.stated_low, row.stated_high)]
        _range(page, axes, stated, y - shift, claim_look, row.ids)
        given = [row.low / row.computed, row.high / row.computed] if pd.notna(row.low) else [1.0, 1.0]
        _range(page, axes, given, y + shift, figure_look, row.ids)


def _range(page: PlotPage, axes: Axes, ends: Sequence[float], y: float, look: Style, ids: str) -> None:
    """A range as a bar; one value as a mark; an open end as a bar to the edge with an arrow."""
    low, high = ends
    left, right = axes.get_xlim()
    if low == high:
        page.mark(axes, low, y, look, ids, points=4.2)
        return
    span(
        page, axes, left if math.isnan(low) else low, right if math.isnan(high) else high, y, look.colour, ids, tall=3.4
    )
    inside = (right / left) ** 0.007
    for end, edge, marker in ((low, left * inside, "<"), (high, right / inside, ">")):
        if math.isnan(end):
            axes.plot(
                [edge], [y], marker=marker, color=look.colour, markersize=5 * page.size.scale, clip_on=False, zorder=4
            )
