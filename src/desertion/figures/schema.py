"""The files of data/: their columns with type and meaning, and the rules between the cells of one row.

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
    "part": (rules.part, "number of a part"),
    "period": (facts.period, "period"),
    "hedge": (rules.hedge, "word"),
    "qualifier": (rules.qualifier, "word"),
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
        """The function from a cell to its fault, an empty text where there is none."""
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

    `alike`: a column that groups rows, and the columns in which the rows of one group are equal. `needs`: keys of rows
    that must be there.
    """

    file: str
    key: tuple[str, ...]
    columns: Mapping[str, Field]
    row_rules: tuple[RowRule, ...] = ()
    alike: tuple[str, tuple[str, ...]] = ("", ())
    needs_rows: bool = False
    needs: tuple[str, ...] = ()
    may_be_absent: bool = False

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each column."""
        return {name: field.type for name, field in self.columns.items()}

    def dictionary(self) -> str:
        """The table of columns, types and meanings as Markdown."""
        lines = ["| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {field.kind} | {field.meaning} |" for name, field in self.columns.items()]
        return "\n".join(lines)


# --- the files -------------------------------------------------------------------------------------------------------

_NUMBERED = ("figures.csv", "context.csv")
_PAGES = ("sources.csv",)
_WARNED = ("figures.csv", "sources.csv", "identities.csv")
_HEDGES = ("hedges.csv",)
_BEYOND = ("above", "from", "below", "to")
_NOTE = Field("text", "what a reader must know, in our own words", True)
_LOCATOR = Field("text", "where on the page, in our own words", True)
_SOURCE = Field("slug", "the page", refers=_PAGES)
_KNOWN_FROM = Field("date", "day on which the evidence was public; before it the row does not exist")


def _word(words: Collection[str], meaning: str, blank: bool = False) -> Field:
    return Field("word", meaning, words=words, blank=blank)


_NUMBER_OF_A_PERIOD = {  # what figures and context share
    "kind": _word(vocabulary.KINDS, "what sort of number it is"),
    "unit": _word(vocabulary.UNITS, "unit of `value`"),
    "per": _word(vocabulary.PERS, "base of a share, time of a rate", True),
    "period_start": Field("date", "first day counted, as the page says"),
    "period_end": Field("date", "last day counted; where the page gives none it is *set*, and the note says so"),
    "cumulative": Field("boolean", "`true` for a running total that later pages continue"),
    "value": Field("number", 'the number as printed; a share printed in words ("a third") as percent'),
    "bound": _word(vocabulary.BOUNDS, "how the number is meant"),
    "hedge": Field("qualifier", "the printed qualifier (below); blank where the number is exact", True, (), _HEDGES),
    "source_id": _SOURCE,
    "compiler": Field("name", "who counted; who passed it on is in the note", refers=("compilers.csv",)),
    "locator": _LOCATOR,
    "note": Field("text", "how the page words it, which rows disagree", True),
}
_STATUS = {
    "status": _word(vocabulary.STATUSES, "whether to use it"),
    "status_reason": Field("text", "why not to use it; blank where `status` is `ok`", True),
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
            "articles": Field("articles", "the articles counted: numbers joined by `+`, or a whole (below)"),
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
            "series": Field("name", "rows of one series share a definition, a basis of compilation and a unit"),
            "measure": Field("name", "what is counted, in a short phrase; one spelling in a series"),
            **_NUMBER_OF_A_PERIOD,
            **_STATUS,
        },
        _ROW_RULES,
        alike=("series", ("topic", "measure", "kind", "unit", "per", "cumulative")),
    ),
    CsvSchema(
        "details.csv",
        ("id",),
        {
            "id": Field("id", "the statement", refers=_NUMBERED),
            "place": Field("name", "where the count was made; blank: all of Russia", True, (), ("places.csv",)),
            "part": Field("part", "part of the article that is counted; blank: all parts", True),
            "qualification": _word(vocabulary.QUALIFICATIONS, "as what the article is counted; blank: not said", True),
            "soldiers": _word(vocabulary.SOLDIERS, "kind of soldier; blank: all", True),
            "low": Field("number", "lower end of a printed range (below)", True),
            "high": Field("number", "upper end of a printed range", True),
            "counted_on": Field("date", "day on which the compiler counted; blank: not known", True),
            "courts_share": Field("number", "percent of the courts that the count covers; blank: not said", True),
            "base": Field("period", "period that a growth or a multiple is taken over, as in the names of facts", True),
        },
        (
            RowRule("high", rows.both_ends),
            RowRule("courts_share", rows.is_share),
            RowRule("id", rows.says_something),
        ),
        may_be_absent=True,
    ),
    CsvSchema(
        "places.csv",
        ("name",),
        {
            "name": Field("name", "the place, in one spelling, as in the column `place`"),
            "kind": _word(vocabulary.PLACE_KINDS, "what sort of place it is"),
            "note": _NOTE,
        },
        may_be_absent=True,
    ),
    CsvSchema(
        "sources.csv",
        ("id",),
        {
            "id": Field("slug", "publisher and date, or publisher and topic where the page shows no date"),
            "publisher": Field(
                "name", "who published the text, in one spelling; of a mirror who published the original"
            ),
            "title": Field("text", "title of the page; blank: not seen", True),
            "url": Field("address", "the address where it was seen, unchanged"),
            "archived": Field("address", "address of a copy in a public archive; blank: none is known", True),
            "published": Field("month", "the day; where only the month is known it counts from its last day", True),
            "retrieved": Field("date", "day on which it was last read there; blank: not noted", True),
            "language": Field("language", "language of the page: `en`, `ru`, `uk` …"),
            "kind": _word(vocabulary.SOURCE_KINDS, "what the page as a whole is"),
            "copy_of": Field("slug", "the page that this one copies, translates or closely rewrites", True, (), _PAGES),
            "note": Field("text", "host of a mirror, whom it relays, what is odd", True),
        },
        (RowRule("published", rows.dated_id), RowRule("retrieved", rows.read_after)),
        needs_rows=True,
    ),
    CsvSchema(
        "compilers.csv",
        ("name",),
        {
            "name": Field("name", "who counted, as in the columns `compiler`"),
            "slug": Field("slug", "first word of its facts; blank where it has none", True, (), (), True),
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
                "text", "what the row holds; where it no longer does, loading stops: the correction is stale", True
            ),
            "corrected": Field("text", "what we hold it to be", True),
            "reason": Field("text", "why, with the rows that show it"),
            "known_from": _KNOWN_FROM,
        },
    ),
    CsvSchema(
        "acknowledged.csv",
        ("id", "warning"),
        {
            "id": Field("name", "the statement, page or identity that draws the warning", refers=_WARNED),
            "warning": _word(vocabulary.WARNINGS, "kind of the warning, as `desertion check` prints it"),
            "reason": Field("text", "why the row is right all the same"),
        },
        may_be_absent=True,
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
        "searches.csv",
        ("id",),
        {
            "id": Field("slug", "readable name"),
            "what": Field("text", "what was looked for"),
            "where": Field("text", "where it was looked for"),
            "until": Field("date", "last day that a known count covers; blank: none is known", True),
            "day": Field("month", "when it was last looked for; of a month its last day counts"),
            "note": _NOTE,
        },
        may_be_absent=True,
    ),
    CsvSchema(
        "hedges.csv",
        ("hedge",),
        {
            "hedge": Field("hedge", "the printed word; `-fold` for a bare multiple"),
            "bound": _word(vocabulary.BOUNDS, "how a count with this word is read one-sidedly"),
            "low": Field("number", "lower end of what is admitted, in units (below) from the number"),
            "high": Field("number", "upper end of what is admitted, in units from the number"),
            "open": _word(("low", "high"), "the end that is itself not admitted", True),
            "beyond": _word(_BEYOND, "one-sided reading (below); blank: as in rounding", True),
            "also": Field("number", "added to the number in a second reading (below); blank: there is none", True),
            "meaning": Field("text", "what is admitted, in words"),
        },
        (RowRule("high", rows.high_after_low), RowRule("beyond", rows.fits_beyond)),
        needs=tuple(vocabulary.BOUND_WORDS.values()),
    ),
    CsvSchema(
        "identities.csv",
        ("id",),
        {
            "id": Field("id", "I…: identities; V…: revisions; R…: rivals; H…: the headline"),
            "left": Field("ids", "the numbers of one side; they are added up", refers=_NUMBERED),
            "relation": _word(vocabulary.RELATIONS, "how the two sides are related"),
            "right": Field("ids", "the other side (below)", True, (), _NUMBERED),
            "tolerance": Field("number", "what the sides may differ by beyond rounding (below); blank is 0", True),
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
            "source_id": Field("slug", "the page that makes the claim", refers=_PAGES),
            "locator": _LOCATOR,
            "statement": Field("text", "what it claims, in our own words"),
            "kind": _word(vocabulary.CLAIM_KINDS, "how the number is computed"),
            "numerator": Field("ids", "the numbers it rests on; they are added up", True, (), _NUMBERED),
            "denominator": Field("ids", "the numbers that these are compared with", True, (), _NUMBERED),
            "stated": Field("printed", "the number that the page states (`3.5`); blank where it states none", True),
            "unit": _word(vocabulary.CLAIM_UNITS, "unit of `stated`; blank for `qualitative`", True),
            "hedge": Field("hedge", "the word beside `stated`; blank where that is", True, (), _HEDGES),
            "note": Field("text", "what to know when reading the verdict", True),
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
(
    FIGURES, CONTEXT, DETAILS, PLACES, SOURCES, COMPILERS, CORRECTIONS, ACKNOWLEDGED, EVENTS, SEARCHES, HEDGES,
    IDENTITIES, CLAIMS,
) = BY_FILE  # fmt: skip
