"""Counts a month as flat steps over the periods counted: one line for each counter, measure, articles and part.

Marks of different measures are never joined, and a riser joins two steps only where their periods touch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from desertion.plots import wording
from desertion.plots.contract import records
from desertion.plots.frame import PlotPage, gid
from desertion.plots.labels import LEADING
from desertion.plots.lettering import NBSP
from desertion.plots.palette import COUNTERS, INK, OFFICIAL, SOFT, Style, counters

#: Columns that tell one line from another.
KEY = ["compiler", "measure", "articles", "covers"]
#: Days between two periods that still touch: a page of 29 December counts the year.
GAP = 8
_MEASURES = {
    "persons_convicted": "persons convicted",
    "cases_received_by_court": "cases received by courts",
    "persons_charged": "persons charged",
    "verdicts": "verdicts",
}
#: Marker and filling of the measure of a counter without a line.
_DOTS = {"persons_convicted": (None, False), "cases_received_by_court": (None, True), "persons_charged": ("^", True)}


def measure_name(measure: str) -> str:
    """`cases received by courts`: a measure beside its line."""
    return _MEASURES.get(measure, measure.replace("_", " "))


def dot_name(measure: str) -> str:
    """`hollow`: how the dot of a measure looks."""
    marker, hollow = _DOTS.get(measure, ("s", True))
    return {None: "hollow" if hollow else "filled", "^": "triangle", "s": "square"}[marker]


def runs(line: pd.DataFrame) -> Iterator[list[Any]]:
    """The rows of one line, cut where periods do not touch."""
    ordered = list(records(line.sort_values("period_start", kind="stable")))
    run: list[Any] = []
    for row in ordered:
        if run and (row.period_start - run[-1].period_end).days > GAP:
            yield run
            run = []
        run.append(row)
    yield run


def counter_name(name: str) -> str:
    """The name of a counter, of an authority with the word."""
    return f"{name} (official)" if COUNTERS.get(name) is OFFICIAL else name


def part_note(counts: pd.DataFrame) -> str:
    """Which counts are of a part of the whole, and since when."""
    since: dict[tuple[str, str], pd.Timestamp] = {}
    for row in records(counts[counts["covers"] != ""].sort_values("period_start", kind="stable")):
        since.setdefault((row.compiler, row.covers), row.period_start)
    return " ".join(f"{name} from {start:%b %Y}: {covers}." for (name, covers), start in since.items())


def draw_steps(page: PlotPage, axes: Axes, rows: pd.DataFrame) -> None:
    """Each count as a flat step at its number a month, risers between those that touch; dots for a counter without."""
    looks = counters(rows["compiler"])
    # The thin lines lie over the thick ones.
    lines = [(looks[line["compiler"].iloc[0]], line) for _, line in rows.groupby(KEY, sort=False)]
    for look, line in sorted(lines, key=lambda each: -each[0].width):
        if not look.line:
            for row in records(line):
                marker, hollow = _DOTS.get(row.measure, ("s", True))
                dot = Style(look.colour, marker or look.marker, "")
                page.mark(axes, row.x, row.monthly, dot, row.ids, hollow=hollow, points=6.5)
            continue
        width = look.width * page.size.scale
        for run in runs(line):
            for row in run:
                dashes = (None, None) if row.bound == "exact" else (2.0, 1.0)
                ends = ([row.x0, row.x1], [row.monthly, row.monthly])
                axes.plot(*ends, color=look.colour, linewidth=width, dashes=dashes, zorder=3, gid=gid(row.ids))
                page.placer.path(axes, *ends, weight=5)
            for one, next_one in itertools.pairwise(run):
                ends = ([next_one.x0, next_one.x0], [one.monthly, next_one.monthly])
                axes.plot(*ends, color=look.colour, linewidth=0.45 * width, solid_capstyle="projecting", zorder=3)
                page.placer.path(axes, *ends, weight=5)


@dataclass
class EndLabel:
    """The name of a line, in bold, and words under it, right of the panel at the height of the line's end."""

    name: str
    words: str
    x: float
    y: float
    look: Style


def end_labels(page: PlotPage, axes: Axes, labels: Sequence[EndLabel], across: float) -> None:
    """Write labels right of the panel, no wider than `across` points; they are moved apart once the layout is known."""
    size = page.size.small
    written: list[tuple[EndLabel, list[Annotation], float]] = []
    for label in sorted(labels, key=lambda each: -each.y):
        parts = [
            (page.wrap(label.name, size, across, "bold"), "bold"),
            (page.wrap(label.words, size, across), "normal"),
        ]
        texts = [
            axes.annotate(
                words, (1, label.y), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points",
                va="top", fontsize=size, fontweight=weight, color=label.look.ink, linespacing=LEADING,
                annotation_clip=False,
            )
            for words, weight in parts
        ]  # fmt: skip
        lines = [1 + words.count("\n") for words, _ in parts]
        written.append((label, texts, lines[0] * LEADING * size))
        texts[1].lines = sum(lines)  # type: ignore[attr-defined]

    def part() -> None:
        frame = axes.get_window_extent()
        step = LEADING * size
        talls = [texts[1].lines * step for _, texts, _ in written]  # type: ignore[attr-defined]
        at = [float(axes.transData.transform((0, label.y))[1]) for label, *_ in written]
        tops = apart([y + 0.65 * step for y in at], talls, frame.y1 + step, frame.y0 - step)
        for (label, texts, head), top, y in zip(written, tops, at, strict=True):
            texts[0].set_position((8, top - y))
            texts[1].set_position((8, top - y - head))
            x = float(axes.transData.transform((label.x, label.y))[0])
            if frame.x1 - x > 8 and abs(top - 0.65 * step - y) < 3 * step:
                axes.annotate(
                    "", (1, label.y), xycoords=("axes fraction", "data"), xytext=(label.x, label.y),
                    textcoords="data", annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": label.look.colour, "linewidth": 0.7, "shrinkA": 5,
                                "shrinkB": 0},
                )  # fmt: skip

    page.then(part)


