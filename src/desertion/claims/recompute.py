"""The values of claims, recomputed from the numbers that they rest on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from desertion.errors import ClaimError
from desertion.hedges import Hedges
from desertion.reconcile.statements import Statement, of_context
from desertion.trends import exact

if TYPE_CHECKING:
    from desertion.figures import Data


class Claim(NamedTuple):
    """A row of claims.csv; `stated` is the text of the number, blank where none is stated."""

    id: str
    source_id: str
    locator: str
    statement: str
    kind: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    stated: str
    unit: str
    hedge: str
    note: str


class Term(NamedTuple):
    """A number that a claim rests on: as printed and corrected, with what its rounding allows, and its period.

    `exact`: a count that is printed exactly.
    """

    id: str
    value: float
    low: float
    high: float
    exact: bool
    start: date
    end: date
    cumulative: bool
    page: str
    fact: str
    measure: str

    @property
    def days(self) -> int:
        """Length of the period in days, both ends included."""
        return (self.end - self.start).days + 1


def terms(ids: Collection[str], data: Data, known: Mapping[str, Statement], hedges: Hedges) -> dict[str, Term]:
    """The usable numbers among `ids` of figures and context: none that is rejected, and no percentages."""
    terms = {}
    for one in [*(known[number] for number in ids if number in known), *of_context(data, ids)]:
        if one.status == "rejected" or one.unit in ("percent", "per_1000"):
            continue
        whole = one.kind in ("count", "stock")
        low, high = hedges.interval(one.reading.value, one.bound, one.hedge, whole=whole, printed=one.ends)
        terms[one.id] = Term(
            one.id, one.reading.value, low, high, one.bound == "exact" and one.kind == "count",
            one.reading.period_start, one.reading.period_end, one.cumulative, one.origin if one.fact else one.source,
            one.fact, one.reading.measure,
        )  # fmt: skip
    return terms


def _find(ids: Sequence[str], numbers: Mapping[str, Term]) -> list[Term]:
    if missing := [number for number in ids if number not in numbers]:
        raise ClaimError(f"{', '.join(missing)}: rejected, a percentage, or not known by then")
    return [numbers[number] for number in ids]


class Computed(NamedTuple):
    """A recomputed value, the ends that the rounding of its inputs allows, and its exact interval.

    None stands for no interval: where an input is rounded or a bound, or the value is no function of counts.
    """

    value: float
    low: float
    high: float
    interval: tuple[float, float] | None = None


class _Side(NamedTuple):
    """The sum of the numbers on one side of a claim."""

    value: float
    low: float
    high: float
    exact: bool


def _add(side: Sequence[Term]) -> _Side:
    value, low, high = (sum(getattr(term, name) for term in side) for name in ("value", "low", "high"))
    return _Side(value, low, high, all(term.exact for term in side))


def _base(side: Sequence[Term]) -> _Side:
    """The sum to divide by. Raises ClaimError where it is 0, or may be."""
    base = _add(side)
    if not base.value or not base.low:
        raise ClaimError("the denominator is 0, or may be")
    return base


def recompute(claim: Claim, numbers: Mapping[str, Term], level: float = 0.95) -> Computed:
    """The value of a claim from the numbers that it rests on. Raises ClaimError, with the reason, if there is none.

    Intervals at `level`: of a ratio of counts exact given their sum, of a count or a rate of it exact (Garwood, 1936),
    of a share exact binomial (Clopper & Pearson, 1934); all for Poisson or binomial variation alone.

    Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437–442.
    Clopper, C. J. & Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the
    binomial. Biometrika 26, 404–413.
    """
    if claim.kind == "qualitative":
        raise ClaimError("no number is claimed")
    if not claim.numerator:
        raise ClaimError("no known page gives the number")
    top, bottom = _find(claim.numerator, numbers), _find(claim.denominator, numbers)
    if claim.kind in ("ratio", "share", "difference", "rank") and not bottom:
        raise ClaimError("no known page gives the number that it is compared with")
    return _KINDS[claim.kind](claim, top, bottom, level)


def _ratio(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a, b = _add(top), _base(bottom)
    numbers = [a.value / b.value, a.low / b.high, a.high / b.low, *(_ratio_of_rates(a, 1, b, 1, level) or ())]
    if claim.unit == "percent more":
        numbers = [100 * (number - 1) for number in numbers]
    value, low, high, *ends = numbers
    return Computed(value, low, high, (ends[0], ends[1]) if ends else None)


def _ratio_of_rates(a: _Side, t1: float, b: _Side, t2: float, level: float) -> tuple[float, float] | None:
    if not (a.exact and b.exact):
        return None
    ratio = exact.rate_ratio(a.value, t1, b.value, t2, level)
    return ratio.low, ratio.high


def _share(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a, b = _add(top), _base(bottom)
    interval = None
    if a.exact and b.exact and a.value <= b.value:
        tail, k, n = (1 - level) / 2, a.value, b.value
        low = special.betaincinv(k, n - k + 1, tail) if k else 0.0
        high = special.betaincinv(k + 1, n - k, 1 - tail) if k < n else 1.0
        interval = 100 * float(low), 100 * float(high)
    return Computed(100 * a.value / b.value, 100 * a.low / b.high, 100 * a.high / b.low, interval)


def _sum(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a = _add(top)
    return Computed(a.value, a.low, a.high, _garwood(a.value, 1, level) if a.exact else None)


def _garwood(count: float, exposure: float, level: float) -> tuple[float, float] | None:
    if count < 0:
        return None
    rate = exact.interval(count, exposure, level)
    return rate.low, rate.high


def _difference(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a, b = _add(top), _add(bottom)
    value = a.value - b.value
    # Only what a running total grew by is a count of its own.
    flow = a.exact and b.exact and _runs_on(top, bottom)
    return Computed(value, a.low - b.high, a.high - b.low, _garwood(value, 1, level) if flow else None)


def _runs_on(later: Sequence[Term], earlier: Sequence[Term]) -> bool:
    return len({(one.start, one.cumulative) for one in (*later, *earlier)}) == 1 and later[0].cumulative


def _rate(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a, b = _add(top), _add(bottom)
    if bottom and claim.unit == "times":
        b, t1, t2 = _base(bottom), top[0].days, bottom[0].days
        scale, interval = t2 / t1, _ratio_of_rates(a, t1, b, t2, level)
        return Computed(a.value / b.value * scale, a.low / b.high * scale, a.high / b.low * scale, interval)
    start, end = top[0].start, top[0].end
    if bottom:
        if not _runs_on(top, bottom):
            raise ClaimError("the two numbers are not totals that run on from one date")
        start = bottom[0].end + timedelta(days=1)
    time = _time(start, end, claim.unit)
    value = a.value - b.value
    interval = _garwood(value, time, level) if a.exact and (b.exact or not bottom) else None
    return Computed(value / time, (a.low - b.high) / time, (a.high - b.low) / time, interval)


def _time(start: date, end: date, unit: str) -> float:
    """The time from `start` to `end`, both included, in the time of `unit`."""
    days = (end - start).days + 1
    if unit == "per working day" and (weekdays := int(np.busday_count(start, end + timedelta(days=1)))):
        return float(weekdays)
    lengths = {"per day": 1.0, "per week": 7.0, "per month": 365.25 / 12}
    if unit not in lengths or days < 1:
        raise ClaimError(f"a rate is {', '.join(lengths)} or per working day, over at least one")
    return days / lengths[unit]


def _mean(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a, n = _add(top), len(top)
    return Computed(a.value / n, a.low / n, a.high / n)


def _rank(claim: Claim, top: Sequence[Term], bottom: Sequence[Term], level: float) -> Computed:
    a = _add(top)
    if claim.unit == "lowest":
        ahead = [(one.value < a.value, one.high < a.low, one.low < a.high) for one in bottom]
    else:
        ahead = [(one.value > a.value, one.low > a.high, one.high > a.low) for one in bottom]
    value, least, most = (1.0 + sum(column) for column in zip(*ahead, strict=True))
    return Computed(value, least, most)


_KINDS = {
    "ratio": _ratio, "share": _share, "sum": _sum, "difference": _difference, "rate": _rate, "mean": _mean,
    "rank": _rank,
}  # fmt: skip
