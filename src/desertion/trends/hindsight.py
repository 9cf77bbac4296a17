"""Rolling origins by publication date: what the composite model would have said of the next published count.

An origin is a day on which a count came out that reached beyond everything published before. The model sees what was
public until then, with its revisions and roundings, and forecasts that count; `origins` scores it beside baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from desertion import figures, memo, reads
from desertion.figures import Data
from desertion.reconcile import facts, latest
from desertion.trends import Refused, composite
from desertion.trends.composite import checks
from desertion.trends.counts import Observations, Running
from desertion.trends.laws import Floats
from desertion.trends.origins import BEFORE, ENOUGH, Origin, Score, score

#: Mean length of a month in days.
MONTH = 30.4375
MODEL = "composite link model"


@dataclass(frozen=True)
class Case:
    """One origin: the day before which `known` was public, and the one report (`report`) that came out on it.

    `published` is what that report adds to the last one with its first day; only that part is new. `added` says so as
    a report of its own where the earlier one is exact, and is the report itself elsewhere.
    """

    day: date
    known: Observations
    report: Observations
    added: Observations
    published: Origin


def published(
    data: Data,
    selected: pd.DataFrame,
    *,
    rule: str,
    reading: str = "rounding",
    running: Running = "rebased",
    undated_lag_days: int = 60,
) -> list[tuple[date, Observations]]:
    """The facts `selected` as they stood on each day on which one of them was first published, up to `data.as_of`.

    Reads the data folder again: corrections and revisions are those of each day.
    """
    first = data.figures.loc[selected["ids"].explode()].groupby("fact")["known"].min()
    asked = tuple(first.index), sorted(set(first.dt.date)), rule, reading, running, undated_lag_days
    files = reads.declared()
    return _published(files, *asked) if files is None else memo.recall(_published, files, *asked)


def _published(
    files: Mapping[str, str] | None,
    names: tuple[str, ...],
    days: Sequence[date],
    rule: str,
    reading: str,
    running: Running,
    undated_lag_days: int,
) -> list[tuple[date, Observations]]:
    """The facts `names` on each of `days`; `files` says which content of the data folder they are from."""
    found = []
    for then in figures.vintages(days, undated_lag_days=undated_lag_days):
        own = then.of(then.figures[then.figures["fact"].isin(names)])
        posed = composite.pose(latest(facts(own, rule=rule)), own.figures, reading=reading, running=running)
        if not isinstance(posed, Refused) and then.as_of is not None:
            found.append((then.as_of, posed[0]))
    return found


def cases(vintages: Sequence[tuple[date, Observations]]) -> list[Case]:
    """The origins in `vintages`: days, in order, with all reports that were public at the end of each.

    An origin needs 6 statements before it. Its target is exact (a bound is no count), of a series reported before and,
    where several came out at once, the one that reaches furthest.
    """
    found = []
    for (_, known), (day, later) in pairwise(vintages):
        if len(known.statements) < BEFORE:
            continue
        fresh = np.flatnonzero((later.stop > known.stop.max()) & later.exact)
        fresh = np.array([i for i in fresh if later.series_names[later.series[i]] in known.series_names], np.int64)
        if not len(fresh):
            continue
        target = int(max(fresh, key=lambda i: (later.stop[i], -later.start[i])))
        report = later.take([target])
        name, start, stop, value = report.series_names[report.series[0]], report.start[0], report.stop[0], report.low[0]
        count, since, exactly = _step(known, name, int(start), int(stop), float(value))
        steps = _steps(known)
        published = Origin(
            day.isoformat(), np.array([n for n, _, _ in steps]), np.array([(b - a) / MONTH for _, a, b in steps]),
            count, (int(stop) - since) / MONTH,
        )  # fmt: skip
        new = np.array([count])
        added = replace(report, start=np.array([since]), low=new, high=new) if exactly else report
        found.append(Case(day, known, report, added, published))
    return found


def _step(known: Observations, series: str, start: int, stop: int, value: float) -> tuple[float, int, bool]:
    """What a count adds to the last earlier one of its series with its first day, since when, and whether exactly."""
    same = np.array([known.series_names[s] == series for s in known.series])
    before = np.flatnonzero(same & (known.start == start) & (known.stop < stop))
    if not len(before):
        return value, start, True
    last = before[np.argmax(known.stop[before])]
    return value - float(known.middle[last]), int(known.stop[last]), bool(known.exact[last])


def _steps(known: Observations) -> list[tuple[float, int, int]]:
    """Increments that do not overlap, in order: their counts, first days and days after the last."""
    every = []
    for i in range(len(known)):
        name, stop = known.series_names[known.series[i]], int(known.stop[i])
        count, start, _ = _step(known, name, int(known.start[i]), stop, float(known.middle[i]))
        every.append((max(count, 0.0), start, stop))
    chain: list[tuple[float, int, int]] = []
    for step in sorted(every, key=lambda step: (step[2], -step[1])):
        if not chain or step[1] >= chain[-1][2]:
            chain.append(step)
    return chain


def forecast(case: Case, spec: composite.Spec) -> Floats | Refused:
    """Draws of what the report adds, from a fit to what was known."""
    fitted = composite.fit(case.known, spec)
    if isinstance(fitted, Refused):
        return fitted
    drawn = memo.recall(_counts, fitted, case.added) - (float(case.added.low[0]) - case.published.target)
    return drawn if len(drawn) > 1 else Refused("no draw of the count was found", "reports nearer to the fit")


def _counts(fitted: composite.Fit, added: Observations) -> Floats:
    drawn: Floats = checks.predict(fitted, added.of(fitted.obs.series_names)).attrs["draws"][0]
    return drawn


def scores(
    cases: Sequence[Case], spec: composite.Spec | None = None, seed: int = 1
) -> tuple[list[Score], dict[str, Refused]]:
    """The composite model and the baselines at every origin; see `origins.score`."""
    spec = spec or composite.Spec()
    by_day = {case.published.label: case for case in cases}
    return score([c.published for c in cases], {MODEL: lambda origin, rng: forecast(by_day[origin.label], spec)}, seed)


def gate(cases: Sequence[Case], unable: Mapping[str, Refused] | None = None) -> Refused | None:
    """None, or why forecasts have not shown what they are worth; `unable` as `scores` gives it."""
    if len(cases) >= ENOUGH:
        return (unable or {}).get(MODEL)
    return Refused(
        f"{len(cases)} published counts came after {BEFORE} others, so no forecast could prove itself",
        f"at least {ENOUGH} such counts",
    )
