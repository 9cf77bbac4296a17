"""The level of a fit as a sentence prints it: how many cases a month in a year, at most, at last and ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.hindsight import MODEL, HeldOut
from desertion.trends.origins import ENOUGH, summarise
from desertion.trends.rounded import carried, no_forecast, statements, two_digits


class Highest(NamedTuple):
    """The month that is highest in most draws of a fit: its first day, in which share of them, and its level."""

    month: date
    share: float
    level: float


def highest(fitted: Fit) -> list[Highest]:
    """The months that are highest in any draw of the fit, those of most draws first.

    A sentence may call a month the highest only where its share is near one.
    """
    theta, nodes = fitted.drawn
    days = np.array([(end - start).days + 1 for start, end in zip(fitted.starts, fitted.ends, strict=True)])
    drawn = fitted.means(0, theta, nodes)[:, fitted.design.lead :]
    often = np.bincount(np.argmax(drawn / days, axis=1), minlength=len(days)) / len(drawn)
    levels = fitted.intensity()["mean"].to_numpy()
    order = [i for i in np.argsort(-often, kind="stable") if often[i] > 0]
    return [Highest(fitted.starts[i], float(often[i]), float(levels[i])) for i in order]


class Record(NamedTuple):
    """How likely one `month` is the highest of a fit (`share`), and which month is so most often (`top`, `top_share`).

    `level`: mean level of the month. `ids`: the statements behind the fit.
    """

    month: date
    share: float
    level: float
    top: date
    top_share: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        draws = "share of the draws of the fit in which no month is higher than"
        return {
            "share": f"{draws} {self.month:%B %Y}",
            "top_share": f"{draws} {self.top:%B %Y}",
            "top": "month that is the highest in most draws of the fit",
        }


def record(fit: Fit | Refused, month: date) -> Record | Refused:
    """How likely a month is the highest of a fit, and which month is so most often.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    month : date
        First day of the month.

    Returns
    -------
    Record or Refused
        Shares of the draws of the fit; refused where it carries no levels or the reports do not reach the month.
    """
    if (lacking := carried(fit)) is not None or isinstance(fit, Refused):
        return lacking or fit  # type: ignore[return-value]
    if month not in fit.starts:
        return Refused(f"the reports do not reach {month:%B %Y}", f"reports of {month:%B %Y}")
    often = highest(fit)
    share = next((each.share for each in often if each.month == month), 0.0)
    level = float(fit.intensity()["mean"].iloc[fit.starts.index(month)])
    return Record(month, share, level, often[0].month, often[0].share, statements(fit))


class Course(NamedTuple):
    """The monthly level of a fit, for a sentence.

    `early`, `late`: mean of a month in two years. `top`, `month`: level of the highest month, and its first day, which
    is the highest in a `share` of the draws. `low`: lower end of the last month's interval. `n` reports stand behind
    it, `ids` are their statements.
    """

    early: float
    late: float
    top: float
    month: date
    share: float
    low: float
    n: int
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        mean = "expected cases of the year ÷ 12 months, by the fit to all reports"
        return {"early": mean, "late": mean, "n": "number of the reports that the fit combines"}


def course(fit: Fit | Refused, early: int, late: int) -> Course | Refused:
    """The monthly level in two years, at its highest and in the last month.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    early, late : int
        The two years.

    Returns
    -------
    Course or Refused
        Levels in cases a month; refused where the fit carries none or reports do not reach over both years.
    """
    if isinstance(fit, Refused):
        return fit
    if (lacking := carried(fit)) is not None:
        return lacking
    first, last = fit.starts[0], fit.ends[-1]
    for year in (early, late):
        if first > date(year, 1, 1) or last < date(year, 12, 31):
            return Refused(f"the reports reach from {first} to {last}, not over all of {year}", f"reports of {year}")
    path, means = fit.intensity(), fit.totals([early, late])["mean"] / 12
    top = path.iloc[int(path["mean"].argmax())]
    share = next((each.share for each in highest(fit) if each.month == top["period_start"]), 0.0)
    return Course(
        means.iloc[0], means.iloc[1], top["mean"], top["period_start"], share, path["low"].iloc[-1], len(fit.obs),
        statements(fit),
    )  # fmt: skip


class Ahead(NamedTuple):
    """The last month of a forecast, for a sentence: its first day, median and 95 % interval, to two digits.

    `width`: upper end of the interval over the median, both unrounded. Of `n` counts held out, `held` fell into their
    95 % intervals. `ids`: the statements behind the fit.
    """

    month: date
    low: float
    mid: float
    high: float
    width: float
    n: int
    held: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        of = "of the forecast's draws, to two digits"
        return {
            "month": "last month of the forecast, no further ahead than forecasts were tested",
            "low": f"2.5 % point {of}",
            "mid": f"median {of}",
            "high": f"97.5 % point {of}",
            "width": "upper end of the interval ÷ median of the forecast",
        }


def ahead(fit: Fit | Refused, held_out: HeldOut, months: int) -> Ahead | Refused:
    """The last month of the forecast.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    held_out : HeldOut
        What forecasts of its reference series proved (`hindsight.held_out`).
    months : int
        Months from the last report to the end of the forecast, which goes no further than forecasts were tested.

    Returns
    -------
    Ahead or Refused
        Cases in that month; refused where no forecast is shown (`rounded.no_forecast`).
    """
    if isinstance(fit, Refused):
        return fit
    if (refused := no_forecast(fit, held_out)) is not None:
        return refused
    own = next(line for line in summarise(held_out.scored) if line.model == MODEL)
    last = composite.outlook(fit, min(months, held_out.reach)).query("kind == 'forecast'").iloc[-1]
    low, mid, high = last[["low95", "median", "high95"]].map(two_digits)
    width = last["high95"] / last["median"] if last["median"] else float("inf")
    n = own.origins
    return Ahead(last["period_start"], low, mid, high, width, n, n * own.coverage["0.95"], statements(fit))


class Tests(NamedTuple):
    """How many published counts could test a forecast, how many are needed, and the last day that was counted.

    `ids`: the statements behind the fit.
    """

    n: int
    least: int
    last: date
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        n = "published counts of days that no earlier one covered, each with six reports before it"
        return {"n": n, "least": "number of such counts from which a forecast is shown: a rule of this report"}


def tests(fit: Fit | Refused, held_out: HeldOut) -> Tests | Refused:
    """Count the published numbers that could test a forecast.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    held_out : HeldOut
        What forecasts of its reference series proved (`hindsight.held_out`).

    Returns
    -------
    Tests or Refused
        Their number, and how many are needed; refused where the fit carries no levels.
    """
    if isinstance(fit, Refused):
        return fit
    if (lacking := carried(fit)) is not None:
        return lacking
    return Tests(len(held_out), ENOUGH, fit.obs.last(int(fit.obs.stop.argmax())), statements(fit))


class Newest(NamedTuple):
    """The published count that runs furthest: its value, first and last day, who counted, and its statements."""

    value: float
    first: date
    last: date
    compiler: str
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How its days are known, for a sentence; the value itself is printed."""
        return {"first": "first day of the count", "last": "last day of the count"}


