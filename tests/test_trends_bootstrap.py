"""The batched bootstrap: the estimates of statsmodels, what it flags, and that its intervals cover."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special
from statsmodels.discrete.discrete_model import NegativeBinomial

from desertion.project import UserError
from desertion.trends import Refused, bootstrap, laws
from desertion.trends.grid import annual
from desertion.trends.regression import Regression, fit_design, fit_trend
from desertion.trends.terms import parse


def design(n: int, p: int = 2) -> np.ndarray:
    return np.vander(np.arange(1.0, n + 1), p, increasing=True)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_poisson_estimates_are_those_of_statsmodels(p: int) -> None:
    rng = np.random.default_rng(1)
    X, offset = design(60, p), rng.uniform(-1, 1, 60)
    Y = rng.poisson(np.exp(offset + 2.5 + 0.03 * np.arange(60)), size=(15, 60)).astype(float)
    batch = bootstrap.fit_batch(Y, X, offset)
    assert batch.ok.all()
    for i, y in enumerate(Y):
        theirs = sm.GLM(y, X, family=sm.families.Poisson(), offset=offset).fit(tol=1e-14, tol_criterion="params")
        assert batch.coefficients[i] == pytest.approx(theirs.params, abs=1e-8)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_nb2_estimates_are_those_of_statsmodels(p: int) -> None:
    rng = np.random.default_rng(2)
    X = np.vander(np.arange(1, 61) / 60, p, increasing=True)
    Y = laws.sample("nb2", np.broadcast_to(np.exp(2.5 + 0.03 * np.arange(60)), (15, 60)), 0.2, rng)
    batch = bootstrap.fit_batch(Y, X, law="nb2")
    assert batch.ok.all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, y in enumerate(Y):
            model = NegativeBinomial(y, X)
            rough = model.fit(disp=0, maxiter=500).params
            theirs = model.fit(start_params=rough, method="newton", tol=1e-14, maxiter=100, disp=0).params
            assert batch.coefficients[i] == pytest.approx(theirs[:-1], abs=1e-8)
            assert batch.dispersion[i] == pytest.approx(theirs[-1], rel=1e-8)


def test_series_of_polygammas_are_those_of_scipy() -> None:
    x = np.concatenate([np.geomspace(1e-4, 1e9, 400), np.arange(1, 40) / 2.0])
    value, slope = bootstrap._psi(x)
    assert value == pytest.approx(special.digamma(x), rel=1e-12, abs=1e-12)
    assert slope == pytest.approx(special.zeta(2, x), rel=1e-11)


def test_replicates_at_the_boundary_keep_their_poisson_estimate_and_are_flagged() -> None:
    rng = np.random.default_rng(3)
    X = design(20)
    Y = rng.poisson(np.exp(1.0 + 0.05 * np.arange(20)), size=(200, 20)).astype(float)
    batch, poisson = bootstrap.fit_batch(Y, X, law="nb2"), bootstrap.fit_batch(Y, X)
    assert 0.4 < batch.boundary.mean() < 0.8  # about half and more without over-dispersion
    assert batch.coefficients[batch.boundary] == pytest.approx(poisson.coefficients[batch.boundary], abs=1e-10)
    excess = ((Y - np.exp(poisson.coefficients @ X.T)) ** 2 - Y).sum(axis=1)
    assert (batch.boundary == (excess <= 0)).all()
    assert (batch.dispersion[batch.boundary] == 0).all()


def test_replicates_without_a_finite_estimate_are_flagged_and_only_they() -> None:
    X = design(12)
    rows = [[0] * 12, [0] * 11 + [5], [5] + [0] * 11, [0] * 5 + [5] + [0] * 6, [1] * 12]
    batch = bootstrap.fit_batch(np.array(rows, float), X)
    assert batch.infinite.tolist() == [True, True, True, False, False]
    assert np.isnan(batch.coefficients[:3]).all()
    single = fit_design(np.array(rows[3], float), X, ("constant", "linear"))
    assert isinstance(single, Regression)
    assert batch.coefficients[3] == pytest.approx(single.estimate, abs=1e-7)


def test_wild_counts_end_where_one_fit_ends() -> None:
    rng = np.random.default_rng(4)
    X = design(12)
    Y = laws.sample("nb2", np.broadcast_to(np.exp(5 + 0.1 * np.arange(12)), (150, 12)), 20.0, rng)
    batch = bootstrap.fit_batch(Y, X, law="nb2")
    assert batch.infinite.mean() < 0.05
    compared = 0
    for i in np.flatnonzero(batch.ok)[:40]:
        single = fit_design(Y[i], X, ("constant", "linear"), model="nb2")
        if isinstance(single, Regression):
            compared += 1
            assert batch.coefficients[i] == pytest.approx(single.estimate, rel=1e-6, abs=1e-6)
    assert compared >= 35


def test_percentile_interval_is_the_normal_one_for_many_counts() -> None:
    grid = annual(list(range(1961, 2021)), list(np.random.default_rng(5).poisson(400, 60).astype(float)))
    fit = fit_trend(grid, parse("linear"))
    assert isinstance(fit, Regression)
    found = bootstrap.bootstrap(fit, 4000, seed=9)
    assert isinstance(found, bootstrap.Bootstrap)
    assert found.left_out == 0
    low, high = fit.interval
    assert found.low == pytest.approx(low, abs=0.12 * fit.se.max())
    assert found.high == pytest.approx(high, abs=0.12 * fit.se.max())
    again = bootstrap.bootstrap(fit, 4000, seed=9)
    assert isinstance(again, bootstrap.Bootstrap)
    assert (again.low == found.low).all()
    assert found.interval(np.array([0.0, 1.0])) == pytest.approx((found.low[1], found.high[1]))


def test_a_bootstrap_that_mostly_fails_is_refused() -> None:
    # five counts just above Poisson variation: most replicates fall back to the boundary
    grid = annual([2019, 2020, 2021, 2022, 2023], [8, 17, 12, 10, 26])
    fit = fit_trend(grid, parse("linear"), "nb2")
    assert isinstance(fit, Regression)
    found = bootstrap.bootstrap(fit, 2000)
    assert isinstance(found, Refused)
    assert "of 2000 replicates" in found.reason


def test_other_models_are_user_errors() -> None:
    grid = annual(list(range(2010, 2020)), [5, 9, 3, 20, 4, 8, 30, 5, 9, 14])
    fit = fit_trend(grid, parse("linear"), "nb1")
    assert isinstance(fit, Regression)
    with pytest.raises(UserError, match="nb1"):
        bootstrap.bootstrap(fit)
