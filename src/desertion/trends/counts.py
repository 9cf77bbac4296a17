"""Turn statements into observations for a model: the interval that each allows for the cases in its period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import pandas as pd

from desertion import hedges
from desertion.errors import UserError
from desertion.reconcile.series import one_part
from desertion.trends.arrays import Flags, Floats, Ints

Running = Literal["totals", "rebased", "differences", "drop"]

#: Columns whose values name a series: statements that differ in one of them belong to different series.
SERIES = ("articles", "scope", "measure", "compiler")


@dataclass(frozen=True)
class Observations:
    """Reports `low` <= cases of `series` from day `start` to before day `stop` <= `high`, one row each.

    Days are proleptic ordinals (`date.toordinal`); `high` may be infinite. `series_names[s]` is the name of series s;
    reports of one series count the same process, reports of different series share its trend only. `counted` (n, 2),
    where known: the day on which each was counted, and for an increment that on which the earlier total was; 0: none.
    """

    ids: tuple[str, ...]
    series: Ints
    start: Ints
    stop: Ints
    low: Floats
    high: Floats
    series_names: tuple[str, ...]
    counted: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        days = f", {self.first(int(self.start.argmin()))} to {self.last(int(self.stop.argmax()))}" if len(self) else ""
        each = "; ".join(f"{(self.series == n).sum()} of {name}" for n, name in enumerate(self.series_names))
        return f"Observations: {len(self)} reports{days}" + (f" ({each})" if len(self.series_names) > 1 else "")

    def _repr_html_(self) -> str:
        return str(self.frame().to_html(index=False, max_rows=20))

    @property
    def exact(self) -> Flags:
        """Mask of the reports that give one number."""
        return np.asarray(self.low == self.high)

    @property
    def statements(self) -> tuple[str, ...]:
        """Ids of the statements behind the reports (a difference stands on two), each once, in order."""
        return tuple(dict.fromkeys(each for name in self.ids for each in behind(name)))

    @property
    def middle(self) -> Floats:
        """A number inside each interval (the lower end of an open one)."""
        return np.where(np.isfinite(self.high), (self.low + self.high) / 2, self.low)

    def take(self, rows: Sequence[int] | Ints) -> Observations:
        """The reports at positions `rows`, series names kept."""
        at = np.asarray(rows, np.int64)
        return replace(
            self, ids=tuple(self.ids[i] for i in at), series=self.series[at], start=self.start[at],
            stop=self.stop[at], low=self.low[at], high=self.high[at],
            counted=None if self.counted is None else self.counted[at],
        )  # fmt: skip

    def of(self, series_names: tuple[str, ...]) -> Observations:
        """The same reports with series numbered by their places in `series_names`, which contains them all."""
        place = np.array([series_names.index(name) if name in series_names else -1 for name in self.series_names])
        return replace(self, series=place[self.series].astype(np.int64), series_names=series_names)

    def describe(self, row: int) -> str:
        """Report `row` in words: its id, its count and its days."""
        low, high = self.low[row], self.high[row]
        count = f"{low:.0f}" if low == high else f"{low:.0f} or more" if np.isinf(high) else f"{low:.0f} to {high:.0f}"
        return f"{self.ids[row]} ({count}, {self.first(row)} to {self.last(row)})"

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
    """Ids of the statements behind the report `name`: one, or a running total and the earlier one."""
    return name.split("-")


def observations(
    facts: pd.DataFrame, figures: pd.DataFrame | None = None, *, reading: str = "rounding", running: Running = "totals"
) -> Observations:
    """Turn facts (rows of `reconcile.facts`) into reports, one per count, with the ids of the chosen statements.

    Of a count and its later revisions only the last is kept. A series is named by the columns of `SERIES` that differ.
    `figures` are the statements, for their hedges (None: no hedge is read), `reading` how a hedge is read
    (data/hedges.csv). Running totals are read as printed (`totals`) or not at all (`drop`); those that began by
    counting something else by their increments over the first total with the same first day (`rebased`; a rounded total
    is one unknown number in all that span it) or over the total before (`differences`). Raises UserError for facts that
    are no counts, an unknown reading or way, or a total that falls.
    """
    if running not in get_args(Running):
        raise UserError(f"running totals by '{running}' are unknown; one of {', '.join(get_args(Running))}")
    if len(facts) == 0:
        raise UserError("no statement is left to be fitted: select more, or a later edition")
    odd = facts[(facts["kind"] != "count") | (facts["per"].fillna("") != "")]
    if len(odd):
        raise UserError(f"{odd['chosen'].iloc[0]} is no count but a {odd['kind'].iloc[0]}; select kind='count'")
    kept = _latest(one_part(facts))
    if running == "drop":
        kept = kept[~kept["cumulative"].astype(bool)]
    differing = [c for c in SERIES if kept[c].nunique() > 1]
    label = kept[differing].agg(" / ".join, axis=1) if differing else kept["measure"]
    names = tuple(sorted(label.unique()))
    admitted, printed = hedges.load(), {} if figures is None else figures["hedge"].to_dict()
    limits = np.array(
        [
            admitted.interval(value, bound, printed.get(chosen, "") if bound != "exact" else "", reading, printed=ends)
            for value, bound, chosen, ends in zip(
                kept["value"], kept["bound"], kept["chosen"], hedges.printed_ends(kept), strict=True
            )
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
    places = pd.Series(range(len(facts)), facts.index).sort_index(kind="stable")
    last = places.groupby(facts.index.sort_values().str.replace(r"/as-of-\d{4}-\d{2}$", "", regex=True)).last()
    return facts.iloc[last.sort_values().tolist()]


def _differenced(obs: Observations, cumulative: Flags, *, from_first: bool) -> Observations:
    """Replace running totals with one first day by their increments over the first, or over the one before.

    The first of each set is left out.
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
            name = f"{obs.ids[b]}-{obs.ids[a]}"
            made.append((name, obs.series[b], obs.stop[a], obs.stop[b], low, high))
    ids, series, start, stop, low_, high_ = zip(*made, strict=True) if made else ((),) * 6
    return Observations(
        tuple(ids), np.array(series, np.int64), np.array(start, np.int64), np.array(stop, np.int64),
        np.array(low_, np.float64), np.array(high_, np.float64), obs.series_names,
    )  # fmt: skip
