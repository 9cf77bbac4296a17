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
    from concurrent.futures import ThreadPoolExecutor

    from desertion import figures
    from desertion.report import content, layout, page, paper, receipt, statements, verification

    if data is None:
        data = figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)
    answer, sections, methods = layout.arrange(content.read(notebooks, plots), verification.verification())
    whole = layout.Report(
        edition,
        _day(data),
        answer,
        sections,
        methods,
        statements.statements(data, edition.rule),
        statements.events(data),
        receipt.receipt(edition, notebooks),
    )
    # Most of the time of both is spent outside Python, in pandoc and Typst.
    with ThreadPoolExecutor(1) as other:
        pdf = other.submit(paper.paper, whole)
        html = page.page(whole)
        made = pdf.result()
    write_atomic(out, html)
    write_atomic(out.with_suffix(".pdf"), made)


def _day(data: Data) -> date:
    """The day of an edition; where none is set, the day on which the last statement was known."""
    if data.as_of is not None:
        return data.as_of
    known: date = max(frame["known"].max() for frame in (data.figures, data.context) if len(frame)).date()
    return known
