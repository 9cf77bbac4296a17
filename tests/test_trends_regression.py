"""Regressions of counts: published fits, statsmodels, closed forms, the grammar of trends and every refusal."""

from __future__ import annotations

import json
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from desertion.csv_models import smooth
from desertion.errors import UserError
from desertion.trends import Refused, laws, regression, terms
from desertion.trends.grid import Grid, annual
from desertion.trends.regression import Regression, fit_design, fit_trend

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}


def monthly(counts: Any, first: date = date(1970, 1, 1), exposure: Any = None, months: int = 1) -> Grid:
    y = np.asarray(counts, dtype=float)
    return Grid(first, months, np.arange(1.0, len(y) + 1), y, None if exposure is None else np.asarray(exposure, float))


def fitted(result: Regression | Refused) -> Regression:
    assert isinstance(result, Regression), result
    return result


def refused(result: object) -> Refused:
    assert isinstance(result, Refused), result
    return result


def dummies(values: list[Any]) -> np.ndarray:
    levels = sorted(set(values), key=values.index)[1:]
    return np.column_stack([np.array(values) == level for level in levels]).astype(float)


# published fits


def test_dobson_trial() -> None:
    case = CASES["R07-glm-D93"]
    X = np.column_stack([np.ones(9), dummies(case["data"]["outcome"]), dummies(case["data"]["treatment"])])
    fit = fitted(fit_design(case["data"]["counts"], X, tuple("abcde")))
    reference = case["reference"]
    assert fit.deviance == pytest.approx(reference["deviance"], abs=case["atol"])
    assert fit.aic == pytest.approx(reference["aic"], abs=case["atol"])
    assert fit.loglik == pytest.approx(reference["llf"], abs=case["atol"])
    null = fitted(fit_design(case["data"]["counts"], np.ones((9, 1)), ("constant",)))
    assert null.deviance == pytest.approx(reference["null"], abs=case["atol"])


def test_aids_cases_on_log_time() -> None:
    case = CASES["R09-dobson-4.5"]
    fit = fitted(fit_trend(monthly(case["data"]["y"], date(1984, 1, 1), months=3), terms.parse("log")))
    assert fit.names == ("constant", "log")
    assert fit.estimate == pytest.approx(case["reference"]["b"], abs=case["atol"])
    assert fit.estimate == pytest.approx(case["recomputed"]["b"], abs=1e-8)
    assert fit.deviance == pytest.approx(21.75511, abs=1e-5)
    assert fit.se == pytest.approx([0.169708, 0.064634], abs=1e-6)


def polynomial(values: list[str], order: list[str]) -> np.ndarray:
    """Orthonormal polynomial contrasts, as R's contr.poly."""
    k = np.arange(len(order), dtype=float)
    q, r = np.linalg.qr(np.vander(k - k.mean(), increasing=True))
    return (q * np.sign(np.diag(r)))[:, 1:][[order.index(v) for v in values]]


def test_insurance_claims_with_an_exposure() -> None:
    case = CASES["R11-MASS-insurance"]
    data = case["data"]
    age = polynomial(data["Age"], ["<25", "25-29", "30-35", ">35"])
    group = polynomial(data["Group"], ["<1l", "1-1.5l", "1.5-2l", ">2l"])
    X = np.column_stack([np.ones(64), dummies(data["District"]), group, age])
    fit = fitted(fit_design(data["Claims"], X, tuple("abcdefghij"), offset=np.log(data["Holders"])))
    assert fit.estimate == pytest.approx(case["recomputed"]["b"], abs=1e-8)
    assert fit.deviance == pytest.approx(case["reference"]["deviance"], abs=1e-5)
    assert fit.pearson_chi2 == pytest.approx(case["reference"]["pearson"], abs=1e-4)
    assert fit.aic == pytest.approx(case["reference"]["aic"], abs=case["atol"])


