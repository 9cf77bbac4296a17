"""What of a drawn figure lies over what: words over words, marks or lines, words beyond the page, words too small."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from desertion import plots

#: Left, bottom, right and top in points.
Box = tuple[float, float, float, float]
#: Points by which boxes may touch: the box of a text is higher than its letters.
_TOUCH = 1.2


def words(fig: Figure) -> list[tuple[str, float, Box]]:
    """The words that are really drawn, their size and place in points."""
    drawn: list[tuple[str, float, Box]] = []
    draw = Text.draw

    def spy(self: Text, renderer: object) -> object:
        if self.get_visible() and self.get_text().strip():
            box = Text.get_window_extent(self, renderer)  # type: ignore[arg-type]
            drawn.append((self.get_text(), float(self.get_fontsize()), (box.x0, box.y0, box.x1, box.y1)))
        return draw(self, renderer)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, plots.style():
        patch.setattr(Text, "draw", spy)
        FigureCanvasAgg(fig).draw()  # type: ignore[no-untyped-call]
    return drawn


def published(numbers: Path) -> list[str]:
    """What is wrong with the plot of the published `numbers` (CSV) at either width, with its title and its words."""
    plot = plots.PLOTS.get(numbers.stem)
    if plot is None:  # a notebook drew it
        return []
    record = json.loads(numbers.with_suffix(".json").read_text(encoding="utf-8"))
    rows = pd.read_csv(numbers, dtype={"articles": str})
    found = [f"{size}: {each}" for size in ("single", "double") for each in faults(plot(rows, size, _FOOTER))]
    if record["title"] != plot.words(plot.conform(rows)).title:
        found.append(f"its title is {record['title']!r}, its numbers give {plot.words(plot.conform(rows)).title!r}")
    if len(record["alt"].split()) > 60:
        found.append(f"the words for those who cannot see it are more than 60: {record['alt']!r}")
    return found


#: As long as a footer gets.
_FOOTER = "Counted by Judicial Department, The Insider and 3 others. Published up to 19 Aug 2025."


def faults(fig: Figure, least: float = 9.0) -> list[str]:
    """Each pair that overlaps, and each text that leaves the page or is smaller than `least` points."""
    found = []
    written = words(fig)
    width, height = fig.get_size_inches() * 72
    for text, size, (x0, y0, x1, y1) in written:
        if size < least:
            found.append(f"{text!r} is of {size} points")
        if min(x0, y0) < -0.5 or x1 > width + 0.5 or y1 > height + 0.5:
            found.append(f"{text!r} leaves the page")
    for place, (text, _, box) in enumerate(written):
        found += [f"{text!r} lies over {other!r}" for other, _, box2 in written[:place] if _meet(box, box2)]
    for axes in fig.axes:
        frame = axes.get_window_extent()
        for what, shape in _shapes(axes):
            # A mark may stand on the edge; a band that is cut off there is not seen beyond it.
            inside = (shape > [frame.x0 - 4, frame.y0 - 4]) & (shape < [frame.x1 + 4, frame.y1 + 4])
            shape = shape[inside.all(axis=1)]
            found += [f"{text!r} lies over {what}" for text, _, box in written if _covered(box, shape)]
    return found


def _meet(one: Box, other: Box) -> bool:
    across, up = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return across > _TOUCH and up > _TOUCH


def _covered(box: Box, points: NDArray[np.float64]) -> bool:
    """Whether a point of a shape lies inside the letters of a text, whose box has room above and below them."""
    x0, y0, x1, y1 = box
    inner = 0.18 * (y1 - y0) if y1 - y0 < 20 else 2.0
    x, y = points.T
    return bool(((x > x0 + 0.5) & (x < x1 - 0.5) & (y > y0 + inner) & (y < y1 - inner)).any())


def _shapes(axes: Axes) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The marks, lines, bars and bands of a panel as points a point apart; a grid is no data."""
    for line in axes.lines:
        if line.get_transform() != axes.transData and [0, 1] in (list(line.get_xdata()), list(line.get_ydata())):
            continue  # from edge to edge: a line of the grid
        at = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        if line.get_transform() != axes.transData:  # across a panel, at a fraction of it
            at = line.get_transform().transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        if line.get_linestyle() not in ("None", "none", ""):
            yield f"a line {line.get_gid() or ''}", _dense(at)
        if line.get_marker() not in ("None", "", None):
            radius = line.get_markersize() / 2
            turn = np.linspace(0, 2 * np.pi, 16)
            ring = radius * np.column_stack([np.cos(turn), np.sin(turn)])
            yield f"a mark {line.get_gid() or ''}", (at[:, None] + ring[None] * 0.8).reshape(-1, 2)
    for patch in axes.patches:
        if patch.get_gid() is None or not isinstance(patch, Rectangle | Polygon | PathPatch):
            continue
        path = patch.get_path().transformed(patch.get_transform())
        if isinstance(patch, PathPatch):
            ends = path.vertices.reshape(-1, 2, 2) if len(path.vertices) % 2 == 0 else [path.vertices]
            yield f"a stroke {patch.get_gid()}", np.concatenate([_dense(np.asarray(each)) for each in ends])
        else:
            box = path.get_extents()
            x, y = np.meshgrid(np.arange(box.x0, box.x1 + 1), np.arange(box.y0, box.y1 + 1))
            inside = np.column_stack([x.ravel(), y.ravel()])
            yield f"an area {patch.get_gid()}", inside[path.contains_points(inside)]


def _dense(path: NDArray[np.float64]) -> NDArray[np.float64]:
    path = np.clip(path, -5_000, 5_000)  # points; what lies further off is on no page
    dots = [path[:1]]
    for start, end in itertools.pairwise(path):
        steps = max(int(np.hypot(*(end - start))), 1)
        dots.append(start + (end - start) * (np.arange(1, steps + 1) / steps)[:, None])
    return np.concatenate(dots)
