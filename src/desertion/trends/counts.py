"""Turn statements into observations for a model: the interval that each allows for the cases in its period.

Each case enters once: counts of a part of an article and of the whole of it are one series, and where the part is
counted too, a report of the whole gives only limits for it.
"""

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
from desertion.reconcile.ledger import REVISION, latest
from desertion.reconcile.series import one_part
from desertion.trends import chain
from desertion.trends.arrays import Flags, Floats, Ints

Running = Literal["totals", "rebased", "differences", "drop"]

#: Columns whose values name a series: statements that differ in one of them belong to different series.
SERIES = ("articles", "scope", "measure", "compiler")
#: Measures of one case in the order of its way through a court; one beside an earlier one comes with a delay.
STAGES = ("cases_received_by_court", "verdicts", "persons_convicted")
#: Scopes that count a part of the cases of another scope, and nearly all of them: both are one series.
PARTS = {"mobilisation_parts": "whole"}
#: Share of a whole's days from which, where reports of its part cover them, it is read as limits of the part.
COVERED = 0.5
#: A count of the whole shows the share of the other parts if they are at most this share of it; elsewhere they are at
#: most `OTHERS` times that share.
SHOWN, OTHERS = 0.25, 2.0


@dataclass(frozen=True)
class Observations:
    """Reports `low` <= cases of `series` from day `start` to before day `stop` <= `high`, one row each.

    Days are proleptic ordinals (`date.toordinal`); `high` may be infinite. `series_names[s]` is the name of series s;
    reports of one series count the same process, reports of different series share its trend only. `scopes` are the
    reports' scopes (none where nothing is known of them). `why` says of each why it does not stand as printed, or is
    blank; `omitted` are the reports that are not among these, with their reasons.
    `counted` (n, 2), where known: the day on which each report was counted, and for an increment that on which the
    earlier total was; 0: none.
    """

    ids: tuple[str, ...]
    series: Ints
    start: Ints
    stop: Ints
    low: Floats
    high: Floats
    series_names: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    omitted: Observations | None = None
    why: tuple[str, ...] = ()
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
            scopes=tuple(self.scopes[i] for i in at) if self.scopes else (),
            why=tuple(self.why[i] for i in at) if self.why else (),
            counted=None if self.counted is None else self.counted[at],
        )  # fmt: skip

    def of(self, series_names: tuple[str, ...]) -> Observations:
        """The same reports with series numbered by their places in `series_names`, which contains them all."""
        place = np.array([series_names.index(name) if name in series_names else -1 for name in self.series_names])
        series = np.where(self.series < 0, -1, place[self.series]).astype(np.int64)
        return replace(self, series=series, series_names=series_names)

    def describe(self, row: int) -> str:
        """Report `row` in words: its id, its count and its days."""
        return f"{self.ids[row]} ({self.count(row)}, {self.first(row)} to {self.last(row)})"

    def count(self, row: int, mark: str = "") -> str:
        """The number of report `row` in words, with `mark` between thousands."""
        low, high = (format(end, f"{mark}.0f") for end in (self.low[row], self.high[row]))
        return low if low == high else f"{low} or more" if high == "inf" else f"{low} to {high}"

    def first(self, row: int) -> date:
        """First day of report `row`."""
        return date.fromordinal(int(self.start[row]))

    def last(self, row: int) -> date:
        """Last day of report `row`."""
        return date.fromordinal(int(self.stop[row]) - 1)

    def frame(self) -> pd.DataFrame:
        """The reports as a table: id, series, period_start, period_end, low, high; scope and why where known."""
        rows = range(len(self))
        table = pd.DataFrame(
            {
                "id": self.ids, "series": [self.series_names[s] for s in self.series],
                "period_start": [self.first(i) for i in rows], "period_end": [self.last(i) for i in rows],
                "low": self.low, "high": self.high,
            }
        )  # fmt: skip
        known = {"scope": self.scopes, "why": self.why}
        return table.assign(**{name: values for name, values in known.items() if any(values)})


