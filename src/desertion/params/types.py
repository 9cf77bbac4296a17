"""The types that a parameter can have, in the form that papermill's help reads, and what fits each of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from desertion.text import shown

Json = None | bool | int | float | str | list[Any] | dict[str, Any]

#: Name of a type → what a value must be.
_WORDS = {
    "str": "a text (in quotes)",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false (True or False in a notebook)",
    "date": "a day as 'YYYY-MM-DD'",
    "list": "a list",
    "dict": "a table with texts as keys",
}
_FORM = re.compile(
    r"(?P<optional>Optional\[)?(?:list\[(?P<item>str|int|float|bool|date)\]|(?P<kind>\w+))(?(optional)\])"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HALF = re.compile("[\ud800-\udfff]")  # of a character beyond U+FFFF, which no file can hold
#: What may be written, for messages.
FORMS = 'str, int, float, bool, "date", list[str], or "Optional[…]" of one of these, in quotes'


@dataclass(frozen=True)
class Annotation:
    """A parameter's type: its `kind`, the type of its items where it is a list of one type, whether it may be None."""

    kind: str
    item: str = ""
    optional: bool = False

    def __str__(self) -> str:
        whole = f"list[{self.item}]" if self.item else self.kind
        return f"Optional[{whole}]" if self.optional else whole

    @property
    def is_text(self) -> bool:
        """Whether a word on a command line stands for itself: `337` is a text here."""
        return (self.item or self.kind) in ("str", "date")

    def fit(self, value: object) -> Json:
        """`value` in the types of JSON (a whole number as a float where one is due).

        Raises ValueError with what a value must be.
        """
        if value is None and self.optional:
            return None
        if self.item:
            if type(value) is not list:
                raise ValueError(f"must be a list, each item {_WORDS[self.item]}{self._or_none()}")
            return [_fit(self.item, item, f"item {n}, {text(item)}, ") for n, item in enumerate(value, 1)]
        return _fit(self.kind, value, "", self._or_none())

    def python(self, value: Json) -> Any:
        """A value that fits as a notebook computes with it: a day as a date."""
        if self.kind == "date" and isinstance(value, str):
            return date.fromisoformat(value)
        if self.item == "date" and isinstance(value, list):
            return [date.fromisoformat(item) for item in value]
        return value

    def _or_none(self) -> str:
        return ", or None (null in YAML)" if self.optional else ""


def parse(text: str) -> Annotation:
    """The annotation that `text` holds. Raises ValueError where there is no such type."""
    match = _FORM.fullmatch("".join(text.split()))
    if not match or (match["kind"] or "list") not in _WORDS:
        raise ValueError(f"{shown(text)} is no type of a parameter: write {FORMS}")
    return Annotation(match["kind"] or "list", match["item"] or "", bool(match["optional"]))


def of(annotation: object) -> Annotation | None:
    """The annotation that Python keeps of an assignment; None where it is none of a parameter."""
    text = annotation.__name__ if type(annotation) is type else str(annotation)
    try:
        return parse(text.strip("'\""))  # with postponed annotations a quoted one keeps its quotes
    except ValueError:
        return None


def inferred(value: object) -> str:
    """The annotation that `value` would have, as it is written."""
    if isinstance(value, list):
        kinds = {type(item).__name__ for item in value} or {"str"}
        return f"list[{kinds.pop()}]" if len(kinds) == 1 else "list"
    kind = type(value).__name__
    return kind if kind in _WORDS else '"Optional[str]"'


def _fit(kind: str, value: object, before: str = "", after: str = "") -> Json:
    given = type(value)
    good = {
        "str": given is str, "int": given is int, "float": given in (int, float), "bool": given is bool,
        "date": given is str and _is_day(str(value)), "list": given is list, "dict": given is dict,
    }[kind]  # fmt: skip
    if kind == "date" and not good and given is str and _DAY.fullmatch(str(value)):
        raise ValueError(f"{before}there is no such day")
    if not good:
        raise ValueError(f"{before}must be {_WORDS[kind]}{after}")
    if isinstance(value, str) and _HALF.search(value):
        raise ValueError(f"{before}holds half of a character")
    if kind == "float":
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{before}must be a finite number")
        return number
    if kind in ("list", "dict"):
        demand_json(value)
    return value  # type: ignore[return-value]


def demand_json(value: object) -> None:
    """Raises ValueError where JSON has no form for `value`, which papermill would hand over as its text."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if type(value) is list:
        for item in value:
            demand_json(item)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError(f"the key {text(key)} of a table must be a text")
            demand_json(item)
    elif type(value) not in (str, int, float, bool, type(None)):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise ValueError(f"is a {kind}: only a text, a number, True, False, None, a list or a table is handed over")


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def text(value: object) -> str:
    """`value` for a message: at most 60 characters."""
    try:
        return shown(repr(value))
    except (ValueError, RecursionError):  # a number of thousands of digits, a list that holds itself
        return f"a {type(value).__name__}"
