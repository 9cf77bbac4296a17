"""Statements for reconciliation: the printed reading, the corrected reading, and the source of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from desertion.figures import Data


@dataclass(frozen=True, slots=True)
class Reading:
    """A count as a page gives it; rival readings differ in value, measure or period."""

    value: float
    measure: str
    period_start: date
    period_end: date


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of figures.csv. `reading` has corrections applied, `printed` has not.

    `origin`: the page that the number was taken from, as far as is known (see `origins`). `own_page`: whether that page
    belongs to those who counted. `publisher`: of a copy with its host. `published`: None if the page shows no date.
    `ends`: of a printed range, NaN where there is none.
    """

    id: str
    fact: str
    articles: str
    scope: str
    kind: str
    unit: str
    per: str
    cumulative: bool
    reading: Reading
    printed: Reading
    bound: str
    hedge: str
    compiler: str
    source: str
    origin: str
    own_page: bool
    source_kind: str
    publisher: str
    published: date | None
    status: str
    place: str
    part: str
    qualification: str
    soldiers: str
    ends: tuple[float, float]
    counted_on: date | None

    @property
    def held_wrong(self) -> bool:
        """Whether a correction replaces what the page prints."""
        return self.printed is not self.reading and self.printed != self.reading


#: Kinds of page that publish counts of their own; the other kinds repeat counts of these.
OWN = ("official_form", "newsroom", "leak", "belligerent")


def origins(sources: pd.DataFrame) -> dict[str, str]:
    """The page at the end of each source's chain of `copy_of`: the source itself if it copies no listed page."""
    copy_of = {str(page): str(copied) for page, copied in sources["copy_of"].items()}
    ends: dict[str, str] = {}
    for page in copy_of:
        end, seen = page, {page}
        while copy_of.get(end) and copy_of[end] not in seen:
            end = copy_of[end]
            seen.add(end)
        ends[page] = end
    return ends


def statements(data: Data) -> list[Statement]:
    """Every statement of `data.figures`, rejected ones too, in their order."""
    frame = data.figures
    ends = origins(data.sources)
    source_kinds = {str(page): str(kind) for page, kind in data.sources["kind"].items()}
    printed = _printed(data.corrections)
    columns = {name: _dates(frame[name]) if name in _DAYS else frame[name].tolist() for name in (*_TAKEN, *_OTHERS)}
    out = []
    for number, *cells in zip(frame.index, *columns.values(), strict=True):
        row = dict(zip(columns, cells, strict=True))
        value, measure, start, end, low, high, publisher, printed_by = (row.pop(name) for name in _OTHERS)
        reading = Reading(value, measure, start, end)
        source = row.pop("source_id")
        origin = ends.get(source, source)
        out.append(
            Statement(
                **row,
                id=str(number),
                reading=reading,
                printed=replace(reading, **printed[number]) if number in printed else reading,
                source=source,
                origin=origin,
                own_page=source_kinds.get(origin) in OWN or publisher == row["compiler"],
                source_kind=source_kinds.get(source, ""),
                publisher=printed_by,
                ends=(low, high),
            )
        )
    return out


#: Columns of `data.figures` that a statement has too, those that make its other fields, and those of dates.
_TAKEN = ("fact", "articles", "scope", "kind", "unit", "per", "cumulative", "bound", "hedge", "compiler", "source_id",
          "published", "status", "place", "part", "qualification", "soldiers", "counted_on")  # fmt: skip
_OTHERS = ("value", "measure", "period_start", "period_end", "low", "high", "publisher", "printed_by")
_DAYS = ("period_start", "period_end", "published", "counted_on")


def of_context(data: Data, ids: Collection[str]) -> list[Statement]:
    """The rows of `data.context` among `ids` as statements; their measure, which each series words anew, is blank."""
    frame = data.context[data.context.index.isin(ids)].assign(fact="", articles="", scope="whole", measure="")
    return statements(data.of(frame))


def _printed(corrections: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Printed values of the fields that corrections changed, by figure and field."""
    out: dict[str, dict[str, Any]] = {}
    columns = corrections[["figure_id", "field", "printed"]]
    for number, field, text in columns.itertuples(index=False, name=None):
        if field in ("period_start", "period_end"):
            out.setdefault(number, {})[field] = date.fromisoformat(text)
        elif field in ("value", "measure"):
            out.setdefault(number, {})[field] = float(text) if field == "value" else text
    return out


def _dates(column: pd.Series[Any]) -> list[date | None]:
    days = column.dt.date.where(column.notna(), None)
    return [day if isinstance(day, date) and not pd.isna(day) else None for day in days.tolist()]


def independent(group: Iterable[Statement]) -> int:
    """Number of independent sources among statements with the same reading.

    A fact has one compiler, and its readings differ in what the compiler is taken to have counted. So a source is
    independent if its author read the compiler's own page. Copies and relays of one page do not count twice: a page
    whose `copy_of` names another (a mirror, or an article rewritten from an article) counts with the page at the end of
    that chain. A relay that names none is taken to have read the compiler. Such pages are independent readers, not
    independent counts: those are other facts, set side by side as `rivals` in identities.csv.
    """
    return len({statement.origin for statement in group})
