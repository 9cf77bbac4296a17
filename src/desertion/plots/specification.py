"""The specification curve: one number under every choice that could have been made (Simonsohn et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Transform
from numpy.typing import ArrayLike, NDArray

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import FACTORS, RATIOS, factor_axis
from desertion.plots.contract import IDS, flag, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.labels import LEADING
from desertion.plots.palette import ESTIMATE, GREY, INK, SOFT, Style
from desertion.plots.plot import PlotWords, plot

Floats = NDArray[np.float64]

_MAIN = Style(INK, "D", "-")
_INTERVAL, _REFUSED = "#ABABAB", "#DADADA"
#: Below this room for one specification, in points, single marks would run into each other.
_ROOM = 1.6


def options(rows: pd.DataFrame) -> pd.DataFrame:
    """The column `choices` (`rule: own-page-first; …`) as a table: one row per specification, one column per choice.

    Raises ArgumentError for a part that is no `choice: option` and for a row with other choices than the first.
    """
    used: list[dict[str, str]] = []
    for place, words in enumerate(rows["choices"]):
        parts = [part.partition(":") for part in words.split(";")]
        taken = {name.strip(): option.strip() for name, _, option in parts}
        if len(taken) < len(parts) or not all(name and option for name, option in taken.items()):
            raise ArgumentError(
                f"plot specification_curve: row {place}: column 'choices' {words!r} is no 'choice: option; choice: …'"
            )
        if used and list(taken) != list(used[0]):
            raise ArgumentError(
                f"plot specification_curve: row {place}: column 'choices' has {', '.join(taken)}; "
                f"the first row has {', '.join(used[0])}"
            )
        used.append(taken)
    return pd.DataFrame(used, index=rows.index)


def _check(rows: pd.DataFrame) -> None:
    ends = rows[["factor", "low", "high"]]
    if (ends.notna().any(axis=1) & rows["refused"]).any() or (ends.isna().any(axis=1) & ~rows["refused"]).any():
        raise ArgumentError(
            "plot specification_curve: column 'factor', 'low' or 'high' is blank in a row that is not refused, "
            "or filled in one that is"
        )
    if (ends <= 0).any(axis=None):
        raise ArgumentError("plot specification_curve: a factor or an end of zero or less has no place on a log axis")
    if rows["level"].nunique() > 1:
        raise ArgumentError("plot specification_curve: column 'level' has several values; a plot shows one")
    if rows["main"].sum() > 1:
        raise ArgumentError(
            "plot specification_curve: column 'main' is true in several rows; the report makes one choice"
        )


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """By factor, refused ones last; equal factors by their choices, so that the table's order moves nothing."""
    return rows.sort_values(["refused", "factor", "low", "choices"], kind="stable").reset_index(drop=True)


def _middle(factors: pd.Series[Any]) -> str:
    """The lower median as it stands in the table, which a mean of two would not."""
    known = factors.dropna().sort_values()
    return f"×{wording.number(known.iloc[(len(known) - 1) // 2])}" if len(known) else "none"


def _interval(row: Any) -> str:
    # As many digits as the table has: made equally long, 13.7 beside 1.78 would claim to be 13.70.
    factor, low, high = (wording.number(each) for each in (row.factor, row.low, row.high))
    return f"×{factor} ({low}–{high})"


def _counted(count: int, noun: str = "specification") -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _words(rows: pd.DataFrame) -> PlotWords:
    _check(rows)
    choices, rows = options(_ordered(rows)), _ordered(rows)
    known = rows[~rows["refused"]]
    level = wording.number(rows["level"].iloc[0])
    subtitle = (
        f"Later count ÷ earlier count, log scale, sorted: {_counted(len(rows))}. Each tick below marks an option in "
        "use; at the right, the middle factor of those that use it."
    )
    words = [
        f"{_counted(len(rows))} of {len(choices.columns)} choices, sorted by growth, each with its {level} % range"
    ]
    if len(known):
        least, most = (wording.number(known[end].iloc[place]) for end, place in (("factor", 0), ("factor", -1)))
        words.append(f"from ×{least} to ×{most}, {_middle(known['factor'])} in the middle")
    if len(known) < len(rows):
        words.append(f"{len(rows) - len(known):,} refused")
    return PlotWords("", subtitle, "; ".join(words) + ".")


