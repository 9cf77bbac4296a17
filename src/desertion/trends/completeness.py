"""How complete a count is on the day it is made: cards of cases reach the sites of courts with a delay.

A case of day t is on a site by day h with probability c(h − t), so a count made soon after its period is truncated on
the right (Lawless, 1994). Two counts of one period, made on two days, show the delay. One mean delay does not fit all
counts: courts differ, and so do years.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from desertion import hedges, vocabulary
from desertion.arguments import takes
from desertion.figures import Data
from desertion.reconcile import identity
from desertion.trends.arrays import Floats, Ints
from desertion.trends.counts import Observations, behind
from desertion.trends.laws import logpmf

#: The prior of the mean delay of a count in days: its log is normal about a level that is normal with median
#: `MEDIAN_DAYS` and standard deviation `LEVEL_SD`; the standard deviation between counts is half-normal with scale
#: `BETWEEN_SD`. Half of its mass lies between 5 and 37 days: courts must post a case within a day, and newsrooms see
#: records come in for months.
MEDIAN_DAYS, LEVEL_SD, BETWEEN_SD = 14.0, 1.2, 1.0
#: Variance over mean of the cases that a first count lacks: about that of the counts themselves.
DISPERSION = 6.0
#: Rate of cases at the end of a pair's period over its mean, rising evenly. In 2023 the second half had 1.4 times the
#: cases of the first, which is 1.35; petitions of 2024 rose faster.
RISE = 1.5
#: Probabilities of the mean delays between which a band over the reporting delay is drawn, and of its middle.
BAND = (0.1, 0.5, 0.9)
_LOG_DAYS = np.linspace(np.log(0.05), np.log(2000), 400)
_BETWEEN = np.linspace(0.05, 4.0, 40)


def complete(days: Floats, delay: float) -> Floats:
    """Share of the cases of a day that are posted `days` later, for an exponential delay of mean `delay` days.

    Cases come at noon and counts are made in the evening. All are posted at once if `delay` is 0.
    """
    lag = np.maximum(np.asarray(days, np.float64) + 0.5, 0.0)
    return np.asarray(lag > 0, np.float64) if delay <= 0 else -np.expm1(-lag / delay)


@takes(data="figures.load()")
def pairs(data: Data, compiler: str = "Mediazona") -> pd.DataFrame:
    """List the counts of one period that one compiler made on two days: the rows `revises` of identities.csv.

    Parameters
    ----------
    data : Data
        The curated data of an edition.
    compiler : str
        Who counted: delays are those of the sites that this compiler reads.

    Returns
    -------
    DataFrame
        One row per pair, in the order of the file; facts of figures.csv and series of context.csv alike.

        - `what`: what is counted
        - `first, later`: ids of the two statements
        - `period_start, period_end, later_end`: the period of the first count, and the end of that of the later one
        - `counted, recounted`: days of the two counts, those of publication where `counted_on` is blank
        - `count, recount`: the two numbers
        - `recount_low, recount_high`: ends of the interval that the later number stands for
        - `share`: the first number over the later one
        - `delay`: mean delay in days at which this pair alone is likeliest
        - `ids`: both ids, joined by a space

    References
    ----------
    Lawless (1994), as in `mean_delay`: the first count given the later one.
    """
    figures = data.figures
    words = figures["measure"].map(vocabulary.MEASURES) + ", " + figures["articles"].map(vocabulary.articles_label)
    every = pd.concat([figures.assign(measure=words), data.context])
    rows = []
    for each in identity.declared(data):
        if each.relation != "revises" or not set(each.ids) <= set(every.index):
            continue
        later, first = every.loc[each.left[0]], every.loc[each.right[0]]
        if not later["compiler"] == first["compiler"] == compiler:
            continue
        low, high = hedges.load().interval(later["value"], later["bound"], _text(later["hedge"]), "rounding")
        rows.append(
            {
                "what": later["measure"], "first": each.right[0], "later": each.left[0],
                "period_start": first["period_start"], "period_end": first["period_end"],
                "later_end": later["period_end"], "counted": _day(first), "recounted": _day(later),
                "count": first["value"], "recount": later["value"], "recount_low": low, "recount_high": high,
                "share": first["value"] / later["value"], "ids": f"{each.right[0]} {each.left[0]}",
            }
        )  # fmt: skip
    columns = [
        *("what", "first", "later", "period_start", "period_end", "later_end", "counted", "recounted"),
        *("count", "recount", "recount_low", "recount_high", "share", "ids"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    likeliest = [_LOG_DAYS[np.argmax(_log_likelihood(row))] for _, row in table.iterrows()]
    return table.assign(delay=np.exp(likeliest))


def counting_days(obs: Observations, facts: pd.DataFrame, figures: pd.DataFrame) -> Ints | None:
    """When the reports `obs` of `facts` were counted, as in `Observations.counted`; None where `figures` lack dates.

    A running total ends on the day of the count. Other facts were counted on the first `counted_on` of their
    statements, or else by the day on which the first of them was known.
    """
    if not {"fact", "known", "counted_on"} <= set(figures):
        return None
    first = figures.groupby("fact")[["known", "counted_on"]].min().reindex(facts.index)
    days = facts["period_end"].where(facts["cumulative"].astype(bool), first["counted_on"].fillna(first["known"]))
    day = {chosen: 0 if pd.isna(when) else when.toordinal() for chosen, when in zip(facts["chosen"], days, strict=True)}
    day[""] = 0
    return np.array([[day[name] for name in (*behind(report), "")[:2]] for report in obs.ids], np.int64).reshape(-1, 2)


def mean_delay(
    pairs: pd.DataFrame, probabilities: Sequence[float] = BAND, evidence: tuple[Floats, Floats] | None = None
) -> Floats:
    """Quantiles of the mean delay in days of counts that are not among `pairs`, given these.

    Each count has a mean delay of its own; the pairs tell how they are spread (a random effect on the logarithm). The
    prior is that of `MEDIAN_DAYS`, `LEVEL_SD` and `BETWEEN_SD`, and without pairs it is the answer.

    Parameters
    ----------
    pairs : DataFrame
        The table of `pairs`.
    probabilities : sequence of float
        Probabilities of the quantiles.
    evidence : tuple of two ndarrays
        What those counts tell themselves: delays in days, rising, and the log evidence of the counts at each.

    Returns
    -------
    ndarray
        One number of days per probability.

    References
    ----------
    Lawless (1994), Canadian Journal of Statistics 22: adjustments for reporting delays under right truncation.
    """
    x, step = _LOG_DAYS, _LOG_DAYS[1] - _LOG_DAYS[0]
    likelihoods = [_log_likelihood(row) for _, row in pairs.iterrows()]
    level = np.exp(-0.5 * ((x - np.log(MEDIAN_DAYS)) / LEVEL_SD) ** 2)
    predicted = np.zeros(len(x))
    for between in _BETWEEN:
        spread = np.exp(-0.5 * ((x[:, None] - x) / between) ** 2) * step / between / np.sqrt(2 * np.pi)
        weight = level * np.exp(-0.5 * (between / BETWEEN_SD) ** 2)
        for each in likelihoods:
            weight = weight * (spread @ np.exp(each - each.max()))
        predicted += weight @ spread
    if evidence is not None:
        from scipy.interpolate import PchipInterpolator  # here, since it takes long to import

        at, log = np.log(evidence[0]), np.asarray(evidence[1])
        curve = PchipInterpolator(at, log)(np.clip(x, at[0], at[-1]))
        # shorter delays are as likely as the shortest, longer ones become less likely as they did before
        curve += (log[-1] - log[-2]) / (at[-1] - at[-2]) * np.maximum(x - at[-1], 0)
        predicted *= np.exp(curve - curve.max())
    reached = np.cumsum(predicted) - predicted / 2
    return np.exp(np.interp(probabilities, reached / predicted.sum(), x))


def _log_likelihood(pair: pd.Series[Any]) -> Floats:
    """Log likelihood of a pair at each mean delay of the grid: what the first lacks is NB1 given the later one."""
    days = np.arange((pair["later_end"] - pair["period_start"]).days + 1)
    rate = 1 + (RISE - 1) * (2 * days / max(days[-1], 1) - 1)
    own = days <= (pair["period_end"] - pair["period_start"]).days
    ages = [(pair[day] - pair["period_start"]).days - days for day in ("counted", "recounted")]
    first, later = (
        np.array([(rate * part * complete(age, delay)).sum() for delay in np.exp(_LOG_DAYS)])
        for part, age in zip((own, True), ages, strict=True)
    )
    recount = (pair["recount_low"] + pair["recount_high"]) / 2
    lack = max(float(np.round(recount - pair["count"])), 0.0)
    return logpmf("nb1", lack, np.maximum(recount * (1 - first / later), 1e-6), DISPERSION)


def _text(cell: object) -> str:
    return "" if pd.isna(cell) else str(cell)  # type: ignore[call-overload]


def _day(statement: pd.Series[Any]) -> pd.Timestamp:
    counted = statement.get("counted_on")
    return pd.Timestamp(str(statement["known"] if pd.isna(counted) else counted))
