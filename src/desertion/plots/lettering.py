"""Measures words as they will be drawn, and breaks them into lines."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from desertion.plots.labels import LEADING

NBSP = "\u00a0"


class Lettering:
    """The words of one figure."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self._renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]

    def width_of(self, words: str, size: float, weight: str = "normal") -> float:
        """Width of one line of words, in points."""
        font = FontProperties(family="sans-serif", size=size, weight=weight)
        return float(self._renderer.get_text_width_height_descent(words, font, ismath=False)[0])

    def height_of(self, words: str, size: float, weight: str = "normal") -> float:
        """Height of lines of words, in points."""
        item = self.figure.text(0, 0, words, fontsize=size, fontweight=weight, linespacing=LEADING)
        extent = item.get_window_extent(self._renderer)
        item.remove()
        return float(extent.height)

    def wrap(self, words: str, size: float, width: float, weight: str = "normal") -> str:
        """`words` broken at spaces into lines no wider than `width` points; a longer word is broken, too.

        A no-break space holds its words together, and so does the space after `Art.`; both come out as plain spaces.
        """
        lines: list[str] = []
        for paragraph in words.replace("Art. ", f"Art.{NBSP}").split("\n"):
            rest = paragraph.split(" ")
            while rest:
                count = self._longest(rest, " ", size, width, weight)
                line, rest = " ".join(rest[: count or 1]), rest[count or 1 :]
                if not count and len(line) > 1:  # one word is too long
                    letters = self._longest(line, "", size, width, weight) or 1
                    line, rest = line[:letters], [line[letters:], *rest]
                lines.append(line)
                while len(rest) > 1 and not rest[0]:  # of two spaces in a row
                    rest = rest[1:]
        return "\n".join(lines).replace(NBSP, " ")

    def _longest(self, parts: Sequence[str], joint: str, size: float, width: float, weight: str) -> int:
        """Number of `parts` that one line holds, by bisection: a measurement takes 0.5 ms."""
        holds, fails = 0, 1
        while fails <= len(parts) and self.width_of(joint.join(parts[:fails]), size, weight) <= width:
            holds, fails = fails, 2 * fails
        fails = min(fails, len(parts) + 1)
        while fails - holds > 1:
            middle = (holds + fails) // 2
            if self.width_of(joint.join(parts[:middle]), size, weight) <= width:
                holds = middle
            else:
                fails = middle
        return holds
