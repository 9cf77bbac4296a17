"""Each claim against what its words admit, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    """Every claim whose page was public on `data.as_of`, recomputed; one row per reading of its words.

    "A fivefold increase" may mean five times or six times: such a claim has a row for each, the second with `+1` after
    its id and 1 added to `stated`.

    Parameters
    ----------
    data
        The data, as `figures.load` gives them.
    level
        Coverage of the exact intervals.

    Returns
    -------
    DataFrame
        One row per reading, indexed by id; numbers that do not exist are NaN:

        - `source`, `publisher`, `locator`: the page that makes the claim, and where on it
        - `statement`, `kind`: the claim in our words, and how it is computed (`vocabulary.CLAIM_KINDS`)
        - `stated`, `unit`, `hedge`: the number that the page states, its unit and the word beside it
        - `admits_low`, `admits_high`: ends of what the words admit
        - `computed`: the recomputed value
        - `computed_low`, `computed_high`: ends that the rounding of the inputs allows
        - `low`, `high`: exact interval at `level`, shown only
        - `verdict`: see `vocabulary.VERDICTS`
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
    rows = [row for claim in claims for row in _rows(claim, data, numbers, words, level, hedges)]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("id")


_COLUMNS = (
    "id", "source", "publisher", "locator", "statement", "kind", "stated", "unit", "hedge", "admits_low", "admits_high",
    "computed", "computed_low", "computed_high", "low", "high", "verdict", "mixed_measures", "measures", "ids",
    "reason", "note",
)  # fmt: skip


def _rows(
    claim: Claim, data: Data, numbers: Mapping[str, Term], words: Mapping[tuple[str, str], set[str]], level: float,
    hedges: Hedges,
) -> list[tuple[Any, ...]]:  # fmt: skip
    used = [numbers[number] for number in claim.numerator + claim.denominator if number in numbers]
    measures = _measures(claim, used, words)
    try:
        computed, reason = recompute(claim, numbers, level), "" if claim.stated else "no number is stated"
    except ClaimError as unknown:
        computed, reason = None, str(unknown)
    value, *ends = computed[:3] if computed else [math.nan] * 3
    readings: list[tuple[str, Range | None]] = [(claim.stated, None)]
    if claim.stated:
        readings = [(claim.stated, hedges.admits(claim.stated, claim.hedge))]
        if more := hedges.row(claim.hedge).also:
            again = f"{float(claim.stated) + more:g}"
            readings.append((again, hedges.admits(again, claim.hedge)))
    return [
        (
            claim.id + "+1" * n,
            claim.source_id,
            data.sources["publisher"].get(claim.source_id, ""),
            claim.locator,
            claim.statement,
            claim.kind,
            float(stated) if stated else math.nan,
            claim.unit,
            claim.hedge,
            admitted.low if admitted else math.nan,
            admitted.high if admitted else math.nan,
            value,
            *ends,
            *((computed.interval if computed else None) or (math.nan, math.nan)),
            _verdict(claim, computed, admitted, used, data),
            len(measures) > 1,
            ", ".join(vocabulary.MEASURES[measure] for measure in sorted(measures)),
            claim.numerator + claim.denominator,
            reason,
            claim.note,
        )
        for n, (stated, admitted) in enumerate(readings)
    ]


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
    """The rows of `check_claims` for JSON: id, source, stated, admits, computed, interval, verdict, mixed_measures.

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
            "mixed_measures": bool(row["mixed_measures"]),
        }
        for number, row in zip(table.index, table.to_dict("records"), strict=True)
    ]


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _ends(low: float, high: float) -> list[float | None] | None:
    return None if math.isnan(low) or math.isnan(high) else [_number(low), _number(high)]
