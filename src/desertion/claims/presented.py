"""The checked claims for readers: what each says, what its words admit and what follows, in words."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.text import number


@takes(checked="claims.check_claims(data): ids verdict reason low high")
def in_words(checked: pd.DataFrame) -> pd.DataFrame:
    """Put what the check of the claims computed in words, beside its numbers.

    Parameters
    ----------
    checked : DataFrame
        The claims as `claims.check_claims` returns them.

    Returns
    -------
    DataFrame
        `checked`, with `ids` as text joined by spaces, and

        - `says`: what the claim states, with its hedge and unit
        - `admits`: the range that its words admit, or a dash
        - `interval`: the exact interval of the computed value, or a dash
        - `remark`: why it cannot be checked, that it is close, that it compares different things, its other reading; or
          blank
        - `group`: its verdict with the verdict's meaning, for a heading
        - `order`: the place of its verdict among `vocabulary.VERDICTS`
        - `miss`: by how much the number stated differs from the computed one, as a share of the latter; NaN without one
        - `difference`: the same in words, `58 % too high`; of a page at odds with itself `4.6 % apart`
    """
    lines = checked.to_dict("records")
    words: dict[str, list[Any]] = {
        "ids": [" ".join(row["ids"]) for row in lines],
        "says": [_says(row) for row in lines],
        "admits": [_admits(row) for row in lines],
        "interval": [_range(row["low"], row["high"], 0) for row in lines],
        "remark": [row["reason"] or "; ".join(filter(None, _remarks(row))) for row in lines],
        "group": [f"{row['verdict'].capitalize()}: {vocabulary.VERDICTS[row['verdict']]}" for row in lines],
        "order": [list(vocabulary.VERDICTS).index(row["verdict"]) for row in lines],
    }
    stated = checked["read_as"].fillna(checked["stated"])
    miss = (stated / checked["computed"].where(checked["computed"].ne(0)) - 1).abs()
    high, verdicts = stated.gt(checked["computed"]), checked["verdict"]
    words["difference"] = [_difference(*each) for each in zip(miss, high, verdicts, strict=True)]
    return checked.assign(miss=miss, **words)


def _difference(miss: float, high: bool, verdict: str) -> str:
    if math.isnan(miss):
        return "–"
    share = number(100 * miss, 0 if miss > 0.05 else 1)
    return f"{share} % {'apart' if 'itself' in verdict else 'too high' if high else 'too low'}"


def _remarks(claim: Mapping[Hashable, Any]) -> Iterator[str]:
    yield "close: within 5 % of what its words allow" * claim["close"]
    yield "compares different things" * claim["mixed_measures"]
    yield claim["other_reading"]


def _says(claim: Mapping[Hashable, Any]) -> str:
    """Number of a claim with its hedge and unit: `almost 9 times`, `the highest`, `place 2 from the highest`."""
    if math.isnan(claim["stated"]):
        return "no number"
    stated, unit = number(claim["stated"]), claim["unit"]
    if claim["kind"] == "rank":
        return f"the {unit}" if stated == "1" else f"place {stated} from the {unit}"
    hedge = "" if claim["hedge"] == "exactly" else re.sub(" ?-fold.*", "", claim["hedge"])
    read = "" if claim["read_as"] == claim["stated"] else f" (read as {number(claim['read_as'])})"
    return f"{hedge} {stated} {unit}{read}".lstrip()


def _admits(claim: Mapping[Hashable, Any]) -> str:
    """The range that the words of a claim admit; of a place the whole numbers in it."""
    half = 0.5 * (claim["kind"] == "rank")
    return _range(claim["admits_low"] + half, claim["admits_high"] - half, 1)


def _range(low: float, high: float, places: int) -> str:
    """A range for readers, to three digits; of ends at halves of 100 or more the whole numbers between them."""
    if math.isnan(low):
        return "–"
    half = [end >= 100 and end % 1 == 0.5 for end in (low, high)]
    ends = (low + 0.5 * half[0], high - 0.5 * half[1])
    rounded = (end if end.is_integer() else float(f"{end:.3g}") for end in ends)
    return "–".join(dict.fromkeys(number(end, 2 if end < 100 else places) for end in rounded))
