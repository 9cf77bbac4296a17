"""Statements become observations for a model: what interval each leaves for the number of cases in its period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from desertion import hedges
from desertion.errors import MixedSeriesError, UserError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Running = Literal["totals", "rebased", "differences", "drop"]

#: Columns that say what a statement counts; statements that differ in one of them belong to different series.
SERIES = ("articles", "scope", "measure", "compiler")
#: Columns in which series may differ in one fit without more ado: the model has a factor for each.
FACTORS = ("measure", "compiler")

_MINUS = "-"
_REVISION = re.compile(r"(?P<count>.+)/as-of-(?P<month>\d{4}-\d{2})")


@dataclass(frozen=True)
class Observations:
    """Reports `low` <= cases of `series` from day `start` to before day `stop` <= `high`, one row each.

    Days are proleptic ordinals (`date.toordinal`); `high` may be infinite. `series_names[s]` names what series s
    counts; reports of one series count the same process, those of two only share its trend.
    """

    ids: tuple[str, ...]
    series: Ints
    start: Ints
    stop: Ints
    low: Floats
    high: Floats
    series_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Whether each report gives one number."""
        return np.asarray(self.low == self.high)

    @property
    def statements(self) -> tuple[str, ...]:
        """Ids of the statements behind the reports (a difference stands on two), each once, in order."""
        return tuple(dict.fromkeys(each for name in self.ids for each in behind(name)))

    @property
    def middle(self) -> Floats:
        """A number inside each interval (the lower end of an open one)."""
        closed = np.isfinite(self.high)
        return np.where(closed, (self.low + np.where(closed, self.high, 0)) / 2, self.low)

    def take(self, rows: Sequence[int] | Ints) -> Observations:
        """The reports at positions `rows`, series names kept."""
        at = np.asarray(rows, np.int64)
        return replace(
            self, ids=tuple(self.ids[i] for i in at), series=self.series[at], start=self.start[at],
            stop=self.stop[at], low=self.low[at], high=self.high[at],
        )  # fmt: skip

    def without(self, ids: Iterable[str]) -> Observations:
        """All reports but those named."""
        gone = set(ids)
        return self.take([i for i, name in enumerate(self.ids) if name not in gone])

    def of(self, series_names: tuple[str, ...]) -> Observations:
        """The same reports with their series counted by `series_names`, which has all of theirs."""
        place = np.array([series_names.index(name) if name in series_names else -1 for name in self.series_names])
        return replace(self, series=place[self.series].astype(np.int64), series_names=series_names)

    def describe(self, row: int) -> str:
        """Report `row` in words: its id, what it says and of which days."""
        low, high = self.low[row], self.high[row]
        said = f"{low:.0f}" if low == high else f"{low:.0f} or more" if np.isinf(high) else f"{low:.0f} to {high:.0f}"
        return f"{self.ids[row]} ({said}, {self.first(row)} to {self.last(row)})"

    def first(self, row: int) -> date:
        """First day of report `row`."""
        return date.fromordinal(int(self.start[row]))

    def last(self, row: int) -> date:
        """Last day of report `row`."""
        return date.fromordinal(int(self.stop[row]) - 1)

    def frame(self) -> pd.DataFrame:
        """The reports as a table: id, series, period_start, period_end, low, high."""
        rows = range(len(self))
        return pd.DataFrame(
            {
                "id": self.ids, "series": [self.series_names[s] for s in self.series],
                "period_start": [self.first(i) for i in rows], "period_end": [self.last(i) for i in rows],
                "low": self.low, "high": self.high,
            }
        )  # fmt: skip


def behind(name: str) -> list[str]:
    """Ids of the statements that the report `name` is made of: one, or a running total and the earlier one."""
    return name.split(_MINUS)


