"""Checks of the arguments that notebooks give to public functions; each fault is an ArgumentError."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from desertion.errors import ArgumentError
from desertion.text import hint, shown

if TYPE_CHECKING:
    import pandas as pd

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day(name: str, value: object) -> date:
    """The argument `name` as a date: it is one (or a pandas Timestamp), or a text such as '2024-03-20'."""
    if isinstance(value, date) and value == value:  # NaT is a date, too, and equals nothing
        return value.date() if isinstance(value, datetime) else value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ArgumentError(f"{name} '{value}': there is no such day") from None
    raise ArgumentError(f"{name} {shown(repr(value))}: must be a day, as a date or as 'YYYY-MM-DD'")


def whole(name: str, value: object, low: int, high: int) -> int:
    """The argument `name` as a whole number from `low` to `high`."""
    if type(value) is not bool and isinstance(value, numbers.Integral) and low <= int(value) <= high:
        return int(value)
    raise ArgumentError(f"{name} {shown(repr(value))}: must be a whole number from {low:,} to {high:,}")


def words(name: str, value: object) -> list[str]:
    """The argument `name`, a text or several, as a list."""
    if isinstance(value, str):
        return [value]
    many = []
    for one in value if isinstance(value, Iterable) else [value]:
        if not isinstance(one, str):
            quoted = f", '{one}' in quotes," if isinstance(one, numbers.Integral) else ""
            raise ArgumentError(f"{name} {shown(repr(one))}: must be a text{quoted} or a list of texts")
        many.append(one)
    return many


def frame_with(name: str, frame: object, columns: Iterable[str], maker: str) -> pd.DataFrame:
    """The argument `name`, a data frame with `columns`, such as `maker` returns."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ArgumentError(f"{name} is a {type(frame).__name__}: must be a data frame, such as {maker}")
    if missing := [column for column in columns if column not in frame]:
        near = hint(missing[0], list(map(str, frame.columns)))
        raise ArgumentError(f"{name} has no column '{missing[0]}' ({near}): give {maker}")
    return frame
