"""Words between the marks: each finds the nearest place where it covers neither words, nor marks, nor lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from desertion.plots.palette import INK

LEADING = 1.3

Box = tuple[float, float, float, float]
Point = tuple[float, float]

#: Where a label may stand, seen from its point: across and up.
_SIDES = {
    "N": (0, 1),
    "NE": (1, 1),
    "E": (1, 0),
    "SE": (1, -1),
    "S": (0, -1),
    "SW": (-1, -1),
    "W": (-1, 0),
    "NW": (-1, 1),
}
_RING = tuple(_SIDES)
_GAPS = (1.5, 4.0, 7.0, 14.0, 22.0, 32.0)
_LED = 14.0
_NO_ROOM = 1000.0
_COVERS = 60.0
_CROWDED = 8.0


@dataclass(frozen=True)
class Label:
    """Words to place near the first of some points, and whether they are dropped where there is no space."""

    axes: Axes
    #: The same words broken into lines in several ways: the first that fits best is taken.
    words: Sequence[str]
    points: Sequence[Point]
    size: float
    colour: str = INK
    weight: str = "normal"
    #: Drawn even where it must cover something; else left out.
    needed: bool = False
    prefer: str = "N"
    radius: float = 3.0
    #: How far from its point the label may stand, in points.
    reach: float = 32.0


class Placer:
    """The obstacles of one figure, in points, and the labels that go between them.

    All in points: the figure is laid out at 72 dots an inch without hinting, so places hold at every resolution.
    """

    def __init__(self) -> None:
        self._marks: list[tuple[Axes, float, float, float]] = []
        self._bars: list[tuple[Axes, Box]] = []
        self._paths: list[tuple[Axes, list[Point], float]] = []
        self._labels: list[Label] = []
        self._extents: dict[tuple[str, float, str], tuple[float, float]] = {}

    def mark(self, axes: Axes, x: float, y: float, radius: float) -> None:
        """Keep labels off this mark."""
        self._marks.append((axes, x, y, radius))

    def bar(self, axes: Axes, left: float, bottom: float, right: float, top: float) -> None:
        """Keep labels off this bar."""
        self._bars.append((axes, (left, bottom, right, top)))

    def path(self, axes: Axes, x: Iterable[float], y: Iterable[float], weight: float = 1.0) -> None:
        """Keep labels off this line, in proportion to its weight."""
        self._paths.append((axes, list(zip(x, y, strict=True)), weight))

    def label(self, label: Label) -> None:
        """Add a label to place."""
        self._labels.append(label)

    def place(self, figure: Figure, renderer: RendererAgg) -> None:
        """Put needed labels, then the others, each where it costs least; the layout is fixed by now."""
        self._renderer = renderer
        marks = [(*axes.transData.transform((x, y)), radius) for axes, x, y, radius in self._marks]
        self._centres = np.array([(x, y) for x, y, _ in marks]).reshape(-1, 2)
        boxes = [(x - radius, y - radius, x + radius, y + radius) for x, y, radius in marks]
        boxes += [tuple(axes.transData.transform(np.reshape(box, (2, 2))).ravel()) for axes, box in self._bars]
        self._obstacles = np.array(boxes).reshape(-1, 4)
        dots = [_along(axes.transData.transform(path)) for axes, path, _ in self._paths]
        self._dots: NDArray[np.float64] = np.tile(np.concatenate([np.empty((0, 2)), *dots]), 2)
        self._weights = np.concatenate(
            [np.empty(0), *(np.full(len(d), w) for d, (_, _, w) in zip(dots, self._paths, strict=True))]
        )
        self._taken: list[Box] = [self._bounds(item) for axes in figure.axes for item in axes.texts if item.get_text()]
        needed = [label for label in self._labels if label.needed]
        # The first label takes the best place from the next: where that costs too much, others may choose first.
        plans = [self._plan(needed)]
        if plans[0][0] > _CROWDED * len(needed):
            plans += [self._plan(needed[turn:] + needed[:turn]) for turn in range(1, len(needed))]
        for spot in min(plans, key=lambda plan: plan[0])[1]:
            self._write(spot)
        for label in self._labels:
            if not label.needed:
                cost, spots = self._plan([label])
                if cost < _COVERS:
                    self._write(spots[0])

    def _plan(self, labels: Sequence[Label]) -> tuple[float, list[_Spot]]:
        """The cheapest places for labels that choose one after the other, and what they cost together."""
        spots: list[_Spot] = []
        for label in labels:
            taken = [*self._taken, *(spot.box for spot in spots)]
            spots.append(min((self._best(label, words, taken) for words in label.words), key=lambda each: each.cost))
        return sum(spot.cost for spot in spots), spots

    def _extent(self, label: Label, words: str) -> tuple[float, float]:
        key = (words, label.size, label.weight)
        if key not in self._extents:
            item = label.axes.text(0, 0, words, fontsize=label.size, fontweight=label.weight, linespacing=LEADING)
            extent = item.get_window_extent(self._renderer)
            item.remove()
            self._extents[key] = (extent.width, extent.height)
        return self._extents[key]

    def _write(self, spot: _Spot) -> None:
        label = spot.label
        leader = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": label.radius}
        label.axes.annotate(
            spot.words,
            spot.point,
            xytext=spot.shift,
            textcoords="offset points",
            fontsize=label.size,
            color=label.colour,
            fontweight=label.weight,
            zorder=4,
            annotation_clip=False,
            linespacing=LEADING,
            ha=("center", "left", "right")[spot.across],
            va=("center", "bottom", "top")[spot.up],
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            arrowprops=leader if spot.led else None,
        )
        self._taken.append(spot.box)

    def _bounds(self, item: Any) -> Box:
        extent = item.get_window_extent(self._renderer)
        return (extent.x0, extent.y0, extent.x1, extent.y1)

    def _best(self, label: Label, words: str, taken: Sequence[Box]) -> _Spot:
        """The cheapest place: off other words and inside the panel first, then off marks, then off lines, then near."""
        width, height = self._extent(label, words)
        frame = label.axes.get_window_extent(self._renderer).padded(-1.5)
        start = _RING.index(label.prefer)
        own = label.axes.transData.transform(label.points)
        others = self._centres[~(np.abs(self._centres[:, None] - own[None]).max(axis=2) < 0.01).any(axis=1)]
        spots: list[_Spot] = []
        for rank, (point, (x, y)) in enumerate(zip(label.points, own, strict=True)):
            for step in range(len(_RING)):
                turn = (step + 1) // 2 * (1 if step % 2 else -1)
                across, up = _SIDES[_RING[(start + turn) % len(_RING)]]
                for gap in (each for each in _GAPS if each <= label.reach):
                    reach = (label.radius + gap) * (0.75 if across and up else 1)
                    left = x + across * reach - width * (0.5 - 0.5 * across)
                    low = y + up * reach - height * (0.5 - 0.5 * up)
                    spots.append(
                        _Spot(
                            label,
                            words,
                            point,
                            (across * reach, up * reach),
                            across,
                            up,
                            gap >= _LED,
                            (left, low, left + width, low + height),
                            step + 0.4 * gap + 0.5 * rank,
                        )
                    )
        box = np.array([spot.box for spot in spots])
        led = np.array([spot.led for spot in spots])
        out = np.maximum(np.array([[frame.x0, frame.y0]]) - box[:, :2], 0).sum(axis=1)
        out += np.maximum(box[:, 2:] - np.array([[frame.x1, frame.y1]]), 0).sum(axis=1)
        # Words stand nearest to their own mark, or a line leads there that crosses no other mark.
        stray = _nearest(box, others) < _nearest(box, own)
        crossed = np.zeros(len(spots), dtype=bool)
        crossed[led] = self._crosses([spot for spot in spots if spot.led], others)
        cost = (
            np.array([spot.cost for spot in spots])
            + _NO_ROOM * (_overlaps(box, np.array(taken).reshape(-1, 4), 1.5) + (out > 1))
            + 10 * out
            + _COVERS * _overlaps(box, self._obstacles, 0.3)
            + 3 * _overlaps(box, self._dots, 0.5, self._weights)
            + np.where(led, 10.0 * stray + 20.0 * crossed, _COVERS * stray)
        )
        first = int(np.argmin(cost))
        return replace(spots[first], cost=float(cost[first]))

    def _crosses(self, spots: Sequence[_Spot], marks: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the line that leads to each spot passes over one of these marks."""
        if not spots:
            return np.zeros(0, dtype=bool)
        start = spots[0].label.axes.transData.transform([spot.point for spot in spots])
        way = start[:, None] + np.array([spot.shift for spot in spots])[:, None] * np.linspace(0.1, 1, 6)[None, :, None]
        away = np.hypot(*(way[:, :, None] - marks).transpose(3, 0, 1, 2)).min(axis=(1, 2), initial=np.inf)
        return np.asarray(away < 4, dtype=bool)