def behind(name: str) -> list[str]:
    """Ids of the statements behind the report `name`: one, or a running total and the earlier one."""
    return name.split("-")


def observations(
    facts: pd.DataFrame, figures: pd.DataFrame | None = None, *, reading: str = "rounding", running: Running = "totals"
) -> Observations:
    """Turn facts (rows of `reconcile.facts`) into reports, one per count, with the ids of the chosen statements.

    A series is named by the columns of `SERIES` that differ; a part and its whole (`PARTS`) are one. The first series
    is the one whose measure comes first in `STAGES`, then by name. What is left out stands in `Observations.omitted`:
    earlier versions of a count (`reconcile.latest`) and some counts of a whole (see `each_once`). `figures` are the
    statements, for their hedges (None: no hedge is read), `reading` how a hedge is read (data/hedges.csv). Running
    totals are read as printed (`totals`) or not at all (`drop`); those that began by counting something else by their
    increments over the first total with the same first day (`rebased`; a rounded total is one unknown number in all
    that span it) or over the total before (`differences`). Raises UserError for facts that are no counts, an unknown
    reading or way, a total that falls, or a part above its whole.
    """
    if running not in get_args(Running):
        raise UserError(f"running totals by '{running}' are unknown; one of {', '.join(get_args(Running))}")
    if len(facts) == 0:
        raise UserError("no statement is left to be fitted: select more, or a later edition")
    odd = facts[(facts["kind"] != "count") | (facts["per"].fillna("") != "")]
    if len(odd):
        raise UserError(f"{odd['chosen'].iloc[0]} is no count but a {odd['kind'].iloc[0]}; select kind='count'")
    facts = one_part(facts)
    if running == "drop":
        facts = facts[~facts["cumulative"].astype(bool)]
    kept = latest(facts)
    label, names = _series(kept)
    obs = _reports(kept, label, names, figures, reading)
    if running not in ("totals", "drop"):
        obs = _differenced(obs, kept["cumulative"].to_numpy(bool), from_first=running == "rebased")
    obs = each_once(obs)
    earlier = facts[~facts.index.isin(kept.index)]
    if len(earlier):
        base = pd.Series(kept["chosen"].to_numpy(), [_base(name) for name in kept.index])
        old = _reports(earlier, _labels(earlier, kept), names, figures, reading)
        later = tuple(f"counted again in {' and '.join(base.loc[[_base(name)]])}" for name in earlier.index)
        obs = _omit(obs, replace(old, why=later))
    return obs


def _base(fact: str) -> str:
    """Name of a fact without the month of its version."""
    return REVISION.sub("", fact)


def _series(facts: pd.DataFrame) -> tuple[list[str], tuple[str, ...]]:
    """The name of each fact's series, and the names in the order of the series: by stage, then by name."""
    label = _labels(facts, facts)
    stage = {one: STAGES.index(measure) if measure in STAGES else len(STAGES)
             for one, measure in zip(label, facts["measure"], strict=True)}  # fmt: skip
    return label, tuple(sorted(stage, key=lambda name: (stage[name], name)))


def _labels(facts: pd.DataFrame, among: pd.DataFrame) -> list[str]:
    """Series of each fact, named by the columns in which the series of the facts `among` differ."""
    own, others = (part.assign(scope=_wholes(part, among)) for part in (facts, among))
    differing = [column for column in SERIES if others[column].nunique() > 1]
    return list(own[differing].agg(" / ".join, axis=1) if differing else own["measure"])


def _wholes(facts: pd.DataFrame, among: pd.DataFrame) -> list[str]:
    """Scope of each fact, or that of its whole where one of the facts `among` counts the whole."""
    known = set(among[list(SERIES)].itertuples(index=False, name=None))
    rows = facts[list(SERIES)].itertuples(index=False, name=None)
    return [PARTS[scope] if scope in PARTS and (articles, PARTS[scope], measure, compiler) in known else scope
            for articles, scope, measure, compiler in rows]  # fmt: skip


