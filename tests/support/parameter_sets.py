"""Draws valid parameter sets of a notebook, from its parameters cell and the registry of well-known names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from desertion import figures, params, vocabulary
from desertion.params import known
from desertion.params.known import RUNNING
from desertion.params.types import Annotation

Strategy = st.SearchStrategy[Any]


@lru_cache
def first_known(undated_lag_days: int) -> str:
    """The first day on which a figure was known; `figures.load` refuses earlier ones."""
    return f"{figures.load(undated_lag_days=undated_lag_days).figures['known'].min():%Y-%m-%d}"


def _days(first: date, last: date) -> Strategy:
    return st.dates(first, last).map(str)


def _some_of(words: Mapping[str, Any] | list[str]) -> Strategy:
    return st.lists(st.sampled_from(sorted(words)), min_size=1, max_size=4, unique=True)


#: Every article set that was counted, and two that nobody counted.
_ARTICLES = sorted({*figures.table("figures.csv")["articles"], "337.1", "333+334"})
#: Well-known name -> its valid values. None is added where a notebook's own annotation allows it.
VALUES: dict[str, Strategy] = {
    # as many days before the war and in its first years as after
    "as_of": _days(date(2015, 1, 1), date(2022, 12, 31)) | _days(date(2022, 10, 1), date(2026, 12, 31)),
    "undated_lag_days": st.integers(0, 3650),
    "rule": st.sampled_from(sorted(vocabulary.RULES)),
    "start": _days(date(2000, 1, 1), date(2030, 12, 31)) | _days(date(2020, 12, 1), date(2024, 12, 31)),
    "end": _days(date(2000, 1, 1), date(2030, 12, 31)) | _days(date(2021, 11, 30), date(2026, 1, 1)),
    "compilers": _some_of(vocabulary.compilers()) | _some_of(["Mediazona", "Proekt", "The Insider"]),
    "measures": _some_of(vocabulary.MEASURES),
    "articles": _some_of(_ARTICLES) | _some_of(["337", "337+338+339"]),
    "level": st.floats(0.5, 1, exclude_min=True, exclude_max=True) | st.sampled_from([0.8, 0.9, 0.99]),
    "bound_reading": st.sampled_from(sorted(vocabulary.BOUND_READINGS)),
    "seed": st.integers(0, 2**32 - 1),
    "assumed_dispersion": st.floats(1, 1000) | st.sampled_from([1.0, 20.0, 1000.0]),
    "incomplete": st.booleans(),
    "minimum_df": st.integers(1, 100),
    "running_totals": st.sampled_from(RUNNING),
    "reporting_delay": st.floats(0, 365) | st.sampled_from([0.0, 5.0, 30.0]),
    "forecast_months": st.integers(1, 60),
    "places": _some_of(vocabulary.places()),
    "other_offences": st.integers(*known.OTHER_OFFENCES),
    "specifications": st.integers(1, 40),  # more of them take long and are of the same kind
}


def _of(name: str, annotation: Annotation) -> Strategy:
    return st.none() | VALUES[name] if annotation.optional else VALUES[name]


def parameter_sets(stem: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid sets of the parameters of notebook `stem`: one to four are drawn, the others left at their defaults."""
    cell = params.of(stem)
    defaults = {name: cell.parameters[name].default for name in cell.names}

    def allowed(values: dict[str, Any]) -> dict[str, Any]:
        """The set with start before end, and as of a day on which a figure was known."""
        whole = defaults | values
        if "start" in whole and whole["start"] > whole["end"]:
            values |= {"start": whole["end"], "end": whole["start"]}
        if whole.get("as_of"):
            values["as_of"] = max(whole["as_of"], first_known(whole["undated_lag_days"]))
        return values

    drawn = {name: _of(name, cell.parameters[name].annotation) for name in cell.names}
    # few at a time: with many narrow choices at once nothing is left to fit or draw
    few = st.lists(st.sampled_from(cell.names), min_size=1, max_size=4, unique=True)
    return few.flatmap(lambda names: st.fixed_dictionaries({name: drawn[name] for name in names})).map(allowed)


assert VALUES.keys() >= known.REGISTRY.keys() - {known.OUT, known.READS}, "a well-known name is not drawn"
