"""What a fit would be if cases were posted late: a band over the reporting delay, and a last report that is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from desertion import memo
from desertion.trends import Refused, completeness
from desertion.trends.composite.fitted import Fit
from desertion.trends.composite.model import fit, log_evidence
from desertion.trends.counts import Observations

#: Mean delays in days at which the evidence of the reports is computed; between them it is interpolated.
_TRIED = (0.25, 2.0, 16.0, 64.0)


def by_delay(fitted: Fit, pairs: pd.DataFrame) -> list[Fit] | Refused:
    """Fit again at the mean delays of `completeness.BAND`: what the pairs and the reports themselves leave open.

    Parameters
    ----------
    fitted
        A fit to reports whose days of count are known.
    pairs
        Counts of one period at two dates, as `completeness.pairs` lists them.

    Returns
    -------
    list of Fit, or Refused
        One fit per probability; `spec.reporting_delay` has its delay in days.
    """
    if fitted.obs.counted is None:
        return Refused("it is not known when the reports were counted", "days of publication")
    evidence = np.array([memo.recall(log_evidence, fitted, delay) for delay in _TRIED])
    sound = np.isfinite(evidence)
    if sound.sum() < 2:
        return Refused("no fit was found at other delays", "more exact reports")
    delays = completeness.mean_delay(pairs, evidence=(np.array(_TRIED)[sound], evidence[sound]))
    fits = [fit(fitted.obs, replace(fitted.spec, reporting_delay=float(f"{delay:.2g}")), fitted) for delay in delays]
    kept = [one for one in fits if isinstance(one, Fit)]
    return kept if len(kept) == len(fits) else next(one for one in fits if isinstance(one, Refused))


def last_report(obs: Observations, series: str | None = None) -> tuple[int, float]:
    """Position of the report of `series` (None: the first) that ends last, and the cases that it adds to the others.

    A total adds what it has over the last exact one with the same first day. Of several reports that end on one day the
    longest is taken, which holds the others.
    """
    name = series if series is not None else obs.series_names[0]
    own = np.flatnonzero(obs.series == obs.series_names.index(name))
    last = int(max(own, key=lambda i: (obs.stop[i], -obs.start[i])))
    before = [i for i in own if obs.start[i] == obs.start[last] and obs.stop[i] < obs.stop[last] and obs.exact[i]]
    counted = max((float(obs.low[i]) for i in before), default=0.0)
    return last, float(obs.middle[last]) - counted


def if_short(fitted: Fit, shares: Sequence[float], series: str | None = None) -> pd.DataFrame | Refused:
    """The last period's level if cases that are still to be posted add a share to the last report.

    Parameters
    ----------
    fitted
        The fit.
    shares
        Additions, as shares of what the last report adds to the reports before it.
    series
        The series whose last report is short and whose level is shown (None: the reference).

    Returns
    -------
    DataFrame, or Refused
        One row for the report as it is (share 0) and one per share:

        - share: the addition
        - period_start, period_end: the last period
        - mean, median, low, high: its expected cases
        - id: the report
        - days: between the report's last day and its count; NaN where that is not known
    """
    obs = fitted.obs
    at, added = last_report(obs, series)
    days = float(obs.counted[at, 0] - obs.stop[at] + 1) if obs.counted is not None and obs.counted[at, 0] else np.nan
    rows = []
    for share in (0.0, *shares):
        low, high = obs.low.copy(), obs.high.copy()
        low[at], high[at] = low[at] + round(share * added), high[at] + round(share * added)
        one = fitted if share == 0 else fit(replace(obs, low=low, high=high), fitted.spec, fitted)
        if isinstance(one, Refused):
            return one
        row = one.intensity(series).iloc[-1][["period_start", "period_end", "mean", "median", "low", "high"]]
        rows.append({"share": share, **row.to_dict(), "id": obs.ids[at], "days": days})
    return pd.DataFrame(rows)
