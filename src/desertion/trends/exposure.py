"""Exposure in person-years from numbers of troops on single days, for rates of the deployed force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.text import day, listed, once, period
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
        span = "there is no number" if known.empty else f"numbers run from {day(first)} to {day(last)}"
        return Refused(
            f"no size is known for all of {period(start, end)}: {span}",
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
        - `rate`: count per 1,000 soldiers and year, to one decimal below 10 and whole from 10 up
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
                row["refused"] = f"{name}: {exposure}"
            else:
                row["strength"] = exposure.mean_strength
                rate = 1000 * count["count"] / exposure.person_years
                row["rate"] = round(rate, 1 if rate < 9.95 else 0)
                row["ids"] = " ".join([count["ids"], *exposure.ids])
            rows.append(row)
    columns = ["series", *_OF_COUNT, "period", "count", "denominator", "series_id"]
    table = pd.DataFrame(rows, columns=[*columns, "strength", "rate", "refused", "ids"])
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[us]")
    return table.astype(days | dict.fromkeys(("count", "strength", "rate"), "float"))


_OF_COUNT = ["articles", "measure", "compiler", "period_start", "period_end", "incomplete"]


class RateRange(NamedTuple):
    """The least and the greatest rate of one count, whose sizes of the force give them, and the count in words."""

    what: str
    period: str
    compiler: str
    counted: float
    low: float
    low_by: str
    low_size: float
    high: float
    high_by: str
    high_size: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        sizes = {"low": self.low_size, "high": self.high_size}
        return {name: f"{self.counted:,.0f} ÷ {size:,.0f} soldiers × 1,000" for name, size in sizes.items()}


def latest(rates: pd.DataFrame) -> RateRange | Refused:
    """Select the least and the greatest rate of the latest whole year, of persons convicted before anything else.

    Parameters
    ----------
    rates : DataFrame
        The table of `rates`.

    Returns
    -------
    RateRange or Refused
        Both rates for each 1,000 soldiers and year; refused where no whole year has rates by two forces.
    """
    known = rates[rates["rate"].notna() & ~rates["incomplete"]]
    known = known[known.groupby(["series", "period_start", "period_end"])["rate"].transform("size").gt(1)]
    if known.empty:
        return Refused("no count of a whole year is divided by two sizes of the force", "such a count and such sizes")
    order = known.assign(persons=known["measure"].eq("persons_convicted"))
    last = order.sort_values(["persons", "period_end"], kind="stable").iloc[-1]
    same = ["series", "period_start", "period_end"]
    own = known[known[same].eq(last[same]).all(axis=1)].sort_values("rate", kind="stable")
    least, most = own.iloc[0], own.iloc[-1]
    what = f"{vocabulary.MEASURES[last['measure']]} under {vocabulary.articles_label(last['articles'])}"
    ids = once(own["ids"])
    ends = [(end["rate"], end["denominator"], round(end["strength"], -3)) for end in (least, most)]
    return RateRange(
        what[:1].upper() + what[1:], last["period"], last["compiler"], last["count"], *ends[0], *ends[1], ids
    )


def grown(rates: pd.DataFrame, compiler: str, first: int, last: int) -> pd.DataFrame:
    """Divide the rate of one year by that of an earlier one, by each force.

    Parameters
    ----------
    rates : DataFrame
        The table of `rates`.
    compiler : str
        Who counted.
    first, last : int
        The earlier and the later year.

    Returns
    -------
    DataFrame
        One row per force that gives both rates:

        - `denominator`: its name
        - `times`: daily rate of the later year over that of the earlier one, not rounded
        - `ids`: the statements behind both, joined by spaces
    """
    own = rates[rates["compiler"].eq(compiler) & rates["rate"].notna()]
    days = (own["period_end"] - own["period_start"]).dt.days + 1
    own = own.assign(daily=own["count"] / own["strength"] / days)  # the rate is rounded
    old, new = (
        own[own["period_start"].dt.year.eq(year)].set_index("denominator")[["daily", "ids"]] for year in (first, last)
    )
    both = new.join(old, suffixes=("_new", "_old"), how="inner").reset_index()
    times, ids = both["daily_new"] / both["daily_old"], both["ids_new"] + " " + both["ids_old"]
    return pd.DataFrame({"denominator": both["denominator"], "times": times, "ids": ids})


@takes(rates="exposure.rates(facts, context, forces): series period_start period_end rate")
def drawn(rates: pd.DataFrame) -> pd.DataFrame:
    """Select the counts that have a rate by some force, for `plots.deployed_rate`.

    Parameters
    ----------
    rates : DataFrame
        The table of `rates`.

    Returns
    -------
    DataFrame
        The rows of these counts, with

        - `value`: the rate, NaN by a force that gives none
    """
    known = rates.groupby(["series", "period_start", "period_end"])["rate"].transform("count").gt(0)
    return rates[known].assign(value=lambda table: table["rate"])


def lacking(rates: pd.DataFrame) -> str:
    """Say of which periods no rate can be given, for a note.

    Parameters
    ----------
    rates : DataFrame
        The table of `rates`.

    Returns
    -------
    str
        One sentence for each force that is not known in some period; blank where none is missing.
    """
    missing = rates[rates["refused"].ne("")]
    return " ".join(
        f"Missing: {name} for {listed(part['period'])}, since none is known within {REACH} days of both ends."
        for name, part in missing.groupby("denominator", sort=False)
    )


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