@pytest.mark.parametrize(("model", "key"), [("poisson", "pois"), ("nb2", "nb2"), ("nb1", "nb1")])
def test_health_insurance_experiment(model: regression.Model, key: str) -> None:
    import statsmodels.api as sm

    case = CASES["R13-randhie"]
    data = sm.datasets.randhie.load()
    y = np.asarray(data.endog, dtype=float)
    X = np.column_stack([np.asarray(data.exog, dtype=float), np.ones(len(y))])
    fit = fitted(fit_design(y, X, tuple(f"x{i}" for i in range(10)), model=model))
    expected = np.array(case["reference"][key])
    assert fit.estimate == pytest.approx(expected[:10], abs=case["atol"], rel=case["rtol"])
    if model == "nb2":
        assert fit.dispersion == pytest.approx(expected[10], rel=case["rtol"])
        assert fit.aic == pytest.approx(case["reference"]["nb2_aic"], rel=1e-9)
    if model == "nb1":
        assert fit.dispersion == pytest.approx(1 + expected[10], rel=case["rtol"])
        assert fit.loglik == pytest.approx(case["reference"]["nb1_llf"], rel=1e-9)


def test_executions_by_state() -> None:
    import statsmodels.api as sm

    case = CASES["R14-cpunish"]
    data = sm.datasets.cpunish.load()
    X = np.asarray(data.exog, dtype=float)
    X[:, 3] = np.log(X[:, 3])
    X = np.column_stack([X, np.ones(len(X))])
    fit = fitted(fit_design(np.asarray(data.endog, float), X, tuple("abcdefg")))
    reference = case["reference"]
    assert fit.estimate == pytest.approx(reference["b"], rel=case["rtol"])
    assert fit.deviance == pytest.approx(reference["deviance"], rel=case["rtol"])
    assert fit.pearson_chi2 == pytest.approx(reference["pearson"], rel=case["rtol"])
    assert fit.aic == pytest.approx(reference["aic"], rel=case["rtol"])


def test_polio_with_a_trend_and_two_harmonics() -> None:
    # the plain Poisson fit in the note of the case; its trend is (t − 73)/1000
    y = CASES["R15-polio-glarma"]["data"]["y"]
    fit = fitted(fit_trend(monthly(y), terms.parse("linear"), harmonics=2))
    assert fit.names == ("constant", "linear", "cos:1", "sin:1", "cos:2", "sin:2")
    b = fit.estimate.copy()
    b[0] += 73 * b[1]
    b[1] *= 1000
    for k in (1, 2):  # the case counts its harmonics from t = 73
        turn = np.exp(2j * np.pi * k * 73 / 12) * (b[2 * k] - 1j * b[2 * k + 1])
        b[2 * k], b[2 * k + 1] = turn.real, -turn.imag
    assert b == pytest.approx([0.206938, -4.798661, -0.148733, -0.531877, 0.1691, -0.432144], abs=1e-6)
    assert fit.deviance == pytest.approx(288.85489, abs=1e-5)


# closed forms and statsmodels


def test_a_step_is_the_ratio_of_two_means_and_quasi_poisson_widens_it() -> None:
    y = [12, 9, 15, 8, 31, 25, 40, 28, 30]
    grid = annual(list(range(2010, 2019)), y)
    fit = fitted(fit_trend(grid, terms.parse("step:2014-01-01")))
    before, after = np.mean(y[:4]), np.mean(y[4:])
    assert fit.names == ("constant", "step:2014-01-01")
    assert fit.estimate == pytest.approx([np.log(before), np.log(after / before)], abs=1e-12)
    assert fit.se[1] == pytest.approx(np.sqrt(1 / sum(y[:4]) + 1 / sum(y[4:])), rel=1e-10)
    quasi = fitted(fit_trend(grid, terms.parse("step:2014-01-01"), "quasi-poisson"))
    assert quasi.dispersion == pytest.approx(fit.pearson_chi2 / 7)
    assert quasi.se == pytest.approx(fit.se * np.sqrt(quasi.dispersion), rel=1e-12)
    assert quasi.multiplier == pytest.approx(2.364624, abs=1e-6)  # t with 7 degrees of freedom
    assert (quasi.loglik, quasi.aic) == (None, None)


