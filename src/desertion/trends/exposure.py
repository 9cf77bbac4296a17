"""Exposure in person-years from numbers of troops on single days, for rates of the deployed force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from desertion.trends import Refused

#: Days beyond the first or last number of a series for which it is taken as constant.
REACH = 45


@dataclass(frozen=True)
class Exposure:
    """Person-years in a period, the mean strength behind them, and the ids of the statements that they rest on."""

    person_years: float
    mean_strength: float
    ids: tuple[str, ...]


def person_years(stocks: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Exposure | Refused:
    """Person-years of the force between `start` and `end`, both days within.

    `stocks` has one row a statement (index: its id) of one series of context.csv: `period_start, period_end, value,
    kind`. Between two dates the force is interpolated linearly; a decree holds from its date until the next one.
    Numbers of one day are averaged. Refused where the period reaches more than `REACH` days beyond the numbers.
    """
    dates = stocks["period_start"] + (stocks["period_end"] - stocks["period_start"]) / 2
    known = stocks.assign(date=dates.dt.floor("D")).sort_values("date", kind="stable")
    decree = bool(known["kind"].eq("decree").all())
    reach = pd.Timedelta(days=REACH)
    first, last = known["date"].min(), known["date"].max()
    if known.empty or start < first - reach or (end > last + reach and not decree):
        span = "no number at all" if known.empty else f"numbers from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return Refused(
            f"strength is not known over {start:%Y-%m-%d} to {end:%Y-%m-%d}: there is {span}",
            f"numbers within {REACH} days of both ends",
        )
    means = known.groupby("date")["value"].mean()
    days = pd.date_range(start, end, freq="D")
    if decree:
        place = np.maximum(np.searchsorted(means.index, days, side="right") - 1, 0)
        strength = means.to_numpy()[place]
    else:
        at = (days - means.index[0]).days.to_numpy(dtype=float)
        strength = np.interp(at, (means.index - means.index[0]).days.to_numpy(dtype=float), means.to_numpy(dtype=float))
    before, after = known["date"][known["date"] <= start].max(), known["date"][known["date"] >= end].min()
    used = known[(pd.isna(before) | known["date"].ge(before)) & (pd.isna(after) | known["date"].le(after))]
    mean = float(np.mean(strength))
    return Exposure(mean * len(days) / 365.25, mean, tuple(used.index))
