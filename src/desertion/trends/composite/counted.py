"""Answers on the count scale: how many cases a period had, where no report counts just that period.

The level of a fit is the rate of a process; the cases of a year that is over are a number, which the reports fix or
leave between limits. Given the months' level, the cases of a period are the known counts inside it and the law of the
others given every report (Heitjan & Rubin, 1991): a count of which a part lies in the period is split by the
Dirichlet-multinomial law that NB1 counts have given their sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from desertion import memo
from desertion.errors import SumError
from desertion.trends import chain
from desertion.trends.arrays import Flags, Floats, Ints
from desertion.trends.composite import checks, likelihood, model, nb1, prior
from desertion.trends.composite.fitted import Fit, Period
from desertion.trends.composite.posterior import tails
from desertion.trends.counts import Observations

#: Share of a count that reports must leave open for the months inside it to be told apart by the model alone.
OPEN = 0.25
#: Draws of the level behind a law of counts, and of the counts for each.
DRAWS, EACH = 200, 50


def counts(fit: Fit, period: Literal["year"] | Sequence[Period] = "year", series: str | None = None) -> pd.DataFrame:
    """Count the cases of `series` (None: the reference) in calendar years or in given periods.

    Parameters
    ----------
    fit
        The fit.
    period
        `year`: each calendar year, or the part of it that reports reach; else years, or pairs of first and last day.
    series
        Name of the series.

    Returns
    -------
    DataFrame
        One row per period:

        - period_start, period_end: first and last day
        - scope: scopes of the reports that count cases of the period, joined by ` + `; blank where unknown
        - least, most: numbers of cases that the reports allow (`most` may be infinite)
        - mean, median, low, high: of the posterior law of the number, at the level of the fit
        - exact: whether the reports fix the number

    Raises
    ------
    UserError
        For a period that the reports do not reach, or a series that is not in the fit.

    References
    ----------
    Heitjan & Rubin (1991), counts that are known within limits; Mosimann (1962), Dirichlet-multinomial law.
    """
    spans, rows = fit.spans(period), days(fit, period, series)
    least, most = _limits(fit.obs, rows)
    draws = memo.recall(drawn, fit, rows)
    low, median, high = np.quantile(draws, tails(fit.spec.level, "cases"), axis=1)
    return pd.DataFrame(spans, columns=["period_start", "period_end"]).assign(
        scope=[_scope(fit.obs, rows, i) for i in range(len(rows))], least=least, most=most,
        mean=draws.mean(axis=1), median=median, low=low, high=high, exact=least == most,
    )  # fmt: skip


def days(fit: Fit, period: Literal["year"] | Sequence[Period] = "year", series: str | None = None) -> Observations:
    """The days of each period as a report that says nothing. Raises UserError as `counts` does."""
    spans, number = fit.spans(period), fit.series(series)
    for span in spans:
        fit.share(*span)  # raises UserError for days that the reports do not reach
    n = len(spans)
    return Observations(
        tuple(f"{first} to {last}" for first, last in spans), np.full(n, number, np.int64),
        np.array([first.toordinal() for first, _ in spans], np.int64),
        np.array([last.toordinal() + 1 for _, last in spans], np.int64),
        np.zeros(n), np.full(n, np.inf), fit.obs.series_names,
    )  # fmt: skip


def drawn(fit: Fit, rows: Observations) -> Floats:
    """Draws of the cases in the days of each row: (rows, draws). Those of one row do not depend on the others."""
    seed = fit.spec.seed
    theta, nodes = fit.posterior.draw(DRAWS, np.random.default_rng([seed, 5]))
    base, parts = (
        model.problem(fit.lattice, fit.design, fit.obs, fit.spec.reporting_delay),
        [checks.pieces(fit, rows, i) for i in range(len(rows))],
    )
    ends = zip(rows.start.tolist(), rows.stop.tolist(), strict=True)
    own = [np.random.default_rng([seed, 6, first, after]) for first, after in ends]
    made: list[list[Floats]] = [[] for _ in own]
    wanted = np.any([inside.any(axis=1) for inside, _, _ in parts], axis=0)
    for k, (point, node) in enumerate(zip(theta, nodes, strict=True)):
        hyper = fit.posterior.hyper[node]
        means = model.posed(base, fit.design, hyper).means(point)[0]
        rng = np.random.default_rng([seed, 5, k])
        try:
            cells = likelihood.sample(fit.lattice, means, hyper.delta, EACH, rng, wanted)
        except SumError:
            continue  # a draw far out, at which the reports are all but impossible
        level = fit.means(int(rows.series[0]), point[None], np.array([node]))[0]
        for i, (inside, outside, loose) in enumerate(parts):
            number = checks.split(inside, outside, cells, level, hyper.delta, own[i])
            if loose.any():
                number += nb1.sample(np.full(EACH, float(loose @ level)), hyper.delta, own[i])
            made[i].append(number)
    return np.array([np.concatenate(each or [np.full(1, np.nan)]) for each in made])


def _limits(obs: Observations, rows: Observations) -> tuple[Floats, Floats]:
    """Least and largest number of cases in the days of `rows`, of one series, that its reports allow."""
    mine = obs.take(np.flatnonzero(obs.series == rows.series[0]))
    ends = chain.limits(mine.start, mine.stop, mine.low, mine.high, rows.start, rows.stop)
    assert ends is not None  # a fit has no contradicting reports
    return ends


def _scope(obs: Observations, rows: Observations, i: int) -> str:
    """The scopes of the reports of the series of row `i` that count some of its days."""
    if not obs.scopes:
        return ""
    met = (obs.series == rows.series[i]) & (obs.start < rows.stop[i]) & (obs.stop > rows.start[i])
    return " + ".join(dict.fromkeys(obs.scopes[j] for j in np.flatnonzero(met)))


def undivided(fit: Fit) -> Flags:
    """Mask of the periods that lie, by half or more, in counts of the reference series that reports leave open.

    A count is open where its limits are more than `OPEN` of it apart. It is summed over, so that the law of its months
    is not normal: their intervals were up to a third too wide beside those of the No-U-Turn sampler.
    """
    bounds = fit.design.bounds()[fit.design.lead :]
    own = [cell for i, cell in enumerate(fit.lattice.cells) if cell.series == 0 and i not in fit.lattice.known]
    spans = np.array([span for cell in own for span in cell.spans], np.int64).reshape(-1, 2)
    loose = spans[_open(fit, spans[:, 0], spans[:, 1])]
    shares: Floats = prior.share(loose[:, 0], loose[:, 1], bounds)
    return np.asarray((shares.sum(axis=0) >= 0.5) & _open(fit, bounds[:-1], bounds[1:]))


def _open(fit: Fit, first: Ints, after: Ints) -> Flags:
    """Whether the reports of the reference series leave the cases from each day `first` to before `after` open."""
    mine = fit.obs.take(np.flatnonzero(fit.obs.series == 0))
    ends = chain.limits(mine.start, mine.stop, mine.low, mine.high, first, after)
    assert ends is not None  # a fit has no contradicting reports
    return np.asarray(~(ends[1] - ends[0] <= OPEN * (ends[0] + ends[1]) / 2))
