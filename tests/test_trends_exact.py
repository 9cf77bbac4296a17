"""Exact intervals and ratios: published values, closed forms, and that interval and p-value belong together."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from desertion.errors import UserError
from desertion.trends import exact

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}

counts = st.integers(0, 5000)
exposures = st.floats(0.01, 1e4)


def test_garwood_limits_are_the_published_ones() -> None:
    case = CASES["R01-garwood"]
    for key, (low, high) in case["reference"].items():
        count, level = key.split("@")
        rate = exact.interval(int(count), level=int(level) / 100)
        assert (rate.low, rate.high) == pytest.approx((low, high), abs=case["atol"])
    for key, (low, high) in case["data_full"].items():
        rate = exact.interval(int(key))
        assert (rate.low, rate.high) == pytest.approx((low, high), rel=1e-12)


def rate_p_value(x: float, t: float, rate: float) -> float:
    """Two-sided central p-value of a Poisson rate, whose inversion the exact interval is."""
    less, more = stats.poisson.cdf(x, t * rate), stats.poisson.sf(x - 1, t * rate)
    return min(1.0, 2 * min(less, more))


def test_interval_and_p_value_of_15_in_400() -> None:
    case = CASES["R02-desctools-15-400"]
    rate = exact.interval(15, 400)
    assert [rate.low, rate.high] == pytest.approx(case["reference"]["ci"], rel=case["rtol"])
    assert rate_p_value(15, 400, 0.05) == pytest.approx(case["reference"]["p"], rel=case["rtol"])


def test_rate_ratio_is_that_of_r_with_the_p_value_of_its_own_interval() -> None:
    case = CASES["R04-poisson-test-two"]
    (x1, x2), (t1, t2) = case["data"]["x"], case["data"]["T"]
    ratio, reference = exact.rate_ratio(x1, t1, x2, t2), case["reference"]
    assert ratio.ratio == pytest.approx(reference["ratio"], abs=case["atol"])
    assert (ratio.low, ratio.high) == pytest.approx((reference["lo"], reference["hi"]), abs=case["atol"])
    # R prints .0797, the p-value of another test, which does not invert this interval
    assert ratio.p_value == pytest.approx(0.11202, abs=5e-6)


def test_one_sided_p_values_against_a_ratio_of_1_2() -> None:
    case = CASES["R06-gu-2008"]
    (x1, x2), (t1, t2) = case["data"]["x"], case["data"]["T"]
    assert exact.tails(x1, t1, x2, t2, 1.2)[1] == pytest.approx(case["reference"]["exact_greater_1p2"], rel=1e-12)
    assert exact.tails(x1, t1, x2, t2, 1.2, midp=True)[1] == pytest.approx(
        case["reference"]["midp_greater_1p2"], rel=1e-12
    )


@pytest.mark.parametrize(
    ("new", "old", "ratio", "low", "high"),
    [(887, 527, 1.68, 1.51, 1.88), (4373, 887, 4.93, 4.59, 5.31), (4373, 527, 8.30, 7.58, 9.10)],
)
def test_the_articles_own_three_counts(new: int, old: int, ratio: float, low: float, high: float) -> None:
    result = exact.rate_ratio(new, 1, old, 1)
    assert [round(v, 2) for v in (result.ratio, result.low, result.high)] == [ratio, low, high]


def test_assumed_dispersion_of_2023_over_2021() -> None:
    table = exact.assumed_dispersion(4373, 527)
    assert [round(row.factor, 2) for row in table] == [1.09, 1.22, 1.50, 1.89, 2.47, 3.59]
    assert all(round(row.ratio, 2) == 8.30 for row in table)
    assert table[-1].low > 2.3
    assert table[-1].low * table[-1].factor == pytest.approx(table[-1].ratio)


def test_nine_in_five_years_against_289_in_one() -> None:
    ratio = exact.rate_ratio(289, 1, 9, 5)
    assert (ratio.ratio, ratio.low, ratio.high) == pytest.approx((160.6, 83.4, 354.7), abs=0.05)


def test_no_event_on_one_side_gives_a_limit_on_the_other_side_only() -> None:
    none, some = exact.rate_ratio(0, 1, 5, 1), exact.rate_ratio(5, 1, 0, 1)
    assert (none.ratio, none.low) == (0, 0)
    assert (some.ratio, some.high) == (math.inf, math.inf)
    assert none.high == pytest.approx(1 / some.low)
    # with no event among n, 1 − p^n is the tail: p = (alpha/2)^(1/n)
    share = 0.025 ** (1 / 5)
    assert none.high == pytest.approx((1 - share) / share)
    assert exact.interval(0).low == 0
    assert exact.interval(0).high == pytest.approx(-math.log(0.025))


@given(x=counts, t=exposures, level=st.floats(0.5, 0.999))
def test_interval_contains_the_rate_and_scales_with_exposure(x: int, t: float, level: float) -> None:
    ratio, unit = exact.interval(x, t, level), exact.interval(x, 1.0, level)
    assert ratio.low <= ratio.rate <= ratio.high
    assert (ratio.rate, ratio.low, ratio.high) == pytest.approx((unit.rate / t, unit.low / t, unit.high / t), rel=1e-12)
    for end, p in ((ratio.low, 1 - level), (ratio.high, 1 - level)):
        if end > 0:
            assert rate_p_value(x, t, end) == pytest.approx(p, rel=1e-6)


@given(x1=counts, x2=counts, t1=exposures, t2=exposures, level=st.floats(0.5, 0.999), midp=st.booleans())
def test_ratio_interval_and_p_value_say_the_same(
    x1: int, x2: int, t1: float, t2: float, level: float, midp: bool
) -> None:
    if x1 == x2 == 0:
        return
    ratio = exact.rate_ratio(x1, t1, x2, t2, level, midp)
    assert ratio.low <= ratio.ratio <= ratio.high
    other = exact.rate_ratio(x2, t2, x1, t1, level, midp)
    assert other.p_value == pytest.approx(ratio.p_value, rel=1e-6, abs=1e-300)
    if ratio.low > 0:
        assert other.high == pytest.approx(1 / ratio.low, rel=1e-9)
    outside = ratio.low > 1 or ratio.high < 1
    if abs(ratio.p_value - (1 - level)) > 1e-9:
        assert outside == (ratio.p_value < 1 - level)
    for end, tail in ((ratio.low, 1), (ratio.high, 0)):
        if 0 < end < math.inf:
            at = exact.tails(x1, t1, x2, t2, end, midp)[tail]
            assert at == pytest.approx((1 - level) / 2, rel=1e-6)


@given(x1=st.integers(0, 400), x2=st.integers(0, 400), t1=exposures, t2=exposures)
def test_ratio_is_clopper_and_pearson_of_the_share(x1: int, x2: int, t1: float, t2: float) -> None:
    if x1 == x2 == 0:
        return
    ratio = exact.rate_ratio(x1, t1, x2, t2)
    # from the quantiles of the beta law: binomtest finds the same limits by a search to 1e-12 of a share
    if x1:
        low = stats.beta.ppf(0.025, x1, x2 + 1)
        assert ratio.low == pytest.approx(low / (1 - low) * t2 / t1, rel=1e-9)
    if x2:
        high = stats.beta.ppf(0.975, x1 + 1, x2)
        assert ratio.high == pytest.approx(high / (1 - high) * t2 / t1, rel=1e-9)


def test_interval_covers_at_least_its_level() -> None:
    rng = np.random.default_rng(1)
    for mean in (0.7, 3.0, 20.0):
        drawn = rng.poisson(mean, 4000)
        limits = {x: exact.interval(int(x)) for x in set(drawn.tolist())}
        covered = np.mean([limits[x].low <= mean <= limits[x].high for x in drawn.tolist()])
        assert covered >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 4000)


def test_a_billion_and_a_million_million_stay_exact() -> None:
    ratio = exact.rate_ratio(10**12, 1, 3 * 10**11, 1)
    half = 1.959963984540054 * math.sqrt(1e-12 + 1 / 3e11)
    assert math.log(ratio.high / ratio.ratio) == pytest.approx(half, rel=1e-3)
    assert math.log(ratio.ratio / ratio.low) == pytest.approx(half, rel=1e-3)


@pytest.mark.parametrize("bad", [-1, 1.5, math.nan, math.inf])
def test_what_is_no_count_is_refused_with_its_value(bad: float) -> None:
    with pytest.raises(UserError, match=repr(bad)):
        exact.interval(bad)
    with pytest.raises(UserError, match=f"first count is {bad!r}"):
        exact.rate_ratio(bad, 1, 3, 1)
    with pytest.raises(UserError, match=f"second count is {bad!r}"):
        exact.rate_ratio(3, 1, bad, 1)


@pytest.mark.parametrize("bad", [0, -2.0, math.nan, math.inf])
def test_what_is_no_exposure_is_refused(bad: float) -> None:
    with pytest.raises(UserError, match="exposure"):
        exact.interval(3, bad)
    with pytest.raises(UserError, match="second exposure"):
        exact.rate_ratio(3, 1, 3, bad)


def test_a_p_value_that_underflows_is_not_0() -> None:
    assert exact.rate_ratio(4373, 1, 527, 1).p_value == exact.LEAST_P
    assert exact.rate_ratio(4373, 1, 527, 1, midp=True).p_value == exact.LEAST_P
    assert exact.rate_ratio(120, 1, 20, 1).p_value == pytest.approx(2 * stats.binom.cdf(20, 140, 0.5), rel=1e-9)


def test_nothing_is_said_of_two_zeros_or_an_impossible_level() -> None:
    with pytest.raises(UserError, match="both counts are 0"):
        exact.rate_ratio(0, 1, 0, 1)
    with pytest.raises(UserError, match="level"):
        exact.interval(3, level=95)
    with pytest.raises(UserError, match="0"):
        exact.assumed_dispersion(0, 5)


def test_importing_it_is_light() -> None:
    heavy = ("statsmodels", "pandas", "scipy.stats")
    code = f"import sys, desertion.trends.exact; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    # Newcombe, R. G. (1998). Two-sided confidence intervals for the single proportion. Statistics in Medicine 17, 857
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_the_published_one(x: int, n: int, low: float, high: float) -> None:
    found = exact.proportion(x, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.share == x / n


@given(st.integers(1, 5000), st.data(), st.floats(0.5, 0.999))
def test_the_interval_of_a_share_solves_the_equation_of_wilson(n: int, data: st.DataObject, level: float) -> None:
    x = data.draw(st.integers(0, n))
    found = exact.proportion(x, n, level)
    z = stats.norm.ppf(0.5 + level / 2)
    assert 0 <= found.low <= found.share <= found.high <= 1
    for end in (found.low, found.high):
        assert (x / n - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / n, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("x", "n"), [(45, 44), (0, 0), (1.5, 4), (-1, 4)])
def test_a_part_above_its_sample_is_refused(x: float, n: float) -> None:
    with pytest.raises(UserError, match=r"a part of 45|sample of 0|the part is 1\.5|the part is -1"):
        exact.proportion(x, n)
