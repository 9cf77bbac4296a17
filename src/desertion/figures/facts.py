"""The names of facts, compiler/articles/measure/period: their form, and whether a statement of each agrees with it."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache

from desertion.figures import rules
from desertion.text import nearest, shown

_FORM = (
    "compiler/articles/measure/period in a-z, 0-9, +, . and - (such as mediazona/337/received/2023; "
    "one word more, such as /as-of-2024-08, tells a revision apart)"
)
_PERIODS = "2023, 2023-h1, 2023-q1, 2023-03, 2023-03-21, 2018-2022, or two joined by .. (mobilisation, invasion first)"
_NAME = re.compile(r"([a-z0-9-]+)/([a-z0-9.+]+)/([a-z0-9-]+)/([a-z0-9.-]+)(/[a-z0-9-]+)?")
_STARTS = {"mobilisation": date(2022, 9, 21), "invasion": date(2022, 2, 24)}
NEAR = timedelta(31)  # a page of 29 December gives the year; a law of the 21st is in force on the 24th


def rule(cell: str) -> str:
    """The rule of the column `fact`: a name of the form, its articles and its period readable."""
    match = _NAME.fullmatch(cell[:300])
    if match is None:
        return f"{'is malformed' if cell else 'is blank'}: write {_FORM}"
    if fault := rules.articles(match[2]):
        return f"articles '{shown(match[2])}': {fault}"
    if not word(match[3]):
        known = f": write one of {', '.join(COUNTED)} first"
        return f"counts '{shown(match[3])}', no known word{nearest(match[3], COUNTED) or known}"
    return "" if span(match[4]) else f"period '{shown(match[4])}' cannot be read: write {_PERIODS}"


def period(cell: str) -> str:
    """The rule of the column `base`: a period as written in the name of a fact."""
    return "" if span(cell[:100]) else f"cannot be read as a period: write {_PERIODS}"


@lru_cache(4096)
def span(period: str) -> tuple[date, date] | None:
    """The first and last day of a period as written in the name of a fact, None where it cannot be read."""
    start, _, end = period.partition("..")
    first, last = _span(start), _span(end or start)
    if end and start in _STARTS:
        first = _STARTS[start], _STARTS[start]
    return (first[0], last[1]) if first and last and first[0] <= last[1] else None


def _span(text: str) -> tuple[date, date] | None:
    match = re.fullmatch(r"([0-9]{4})(?:-(?:h([12])|q([1-4])|([0-9]{4})|([0-9]{2})(?:-([0-9]{2}))?))?", text)
    if match is None:
        return None
    year, half, quarter, until, month, day = (int(part or 0) for part in match.groups())
    if not year or (match[5] and not 1 <= month <= 12):
        return None
    if day or match[6]:
        return None if rules.date(text) else (date(year, month, day), date(year, month, day))
    first, last = 1, 12
    if half:
        first, last = 6 * half - 5, 6 * half
    elif quarter:
        first, last = 3 * quarter - 2, 3 * quarter
    elif month:
        first = last = month
    end = until or year
    return date(year, first, 1), date(end, last, calendar.monthrange(end, last)[1])


Row = Mapping[str, str]

#: What the third word of a fact begins with, and the measures that statements of such a fact have: a newsroom that
#: relays a count often names another stage of the case.
COUNTED: Mapping[str, tuple[str, ...]] = {
    "acquitted": ("persons_acquitted",),
    "appeals": ("appeals",),
    "charged": ("persons_charged",),
    "cleared": ("crimes_cleared",),
    "convicted": ("persons_convicted", "verdicts"),
    "counselled": ("persons_helped",),
    "deserted": ("persons_helped",),
    "disciplinary-unit": ("sentences_disciplinary_unit",),
    "dismissed": ("persons_dismissed",),
    "fined": ("sentences_fine",),
    "helped": ("persons_helped",),
    "imprisoned": ("persons_imprisoned",),
    **{word: (word.replace("-", "_"),) for word in (
        "imprisoned-up-to-1y", "imprisoned-1-2y", "imprisoned-2-3y", "imprisoned-3-5y", "imprisoned-5-8y",
        "imprisoned-8-10y", "imprisoned-10-15y", "imprisoned-15-20y", "imprisoned-20-25y", "imprisoned-over-25y",
    )},
    "judicial-fine": ("persons_judicial_fine",),
    "left": ("deserters_estimate",),
    "max-sentence": ("sentence_length",),
    "mean-sentence": ("sentence_length",),
    "opened": ("cases_opened",),
    "outcome-known": ("outcomes_known",),
    "penal-colony": ("sentences_penal_colony",),
    "press-releases": ("outcomes_known",),
    "received": ("cases_received_by_court", "persons_charged", "persons_convicted"),
    "registered": ("cases_opened",),
    "requests": ("requests_for_help",),
    "restricted": ("sentences_restriction",),
    "settlement-colony": ("sentences_settlement_colony",),
    "suspended": ("sentences_suspended",),
    "suspended-other": ("sentences_suspended_other",),
    "texts": ("texts_examined",),
    "tried": ("persons_charged", "persons_convicted", "cases_received_by_court", "cases_opened"),
    "verdicts": ("verdicts", "persons_convicted"),
    "wanted": ("wanted", "cases_opened", "deserters_estimate"),
}  # fmt: skip
_KINDS = ("share", "rate", "growth", "multiple")


def word(counted: str) -> str:
    """The word of `COUNTED` that the third word of a fact begins with, the longest one, or an empty text."""
    return next((one for one in sorted(COUNTED, key=len, reverse=True) if f"{counted}-".startswith(f"{one}-")), "")


def disagreements(row: Row) -> Iterator[tuple[str, str]]:
    """(column, message) of each cell of a statement, as corrected, that contradicts the name of its fact."""
    _, articles, counted, period, *_ = row["fact"].split("/")
    if row["articles"] != articles and row["status"] == "ok":
        yield "articles", f"are other articles than the {articles} of its fact: mend one of them, or correct the row"
    first = word(counted)
    if row["measure"] not in COUNTED[first]:
        measures = " or ".join(COUNTED[first])
        yield "measure", f"does not fit the fact's '{first}', which is {measures}: mend one of them"
    rest = counted.removeprefix(first).split("-")
    if named := next((kind for kind in _KINDS if kind in rest), ""):
        if row["kind"] != named:
            yield "kind", f"does not fit the fact's '{shown(counted)}', a {named}: mend one of them"
    elif row["kind"] in _KINDS:
        yield "fact", f"is of a {row['kind']}: write {shown(counted)}-{row['kind']} in its third word"
    start, joined, _ = period.partition("..")
    if start in _STARTS and row["cumulative"] == "false":
        yield "cumulative", f"stands beside a total since the {start}, which runs on: write true"
    elif not joined and row["cumulative"] == "true":
        yield "cumulative", f"stands beside the fact's period {period}, which does not run on: write false"
    if start == "mobilisation" and row["scope"] == "whole":
        message = "stands beside a total since the mobilisation, which no article as a whole has"
        yield "scope", f"{message}: write mobilisation_parts, subset or sample"
    if "new-parts" in counted and row["scope"] not in ("mobilisation_parts", "subset"):
        yield "scope", "stands beside a fact of the new parts: write mobilisation_parts, or subset"


def misnamed(statements: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, str, str]]:
    """(line, fact, message) of each fact none of whose statements agrees with its name.

    A page may print another period or other articles, but then some other page, or a correction, has the right ones:
    the articles exactly, the period to a month. The line is that of the first statement.
    """
    first: dict[str, int] = {}
    good = set()
    for line, row in statements:
        first.setdefault(row["fact"], line)
        if _as_named(row):
            good.add(row["fact"])
    for fact, line in first.items():
        if fact not in good:
            articles, (start, end) = _named(fact)
            message = f"no statement of it, corrected, has the articles {articles} and the period {start} to {end}"
            yield line, fact, message


def _named(fact: str) -> tuple[str, tuple[date, date]]:
    _, articles, _, period, *_ = fact.split("/")
    days = span(period)
    assert days is not None, fact  # rule() has passed
    return articles, days


def _as_named(row: Row) -> bool:
    articles, period = _named(row["fact"])
    days = [date.fromisoformat(row[column]) for column in ("period_start", "period_end")]
    return articles == row["articles"] and all(abs(a - b) <= NEAR for a, b in zip(days, period, strict=True))
