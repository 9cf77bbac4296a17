"""Exact intervals for a Poisson rate and for the ratio of two, the effect of over-dispersion, and shares of a sample.

The first two describe the rate of the process behind a complete enumeration, not doubt about the printed number, and
hold for Poisson variation alone; `assumed_dispersion` shows how much a wider variation would matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy import special

from desertion.errors import UserError

#: Smallest p-value given: one that underflows is not 0, and a smaller one means no more.
LEAST_P = 1e-300


@dataclass(frozen=True)
class Interval:
    """A rate (count for each unit of exposure) and its interval."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Proportion:
    """A share of the whole, from 0 to 1, and its interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class RateRatio:
    """Rate 1 over rate 2, its interval and the two-sided p-value of equal rates, both of one family.

    If the first count is 0, `low` is 0; if the second is 0, `ratio` and `high` are infinite: the interval is then
    bounded on one side only. A p-value of `LEAST_P` means that or less.
    """

    ratio: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Dispersed:
    """The ratio of two counts where the variance is `phi` times the mean: times and divided by `factor`."""

    phi: float
    ratio: float
    factor: float
    low: float
    high: float


def _count(x: float, name: str) -> float:
    if not math.isfinite(x) or x < 0 or x != math.floor(x):
        raise UserError(f"{name} is {x!r}: a count is a whole number, 0 or more")
    return float(x)


def _exposure(t: float, name: str) -> float:
    if not math.isfinite(t) or t <= 0:
        raise UserError(f"{name} is {t!r}: an exposure is a number greater than 0")
    if not 1e-100 <= t <= 1e100:  # so that quotients of rates are finite
        raise UserError(f"{name} is {t!r}: give it in a unit in which it lies between 1e-100 and 1e+100")
    return float(t)


def _alpha(level: float) -> float:
    if not 0 < level < 1:
        raise UserError(f"level is {level!r}: it lies between 0 and 1, as 0.95")
    return 1 - level


def interval(x: float, t: float = 1.0, level: float = 0.95) -> Interval:
    """Exact central interval of a Poisson rate of `x` events in exposure `t` (Garwood, 1936).

    Raises UserError if `x` is no count, `t` is not above 0 or `level` is outside (0, 1).
    """
    x, t, alpha = _count(x, "the count"), _exposure(t, "the exposure"), _alpha(level)
    low = float(special.gammaincinv(x, alpha / 2)) if x else 0.0
    high = float(special.gammainccinv(x + 1, alpha / 2))
    return Interval(x / t, low / t, high / t)


def proportion(x: float, n: float, level: float = 0.95) -> Proportion:
    """Share of `x` in a sample of `n`, with the score interval of Wilson.

    Parameters
    ----------
    x, n : float
        Whole numbers, `x` at most `n`.
    level : float
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    Proportion
        The share and the ends of its interval, each from 0 to 1. It holds for a sample drawn at random: how the sample
        was selected is not in it.

    Raises
    ------
    UserError
        If one is no count, `n` is 0, `x` is above `n`, or `level` is outside (0, 1).

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209–212.
    """
    x, n, level = _count(x, "the part"), _count(n, "the sample"), 1 - _alpha(level)
    if n == 0 or x > n:
        raise UserError(
            f"a part of {x:g} in a sample of {n:g}: the sample has at least 1, and the part at most as many"
        )
    from scipy.stats import binomtest  # here, since scipy.stats takes long to import

    ends = binomtest(int(x), int(n)).proportion_ci(level, method="wilson")
    return Proportion(x / n, float(ends.low), float(ends.high))


def tails(x1: float, t1: float, x2: float, t2: float, null: float = 1.0, midp: bool = False) -> tuple[float, float]:
    """One-sided p-values (ratio less than `null`, ratio greater than `null`) given the sum of the two counts.

    Given x1 + x2, x1 is binomial (Przyborowski & Wilenski, 1940); `midp` counts half of the observed table
    (Lancaster, 1961). Raises UserError as `rate_ratio` does.
    """
    x1, x2 = _count(x1, "the first count"), _count(x2, "the second count")
    odds = null * _exposure(t1, "the first exposure") / _exposure(t2, "the second exposure")
    if not 0 < odds < math.inf:
        raise UserError(f"the ratio {null!r} tested is not a number greater than 0")
    p, q = odds / (1 + odds), 1 / (1 + odds)
    less = float(special.betainc(x2, x1 + 1, q)) if x2 else 1.0
    greater = float(special.betainc(x1, x2 + 1, p)) if x1 else 1.0
    if midp:
        half = max(0.0, less + greater - 1) / 2  # the two tails share the observed table once too often
        if half < 1e-8:  # the sum cancels: take the table itself
            n = x1 + x2
            log_table = special.gammaln(n + 1) - special.gammaln(x1 + 1) - special.gammaln(x2 + 1)
            half = math.exp(float(log_table + special.xlogy(x1, p) + special.xlogy(x2, q))) / 2
        less, greater = less - half, greater - half
    return less, greater


def rate_ratio(x1: float, t1: float, x2: float, t2: float, level: float = 0.95, midp: bool = False) -> RateRatio:
    """Ratio of two Poisson rates, exact given the sum of the counts.

    Interval of the share of x1: Clopper & Pearson (1934); central p-value: Fay (2010), below 1 - level exactly where
    the interval leaves out 1; with `midp` both are mid-p (Lancaster, 1961): less conservative, coverage not guaranteed.
    Raises UserError for no count, no exposure, or two counts of 0.
    """
    x1, x2 = _count(x1, "the first count"), _count(x2, "the second count")
    t1, t2 = _exposure(t1, "the first exposure"), _exposure(t2, "the second exposure")
    alpha = _alpha(level)
    if x1 == 0 and x2 == 0:
        raise UserError("both counts are 0: they say nothing about the ratio; at least one event is needed")
    p_value = max(LEAST_P, min(1.0, 2 * min(tails(x1, t1, x2, t2, midp=midp))))
    ratio = x1 / t1 / (x2 / t2) if x2 else math.inf
    low, high = 0.0, math.inf
    if midp:
        if x1:
            low = _solve(lambda r: tails(x1, t1, x2, t2, r, True)[1] - alpha / 2, x1, t1, x2, t2)
        if x2:
            high = _solve(lambda r: tails(x1, t1, x2, t2, r, True)[0] - alpha / 2, x1, t1, x2, t2)
        return RateRatio(ratio, low, high, p_value)
    # the odds of a quantile as a quotient of two quantiles: 1 - p would cancel where the share is near 1
    if x1:
        odds = special.betaincinv(x1, x2 + 1, alpha / 2) / special.betainccinv(x2 + 1, x1, alpha / 2)
        low = float(odds) * t2 / t1
    if x2:
        odds = special.betainccinv(x1 + 1, x2, alpha / 2) / special.betaincinv(x2, x1 + 1, alpha / 2)
        high = float(odds) * t2 / t1
    return RateRatio(ratio, low, high, p_value)


def _solve(gap: Callable[[float], float], x1: float, t1: float, x2: float, t2: float) -> float:
    """The ratio at which `gap`, monotone in the ratio, is 0: mid-p has no quantile function."""
    from scipy.optimize import brentq  # here, since it takes as long to import as the rest

    start = math.log((x1 + 0.5) / t1 / ((x2 + 0.5) / t2))
    width = 1.0
    while gap(math.exp(start - width)) * gap(math.exp(start + width)) > 0:
        width *= 2
    return math.exp(brentq(lambda r: gap(math.exp(r)), start - width, start + width, xtol=1e-13, rtol=1e-13))


def assumed_dispersion(
    x1: float,
    x2: float,
    phis: Sequence[float] = (1, 5, 20, 50, 100, 200),
    t1: float = 1.0,
    t2: float = 1.0,
    level: float = 0.95,
) -> list[Dispersed]:
    """Ratio (x1/t1)/(x2/t2) with the interval that a variance of phi times the mean would give, for each of `phis`.

    Two counts cannot estimate phi, so it is assumed: log ratio ± z sqrt(phi (1/x1 + 1/x2)), by the delta method
    (McCullagh & Nelder, 1989). Raises UserError if a count is 0 or a phi is not above 0.
    """
    x1, x2 = _count(x1, "the first count"), _count(x2, "the second count")
    if x1 == 0 or x2 == 0:
        raise UserError("a count is 0: the approximation behind the table of dispersions needs both above 0")
    z = float(special.ndtri(1 - _alpha(level) / 2))
    ratio = x1 / _exposure(t1, "the first exposure") / (x2 / _exposure(t2, "the second exposure"))
    table = []
    for phi in phis:
        factor = math.exp(z * math.sqrt(_exposure(phi, "phi") * (1 / x1 + 1 / x2)))
        table.append(Dispersed(float(phi), ratio, factor, ratio / factor, ratio * factor))
    return table