def test_the_articles_three_counts_carry_no_trend() -> None:
    grid = annual([2021, 2022, 2023], [527, 887, 4373])
    poisson = fitted(fit_trend(grid, terms.parse("linear")))
    assert poisson.pearson_chi2 == pytest.approx(180.9, abs=0.05)
    assert any("180.9" in doubt for doubt in poisson.warnings)
    quasi = fitted(fit_trend(grid, terms.parse("linear"), "quasi-poisson"))
    assert quasi.growth(1) == pytest.approx((3.43, 0.0755, 155.8), rel=0.001)
    assert any("1 residual degrees of freedom" in doubt for doubt in quasi.warnings)
    for model in ("nb2", "nb1"):
        assert "no degree of freedom" in refused(fit_trend(grid, terms.parse("linear"), model)).reason
    assert "no degree of freedom" in refused(fit_trend(grid, terms.parse("quadratic"))).reason


@pytest.mark.parametrize("law", ["nb1", "nb2"])
def test_negative_binomials_are_those_of_statsmodels(law: laws.Law) -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    rng = np.random.default_rng(5)
    index = np.arange(1.0, 61)
    y = laws.sample(law, np.exp(3 + 0.02 * index), 4.0 if law == "nb1" else 0.3, rng)
    exposure = rng.uniform(0.5, 2, 60)
    fit = fitted(fit_trend(monthly(y, exposure=exposure), terms.parse("linear"), law))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NegativeBinomial(y, np.column_stack([np.ones(60), index]), loglike_method=law, offset=np.log(exposure))
        rough = model.fit(disp=0, maxiter=500).params
        theirs = model.fit(start_params=rough, method="newton", tol=1e-13, maxiter=100, disp=0)
    assert fit.estimate == pytest.approx(theirs.params[:2], abs=1e-8)
    assert fit.dispersion == pytest.approx(theirs.params[2] + (law == "nb1"), rel=1e-8)
    assert fit.se == pytest.approx(theirs.bse[:2], rel=1e-6)
    assert fit.loglik == pytest.approx(theirs.llf, rel=1e-10)
    assert fit.aic == pytest.approx(theirs.aic, rel=1e-10)


def test_deviance_is_twice_the_loss_to_the_best_mean() -> None:
    rng = np.random.default_rng(6)
    y = laws.sample("nb1", np.full(40, 9.0), 3.0, rng)
    y[0] = 0
    grid = monthly(y)
    for law in ("poisson", "nb1", "nb2"):
        fit = fitted(fit_trend(grid, terms.parse("constant"), law))
        assert fit.fitted == pytest.approx(np.full(40, y.mean()), rel=1e-3)
        means = np.exp(np.linspace(-12, 6, 20001))
        best = sum(laws.logpmf(fit.law, value, means, fit.dispersion).max() for value in y)
        assert fit.loglik is not None
        assert fit.deviance == pytest.approx(2 * (best - fit.loglik), abs=1e-3)


def test_aicc_corrects_for_few_counts_and_ends_where_it_divides_by_nothing() -> None:
    y = [4, 9, 3, 7, 8, 12]
    fit = fitted(fit_trend(annual(list(range(2000, 2006)), y), terms.parse("linear")))
    assert fit.aic is not None
    assert fit.aicc == pytest.approx(fit.aic + 2 * 2 * 3 / (6 - 2 - 1))
    assert fitted(fit_trend(annual([2000, 2001, 2002], y[:3]), terms.parse("linear"))).aicc is None


def test_total_of_a_year_is_exact_for_a_constant() -> None:
    y = [5, 9, 7, 6, 8, 7, 10, 3, 6, 9, 4, 8]
    fit = fitted(fit_trend(monthly(y), terms.parse("constant")))
    mean, low, high = fit.total(list(range(12)))
    half = 1.959963984540054 / np.sqrt(sum(y))
    assert (mean, low, high) == pytest.approx((sum(y), sum(y) * np.exp(-half), sum(y) * np.exp(half)), rel=1e-9)


