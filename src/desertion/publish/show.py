"""A plot shown in a notebook and saved in a folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from desertion import drawing, memo
from desertion.plots.contract import conform
from desertion.plots.frame import SizeName
from desertion.plots.plot import Plot
from desertion.project import write_atomic
from desertion.publish.behind import footer, known, record
from desertion.publish.files import save, to_csv, to_svg

if TYPE_CHECKING:
    from desertion.figures import Data


#: What the single-column picture beside a plot is called, after the plot's name.
PHONE = "-single"


@dataclass(frozen=True)
class Published:
    """One plot ready for the public: its picture as SVG, its table as CSV, its words and its side record as JSON.

    The PNG and the PDF are empty where they were not asked for.
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
) -> None:
    """Show `plot` of `table` in the notebook and, where `out` names a folder, save it there.

    In the notebook it is one output: the SVG, with the words for it as plain text and in the output's metadata. In the
    folder it is NAME.svg, .png, .pdf, .csv (the table) and .json (the side record), at another size than `double`
    under NAME-SIZE; beside `double` there is NAME-single.svg, which the page shows on a phone. `note` ends the footer.
    Where no plots are wanted (`desertion.drawing`) the table is checked only.
    Raises UserError for an id that the data do not have or that was rejected, ValueError for a table that is not
    what the plot draws.
    """
    if not drawing.enabled():
        _checked(plot, table, data)
        return
    ready = render(plot, table, data, note=note, size=size, printed=out is not None)
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
            files[f"{PHONE}.svg"] = render(plot, table, data, note=note, size="single", beside=ready.name).svg
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
    """The plot with its footer, table and side record, nothing shown or saved yet. Raises as `show` does.

    `beside`: the name of the published plot whose side record the footer refers to, where it is not its own.
    `printed`: as PNG and PDF, too.
    """
    rows, ids = _checked(plot, table, data)
    alt = plot.describe(table)
    if not alt.strip():
        raise ValueError(f"plot {plot.name}: no words for those who cannot see it; it is not published without")
    name = plot.name if size == "double" else f"{plot.name}-{size}"
    below = footer(ids, data, note, beside or name)
    # drawn from its table and words alone, so that what did not change in them need not be drawn again
    svg, png, pdf = memo.recall(_drawn, plot, table, rows["ids"].tolist(), size, below, name, alt, printed)
    text = to_csv(table, plot)
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
    plot: Plot, table: pd.DataFrame, ids: list[str], size: SizeName, below: str, name: str, alt: str, printed: bool
) -> tuple[str, bytes, bytes]:
    """The picture as SVG and, where it is to be printed, as PNG at 300 dots an inch and as PDF of one page."""
    figure = plot(table, size, below)
    svg, png, pdf = to_svg(figure, plot, name, alt, ids), b"", b""
    if printed:
        png = save(figure, "png", dpi=300, metadata={"Software": None, "Title": plot.title, "Description": alt})
        nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
        pdf = save(figure, "pdf", metadata={**nothing, "Title": plot.title, "Subject": alt})
    return svg, png, pdf


def _checked(plot: Plot, table: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, list[str]]:
    """The table as the plot draws it, and the ids in it."""
    rows = conform(plot.name, table, plot.columns)
    return rows, known(plot.name, rows["ids"], data)


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
