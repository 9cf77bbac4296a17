"""Words for the numbers and periods of a table, in labels and in the text for those who cannot see the plot."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from desertion import vocabulary
from desertion.text import day as day
from desertion.text import listed as listed
from desertion.text import number as number
from desertion.text import period as period

_SIGNS = {"exact": "", "about": "≈ ", "at_least": "≥ ", "at_most": "≤ "}


def aligned(values: Sequence[float]) -> list[str]:
    """The numbers with as many decimals as the one that has most, so that `9.1` beside `7.58` reads `9.10`."""
    places = max(len(number(value).partition(".")[2]) for value in values)
    return [f"{value:,.{places}f}".replace("-", "−") for value in values]


def interval(value: float, low: float, high: float) -> str:
    """`9.10 (7.58–10.20)`."""
    return "{} ({}–{})".format(*aligned([value, low, high]))


def bounded(value: float, bound: str) -> str:
    """The value as printed, with the sign for its bound; `vocabulary.bounded` has the words."""
    return _SIGNS[bound] + number(value)


def about(value: float) -> str:
    """A number in two figures, as a title has it: `762` as `760`, `8.17` as `8.2`."""
    digits = 1 - math.floor(math.log10(abs(value))) if value else 0
    return number(round(value, digits))


def tenths(share: float) -> str:
    """A share in words, to the nearest tenth: `nearly nine in ten`."""
    near = round(10 * share)
    off = 10 * share - near
    hedge = "" if abs(off) < 0.05 else "nearly " if off < 0 else "over "
    return hedge + ("all" if near == 10 else f"{count(near)} in ten")


def count(value: float) -> str:
    """A whole number up to ten in words."""
    return _NUMBERS[int(value)] if value in range(len(_NUMBERS)) else number(value)


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def period_of(row: Any) -> str:
    """The name of the period of a row."""
    return period(row.period_start, row.period_end)


def years(date: pd.Series[Any]) -> pd.Series[Any]:
    """Dates as years with a fraction, so that a year is one unit on an axis."""
    day_of_year = date.dt.day_of_year - 1
    fraction: pd.Series[Any] = date.dt.year + day_of_year / (365 + date.dt.is_leap_year.astype(int))
    return fraction


def with_years(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with `x0` and `x1` (begin and end of the period, in years), `x` (its middle) and `year` (of that)."""
    start, end = years(rows["period_start"]), years(rows["period_end"] + pd.Timedelta(days=1))
    middle = (start + end) / 2
    return rows.assign(x0=start, x1=end, x=middle, year=middle.astype(int))


def capital(words: str) -> str:
    """The first letter made a capital, the rest as it is."""
    return words[:1].upper() + words[1:]


def spoken(words: str) -> str:
    """Words of the vocabulary by their meaning; a single name without its underscores; all else as it is."""
    if re.fullmatch(r"3\d\d(\+3\d\d)+", words):
        return vocabulary.articles_label(words)
    meanings = vocabulary.MEASURES | vocabulary.SCOPES
    if words in meanings:
        return meanings[words]
    if re.fullmatch(_NAME, words):
        return words.replace("_", " ")
    return re.sub(_NAME, lambda match: meanings.get(match[0], match[0]), words)


_NAME = r"\b[a-z]+(?:_[a-z0-9]+)+\b"
