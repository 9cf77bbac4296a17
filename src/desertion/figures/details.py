"""Details of statements: in words, and the faults between details.csv and its statements and within a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from desertion import vocabulary
from desertion.figures.corrections import corrected
from desertion.figures.file import Between, Files
from desertion.figures.read import Issue
from desertion.figures.rows import last_day
from desertion.figures.schema import CONTEXT, DETAILS, FIGURES
from desertion.text import shown

#: Columns that make a statement one of a part of what its articles, its measure and its period say.
NARROWING = ("place", "part", "qualification", "soldiers")


_SCOPES = {"mobilisation_parts": "the parts added in September 2022 alone", "sample": "a sample"}


def covers(row: Mapping[str, Any]) -> str:
    """What a statement is a count of, where it is none of the whole: `Moscow Oblast, part 5, contract soldiers`.

    `row`: its columns in `Data.figures`, `Data.context` or the table of `reconcile.facts`.
    """
    part = str(row.get("part", "")).replace("+", " and ")
    soldiers, qualification = str(row.get("soldiers", "")), str(row.get("qualification", ""))
    words = (
        row.get("place", ""),
        part and f"part{'s' * (' and ' in part)} {part}",
        vocabulary.SOLDIERS.get(soldiers, soldiers),
        "beside a graver crime" if qualification == "additional" else "",
        _SCOPES.get(str(row.get("scope", "")), ""),
    )
    return ", ".join(word for word in words if word)


class _Detail(NamedTuple):
    line: int
    id: str
    place: str
    part: str
    qualification: str
    soldiers: str
    low: str
    high: str
    counted_on: str
    base: str

    def narrows(self) -> Iterator[tuple[str, str]]:
        """The columns, with their cells, by which the statement is one of a part."""
        for column in NARROWING:
            if (cell := getattr(self, column)) and cell != "main":
                yield column, cell


def describe(files: Files) -> Between:
    """Details that do not fit their statement, and subsets and growths without the details that explain them."""
    rows = list(files[DETAILS].rows("id", *_Detail._fields[2:])) if DETAILS in files else []
    details = {detail.id: detail for detail in map(_Detail._make, rows)}
    columns = ("kind", "bound", "value", "period_start", "published", "source_id")
    for name in (FIGURES, CONTEXT):
        for row in corrected(files, name, *columns) if "published" in files[name].frame else ():
            line, number, kind, bound, value, start, published, _ = row
            detail = details.get(number)
            if kind in ("growth", "multiple") and not (detail and detail.base):
                message = f"of {number} needs a period that it is taken over: write it in the column base of {DETAILS}"
                yield name, Issue(line, "kind", kind, message)
            if detail:
                yield from ((DETAILS, issue) for issue in _number(detail, kind, bound, value, start, published))
                if name == CONTEXT:
                    yield from ((DETAILS, issue) for issue in _no_article(detail))
    for line, number, articles, scope in corrected(files, FIGURES, "articles", "scope"):
        detail = details.get(number)
        narrow = next(detail.narrows(), None) if detail else None
        if detail and detail.part and (articles not in vocabulary.ARTICLES or not articles[0].isdigit()):
            message = f"is a part of one article, the articles of {number} are {articles}"
            yield DETAILS, Issue(detail.line, "part", detail.part, message)
        if detail and narrow and scope in ("whole", "mobilisation_parts"):
            message = f"makes {number} a subset, its scope is {scope}: write subset or sample there"
            yield DETAILS, Issue(detail.line, *narrow, message)
        if scope == "subset" and not narrow:
            message = f"of {number} leaves open of what: write {', '.join(NARROWING)} in a row of {DETAILS}"
            yield FIGURES, Issue(line, "scope", scope, message)
    yield from _unlike(files, details)


def _number(detail: _Detail, kind: str, bound: str, value: str, start: str, published: str) -> Iterator[Issue]:
    if detail.low and detail.high:
        if not float(detail.low) <= float(value) <= float(detail.high):
            message = f"to {detail.high} does not contain the value of {detail.id}, {value}"
            yield Issue(detail.line, "low", detail.low, message)
        if bound != "about":
            message = f"makes {detail.id} a range, its bound is {bound}: write about there, or two rows (/low, /high)"
            yield Issue(detail.line, "low", detail.low, message)
    if detail.base and kind not in ("growth", "multiple", "projection"):
        message = f"stands beside the kind {kind} of {detail.id}: only a growth or a multiple has a base"
        yield Issue(detail.line, "base", detail.base, message)
    if detail.counted_on and detail.counted_on < start:
        message = f"is before the period of {detail.id} starts, {start}"
        yield Issue(detail.line, "counted_on", detail.counted_on, message)
    if detail.counted_on and published and detail.counted_on > last_day(published):
        message = f"is after the page of {detail.id} was published, {published}"
        yield Issue(detail.line, "counted_on", detail.counted_on, message)


def _no_article(detail: _Detail) -> Iterator[Issue]:
    for column in ("part", "qualification"):
        if cell := getattr(detail, column):
            yield Issue(detail.line, column, cell, f"is of an article, {detail.id} of {CONTEXT} has none")


def _unlike(files: Files, details: dict[str, _Detail]) -> Between:
    """Statements of one fact that are of different places, parts, qualifications or kinds of soldier."""
    first: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line, number, fact in files[FIGURES].rows("id", "fact"):
        detail = details.get(number)
        cells = tuple(getattr(detail, column, "") for column in NARROWING)
        other, theirs = first.setdefault(fact, (number, cells))
        for column, cell, their in zip(NARROWING, cells, theirs, strict=True):
            if cell != their:
                message = f"the {column} of {other}, of the same fact, is '{shown(their)}': one of them is wrong"
                if detail:
                    yield DETAILS, Issue(detail.line, column, cell, message)
                else:
                    yield FIGURES, Issue(line, "fact", fact, f"{message} ({number} has no row in {DETAILS})")


def ranges(files: Files) -> Between:
    """Facts that end in /low without one in /high or the other way, and lower ends above the upper."""
    ends: dict[str, tuple[int, float]] = {}
    for line, _, fact, value in corrected(files, FIGURES, "fact", "value"):
        if fact.endswith(("/low", "/high")):
            ends.setdefault(fact, (line, float(value)))
    for fact, (line, value) in ends.items():
        stem, _, end = fact.rpartition("/")
        other = f"{stem}/{'low' if end == 'high' else 'high'}"
        if other not in ends:
            message = f"is one end of a range: no statement has the fact {shown(other)}"
            yield FIGURES, Issue(line, "fact", fact, message)
        elif end == "low" and value > ends[other][1]:
            message = f"is above the upper end of the range, {ends[other][1]:g} on line {ends[other][0]}"
            yield FIGURES, Issue(line, "value", f"{value:g}", message)
