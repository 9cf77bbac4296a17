"""The level of a fit as a sentence prints it: how many cases a month in a year, at most, at last and ahead."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.hindsight import MODEL, HeldOut
from desertion.trends.origins import ENOUGH, summarise
from desertion.trends.rounded import carried, no_forecast, statements, two_digits


class Course(NamedTuple):
    """The monthly level of a fit, for a sentence.

    `early`: mean of a month in an early year. `top`, `month`: level of the highest month, and its first day. `low`:
    lower end of the last month's interval. `n` reports stand behind it, `ids` are their statements.
    """

    early: float
    top: float
    month: date
    low: float
    n: int
    ids: str


def course(fit: Fit | Refused, year: int) -> Course | Refused:
    """The level in `year`, at its highest and in the last month; refused where the reports do not reach all `year`."""
    if isinstance(fit, Refused):
        return fit
    if (lacking := carried(fit)) is not None:
        return lacking
    first, last = fit.starts[0], fit.ends[-1]
    if first > date(year, 1, 1) or last < date(year, 12, 31):
        return Refused(f"the reports reach from {first} to {last}, not over all of {year}", f"reports of {year}")
    path, early = fit.intensity(), fit.totals([year])["mean"].iloc[0] / 12
    top = path.iloc[int(path["mean"].argmax())]
    return Course(early, top["mean"], top["period_start"], path["low"].iloc[-1], len(fit.obs), statements(fit))


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


def ahead(fit: Fit | Refused, held_out: HeldOut, months: int) -> Ahead | Refused:
    """The forecast `months` ahead, or as far as it was tested; refused where none is shown (`rounded.no_forecast`)."""
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


def tests(fit: Fit | Refused, held_out: HeldOut) -> Tests | Refused:
    """The counts that could test a forecast of the reference series of `fit`; refused where it carries no levels."""
    if isinstance(fit, Refused):
        return fit
    if (lacking := carried(fit)) is not None:
        return lacking
    return Tests(len(held_out), ENOUGH, fit.obs.last(int(fit.obs.stop.argmax())), statements(fit))
