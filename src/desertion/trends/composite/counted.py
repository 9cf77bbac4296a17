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
from desertion.trends import chain
from desertion.trends.arrays import Floats
from desertion.trends.composite import checks
from desertion.trends.composite.fitted import Fit, Period
from desertion.trends.counts import Observations

#: Draws of the level behind a law of counts; each has as many draws of the counts as a predictive probability.
DRAWS = 200


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
    number = fit.series(series)
    spans = fit.spans(period)
    for span in spans:
        fit.share(*span)  # raises UserError for days that the reports do not reach
    n = len(spans)
    rows = Observations(
        tuple(f"{first} to {last}" for first, last in spans), np.full(n, number, np.int64),
        np.array([first.toordinal() for first, _ in spans], np.int64),
        np.array([last.toordinal() + 1 for _, last in spans], np.int64),
        np.zeros(n), np.full(n, np.inf), fit.obs.series_names,
    )  # fmt: skip
    least, most = _limits(fit.obs, rows)
    drawn = memo.recall(_drawn, fit, rows)
    low, median, high = np.quantile(drawn, fit.tails, axis=1)
    return pd.DataFrame(spans, columns=["period_start", "period_end"]).assign(
        scope=[_scope(fit.obs, rows, i) for i in range(n)], least=least, most=most,
        mean=drawn.mean(axis=1), median=median, low=low, high=high, exact=least == most,
    )  # fmt: skip


def _drawn(fit: Fit, rows: Observations) -> Floats:
    drawn: Floats = checks.predict(fit, rows, draws=DRAWS).attrs["draws"]
    return drawn


def _limits(obs: Observations, rows: Observations) -> tuple[Floats, Floats]:
    """Least and largest number of cases in the days of `rows`, of one series, that its reports allow."""
    mine = obs.take(np.flatnonzero(obs.series == rows.series[0]))
    found = chain.limits(mine.start, mine.stop, mine.low, mine.high, rows.start, rows.stop)
    assert found is not None  # a fit has no contradicting reports
    return found


def _scope(obs: Observations, rows: Observations, i: int) -> str:
    """The scopes of the reports of the series of row `i` that count some of its days."""
    if not obs.scopes:
        return ""
    met = (obs.series == rows.series[i]) & (obs.start < rows.stop[i]) & (obs.stop > rows.start[i])
    return " + ".join(dict.fromkeys(obs.scopes[j] for j in np.flatnonzero(met)))
