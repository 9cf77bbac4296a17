"""The page that every plot is drawn on: title, subtitle, panels, notes, footer, and the marks of the statements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from desertion.plots import font
from desertion.plots.labels import LEADING, Label, Placer, Point
from desertion.plots.lettering import Lettering
from desertion.plots.palette import INK, SOFT, Style

_STYLE_SHEET = Path(__file__).with_name("desertion.mplstyle")
MM = 1 / 25.4
MARGIN = 0.09


@dataclass(frozen=True)
class Size:
    """A page width in inches, its text sizes in points (nothing under 9) and the scale of its marks."""

    width: float
    text: float
    small: float
    title: float
    scale: float
    least_height: float = 0.0


SizeName = Literal["single", "double", "slide"]
SIZES: dict[str, Size] = {
    "single": Size(3.5, text=10, small=9, title=13, scale=1),
    "double": Size(7.2, text=10.5, small=9, title=14.5, scale=1),
    "slide": Size(10, text=14.5, small=12.5, title=20, scale=1.4, least_height=5.625),
}


@contextmanager
def style() -> Iterator[None]:
    """Use matplotlib's defaults with the project's style sheet and font, and ignore the user's matplotlibrc."""
    font.register()
    with matplotlib.style.context(["default", _STYLE_SHEET]):
        yield


def gid(ids: str) -> str:
    """The SVG id of a mark: its statements' ids joined by dots (an XML name has no spaces)."""
    return ".".join(ids.split())


