"""The report of an edition: executed notebooks in; one HTML page without outside references and one PDF out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import relative, write_atomic

if TYPE_CHECKING:
    from desertion.entries import Entry
    from desertion.figures import Data


@dataclass(frozen=True)
class Prepared:
    """Everything that a page needs besides its notebooks: the data, statements and events."""

    data: Data
    statements: list[Entry]
    events: list[Entry]


def prepare(edition: Edition, data: Data | None = None) -> Prepared:
    """Read the statements before the notebooks have run; `data` are those of the edition (default: those of data/).

    Also imports the renderers, which takes a third of the render time.
    """
    from desertion import entries, figures
    from desertion.report import content, layout, page, paper, verification, version  # noqa: F401

    if data is None:
        data = figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)
    return Prepared(data, entries.statements(data, edition.rule), entries.events(data))


def render(
    edition: Edition,
    notebooks: list[Path],
    out: Path,
    *,
    plots: Path | None = None,
    data: Data | None = None,
    prepared: Prepared | None = None,
) -> list[str]:
    """Write the page of `edition` to `out`, and the PDF with the same name, from executed `notebooks` in this order.

    `plots` is the folder of the published plots; the CSV of each plot is embedded in the page. `data` are the
    statements of the edition (default: those of data/), `prepared` the result of `prepare`. A page that would not
    change is not written. Returns what an author should know of it (`content.notes`), one line each. Raises UserError
    if a notebook cannot be read or has no title, and where the PDF is refused; the page is then written without a PDF.
    """
    from desertion.report import content, history, layout, page, paper, verification, version

    ready = prepared or prepare(edition, data)
    earlier = history.load(edition.name, version.data_hash()[:16])
    read = content.read(notebooks, plots, earlier)
    day = _day(ready.data)
    checks = [*verification.verification(), verification.forecasts(ready.data.figures, day)]
    answer, chapters, methods = layout.arrange(read, checks)
    made_from = version.about(edition, notebooks)
    covered = layout.coverage(answer, [*chapters, methods], ready.data)
    whole = layout.Report(edition, day, covered, answer, chapters, methods, ready.statements, ready.events, made_from)
    # Both spend most of their time outside Python, in pandoc and Typst.
    with ThreadPoolExecutor(1) as thread:
        notes: list[str] = []
        pdf = thread.submit(paper.paper, whole, notes)
        html = page.page(whole)
        try:
            document = pdf.result()
        except UserError as error:
            write_atomic(out, html)
            out.with_suffix(".pdf").unlink(missing_ok=True)  # it is not of this page
            raise UserError(f"{relative(out)} is new and has no PDF: {error}") from None
    write_atomic(out, html)
    write_atomic(out.with_suffix(".pdf"), document)
    return [*content.notes(read), *notes]


def _day(data: Data) -> date:
    """The day of an edition; where none is set, the day on which the last statement was known."""
    if data.as_of is not None:
        return data.as_of
    known: date = max(frame["known"].max() for frame in (data.figures, data.context) if len(frame)).date()
    return known
