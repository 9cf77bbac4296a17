"""Faults between the data files: unknown ids and compilers, repeated pages, misnamed facts, divisions by 0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from desertion.figures import facts
from desertion.figures.corrections import corrected
from desertion.figures.file import Between, Files
from desertion.figures.read import Issue
from desertion.figures.schema import (
    CLAIMS,
    COMPILERS,
    CONTEXT,
    CORRECTIONS,
    FIGURES,
    HEDGES,
    IDENTITIES,
    SOURCES,
    Field,
)
from desertion.text import nearest, shown


def shared_ids(files: Files) -> Between:
    """Ids of context that figures have too: a plot names its rows by them."""
    figures = {number: line for line, number in files[FIGURES].rows("id")}
    for line, number in files[CONTEXT].rows("id"):
        if number in figures:
            yield CONTEXT, Issue(line, "id", number, f"this id already stands in {FIGURES}, line {figures[number]}")


def unknown_ids(files: Files) -> Between:
    """Ids, and names of compilers, that the file they refer to does not have; corrected cells too."""
    for name, file in files.items():
        for column, field in file.schema.columns.items():
            if field.refers:
                yield from ((name, issue) for issue in _unknown(files, field, column, file.rows(column)))
    if IDENTITIES in files and files[FIGURES].whole:
        for line, relation, *sides in files[IDENTITIES].rows("relation", "left", "right"):
            for column, side in zip(("left", "right"), sides, strict=True):
                for one in side.split() if relation != "revises" else ():
                    if one not in files[FIGURES].ids and one in files[CONTEXT].ids:
                        message = f"'{one}' is not in {FIGURES}: only revises takes rows of {CONTEXT}"
                        yield IDENTITIES, Issue(line, column, side, message if side != one else message[len(one) + 3 :])
    corrections = list(files[CORRECTIONS].rows("field", "corrected"))
    for column in ("hedge", "compiler"):  # the same in figures and context
        cells = ((line, cell) for line, name, cell in corrections if name == column)
        field = files[FIGURES].schema.columns[column]
        yield from ((CORRECTIONS, issue) for issue in _unknown(files, field, "corrected", cells))


def _unknown(files: Files, field: Field, column: str, cells: Iterable[tuple[Any, ...]]) -> Iterator[Issue]:
    targets = [files[target] for target in field.refers if target in files]
    if not all(target.whole for target in targets):
        return  # a file that could not be read has its own fault
    known = set[str]().union(*(target.ids for target in targets))
    where = " or ".join(field.refers)
    hints: dict[str, str] = {}
    for line, cell in cells:
        for one in cell.split() if field.type == "ids" else filter(None, [cell]):
            if one in known:
                continue
            if one not in hints:
                near = nearest(one, known) if len(hints) < 100 else ""
                hints[one] = near or ": mend it, or add a row there"
            which = "" if one == cell else f"'{shown(one)}' "
            yield Issue(line, column, cell, f"{which}is not in {where}{hints[one]}")


def same_address(files: Files) -> Between:
    """Sources with the address of an earlier one."""
    first: dict[str, int] = {}
    for line, url in files[SOURCES].rows("url"):
        earlier = first.setdefault(re.sub(r"^https?://(www\.)?", "", url).rstrip("/"), line)
        if earlier != line:
            yield SOURCES, Issue(line, "url", url, f"this address already stands on line {earlier}: one row per page")


def circles(files: Files) -> Between:
    """Sources that are copies of themselves, directly or through other sources."""
    rows = list(files[SOURCES].rows("id", "copy_of"))
    copy_of = {source: original for _, source, original in rows if original}
    lines = {source: line for line, source, _ in rows}
    straight: set[str] = set()
    for source in copy_of:
        path: dict[str, None] = {}  # a set that keeps the order
        while source in copy_of and source not in straight and source not in path:
            path[source] = None
            source = copy_of[source]
        if source in path:
            circle = list(path)[list(path).index(source) :]
            way = shown(" → ".join([*circle, source]))
            for one in circle:
                yield SOURCES, Issue(lines[one], "copy_of", copy_of[one], f"the copies run in a circle: {way}")
        straight |= set(path)


def misnamed_facts(files: Files) -> Between:
    """Facts none of whose statements, as corrected, agrees with the name of the fact."""
    columns = ("fact", "articles", "period_start", "period_end")
    rows = ((line, dict(zip(columns, row, strict=True))) for line, _, *row in corrected(files, FIGURES, *columns))
    for line, fact, message in facts.misnamed(rows):
        yield FIGURES, Issue(line, "fact", fact, message)


def contradicted_facts(files: Files) -> Between:
    """Cells of a statement, as corrected, that contradict the name of its fact."""
    columns = ("fact", "articles", "measure", "kind", "scope", "cumulative", "status")
    for line, _, *cells in corrected(files, FIGURES, *columns):
        row = dict(zip(columns, cells, strict=True))
        for column, message in facts.disagreements(row):
            yield FIGURES, Issue(line, column, row[column], message)


def misprinted_hedges(files: Files) -> Between:
    """Statements whose word beside the number is read with another bound than theirs."""
    bounds = {hedge: {bound, *(["about"] if beyond == "below" else [])}
              for _, hedge, bound, beyond in files[HEDGES].rows("hedge", "bound", "beyond")}  # fmt: skip
    for name in (FIGURES, CONTEXT):
        for line, _, bound, hedge, status in corrected(files, name, "bound", "hedge", "status"):
            if bound == "exact" and hedge:
                yield name, Issue(line, "bound", bound, f"stands beside the hedge '{hedge}': write the bound it means")
            elif hedge in bounds and bound not in bounds[hedge] and status == "ok":
                means = " or ".join(sorted(bounds[hedge]))
                yield name, Issue(line, "bound", bound, f"does not fit the hedge '{hedge}': write {means}")


def miscopied_forms(files: Files) -> Between:
    """Statements that cite an official form and are of another page, compiler or year than the form's."""
    pages = {source: (kind, publisher) for _, source, kind, publisher in files[SOURCES].rows("id", "kind", "publisher")}
    columns = ("source_id", "compiler", "period_start", "period_end", "locator")
    for line, _, source, compiler, start, end, locator in corrected(files, FIGURES, *columns):
        kind, publisher = pages.get(source, ("", ""))
        year = source[-4:]
        form = kind == "official_form" and re.search(r"[a-z]-[0-9]{4}$", source)
        if form and (compiler != publisher or not start[:4] == end[:4] == year):
            message = f"is the form of {publisher} for {year}, the row is {compiler}'s, {start} to {end}"
            yield FIGURES, Issue(line, "source_id", source, f"{message}: mend one of them")
        elif kind not in ("", "official_form") and re.match("form [0-9]", locator):
            message = f"is no official form, the locator names one ({shown(locator)}): mend one of them"
            yield FIGURES, Issue(line, "source_id", source, message)


