"""What is possible in the statements but seldom right: warnings, each of which names both rows.

A warning does not stop a build. One that was looked into is acknowledged, with a reason, in acknowledged.csv.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from urllib.parse import urlsplit

from desertion.figures import facts
from desertion.figures.corrections import corrected
from desertion.figures.details import NARROWING
from desertion.figures.facts import COUNTED
from desertion.figures.file import File, Files
from desertion.figures.rows import last_day
from desertion.figures.schema import ACKNOWLEDGED, DETAILS, FIGURES, IDENTITIES, SOURCES

#: How many times its neighbours a value may be, and below which count chance alone makes such jumps.
FACTOR, FEW = 3.0, 5.0
#: How many times a rounded number may be the exact one, and how many days a page may be later than its total.
ROUNDED, LATE = 1.1, 100
#: Counts that are part of another count of the same cases: the measure, and the wider one.
WIDER = {
    "persons_imprisoned": "persons_convicted",
    "sentences_suspended": "persons_convicted",
    "sentences_suspended_other": "persons_convicted",
    "sentences_fine": "persons_convicted",
    "sentences_restriction": "persons_convicted",
    "sentences_disciplinary_unit": "persons_convicted",
    **{measures[0]: "persons_imprisoned" for word, measures in COUNTED.items() if word.startswith("imprisoned-")},
}


@dataclass(frozen=True)
class CheckedStatement:
    """A statement of figures.csv as corrected, with its details (`part_of`: place, part, qualification, soldiers)."""

    line: int
    id: str
    fact: str
    measure: str
    scope: str
    kind: str
    per: str
    start: date
    end: date
    cumulative: bool
    value: float
    bound: str
    source_id: str
    compiler: str
    status: str
    published: date | None
    part_of: tuple[str, ...] = ()

    @property
    def counted(self) -> str:
        """The third word of the fact."""
        return self.fact.split("/")[2]

    @property
    def articles(self) -> str:
        """The articles of the fact."""
        return self.fact.split("/")[1]

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.end - self.start).days + 1

    @property
    def pace(self) -> float:
        """What neighbours are compared by: of a count over a period the number per day."""
        return self.value / self.days if self.kind == "count" and not self.cumulative else self.value

    def __str__(self) -> str:
        return f"{self.id} has {self.value:,g} for {self.start} to {self.end}"


@dataclass(frozen=True)
class Doubt:
    """Something unlikely in the statement, page or identity `id`; `kind`: what acknowledged.csv calls it."""

    line: int
    id: str
    kind: str
    column: str
    value: str
    message: str


def warnings(files: Files, broken: Mapping[str, str] | None = None) -> Iterator[tuple[str, Doubt]]:
    """(file, warning) of everything unlikely that is not acknowledged, and of what is acknowledged for nothing.

    `broken`: id → reason of each identity that breaks; None where they were not looked at.
    """
    made = [(FIGURES, one) for one in unlikely(list(statements(files)))]
    made += [(SOURCES, one) for one in twins(files[SOURCES])]
    if broken:
        made += [
            (IDENTITIES, Doubt(line, one, "identity", "left", left, f"with {right}: {broken[one]}"))
            for line, one, left, right in files[IDENTITIES].rows("id", "left", "right")
            if one in broken
        ]
    rows = list(files[ACKNOWLEDGED].rows("id", "warning")) if ACKNOWLEDGED in files else []
    rows = [row for row in rows if broken is not None or row[2] != "identity"]
    known = {(number, kind) for _, number, kind in rows}
    there = {(one.id, one.kind) for _, one in made}
    yield from ((name, one) for name, one in made if (one.id, one.kind) not in known)
    for line, number, kind in rows:
        if (number, kind) not in there:
            message = f"acknowledges no warning that {number} draws: delete this row"
            yield ACKNOWLEDGED, Doubt(line, number, "acknowledged", "warning", kind, message)


def statements(files: Files) -> Iterator[CheckedStatement]:
    """The statements of figures.csv as corrected, without the rejected ones and those with a fault."""
    pages = {source: last_day(published) for _, source, published in files[SOURCES].rows("id", "published")}
    parts = {number: tuple(cells) for _, number, *cells in files[DETAILS].rows("id", *NARROWING)} \
        if DETAILS in files else {}  # fmt: skip
    broken = {issue.line for issue in files[FIGURES].issues if not issue.form}
    columns = ("fact", "measure", "scope", "kind", "per", "period_start", "period_end", "cumulative", "value", "bound",
               "source_id", "compiler", "status")  # fmt: skip
    for line, number, *cells in corrected(files, FIGURES, *columns):
        fact, measure, scope, kind, per, start, end, cumulative, value, bound, source, compiler, status = cells
        if status != "rejected" and line not in broken and not facts.rule(fact):
            yield CheckedStatement(
                line, number, fact, measure, scope, kind, per, date.fromisoformat(start), date.fromisoformat(end),
                cumulative == "true", float(value), bound, source, compiler, status,
                date.fromisoformat(pages[source]) if pages.get(source) else None, parts.get(number, ("",) * 4),
            )  # fmt: skip


def unlikely(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Every warning of the statements, each statement of a pair in turn."""
    for look in (_differing, _periods, _neighbours, _falling, _above_whole, _pages, _words):
        yield from look(rows)