def _reports(
    facts: pd.DataFrame, label: list[str], names: tuple[str, ...], figures: pd.DataFrame | None, reading: str
) -> Observations:
    """One report per fact, as printed."""
    admitted, printed = hedges.load(), {} if figures is None else figures["hedge"].to_dict()
    limits = np.array(
        [
            admitted.interval(value, bound, printed.get(chosen, "") if bound != "exact" else "", reading, printed=ends)
            for value, bound, chosen, ends in zip(
                facts["value"], facts["bound"], facts["chosen"], hedges.printed_ends(facts), strict=True
            )
        ],
        dtype=np.float64,
    ).reshape(-1, 2)
    return Observations(
        tuple(facts["chosen"]), np.array([names.index(name) if name in names else -1 for name in label], np.int64),
        _ordinals(facts["period_start"]), _ordinals(facts["period_end"]) + 1, limits[:, 0], limits[:, 1], names,
        tuple(facts["scope"]),
    )  # fmt: skip


def _ordinals(days: pd.Series[pd.Timestamp]) -> Ints:
    return np.array([day.toordinal() for day in pd.to_datetime(days)], np.int64)


def each_once(obs: Observations) -> Observations:
    """Let no case enter with two reports: counts of a whole become limits of its part where that is counted too.

    A whole less its part are the cases of the other parts. Reports of both tell how many these are: at most the whole
    less the fewest cases that the part can have, at least the whole less the most; no fewer than in days inside, no
    more than in days around. Where that leaves them free, `OTHERS` times their share in the largest count that shows
    one is the most. A count of the whole that says nothing more of its part is left out, with the reason. Raises
    UserError for a part above its whole.
    """
    for part, whole in PARTS.items():
        for series in range(len(obs.series_names)):
            obs = _limited(obs, series, part, whole)
    return obs


def _limited(obs: Observations, series: int, part: str, whole: str) -> Observations:
    """`obs` with the reports of `whole` in one series as limits of `part`, where reports of that cover their days."""
    scope, mine = np.array(obs.scopes), obs.series == series
    parts = [int(i) for i in np.flatnonzero(mine & (scope == part))]
    wide = [int(i) for i in np.flatnonzero(mine & (scope == whole)) if _covered(obs, parts, int(i)) >= COVERED]
    inside = _between(obs, parts, wide) if wide else None
    if inside is None:
        return obs  # reports of the part that contradict each other are named by the fit
    others = _others(obs.take(wide), *inside)
    low, high, scopes, why = obs.low.copy(), obs.high.copy(), list(obs.scopes), list(obs.why or [""] * len(obs))
    used, left = parts, []
    for i, least, most in sorted(zip(wide, *others, strict=True), key=lambda row: row[2] - row[1]):
        low[i], high[i] = max(obs.low[i] - most, 0), obs.high[i] - least
        read = replace(obs, low=low, high=high)
        before, after = _between(read, used, [i]), _between(read, [*used, i], [i])
        lacking = ""
        if not np.isfinite(most):
            lacking = "nothing tells how many are of other parts"
        elif before is None or after is None:
            lacking = "no number of cases is left for the other parts"
        elif np.array_equal(before, after):
            lacking = "it tells no more of them"
        if lacking:
            left.append(i)
            why[i] = f"reports of a part of its cases count them already, and {lacking}"
        else:
            used = [*used, i]
            scopes[i] = part
            why[i] = f"{obs.count(i, ',')} of the whole, less {least:,.0f} to {most:,.0f} of its other parts"
    kept = [i for i in range(len(obs)) if i not in left]
    read = replace(obs, low=low, high=high, scopes=tuple(scopes), why=tuple(why)).take(kept)
    return _omit(read, replace(obs, why=tuple(why)).take(sorted(left))) if left else read