# properties


@given(
    counts=st.lists(st.integers(1, 400), min_size=6, max_size=30),
    factor=st.floats(0.01, 1000),
    model=st.sampled_from(["poisson", "quasi-poisson", "nb1", "nb2"]),
)
@settings(max_examples=60)
def test_growth_does_not_depend_on_the_unit_of_exposure(
    counts: list[int], factor: float, model: regression.Model
) -> None:
    exposure = np.linspace(1, 3, len(counts))
    one = fit_trend(monthly(counts, exposure=exposure), terms.parse("linear"), model)
    other = fit_trend(monthly(counts, exposure=exposure * factor), terms.parse("linear"), model)
    assert type(one) is type(other)
    if isinstance(one, Regression) and isinstance(other, Regression):
        assert one.estimate[1] == pytest.approx(other.estimate[1], abs=1e-7)
        assert one.estimate[0] - np.log(factor) == pytest.approx(other.estimate[0], abs=1e-6)
        assert one.deviance == pytest.approx(other.deviance, rel=1e-6, abs=1e-7)
        low, high = one.interval
        assert np.all(low <= one.estimate)
        assert np.all(one.estimate <= high)


@given(counts=st.lists(st.integers(0, 60), min_size=4, max_size=24).filter(any))
@settings(max_examples=80)
def test_poisson_trend_keeps_the_totals_or_is_refused(counts: list[int]) -> None:
    result = fit_trend(monthly(counts), terms.parse("linear"))
    if isinstance(result, Refused):
        assert "separated" in result.reason
        return
    # the likelihood equations of a canonical link
    assert result.fitted.sum() == pytest.approx(sum(counts), rel=1e-8)
    assert result.fitted @ result.X[:, 1] == pytest.approx(np.array(counts) @ result.X[:, 1], rel=1e-7)


@given(law=st.sampled_from(["poisson", "nb1", "nb2"]), mean=st.floats(0.05, 80), size=st.floats(0.05, 5))
def test_laws_are_laws(law: laws.Law, mean: float, size: float) -> None:
    dispersion = 1 + size if law == "nb1" else size
    k = np.arange(0, 20_000)
    p = np.exp(laws.logpmf(law, k, mean, dispersion))
    assert p.sum() == pytest.approx(1, abs=1e-7)
    assert p @ k == pytest.approx(mean, rel=1e-4)
    assert p @ (k - mean) ** 2 == pytest.approx(float(laws.variance(law, mean, dispersion)), rel=1e-2)
    assert laws.cdf(law, k[:50], mean, dispersion) == pytest.approx(np.cumsum(p)[:50], abs=1e-9)
    assert laws.cdf(law, -1, mean, dispersion) == 0


def test_nb1_is_closed_under_adding_periods_and_splits_as_a_beta_binomial() -> None:
    case = CASES["R29-core-identities"]
    phi, (m1, m2), n = case["data"]["phi"], case["data"]["m"], case["data"]["n"]
    k = np.arange(n + 1)
    joint = laws.logpmf("nb1", k, m1, phi) + laws.logpmf("nb1", n - k, m2, phi)
    whole = float(laws.logpmf("nb1", n, m1 + m2, phi))
    assert np.exp(joint).sum() == pytest.approx(np.exp(whole), rel=1e-12)
    assert np.exp(whole) == pytest.approx(case["reference"]["closure"], rel=case["rtol"])
    a, b = m1 / (phi - 1), m2 / (phi - 1)
    choose = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    split = choose + special.betaln(k + a, n - k + b) - special.betaln(a, b)
    assert joint - whole == pytest.approx(split, abs=1e-10)


