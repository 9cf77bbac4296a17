"""The identities declared in data/identities.csv, read and checked.

A number printed as rounded or as a bound stands for its whole interval (`hedges`), and an identity holds where some
values in the intervals of both sides keep it, within the tolerance of its row. Periods are part of it: 4,373 + 887 =
5,260 holds for cases of 2023, of 2022 and of both years, and breaks where 4,373 stands for six years.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from desertion.hedges import Hedges
from desertion.reconcile.statements import Reading, Statement, of_context, statements
from desertion.text import period

if TYPE_CHECKING:
    from desertion.figures import Data

HOLDS, BROKEN, NOT_CHECKABLE = "holds", "broken", "not checkable"
#: Relations that are declared and not checked.
DECLARED = ("rivals", "headline")
_ONE_MONTH = 31  # days: the nominal end of a running total may lie so far from the end of the period that it covers


class Identity(NamedTuple):
    """A row of identities.csv."""

    id: str
    left: tuple[str, ...]
    relation: str
    right: tuple[str, ...]
    tolerance: float
    why: str
    known_from: date

    @property
    def ids(self) -> tuple[str, ...]:
        """All figures of both sides."""
        return self.left + self.right


@dataclass(frozen=True)
class Checked:
    """The outcome for one identity: the numbers of both sides as printed, and the reason where it does not hold."""

    state: str
    left: float = math.nan
    right: float = math.nan
    reason: str = ""


def declared(data: Data) -> list[Identity]:
    """The identities known on `data.as_of`, in the order of the file."""
    rows = data.identities.fillna({"tolerance": 0.0}).itertuples(name=None)
    return [Identity._make((*row[:-1], row[-1].date())) for row in rows]


def identities(data: Data) -> pd.DataFrame:
    """Every identity known on `data.as_of`, checked; `rivals` and `headline`, which are not checked, are left out.

    Parameters
    ----------
    data
        The data, as `figures.load` gives them.

    Returns
    -------
    DataFrame
        One row per identity, indexed by id:

        - `left`, `relation`, `right`: ids, one space between them, and how they are related
        - `tolerance`, `why`, `known_from`: as in identities.csv
        - `left_value`, `right_value`: the numbers of both sides as printed, NaN where they are not known
        - `gap`: right less left
        - `state`: holds, broken or not checkable
        - `reason`: what is wrong or missing, else blank
    """
    known, hedges = _known(data), Hedges(data.hedges)
    rows = []
    for identity in declared(data):
        if identity.relation in DECLARED:
            continue
        checked = check(identity, known, hedges)
        values = {
            "left": " ".join(identity.left), "right": " ".join(identity.right),
            "known_from": pd.Timestamp(identity.known_from), "left_value": checked.left, "right_value": checked.right,
            "gap": checked.right - checked.left, "state": checked.state, "reason": checked.reason,
        }  # fmt: skip
        rows.append(identity._asdict() | values)
    columns = [*Identity._fields, "left_value", "right_value", "gap", "state", "reason"]
    return pd.DataFrame(rows, columns=columns).set_index("id")


def _known(data: Data) -> dict[str, Statement]:
    """The statements of figures.csv, and those of context.csv that identities name."""
    known = {statement.id: statement for statement in statements(data)}
    named = {number for identity in declared(data) for number in identity.ids if number not in known}
    return known | ({one.id: one for one in of_context(data, named)} if named else {})


def broken(data: Data) -> dict[str, str]:
    """Id → reason of each identity that breaks."""
    frame = identities(data)
    reasons = frame.loc[frame["state"] == BROKEN, "reason"]
    return {str(one): str(reason) for one, reason in reasons.items()}


def would_break(data: Data, number: str) -> list[str]:
    """One line per identity that breaks once statement `number` stands for another one of its fact and unit."""
    known, hedges = _known(data), Hedges(data.hedges)
    new, lines = known[number], []
    for one in declared(data):
        rivals = [old for old in one.ids if old in known and (known[old].fact, known[old].unit) == (new.fact, new.unit)]
        if not rivals or one.relation in DECLARED or check(one, known, hedges).state != HOLDS:
            continue
        for old in rivals:
            checked = check(one, {**known, old: new}, hedges)
            if checked.state == BROKEN:
                sides = f"{' '.join(one.left)} {one.relation} {' '.join(one.right)}"
                lines.append(f"identity {one.id} ({sides}) breaks with {number} for {old}: {checked.reason}")
    return lines


def prints(data: Data) -> pd.DataFrame:
    """Pair the counts of one period that were printed twice: the relation `revises` of identities.csv.

    Parameters
    ----------
    data
        The data, as `figures.load` gives them; context.csv among the files that a notebook reads.

    Returns
    -------
    DataFrame
        One row per pair that is known, indexed by the id in identities.csv.

        - `what`: what was counted, as the reason in identities.csv has it
        - `period`: in words
        - `first`, `later`: both counts
        - `after_first`, `after_later`: days from the end of the period to the count (to its publication, where the day
          of the count is not known; NaN where neither is)
        - `missed`: percent of the later count that the first one lacked, below 0 where it had more
        - `ids`: both statements, joined by spaces
    """
    known, rows = _known(data), []
    for identity in declared(data):
        if identity.relation != "revises" or not set(identity.ids) <= known.keys():
            continue
        later, first = (known[one] for one in identity.ids)
        old, new = first.reading.value, later.reading.value
        rows.append((
            identity.id, identity.why, period(first.reading.period_start, first.reading.period_end), old, _after(first),
            new, _after(later), 100 * (1 - old / new) if new else math.nan, f"{first.id} {later.id}",
        ))  # fmt: skip
    columns = ["id", "what", "period", "first", "after_first", "later", "after_later", "missed", "ids"]
    return pd.DataFrame(rows, columns=columns).set_index("id")


def _after(statement: Statement) -> float:
    """Days from the end of the period to the day of the count, or of its publication."""
    day = statement.counted_on or statement.published
    return (day - statement.reading.period_end).days if day else math.nan


@dataclass(frozen=True)
class _Term:
    """A number in an identity: its reading, the interval that it stands for, and whether it is a running total."""

    reading: Reading
    low: float
    high: float
    cumulative: bool


def check(
    identity: Identity, known: Mapping[str, Statement], hedges: Hedges, instead: Mapping[str, Reading] | None = None
) -> Checked:
    """Whether `identity` holds among `known` statements, some of them read as in `instead`.

    Not checkable where a statement is rejected or not known (yet).
    """
    instead = instead or {}
    missing = [number for number in identity.ids if number not in known or known[number].status == "rejected"]
    if missing:
        return Checked(NOT_CHECKABLE, reason=f"{', '.join(missing)}: rejected, or not known by then")
    terms = {number: _term(known[number], instead.get(number), hedges) for number in identity.ids}
    left, right = [terms[number] for number in identity.left], [terms[number] for number in identity.right]
    return _CHECKS[identity.relation](left, right, identity.tolerance)


def _term(statement: Statement, reading: Reading | None, hedges: Hedges) -> _Term:
    reading = reading or statement.reading
    whole = statement.unit not in ("percent", "per_1000", "months")
    ends = statement.ends if reading == statement.reading else None
    # here a bound proves nothing on its open side
    low, high = hedges.interval(reading.value, statement.bound, statement.hedge, "one-sided", whole=whole, printed=ends)
    return _Term(reading, low, high, statement.cumulative)


def _printed(terms: Iterable[_Term]) -> float:
    return sum(term.reading.value for term in terms)


def _low(terms: Iterable[_Term]) -> float:
    return sum(term.low for term in terms)


def _high(terms: Iterable[_Term]) -> float:
    return sum(term.high for term in terms)


def _result(left: float, right: float, *faults: str) -> Checked:
    reason = "; ".join(filter(None, faults))
    return Checked(BROKEN if reason else HOLDS, left, right, reason)


def _sum(left: Sequence[_Term], right: Sequence[_Term], tolerance: float) -> Checked:
    apart = max(_low(left) - _high(right), _low(right) - _high(left), 0)
    values = f"the left side gives {_printed(left):g}, the right {_printed(right):g}" if apart > tolerance else ""
    return _result(_printed(left), _printed(right), values, _cover(left, right[0]))


def _at_most(left: Sequence[_Term], right: Sequence[_Term], tolerance: float) -> Checked:
    over = _low(left) - _high(right) > tolerance
    values = f"{_printed(left):g} is more than {_printed(right):g}" if over else ""
    return _result(_printed(left), _printed(right), values, _inside(left, right))


def _rises(left: Sequence[_Term], _right: Sequence[_Term], tolerance: float) -> Checked:
    faults = []
    for before, after in pairwise(left):
        if before.low - after.high > tolerance:
            faults.append(f"{after.reading.value:g} follows {before.reading.value:g}")
        if after.reading.period_end < before.reading.period_end:
            faults.append(f"the total to {after.reading.period_end} follows that to {before.reading.period_end}")
    return _result(left[0].reading.value, left[-1].reading.value, *faults)


def _growth(left: Sequence[_Term], right: Sequence[_Term], tolerance: float) -> Checked:
    new, old = right
    if not old.reading.value:
        return Checked(NOT_CHECKABLE, reason="growth over 0")
    computed = 100 * (new.reading.value / old.reading.value - 1)
    lowest = 100 * (new.low / old.high - 1)
    highest = 100 * (new.high / old.low - 1) if old.low else float("inf")
    return _percent(left[0], computed, lowest, highest, tolerance, _same(left[0], new))


def _share(left: Sequence[_Term], right: Sequence[_Term], tolerance: float) -> Checked:
    part, whole = right
    if not whole.reading.value:
        return Checked(NOT_CHECKABLE, reason="a share of 0")
    computed = 100 * part.reading.value / whole.reading.value
    lowest = 100 * part.low / whole.high
    highest = 100 * part.high / whole.low if whole.low else float("inf")
    return _percent(left[0], computed, lowest, highest, tolerance, _same(part, whole))


def _percent(stated: _Term, computed: float, lowest: float, highest: float, tolerance: float, fault: str) -> Checked:
    apart = max(stated.low - highest, lowest - stated.high, 0)
    values = f"{stated.reading.value:g} % is stated, {computed:.2f} % follows" if apart > tolerance + 1e-9 else ""
    return _result(stated.reading.value, computed, values, fault)


def _revises(left: Sequence[_Term], right: Sequence[_Term], tolerance: float) -> Checked:
    later, earlier = left[0], right[0]
    change = 100 * abs(later.reading.value / earlier.reading.value - 1) if earlier.reading.value else float("inf")
    far = f"a revision by {change:.1f} %" if change > tolerance else ""
    other = "" if later.reading.measure == earlier.reading.measure else "another measure"
    return _result(later.reading.value, earlier.reading.value, far, other, _same(later, earlier))


_CHECKS = {
    "sum": _sum, "equal": _sum, "at_most": _at_most, "rises": _rises, "growth": _growth, "share": _share,
    "revises": _revises,
}  # fmt: skip


# --- periods ---------------------------------------------------------------------------------------------------------


def _near(one: date, other: date) -> bool:
    return abs((one - other).days) <= _ONE_MONTH


def _same(one: _Term, other: _Term) -> str:
    """The fault where two numbers should be of one period (of running totals only the ends are compared), or ""."""
    ends = _near(one.reading.period_end, other.reading.period_end)
    starts = one.cumulative or other.cumulative or one.reading.period_start == other.reading.period_start
    return "" if ends and starts else f"{_days(one.reading)} is not {_days(other.reading)}"


def _cover(parts: Sequence[_Term], whole: _Term) -> str:
    """The fault where parts should cover the period of the whole, each of them or one after another, or ""."""
    if not any(_same(part, whole) for part in parts):
        return ""
    ordered = sorted(parts, key=lambda part: part.reading.period_start)
    for before, after in pairwise(ordered):
        if after.reading.period_start != before.reading.period_end + timedelta(days=1):
            return f"{_days(before.reading)} and {_days(after.reading)} do not follow each other"
    first, last = ordered[0].reading.period_start, ordered[-1].reading.period_end
    start, end = whole.reading.period_start, whole.reading.period_end
    if _near(last, end) and (first == start or whole.cumulative):
        return ""
    return f"the parts run from {first} to {last}, the whole from {start} to {end}"


def _inside(parts: Sequence[_Term], wholes: Sequence[_Term]) -> str:
    """The fault where parts should lie inside the period of the wholes (of a running total: before its end), or ""."""
    first = min(whole.reading.period_start for whole in wholes)
    last = max(whole.reading.period_end for whole in wholes)
    open_start = any(whole.cumulative for whole in wholes)
    for part in parts:
        late = part.reading.period_end > last and not _near(part.reading.period_end, last)
        if late or not (part.cumulative or open_start or part.reading.period_start >= first):
            return f"{_days(part.reading)} is not inside {first} to {last}"
    return ""


def _days(reading: Reading) -> str:
    return f"{reading.period_start} to {reading.period_end}"