def _covered(obs: Observations, parts: Sequence[int], i: int) -> float:
    """Share of the days of report `i` that closed reports among `parts` cover."""
    days = np.zeros(max(int(obs.stop[i] - obs.start[i]), 0), bool)
    for j in parts:
        if np.isfinite(obs.high[j]):
            days[max(obs.start[j] - obs.start[i], 0) : max(obs.stop[j] - obs.start[i], 0)] = True
    return float(days.mean()) if len(days) else 0.0


def _between(obs: Observations, rows: Sequence[int], of: Sequence[int]) -> Floats | None:
    """Fewest and most cases (2, n) in the days of the reports `of` that `rows` allow; None where these contradict."""
    own, days = obs.take(rows), obs.take(of)
    ends = chain.limits(own.start, own.stop, own.low, own.high, days.start, days.stop)
    return None if ends is None else np.array(ends)


def _others(wholes: Observations, fewest: Floats, most: Floats) -> tuple[Floats, Floats]:
    """Fewest and most cases of the other parts in each of `wholes`, whose part has `fewest` to `most` cases."""
    low, high = np.maximum(wholes.low - most, 0.0), wholes.high - fewest
    if (high < 0).any():
        i = int(np.argmin(high))
        raise UserError(f"{wholes.describe(i)} is below the {fewest[i]:.0f} cases that reports of a part of it count")
    inside = (wholes.start[:, None] <= wholes.start) & (wholes.stop <= wholes.stop[:, None])
    low, own = np.where(inside, low, 0.0).max(axis=1), high
    high = np.where(inside.T, own, np.inf).min(axis=1)
    shown = np.flatnonzero((own < wholes.high * SHOWN) & (own > 0))  # none at all is no share to go by
    if not len(shown):
        return low, np.full(len(wholes), np.inf)
    largest = shown[np.argmax(wholes.high[shown])]
    share = OTHERS * own[largest] / wholes.high[largest]
    high = np.where(high < wholes.high * SHOWN, high, np.minimum(high, np.ceil(share * wholes.high)))
    return low, np.maximum(high, low)


def _omit(obs: Observations, more: Observations) -> Observations:
    """`obs` with the reports `more`, of the same series names, among those left out."""
    if (before := obs.omitted) is not None:
        more = replace(
            more, ids=before.ids + more.ids, scopes=before.scopes + more.scopes, why=before.why + more.why,
            series=np.concatenate([before.series, more.series]), start=np.concatenate([before.start, more.start]),
            stop=np.concatenate([before.stop, more.stop]), low=np.concatenate([before.low, more.low]),
            high=np.concatenate([before.high, more.high]),
        )  # fmt: skip
    return replace(obs, omitted=more)


def _differenced(obs: Observations, cumulative: Flags, *, from_first: bool) -> Observations:
    """Replace running totals with one first day by their increments over the first, or over the one before.

    The first of each set is left out.
    """
    rows = [i for i in range(len(obs)) if not cumulative[i]]
    made = [(obs.ids[i], obs.series[i], obs.start[i], obs.stop[i], obs.low[i], obs.high[i], obs.scopes[i])
            for i in rows]  # fmt: skip
    sets: dict[tuple[int, str, int], list[int]] = {}
    for i in np.flatnonzero(cumulative):
        sets.setdefault((int(obs.series[i]), obs.scopes[i], int(obs.start[i])), []).append(int(i))
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
            made.append((name, obs.series[b], obs.stop[a], obs.stop[b], low, high, obs.scopes[b]))
    ids, series, start, stop, low_, high_, scopes = zip(*made, strict=True) if made else ((),) * 7
    return Observations(
        tuple(ids), np.array(series, np.int64), np.array(start, np.int64), np.array(stop, np.int64),
        np.array(low_, np.float64), np.array(high_, np.float64), obs.series_names, tuple(scopes),
    )  # fmt: skip
