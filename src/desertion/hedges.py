"""What the words around a printed number admit: one table, data/hedges.csv, for claims and for the models' counts.

Writers choose the round number next to what they count: "more than 700" stands for what lies between it and the next
round number, not for everything above (Heitjan & Rubin, 1991, call such data coarsened). The width of that step is the
number's *unit*: the place value of its last non-zero digit, at most 10 % of the number, at least its last printed
place. 700 has the unit 70, 7,400 has 100, 50,000 has 5,000, and 9 has 1 (almost ninefold: from 8.5 to under 9).
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from desertion import vocabulary
from desertion.errors import UserError
from desertion.project import DATA, relative

FILE = "hedges.csv"
#: The word that a bound without a printed one is read by.
_PLAIN = {"exact": "exactly", "about": "about", "at_least": "at least", "at_most": "at most"}
_ROOM = 1e-12  # relative: floating point puts 62.5 at 62.500000000000007


@dataclass(frozen=True)
class Hedge:
    """One row of data/hedges.csv: the admitted range is [n + low units, n + high units] around the number n."""

    hedge: str
    bound: str
    low: Decimal
    high: Decimal
    open: str
    beyond: str
    also: Decimal


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


def load(folder: Path = DATA) -> dict[str, Hedge]:
    """The table of `folder`, by word.

    `figures.check` validates the file; what it would refuse raises UserError here too, without its explanation.
    """
    return _read(folder / FILE, _stamp(folder))


def _stamp(folder: Path) -> int:
    """When the table was last written, so that a long session sees an edit."""
    path = folder / FILE
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise UserError(f"{relative(path)}: cannot be read: {error.strerror}") from error


@lru_cache
def _read(path: Path, _stamp: int) -> dict[str, Hedge]:
    table = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            try:
                low, high, also = (Decimal(row[column] or "0") for column in ("low", "high", "also"))
                hedge = Hedge(row["hedge"], row["bound"], low, high, row["open"], row["beyond"], also)
            except (KeyError, TypeError, InvalidOperation) as error:
                raise UserError(f"{relative(path)}:{reader.line_num}: {error}: `desertion check` says more") from error
            table[hedge.hedge] = hedge
    if missing := [word for word in _PLAIN.values() if word not in table]:
        raise UserError(f"{relative(path)}: the words {', '.join(missing)} are missing: bounds are read by them")
    return table


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


def admits(stated: float | str, hedge: str, folder: Path = DATA) -> Range:
    """The values that a number stated with the word `hedge` admits. Raises UserError for a word without a row."""
    number, row = _number(stated), _row(hedge, folder)
    step = unit(stated, printed=row.bound == "exact")
    return Range(float(number + row.low * step), float(number + row.high * step), row.open)


def also(hedge: str, folder: Path = DATA) -> float:
    """What a second reading of the word adds to the stated number (fivefold increase: six times), 0 for none."""
    return float(_row(hedge, folder).also)


def _row(hedge: str, folder: Path) -> Hedge:
    table = load(folder)
    if hedge not in table:
        raise UserError(f"the hedge '{hedge}' has no row in {relative(folder / FILE)}: known are {', '.join(table)}")
    return table[hedge]


def interval(
    value: float,
    bound: str,
    hedge: str = "",
    reading: str = "rounding",
    *,
    whole: bool = True,
    folder: Path = DATA,
) -> tuple[float, float]:
    """The least and the greatest count that a printed `value` stands for, both included.

    `hedge` is the printed word; without one the bound itself is read (`about`, `at least`, `at most`). `reading`:
    `rounding` takes a word by its row, so "more than 700" is 700 to 769 and "nearly 2,300" is 2,250 to 2,299;
    `one-sided` opens a number whose `bound` is at_least or at_most to its side (701 to infinity; 0 to 2,299).
    `whole`: ends are whole numbers, as counts are. Raises UserError for an unknown bound, word or reading.
    """
    if bound not in _PLAIN:
        raise UserError(f"the bound '{bound}' is unknown: {', '.join(_PLAIN)}")
    if reading not in vocabulary.BOUND_READINGS:
        raise UserError(f"the reading '{reading}' is unknown: {', '.join(vocabulary.BOUND_READINGS)}")
    return _interval(float(value), bound, hedge, reading, whole, folder, _stamp(folder))


@lru_cache(maxsize=65536)
def _interval(
    value: float, bound: str, hedge: str, reading: str, whole: bool, folder: Path, _stamp: int
) -> tuple[float, float]:
    row = _row(hedge or _PLAIN[bound], folder)
    least = min(0.0, value)  # no count is below 0: "almost 0" is 0
    if reading == "one-sided" and bound in ("at_least", "at_most"):
        # A word of another bound ("about", printed with a number held to be a floor) says nothing of the end itself.
        side = row.beyond if row.bound == bound else load(folder)[_PLAIN[bound]].beyond
        step = 1.0 if whole else 0.0
        ends = {
            "above": (value + step, math.inf),
            "from": (value, math.inf),
            "below": (least, max(least, value - step)),
            "to": (least, value),
        }
        return ends[side]
    admitted = admits(value, row.hedge, folder)
    if not whole:
        return admitted.low, admitted.high
    low = math.floor(admitted.low) + 1 if admitted.open == "low" else math.ceil(admitted.low)
    high = math.ceil(admitted.high) - 1 if admitted.open == "high" else math.floor(admitted.high)
    high = max(high, least)
    return max(min(low, high), least) + 0.0, high + 0.0  # "nearly nine" leaves no whole number but 8; + 0.0: no -0