def _in_order(used: pd.Series[Any]) -> list[str]:
    """The options of one choice: numbers by size, words by the alphabet."""

    def place(option: str) -> tuple[bool, float, str]:
        try:
            return (False, float(option), "")
        except ValueError:
            return (True, 0.0, option)

    return sorted(set(used), key=place)


class _Rounded(Transform):
    """Points rounded to a tenth across and to `down` from the top, where SVG begins.

    Six decimals for each of thousands of ticks would make the file three times as large.
    """

    input_dims = output_dims = 2

    def __init__(self, figure: Figure, down: float) -> None:
        super().__init__()
        self._figure, self._down = figure, down

    def transform_non_affine(self, values: ArrayLike) -> Floats:
        values = np.asarray(values, dtype=float)
        point, top = float(self._figure.dpi) / 72, float(self._figure.bbox.height)
        across, down = (step * point for step in (0.1, self._down))
        return np.column_stack(
            [np.round(values[:, 0] / across) * across, top - np.round((top - values[:, 1]) / down) * down]
        )


def _strokes(
    axes: Axes,
    starts: Floats,
    ends: Floats,
    colour: str,
    width: float,
    ids: str = "",
    *,
    down: float = 0.1,
    zorder: float = 2,
) -> None:
    """Many short lines as one shape: `starts` and `ends` are points (n, 2)."""
    path = Path(
        np.stack([starts, ends], axis=1).reshape(-1, 2),
        np.tile(np.array([Path.MOVETO, Path.LINETO], dtype=np.uint8), len(starts)),
    )
    _shape(axes, path, colour, width, ids, down=down, zorder=zorder)


def _shape(
    axes: Axes, path: Path, colour: str, width: float, ids: str = "", *, down: float = 0.1, zorder: float = 2
) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None  # the panel stands on a page
    patch = PathPatch(path, fill=False, edgecolor=colour, linewidth=width, capstyle="butt", snap=False, zorder=zorder)
    patch.set_transform(axes.transData + _Rounded(figure, down))
    patch.set_gid(gid(ids) or None)
    patch.set_clip_on(False)
    axes.add_artist(patch)


class _Options:
    """The lower panel: one line per option, grouped by choice; one unit of its vertical axis is one point."""

    def __init__(self, page: PlotPage, choices: pd.DataFrame, factors: pd.Series[Any]) -> None:
        self.page, self.choices = page, choices
        size = page.size
        line = 1.36 * size.small
        across = (size.width - 0.25) * 72
        #: Height of its middle, choice, option and the option's words.
        self.lines: list[tuple[float, str, str, str]] = []
        self.heads: list[tuple[float, str]] = []
        self.bands: list[tuple[float, float]] = []
        room, y = (0.3 if page.narrow else 0.24) * across, 0.4 * line
        for name in choices:
            words = page.wrap(wording.capital(str(name)), size.small, room, "bold")
            self.heads.append((y, words))
            y += line * (1 + words.count("\n"))
            top = y
            for option in _in_order(choices[name]):
                words = page.wrap(option, size.small, room)
                tall = line * (1 + words.count("\n"))
                self.lines.append((y + tall / 2, str(name), option, words))
                y += tall
            self.bands.append((top, y))
            y += 0.35 * line
        self.total = y
        self.middles = [_middle(factors[choices[name] == option]) for _, name, option, _ in self.lines]
        left = max(page.width_of(line, size.small) for *_, words in self.lines for line in words.split("\n"))
        right = max(page.width_of(words, size.small) for words in [*self.middles, "middle"])
        #: About how wide the marks' part of the page is, in points: the page's own layout decides it later.
        self.across = across - left - right - 10

    @property
    def height(self) -> float:
        """In mm, with the gap that the page leaves between panels."""
        return (self.total + 8 * self.page.size.scale) / 72 * 25.4

    def draw(self, axes: Axes) -> None:
        """The words at the left and the middle factors at the right."""
        size = self.page.size
        axes.set_ylim(self.total, 0)
        axes.set_xticks([])
        axes.set_yticks([])
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        for top, bottom in self.bands:
            axes.axhspan(top, bottom, color="#F3F3F3", linewidth=0, zorder=0)
        note = partial(self.page.note, axes, linespacing=LEADING, annotation_clip=False)
        for y, words in self.heads:
            note(words, (0, y), (-4, 0), ha="right", va="top", fontweight="bold")
        note("middle", (1, self.heads[0][0]), (4, 0), ha="left", va="top", color=SOFT)
        base = -0.36 * size.small
        for (y, *_, words), middle in zip(self.lines, self.middles, strict=True):
            lines = "\n" in words
            note(words, (0, y), (-4, 0 if lines else base), ha="right", va="center" if lines else "baseline")
            note(middle, (1, y), (4, base), ha="left", va="baseline")


