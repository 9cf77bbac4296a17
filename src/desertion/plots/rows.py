"""Panels of rows: words at the left, marks, numbers at the right; in a page of one column, words above the marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from desertion.plots.frame import PlotPage
from desertion.plots.labels import INK, LEADING, SOFT


@dataclass(frozen=True)
class PlotRow:
    """One row: its words, the number printed at its right, and the group that it stands in ("" for none)."""

    words: str
    number: str = ""
    group: str = ""


@dataclass
class Rows:
    """How much room rows take and where each one's marks go; made before the page, drawn on one of its panels."""

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
        """How tall the panel must be, in mm, its axis included."""
        return (self.total + 4.6 * self.page.size.small) / 72 * 25.4

    def draw(self, axes: Axes, right: str = "") -> None:
        """Write the words and numbers, and make one unit of the vertical axis one point."""
        size = self.page.size
        axes.set_ylim(self.total, 0)
        axes.spines["left"].set_visible(False)
        for y, words in self.headers:
            axes.annotate(
                words,
                (0, y),
                xycoords=("axes fraction", "data"),
                xytext=(0, 0),
                textcoords="offset points",
                ha="left",
                va="top",
                fontsize=size.small,
                fontweight="bold",
                color=INK,
                linespacing=LEADING,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                zorder=4,
                in_layout=False,
            )
        numbers = [row.number for row in self.rows]
        if self.page.narrow:
            axes.set_yticks([])
            for top, words, number in zip(self.tops, self.words, numbers, strict=True):
                for x, said, side in ((0, words, "left"), (1, number, "right")):
                    axes.annotate(
                        said,
                        (x, top),
                        xycoords=("axes fraction", "data"),
                        ha=side,
                        va="top",
                        fontsize=size.small,
                        color=INK,
                        linespacing=LEADING,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
                        zorder=4,
                        in_layout=False,
                    )
            return
        axes.set_yticks([])
        # Letters hang differently: all words of a row stand on one baseline, a broken line is centred as a block.
        base = -0.36 * size.small
        for place, words, number in zip(self.places, self.words, numbers, strict=True):
            for x, said, shift, side in ((0, words, -5, "right"), (1, number, 5, "left")):
                axes.annotate(
                    said,
                    (x, place),
                    xycoords=("axes fraction", "data"),
                    xytext=(shift, 0 if "\n" in said else base),
                    textcoords="offset points",
                    ha=side,
                    va="center" if "\n" in said else "baseline",
                    fontsize=size.small,
                    color=INK,
                    linespacing=LEADING,
                    annotation_clip=False,
                )
        if right:
            axes.annotate(
                right,
                (1, 0),
                xycoords=("axes fraction", "data"),
                xytext=(5, 2),
                textcoords="offset points",
                ha="left",
                va="bottom",
                fontsize=size.small,
                color=SOFT,
                annotation_clip=False,
            )