def test_the_probability_of_an_interval_is_that_of_its_counts() -> None:
    case = CASES["R29-core-identities"]
    for law, dispersion, expected in (("poisson", 1, case["reference"]["interval"]), ("nb1", 3, -1.4376310922)):
        inside = laws.cdf(law, 2299, 2280, dispersion) - laws.cdf(law, 2249, 2280, dispersion)
        assert np.log(inside) == pytest.approx(expected, rel=case["rtol"])


# the grammar


def test_segmented_is_a_line_with_a_new_level_and_slope() -> None:
    grid = monthly(np.arange(1, 13), date(2022, 1, 1))
    names, X = terms.columns(terms.parse("segmented:2022-07-01"), grid, grid.index)
    assert names == ("constant", "linear", "segmented:2022-07-01:level", "segmented:2022-07-01:slope")
    assert X[:, 1].tolist() == list(range(1, 13))
    assert X[:, 2].tolist() == [0] * 6 + [1] * 6
    assert X[:, 3].tolist() == [0] * 7 + [1, 2, 3, 4, 5]
    two, _ = terms.columns(terms.parse("segmented:2022-05-01,2022-09-01"), grid, grid.index)
    assert len(two) == 6


def test_quadratic_log_and_harmonics_are_in_the_period_index() -> None:
    grid = monthly(np.arange(1, 9), date(2022, 1, 1), months=3)
    names, X = terms.columns(terms.parse("quadratic+log"), grid, grid.index, 2)
    assert names == ("constant", "linear", "quadratic", "log", "cos:1", "sin:1", "cos:2")
    assert X[2].tolist() == pytest.approx([1, 3, 9, np.log(3), 0, -1, -1])


@given(text=st.text(alphabet="linearstpqudcogmh:+,-0123456789 ", max_size=30))
def test_any_text_is_a_trend_or_a_user_error(text: str) -> None:
    try:
        words = repr(terms.parse(text))
    except UserError as error:
        words = str(error)
    assert text in words


@pytest.mark.parametrize(
    "text",
    [
        *("cubic", "", "linear+", "linear+linear", "smooth+linear", "linear:2022-01-01"),
        *("step", "step:2022-02-30", "step:2022", "step:2022-01-01,2023-01-01"),
    ],
)
def test_a_trend_that_is_none_is_named(text: str) -> None:
    with pytest.raises(UserError, match="trend"):
        terms.parse(text)


# refusals


def test_a_break_inside_a_period_is_refused_and_on_its_first_day_it_is_not() -> None:
    grid = monthly(range(5, 29), date(2022, 1, 1))
    refusal = refused(fit_trend(grid, terms.parse("linear+step:2022-09-21")))
    assert "2022-09-21" in refusal.reason
    assert "2022-09-01 to 2022-09-30" in refusal.reason
    fit = fitted(fit_trend(grid, terms.parse("linear+step:2022-10-01")))
    assert "step:2022-10-01" in fit.names


@pytest.mark.parametrize("day", ["2021-01-01", "2022-01-01", "2030-01-01"])
def test_a_break_outside_the_periods_is_refused(day: str) -> None:
    refusal = refused(fit_trend(monthly(range(5, 29), date(2022, 1, 1)), terms.parse(f"step:{day}")))
    assert day in refusal.reason


def test_few_periods_beside_a_break_are_a_warning() -> None:
    fit = fitted(fit_trend(monthly(range(5, 29), date(2022, 1, 1)), terms.parse("step:2022-04-01")))
    assert any("3 and 21" in doubt for doubt in fit.warnings)


def test_what_has_no_finite_estimate_is_refused() -> None:
    assert "all counts are 0" in refused(fit_trend(monthly([0] * 12), terms.parse("linear"))).reason
    step = terms.parse("step:1970-07-01")
    assert "separated" in refused(fit_trend(monthly([0] * 6 + [3, 4, 2, 5, 3, 2]), step)).reason
    assert "separated" in refused(fit_trend(monthly([0] * 11 + [7]), terms.parse("linear"))).reason
    # one event inside the range leaves a finite slope
    assert isinstance(fit_trend(monthly([0] * 5 + [7] + [0] * 6), terms.parse("linear")), Regression)


