"""Statements of one fact grouped by what they print, and the one that a rule chooses.

A rule compares two statements of a fact step by step, in the order of `_ORDERS`; the first difference decides.
data/README.md has the table of steps.

A rejected statement is never chosen, and a corrected one only as corrected, whatever the rule: what we hold to be an
error decides nothing. An official form exists for some periods only, and is first for these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from desertion import vocabulary
from desertion.errors import UserError
from desertion.hedges import Hedges
from desertion.reconcile import identity as identities
from desertion.reconcile.identity import Identity
from desertion.reconcile.statements import OWN, Reading, Statement, independent, statements
from desertion.text import natural

if TYPE_CHECKING:
    from desertion.figures import Data

#: The reason that each step gives for the reading it prefers.
STEPS = {
    "rejected": "the other is rejected",
    "slip": "the other page only passes the number on and is held to be wrong",
    "votes": "more independent sources print it",
    "usable": "a usable number before a weak one",
    "page": "the page nearest to the count: an official form, the counter's own page, a copy of it, other pages",
    "wrong": "the other is held to be an error of its page",
    "identity": "it fits a sum or share of other numbers, the other does not",
    "exact": "an exact number before a rounded one",
    "later": "the page published later",
    "first": "nothing else tells them apart",
}
_OWN_PAGE_FIRST = ("slip", "usable", "page", "wrong", "identity", "exact", "later", "first")
_ORDERS = {
    "own-page-first": _OWN_PAGE_FIRST,
    "latest-first": ("later", "first"),
    "most-sources": ("slip", "votes", *_OWN_PAGE_FIRST[1:]),
}


@dataclass(frozen=True)
class Group:
    """Statements of one fact with the same printed reading (a rounded number goes with an exact one it stands for)."""

    reading: Reading
    statements: tuple[Statement, ...]

    @cached_property
    def sources(self) -> int:
        """Independent sources behind it (see `statements.independent`)."""
        return independent(self.statements)

    @property
    def ids(self) -> tuple[str, ...]:
        """The figures that print it."""
        return tuple(statement.id for statement in self.statements)

    @property
    def usable(self) -> tuple[Statement, ...]:
        """Its statements that are not rejected."""
        return tuple(statement for statement in self.statements if statement.status != "rejected")

    @property
    def standing(self) -> bool:
        """Whether some statement prints it that is neither rejected nor held to be wrong."""
        return any(not statement.held_wrong for statement in self.usable)


@dataclass(frozen=True)
class Chosen:
    """The choice of a rule in a fact: its groups from best to worst, and the statement chosen (None: all are rejected).

    `steps` has the step at which each group lost to the first (blank for the first itself).
    """

    statement: Statement | None
    groups: tuple[Group, ...]
    steps: tuple[str, ...]


def grouped(fact: Sequence[Statement], hedges: Hedges) -> list[Group]:
    """The readings that the statements of one fact print, in the order of their first statements."""
    if len(fact) == 1:
        return [Group(fact[0].printed, tuple(fact))]
    exact = {statement.printed for statement in fact if statement.bound == "exact"}
    members: dict[Reading, list[Statement]] = {}
    for statement in fact:
        reading = statement.printed
        if statement.bound != "exact":
            reading = next((one for one in exact if _stands_for(statement, one, hedges)), reading)
        members.setdefault(reading, []).append(statement)
    return [Group(reading, tuple(same)) for reading, same in members.items()]


def _stands_for(statement: Statement, exact: Reading, hedges: Hedges) -> bool:
    printed = statement.printed
    if replace(printed, value=exact.value) != exact:
        return False
    whole = statement.kind == "count"
    low, high = hedges.interval(printed.value, statement.bound, statement.hedge, whole=whole, printed=statement.ends)
    return low <= exact.value <= high


class Reconciler:
    """The facts of `data` under one rule. Raises UserError for an unknown rule."""

    def __init__(self, data: Data, rule: str = "own-page-first") -> None:
        if rule not in _ORDERS:
            raise UserError(f"the rule '{rule}' is unknown: {', '.join(vocabulary.RULES)}")
        self.rule, self.hedges = rule, Hedges(data.hedges)
        self.identities = identities.declared(data)
        self.statements = {statement.id: statement for statement in statements(data)}
        self.facts: dict[str, list[Statement]] = {}
        for statement in self.statements.values():
            self.facts.setdefault(statement.fact, []).append(statement)
        self._named: dict[str, list[Identity]] = {}  # identities by fact
        for identity in self.identities:
            for fact in {self.statements[one].fact for one in identity.ids if one in self.statements}:
                if identity.relation not in identities.DECLARED:
                    self._named.setdefault(fact, []).append(identity)
        self._choices: dict[str, Chosen] = {}
        self._trials: dict[tuple[str, Reading], list[tuple[str, str]]] = {}

    def choice(self, fact: str) -> Chosen:
        """The choice of the rule in `fact`."""
        if fact not in self._choices:
            self._choices[fact] = self.compare(self.facts[fact])
        return self._choices[fact]

    def compare(self, fact: Sequence[Statement]) -> Chosen:
        """The choice of the rule among statements of one fact, or of several that are taken for one another."""
        groups = grouped(fact, self.hedges)
        if len(fact) == 1:
            return Chosen(fact[0] if groups[0].usable else None, tuple(groups), ("",))
        keys = {s.id: self._key(s, group, len(groups) > 1) for group in groups for s in group.statements}
        best = [
            min(group.usable or group.statements, key=lambda one: (one.status == "rejected", keys[one.id]))
            for group in groups
        ]
        order = sorted(range(len(groups)), key=lambda n: (not groups[n].usable, keys[best[n].id]))
        first = best[order[0]]
        steps = [""]
        for n in order[1:]:
            keys_of_both = zip(_ORDERS[self.rule], keys[first.id], keys[best[n].id], strict=True)
            steps.append("rejected" if not groups[n].usable else next(step for step, a, b in keys_of_both if a != b))
        chosen = None if first.status == "rejected" else first
        return Chosen(chosen, tuple(groups[n] for n in order), tuple(steps))

    def _key(self, statement: Statement, group: Group, rivals: bool) -> tuple[Any, ...]:
        values: dict[str, Callable[[], Any]] = {
            "wrong": lambda: statement.held_wrong,
            "votes": lambda: -group.sources,
            "slip": lambda: statement.held_wrong and not statement.own_page,
            "usable": lambda: statement.status != "ok",
            "page": lambda: _distance(statement),
            "identity": lambda: len(self.broken(statement.fact, group.reading)) if rivals else 0,
            "exact": lambda: statement.bound != "exact",
            "later": lambda: -statement.published.toordinal() if statement.published else 0,
            "first": lambda: natural(statement.id),
        }
        return tuple(values[step]() for step in _ORDERS[self.rule])

    def broken(self, fact: str, reading: Reading) -> list[str]:
        """The identities, of those that name a figure of `fact`, that break where the fact is read so."""
        return [number for number, state in self._tried(fact, reading) if state == identities.BROKEN]

    def kept(self, fact: str, reading: Reading) -> list[str]:
        """The identities, of those that name a figure of `fact`, that hold where the fact is read so."""
        return [number for number, state in self._tried(fact, reading) if state == identities.HOLDS]

    def _tried(self, fact: str, reading: Reading) -> list[tuple[str, str]]:
        if (fact, reading) not in self._trials:
            trials = []
            for identity in self._named.get(fact, ()):
                instead = {
                    one: reading for one in identity.ids if one in self.statements and self.statements[one].fact == fact
                }
                checked = identities.check(identity, self.statements, self.hedges, instead)
                trials.append((identity.id, checked.state))
            self._trials[fact, reading] = trials
        return self._trials[fact, reading]


def _distance(statement: Statement) -> int:
    """How far a page is from the count: 0 official form, 1 who counted, 2 copy of it, 3 mirror, 4 other, 5 scraper."""
    if statement.source_kind in OWN:
        return 0 if statement.source_kind == "official_form" else 1
    if statement.source_kind == "mirror":
        return 2 if statement.own_page else 3
    return 5 if statement.source_kind == "scraper" else 4
