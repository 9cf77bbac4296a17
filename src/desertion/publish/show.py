"""A plot shown in a notebook and saved in a folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from desertion import drawing, memo
from desertion.plots.frame import SizeName
from desertion.plots.plot import Plot
from desertion.project import PHONE, write_atomic
from desertion.publish.behind import footer, known, record
from desertion.publish.files import to_csv, to_svg

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
) -> None:
    """Show a plot of a table in the notebook, and save both where `out` names a folder.

    In the notebook it is one output: the SVG, with the words for it as plain text and in the output's metadata. In the
    folder it is NAME.svg, .csv (the table) and .json (the side record), at another size than `double` under NAME-SIZE;
    beside `double` there is NAME-single.svg, which the page shows on a phone. `desertion plots` makes PNG and PDF of
    them. Where no plots are wanted (`desertion.drawing`) the table is checked only.

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
        Words at the end of the footer.
    size : str
        One of `plots.SIZES`.

    Raises
    ------
    UserError
        If the data lack an id of the table, or reject it.
    ValueError
        If a column is missing or a cell is of another kind than the plot needs.
    """
    checked = _check(plot, table, data)
    if not drawing.enabled():
        return
    ready = _render(plot, checked, data, note, size)
    _display(ready)
    if out is not None:
        files = {".svg": ready.svg, ".csv": ready.csv, ".json": ready.record}
        if size == "double":
            files[f"{PHONE}.svg"] = _draw(plot, checked, "single", ready.footer, f"{ready.name}{PHONE}", ready.alt)
        for ending, content in files.items():
            write_atomic(Path(out) / f"{ready.name}{ending}", content)


def render(
    plot: Plot,
    table: pd.DataFrame,
    data: Data,
    *,
    note: str = "",
    size: SizeName = "double",
    beside: str = "",
) -> Published:
    """The plot with its footer, table and side record, neither shown nor saved. Raises as `show` does.

    `beside`: the name of the published plot whose side record the footer refers to, if it is not its own.
    """
    return _render(plot, _check(plot, table, data), data, note, size, beside)


@dataclass(frozen=True)
class _Checked:
    """A table that passed the checks: as it is published, its rows as they are drawn, and all ids in it."""

    table: pd.DataFrame
    rows: pd.DataFrame
    ids: list[str]


def _check(plot: Plot, table: pd.DataFrame, data: Data) -> _Checked:
    rows = plot.conform(table)
    return _Checked(table[list(plot.columns)], rows, known(plot.name, rows["ids"], data))


def _render(plot: Plot, checked: _Checked, data: Data, note: str, size: SizeName, beside: str = "") -> Published:
    alt = plot.words(checked.rows)
    if not alt.strip():
        raise ValueError(f"plot {plot.name}: it has no words for those who cannot see it, and is not published")
    name = plot.name if size == "double" else f"{plot.name}-{size}"
    below = footer(checked.ids, data, note, beside or name)
    text = to_csv(checked.table, plot)
    return Published(
        name=name,
        title=plot.title,
        alt=alt,
        footer=below,
        svg=_draw(plot, checked, size, below, name, alt),
        csv=text,
        record=record(plot, name, size, alt, note, checked.ids, text, data),
    )


def _draw(plot: Plot, checked: _Checked, size: SizeName, below: str, name: str, alt: str) -> str:
    """The picture as SVG, from the cache where its table and words are the same."""
    return memo.recall(_drawn, plot, checked.rows, size, below, name, alt)


def _drawn(plot: Plot, rows: pd.DataFrame, size: SizeName, below: str, name: str, alt: str) -> str:
    return to_svg(plot.figure(rows, size, below), plot, name, alt, rows["ids"])


def _display(ready: Published) -> None:
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return
    from IPython.display import display

    display(  # type: ignore[no-untyped-call]
        {"image/svg+xml": ready.svg, "text/plain": ready.alt},
        metadata={"image/svg+xml": {"alt": ready.alt}},
        raw=True,
    )