@plot(
    "Russia: growth under Art. 337 (AWOL), under every choice",
    {
        "factor": numeric("later count divided by earlier count; blank where refused", blank=True),
        "low": numeric("lower end of the interval; blank where refused", blank=True),
        "high": numeric("upper end of the interval; blank where refused", blank=True),
        "choices": text("`choice: option; choice: option`, the same choices in each row", longest=2000),
        "refused": flag("whether the model refuses a number under these choices"),
        "main": flag("whether these are the report's own choices; in one row at most"),
        "level": numeric("level of the intervals in percent, one for the whole table"),
        "ids": IDS,
    },
    _words,
)
def specification_curve(page: PlotPage, rows: pd.DataFrame) -> None:
    """Sorted factors with intervals under all choices; below, one line per option with a tick where it is used."""
    _check(rows)
    rows = _ordered(rows)
    choices = options(rows)
    count, refused = len(rows), bool(rows["refused"].any())
    known = rows[~rows["refused"]]
    layout = _Options(page, choices, rows["factor"])
    gap = max(0.02 * count, 1.0) if refused and len(known) else 0.0
    x = np.arange(count, dtype=float) + np.where(rows["refused"], gap, 0.0)
    pitch = layout.across / (count + gap)
    level = wording.number(rows["level"].iloc[0])
    key = [(Style(ESTIMATE, "o", "-"), False, "factor"), (Style(_INTERVAL, "|", "-"), True, f"{level} % interval")]
    if rows["main"].any():
        key.append((_MAIN, False, "the report's own choice"))
    upper, lower = page.panels(
        2, heights=[{"single": 62, "double": 66, "slide": 66}[page.kind], layout.height], key=key
    )
    for axes in (upper, lower):
        axes.set_xlim(-0.8, x[-1] + 0.8)
        axes.set_xticks([])
    layout.draw(lower)
    _draw_factors(page, upper, rows, x, pitch)
    _draw_options(page, lower, layout, rows, x, pitch)


def _draw_factors(page: PlotPage, axes: Axes, rows: pd.DataFrame, x: Floats, pitch: float) -> None:
    known, scale = rows[~rows["refused"]], page.size.scale
    low, high = (known["low"].min(), known["high"].max()) if len(known) else (1.0, 1.0)
    low, high = min(low, 0.95) / 1.12, max(high, 1.05) * 1.12
    factor_axis(page, axes, low, high, _ticks(low, high), upright=True)
    width, dot = min(1.1 * scale, max(0.85 * pitch, 0.15)), min(3.6 * scale, 0.9 * pitch)
    # Specifications made of the same statements are one shape: a mark leads to its statements.
    for ids, part in known.groupby("ids", sort=False):
        at = part.index.to_numpy()
        ends = [np.column_stack([x[at], part[end]]) for end in ("low", "high")]
        _strokes(axes, ends[0], ends[1], _INTERVAL, width, str(ids))
        if pitch >= _ROOM:
            axes.plot(
                x[at], part["factor"], linestyle="none", marker="o", markersize=dot, color=ESTIMATE, markeredgewidth=0,
                zorder=3, clip_on=False, gid=gid(str(ids)),
            )  # fmt: skip
    if pitch < _ROOM and len(known):
        at = known.index.to_numpy()
        _shape(axes, Path(np.column_stack([x[at], known["factor"]])), ESTIMATE, 1.4 * scale, zorder=3)
    foot = low * (high / low) ** 0.05
    for ids, part in rows[rows["refused"]].groupby("ids", sort=False):
        at = x[part.index.to_numpy()]
        ends = [np.column_stack([at, np.full(len(at), y)]) for y in (low, foot)]
        _strokes(axes, ends[0], ends[1], _REFUSED, min(1.1 * scale, max(0.85 * pitch, 0.3)), str(ids))
    if rows["refused"].any():
        words = f"{int(rows['refused'].sum()):,} refused"
        page.note(axes, words, (1, foot), (4, 0), va="center", color=SOFT, annotation_clip=False)
    for row in records(rows[rows["main"]]):
        _draw_main(page, axes, row, x, high)


