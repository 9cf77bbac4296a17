"""The ledger of conflicts for readers: as a table in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from desertion import vocabulary
from desertion.errors import ArgumentError
from desertion.text import listed, period

_KINDS = {"identity": "Parts that do not give the whole", "rivals": "Several counters of one thing"}
_DIFFERING = {"value": "number", "period": "period", "measure": "what is counted"}


def conflicts(ledger: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put the ledger in words: one row per conflict.

    Parameters
    ----------
    ledger : sequence of mappings
        The conflicts as `reconcile.ledger` lists them.

    Returns
    -------
    DataFrame
        Indexed by the id of the conflict, in the order of the ledger.

        - `differs`: in what the readings differ, for a heading over the conflicts of one kind
        - `title`: what is counted; of an identity or of rivals, why they are compared
        - `readings`: each reading with its measure, its period and the ids of its statements, best first
        - `chosen`: the id of the chosen statement, or "none"
        - `because`: the step of the rule that decided
        - `ids`: the ids of all statements, joined by spaces
        - `spread`: the largest value of the readings over the smallest; NaN of parts and a whole, and beside a zero

    Raises
    ------
    ArgumentError
        If `ledger` is not what `reconcile.ledger` lists.
    """
    rows = [
        {
            "id": row["id"],
            "differs": _differs(row["kind"]),
            "title": row["title"] if row["kind"] in _KINDS else row["title"].rsplit(":", 1)[0],
            "readings": "; ".join(f"{in_words(each)} ({', '.join(each['figure_ids'])})" for each in row["readings"]),
            "chosen": row["chosen"] or "none",
            "because": row["because"],
            "ids": " ".join(number for reading in row["readings"] for number in reading["figure_ids"]),
            "spread": _spread(row),
        }
        for row in _rows(ledger)
    ]
    columns = ["id", "differs", "title", "readings", "chosen", "because", "ids", "spread"]
    return pd.DataFrame(rows, columns=columns).set_index("id")


def _rows(ledger: Any) -> Sequence[Mapping[str, Any]]:
    """The argument `ledger`. Raises ArgumentError where `reconcile.ledger` did not make it."""
    if isinstance(ledger, list | tuple) and all(isinstance(row, Mapping) and "readings" in row for row in ledger):
        return ledger
    raise ArgumentError(f"ledger is a {type(ledger).__name__}: must be the list that reconcile.ledger(data) returns")


def _differs(kind: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    return f"Versions of one count that differ in {listed(_DIFFERING[each] for each in kind.split('+'))}"


def _spread(row: Mapping[str, Any]) -> float:
    values = [reading["value"] for reading in row["readings"]]
    return max(values) / min(values) if row["kind"] != "identity" and min(values, default=0) > 0 else math.nan


def in_words(reading: Mapping[str, Any]) -> str:
    """A reading of the ledger: its number, what was counted and the period."""
    measure = " + ".join(vocabulary.MEASURES[each] for each in reading["measure"].split(" + "))
    when = period(date.fromisoformat(reading["period_start"]), date.fromisoformat(reading["period_end"]))
    unit = {"percent": " %", "months": " months,"}.get(reading["unit"], "")
    per = f", {vocabulary.PERS[reading['per']]}" if reading["per"] else ""
    return f"{reading['value']:,}{unit} {measure}{per}, {when}"
