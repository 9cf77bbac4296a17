"""Plots that a notebook draws itself with matplotlib or seaborn, on the same page as those of the package."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.transforms import Bbox
from pandas.api import types

from desertion.errors import UserError
from desertion.plots import palette
from desertion.plots.contract import IDS, PlotColumn, clean
from desertion.plots.frame import MARGIN, MM, SIZES, PlotPage, Size, SizeName, gid, style
from desertion.plots.plot import PlotWords
from desertion.text import hint, shown

#: Draws a table on a figure, whose width is that of the page.
Draw = Callable[[Figure, pd.DataFrame], object]
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class OwnPlot:
    """A plot drawn by a function of a notebook, or drawn already; otherwise like `Plot`."""

    name: str
    title: str
    alt: str
    columns: Mapping[str, PlotColumn]
    draw: Draw | Figure
    height: float

    def conform(self, table: pd.DataFrame) -> pd.DataFrame:
        """The columns of the plot as they are, with a plain index. Raises UserError for a row without statements."""
        rows = table[list(self.columns)].reset_index(drop=True)
        for label in rows.select_dtypes(["object", "string"]).columns.drop("ids", errors="ignore"):
            rows[label] = rows[label].map(lambda cell: clean(cell) if isinstance(cell, str) else cell)
        blank = ~rows["ids"].map(lambda cell: isinstance(cell, str) and bool(cell.strip()))
        if blank.any():
            raise UserError(f"plot {self.name}, row {blank.argmax()}: its ids are blank; {IDS.meaning}")
        return rows

    def is_empty(self, rows: pd.DataFrame) -> bool:
        """Whether there is nothing to draw."""
        return rows.empty

    def words(self, rows: pd.DataFrame) -> PlotWords:
        """The title and the words for those who cannot see the plot."""
        return PlotWords(self.title, "", self.alt)

    def page(self, rows: pd.DataFrame, size: SizeName = "double", footer: str = "") -> PlotPage:
        """Draw `rows` at one of `SIZES`, with the title above and the footer below."""
        with own_style(size):
            if isinstance(self.draw, Figure):
                figure = self.draw
                figure.set_dpi(72)  # as the style sheet has it: one pixel is one point
                figure.draw_without_rendering()
                inner = figure.get_tightbbox().padded(MARGIN)  # as a notebook shows it
            else:
                figure = self._drawn(self.draw, rows, SIZES[size])
                inner = Bbox.from_bounds(0, 0, *figure.get_size_inches())
            page = PlotPage(self.title, size, footer, figure)
            page.surround(inner)
            return page

    def _drawn(self, draw: Draw, rows: pd.DataFrame, size: Size) -> Figure:
        # Not the constrained layout, whose last digits differ between runs.
        layout = TightLayoutEngine(pad=72 * MARGIN / size.text)
        figure = Figure(figsize=(size.width, self.height * MM), layout=layout)
        draw(figure, rows.copy())
        if not figure.axes:
            raise UserError(
                f"plot {self.name}: its function drew nothing on the figure that it was given; axes are made by "
                "figure.subplots(), and what seaborn draws on a figure of its own is given as a finished figure"
            )
        figure.draw_without_rendering()  # while the sizes of letters are set
        figure.set_layout_engine("none")
        return figure


@contextmanager
def own_style(size: SizeName = "double") -> Iterator[None]:
    """Set matplotlib for a plot of a notebook: fonts, sizes of letters and marks, colours, margins."""
    letters = SIZES[size]
    texts = ("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize")
    settings: Any = dict.fromkeys(texts, letters.small) | {
        "font.size": letters.text,
        "axes.titlesize": letters.text,
        "axes.titlelocation": "left",
        "axes.xmargin": 0.05,
        "axes.ymargin": 0.05,
        "axes.prop_cycle": cycler(color=palette.COLOURS),
        "legend.frameon": False,
        "lines.markersize": 4.8 * letters.scale,
    }
    with style(), matplotlib.rc_context(settings):
        yield


def own_plot(
    name: str,
    draw: object,
    table: pd.DataFrame,
    *,
    title: str,
    alt: str,
    columns: Mapping[str, str] | None,
    height: float,
) -> OwnPlot:
    """The plot of `publish.figure`. Raises UserError for a name, words, table or drawing that cannot be published."""
    if not _NAME.fullmatch(name) or len(name) > 60:
        raise UserError(f"plot '{shown(name)}': its name is lower-case words joined by '_', such as cases_by_year")
    title, alt = (_words(name, what, words) for what, words in (("title", title), ("alt", alt)))
    labels = [label for label in table if isinstance(label, str)]
    if len({*labels}) < len(table.columns):
        raise UserError(f"plot {name}: each column of its table needs a name of its own, in words")
    meanings = dict(columns or {label: label.replace("_", " ") for label in labels}) | {"ids": IDS.meaning}
    if missing := [label for label in meanings if label not in labels]:
        raise UserError(f"plot {name}: its table has no column '{shown(missing[0])}'; {hint(missing[0], labels)}")
    figure = draw if isinstance(draw, Figure) else getattr(draw, "figure", None)
    if not isinstance(figure, Figure) and not callable(draw):
        raise UserError(f"plot {name}: it is drawn by a function of (figure, table), or given as a finished figure")
    kinds = {label: PlotColumn(_kind(table[label]), meaning, blank=True) for label, meaning in meanings.items()}
    return OwnPlot(name, title, alt, kinds, figure if isinstance(figure, Figure) else draw, height)  # type: ignore[arg-type]


def _words(name: str, what: str, words: str) -> str:
    """`words` in one line. Raises UserError where they are empty or have invisible characters."""
    line = " ".join(words.split())
    if not line:
        raise UserError(f"plot {name}: its {what} is empty")
    if not line.isprintable():
        raise UserError(f"plot {name}: its {what} has invisible characters: '{shown(line)}'")
    return line


def _kind(cells: pd.Series) -> Any:
    if types.is_bool_dtype(cells):
        return "flag"
    if types.is_datetime64_any_dtype(cells):
        return "date"
    return "number" if types.is_numeric_dtype(cells) else "text"


def mark(axes: Axes, table: pd.DataFrame, x: str, y: str) -> None:
    """Let a reader click on each row of a plot that a notebook draws: the page then shows the statements behind it.

    At the place of each row an invisible dot carries its statements, whatever was drawn there. An artist of its own, a
    bar for instance, carries them over all of its area: `bar.set_gid(plots.gid(ids))`.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The axes that the table is drawn on.
    table : DataFrame
        The rows, with the ids of the statements behind each in the column `ids`, joined by spaces.
    x, y : str
        Columns with the place of each row.
    """
    for across, up, ids in zip(table[x], table[y], table["ids"], strict=True):
        axes.plot([across], [up], "o", alpha=0, zorder=9, gid=gid(ids), scalex=False, scaley=False, label="_")