def _ticks(low: float, high: float) -> Sequence[float]:
    """Plain ticks, about eight at most: the more decades, the fewer in each."""
    decades = np.log10(high / low)
    if decades < 0.8:
        return RATIOS
    bases = (1, 2, 5) if decades < 3 else (1,)
    return [tick for tick in FACTORS if round(tick / 10 ** np.floor(np.log10(tick * 1.0001))) in bases]


def _draw_main(page: PlotPage, axes: Axes, row: Any, x: Floats, high: float) -> None:
    """The report's own choice, with a line up to its words: they stand over the panel, where nothing is covered."""
    scale, at = page.size.scale, x[row.Index]
    words = "the report's choice: refused" if row.refused else f"the report's choice {_interval(row)}"
    along = (at - axes.get_xlim()[0]) / (axes.get_xlim()[1] - axes.get_xlim()[0])
    if not row.refused:
        axes.plot([at, at], [row.low, row.high], color=INK, linewidth=1.3 * scale, zorder=4, gid=gid(row.ids))
        page.mark(axes, at, row.factor, _MAIN, row.ids, points=5.5)
    axes.axvline(at, color=INK, linewidth=0.5 * scale, dashes=(2, 2), zorder=1.8)
    side = "left" if along < 0.35 else "right" if along > 0.65 else "center"
    how: dict[str, Any] = {"xycoords": "data", "fontweight": "bold", "annotation_clip": False}
    page.note(axes, words, (at, high), (0, 3), va="bottom", ha=side, color=_MAIN.ink, **how)


def _draw_options(page: PlotPage, axes: Axes, layout: _Options, rows: pd.DataFrame, x: Floats, pitch: float) -> None:
    scale = page.size.scale
    tall = 0.62 * LEADING * page.size.small
    half = 0.5 if pitch < _ROOM else min(0.4, 1.1 * scale / pitch)
    kinds: Mapping[str, Any] = {GREY: ~rows["refused"], _REFUSED: rows["refused"]}
    main = rows.index[rows["main"]]
    for colour, kind in kinds.items():
        starts: list[tuple[float, float]] = []
        ends: list[tuple[float, float]] = []
        for y, name, option, _ in layout.lines:
            used = np.flatnonzero((layout.choices[name] == option) & kind)
            # Neighbours that touch are one stroke.
            parts = np.split(used, np.flatnonzero(np.diff(used) > 1) + 1) if half == 0.5 else used[:, None]
            for part in parts:
                if len(part):
                    starts.append((x[part[0]] - half, y))
                    ends.append((x[part[-1]] + half, y))
        if starts:
            _strokes(axes, np.array(starts), np.array(ends), colour, tall, down=1)
    for place in main:
        axes.axvline(x[place], color=INK, linewidth=0.5 * scale, dashes=(2, 2), zorder=1.8)
        wide = max(half, 1.1 * scale / pitch)
        mine = [y for y, name, option, _ in layout.lines if layout.choices.at[place, name] == option]
        starts = [(x[place] - wide, y) for y in mine]
        ends = [(x[place] + wide, y) for y in mine]
        _strokes(axes, np.array(starts), np.array(ends), INK, tall, down=1, zorder=3)
