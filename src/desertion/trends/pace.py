"""The level of a fit as a sentence prints it: how many cases a month in a year, at most, at last and ahead."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.hindsight import MODEL, HeldOut
from desertion.trends.origins import summarise
from desertion.trends.rounded import carried, statements, two_digits


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
    """The forecast `months` ahead; refused where `fit` carries no levels or `held_out` shows no forecast."""
    if isinstance(fit, Refused):
        return fit
    if (refused := carried(fit) or held_out.refused) is not None:
        return refused
    own = next(line for line in summarise(held_out.scored) if line.model == MODEL)
    last = composite.outlook(fit, months).query("kind == 'forecast'").iloc[-1]
    low, mid, high = last[["low95", "median", "high95"]].map(two_digits)
    width = last["high95"] / last["median"] if last["median"] else float("inf")
    n = len(held_out)
    return Ahead(last["period_start"], low, mid, high, width, n, n * own.coverage["0.95"], statements(fit))
