"""Rules between the cells of one row: functions from cells that keep their own rules to the message of a fault."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass

from desertion import vocabulary

_COUNTED = ("cases", "crimes", "episodes", "verdicts", "persons", "requests", "texts")
_TIMES = ("day", "working_day", "week", "month", "year")
_BASES = tuple(per for per in vocabulary.PERS if per not in _TIMES)


@dataclass(frozen=True)
class Form:
    """The units, the `per` (an empty word: blank), the range of the value of a kind, and whether it is whole."""

    units: tuple[str, ...]
    pers: tuple[str, ...] = ("",)
    low: float = 0
    high: float = float("inf")
    whole: bool = False


FORMS = {
    "count": Form(_COUNTED, whole=True),
    "stock": Form(_COUNTED, whole=True),
    "rate": Form((*_COUNTED, "per_1000"), (*_TIMES, "strength")),
    "share": Form(("percent",), _BASES, high=100),
    "growth": Form(("percent",), ("", *_TIMES), low=-100),
    "multiple": Form(("times",), ("", *_TIMES)),
    "mean": Form((*_COUNTED, "months"), ("", *_TIMES, *_BASES)),
    "maximum": Form((*_COUNTED, "months")),
    "projection": Form((*_COUNTED, "percent", "per_1000"), ("", *_TIMES, *_BASES)),
    "decree": Form(_COUNTED, whole=True),
}

#: The units that a measure is counted in (a share or a growth of it is in percent).
MEASURE_UNITS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cases_received_by_court", "appeals"), ("cases",)),
    **dict.fromkeys(("cases_opened", "crimes_cleared"), ("cases", "crimes")),
    **dict.fromkeys((measure for measure in vocabulary.MEASURES if measure.startswith("persons_")), ("persons",)),
    **dict.fromkeys((measure for measure in vocabulary.MEASURES if measure.startswith("imprisoned_")), ("persons",)),
    "deserters_estimate": ("persons", "episodes"),
    "wanted": ("persons",),
    **dict.fromkeys(
        (measure for measure in vocabulary.MEASURES if measure.startswith("sentences_")), ("persons", "verdicts")
    ),
    **dict.fromkeys(("verdicts", "outcomes_known"), ("verdicts",)),
    "sentence_length": ("months",),
    "texts_examined": ("texts",),
    "requests_for_help": ("requests",),
}


def _either(words: Sequence[str]) -> str:
    return " or ".join(word or "blank" for word in words)


def fits_unit(kind: str, unit: str) -> str:
    """The unit is one that the kind of number is given in."""
    units = FORMS[kind].units
    return "" if unit in units else f"does not fit the kind {kind}: its unit is {_either(units)}"


def fits_measure(kind: str, measure: str, unit: str) -> str:
    """The unit is the one that the measure is counted in."""
    units = MEASURE_UNITS[measure]
    if kind in ("share", "growth", "multiple") or unit in (*units, "percent", "per_1000"):
        return ""
    return f"does not fit the measure {measure}: its unit is {_either(units)}"


def fits_per(kind: str, per: str) -> str:
    """A rate and a share name their base, a count has none."""
    pers = FORMS[kind].pers
    return "" if per in pers else f"does not fit the kind {kind}: its per is {_either(pers)}"


def fits_value(kind: str, unit: str, value: str) -> str:
    """The number is in the range of its kind, and whole where it counts something."""
    form, number = FORMS[kind], float(value)
    if number < form.low:
        least = "no number of this kind is negative" if form.low == 0 else f"at least {form.low:g}"
        return f"is too low for the kind {kind}: {least}"
    if number > form.high:
        return f"is too high for the kind {kind}: at most {form.high:g} {unit}"
    if form.whole and not number.is_integer():
        grouped = f", or {value.replace('.', '')} if the point parts thousands" if value[-4:-3] == "." else ""
        return f"is a fraction of one of the {unit}: a {kind} is a whole number{grouped}"
    return ""


def last_day(published: str) -> str:
    """A printed date as YYYY-MM-DD: of a month alone (YYYY-MM) its last day."""
    if len(published) != 7:
        return published
    return f"{published}-{calendar.monthrange(int(published[:4]), int(published[5:]))[1]}"


def ends_after_start(period_start: str, period_end: str) -> str:
    """A period ends on its first day or later."""
    return f"is before the period's start {period_start}" if period_end < period_start else ""


def dated_id(id: str, published: str) -> str:
    """A source whose id ends in a date or a month was published then."""
    day = re.search(r"-([0-9]{4}-[0-9]{2}(-[0-9]{2})?)$", id)
    if day is None or not published or published.startswith(day[1]):
        return ""
    return f"is not the date at the end of the id {id}: mend one of them"


def read_after(published: str, retrieved: str) -> str:
    """A page is read on the day of its publication or later."""
    early = retrieved and published and retrieved < published
    return f"is before the page was published, {published}" if early else ""


def published_after(period_end: str, published: str, kind: str) -> str:
    """A page does not count what lies after it; a projection and a decree may speak of it."""
    if not published or kind in ("projection", "decree") or last_day(published) >= period_end:
        return ""
    return f"is after the source was published ({published}): mend one of them, or the kind is projection or decree"


def reason_given(status: str, status_reason: str) -> str:
    """A row that is not ok has a reason."""
    if status == "ok":
        return "stands beside the status ok: delete it, or the status is low or rejected" if status_reason else ""
    return "" if status_reason else f"is blank, but the status is {status}: say why"


def high_after_low(low: str, high: str) -> str:
    """The upper end of a range is not below the lower."""
    return f"is below low, {low}" if float(high) < float(low) else ""


def both_ends(low: str, high: str) -> str:
    """A range has two ends, the upper one above the lower."""
    if not low or not high:
        return "" if low == high else f"is blank beside {low or high}: a range has both ends"
    return f"is not above low, {low}: a range runs from low to high" if float(high) <= float(low) else ""


def is_share(courts_share: str) -> str:
    """A share of the courts is more than 0 and at most 100 percent."""
    return "" if not courts_share or 0 < float(courts_share) <= 100 else "is no percentage of the courts: 1 to 100"


def says_something(id: str, place: str, part: str, qualification: str, soldiers: str, low: str, counted_on: str,
                   courts_share: str, base: str) -> str:  # fmt: skip
    """A row of details says something of its statement."""
    detail = place or part or qualification or soldiers or low or counted_on or courts_share or base
    return "" if detail else "has no detail beside it: fill in a column, or delete the row"


_BEYOND = {"at_least": ("above", "from"), "at_most": ("below", "to")}


def fits_beyond(bound: str, beyond: str) -> str:
    """Only a bound has a side beyond the number."""
    words = _BEYOND.get(bound, ("",))
    return "" if beyond in words else f"does not fit the bound {bound}: write {_either(words)}"


#: How many ids a relation takes on its left and its right, at least and at most.
SIDES = {
    "sum": ((1, 999), (1, 1)),
    "equal": ((1, 1), (1, 1)),
    "at_most": ((1, 999), (1, 999)),
    "rises": ((2, 999), (0, 0)),
    "growth": ((1, 1), (2, 2)),
    "share": ((1, 1), (2, 2)),
    "revises": ((1, 1), (1, 1)),
    "rivals": ((1, 999), (1, 999)),
    "headline": ((1, 1), (1, 1)),
}


def fits_left(relation: str, left: str) -> str:
    """As many ids as the relation takes on its left."""
    return _fits_side(SIDES[relation][0], relation, left)


def fits_right(relation: str, right: str) -> str:
    """As many ids as the relation takes on its right."""
    return _fits_side(SIDES[relation][1], relation, right)


def _fits_side(counts: tuple[int, int], relation: str, ids: str) -> str:
    least, most = counts
    if least <= len(ids.split()) <= most:
        return ""
    return f"the relation {relation} takes {least if least == most else f'{least} or more'} ids here"


def on_both_sides(left: str, right: str) -> str:
    """No id stands on both sides of an identity."""
    both = sorted(set(left.split()) & set(right.split()))
    return f"{both[0]} stands on both sides" if both else ""


def not_negative(tolerance: str) -> str:
    """A tolerance is 0 or more."""
    return "is negative: write 0 or more" if tolerance.startswith("-") else ""


#: The units that a claim of a kind is stated in.
_CLAIMED = {
    "ratio": ("times", "percent more"),
    "share": ("percent",),
    "sum": ("cases", "verdicts", "persons", "months"),
    "difference": ("cases", "verdicts", "persons", "months"),
    "rate": ("times", "per day", "per working day", "per week", "per month"),
    "mean": ("cases", "verdicts", "persons", "months"),
    "rank": ("highest", "lowest"),
}


def claims_a_number(kind: str, stated: str) -> str:
    """A claim states a number, unless nothing in it can be recomputed."""
    return (
        ""
        if stated or kind == "qualitative"
        else f"is blank, but a {kind} is claimed: write the number, or qualitative"
    )


def claims_in_unit(kind: str, unit: str) -> str:
    """A claim is stated in a unit of its kind."""
    units = _CLAIMED.get(kind, (unit,))
    return "" if unit in units else f"does not fit the kind {kind}: its unit is {_either(units)}"


def claims_with_hedge(stated: str, hedge: str) -> str:
    """A stated number has a word of how it is meant."""
    if stated and not hedge:
        return f"is blank beside {stated}: write exactly where the page has no word beside the number"
    return "stands beside no number" if hedge and not stated else ""


def multiplies(unit: str, hedge: str) -> str:
    """Only a multiple has a word with -fold."""
    return "does not fit the unit: only times are -fold" if "-fold" in hedge and unit != "times" else ""


def takes_denominator(kind: str, numerator: str, denominator: str) -> str:
    """A sum and a mean have no denominator, and nothing has a denominator alone."""
    if denominator and kind in ("sum", "mean"):
        return f"a {kind} takes no denominator: its numbers are the numerator"
    return "stands without a numerator" if denominator and not numerator else ""


def divides_itself(numerator: str, denominator: str) -> str:
    """No figure is held against itself."""
    return on_both_sides(numerator, denominator)