class PlotPage(Lettering):
    """One page: title, subtitle, panels, notes, footer, each in its own space, and the labels between the marks."""

    def __init__(
        self, title: str, kind: SizeName, footer: str, figure: Figure | None = None, subtitle: str = ""
    ) -> None:
        self.title, self.subtitle, self.kind, self.footer = title, subtitle, kind, footer
        self.size = SIZES[kind]
        super().__init__(Figure(figsize=(self.size.width, 1)) if figure is None else figure)
        self.placer = Placer()
        self._then: list[Callable[[], None]] = []
        #: The part that is saved, in inches; None: the figure.
        self.box: Bbox | None = None

    @property
    def narrow(self) -> bool:
        """Whether the page is one column wide."""
        return self.kind == "single"

    # --- the page

    def panels(
        self,
        count: int = 1,
        columns: int = 1,
        *,
        heights: Sequence[float],
        first: int = 0,
        notes: str = "",
        key: Sequence[tuple[Style, bool, str]] = (),
    ) -> list[Axes]:
        """Lay out the page: `first` panels over the whole width, then `count` ones in `columns`.

        `heights` are those of the rows in mm; above them stand title, subtitle and key, below them notes and footer.
        """
        size, figure = self.size, self.figure
        across = (size.width - 2 * MARGIN) * 72
        above = [(self.wrap(self.title, size.title, across, "bold"), size.title, "bold", INK)]
        if self.subtitle:
            above.append((self.wrap(self.subtitle, size.text, across), size.text, "normal", SOFT))
        below = [
            (self.wrap(words, size.small, across), size.small, "normal", SOFT)
            for words in ("\n".join(filter(None, (notes, self.footer))),)
            if words
        ]
        talls = [
            [(self.height_of(words, points, weight) + 0.5 * points) / 72 for words, points, weight, _ in texts]
            for texts in (above, below)
        ]
        lines = self._key_lines(key, across)
        key_height = (len(lines) * 1.6 + 0.4) * size.small / 72 if lines else 0.0
        total = max(sum(map(sum, talls)) + key_height + sum(heights) * MM + 2 * MARGIN, size.least_height)
        figure.set_size_inches(size.width, total)
        top, bottom = total - MARGIN, MARGIN + sum(talls[1])
        edge = top
        for (words, points, weight, colour), tall in zip(above, talls[0], strict=True):
            self._line(words, edge / total, points, weight, colour)
            edge -= tall
        self._draw_key(lines, edge, total)
        top, edge = edge - key_height, bottom
        for (words, points, weight, colour), tall in zip(below, talls[1], strict=True):
            self._line(words, (edge - 0.5 * points / 72) / total, points, weight, colour)
            edge -= tall
        axes = [figure.add_axes((0.2, 0.2, 0.6, 0.6), label=str(place)) for place in range(first + count)]
        for each in axes:
            each.tick_params(which="both", labelsize=size.small, pad=3)
        rows = [axes[start : start + columns] for start in range(first, first + count, columns)]
        rows = [*([each] for each in axes[:first]), *rows]
        # On a page that must be higher than its panels, a slide, they share what is left.
        room = [72 * (top - bottom) * height / sum(heights) for height in heights]
        self._groups = [
            (across, list(zip(rows[part], room[part], strict=True)))
            for across, part in ((1, slice(first)), (columns, slice(first, None)))
        ]
        self._top = top * 72
        return axes

    def grid(self, count: int, talls: Sequence[float], columns: int = 1, **how: Any) -> list[Axes]:
        """Equal panels, in `columns` where the page is wide.

        `talls`: the height of each row in mm on a page of size single, double and slide; `how` as in `panels`.
        """
        columns = 1 if self.narrow else columns
        tall = dict(zip(SIZES, talls, strict=True))[self.kind]
        return self.panels(count, columns, heights=[tall] * math.ceil(count / columns), **how)

    def note(self, axes: Axes, words: str, at: tuple[float, float], shift: tuple[float, float], **how: Any) -> None:
        """Small words in a panel, `shift` points from `at` (a fraction across, a value up); `how` as in `annotate`."""
        how = {"xycoords": ("axes fraction", "data"), "fontsize": self.size.small, "color": INK, **how}
        axes.annotate(words, at, xytext=shift, textcoords="offset points", **how)

    def _line(self, words: str, height: float, points: float, weight: str, colour: str, left: float = 0.0) -> None:
        left = (left + MARGIN) / self.figure.get_figwidth()
        self.figure.text(
            left, height, words, fontsize=points, fontweight=weight, color=colour,
            va="top", ha="left", linespacing=LEADING, in_layout=False,
        )  # fmt: skip

    def _key_lines(
        self, key: Sequence[tuple[Style, bool, str]], across: float
    ) -> list[list[tuple[float, Style, bool, str]]]:
        """The key broken into lines: how far from the left each entry begins, in points, and the entry."""
        lines: list[list[tuple[float, Style, bool, str]]] = []
        end = across
        for look, hollow, words in key:
            width = self.width_of(words, self.size.small) + 2.6 * self.size.small
            if not lines or end + width > across:
                lines.append([])
                end = 0.0
            lines[-1].append((end, look, hollow, words))
            end += width
        return lines

    def _draw_key(self, lines: Sequence[Sequence[tuple[float, Style, bool, str]]], edge: float, total: float) -> None:
        size, width = self.size, self.size.width
        for row, line in enumerate(lines):
            y = (edge - (1.6 * row + 0.8) * size.small / 72) / total
            for start, look, hollow, words in line:
                x = MARGIN / width + (start + 0.4 * size.small) / 72 / width
                how = self._dot(look, hollow, 4.8 * size.scale)
                if look.marker == "_":  # a line
                    how |= {"markersize": 0.9 * size.small, "markeredgewidth": 2.2 * size.scale}
                self.figure.add_artist(Line2D([x], [y], **how, in_layout=False))
                self.figure.text(
                    x + 0.85 * size.small / 72 / width, y, words, fontsize=size.small, color=look.ink,
                    va="center_baseline", ha="left", in_layout=False,
                )  # fmt: skip

    def then(self, write: Callable[[], None]) -> None:
        """Let `write` put words into a panel once the layout is fixed, before the labels find their places."""
        self._then.append(write)

    def finish(self) -> Figure:
        """Fix the layout, then put each label where it covers nothing."""
        # Not matplotlib's constrained layout: its last digits, and so the bytes, differed between runs.
        for _ in range(2):  # the second pass uses the ticks that the heights of the first pass gave
            self._arrange()
        for write in self._then:
            write()
        self.placer.place(self.figure, self._renderer)
        return self.figure

    def surround(self, inner: Bbox) -> None:
        """Put the title above and the footer below a figure that is drawn, in letters that suit its width.

        `inner`: what of the figure is shown, in inches.
        """
        own, share = self.size, inner.width / self.size.width
        self.size = Size(inner.width, share * own.text, share * own.small, share * own.title, share * own.scale)
        high, edges = self.figure.get_figheight(), [inner.y1, inner.y0]
        for place, (words, points, weight, colour) in enumerate(
            ((self.title, self.size.title, "bold", INK), (self.footer, self.size.small, "normal", SOFT))
        ):
            words = self.wrap(words, points, (inner.width - 2 * MARGIN) * 72, weight)
            tall = (self.height_of(words, points, weight) + 0.6 * points) / 72 if words else 0.0
            top = inner.y0 - 0.6 * points / 72 if place else inner.y1 + tall
            self._line(words, top / high, points, weight, colour, inner.x0)
            edges[place] += -tall if place else tall
        self.box = Bbox.from_extents(inner.x0, edges[1] - MARGIN, inner.x1, edges[0] + MARGIN)

    def _arrange(self) -> None:
        """Give each row of panels its height and each panel a margin for its words; panels of equal number line up."""
        width, height = (72 * inches for inches in self.figure.get_size_inches())
        margins = {each: self._margins(each) for each in self.figure.axes}
        edge, gap = self._top, 8 * self.size.scale
        for columns, rows in self._groups:
            lefts, rights = (
                [
                    max((margins[row[place]][side] for row, _ in rows if place < len(row)), default=0.0)
                    for place in range(columns)
                ]
                for side in (0, 1)
            )
            inner = (width - 2 * 72 * MARGIN - sum(lefts) - sum(rights) - gap * (columns - 1)) / columns
            for row, tall in rows:
                above, below = (max(margins[each][side] for each in row) for side in (2, 3))
                left = 72 * MARGIN
                for each, before, after in zip(row, lefts, rights, strict=False):
                    high = tall - above - below - gap
                    each.set_position(
                        ((left + before) / width, (edge - above - high) / height, inner / width, high / height)
                    )
                    left += before + inner + after + gap
                edge -= tall

    def _margins(self, axes: Axes) -> tuple[float, float, float, float]:
        """How far words reach beyond a panel: left, right, above, below, in points."""
        inner = axes.get_window_extent(self._renderer)
        outer = axes.get_tightbbox(self._renderer, for_layout_only=True)
        if outer is None:
            return (0.0, 0.0, 0.0, 0.0)
        sides = (inner.x0 - outer.x0, outer.x1 - inner.x1, outer.y1 - inner.y1, inner.y0 - outer.y0)
        return tuple(max(float(side), 0.0) for side in sides)  # type: ignore[return-value]

    # --- marks

    def _dot(self, look: Style, hollow: bool, points: float) -> dict[str, Any]:
        points *= 1.2 if look.marker in "^v<>" else 1  # a triangle fills half of its box
        points *= 0.85 if hollow else 1  # the ring of a hollow mark lies outside, the white ring of a full one does not
        return {
            "linestyle": "none",
            "marker": look.marker,
            "markersize": points,
            "markeredgewidth": 0.9 * self.size.scale,
            "markerfacecolor": "white" if hollow else look.colour,
            "markeredgecolor": look.colour if hollow else "white",
        }

    def mark(
        self, axes: Axes, x: float, y: float, look: Style, ids: str, hollow: bool = False, points: float = 4.8
    ) -> None:
        """One point with the ids of its statements; `hollow` for an incomplete or a rival one."""
        points *= self.size.scale
        axes.plot([x], [y], **self._dot(look, hollow, points), zorder=5, clip_on=False, gid=gid(ids))
        self.placer.mark(axes, x, y, points / 2 + 0.3)

    def bar(
        self, axes: Axes, left: float, bottom: float, wide: float, high: float, colour: str, ids: str, zorder: int = 2
    ) -> None:
        """A bar with the ids of its statements."""
        box = Rectangle((left, bottom), wide, high, facecolor=colour, edgecolor="none", zorder=zorder, gid=gid(ids))
        axes.add_patch(box)
        self.placer.bar(axes, left, bottom, left + wide, bottom + high)

    def value(self, axes: Axes, words: str, point: Point, **how: Any) -> None:
        """Label a mark with its number if there is space close to it; `how` as in `Label`."""
        how = {"size": self.size.small, "radius": 2.7 * self.size.scale, "reach": 4.0, **how}
        self.placer.label(Label(axes, [words], [point], **how))

    def name(self, axes: Axes, words: str, points: Sequence[Point], look: Style, **how: Any) -> None:
        """Name a series beside one of its points, in one line or in several; `how` as in `Label`."""
        size = self.size.small
        widths = (1e9, *(letters * 0.62 * size for letters in (26, 20, 15)))
        broken = dict.fromkeys(self.wrap(words, size, width, "bold") for width in widths)
        how = {
            "size": size, "radius": 2.7 * self.size.scale, "colour": look.ink, "weight": "bold", "needed": True, **how,
        }  # fmt: skip
        self.placer.label(Label(axes, list(broken), points, **how))