@dataclass(frozen=True)
class _Spot:
    """A place for a label's words: its point, the shift from there, the side, if a line leads to it, box and cost."""

    label: Label
    words: str
    point: Point
    shift: Point
    across: int
    up: int
    led: bool
    box: Box
    cost: float


def _along(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points every two points along a path, so that a label can count how much of the line it would cover."""
    path = np.clip(path, -5_000, 5_000)  # points; what lies further off is on no page
    dots = [path[:1]]
    for start, end in itertools.pairwise(path):
        steps = max(int(np.hypot(*(end - start)) // 2), 1)
        dots.append(start + (end - start) * (np.arange(1, steps + 1) / steps)[:, None])
    return np.concatenate(dots)


def _overlaps(
    box: NDArray[np.float64], others: NDArray[np.float64], room: float, weights: NDArray[np.float64] | float = 1.0
) -> NDArray[np.float64]:
    """The weight of the others that each box overlaps or comes nearer to than `room`, in points."""
    meets = (
        (others[None, :, 0] < box[:, None, 2] + room)
        & (others[None, :, 2] > box[:, None, 0] - room)
        & (others[None, :, 1] < box[:, None, 3] + room)
        & (others[None, :, 3] > box[:, None, 1] - room)
    )
    return np.asarray(meets @ np.broadcast_to(weights, len(others)), dtype=float)


def _nearest(box: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each box to the nearest of some points: readers relate words to the nearest mark."""
    across = np.maximum(np.maximum(box[:, None, 0] - points[None, :, 0], points[None, :, 0] - box[:, None, 2]), 0)
    up = np.maximum(np.maximum(box[:, None, 1] - points[None, :, 1], points[None, :, 1] - box[:, None, 3]), 0)
    return np.asarray(np.hypot(across, up).min(axis=1, initial=np.inf), dtype=float)
