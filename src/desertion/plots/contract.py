"""The contract between a plot and its table: which columns it needs, of what kind, and the check of both."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from desertion.arguments import frame_with
from desertion.errors import ArgumentError
from desertion.vocabulary import BOUNDS


@dataclass(frozen=True)
class PlotColumn:
    """A column that a plot needs: its kind, its meaning, and what its cells may hold.

    `blank`: whether cells may be blank; `filled`: the words of the column `kind` in whose rows none is. `longest`: most
    letters of a cell, a longer one is cut. `words`: the only words that a cell may have. `positive`: whether numbers
    are above zero, for a log axis. `single`: whether all cells are equal, since a plot shows one value.
    """

    kind: Literal["text", "number", "date", "flag"]
    meaning: str
    blank: bool = False
    filled: Collection[str] = ()
    longest: int = 300
    words: Collection[str] = ()
    positive: bool = False
    single: bool = False


#: Columns of words, of numbers (rounded for print), of days (datetime64 or `YYYY-MM-DD`), of true and false.
text, numeric = partial(PlotColumn, "text"), partial(PlotColumn, "number")
date, flag = partial(PlotColumn, "date"), partial(PlotColumn, "flag")


@lru_cache(maxsize=1024)  # a note stands in many rows
def clean(words: str, longest: int = 300) -> str:
    """Remove control and direction characters from `words`, and cut them to `longest` letters."""
    drawn = "".join(
        " " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each
        for each in words
        if unicodedata.category(each) not in ("Cf", "Cs", "Co", "Cn")
    )
    return drawn if len(drawn) <= longest else f"{drawn[: longest - 1]}…"


IDS = text("ids of the statements behind the mark, joined by spaces")
BOUND = text("exact, about, at_least or at_most", words=BOUNDS)
START, END = date("first day of the period"), date("last day of the period")
COVERS = text("what is counted of the whole, such as a place or the newer parts; blank for the whole", blank=True)
INCOMPLETE = flag("whether the period covers less than the year (or other span) that it stands for")


def conform(name: str, table: pd.DataFrame, columns: Mapping[str, PlotColumn]) -> pd.DataFrame:
    """The columns of a plot, in order and typed, with a plain index; a table read back from its CSV will do, too.

    Raises ArgumentError naming a missing column, or the column, row and value of a cell that it cannot have.
    """
    frame_with(f"plot {name}: its table", table, (), "the one that its docstring lists")
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ArgumentError(f"plot {name}: column {missing[0]!r} is missing; the table needs {', '.join(columns)}")
    table = table.reset_index(drop=True)[list(columns)]
    for label, column in columns.items():
        cells = table[label].astype(object)
        empty = cells.isna() | (cells == "")
        if column.kind == "date":
            typed: pd.Series[Any] = pd.to_datetime(cells.where(~empty), format="ISO8601", errors="coerce")
        elif column.kind == "number":
            typed = pd.to_numeric(cells.where(~empty), errors="coerce").astype(float)
            typed = typed.where(np.isfinite(typed))
        elif column.kind == "flag":
            typed = cells.map({True: True, False: False, "true": True, "false": False})
        else:
            typed = cells.where(~empty, "").astype(str)
            typed = typed if label == "ids" else typed.map(partial(clean, longest=column.longest))
        bad = (typed == "") if column.kind == "text" else typed.isna()
        if column.blank:
            bad &= ~empty
        if column.filled:
            bad |= empty & table["kind"].isin(column.filled)
        faults = {f"is no {column.kind}: {column.meaning}": bad}
        if column.words:
            faults[f"is none of {', '.join(column.words)}"] = ~empty & ~typed.isin(column.words)
        if column.positive:
            faults["is not above zero, and the axis is a log axis"] = typed <= 0
        for fault, where in faults.items():
            if where.any():
                row = int(np.flatnonzero(where)[0])
                raise ArgumentError(f"plot {name}: row {row}: column {label!r} {cells.iloc[row]!r} {fault}")
        if column.single and typed.nunique() > 1:
            raise ArgumentError(f"plot {name}: column {label!r} has several values; a plot shows one")
        table[label] = typed.astype(bool) if column.kind == "flag" else typed
    return table


def records(rows: pd.DataFrame) -> Iterator[Any]:
    """The rows as named tuples: `row.value`, `row.period_start`."""
    yield from rows.itertuples()
