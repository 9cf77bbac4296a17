"""Faults between the data files: ids that nobody has, pages that stand twice, facts misnamed, divisions by nothing."""

from __future__ import annotations

import re

from desertion.figures import facts
from desertion.figures.corrections import corrected
from desertion.figures.file import CLAIMS, CONTEXT, FIGURES, IDENTITIES, SOURCES, Between, Files
from desertion.figures.read import Trouble
from desertion.text import nearest, shown


def shared_ids(files: Files) -> Between:
    """Ids of context that figures have too: a plot names its rows by them."""
    figures = {number: line for line, number in files[FIGURES].rows("id")}
    for line, number in files[CONTEXT].rows("id"):
        if number in figures:
            yield CONTEXT, Trouble(line, "id", number, f"this id already stands in {FIGURES}, line {figures[number]}")


def unknown_ids(files: Files) -> Between:
    """Ids that the file they should be in does not have."""
    for name, file in files.items():
        for column, spec in file.table.columns.items():
            targets = [files[target] for target in spec.refers if target in files]
            if not targets or not all(target.whole for target in targets):
                continue  # a file that could not be read has its own fault
            known = set[str]().union(*(target.ids for target in targets))
            where = " or ".join(target.table.file for target in targets)
            hints: dict[str, str] = {}
            for line, cell in file.rows(column):
                for one in cell.split() if spec.many else filter(None, [cell]):
                    if one in known:
                        continue
                    if one not in hints:
                        hints[one] = nearest(one, known) if len(hints) < 100 else ""
                    which = "" if one == cell else f"'{shown(one)}' "
                    yield name, Trouble(line, column, cell, f"{which}is not in {where}{hints[one]}")


def same_address(files: Files) -> Between:
    """Sources with the address of an earlier one."""
    first: dict[str, int] = {}
    for line, url in files[SOURCES].rows("url"):
        seen = first.setdefault(re.sub(r"^https?://(www\.)?", "", url).rstrip("/"), line)
        if seen != line:
            yield SOURCES, Trouble(line, "url", url, f"this address already stands on line {seen}: one row a page")


def circles(files: Files) -> Between:
    """Sources that are copies of themselves, over other sources or at once."""
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
                yield SOURCES, Trouble(lines[one], "copy_of", copy_of[one], f"the copies run in a circle: {way}")
        straight |= set(path)


def misnamed_facts(files: Files) -> Between:
    """Facts none of whose statements, as corrected, is what the fact's name says."""
    columns, mended = ("id", "fact", "articles", "period_start", "period_end"), corrected(files)
    statements = ((line, dict(zip(columns, row, strict=True))) for line, *row in files[FIGURES].rows(*columns))
    for line, fact, message in facts.misnamed((line, row | mended.get(row["id"], {})) for line, row in statements):
        yield FIGURES, Trouble(line, "fact", fact, message)


#: Where numbers are divided: the kinds of claims, and the place of the base among the right ids of a relation.
_DIVIDED = ("ratio", "share", "rate")
_ADDED = ("sum", "difference")
_BASE = {"growth": 1, "share": 1, "headline": 0}


def numbers(files: Files) -> Between:
    """Claims and identities that divide by nothing, or calculate with percentages."""
    mended = corrected(files)
    values: dict[str, float] = {}
    percents = set()
    for name in (FIGURES, CONTEXT):
        for _, number, value, unit in files[name].rows("id", "value", "unit"):
            values[number] = float(mended.get(number, {}).get("value", value))
            if mended.get(number, {}).get("unit", unit) in ("percent", "per_1000"):
                percents.add(number)
    if CLAIMS in files:
        for line, kind, numerator, denominator in files[CLAIMS].rows("kind", "numerator", "denominator"):
            below = denominator.split()
            if kind in _DIVIDED and below and all(values.get(number) == 0 for number in below):
                yield CLAIMS, Trouble(line, "denominator", denominator, f"is 0 in all: a {kind} cannot divide by it")
            for column, ids in (("numerator", numerator), ("denominator", denominator)):
                one = next((number for number in ids.split() if number in percents), "")
                if one and kind in (*_DIVIDED, *_ADDED):
                    message = f"{shown(one)} is a percentage: a {kind} is taken of counts"
                    yield CLAIMS, Trouble(line, column, ids, message)
    if IDENTITIES in files:
        for line, relation, right in files[IDENTITIES].rows("relation", "right"):
            if relation in _BASE and values.get(right.split()[_BASE[relation]]) == 0:
                yield IDENTITIES, Trouble(line, "right", right, f"is 0: the relation {relation} cannot divide by it")