def apart(tops: Sequence[float], talls: Sequence[float], ceiling: float, floor: float) -> list[float]:
    """Tops of blocks, highest first, moved as little as needed so that none lies over another."""
    tops = list(tops)
    edge = ceiling
    for place, tall in enumerate(talls):
        tops[place] = min(tops[place], edge)
        edge = tops[place] - tall
    edge = floor
    for place in reversed(range(len(tops))):
        tops[place] = max(tops[place], edge + talls[place])
        edge = tops[place]
    return tops


def name_inside(page: PlotPage, axes: Axes, words: str, line: pd.DataFrame, look: Style) -> None:
    """The name of a line that ends early, above it."""

    def write() -> None:
        size = page.size.small
        left, right = (float(axes.transData.transform((x, 0))[0]) for x in (line["x0"].min(), line["x1"].max()))
        broken = page.wrap(words, size, max(right - left, 100.0), "bold")
        page.note(
            axes, broken, (line["x0"].min(), line["monthly"].max()), (3, 4), xycoords="data", ha="left", va="bottom",
            color=look.ink, fontweight="bold", linespacing=LEADING,
        )  # fmt: skip

    page.then(write)


def events(page: PlotPage, axes: Axes, rows: pd.DataFrame) -> None:
    """Events as thin lines, named at their left, the earliest lowest, so that no name crosses another event's line."""

    def write() -> None:
        size, frame = page.size.small, axes.get_window_extent()
        top = frame.y1 - 2.0
        for row in records(rows.sort_values("period_start", ascending=False, kind="stable")):
            x = float(axes.transData.transform((row.x0, 0))[0])
            words = page.wrap(
                f"{row.series}, {row.period_start:%b}{NBSP}{row.period_start.year}", size, min(x - frame.x0 - 6, 150.0)
            )
            tall = page.height_of(words, size)
            high = (top - frame.y0) / frame.height
            axes.axvline(row.x0, 0, high, color=SOFT, linewidth=0.8 * page.size.scale, zorder=1.5)
            page.note(
                axes, words, (row.x0, high), (-4, 0), xycoords=("data", "axes fraction"), ha="right", va="top",
                color=INK, linespacing=LEADING, multialignment="right",
            )  # fmt: skip
            top -= tall + 0.6 * size

    page.then(write)


def strip(page: PlotPage, axes: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    """The printed counts of each counter under its periods, below the axis; what is no calendar year gets a star."""
    size, looks = page.size.small, counters(rows["compiler"])
    last = int(axes.get_xlim()[1] - 1e-9)
    for place, name in enumerate(names):
        line = rows[rows["compiler"] == name].sort_values("period_start")
        down = -(2.6 + 1.3 * place) * size
        how: dict[str, Any] = {"va": "top", "color": looks[name].ink, "annotation_clip": False}
        how["xycoords"] = ("data", "axes fraction")
        for row in records(line):
            words = wording.bounded(row.value, row.bound) + "*" * (not _whole_year(row))
            if row.x0 >= last - 0.02 and row.x1 - last < 0.8:
                page.note(axes, words, (last, 0), (3, down), ha="left", **how)
            else:
                page.note(axes, words, (row.x, 0), (0, down), ha="center", **how)
        first = line.iloc[0]
        width = page.width_of(wording.bounded(first["value"], first["bound"]) + "*", size)
        words = f"Counted by {name}" if place == 0 else f"by {name}"
        page.note(axes, words, (first["x"], 0), (-0.5 * width - 8, down), ha="right", **how)


def other_periods(rows: pd.DataFrame, name: str) -> str:
    """`The Insider: Mar–Dec 2022, Jan–Jul 2025`: the periods of a counter that are no calendar years, or nothing."""
    line = rows[rows["compiler"] == name].sort_values("period_start")
    odd = [wording.period_of(row) for row in records(line) if not _whole_year(row)]
    return f"{name}: {', '.join(odd)}" if odd else ""


def _whole_year(row: Any) -> bool:
    return bool((row.period_end - row.period_start).days > 365 - GAP and row.period_start.day_of_year == 1)
