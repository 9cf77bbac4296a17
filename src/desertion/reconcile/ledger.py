"""The table of facts, and the ledger of conflicts: the readings of each count, which one is chosen, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.figures.details import covers
from desertion.reconcile import identity as identities
from desertion.reconcile.identity import Identity
from desertion.reconcile.readings import STEPS, Chosen, Group, Reconciler
from desertion.reconcile.statements import Reading, Statement, independent
from desertion.text import MONTH, natural, period

if TYPE_CHECKING:
    from desertion.figures import Data

AGREED, ONE_SOURCE, CONFLICTING, CORRECTED = "agreed", "one source", "conflicting", "corrected"

_COLUMNS = (
    *("fact", "articles", "measure", "scope", "kind", "unit", "per", "period_start", "period_end", "cumulative"),
    *("value", "bound", "printed_low", "printed_high", "compiler", "place", "part", "qualification", "soldiers"),
    *("chosen", "ids", "sources", "readings", "state"),
)
#: Days that a period covers at least to stand for its year: a page of 29 December counts it.
_YEAR = 360

#: End of the name of a fact that is a later version of another count.
REVISION = re.compile(r"/as-of-\d{4}-\d{2}$")


@takes(data="figures.load()")
def facts(data: Data, rule: str = "own-page-first") -> pd.DataFrame:
    """Reconcile the statements: one row per fact, with the number that the rule chooses among its readings.

    Parameters
    ----------
    data : Data
        The curated data of an edition.
    rule : str
        Which statement speaks for a fact that several pages print, one of `vocabulary.RULES`.

    Returns
    -------
    DataFrame
        Indexed by fact, in the order of the figures; facts whose statements are all rejected are left out.

        - `articles, measure, scope, kind, unit, per, period_start, period_end, cumulative, value, bound, printed_low,
          printed_high, compiler, place, part, qualification, soldiers`: of the chosen statement, corrections applied;
          the ends of a range that its page prints, else NaN
        - `chosen`: the id of the chosen statement
        - `ids`: the ids of all its statements that are not rejected, joined by spaces
        - `sources`: independent sources of the chosen reading (see `statements.independent`)
        - `readings`: how many readings of value, measure and period its statements print
        - `state`: `one source` or `agreed` (independent sources) where they print one reading; `conflicting` where more
          than one stands; `corrected` where a correction holds the others to be errors of their pages
        - `covers`: in words what is counted of the whole: `Moscow Oblast, part 5`; blank for the whole
        - `label`: in words, `Persons convicted, Art. 337, Proekt`, of a subset with what it covers
        - `year`: the year in which the period starts
        - `days`: days in the period, its first and last included
        - `incomplete`: whether the period is shorter than a year (under 360 days)

    Raises
    ------
    UserError
        If the rule is unknown.
    """
    reconciler = Reconciler(data, rule)
    rows = []
    for fact in reconciler.facts:
        choice = reconciler.choice(fact)
        if choice.statement is not None:
            rows.append(_fact_row(reconciler.facts[fact], choice, choice.statement))
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("fact")
    for column in ("period_start", "period_end"):
        frame[column] = pd.to_datetime(frame[column])
    days = (frame["period_end"] - frame["period_start"]).dt.days + 1
    frame["covers"] = [covers({str(k): cell for k, cell in row.items()}) for row in frame.to_dict("records")]
    label = vocabulary.label(frame, "measure", "articles", "compiler")
    return frame.assign(
        label=label.where(frame["scope"].ne("subset"), label + ", " + frame["covers"]),
        year=frame["period_start"].dt.year,
        days=days,
        incomplete=days < _YEAR,
    )


def _fact_row(fact: Iterable[Statement], choice: Chosen, chosen: Statement) -> tuple[Any, ...]:
    usable = [group for group in choice.groups if group.usable]
    reading = chosen.reading
    return (
        chosen.fact, chosen.articles, reading.measure, chosen.scope, chosen.kind, chosen.unit, chosen.per,
        reading.period_start, reading.period_end, chosen.cumulative, reading.value, chosen.bound, *chosen.ends,
        chosen.compiler, chosen.place, chosen.part, chosen.qualification, chosen.soldiers,
        chosen.id, " ".join(s.id for s in fact if s.status != "rejected"), independent(usable[0].usable), len(usable),
        _state(usable),
    )  # fmt: skip


def _state(usable: list[Group]) -> str:
    if len(usable) > 1:
        return CONFLICTING if sum(group.standing for group in usable) > 1 else CORRECTED
    if not usable[0].standing:
        return CORRECTED
    return AGREED if independent(usable[0].usable) > 1 else ONE_SOURCE


# --- the headline ----------------------------------------------------------------------------------------------------


@takes(facts="reconcile.facts(data): scope")
def latest(facts: pd.DataFrame) -> pd.DataFrame:
    """Select the latest version of each count.

    A revised total has a fact of its own that ends in `/as-of-YYYY-MM`; it takes the place of earlier ones with the
    same scope.

    Parameters
    ----------
    facts : DataFrame
        The table that the function `facts` returns, or a part of it.

    Returns
    -------
    DataFrame
        Its rows without those that were revised later, in their order.
    """
    base = facts.index.str.replace(REVISION, "", regex=True)
    order = facts.assign(_base=base, _place=range(len(facts))).sort_index(kind="stable")
    kept = order.groupby(["_base", "scope"]).tail(1).sort_values("_place")
    return kept.drop(columns=["_base", "_place"])


class Headline(NamedTuple):
    """The growth factor that the report leads with: the yearly rate of one fact over that of another."""

    factor: float
    fact: str
    base: str
    ids: tuple[str, str]


def headline(reconciler: Reconciler) -> Headline | None:
    """The first `headline` of identities.csv whose two facts are known, or None.

    Its figures name the facts; their numbers are those that the rule chooses, taken for a year where a period is longer
    or shorter: 4,373 in 2023 is 8.3 times the 527 of 2021, in two years of war it would be 4.1 times.
    """
    for identity in reconciler.identities:
        if identity.relation != "headline" or not set(identity.ids) <= reconciler.statements.keys():
            continue
        top, base = (reconciler.statements[number].fact for number in identity.ids)
        chosen = reconciler.choice(top).statement, reconciler.choice(base).statement
        if chosen[0] is None or chosen[1] is None:
            continue
        factor = _factor(chosen[0].reading, chosen[1].reading)
        if factor is not None:
            return Headline(factor, top, base, (chosen[0].id, chosen[1].id))
    return None


def _factor(top: Reading, base: Reading) -> float | None:
    yearly = _per_year(base)
    return _per_year(top) / yearly if yearly else None


def _per_year(reading: Reading) -> float:
    """The number for a year of its period, in whole months: a page of 29 December counts the year."""
    days = (reading.period_end - reading.period_start).days + 1
    return reading.value * 12 / max(1, round(days / MONTH))


# --- the ledger ------------------------------------------------------------------------------------------------------


@takes(data="figures.load()")
def ledger(data: Data, rule: str = "own-page-first") -> list[dict[str, Any]]:
    """List the conflicts known on `data.as_of`, in plain types (dates as ISO text), for tables and for JSON.

    There are three kinds: a fact that pages print in several readings (of `value`, `period`, `measure`, joined by +),
    `rivals` of identities.csv (other counts that are taken for one another), and an `identity` that is broken.

    Parameters
    ----------
    data : Data
        The curated data of an edition.
    rule : str
        Which statement speaks for a fact that several pages print, one of `vocabulary.RULES`.

    Returns
    -------
    list of dict
        One per conflict, in the order of their ids.

        - `id`: K and the number of the first figure, or the id in identities.csv
        - `fact`: the fact, blank if there are several
        - `kind, title`: the kind, and what is counted in words
        - `readings`, best first, each with `value, unit, per, measure, period_start, period_end, figure_ids, articles,
          compiler, publishers`; `sources` (how many are independent); `standing` (whether a page prints it that is
          neither rejected nor held wrong); `effect` (the headline growth factor under this reading, None if it does
          not depend on it)
        - `chosen`: the figure chosen; of a sum all its figures, None if nothing is preferred
        - `rule, because`: the rule, and its step that decided against the next reading
        - `effect`: the headline growth factor under the best reading that the headline does not use, or None
        - `evidence`: corrections, identities kept and broken, and the reasons in identities.csv, in words

    Raises
    ------
    UserError
        If the rule is unknown.
    """
    reconciler = Reconciler(data, rule)
    lead = headline(reconciler)
    corrections = _corrections(data)
    rows, whys = [], dict[str, list[str]]()
    for identity in reconciler.identities:
        known = [reconciler.statements[one] for one in identity.ids if one in reconciler.statements]
        facts = {one.fact for one in known}
        if identity.relation == "rivals" and len(known) == len(identity.ids):
            if len(facts) == 1:  # a conflict within one fact has its row below
                whys.setdefault(facts.pop(), []).append(identity.why)
            else:
                rows.append(_rivals(reconciler, identity, lead))
        elif identity.relation not in identities.DECLARED:
            rows += _broken(reconciler, identity)
    for fact in reconciler.facts:
        choice = reconciler.choice(fact)
        if len(choice.groups) > 1:
            rows.append(_within(reconciler, fact, choice, lead, corrections, whys.get(fact, [])))
    return sorted(rows, key=lambda row: natural(row["id"]))


def _name(one: Statement) -> str:
    """The count that a statement renders, for a reader."""
    read, what = one.reading, vocabulary.MEASURES.get(one.reading.measure, one.reading.measure)
    days = period(read.period_start, read.period_end)
    return f"{one.compiler}, {what}, {vocabulary.articles_label(one.articles)}, {days}"


def _corrections(data: Data) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    columns = ["figure_id", "field", "printed", "corrected", "reason"]
    for number, field, printed, corrected, reason in data.corrections[columns].itertuples(index=False, name=None):
        out.setdefault(number, []).append(f"{number}: {field} {printed} is read as {corrected}, since {reason}")
    return out


def _within(
    reconciler: Reconciler, fact: str, choice: Chosen, lead: Headline | None,
    corrections: Mapping[str, list[str]], whys: list[str],
) -> dict[str, Any]:  # fmt: skip
    """The row of a fact with several readings."""
    evidence, readings = list(whys), []
    for group in choice.groups:
        effect = _swapped(reconciler, lead, fact, group.reading)
        readings.append(_reading(group.reading, group.statements, group.standing, effect))
        for statement in group.statements:
            evidence += corrections.get(statement.id, [])
        words = f"{group.reading.value:g} of {group.reading.period_start} to {group.reading.period_end}"
        for verb, identities_of in (("keeps", reconciler.kept), ("breaks", reconciler.broken)):
            if ids := identities_of(fact, group.reading):
                evidence.append(f"{words} {verb} {', '.join(ids)}")
    parts = [(r["value"], (r["period_start"], r["period_end"]), r["measure"]) for r in readings]
    kinds = [name for n, name in enumerate(("value", "period", "measure")) if len({one[n] for one in parts}) > 1]
    first = min((number for group in choice.groups for number in group.ids), key=natural)
    return {
        "id": f"K{first.lstrip('F')}", "fact": fact, "kind": "+".join(kinds),
        "title": f"{_name(choice.groups[0].statements[0])}: {' and '.join(kinds)}", "readings": readings,
        "chosen": choice.statement.id if choice.statement else None, "rule": reconciler.rule,
        "because": STEPS[choice.steps[1]] if choice.statement else "all of them are rejected",
        "effect": next((one["effect"] for one in readings[1:]), None), "evidence": evidence,
    }  # fmt: skip


def _rivals(reconciler: Reconciler, identity: Identity, lead: Headline | None) -> dict[str, Any]:
    """The row of counts that are taken for one another, ordered as the rule orders renderings of one count."""
    left, right = ([reconciler.statements[one] for one in side] for side in (identity.left, identity.right))
    choice = reconciler.compare([*left, *(right if len(right) == 1 else [_added(right)])])
    alone = {one.fact for one in (*left, *(right if len(right) == 1 else ()))}
    touched = {lead.fact, lead.base} & alone if lead else set()
    fact = min(touched, default="")
    readings = [
        _reading(group.reading, group.statements, group.standing, _swapped(reconciler, lead, fact, group.reading))
        for group in choice.groups
    ]
    others = (
        reading["effect"]
        for reading, group in zip(readings, choice.groups, strict=True)
        if fact not in {statement.fact for statement in group.statements}
    )
    return {
        "id": identity.id, "fact": "", "kind": identity.relation, "title": identity.why, "readings": readings,
        "chosen": choice.statement.id if choice.statement else None, "rule": reconciler.rule,
        "because": STEPS[choice.steps[1]] if len(choice.steps) > 1 else "they say the same",
        "effect": next(others, None) if fact else None, "evidence": [identity.why],
    }  # fmt: skip


def _added(members: Sequence[Statement]) -> Statement:
    """Several statements as one that prints their sum; its id is theirs, with a space between."""
    total, worst = _total(members), max(members, key=lambda one: list(vocabulary.STATUSES).index(one.status))
    return replace(
        worst, id=" ".join(one.id for one in members), fact="", reading=total, printed=total,
        compiler="; ".join(dict.fromkeys(one.compiler for one in members)),
        articles="+".join(dict.fromkeys(one.articles for one in members)),
        publisher="; ".join(dict.fromkeys(one.publisher for one in members)),
    )  # fmt: skip


def _broken(reconciler: Reconciler, identity: Identity) -> list[dict[str, Any]]:
    """The row of an identity, where it is broken: of a sum the total as printed and as its parts give it."""
    checked = identities.check(identity, reconciler.statements, reconciler.hedges)
    if checked.state != identities.BROKEN:
        return []
    left, right = ([reconciler.statements[one] for one in side] for side in (identity.left, identity.right))
    is_sum = identity.relation in ("sum", "at_most")
    if is_sum:
        sides = [(right, _total(right)), (left, _total(left))]
        readings = [_reading(reading, members, True, None) for members, reading in sides]
    else:
        readings = [_reading(one.reading, [one], not one.held_wrong, None) for one in (*right, *left)]
    return [
        {
            "id": identity.id,
            "fact": "",
            "kind": "identity",
            "title": identity.why,
            "readings": readings,
            "chosen": right[0].id if is_sum and len(right) == 1 else None,
            "rule": reconciler.rule,
            "because": "a printed total before the sum of parts" if is_sum else "nothing is to be preferred",
            "effect": None,
            "evidence": [checked.reason],
        }
    ]


def _total(members: Sequence[Statement]) -> Reading:
    readings = [one.reading for one in members]
    measure = " + ".join(dict.fromkeys(one.measure for one in readings))
    start, end = min(one.period_start for one in readings), max(one.period_end for one in readings)
    return Reading(sum(one.value for one in readings), measure, start, end)


def _reading(reading: Reading, members: Sequence[Statement], standing: bool, effect: float | None) -> dict[str, Any]:
    value = reading.value
    return {
        "value": int(value) if value.is_integer() else value, "unit": members[0].unit, "per": members[0].per,
        "measure": reading.measure,
        "period_start": reading.period_start.isoformat(), "period_end": reading.period_end.isoformat(),
        "figure_ids": [number for one in members for number in one.id.split()], "sources": independent(members),
        "publishers": list(dict.fromkeys(one.publisher for one in members)),
        "articles": "; ".join(dict.fromkeys(one.articles for one in members)),
        "compiler": "; ".join(dict.fromkeys(one.compiler for one in members)), "standing": standing,
        "effect": None if effect is None else round(effect, 2),
    }  # fmt: skip


def _swapped(reconciler: Reconciler, lead: Headline | None, fact: str, reading: Reading) -> float | None:
    """The headline's factor with `reading` in the place of `fact`; None where the headline does not rest on it."""
    if lead is None or fact not in (lead.fact, lead.base):
        return None
    top, base = (reconciler.choice(one).statement for one in (lead.fact, lead.base))
    assert top is not None  # else there would be no headline
    assert base is not None
    return _factor(reading, base.reading) if fact == lead.fact else _factor(top.reading, reading)
