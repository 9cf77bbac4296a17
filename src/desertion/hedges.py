"""The values that a printed number with the words around it admits: one table, data/hedges.csv, for claims and models.

Writers choose the round number next to what they count: "more than 700" stands for what lies between it and the next
round number, not for everything above (such data are coarsened: Heitjan & Rubin, 1991). The width of that step is the
number's *unit*: the place value of its last non-zero digit, at most 10 % of the number, at least its last printed
place. 700 has the unit 70, 7,400 has 100, 50,000 has 5,000, and 9 has 1 (almost ninefold: from 8.5 to under 9).

Heitjan, D. F. & Rubin, D. B. (1991). Ignorability and coarse data. The Annals of Statistics 19, 2244–2253.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from desertion import figures, reads, vocabulary
from desertion.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_ROOM = 1e-12  # relative: floating point puts 62.5 at 62.500000000000007


class Hedge(NamedTuple):
    """One row of hedges.csv: the admitted range is [n + low units, n + high units] around the number n.

    `also` is what a second reading of the word adds to the number (fivefold increase: six times), or 0.
    """

    hedge: str
    bound: str
    low: float
    high: float
    open: str
    beyond: str
    also: float


@dataclass(frozen=True)
class Range:
    """Admitted values from `low` to `high`; the end named by `open` (`low`, `high` or none) is not admitted."""

    low: float
    high: float
    open: str = ""

    def __contains__(self, value: float) -> bool:
        return self.meets(value, value)

    def meets(self, low: float, high: float) -> bool:
        """Whether some value from `low` to `high` (both ends included) is admitted."""
        above = high > self.low + _slack(self.low) if self.open == "low" else high >= self.low - _slack(self.low)
        below = low < self.high - _slack(self.high) if self.open == "high" else low <= self.high + _slack(self.high)
        return above and below


def _slack(value: float) -> float:
    return _ROOM * max(1.0, abs(value))


def _number(value: float | str) -> Decimal:
    """`value` with the decimals that it is printed with; a float that is whole has none."""
    if isinstance(value, str):
        return Decimal(value)
    return Decimal(int(value)) if float(value).is_integer() else Decimal(repr(float(value)))


def unit(value: float | str, *, printed: bool = False) -> Decimal:
    """The unit of a number (see the module); with `printed` only the place value of its last printed digit.

    A text keeps the zeros after its point: 5.0 is printed to tenths.
    """
    number = _number(value)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # a finite number
    last = Decimal(1).scaleb(min(exponent, 0))
    if printed or not number:
        return last
    normal = number.normalize().as_tuple().exponent
    assert isinstance(normal, int)
    return max(last, min(Decimal(1).scaleb(normal), abs(number) / 10))


class Hedges:
    """The words of `Data.hedges`, and the values that a number with one of them stands for."""

    def __init__(self, table: pd.DataFrame) -> None:
        rows = table[list(Hedge._fields[1:])].fillna({"also": 0.0}).itertuples(name=None)
        self._rows = {row[0]: Hedge._make(row) for row in rows}

    def row(self, hedge: str) -> Hedge:
        """The row of the word. Raises UserError where there is none."""
        if hedge not in self._rows:
            raise UserError(f"the hedge '{hedge}' has no row in hedges.csv: known are {', '.join(self._rows)}")
        return self._rows[hedge]

    def admits(self, stated: float | str, hedge: str) -> Range:
        """The values that a number stated with the word admits. Raises UserError for a word without a row."""
        return _admits(stated, self.row(hedge))

    def interval(
        self, value: float, bound: str, hedge: str = "", reading: str = "rounding", *, whole: bool = True,
        printed: tuple[float, float] | None = None,
    ) -> tuple[float, float]:  # fmt: skip
        """The least and the greatest count that a printed number stands for.

        Parameters
        ----------
        value, bound
            The number as printed, and how it is meant (`vocabulary.BOUNDS`).
        hedge
            The printed word; without one the bound itself is read (`about`, `at least`, `at most`).
        reading
            `rounding` takes a word by its row: "more than 700" is 700 to 769, "nearly 2,300" is 2,250 to 2,299.
            `one-sided` opens a number whose `bound` is at_least or at_most to its side: 701 to infinity, 0 to 2,299.
        whole
            Whether the ends are whole numbers and not below 0, as counts are.
        printed
            The ends of a range that the page prints; NaN or None where it prints none. They are taken as they stand.

        Returns
        -------
        low, high : float
            Both ends are included.

        Raises
        ------
        UserError
            The bound, the word or the reading is unknown.
        """
        if bound not in vocabulary.BOUNDS:
            raise UserError(f"the bound '{bound}' is unknown: {', '.join(vocabulary.BOUNDS)}")
        if reading not in vocabulary.BOUND_READINGS:
            raise UserError(f"the reading '{reading}' is unknown: {', '.join(vocabulary.BOUND_READINGS)}")
        if printed and not math.isnan(printed[0]):
            return printed
        plain = vocabulary.BOUND_WORDS[bound]
        row, beyond = self.row(hedge or plain), ""
        if reading == "one-sided" and bound in ("at_least", "at_most"):
            # A word of another bound ("about", printed with a number held to be a floor) does not give the open side.
            beyond = (row if row.bound == bound else self.row(plain)).beyond
        return _interval(float(value), row, beyond, whole)


def printed_ends(facts: pd.DataFrame) -> list[tuple[float, float]]:
    """The ends of the ranges that pages print, of each row of `reconcile.facts`; NaN where there is none."""
    if "printed_low" not in facts:
        return [(math.nan, math.nan)] * len(facts)
    return list(zip(facts["printed_low"].astype(float), facts["printed_high"].astype(float), strict=True))


def load() -> Hedges:
    """The words of the project's data folder. Raises DataError with the faults of hedges.csv."""
    return _of(reads.digests(["hedges.csv"])["hedges.csv"])


@lru_cache(maxsize=1)
def _of(digest: str) -> Hedges:
    """The words of the file with this digest, which a fit needs once for each of its statements."""
    return Hedges(figures.table("hedges.csv"))


def _admits(stated: float | str, row: Hedge) -> Range:
    number = _number(stated)
    step = unit(stated, printed=row.bound == "exact")
    low, high = (float(number + _number(end) * step) for end in (row.low, row.high))
    return Range(low, high, row.open)


@lru_cache(maxsize=65536)
def _interval(value: float, row: Hedge, beyond: str, whole: bool) -> tuple[float, float]:
    least = min(0.0, value)  # no count is below 0: "almost 0" is 0
    if beyond:
        step = 1.0 if whole else 0.0
        ends = {
            "above": (value + step, math.inf),
            "from": (value, math.inf),
            "below": (least, max(least, value - step)),
            "to": (least, value),
        }
        return ends[beyond]
    admitted = _admits(value, row)
    if not whole:
        return admitted.low, admitted.high
    low = math.floor(admitted.low) + 1 if admitted.open == "low" else math.ceil(admitted.low)
    high = math.ceil(admitted.high) - 1 if admitted.open == "high" else math.floor(admitted.high)
    top = max(high, least)  # "nearly nine" leaves no whole number but 8
    return max(min(low, top), least) + 0.0, top + 0.0  # + 0.0: no -0
