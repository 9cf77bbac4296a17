"""Panels of rows: words at the left, marks, numbers at the right; in a page of one column, words above the marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from desertion.plots.frame import PlotPage
from desertion.plots.labels import LEADING
from desertion.plots.palette import SOFT


@dataclass(frozen=True)
class PlotRow:
    """One row: its words, the number printed at its right, and the group that it stands in ("" for none)."""

    words: str
    number: str = ""
    group: str = ""


@dataclass
class Rows:
    """Layout of rows: the height of the panel and the place of each row's marks."""

    page: PlotPage
    rows: Sequence[PlotRow]
    #: Height of the strip of marks of one row, in points.
    strip: float = 8.0

    def __post_init__(self) -> None:
        page, size = self.page, self.page.size
        line = LEADING * size.small
        across = (size.width - 0.25) * 72
        numbers = max((page.width_of(row.number, size.small) for row in self.rows), default=0.0)
        room = across - numbers - size.small if page.narrow else 0.36 * across
        strip = self.strip * size.scale
        self.words = [page.wrap(row.words, size.small, room) for row in self.rows]
        self.places: list[float] = []
        self.tops: list[float] = []
        self.headers: list[tuple[float, str]] = []
        y, group = 0.0, ""
        for row, words in zip(self.rows, self.words, strict=True):
            if row.group != group:
                group = row.group
                y += 0.5 * line if self.places else 0.0
                header = page.wrap(group, size.small, across if page.narrow else 0.62 * across - numbers, "bold")
                self.headers.append((y, header))
                y += line * (1 + header.count("\n")) + 2
            tall = line * (1 + words.count("\n"))
            self.tops.append(y)
            if page.narrow:
                self.places.append(y + tall + 0.5 * strip)
                y += tall + strip + 3
            else:
                high = max(tall, strip) + 3 * size.scale
                self.places.append(y + 0.5 * high)
                y += high
        self.total = y + 2

    @property
    def height(self) -> float:
        """Height of the panel with its axis, in mm."""
        return (self.total + 4.6 * self.page.size.small) / 72 * 25.4

    def panel(self, right: str = "", **how: Any) -> Axes:
        """The only panel of the page, with these rows on it; `right` heads their numbers, `how` as in `panels`."""
        (axes,) = self.page.panels(heights=[self.height], **how)
        self.draw(axes, right)
        return axes

    def draw(self, axes: Axes, right: str = "") -> None:
        """Write the words and numbers, and make one unit of the vertical axis one point."""
        page, size = self.page, self.page.size
        axes.set_ylim(self.total, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)

        def over(words: str, at: tuple[float, float], pad: float, **how: Any) -> None:
            box = {"facecolor": "white", "edgecolor": "none", "pad": pad}
            page.note(
                axes, words, at, (0, 0), va="top", linespacing=LEADING, bbox=box, zorder=4, in_layout=False, **how
            )

        for y, words in self.headers:
            over(words, (0, y), 0.6, ha="left", fontweight="bold")
        numbers = [row.number for row in self.rows]
        if page.narrow:
            for top, words, number in zip(self.tops, self.words, numbers, strict=True):
                over(words, (0, top), 0.4, ha="left")
                over(number, (1, top), 0.4, ha="right")
            return
        # Letters hang differently: all words of a row stand on one baseline, a broken line is centred as a block.
        base = -0.36 * size.small
        for place, *texts in zip(self.places, self.words, numbers, strict=True):
            for x, words, shift, side in zip((0, 1), texts, (-5, 5), ("right", "left"), strict=True):
                up, va = (0, "center") if "\n" in words else (base, "baseline")
                page.note(
                    axes, words, (x, place), (shift, up), ha=side, va=va, linespacing=LEADING, annotation_clip=False
                )
        if right:
            how: dict[str, Any] = {"ha": "left", "va": "bottom", "color": SOFT, "annotation_clip": False}
            page.note(axes, right, (1, 0), (5, 2), **how)
