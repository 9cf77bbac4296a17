"""What each file of data/ holds: its columns with type and meaning, and the rules between the cells of one row.

Validation, the types of `Data` and the tables of columns in data/README.md and data/CONTEXT.md come from here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from desertion import vocabulary
from desertion.figures import facts, rows, rules
from desertion.figures.rules import Rule

#: Type of a field → the rule of its cells, and what the type is called in the data dictionary.
TYPES: Mapping[str, tuple[Rule, str]] = {
    "id": (rules.ident, "id"),
    "ids": (rules.each(rules.ident), "ids"),
    "slug": (rules.slug, "readable id"),
    "word": (rules.name, "word"),
    "name": (rules.name, "name"),
    "text": (rules.text, "text"),
    "fact": (facts.rule, "name of a fact"),
    "articles": (rules.articles, "set of articles"),
    "hedge": (rules.hedge, "word"),
    "language": (rules.language, "two letters"),
    "address": (rules.address, "web address"),
    "number": (rules.number, "number"),
    "printed": (rules.number, "number as printed"),
    "date": (rules.date, "date"),
    "month": (rules.month_or_date, "date or month"),
    "boolean": (rules.truth, "`true` or `false`"),
}


@dataclass(frozen=True)
class Field:
    """A column: its type, what it means, and what its cells may hold.

    `blank`: whether a cell may be empty. `words`: the closed vocabulary of the cells. `refers`: the files whose ids the
    cells hold. `unique`: whether no two cells that are not blank are equal.
    """

    type: str
    meaning: str
    blank: bool = False
    words: Collection[str] = ()
    refers: tuple[str, ...] = ()
    unique: bool = False

    @cached_property
    def rule(self) -> Rule:
        """What is wrong with a cell, or an empty text."""
        rule = rules.word(self.words) if self.words else TYPES[self.type][0]
        return rules.optional(rule) if self.blank else rule

    @property
    def kind(self) -> str:
        """The type in words, for the data dictionary."""
        files = " or ".join(f"`{file}`" for file in self.refers)
        where = f" of {files}" if files else ""
        return f"{TYPES[self.type][1]}{where}{', or blank' if self.blank else ''}"


@dataclass(frozen=True)
class RowRule:
    """A rule between cells of one row: the parameters of `explain` are the columns it reads; a fault stands at `at`.

    It is applied where every cell that it reads keeps its own rule.
    """

    at: str
    explain: Callable[..., str]

    @cached_property
    def of(self) -> tuple[str, ...]:
        """The columns that the rule reads."""
        return tuple(inspect.signature(self.explain).parameters)


@dataclass(frozen=True)
class CsvSchema:
    """A file: its columns in order, the columns that identify a row and order the rows, and the rules of a row.

    `alike`: a column that groups rows, and the columns in which the rows of one group are equal.
    """

    file: str
    key: tuple[str, ...]
    columns: Mapping[str, Field]
    row_rules: tuple[RowRule, ...] = ()
    alike: tuple[str, tuple[str, ...]] = ("", ())
    needs_rows: bool = False
    may_be_absent: bool = False

    def dictionary(self) -> str:
        """The table of columns, types and meanings as Markdown."""
        lines = ["| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {field.kind} | {field.meaning} |" for name, field in self.columns.items()]
        return "\n".join(lines)


# --- the files -------------------------------------------------------------------------------------------------------

_NUMBERED = ("figures.csv", "context.csv")
_FIGURES = ("figures.csv",)
_NOTE = Field("text", "what a reader must know, in our own words", blank=True)
_LOCATOR = Field("text", "where on the page, in our own words", blank=True)
_SOURCE = Field("slug", "the page", refers=("sources.csv",))
_KNOWN_FROM = Field("date", "day on which the evidence was public; before it the row does not exist")


def _word(words: Collection[str], meaning: str, *, blank: bool = False) -> Field:
    return Field("word", meaning, words=words, blank=blank)


_NUMBER_OF_A_PERIOD = {  # what figures and context share
    "kind": _word(vocabulary.KINDS, "what sort of number it is"),
    "unit": _word(vocabulary.UNITS, "unit of `value`"),
    "per": _word(vocabulary.PERS, "base of a share, time of a rate", blank=True),
    "period_start": Field("date", "first day counted, as the page says"),
    "period_end": Field(
        "date",
        "last day counted, as the page says; where the page gives none it is *set* (to publication, or to the end of "
        "the month) and the note says so",
    ),
    "cumulative": Field("boolean", "`true` for a running total that later pages continue"),
    "value": Field("number", 'the number as printed; a share printed in words ("a third") as percent'),
    "bound": _word(vocabulary.BOUNDS, "how the number is meant"),
    "hedge": Field(
        "hedge",
        "the printed qualifier in plain English, blank where the number is exact; where the page prints a rounded "
        "number without a word, or the word was not noted, the plain `about`, `at least` or `up to`",
        words=vocabulary.HEDGES,
        refers=("hedges.csv",),
        blank=True,
    ),
    "source_id": _SOURCE,
    "compiler": Field(
        "name", "who counted; who passed it on is in `sources.csv` or the note", refers=("compilers.csv",)
    ),
    "locator": _LOCATOR,
    "note": Field("text", "how the page words it, which rows disagree", blank=True),
}
_STATUS = {
    "status": _word(vocabulary.STATUSES, "whether to use it"),
    "status_reason": Field("text", "why not to use it; blank where `status` is `ok`", blank=True),
}
_ROW_RULES = (  # `published` is that of the row's source
    RowRule("period_end", rows.ends_after_start),
    RowRule("period_end", rows.published_after),
    RowRule("unit", rows.fits_unit),
    RowRule("per", rows.fits_per),
    RowRule("value", rows.fits_value),
    RowRule("status_reason", rows.reason_given),
)

SCHEMAS = (
    CsvSchema(
        "figures.csv",
        ("id",),
        {
            "id": Field("id", "`F001` …, kept for good"),
            "fact": Field("fact", "the one count that this statement renders (below)"),
            "articles": Field(
                "articles",
                "articles of the Criminal Code of Russia that are counted: numbers in ascending order joined by `+`, "
                "or one of the wholes below",
            ),
            "measure": _word(vocabulary.MEASURES, "what is counted"),
            "scope": _word(vocabulary.SCOPES, "how much of what articles and period say is counted"),
            **_NUMBER_OF_A_PERIOD,
            "audit": _word(vocabulary.AUDITS, "whether a second reader saw it"),
            **_STATUS,
        },
        (*_ROW_RULES, RowRule("unit", rows.fits_measure)),
        alike=("fact", ("compiler", "scope", "kind")),  # rivals in all else
        needs_rows=True,
    ),
    CsvSchema(
        "context.csv",
        ("id",),
        {
            "id": Field("id", "`ctx001` …, kept for good"),
            "topic": _word(vocabulary.TOPICS, "what the row is about"),
            "series": Field(
                "name",
                "rows of one series share a definition, a basis of compilation and a unit and may stand in one plotted "
                "series; rows of two series are never joined by a line or used as each other's base",
            ),
            "measure": Field("name", "what is counted, in a short phrase; one spelling in a series"),
            **_NUMBER_OF_A_PERIOD,
            **_STATUS,
        },
        _ROW_RULES,
        alike=("series", ("topic", "measure", "kind", "unit", "per", "cumulative")),
    ),
    CsvSchema(
        "sources.csv",
        ("id",),
        {
            "id": Field("slug", "publisher and date, or publisher and topic where the page shows no date"),
            "publisher": Field(
                "name",
                "who published the text, in one spelling; of a mirror the publisher of the original: the host is in "
                "the note",
            ),
            "url": Field("address", "the address where it was seen, unchanged"),
            "published": Field(
                "month",
                "the day, or `YYYY-MM` where only the month is known (it counts from its last day)",
                blank=True,
            ),
            "language": Field("language", "language of the page: `en`, `ru`, `uk` …"),
            "kind": _word(vocabulary.SOURCE_KINDS, "what the page as a whole is"),
            "copy_of": Field(
                "slug",
                "the page that this one copies, translates or closely rewrites: the two are one source",
                refers=("sources.csv",),
                blank=True,
            ),
            "note": Field("text", "host of a mirror, whom it relays, what is odd", blank=True),
        },
        (RowRule("published", rows.dated_id),),
        needs_rows=True,
    ),
    CsvSchema(
        "compilers.csv",
        ("name",),
        {
            "name": Field("name", "who counted or said the number, in the one spelling of column `compiler`"),
            "slug": Field(
                "slug", "first word of its facts; blank where it counts in `context.csv` alone", True, unique=True
            ),
            "kind": _word(vocabulary.COMPILER_KINDS, "what sort of compiler it is"),
            "who": Field("text", "who that is, and what it counts from"),
        },
        needs_rows=True,
    ),
    CsvSchema(
        "corrections.csv",
        ("figure_id", "field"),
        {
            "figure_id": Field("id", "the row that is corrected", refers=_NUMBERED),
            "field": Field("text", "the column that is corrected"),
            "printed": Field(
                "text",
                "what the row holds: the guard. If the row no longer holds it, loading stops: the correction is stale",
                blank=True,
            ),
            "corrected": Field("text", "what we hold it to be", blank=True),
            "reason": Field("text", "why, with the rows that show it"),
            "known_from": _KNOWN_FROM,
        },
    ),
    CsvSchema(
        "events.csv",
        ("id",),
        {
            "id": Field("slug", "readable name"),
            "date": Field("date", "the day; where only the month is known its first day, and the note says so"),
            "title": Field("name", "what happened, in a few words"),
            "kind": _word(vocabulary.EVENT_KINDS, "what sort of break it is"),
            "source_id": _SOURCE,
            "note": _NOTE,
        },
    ),
    CsvSchema(
        "hedges.csv",
        ("hedge",),
        {
            "hedge": Field("hedge", "the printed word; `-fold` for a bare multiple"),
            "bound": _word(vocabulary.BOUNDS, "how a count with this word is read one-sidedly"),
            "low": Field(
                "number",
                "lower end of what is admitted, in units from the number. The unit is the place value of the last "
                "non-zero digit, at most 10 % of the number and at least its last printed place; for `exactly` the "
                "last printed place",
            ),
            "high": Field("number", "upper end of what is admitted, in units from the number"),
            "open": _word(("low", "high"), "the end that is itself not admitted", blank=True),
            "beyond": _word(
                ("above", "from", "below", "to"),
                "one-sided reading: `above` (more than the number), `from` (the number or more), `below`, `to`; blank: "
                "as in rounding",
                blank=True,
            ),
            "also": Field(
                "number",
                'added to the stated number in a second reading (a "fivefold increase" may mean five times or six '
                "times); blank: there is none",
                blank=True,
            ),
            "meaning": Field("text", "what is admitted, in words"),
        },
        (RowRule("high", rows.high_after_low), RowRule("beyond", rows.fits_beyond)),
        may_be_absent=True,
    ),
    CsvSchema(
        "identities.csv",
        ("id",),
        {
            "id": Field("id", "I…: identities; V…: revisions; R…: rivals; H…: the headline"),
            "left": Field("ids", "the numbers of one side, one space between them; they are added up", refers=_FIGURES),
            "relation": _word(vocabulary.RELATIONS, "how the two sides are related"),
            "right": Field(
                "ids",
                "the other side: of `growth` the new and the old number, of `share` the part and the whole, of "
                "`rises` blank (the left side stands in order of time)",
                refers=_FIGURES,
                blank=True,
            ),
            "tolerance": Field(
                "number",
                "what the two sides may differ by beyond the rounding of printed numbers, in their unit (percent for "
                "growth, share and revises); blank is 0",
                blank=True,
            ),
            "why": Field("text", "the reason for the identity, or the evidence on the conflict"),
            "known_from": _KNOWN_FROM,
        },
        (
            RowRule("left", rows.fits_left),
            RowRule("right", rows.fits_right),
            RowRule("right", rows.on_both_sides),
            RowRule("tolerance", rows.not_negative),
        ),
        may_be_absent=True,
    ),
    CsvSchema(
        "claims.csv",
        ("id",),
        {
            "id": Field("id", "S01–S12: the article of 2024-03-20; C01…: other pages"),
            "source_id": Field("slug", "the page that makes the claim", refers=("sources.csv",)),
            "locator": _LOCATOR,
            "statement": Field("text", "what it claims, in our own words"),
            "kind": _word(vocabulary.CLAIM_KINDS, "how the number is computed"),
            "numerator": Field(
                "ids", "the numbers it rests on, one space between them; they are added up", True, (), _NUMBERED
            ),
            "denominator": Field("ids", "the numbers that these are compared with", True, (), _NUMBERED),
            "stated": Field("printed", "the number that the page states (`3.5`); blank where it states none", True),
            "unit": _word(vocabulary.CLAIM_UNITS, "unit of `stated`; blank for `qualitative`", blank=True),
            "hedge": Field("hedge", "the word beside `stated`; blank where that is", True, (), ("hedges.csv",)),
            "note": Field("text", "what to know when reading the verdict", blank=True),
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
BY_FILE = {schema.file: schema for schema in SCHEMAS}
FIGURES, CONTEXT, SOURCES, COMPILERS, CORRECTIONS, EVENTS, HEDGES, IDENTITIES, CLAIMS = BY_FILE
