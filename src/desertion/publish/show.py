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
from desertion.project import write_atomic
from desertion.publish.behind import footer, known, record
from desertion.publish.files import save, to_csv, to_svg
from desertion.trends import Refused

if TYPE_CHECKING:
    from desertion.figures import Data


#: Ending of the name of the single-column picture beside a plot.
PHONE = "-single"


@dataclass(frozen=True)
class Published:
    """A plot ready for the public: its picture as SVG, its table as CSV, its words and its side record as JSON.

    The PNG and the PDF are empty unless the plot is printed, too.
    """

    name: str
    title: str
    alt: str
    svg: str
    csv: str
    record: str
    png: bytes
    pdf: bytes


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
    folder it is NAME.svg, .png, .pdf, .csv (the table) and .json (the side record), at another size than `double`
    under NAME-SIZE; beside `double` there is NAME-single.svg, which the page shows on a phone. Where no plots are
    wanted (`desertion.drawing`) the table is checked only.

    Parameters
    ----------
    plot : Plot
        One of `plots.PLOTS`; its docstring lists the columns that it needs.
    table : DataFrame
        The rows to draw. The plot's columns are picked, others are dropped. A table of these columns alone is published
        in its own order, a wider one in the order of the plot.
    data : Data
        The data that hold the statements in the column `ids`.
    out : path, optional
        The folder.
    note : str
        Words at the end of the footer.
    size : str
        One of `plots.SIZES`.
    empty : str or Refused, optional
        Why nothing can be shown where the table has no rows, without a full stop; the plot shows it then.

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
    why = str(empty or "")
    ready = _render(plot, checked, data, note, size, why=why, printed=out is not None)
    _display(ready)
    if out is not None:
        files: dict[str, str | bytes] = {
            ".svg": ready.svg,
            ".png": ready.png,
            ".pdf": ready.pdf,
            ".csv": ready.csv,
            ".json": ready.record,
        }
        if size == "double":
            files[f"{PHONE}.svg"] = _render(plot, checked, data, note, "single", ready.name, why).svg
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
    printed: bool = False,
) -> Published:
    """The plot with its footer, table and side record, neither shown nor saved. Raises as `show` does.

    `beside`: the name of the published plot whose side record the footer refers to, if it is not its own.
    `printed`: as PNG and PDF, too.
    """
    return _render(plot, _check(plot, table, data), data, note, size, beside, printed=printed)


@dataclass(frozen=True)
class _Checked:
    """A table that passed the checks: as it is published, its rows as they are drawn, and all ids in it."""

    table: pd.DataFrame
    rows: pd.DataFrame
    ids: list[str]


def _check(plot: Plot, table: pd.DataFrame, data: Data) -> _Checked:
    rows = plot.conform(table)
    if len(table.columns) > len(plot.columns):
        table = table[list(plot.columns)]
    return _Checked(table, rows, known(plot.name, rows["ids"], data))


def _render(
    plot: Plot,
    checked: _Checked,
    data: Data,
    note: str,
    size: SizeName,
    beside: str = "",
    why: str = "",
    *,
    printed: bool = False,
) -> Published:
    rows, ids = checked.rows, checked.ids
    alt = plot.words(rows, why)
    if not alt.strip():
        raise ValueError(f"plot {plot.name}: it has no words for those who cannot see it, and is not published")
    name = plot.name if size == "double" else f"{plot.name}-{size}"
    below = footer(ids, data, note, beside or name)
    # drawn from its table and words alone, so that a plot whose table and words are the same need not be drawn again
    svg, png, pdf = memo.recall(_drawn, plot, rows, rows["ids"].tolist(), size, below, name, alt, why, printed)
    text = to_csv(checked.table, plot)
    return Published(
        name=name,
        title=plot.title,
        alt=alt,
        svg=svg,
        csv=text,
        record=record(plot, name, size, alt, note, ids, text, data),
        png=png,
        pdf=pdf,
    )


def _drawn(
    plot: Plot, rows: pd.DataFrame, ids: list[str], size: SizeName, below: str, name: str, alt: str, why: str,
    printed: bool,
) -> tuple[str, bytes, bytes]:  # fmt: skip
    """The picture as SVG and, if it is printed, as PNG at 300 dots per inch and as PDF of one page."""
    figure = plot.figure(rows, size, below, why)
    svg, png, pdf = to_svg(figure, plot, name, alt, ids), b"", b""
    if printed:
        png = save(figure, "png", dpi=300, metadata={"Software": None, "Title": plot.title, "Description": alt})
        nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
        pdf = save(figure, "pdf", metadata={**nothing, "Title": plot.title, "Subject": alt})
    return svg, png, pdf


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
