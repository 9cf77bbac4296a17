"""The report of an edition: executed notebooks in; one HTML page without outside references and one PDF out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from desertion.params import Edition
from desertion.project import write_atomic

if TYPE_CHECKING:
    from desertion.figures import Data


def render(
    edition: Edition, notebooks: list[Path], out: Path, *, plots: Path | None = None, data: Data | None = None
) -> None:
    """Write the page of `edition` to `out` from its executed `notebooks`, in the order given, and the PDF beside it.

    `plots` is the folder with what the notebooks published; the CSV behind each plot is put into the page. `data` are
    the statements of the edition (read from data/ where they are not given).
    Raises UserError where a notebook cannot be read or has no title. An equal page is not touched.
    """
    from desertion import figures
    from desertion.report import content, page, paper, receipt, statements

    if data is None:
        data = figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)
    sections = content.read(notebooks, plots)
    rows = statements.statements(data, edition.rule)
    made_from = receipt.receipt(edition, notebooks)
    happened = statements.events(data)
    write_atomic(out, page.page(edition, sections, rows, happened, made_from))
    write_atomic(out.with_suffix(".pdf"), paper.paper(edition, _day(data), sections, rows, happened, made_from))


def _day(data: Data) -> date:
    """The day of an edition; where none is set, the day on which the last statement was known."""
    if data.as_of is not None:
        return data.as_of
    known: date = max(frame["known"].max() for frame in (data.figures, data.context) if len(frame)).date()
    return known
