"""Rolling origins by publication date: how the composite model would have predicted the next published count.

An origin is a day on which a count came out of days that no count had covered before. The model sees what was public
until then, with its revisions and roundings, and forecasts that count; `origins` scores it beside baselines that see
the same counts. A forecast is shown only where it proved itself (`gate`), and no further ahead than it was tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from desertion import figures, memo, reads
from desertion.errors import UserError
from desertion.figures import Data
from desertion.reconcile import facts, latest
from desertion.text import MONTH
from desertion.trends import Refused, composite
from desertion.trends.arrays import Floats
from desertion.trends.composite import ahead, checks
from desertion.trends.counts import Observations, Running
from desertion.trends.origins import BASELINES, BEFORE, ENOUGH, Forecaster, Origin, Score, score, summarise

MODEL = "composite link model, pool of five paths"
#: Chance below which the counts inside an interval refute its level.
REFUTED = 0.05
#: Posterior draws at an origin: as many for each path as `checks.predict` takes for one.
_DRAWS = 80 * len(ahead.PATHS)
#: The files of data/ that the facts of a day depend on.
FILES = (
    "corrections.csv", "details.csv", "events.csv", "figures.csv", "hedges.csv", "identities.csv", "sources.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One origin: the day before which `known` was public, and the one report (`report`) that came out on it.

    Only what the report adds to the last one with the same first day is new: `published` holds that count and the
    increments before it. `added` is that part as a report where the earlier one is exact, else the whole report.
    """

    day: date
    known: Observations
    report: Observations
    added: Observations
    published: Origin

    def __repr__(self) -> str:
        return f"Case of {self.day}: {self.report.describe(0)} came out after {len(self.known)} reports"

    @property
    def reach(self) -> float:
        """Months from the last day that was known to the last day of the count."""
        return float(self.report.stop[0] - self.known.stop.max()) / MONTH


