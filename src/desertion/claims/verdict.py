"""Each claim against what its words admit, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.claims.recompute import Claim, Computed, Term, recompute, terms
from desertion.errors import ClaimError
from desertion.hedges import Hedges, Range
from desertion.reconcile.statements import statements

if TYPE_CHECKING:
    from desertion.figures import Data

HOLDS, ROUNDING, OVERSTATED, UNDERSTATED, CONTRADICTS, NOT_CHECKABLE = vocabulary.VERDICTS


@takes(data="figures.load()", level="share")
def check_claims(data: Data, *, level: float = 0.95) -> pd.DataFrame:
    """Every claim whose page was public on `data.as_of`, recomputed; one row and one verdict per claim.

    "A fivefold increase" may mean five times or six times: the reading that fits the figures best decides, the other is
    a note. So no page is called wrong for a reading that it may not have had.

    Parameters
    ----------
    data
        The data, as `figures.load` gives them.
    level
        Coverage of the exact intervals.

    Returns
    -------
    DataFrame
        One row per claim, indexed by id; numbers that do not exist are NaN:

        - `source`, `publisher`, `locator`: the page that makes the claim, and where on it
        - `statement`, `kind`: the claim in our words, and how it is computed (`vocabulary.CLAIM_KINDS`)
        - `stated`, `read_as`, `unit`, `hedge`: the number that the page states, the number that its words are read as,
          its unit and the word beside it
        - `admits_low`, `admits_high`: ends of what the words admit
        - `computed`: the recomputed value
        - `computed_low`, `computed_high`: ends that the rounding of the inputs allows
        - `low`, `high`: exact interval at `level`, shown only
        - `verdict`: see `vocabulary.VERDICTS`
        - `close`: whether it does not hold, but the value lies within 5 % of what the words admit
        - `other_reading`: what the words would mean and admit in the other reading, else blank
        - `mixed_measures`: whether the numbers, or the page's own words for them, are of several measures
        - `measures`: these measures in words
        - `ids`: tuple of the figures used
        - `reason`: why the claim is not checkable, else blank
        - `note`: as in claims.csv
    """
    hedges = Hedges(data.hedges)
    known = {statement.id: statement for statement in statements(data)}
    claims = [Claim._make(row) for row in data.claims.itertuples(name=None)]
    numbers = terms({number for claim in claims for number in claim.numerator + claim.denominator}, data, known, hedges)
    facts = {term.fact for term in numbers.values()}
    words: dict[tuple[str, str], set[str]] = {}  # (page, fact) → the measures by which the page calls it
    for statement in known.values():
        if statement.fact in facts:
            words.setdefault((statement.source, statement.fact), set()).add(statement.printed.measure)
    rows = [_row(claim, data, numbers, words, level, hedges) for claim in claims]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("id")


_COLUMNS = (
    "id", "source", "publisher", "locator", "statement", "kind", "stated", "read_as", "unit", "hedge", "admits_low",
    "admits_high", "computed", "computed_low", "computed_high", "low", "high", "verdict", "close", "other_reading",
    "mixed_measures", "measures", "ids", "reason", "note",
)  # fmt: skip

#: How far, of the nearest end of what the words admit, a value may lie to be close to it.
_CLOSE = 0.05


class _StatedReading(NamedTuple):
    """A number as its words may be read, and what they then admit; nothing where no number is stated."""

    stated: str
    admitted: Range | None

    def miss(self, value: float) -> float:
        """How far the value lies from what is admitted, as a share of the nearest end; 0 inside."""
        if self.admitted is None or value in self.admitted:
            return 0.0
        end = self.admitted.low if value <= self.admitted.low else self.admitted.high
        return abs(value - end) / abs(end) if end else math.inf


def _row(
    claim: Claim, data: Data, numbers: Mapping[str, Term], words: Mapping[tuple[str, str], set[str]], level: float,
    hedges: Hedges,
) -> tuple[Any, ...]:  # fmt: skip
    used = [numbers[number] for number in claim.numerator + claim.denominator if number in numbers]
    measures = _measures(claim, used, words)
    try:
        computed, reason = recompute(claim, numbers, level), "" if claim.stated else "no number is stated"
    except ClaimError as unknown:
        computed, reason = None, str(unknown)
    value, *ends = computed[:3] if computed else [math.nan] * 3
    read, *others = _readings(claim, hedges, value)
    verdict = _verdict(claim, computed, read.admitted, used, data)
    missed = verdict not in (HOLDS, ROUNDING, NOT_CHECKABLE) and claim.kind != "rank"
    admits = (read.admitted.low, read.admitted.high) if read.admitted else (math.nan, math.nan)
    return (
        claim.id, claim.source_id, data.sources["printed_by"].get(claim.source_id, ""), claim.locator, claim.statement,
        claim.kind, *(float(number) if number else math.nan for number in (claim.stated, read.stated)), claim.unit,
        claim.hedge, *admits, value, *ends, *((computed.interval if computed else None) or (math.nan, math.nan)),
        verdict, missed and read.miss(value) <= _CLOSE, "; ".join(_in_words(other, claim.unit) for other in others),
        len(measures) > 1, ", ".join(vocabulary.MEASURES[measure] for measure in sorted(measures)),
        claim.numerator + claim.denominator, reason, claim.note,
    )  # fmt: skip


def _readings(claim: Claim, hedges: Hedges, value: float) -> list[_StatedReading]:
    """The readings of the words beside the stated number, the one that fits `value` best first."""
    if not claim.stated:
        return [_StatedReading("", None)]
    stated = [claim.stated]
    if more := hedges.row(claim.hedge).also:
        stated.append(f"{float(claim.stated) + more:g}")
    readings = [_StatedReading(each, hedges.admits(each, claim.hedge)) for each in stated]
    return readings if math.isnan(value) else sorted(readings, key=lambda one: one.miss(value))


def _in_words(other: _StatedReading, unit: str) -> str:
    assert other.admitted is not None  # only a stated number has a second reading
    return f"read as {other.stated} {unit}, its words allow {other.admitted.low:g} to {other.admitted.high:g}"


#: Outcomes of one measure: suspended terms among verdicts do not mix measures.
_OUTCOMES = ("sentences_", "imprisoned_", "persons_imprisoned", "texts_examined")


def _measures(claim: Claim, used: Sequence[Term], words: Mapping[tuple[str, str], set[str]]) -> set[str]:
    """The measures of the numbers used, and those by which the claim's own page calls them."""
    measures = {term.measure for term in used if term.measure}
    for term in used:
        measures |= words.get((claim.source_id, term.fact), set())
    if claim.kind == "share" and len(measures) > 1:
        measures = {measure for measure in measures if not measure.startswith(_OUTCOMES)}
    return measures


