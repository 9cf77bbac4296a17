"""The well-known parameters: names with a closed set of values, a range, or a rule between them.

A notebook may have any other parameter, too; that one is checked by its annotation alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from desertion import vocabulary
from desertion.params.types import Annotation, Json, parse
from desertion.reads import NAME as READS
from desertion.text import nearest, shown

#: Raises ValueError with what would be right.
Check = Callable[[Any], object]
#: The folder that a notebook publishes in: the runner alone sets it.
OUT = "out"


@dataclass(frozen=True)
class WellKnown:
    """The type that a well-known parameter has in every notebook, and what its values must be besides."""

    annotation: Annotation
    check: Check | None = None

    def demand_type(self, written: Annotation) -> None:
        """Raises ValueError where a cell gives it another type; where None is possible, a cell may rule it out."""
        one = self.annotation
        if (written.kind, written.item) != (one.kind, one.item) or (written.optional and not one.optional):
            quoted = f'"{one}"' if one.optional or one.kind == "date" else str(one)
            raise ValueError(f"is {quoted} in every notebook, not {written}")


def _between(low: float, high: float) -> Check:
    def check(number: float) -> None:
        if not low <= number <= high:
            raise ValueError(f"must be from {low:,g} to {high:,.12g}")

    return check


def _if_given(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _share(number: float) -> None:
    if not 0.5 < number < 1:
        raise ValueError("must be more than 0.5 and less than 1, such as 0.95")


def _one_of(words: Collection[str]) -> Check:
    def check(word: str) -> None:
        if word not in words:
            raise ValueError(f"{shown(repr(word))} is not one of the known words{_among(word, words)}")

    return check


def _among(word: str, words: Collection[str]) -> str:
    return nearest(word, words) or f" ({', '.join(words)})"


def _articles(text: str) -> None:
    if len(text) > 60:
        raise ValueError(f"{shown(repr(text))} is no set of articles, such as 337+338")
    vocabulary.parse_articles(text)


def _each(check: Check) -> Check:
    def check_all(items: list[Any]) -> None:
        if not items:
            raise ValueError("an empty list selects nothing; write None (null in YAML) for all")
        for item in items:
            check(item)
        if len(set(items)) < len(items):
            raise ValueError("a word stands twice")

    return check_all


_MANY = parse("Optional[list[str]]")
RUNNING = ("totals", "rebased", "differences", "drop")
#: Persons a year convicted of other offences by garrison courts, least and most.
OTHER_OFFENCES = (0, 4000)

REGISTRY: dict[str, WellKnown] = {
    READS: WellKnown(parse("list[str]")),
    OUT: WellKnown(parse("Optional[str]")),
    "as_of": WellKnown(parse("Optional[date]")),
    "undated_lag_days": WellKnown(parse("int"), _between(0, 3650)),
    "rule": WellKnown(parse("str"), _one_of(vocabulary.RULES)),
    "start": WellKnown(parse("date")),
    "end": WellKnown(parse("date")),
    "compilers": WellKnown(_MANY, _each(vocabulary.compiler)),
    "measures": WellKnown(_MANY, _each(_one_of(vocabulary.MEASURES))),
    "articles": WellKnown(_MANY, _each(_articles)),
    "places": WellKnown(_MANY, _each(vocabulary.place)),
    "level": WellKnown(parse("float"), _share),
    "bound_reading": WellKnown(parse("str"), _one_of(vocabulary.BOUND_READINGS)),
    "seed": WellKnown(parse("int"), _between(0, 2**32 - 1)),
    "assumed_dispersion": WellKnown(parse("Optional[float]"), _if_given(_between(1, 1000))),
    "incomplete": WellKnown(parse("bool")),
    "minimum_df": WellKnown(parse("int"), _between(1, 100)),
    "running_totals": WellKnown(parse("str"), _one_of(RUNNING)),
    "reporting_delay": WellKnown(parse("float"), _between(0, 365)),
    "forecast_months": WellKnown(parse("int"), _between(1, 60)),
    "other_offences": WellKnown(parse("Optional[int]"), _between(*OTHER_OFFENCES)),
}


def check(name: str, annotation: Annotation, value: object) -> Json:
    """`value` of the parameter `name` in the types of JSON. Raises ValueError with what would be right."""
    fitting = annotation.fit(value)
    known = REGISTRY.get(name)
    if known and known.check and fitting is not None:
        known.check(fitting)
    return fitting


def check_together(values: Mapping[str, Json]) -> None:
    """Check the rules between parameters. Raises ValueError with what would be right."""
    start, end = values.get("start"), values.get("end")
    if isinstance(start, str) and isinstance(end, str) and start > end:
        raise ValueError(f"start {start} is after end {end}")
