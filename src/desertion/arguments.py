"""Checks of the arguments that notebooks give to public functions; each fault is an ArgumentError."""

from __future__ import annotations

import functools
import inspect
import numbers
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from desertion.errors import ArgumentError
from desertion.text import hint, shown

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")
R = TypeVar("R")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def takes(**needs: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Check arguments of a function, each by a need.

    The need of a data frame is what makes such a frame, a colon, and the columns that the function uses:
    `facts="reconcile.facts(data): articles year"`. `figures.load()` stands for the data, `share` for a number between
    0 and 1. The docstring of the function gets these faults into its section Raises.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:  # Python's own message names the function
                return function(*args, **kwargs)
            for name, need in needs.items():
                maker, _, columns = need.partition(": ")
                if name not in given:
                    continue
                if columns:
                    frame_with(name, given[name], columns.split(), maker)
                elif need == "share":
                    share(name, given[name])
                elif not hasattr(given[name], "figures"):
                    raise ArgumentError(f"{name} is a {type(given[name]).__name__}: must be the data, {maker}")
            return function(*args, **kwargs)

        checked.__doc__ = _documented(inspect.getdoc(function) or "", needs)
        return checked

    return decorate


def _documented(doc: str, needs: Mapping[str, str]) -> str:
    """A numpydoc docstring with the faults of arguments that do not fit `needs`."""
    raised = ["ArgumentError"]
    for name, need in needs.items():
        maker, _, columns = need.partition(": ")
        frame = f"a frame such as {maker}, with {', '.join(columns.split())}"
        fits = frame if columns else "a number between 0 and 1" if need == "share" else f"the data, {maker}"
        raised.append(textwrap.indent(textwrap.fill(f"If `{name}` is not {fits}.", 112), "    "))
    heading, references = "\n\nRaises\n------\n", "\n\nReferences\n----------\n"
    head, found, tail = doc.partition(heading if heading in doc else references)
    return head + heading + "\n".join(raised) + ("\n" if found == heading else found) + tail


def share(name: str, value: object) -> float:
    """The argument `name` as a number between 0 and 1."""
    if isinstance(value, numbers.Real) and 0 < float(value) < 1:
        return float(value)
    percent = isinstance(value, numbers.Real) and 1 < float(value) < 100
    near = f": write {float(value) / 100:g}" if percent else ", such as 0.95"  # type: ignore[arg-type]
    raise ArgumentError(f"{name} {shown(repr(value))}: must be a number between 0 and 1{near}")


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