def _verdict(claim: Claim, computed: Computed | None, admitted: Range | None, used: Sequence[Term], data: Data) -> str:
    if computed is None or admitted is None:
        return NOT_CHECKABLE
    if computed.value in admitted:
        return HOLDS
    if admitted.meets(computed.low, computed.high):
        return ROUNDING
    own = {claim.source_id, str(data.sources["copy_of"].get(claim.source_id, ""))}
    if claim.kind in ("sum", "difference") and len(used) > 1 and all(term.page in own for term in used):
        return CONTRADICTS
    # A first place that is a third says too much; of all other numbers, one that is above its value does.
    too_much = computed.value <= admitted.low if claim.kind != "rank" else computed.value >= admitted.high
    return OVERSTATED if too_much else UNDERSTATED


def as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `check_claims` for JSON: id, source, stated, admits, computed, interval, verdict, close, …

    A number, or the two ends of an interval, that do not exist are null; numbers have six decimals at most.
    """
    return [
        {
            "id": str(number),
            "source": row["source"],
            "stated": _number(row["stated"]),
            "admits": _ends(row["admits_low"], row["admits_high"]),
            "computed": _number(row["computed"]),
            "interval": _ends(row["low"], row["high"]),
            "verdict": row["verdict"],
            "close": bool(row["close"]),
            "other_reading": row["other_reading"],
            "mixed_measures": bool(row["mixed_measures"]),
        }
        for number, row in zip(table.index, table.to_dict("records"), strict=True)
    ]


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _ends(low: float, high: float) -> list[float | None] | None:
    return None if math.isnan(low) or math.isnan(high) else [_number(low), _number(high)]