def twins(sources: File) -> Iterator[Doubt]:
    """Pages that may be an earlier one of sources.csv under another address."""
    first: dict[Hashable, str] = {}
    for line, source, url, title, publisher, published, language, kind in sources.rows(
        "id", "url", "title", "publisher", "published", "language", "kind"
    ):
        parts = urlsplit(url)
        host = re.sub(r"^(www|m|amp)\.", "", parts.netloc)
        keys: dict[str, Hashable] = {"address": (host, re.sub(r"(/amp|\.html?|/)+$", "", parts.path), parts.query)}
        if title:
            keys["title"] = (publisher, title.casefold())
        if kind != "official_form" and len(published) == len("2024-03-20"):
            keys["publisher and day"] = (publisher, published, language)
        for what, key in keys.items():
            if (earlier := first.setdefault(key, source)) != source:
                yield Doubt(line, source, "twin", "id", source, f"has the {what} of {earlier}: is it the same page?")
                break


def _grouped(
    rows: Iterable[CheckedStatement], key: Callable[[CheckedStatement], Hashable]
) -> list[list[CheckedStatement]]:
    groups = defaultdict[Hashable, list[CheckedStatement]](list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())


def _warn(row: CheckedStatement, kind: str, message: str, column: str = "value") -> Doubt:
    cell = f"{row.value:g}" if column == "value" else str(getattr(row, column))
    return Doubt(row.line, row.id, kind, column, cell, message)