class Beside(NamedTuple):
    """Two published counts of one length, for a sentence: the earlier and the later value, and their statements."""

    before: float
    after: float
    ids: str


def beside(facts: pd.DataFrame, before: str, after: str) -> Beside | Refused:
    """Set two counts side by side.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    before, after : str
        Names of the earlier and the later fact, its index.

    Returns
    -------
    Beside or Refused
        Both values; refused where one of the facts is not there.
    """
    if not {before, after} <= set(facts.index):
        return Refused(f"{before} and {after} are not both among the published numbers used", "")
    rows = facts.loc[[before, after]]
    first, second = rows["value"].astype(float)
    return Beside(first, second, " ".join(rows["ids"]))


def newest(counts: pd.DataFrame) -> Newest | Refused:
    """Select the count with the latest last day, of several the longest.

    Parameters
    ----------
    counts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.

    Returns
    -------
    Newest or Refused
        The count, its days and who made it; refused where there is no row.
    """
    if counts.empty:
        return Refused("no such count is among the published numbers used", "")
    row = counts.sort_values(["period_end", "period_start"], ascending=[False, True], kind="stable").iloc[0]
    return Newest(float(row["value"]), row["period_start"], row["period_end"], row["compiler"], row["ids"])


def missing(number: object, counters: Sequence[str] | None) -> int | None:
    """Whether a number is not known, for the condition of a sentence that says so.

    Parameters
    ----------
    number : object
        The number, or a `Refused`.
    counters : sequence of str or None
        The counters that are looked at; None: all.

    Returns
    -------
    int or None
        1 where `number` is refused, else 0. None where only some counters are looked at: a number of one that was left
        out is not known to be missing.
    """
    return None if counters is not None else int(isinstance(number, Refused))