def test_a_dispersion_at_its_boundary_is_refused() -> None:
    steady = monthly([10, 11, 9, 10, 10, 11, 9, 10, 10, 11, 9, 10])
    for model in ("nb1", "nb2"):
        assert "boundary" in refused(fit_trend(steady, terms.parse("linear"), model)).reason
    assert "boundary" in refused(fit_trend(monthly([8] * 12), terms.parse("constant"), "quasi-poisson")).reason


def test_terms_that_cannot_be_told_apart_are_refused() -> None:
    grid = annual([2021, 2022, 2023, 2024, 2025], [3, 5, 9, 12, 20])
    trend = terms.parse("step:2022-01-01+segmented:2022-01-01")
    assert isinstance(fit_trend(grid, trend), Refused)


def test_too_many_harmonics_and_an_unknown_model_are_user_errors() -> None:
    with pytest.raises(UserError, match="harmonics"):
        fit_trend(monthly(range(1, 25)), terms.parse("linear"), harmonics=7)
    with pytest.raises(UserError, match="harmonics"):
        fit_trend(annual([2021, 2022, 2023], [3, 4, 5]), terms.parse("linear"), harmonics=1)
    with pytest.raises(UserError, match="gamma"):
        fit_design(np.ones(5), np.ones((5, 1)), ("constant",), model="gamma")  # type: ignore[arg-type]


# smooth


def test_a_smooth_follows_a_wave_and_a_constant_alike() -> None:
    rng = np.random.default_rng(7)
    index = np.arange(1.0, 61)
    wave = np.exp(4 + np.sin(index / 9))
    fit = fitted(smooth.fit_trend(monthly(rng.poisson(wave)), terms.parse("smooth")))
    assert np.abs(np.log(fit.fitted / wave)).max() < 0.15
    assert 3 < 60 - fit.df_resid < 10
    flat = fitted(smooth.fit_trend(monthly(rng.poisson(np.full(60, 50.0))), terms.parse("smooth"), "quasi-poisson"))
    assert 60 - flat.df_resid < 4.5
    assert flat.growth(12) is None


def test_a_smooth_of_an_exponential_is_the_straight_line() -> None:
    y = np.round(np.exp(5 + 0.03 * np.arange(1, 41)))
    curve, line = (fitted(smooth.fit_trend(monthly(y), terms.parse(text))) for text in ("smooth", "linear"))
    assert curve.fitted == pytest.approx(line.fitted, rel=0.01)


def test_a_smooth_is_refused_where_it_says_nothing() -> None:
    assert "dispersion" in refused(smooth.fit_trend(monthly(range(1, 41)), terms.parse("smooth"), "nb2")).reason
    assert "8 counts" in refused(smooth.fit_trend(monthly(range(1, 9)), terms.parse("smooth"))).reason


# coverage


@pytest.mark.parametrize(("model", "least", "most"), [("poisson", 0.2, 0.6), ("quasi-poisson", 0.92, 0.985)])
def test_poisson_intervals_miss_overdispersed_growth_and_t_intervals_do_not(
    model: regression.Model, least: float, most: float
) -> None:
    rng = np.random.default_rng(11)
    index = np.arange(1.0, 16)
    X = np.column_stack([np.ones(15), index])
    inside = []
    for y in laws.sample("nb1", np.broadcast_to(np.exp(5 + 0.1 * index), (200, 15)), 20.0, rng):
        low, high = fitted(fit_design(y, X, ("constant", "linear"), model=model)).interval
        inside.append(low[1] <= 0.1 <= high[1])
    assert least <= np.mean(inside) <= most


def test_a_regression_with_fixed_terms_refuses_a_smooth_by_name() -> None:
    with pytest.raises(UserError, match="leave smooth out"):
        fit_trend(monthly(range(1, 41)), terms.parse("smooth"))
