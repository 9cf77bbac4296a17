"""What each data file holds: its columns with a rule each, the rules between them, and the same as a pandera schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

from desertion import vocabulary
from desertion.figures import facts, rows, rules
from desertion.figures.rules import Rule, optional, word

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """A column: the rule of its cells, and the files whose ids the words in it are (`many` of them, or one)."""

    rule: Rule
    refers: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class RowRule:
    """A rule between cells of one row: the parameters of `explain` are the columns it reads; a fault stands at `at`.

    It is asked only where every cell it reads keeps its own rule.
    """

    at: str
    explain: Callable[..., str]

    @cached_property
    def of(self) -> tuple[str, ...]:
        """The columns that the rule reads."""
        return tuple(inspect.signature(self.explain).parameters)


@dataclass(frozen=True)
class Table:
    """A file: its columns in order, the columns that tell rows apart and order them, and the rules of a row.

    `alike`: a column that groups rows, and the columns in which the rows of a group are the same.
    """

    file: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    row_rules: tuple[RowRule, ...] = ()
    alike: tuple[str, tuple[str, ...]] = ("", ())
    needs_rows: bool = False
    may_be_absent: bool = False


# --- the files -------------------------------------------------------------------------------------------------------

_SOURCE = Column(rules.slug, refers=("sources.csv",))
_FIGURES = ("figures.csv", "context.csv")
_IDS = Column(rules.each(rules.ident), refers=("figures.csv",), many=True)
_MAYBE_IDS = Column(optional(rules.each(rules.ident)), refers=("figures.csv",), many=True)
_NUMBERS = Column(optional(rules.each(rules.ident)), refers=_FIGURES, many=True)
_HEDGE = Column(optional(word(vocabulary.HEDGES)), refers=("hedges.csv",))
_DATE = Column(rules.date)
_NAME = Column(rules.name)
_TEXT = Column(rules.text)
_NOTE = Column(rules.anything)


def _words(words: Sequence[str] | Mapping[str, str]) -> Column:
    return Column(word(tuple(words)))


def _maybe(words: Sequence[str] | Mapping[str, str]) -> Column:
    return Column(optional(word(tuple(words))))


_NUMBER_OF_A_PERIOD = {  # what figures and context share
    "kind": _words(vocabulary.KINDS),
    "unit": _words(vocabulary.UNITS),
    "per": _maybe(vocabulary.PERS),
    "period_start": _DATE,
    "period_end": _DATE,
    "cumulative": Column(rules.truth),
    "value": Column(rules.number),
    "bound": _words(vocabulary.BOUNDS),
    "hedge": _HEDGE,
    "source_id": _SOURCE,
    "compiler": _NAME,
    "locator": _NOTE,
    "note": _NOTE,
}
_ROW_RULES = (  # `published` is that of the row's source
    RowRule("period_end", rows.ends_after_start),
    RowRule("period_end", rows.published_after),
    RowRule("unit", rows.fits_unit),
    RowRule("per", rows.fits_per),
    RowRule("value", rows.fits_value),
    RowRule("status_reason", rows.reason_given),
)

TABLES = (
    Table(
        "figures.csv",
        ("id",),
        {
            "id": Column(rules.ident),
            "fact": Column(facts.rule),
            "articles": Column(rules.articles),
            "measure": _words(vocabulary.MEASURES),
            "scope": _words(vocabulary.SCOPES),
            **_NUMBER_OF_A_PERIOD,
            "audit": _words(vocabulary.AUDITS),
            "status": _words(vocabulary.STATUSES),
            "status_reason": _NOTE,
        },
        (*_ROW_RULES, RowRule("unit", rows.fits_measure)),
        alike=("fact", ("compiler", "scope", "kind")),  # rivals in all else
        needs_rows=True,
    ),
    Table(
        "context.csv",
        ("id",),
        {
            "id": Column(rules.ident),
            "topic": _words(vocabulary.TOPICS),
            "series": _NAME,
            "measure": _NAME,
            **_NUMBER_OF_A_PERIOD,
            "status": _words(vocabulary.STATUSES),
            "status_reason": _NOTE,
        },
        _ROW_RULES,
        alike=("series", ("topic", "measure", "kind", "unit", "per", "cumulative")),
    ),
    Table(
        "sources.csv",
        ("id",),
        {
            "id": Column(rules.slug),
            "publisher": _NAME,
            "url": Column(rules.address),
            "published": Column(optional(rules.month_or_date)),
            "language": Column(rules.language),
            "kind": _words(vocabulary.SOURCE_KINDS),
            "copy_of": Column(optional(rules.slug), refers=("sources.csv",)),
            "note": _NOTE,
        },
        (RowRule("published", rows.dated_id),),
        needs_rows=True,
    ),
    Table(
        "corrections.csv",
        ("figure_id", "field"),
        {
            "figure_id": Column(rules.ident, refers=_FIGURES),
            "field": _TEXT,
            "printed": _NOTE,
            "corrected": _NOTE,
            "reason": _TEXT,
            "known_from": _DATE,
        },
    ),
    Table(
        "events.csv",
        ("id",),
        {
            "id": Column(rules.slug),
            "date": _DATE,
            "title": _NAME,
            "kind": _words(vocabulary.EVENT_KINDS),
            "source_id": _SOURCE,
            "note": _NOTE,
        },
    ),
    Table(
        "hedges.csv",
        ("hedge",),
        {
            "hedge": Column(rules.hedge),
            "bound": _words(vocabulary.BOUNDS),
            "low": Column(rules.number),
            "high": Column(rules.number),
            "open": _maybe(("low", "high")),
            "beyond": _maybe(("above", "from", "below", "to")),
            "also": Column(optional(rules.number)),
            "meaning": _TEXT,
        },
        (
            RowRule("high", rows.high_after_low),
            RowRule("beyond", rows.fits_beyond),
        ),
        may_be_absent=True,
    ),
    Table(
        "identities.csv",
        ("id",),
        {
            "id": Column(rules.ident),
            "left": _IDS,
            "relation": _words(vocabulary.RELATIONS),
            "right": _MAYBE_IDS,
            "tolerance": Column(optional(rules.number)),
            "why": _TEXT,
            "known_from": _DATE,
        },
        (
            RowRule("left", rows.fits_left),
            RowRule("right", rows.fits_right),
            RowRule("right", rows.on_both_sides),
            RowRule("tolerance", rows.not_negative),
        ),
        may_be_absent=True,
    ),
    Table(
        "claims.csv",
        ("id",),
        {
            "id": Column(rules.ident),
            "source_id": _SOURCE,
            "locator": _NOTE,
            "statement": _TEXT,
            "kind": _words(vocabulary.CLAIM_KINDS),
            "numerator": _NUMBERS,
            "denominator": _NUMBERS,
            "stated": Column(optional(rules.number)),
            "unit": _maybe(vocabulary.CLAIM_UNITS),
            "hedge": Column(optional(rules.hedge), refers=("hedges.csv",)),
            "note": _NOTE,
        },
        (
            RowRule("stated", rows.claims_a_number),
            RowRule("unit", rows.claims_in_unit),
            RowRule("hedge", rows.claims_with_hedge),
            RowRule("hedge", rows.multiplies),
            RowRule("denominator", rows.takes_denominator),
            RowRule("denominator", rows.divides_itself),
        ),
        may_be_absent=True,
    ),
)
BY_FILE = {table.file: table for table in TABLES}


# --- pandera ---------------------------------------------------------------------------------------------------------


def _kept(rule: Rule, cells: pd.Series[Any]) -> pd.Series[bool]:
    broken = {cell for cell in cells.unique() if rule(cell)}  # each distinct text once
    return ~cells.isin(broken)


@lru_cache
def schema(file: str) -> Any:
    """The pandera DataFrameSchema of `file`: every column there, no other, and each cell keeps its column's rule."""
    import pandera.pandas as pa

    columns = {
        name: pa.Column(None, pa.Check(partial(_kept, column.rule), name="rule"))
        for name, column in BY_FILE[file].columns.items()
    }
    return pa.DataFrameSchema(columns, strict=True)
