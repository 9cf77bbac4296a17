"""Diagnostics accept the law that made the counts and reject another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from desertion.trends import Refused, diagnose, laws
from desertion.trends.regression import Regression, fit_design


def counts(n: int = 120, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    mean = np.exp(2.5 + 0.01 * np.arange(n))
    return laws.sample("nb2", mean, 0.4, np.random.default_rng(seed)), mean


def test_quantile_residuals_are_normal_under_the_law_and_not_under_poisson() -> None:
    y, mean = counts(600)
    right = diagnose.quantile_residuals("nb2", y, mean, 0.4)
    assert stats.kstest(right, "norm").pvalue > 0.05
    assert stats.kstest(diagnose.quantile_residuals("poisson", y, mean), "norm").pvalue < 1e-6
    assert (diagnose.quantile_residuals("nb2", y, mean, 0.4) == right).all()
    rounded = np.floor(y / 10) * 10
    assert stats.kstest(diagnose.quantile_residuals("nb2", rounded, mean, 0.4, rounded + 9), "norm").pvalue > 0.05


def test_pit_is_flat_under_the_law_and_averages_one_always() -> None:
    mean = np.full(2000, 15.0)
    y = laws.sample("nb2", mean, 0.4, np.random.default_rng(1))
    for law, dispersion in (("nb2", 0.4), ("poisson", 1.0)):
        heights = diagnose.pit(laws.cdf(law, y - 1, mean, dispersion), laws.cdf(law, y, mean, dispersion))
        assert heights.mean() == pytest.approx(1)
        assert (np.abs(heights - 1).max() < 0.25) == (law == "nb2")


def test_rootogram_counts_every_cell_and_expects_as_many() -> None:
    y, mean = counts(200)
    bars = diagnose.rootogram("nb2", y, mean, 0.4)
    assert isinstance(bars, list)
    assert sum(bar.observed for bar in bars) == 200
    assert sum(bar.expected for bar in bars) == pytest.approx(200)
    assert max(abs(bar.hanging) for bar in bars) < 1.5
    poisson = diagnose.rootogram("poisson", y, mean)
    assert isinstance(poisson, list)
    assert max(abs(bar.hanging) for bar in poisson) > 2
    assert isinstance(diagnose.rootogram("nb2", y[:20], mean[:20], 0.4), Refused)


def test_autocorrelation_of_a_wave_and_its_refusals() -> None:
    found = diagnose.autocorrelation(np.tile([1.0, -1.0], 20), 2)
    assert isinstance(found, np.ndarray)
    assert found == pytest.approx([-39 / 40, 38 / 40])
    assert isinstance(diagnose.autocorrelation(np.ones(4)), Refused)
    assert isinstance(diagnose.autocorrelation(np.array([1.0] * 9 + [np.nan])), Refused)


def test_influence_points_at_the_count_that_bends_the_trend() -> None:
    y = np.array([20, 21, 19, 20, 22, 20, 19, 21, 20, 90], float)
    X = np.column_stack([np.ones(10), np.arange(10.0)])
    fit = fit_design(y, X, ("constant", "linear"))
    assert isinstance(fit, Regression)
    found = diagnose.diagnose(fit)
    assert isinstance(found, diagnose.Diagnosis)
    assert np.argmax(np.abs(found.influence[:, 1])) == 9
    again = fit_design(y[:9], X[:9], ("constant", "linear"))
    assert isinstance(again, Regression)
    assert found.influence[9] == pytest.approx((again.estimate - fit.estimate) / fit.se)
    assert found.p_uniform == pytest.approx(stats.kstest(found.residuals, "norm").pvalue)
    quasi = fit_design(y, X, ("constant", "linear"), model="quasi-poisson")
    assert isinstance(quasi, Regression)
    assert isinstance(diagnose.diagnose(quasi), Refused)
