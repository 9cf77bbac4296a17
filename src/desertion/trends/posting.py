"""Cases that are posted after a count, in the words of the report: the band over the delay, and a last report short."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from desertion.text import listed
from desertion.trends import Refused
from desertion.trends.composite import Fit, delays
from desertion.trends.counts import behind
from desertion.trends.rounded import carried, statements

#: What later posting may add to a last report, as shares of what it adds to the reports before it.
SHORT = (0.05, 0.10, 0.15)


class Band(NamedTuple):
    """A fit as if all cases were posted at once, beside fits at delays that pairs and reports leave open.

    `low`, `middle` and `high` are the mean delays in days at 10, 50 and 90 % of their probability. `table` has one row
    per `quantity`, in words, and a column for each delay. `widest` is the largest change of a whole year's expected
    cases by the longest of them, as a share. `ids` are the statements behind the fit, `fits` those at the delays.
    """

    low: float
    middle: float
    high: float
    widest: float
    table: pd.DataFrame
    ids: str
    fits: tuple[Fit, ...] = ()

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        point = "point of the mean delay, from counts made twice and from the reports themselves"
        return {
            "low": f"10 % {point}",
            "high": f"90 % {point}",
            "widest": f"largest change of a year's level: with a delay of {self.high:g} days ÷ without one, less 1",
        }


def band(fitted: Fit | Refused, pairs: pd.DataFrame) -> Band | Refused:
    """Set a fit beside fits at the delays that counts made twice and the reports themselves leave open.

    Parameters
    ----------
    fitted : Fit or Refused
        The fit of a series, as if cases were posted at once.
    pairs : DataFrame
        The table of `completeness.pairs`.

    Returns
    -------
    Band or Refused
        Delays in days and the numbers of each fit. Refused where the fit carries no levels, or the days on which its
        reports were counted are not known.

    References
    ----------
    Lawless (1994), as in `completeness.mean_delay`.
    """
    if (refused := carried(fitted)) is not None or isinstance(fitted, Refused):
        return refused or fitted  # type: ignore[return-value]
    fits = delays.by_delay(fitted, pairs)
    if isinstance(fits, Refused):
        return fits
    days = [one.spec.reporting_delay for one in fits]
    values = [_quantities(one) for one in (fitted, *fits)]
    heads = [f"{fitted.spec.reporting_delay:g} days, as above", *(f"{each:g} days" for each in days)]
    table = pd.DataFrame({"quantity": list(values[0])})
    for head, each in zip(heads, values, strict=True):
        table[head] = [each[name][0] if name in each else "" for name in table["quantity"]]
    years = [name for name in values[0] if name.isdecimal()]
    widest = max((abs(values[-1][name][1] / values[0][name][1] - 1) for name in years), default=0.0)
    return Band(days[0], days[1], days[2], widest, table, statements(fitted), tuple(fits))


def ways(one: Band | Refused) -> dict[str, dict[str, float]]:
    """Give the delays of a band as options of `questions.answered`.

    Parameters
    ----------
    one : Band or Refused
        The band of `band`.

    Returns
    -------
    dict of str to dict
        Option in words → field of the model: the middle and the longest mean delay, in days. Empty where refused.
    """
    days = () if isinstance(one, Refused) else (one.middle, one.high)
    return {f"posted {each:.0f} days late on average": {"reporting_delay": each} for each in days}


def fits(one: Band | Refused) -> tuple[Fit, ...]:
    """Give the fits at the delays of a band, which `questions.answered` need not make again.

    Parameters
    ----------
    one : Band or Refused
        The band of `band`.

    Returns
    -------
    tuple of Fit
        One fit per delay, the shortest first; none where the band is refused.
    """
    return () if isinstance(one, Refused) else one.fits


def shown(one: Band | Refused) -> pd.DataFrame:
    """The table of the band; empty where it is refused."""
    return pd.DataFrame(columns=["quantity"]) if isinstance(one, Refused) else one.table


def _quantities(fitted: Fit) -> dict[str, tuple[str, float]]:
    """Expected cases of each calendar year and of the last month, and growth between whole years, in words."""
    rows = {}
    totals, last = fitted.totals("year"), fitted.intensity().iloc[-1]
    whole = [(b - a).days >= 364 for a, b in zip(totals["period_start"], totals["period_end"], strict=True)]
    for row, full in zip(totals.to_dict("records"), whole, strict=True):
        name = f"{row['period_start']:%Y}" + ("" if full else f" to {row['period_end']:%B}")
        rows[name] = f"{row['mean']:,.0f} ({row['low']:,.0f} to {row['high']:,.0f})", float(row["mean"])
    month = f"{last['period_start']:%B %Y}"
    rows[month] = f"{last['mean']:,.0f} ({last['low']:,.0f} to {last['high']:,.0f})", float(last["mean"])
    years = [start.year for start, full in zip(totals["period_start"], whole, strict=True) if full]
    for a, b in pairwise(years):
        growth = fitted.growth(a, b)
        if isinstance(growth, dict):
            ratio = growth["ratio"]
            rows[f"growth {a} to {b}"] = f"×{ratio:.2f} ({growth['low']:.2f} to {growth['high']:.2f})", ratio
    return rows


class Short(NamedTuple):
    """The last month of a series if cases that are posted later add 5, 10 or 15 % to its last report.

    `now` is its level as the report stands, `levels` those three in words; `added` is what the report adds to those
    before it, counted `days` after its last day (0: on it). `ids` are its statements.
    """

    month: pd.Timestamp
    now: float
    levels: str
    added: float
    days: int
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        now = "level of the month, by the fit"
        return {
            "days": "day on which it was counted − last day of its period",
            "month": "last month of the last report",
            "levels": f"{now} with 5, 10 or 15 % more cases in the last report",
            "now": now,
        }


def short(fitted: Fit | Refused, series: str | None = None) -> Short | Refused:
    """The last month's level if the last report of a series lacks cases that are posted later.

    Parameters
    ----------
    fitted : Fit or Refused
        The fit of a series.
    series : str or None
        Name of the series in the fit; None: the reference.

    Returns
    -------
    Short or Refused
        Levels in cases a month. Refused where the fit carries none or lacks the series, and where the day on which the
        last report was counted is not known.
    """
    if (refused := carried(fitted)) is not None or isinstance(fitted, Refused):
        return refused or fitted  # type: ignore[return-value]
    if series is not None and series not in fitted.obs.series_names:
        return Refused(f"no number of {series} was published", "such numbers")
    table = delays.if_short(fitted, SHORT, series)
    if isinstance(table, Refused):
        return table
    at, added = delays.last_report(fitted.obs, series)
    first = table.iloc[0]
    if pd.isna(first["days"]):
        return Refused("it is not known when the last report was counted", "its day of publication")
    levels = listed(f"{level:,.0f}" for level in table["mean"].iloc[1:]).replace(" and ", " or ")
    month = pd.Timestamp(first["period_start"])
    return Short(month, float(first["mean"]), levels, added, int(first["days"]), " ".join(behind(fitted.obs.ids[at])))


def caveat(fitted: Fit | Refused) -> str:
    """Write a note under a plot of the reference series' months: what later posting may change.

    Parameters
    ----------
    fitted : Fit or Refused
        The fit of a series.

    Returns
    -------
    str
        Two sentences; blank where `short` is refused.
    """
    one = short(fitted)
    if isinstance(one, Refused):
        return ""
    when = f"{one.days} days after its last day" if one.days else "on its last day"
    return (
        f"The last months lack cases that courts posted late: the last report was counted {when}. If those add 5, 10 "
        f"or 15 % to it, {one.month:%B %Y} is {one.levels} instead of {one.now:,.0f}."
    )