@dataclass(frozen=True)
class HeldOut:
    """Published counts, each forecast from what was public before it.

    `scored` are the scores of the model, of each of its paths and of the baselines; `refused` is why no forecast of the
    series is shown, None where one is.
    """

    cases: tuple[Case, ...]
    scored: tuple[Score, ...]
    refused: Refused | None

    @property
    def reach(self) -> int:
        """Whole months ahead of the last known day that a forecast was tested."""
        return max((int(case.reach) for case in self.cases), default=0)

    def __repr__(self) -> str:
        shown = "shown" if self.refused is None else f"not shown, since {self.refused}"
        return f"HeldOut: {len(self.cases)} published counts, {len(self.scored)} scores; a forecast is {shown}"

    def __len__(self) -> int:
        return len(self.cases)

    def frame(self) -> pd.DataFrame:
        """Show each forecast beside the count that came out.

        Returns
        -------
        DataFrame
            One row per origin and model:

            - day: day of publication
            - model: name
            - report: id of the report
            - months: length of the part that is new
            - count: cases in it
            - median, low95, high95: of the forecast
            - wis, crps, log_score: scores, smaller is better
        """
        cases = {case.published.label: case for case in self.cases}
        columns = ["day", "model", "report", "months", "count", "median", "low95", "high95", "wis", "crps", "log_score"]
        rows = []
        for one in self.scored:
            case = cases[one.origin]
            low, median, high = one.quantiles[[0, len(one.quantiles) // 2, -1]]
            report, months = case.report.ids[0], case.published.target_months
            forecast = (one.observed, median, low, high, one.wis, one.crps, one.log_score)
            rows.append((case.day, one.model, report, months, *forecast))
        return pd.DataFrame(rows, columns=columns)


def held_out(
    data: Data,
    selected: pd.DataFrame,
    spec: composite.Spec | None = None,
    *,
    rule: str,
    reading: str = "rounding",
    running: Running = "rebased",
    undated_lag_days: int = 60,
    seed: int = 1,
) -> HeldOut:
    """Forecast each published count of one series from what was public before it, and score the forecasts.

    Reads the data folder again: corrections and revisions are those of each day, up to `data.as_of`.

    Parameters
    ----------
    data
        Figures and their sources.
    selected
        Facts of the series with all their revisions, as `reconcile.facts` gives them.
    spec
        The model.
    rule, reading, running, undated_lag_days
        How statements become facts and reports, see `reconcile.facts`, `composite.pose` and `figures.load`.
    seed
        Seed of the baselines' draws.

    Returns
    -------
    HeldOut
        The origins, their scores, and why no forecast is shown (`gate`).

    Raises
    ------
    UserError
        If data/ is changed meanwhile.

    References
    ----------
    Tashman (2000), rolling origins; Bracher et al. (2021), weighted interval score.
    """
    origins = cases(
        published(
            data, selected, rule=rule, reading=reading, running=running, undated_lag_days=undated_lag_days
        )
    )  # fmt: skip
    scored, unable = scores(origins, spec, seed)
    return HeldOut(tuple(origins), tuple(scored), gate(scored, unable, len(origins)))


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
    first = data.figures.loc[" ".join(selected["ids"]).split()].groupby("fact")["known"].min()
    arguments = tuple(first.index), sorted(set(first.dt.date)), rule, reading, running, undated_lag_days
    return memo.recall(_published, reads.digests(FILES), *arguments)


def _published(
    files: Mapping[str, str],
    names: tuple[str, ...],
    days: Sequence[date],
    rule: str,
    reading: str,
    running: Running,
    undated_lag_days: int,
) -> list[tuple[date, Observations]]:
    """The facts `names` on each of `days`; `files` are the digests of the files that they are from.

    Raises UserError where one of these files changes meanwhile.
    """
    vintages = []
    for then in figures.vintages(days, undated_lag_days=undated_lag_days):
        own = then.of(then.figures[then.figures["fact"].isin(names)])
        posed = composite.pose(latest(facts(own, rule=rule)), own.figures, reading=reading, running=running)
        if not isinstance(posed, Refused) and then.as_of is not None:
            vintages.append((then.as_of, posed[0]))
    if reads.digests(files) != files:
        raise UserError("data/ was changed while its earlier states were read: run the cell again")
    return vintages


def cases(vintages: Sequence[tuple[date, Observations]]) -> list[Case]:
    """The origins in `vintages`: days in order, each with all reports that were public at its end.

    An origin needs 6 statements before it. Its target is exact (a bound is no count), of a series reported before and,
    where several came out at once, the one that ends last. What it adds is of days that no report had covered: the rest
    would be no forecast, and counts of the same days are no independent tests.
    """
    origins = []
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
        count, since, exactly = _increment(known, name, int(start), int(stop), float(value))
        if since < known.stop.max():
            continue
        steps = _increments(known)
        published = Origin(
            day.isoformat(), np.array([n for n, _, _ in steps]), np.array([(b - a) / MONTH for _, a, b in steps]),
            count, (int(stop) - since) / MONTH,
        )  # fmt: skip
        new = np.array([count])
        added = replace(report, start=np.array([since]), low=new, high=new) if exactly else report
        origins.append(Case(day, known, report, added, published))
    return origins


def _increment(known: Observations, series: str, start: int, stop: int, value: float) -> tuple[float, int, bool]:
    """Increment over the last count with this first day, the increment's first day, and whether it is exact."""
    same = np.array([known.series_names[s] == series for s in known.series])
    before = np.flatnonzero(same & (known.start == start) & (known.stop < stop))
    if not len(before):
        return value, start, True
    last = before[np.argmax(known.stop[before])]
    return value - float(known.middle[last]), int(known.stop[last]), bool(known.exact[last])


def _increments(known: Observations) -> list[tuple[float, int, int]]:
    """Increments that do not overlap, in order: their counts, first days and days after the last."""
    every = []
    for i in range(len(known)):
        name, stop = known.series_names[known.series[i]], int(known.stop[i])
        count, start, _ = _increment(known, name, int(known.start[i]), stop, float(known.middle[i]))
        every.append((max(count, 0.0), start, stop))
    chain: list[tuple[float, int, int]] = []
    for step in sorted(every, key=lambda step: (step[2], -step[1])):
        if not chain or step[1] >= chain[-1][2]:
            chain.append(step)
    return chain


def forecasts(case: Case, spec: composite.Spec) -> tuple[Floats, Any] | Refused:
    """Draws of the new part of the report, and the path of each, from a fit to the reports known before."""
    fitted = composite.fit(case.known, spec)
    if isinstance(fitted, Refused):
        return fitted
    drawn, paths = memo.recall(_counts, fitted, case.added)
    return drawn - (float(case.added.low[0]) - case.published.target), paths


def _counts(fitted: composite.Fit, added: Observations) -> tuple[Floats, Any]:
    """Draws of the count, and the path of each."""
    attrs = checks.predict(fitted, added.of(fitted.obs.series_names), draws=_DRAWS, path="pool").attrs
    return attrs["draws"][0], attrs["paths"]


def _along(forecast: tuple[Floats, Any] | Refused, path: str) -> Floats | Refused:
    """The draws along one path or, of a pool, all."""
    if isinstance(forecast, Refused):
        return forecast
    drawn, paths = forecast
    own = drawn[(paths == path) | (path == "pool")]
    return own if len(own) > 1 else Refused("no draw of the count was found", "reports nearer to the fit")


def scores(
    cases: Sequence[Case], spec: composite.Spec | None = None, seed: int = 1
) -> tuple[list[Score], dict[str, Refused]]:
    """The pool, each of its paths and the baselines at every origin; see `origins.score`."""
    spec = spec or composite.Spec()
    drawn = {case.published.label: forecasts(case, spec) for case in cases}

    def along(path: str) -> Forecaster:
        return lambda origin, rng: _along(drawn[origin.label], path)

    models = {MODEL: along("pool")} | {words: along(path) for path, words in ahead.PATHS.items()}
    return score([c.published for c in cases], models, seed)


def gate(scored: Sequence[Score], unable: Mapping[str, Refused], counts: int) -> Refused | None:
    """None, or why forecasts have not shown what they are worth at `counts` origins; arguments as `scores` gives them.

    Three conditions, fixed before any forecast was scored by them: at least 8 counts; a mean weighted interval score
    below that of the best baseline; and intervals of 50, 80 and 95 % whose level the counts inside them do not refute
    (exact binomial test, two-sided, at 5 %).
    """
    if counts < ENOUGH:
        return Refused(
            f"{counts} published counts came after {BEFORE} others and of days that none of them covered, too few to "
            "test a forecast",
            f"at least {ENOUGH} such counts",
        )
    if MODEL in unable:
        return unable[MODEL]
    from scipy import stats

    lines = {line.model: line for line in summarise(scored)}
    own, best = lines[MODEL], min((lines[name] for name in BASELINES), key=lambda line: line.wis)
    if own.wis >= best.wis:
        return Refused(
            f"over {counts} counts the forecasts score {own.wis:,.0f} cases, no better than the {best.wis:,.0f} of the "
            f"baseline '{best.model}' (mean weighted interval score)",
            "a model that forecasts better than the best baseline",
        )
    for level, share in own.coverage.items():
        inside = round(share * counts)
        if stats.binomtest(inside, counts, float(level)).pvalue < REFUTED:
            return Refused(
                f"{inside} of {counts} counts fell into the {100 * float(level):.0f} % interval of their forecasts",
                "intervals that hold what they promise",
            )
    return None
