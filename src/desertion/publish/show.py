"""A plot shown in a notebook and saved in a folder: one of the package, or one that the notebook draws."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from desertion import drawing, memo
from desertion.errors import ArgumentError, UserError
from desertion.plots.contract import clean
from desertion.plots.frame import SizeName
from desertion.plots.own import Draw, OwnPlot, own_plot
from desertion.plots.plot import Plot
from desertion.project import PHONE, ROOT, write_atomic
from desertion.publish.behind import footer, known, record
from desertion.publish.files import to_csv, to_svg
from desertion.text import nothing, shown
from desertion.trends import Refused

if TYPE_CHECKING:
    from desertion.figures import Data


@dataclass(frozen=True)
class Published:
    """A plot ready for the public: its picture as SVG, its table as CSV, its words and its side record as JSON."""

    name: str
    title: str
    alt: str
    footer: str
    svg: str
    csv: str
    record: str


def show(
    plot: Plot,
    table: pd.DataFrame,
    data: Data,
    *,
    out: str | Path | None = None,
    note: str = "",
    size: SizeName = "double",
    empty: str | Refused | None = None,
) -> None:
    """Show a plot of a table in the notebook, and save both where `out` names a folder.

    In the notebook it is one output: the SVG, with the words for it as plain text and in the output's metadata. In the
    folder it is NAME.svg, .csv (the table) and .json (the side record), at another size than `double` under NAME-SIZE;
    beside `double` there is NAME-single.svg, which the page shows on a phone. `desertion plots` makes PNG and PDF of
    them. Where no plots are wanted (`desertion.drawing`) the table is checked only. A table without rows gives no plot
    and no files, but the sentence that says why.

    Parameters
    ----------
    plot : Plot
        One of `plots.PLOTS`; its docstring lists the columns that it needs.
    table : DataFrame
        The rows to draw. The plot's columns are picked, in its order; others are dropped.
    data : Data
        The data that hold the statements in the column `ids`.
    out : path, optional
        The folder.
    note : str
        Words above the footer, in one or two lines.
    size : str
        One of `plots.SIZES`.
    empty : str or Refused, optional
        Why nothing can be shown where the table has no rows, without a full stop; the sentence in place of the plot.

    Raises
    ------
    UserError
        If the data lack an id of the table, or reject it.
    ArgumentError
        If a column is missing or a cell is of another kind than the plot needs.
    """
    _publish(plot, table, data, out, note, size, empty)


def figure(
    name: str,
    draw: Draw | Figure | Any,
    table: pd.DataFrame,
    data: Data,
    *,
    title: str,
    alt: str,
    out: str | Path | None = None,
    note: str = "",
    columns: Mapping[str, str] | None = None,
    height: float = 80.0,
    empty: str | Refused | None = None,
) -> None:
    """Publish a plot that the notebook draws with matplotlib or seaborn, as `show` does with those of the package.

    It has the style, title, footer, files and checks of these. A function is called once for each width, and the page
    shows a narrow plot on phones; a finished figure is published at the width that it has, and `make` says so. What
    readers may click is said by `mark`.

    Parameters
    ----------
    name : str
        Name of its files, unique in the report: lower-case words joined by `_`.
    draw : function of (figure, table), or a matplotlib Figure or an object of seaborn that has one
        The function draws the rows on a matplotlib Figure, without a title: `axes = figure.subplots()`, then
        `seaborn.barplot(table, x="year", y="value", ax=axes)`. It may set another height of the figure. A figure that
        is finished was best drawn `with publish.style():`, 7.2 inches wide.
    table : DataFrame
        The rows behind the plot, numbers rounded. Its column `ids` holds the ids of the statements behind each row,
        joined by spaces.
    data : Data
        The data that hold these statements.
    title : str
        Title above the plot; it names the article, since "desertion" alone is none.
    alt : str
        The plot in words, for those who cannot see it.
    out : path, optional
        The folder: `out` of the parameters cell.
    note : str
        Words above the footer, in one or two lines.
    columns : mapping of str to str, optional
        The columns to draw and publish, in order, with their meaning; all of them unless given.
    height : float
        Height of the drawing in mm, without title and footer.
    empty : str or Refused, optional
        Why nothing can be shown where the table has no rows, without a full stop; the sentence in place of the plot.

    Raises
    ------
    UserError
        If a word, the name, a column or a statement is missing or not as it is described here, if the words hold a path
        of this machine, or if the notebook publishes another plot under the same name.
    """
    index = [level for level in table.index.names if level is not None and level not in table]
    table = table.reset_index(index)
    plot = own_plot(name, draw, table, title=title, alt=alt, columns=columns, height=height)
    if isinstance(plot.draw, Figure) and "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(plot.draw)  # else the cell would show it once more, without its sources
    _publish(plot, table, data, out, note, "double", empty)


def render(
    plot: Plot,
    table: pd.DataFrame,
    data: Data,
    *,
    note: str = "",
    size: SizeName = "double",
) -> Published:
    """The plot with its footer, table and side record, neither shown nor saved. Raises as `show` does."""
    return _render(plot, _check(plot, table, data), data, note, size)


@cache
def _published(place: Path) -> list[Published]:
    """The plots that this process published at this place: at most one. A dictionary would be a key of the cache."""
    return []


def _publish(
    plot: Plot | OwnPlot,
    table: pd.DataFrame,
    data: Data,
    out: str | Path | None,
    note: str,
    size: SizeName,
    empty: str | Refused | None,
) -> None:
    if not isinstance(plot, Plot | OwnPlot):
        raise ArgumentError(f"plot {shown(repr(plot))}: must be one of desertion.plots, such as plots.growth")
    if not hasattr(data, "figures"):
        raise ArgumentError(f"data is a {type(data).__name__}: must be the data, figures.load()")
    checked = _check(plot, table, data)
    if not drawing.enabled():
        return
    if plot.is_empty(checked.rows):
        words = nothing(empty.reason if isinstance(empty, Refused) else empty)
        _display({"text/markdown": words, "text/plain": words}, {})
        return
    ready = _render(plot, checked, data, note, size)
    picture = {"image/svg+xml": ready.svg, "text/plain": ready.alt}, {"image/svg+xml": {"alt": ready.alt}}
    if out is None:
        _display(*picture)
        return
    files = {".svg": ready.svg, ".csv": ready.csv, ".json": ready.record}
    if size == "double" and not isinstance(plot.draw, Figure):
        files[f"{PHONE}.svg"] = _draw(plot, checked, "single", ready.footer, f"{ready.name}{PHONE}", ready.alt)
    before = _published(Path(out).resolve() / ready.name)
    if before not in ([], [ready]):
        raise UserError(f"plot {ready.name}: another plot was published under this name by this notebook: rename one")
    before[:] = [ready]
    _display(*picture)
    for ending, content in files.items():
        write_atomic(Path(out) / f"{ready.name}{ending}", content)


@dataclass(frozen=True)
class _Checked:
    """A table that passed the checks: as it is published, its rows as they are drawn, and all ids in it."""

    table: pd.DataFrame
    rows: pd.DataFrame
    ids: list[str]


def _check(plot: Plot | OwnPlot, table: pd.DataFrame, data: Data) -> _Checked:
    rows = plot.conform(table)
    return _Checked(table[list(plot.columns)], rows, known(plot.name, rows["ids"], data))


def _render(plot: Plot | OwnPlot, checked: _Checked, data: Data, note: str, size: SizeName) -> Published:
    words = plot.words(checked.rows)
    if not words.shape.strip():
        raise ArgumentError(f"plot {plot.name}: it has no words for those who cannot see it, and is not published")
    name = plot.name if size == "double" else f"{plot.name}-{size}"
    counted = footer(checked.ids, data)
    alt = words.shape if isinstance(plot, OwnPlot) else f"{words.alt} {counted}".strip()
    below = "\n".join(filter(None, (clean(note), counted)))
    text = to_csv(checked.table, plot)
    svg = _draw(plot, checked, size, below, name, alt)
    side = record(plot, words.title, name, size, alt, note, checked.ids, text, data)
    for published in (svg, text, side):
        if path := _MACHINE.search(published):
            raise UserError(f"plot {name}: its words hold a path of this machine, {path[0]}/…: leave it out")
    return Published(name, words.title, alt, below, svg, text, side)


#: The folders of the project and of the user, not inside the address of a page.
_MACHINE = re.compile("|".join(rf"(?<![\w.:/-]){re.escape(str(place))}(?=/)" for place in (ROOT, Path.home())))


def _draw(plot: Plot | OwnPlot, checked: _Checked, size: SizeName, below: str, name: str, alt: str) -> str:
    """The picture as SVG, from the cache where its table and words are the same.

    A function of a notebook may depend on more than its table: it draws every time.
    """
    arguments = (plot, checked.rows, size, below, name, alt)
    return memo.recall(_drawn, *arguments) if isinstance(plot, Plot) else _drawn(*arguments)


def _drawn(plot: Plot | OwnPlot, rows: pd.DataFrame, size: SizeName, below: str, name: str, alt: str) -> str:
    page = plot.page(rows, size, below)
    return to_svg(page.figure, page.title, name, alt, rows["ids"], page.box)


def _display(forms: dict[str, str], metadata: dict[str, Any]) -> None:
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return
    from IPython.display import display

    display(forms, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