def observations(
    facts: pd.DataFrame,
    figures: pd.DataFrame | None = None,
    *,
    reading: str = "rounding",
    running: Running = "totals",
    declared: Sequence[str] = FACTORS,
) -> Observations:
    """The counts among `facts` (rows of `reconcile.facts`) as reports; ids are those of the chosen statements.

    `figures` (indexed by id) gives the printed hedge of each chosen statement, read by data/hedges.csv under `reading`.
    Of a count and its later revisions only the last is taken. `running` says what becomes of running totals:
    `totals` takes them as printed; for totals that began by counting something else, `rebased` takes what each adds to
    the first with the same first day (a rounded total is one unknown number in all that span it), `differences` what
    each adds to the one before; `drop` leaves them out. Series are named by what differs.

    Raises MixedSeriesError where the facts differ in a column of SERIES that is not `declared`, UserError for facts
    that are no counts, an unknown reading or an unknown way with running totals.
    """
    if running not in get_args(Running):
        raise UserError(f"running totals by '{running}' are unknown; one of {', '.join(get_args(Running))}")
    if len(facts) == 0:
        raise UserError("no statement is left to be fitted; widen the selection")
    odd = facts[(facts["kind"] != "count") | (facts["per"].fillna("") != "")]
    if len(odd):
        raise UserError(f"{odd['chosen'].iloc[0]} is no count but a {odd['kind'].iloc[0]}; select kind='count'")
    for column in SERIES:
        words = sorted(facts[column].unique())
        if len(words) > 1 and column not in declared:
            raise MixedSeriesError(
                f"the statements differ in {column}: {', '.join(words)}; fit one, or declare a factor for it"
            )
    kept = _latest(facts)
    if running == "drop":
        kept = kept[~kept["cumulative"].astype(bool)]
    differing = [c for c in SERIES if kept[c].nunique() > 1]
    label = kept[differing].agg(" / ".join, axis=1) if differing else kept["measure"]
    names = tuple(sorted(label.unique()))
    admitted, printed = hedges.load(), {} if figures is None else figures["hedge"].to_dict()
    limits = np.array(
        [
            admitted.interval(value, bound, printed.get(chosen, "") if bound != "exact" else "", reading)
            for value, bound, chosen in zip(kept["value"], kept["bound"], kept["chosen"], strict=True)
        ],
        dtype=np.float64,
    ).reshape(-1, 2)
    obs = Observations(
        tuple(kept["chosen"]), np.array([names.index(name) for name in label], np.int64),
        _ordinals(kept["period_start"]), _ordinals(kept["period_end"]) + 1, limits[:, 0], limits[:, 1], names,
    )  # fmt: skip
    if running in ("totals", "drop"):
        return obs
    return _differenced(obs, kept["cumulative"].to_numpy(bool), from_first=running == "rebased")


def _ordinals(days: pd.Series[pd.Timestamp]) -> Ints:
    return np.array([day.toordinal() for day in pd.to_datetime(days)], np.int64)


def _latest(facts: pd.DataFrame) -> pd.DataFrame:
    """Facts without those that a later one of the same count revises (fact names end in /as-of-YYYY-MM)."""
    last: dict[str, tuple[str, int]] = {}
    for place, name in enumerate(facts.index.astype(str)):
        found = _REVISION.fullmatch(name)
        count, month = (found["count"], found["month"]) if found else (name, "")
        if count not in last or month > last[count][0]:
            last[count] = (month, place)
    return facts.iloc[sorted(place for _, place in last.values())]


def _differenced(obs: Observations, cumulative: NDArray[np.bool_], *, from_first: bool) -> Observations:
    """Running totals with one first day become what each adds to the first, or to the one before.

    The first of each set falls away.
    """
    rows = [i for i in range(len(obs)) if not cumulative[i]]
    made = [(obs.ids[i], obs.series[i], obs.start[i], obs.stop[i], obs.low[i], obs.high[i]) for i in rows]
    sets: dict[tuple[int, int], list[int]] = {}
    for i in np.flatnonzero(cumulative):
        sets.setdefault((int(obs.series[i]), int(obs.start[i])), []).append(int(i))
    for members in sets.values():
        members.sort(key=lambda i: (obs.stop[i], obs.ids[i]))
        pairs = [(members[0], b) for b in members[1:]] if from_first else pairwise(members)
        for a, b in pairs:
            if obs.stop[a] == obs.stop[b]:
                continue
            low, high = max(obs.low[b] - obs.high[a], 0.0), obs.high[b] - obs.low[a]
            if high < 0:
                raise UserError(f"{obs.describe(b)} is below {obs.describe(a)}; a running total does not fall")
            name = f"{obs.ids[b]}{_MINUS}{obs.ids[a]}"
            made.append((name, obs.series[b], obs.stop[a], obs.stop[b], low, high))
    ids, series, start, stop, low_, high_ = zip(*made, strict=True) if made else ((),) * 6
    return Observations(
        tuple(ids), np.array(series, np.int64), np.array(start, np.int64), np.array(stop, np.int64),
        np.array(low_, np.float64), np.array(high_, np.float64), obs.series_names,
    )  # fmt: skip


def cells(obs: Observations, series: int = 0) -> pd.DataFrame:
    """The days of `series` cut wherever one of its reports begins or ends: first and last day of each cell."""
    days = _cuts(obs, series)
    return pd.DataFrame(
        {
            "period_start": [date.fromordinal(int(a)) for a in days[:-1]],
            "period_end": [date.fromordinal(int(b) - 1) for b in days[1:]],
        }
    )


def aggregation(obs: Observations, series: int = 0) -> NDArray[np.bool_]:
    """Which cell each report of `series` covers: (its reports, cells), the composition matrix of the model."""
    days, mine = _cuts(obs, series), obs.series == series
    return np.asarray((obs.start[mine][:, None] <= days[:-1]) & (days[:-1] < obs.stop[mine][:, None]))


def _cuts(obs: Observations, series: int) -> Ints:
    mine = obs.series == series
    return np.unique(np.concatenate([obs.start[mine], obs.stop[mine]]))
