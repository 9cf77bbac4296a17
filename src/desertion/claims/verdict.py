"""Each claim against what its words admit, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from desertion import hedges, vocabulary
from desertion.claims.read import Claim, load
from desertion.claims.recompute import Computed, Term, recompute, terms
from desertion.errors import ClaimError
from desertion.project import DATA
from desertion.reconcile.statements import statements

if TYPE_CHECKING:
    from desertion.figures import Data

HOLDS, ROUNDING, OVERSTATED, UNDERSTATED, CONTRADICTS, NOT_CHECKABLE = vocabulary.VERDICTS

_TABLE = (
    *(
        "id",
        "source",
        "publisher",
        "locator",
        "statement",
        "kind",
        "stated",
        "unit",
        "hedge",
        "admits_low",
        "admits_high",
    ),
    *("computed", "computed_low", "computed_high", "low", "high", "verdict", "mixed_measures", "measures", "ids"),
    *("reason", "note"),
)


def check_claims(data: Data, *, level: float = 0.95, folder: Path = DATA) -> pd.DataFrame:
    """Every claim whose page was public on `data.as_of`, recomputed; one row a reading of its words.

    "A fivefold increase" may mean five times or six times: such a claim has a row for each, the second with `+1` after
    its id and 1 added to `stated`. Indexed by id: source, publisher, locator, statement, kind, stated, unit, hedge,
    admits_low and admits_high (what the words admit), computed with computed_low and computed_high (what the rounding
    of the inputs allows), low and high (exact interval at `level`, shown only), verdict (`vocabulary.VERDICTS`),
    mixed_measures (whether the numbers, or the page's own words for them, are of several measures), measures (these, in
    words), ids (of the figures used), reason (why not checkable, or blank) and note. Numbers that do not exist are NaN.
    """
    known = {statement.id: statement for statement in statements(data)}
    made = [claim for claim in load(folder) if _public(claim, data)]
    numbers = terms(
        {number for claim in made for number in (*claim.numerator, *claim.denominator)}, data, known, folder
    )
    facts = {term.fact for term in numbers.values()}
    words: dict[tuple[str, str], set[str]] = {}  # what a page calls a fact
    for statement in known.values():
        if statement.fact in facts:
            words.setdefault((statement.source, statement.fact), set()).add(statement.printed.measure)
    rows = [row for claim in made for row in _rows(claim, data, numbers, words, level, folder)]
    return pd.DataFrame(rows, columns=list(_TABLE)).set_index("id")


def _public(claim: Claim, data: Data) -> bool:
    """Whether the claim's page was public on `data.as_of`: by its date, or, undated, as its statements are."""
    if data.as_of is None:
        return True
    published = data.sources["published"].get(claim.source_id)
    if published is None or pd.isna(published):
        return any((frame["source_id"] == claim.source_id).any() for frame in (data.figures, data.context))
    return bool(published <= pd.Timestamp(data.as_of))


def _rows(
    claim: Claim, data: Data, numbers: Mapping[str, Term], words: Mapping[tuple[str, str], set[str]], level: float,
    folder: Path,
) -> list[tuple[Any, ...]]:  # fmt: skip
    used = [numbers[number] for number in (*claim.numerator, *claim.denominator) if number in numbers]
    measures = _measures(claim, used, words)
    try:
        found, reason = recompute(claim, numbers, level), ""
    except ClaimError as unknown:
        found, reason = None, str(unknown)
    readings: list[tuple[str, hedges.Range | None]] = [(claim.stated, None)]
    if claim.stated:
        readings = [(claim.stated, hedges.admits(claim.stated, claim.hedge, folder))]
        if more := hedges.also(claim.hedge, folder):
            again = f"{float(claim.stated) + more:g}"
            readings.append((again, hedges.admits(again, claim.hedge, folder)))
    rows = []
    for n, (stated, admitted) in enumerate(readings):
        if found is not None and admitted is None:
            reason = "no number is stated"
        at = (found.low, found.high) if found else (math.nan, math.nan)
        rows.append(
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
                found.value if found else math.nan,
                *at,
                *((found.interval if found else None) or (math.nan, math.nan)),
                _verdict(claim, found, admitted, used, data),
                len(measures) > 1,
                ", ".join(vocabulary.MEASURES[measure] for measure in sorted(measures)),
                tuple(claim.numerator + claim.denominator),
                reason,
                claim.note,
            )
        )
    return rows


#: What a sentence is, not what is counted: suspended terms among verdicts are a share of one measure.
_OUTCOMES = ("sentences_", "imprisoned_", "persons_imprisoned", "texts_examined")


def _measures(claim: Claim, used: Sequence[Term], words: Mapping[tuple[str, str], set[str]]) -> set[str]:
    """The measures of the numbers used, and those by which the claim's own page calls them."""
    measures = {term.measure for term in used if term.measure}
    for term in used:
        measures |= words.get((claim.source_id, term.fact), set())
    if claim.kind == "share" and len(measures) > 1:
        measures = {measure for measure in measures if not measure.startswith(_OUTCOMES)}
    return measures


def _verdict(
    claim: Claim, found: Computed | None, admitted: hedges.Range | None, used: Sequence[Term], data: Data
) -> str:
    if found is None or admitted is None:
        return NOT_CHECKABLE
    if found.value in admitted:
        return HOLDS
    if admitted.meets(found.low, found.high):
        return ROUNDING
    own = {claim.source_id, str(data.sources["copy_of"].get(claim.source_id, ""))}
    if claim.kind in ("sum", "difference") and len(used) > 1 and all(term.page in own for term in used):
        return CONTRADICTS
    # A first place that is a third says too much; of all other numbers, one that is above its value does.
    too_much = found.value <= admitted.low if claim.kind != "rank" else found.value >= admitted.high
    return OVERSTATED if too_much else UNDERSTATED


def as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `check_claims` for JSON: id, source, stated, admits, computed, interval, verdict, mixed_measures.

    A number, or the two ends of an interval, that do not exist are null; numbers have six decimals at most.
    """
    out = []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        out.append(
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
        )
    return out


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _ends(low: float, high: float) -> list[float | None] | None:
    return None if math.isnan(low) or math.isnan(high) else [_number(low), _number(high)]
