"""Exposure in person-years from numbers of troops on single days, for rates of the deployed force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from desertion.arguments import takes
from desertion.text import period
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
    """Person-years of the force from `start` to the end of the day `end`.

    `stocks` has one row per statement (index: its id) of one series of context.csv: `period_start, period_end, value,
    kind`. Between two dates the force is interpolated linearly; a decree holds from its date until the next one.
    Numbers of one day are averaged. Refused if the period reaches more than `REACH` days beyond the numbers.
    """
    dates = stocks["period_start"] + (stocks["period_end"] - stocks["period_start"]) / 2
    known = stocks.assign(date=dates.dt.floor("D")).sort_values("date", kind="stable")
    decree = bool(known["kind"].eq("decree").all())
    reach = pd.Timedelta(days=REACH)
    first, last = known["date"].min(), known["date"].max()
    if known.empty or start < first - reach or (end > last + reach and not decree):
        span = "is no number" if known.empty else f"are numbers from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return Refused(
            f"strength is not known over {start:%Y-%m-%d} to {end:%Y-%m-%d}: there {span}",
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


@takes(facts="reconcile.facts(data): period_start period_end value", context="data.context: series value")
def rates(facts: pd.DataFrame, context: pd.DataFrame, forces: Mapping[str, str]) -> pd.DataFrame:
    """Divide each count by each force: counts per 1,000 soldiers and year, with the reasons where there is none.

    Parameters
    ----------
    facts : DataFrame
        Counts, as `reconcile.facts` returns them.
    context : DataFrame
        Strengths of forces, one row per statement of context.csv that is not rejected.
    forces : mapping
        Name of each denominator -> its series in context.csv.

    Returns
    -------
    DataFrame
        One row per count and denominator, in these orders.

        - `series`: the label of the count
        - `articles, measure, compiler, period_start, period_end, incomplete`: of the count
        - `period`: its period in words
        - `count`: the number
        - `denominator, series_id`: name and series of the force
        - `strength`: mean strength in the period, in soldiers
        - `rate`: count per 1,000 soldiers and year, to two decimals
        - `refused`: why there is no strength and no rate of this period and force, else blank (see `person_years`)
        - `ids`: the statements behind the count and the strength, joined by spaces
    """
    rows = []
    counts = facts.assign(series=facts["label"], count=facts["value"])[["series", *_OF_COUNT, "count", "ids"]]
    for count in counts.to_dict("records"):
        start, end = count["period_start"], count["period_end"]
        for name, series in forces.items():
            row = count | {"period": period(start, end), "denominator": name, "series_id": series, "refused": ""}
            exposure = person_years(context[context["series"].eq(series)], start, end)
            if isinstance(exposure, Refused):
                row["refused"] = f"{row['period']}, {name}: {exposure}"
            else:
                row["strength"] = exposure.mean_strength
                row["rate"] = round(1000 * count["count"] / exposure.person_years, 2)
                row["ids"] = " ".join([count["ids"], *exposure.ids])
            rows.append(row)
    columns = ["series", *_OF_COUNT, "period", "count", "denominator", "series_id"]
    table = pd.DataFrame(rows, columns=[*columns, "strength", "rate", "refused", "ids"])
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[us]")
    return table.astype(days | dict.fromkeys(("count", "strength", "rate"), "float"))


_OF_COUNT = ["articles", "measure", "compiler", "period_start", "period_end", "incomplete"]
_BAND = [
    *("series", "period_start", "articles", "measure", "compiler", "period_end", "denominator", "ids"),
    *("low", "low_by", "high", "high_by", "value", "incomplete"),
]


def of_year(rates: pd.DataFrame, series: str, compiler: str, year: int) -> pd.Series[Any] | Refused:
    """Select the row of `rates` that divides the count of `compiler` from `year` by the force `series`.

    Refused where there is no such count, or no rate of it.
    """
    own = rates[rates["series_id"].eq(series) & rates["compiler"].eq(compiler) & rates["period_start"].dt.year.eq(year)]
    if own.empty:
        return Refused(f"no count by {compiler} from {year} is among the statements", "")
    row = own.iloc[0]
    return Refused(row["refused"], "") if row["refused"] else row


@takes(rates="exposure.rates(facts, context, forces): series rate")
def band(rates: pd.DataFrame, series: str) -> pd.DataFrame:
    """Set the rates by one force between the lowest and the highest by any, for `plots.deployed_rate`.

    Parameters
    ----------
    rates : DataFrame
        Rates of `rates`; those that are refused are left out.
    series : str
        The force that the main rate is divided by, a series of context.csv.

    Returns
    -------
    DataFrame
        One row per count that has a rate by this force.

        - `series, articles, measure, compiler, period_start, period_end, incomplete`: of the count
        - `value, denominator`: its rate by this force, and the force's name
        - `low, low_by, high, high_by`: its lowest and highest rate, and the names of the forces that give them
        - `ids`: the statements behind all its rates, each once
    """
    known = rates[rates["rate"].notna()]
    count = ["series", "period_start"]
    ordered = known.sort_values("rate").groupby(count)
    ids = known.groupby(count)["ids"].apply(lambda cells: " ".join(dict.fromkeys(" ".join(cells).split())))
    own = known[known["series_id"].eq(series)].set_index(count)
    beside = {
        "low": ordered["rate"].first(),
        "low_by": ordered["denominator"].first(),
        "high": ordered["rate"].last(),
        "high_by": ordered["denominator"].last(),
        "ids": ids,
    }
    # without `reindex` a frame without rows would take those of the other forces
    banded = own.assign(value=own["rate"], **{name: each.reindex(own.index) for name, each in beside.items()})
    return banded.reset_index()[_BAND]


@takes(rates="exposure.rates(facts, context, forces): series rate refused")
def by_denominator(rates: pd.DataFrame, forces: Iterable[str]) -> pd.DataFrame:
    """Set the rates of each count side by side, for a table.

    Parameters
    ----------
    rates : DataFrame
        Rates of `rates`.
    forces : iterable of str
        Names of the denominators.

    Returns
    -------
    DataFrame
        One row per count, in the order of `rates`.

        - `series, period_start, period, count`: of the count
        - `strength NAME, rate NAME`: mean strength (to the nearest thousand) and rate by each of `forces`, NaN where
          refused
        - `ids`: the statements behind the row, joined by spaces
    """
    count = ["series", "period_start", "period", "count"]
    wide = rates.groupby(count, sort=False)["ids"].apply(" ".join).to_frame()
    for what in ("strength", "rate"):
        for name in forces:
            by_count = rates[rates["denominator"].eq(name)].set_index(count)
            wide[f"{what} {name}"] = by_count[what].round(-3) if what == "strength" else by_count[what]
    return wide.reset_index()