def _differing(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Statements of one fact whose numbers are not renderings of one count: the rarer number is named."""
    for same in _grouped((row for row in rows if row.status == "ok"), lambda row: row.fact):
        values = Counter(row.value for row in same)
        if len(values) == 1:
            continue
        usual = max(same, key=lambda row: (values[row.value], row.bound == "exact", -row.line))
        for row in same:
            exact = row.bound == usual.bound == "exact"
            if row.value != usual.value and (exact or not 1 / ROUNDED <= row.value / (usual.value or 1) <= ROUNDED):
                yield _warn(row, "differs", f"{usual.id} has {usual.value:,g} of the same fact: one of them is wrong")


def _periods(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Statements of another period than the name of their fact has, as corrected."""
    agreed = {row.fact: row for row in rows if _as_named(row)}
    for row in rows:
        if row.status == "ok" and not _as_named(row):
            right = f"as {agreed[row.fact].id} has it" if row.fact in agreed else "as no statement has it"
            message = f"the period {row.start} to {row.end} is not that of its fact, {right}: correct one of them"
            yield Doubt(row.line, row.id, "period", "period_end", str(row.end), message)


def _as_named(row: CheckedStatement) -> bool:
    first, last = facts.span(row.fact.split("/")[3]) or (row.start, row.end)
    return max(abs(row.start - first), abs(row.end - last)) <= facts.NEAR


def _neighbours(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Numbers far from those before and after them in their series."""
    for series in _grouped(rows, lambda r: (r.compiler, r.articles, r.counted, r.kind, r.per, r.scope, r.part_of,
                                            r.start if r.cumulative else None)):  # fmt: skip
        by_period = sorted(_grouped(series, lambda row: (row.start, row.end)), key=lambda same: same[0].end)
        for place, same in enumerate(by_period):
            near = [row for other in by_period[max(place - 1, 0) : place + 2] if other is not same for row in other]
            if not near:
                continue
            low, high = min(near, key=lambda row: row.pace), max(near, key=lambda row: row.pace)
            for row in {row.value: row for row in reversed(same)}.values():  # the first with each number
                spread = row.days if row.kind == "count" and not row.cumulative else 1
                few = FEW if row.kind in ("count", "stock") else 0.0
                if row.value > FACTOR * max(high.pace * spread, few):
                    other = high
                elif FACTOR * max(row.value, few) < low.pace * spread:
                    other = low
                else:
                    continue
                yield _warn(row, "neighbours", f"{other}: over {FACTOR:g} times apart in one series")


def _falling(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Running totals that are lower than one of an earlier day."""
    totals = (row for row in rows if row.cumulative and row.kind == "count" and row.status == "ok")
    for series in _grouped(totals, lambda r: (r.compiler, r.articles, r.counted, r.scope, r.part_of, r.start)):
        series.sort(key=lambda row: (row.end, row.value))
        for earlier, row in pairwise(series):
            if row.end > earlier.end and row.value < earlier.value * (1 if row.bound == "exact" else 1 / ROUNDED):
                yield _warn(row, "falls", f"{earlier}: a running total does not fall")


def _above_whole(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Counts above a count of which they are a part: fewer articles, a shorter period, a later stage, a subset."""
    for counts in _grouped((row for row in rows if row.kind == "count"), lambda row: row.compiler):
        sizes = sorted(counts, key=lambda row: row.value)
        for place, row in enumerate(sizes):
            for whole in sizes[:place]:
                slack = 1.0 if row.bound == whole.bound == "exact" else ROUNDED
                sound = whole.status == "ok" and whole.bound != "at_least"
                if sound and row.value > whole.value * slack and _part(row, whole):
                    yield _warn(row, "subset", f"{whole} of {whole.fact}, of which this is a part")
                    break


def _part(row: CheckedStatement, whole: CheckedStatement) -> bool:
    if not whole.start <= row.start <= row.end <= whole.end:
        return False
    if row.fact.split("/")[:4] == whole.fact.split("/")[:4]:  # a later total of one count
        return False
    if (whole.part_of != row.part_of and any(whole.part_of)) or whole.scope not in ("whole", row.scope):
        return False
    measure = row.measure
    while measure != whole.measure:
        measure = WIDER.get(measure, "")
        if not measure:
            return False
    return _within(row.articles, whole.articles)


def _within(articles: str, whole: str) -> bool:
    order = ["ch33", "ch33+34", "all"]
    if "none" in (articles, whole):
        return False
    if whole in order:
        return articles not in order or order.index(articles) <= order.index(whole)
    return articles not in order and {*articles.split("+")} <= {*whole.split("+")}


def _pages(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Statements that do not fit their page: its others are of another compiler, or it is much later."""
    for page in _grouped(rows, lambda row: row.source_id):
        compilers = Counter(row.compiler for row in page)
        for row in page:
            usual, count = compilers.most_common(1)[0]
            if compilers[row.compiler] == 1 and count > 1 and count == len(page) - 1:
                other = next(one for one in page if one.compiler == usual)
                message = f"all other statements of this page are of {usual}, such as {other.id}: is it another page?"
                yield _warn(row, "page", message, "source_id")
            elif row.status == "ok" and row.published and row.cumulative and (row.published - row.end).days > LATE:
                message = f"the page is of {row.published}, {(row.published - row.end).days} days after this total"
                yield _warn(row, "page", f"{message}: is it another page, or another day?", "source_id")


def _words(rows: Sequence[CheckedStatement]) -> Iterator[Doubt]:
    """Words in the names of facts that look like a misspelling of a word of several others."""
    facts = {row.fact: row for row in rows}
    used = Counter(word for fact in facts for word in {*re.findall("[a-z]{5,}", fact)})
    for fact, row in facts.items():
        for word in re.findall("[a-z]{5,}", fact):
            if used[word] > 1 or word in "".join(row.part_of).lower():
                continue
            if near := get_close_matches(word, [w for w in used if used[w] > 2], 1, 0.87):
                other = next(one for name, one in facts.items() if near[0] in name)
                yield _warn(row, "word", f"'{word}' is almost '{near[0]}' of {other.id}: is it misspelt?", "fact")