def miscounted_facts(files: Files) -> Between:
    """Statements whose compiler, as corrected, is another than the one that their fact names in its first word."""
    slugs = {name: slug for _, name, slug in files[COMPILERS].rows("name", "slug")}
    names = {slug: name for name, slug in slugs.items()}
    for line, _, fact, compiler in corrected(files, FIGURES, "fact", "compiler"):
        first = fact.split("/")[0]
        if compiler not in slugs or slugs[compiler] == first:
            continue
        own = f"begin with '{slugs[compiler]}'" if slugs[compiler] else f"have no slug in {COMPILERS}"
        other = f", the slug of {names[first]}" if first in names else ""
        message = f"the facts of {compiler} {own}, this one begins with '{first}'{other}: mend one of them"
        yield FIGURES, Issue(line, "compiler", str(files[FIGURES].frame.at[line, "compiler"]), message)


#: Where numbers are divided: the kinds of claims, and the place of the base among the right ids of a relation.
_DIVIDED = ("ratio", "share", "rate")
_ADDED = ("sum", "difference")
_BASE = {"growth": 1, "share": 1, "headline": 0}


def numbers(files: Files) -> Between:
    """Claims and identities that divide by 0, or calculate with percentages."""
    values: dict[str, float] = {}
    percents = set()
    for name in (FIGURES, CONTEXT):
        for _, number, value, unit in corrected(files, name, "value", "unit"):
            values[number] = float(value)
            if unit in ("percent", "per_1000"):
                percents.add(number)
    if CLAIMS in files:
        for line, kind, numerator, denominator in files[CLAIMS].rows("kind", "numerator", "denominator"):
            below = denominator.split()
            if kind in _DIVIDED and below and all(values.get(number) == 0 for number in below):
                yield CLAIMS, Issue(line, "denominator", denominator, f"is 0 in all: a {kind} cannot divide by it")
            for column, ids in (("numerator", numerator), ("denominator", denominator)):
                one = next((number for number in ids.split() if number in percents), "")
                if one and kind in (*_DIVIDED, *_ADDED):
                    message = f"{shown(one)} is a percentage: a {kind} is taken of counts"
                    yield CLAIMS, Issue(line, column, ids, message)
    if IDENTITIES in files:
        for line, relation, right in files[IDENTITIES].rows("relation", "right"):
            if relation in _BASE and values.get(right.split()[_BASE[relation]]) == 0:
                yield IDENTITIES, Issue(line, "right", right, f"is 0: the relation {relation} cannot divide by it")
