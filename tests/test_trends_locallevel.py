"""The Gamma–Poisson local level: its limits, its recursion by hand, its smoother and its calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from desertion.trends import Refused, locallevel


def fitted(y: object, **options: object) -> locallevel.LocalLevel:
    result = locallevel.fit(np.asarray(y, float), **options)  # type: ignore[arg-type]
    assert isinstance(result, locallevel.LocalLevel), result
    return result


def moving(n: int, discount: float, rng: np.random.Generator) -> np.ndarray:
    """Counts from the model itself: the level is rescaled by a beta draw in each period."""
    a, b, level, y = 30.0, 1.0, 30.0, []
    for _ in range(n):
        a, b = discount * a, discount * b
        level = level / discount * rng.beta(a, a / discount - a)
        y.append(rng.poisson(level))
        a, b = a + y[-1], b + 1
    return np.array(y, float)


def test_with_discount_1_the_level_is_the_conjugate_posterior() -> None:
    y = np.array([3.0, 5, 2, 4])
    a, b, loglik, mean, _ = locallevel.filtered(y, np.ones(4), np.ones(4), np.array([1.0]))
    assert a[:, 0].tolist() == [3, 8, 10, 14]
    assert b[:, 0].tolist() == [1, 2, 3, 4]
    predicted = [stats.nbinom.logpmf(y[t], y[:t].sum(), t / (t + 1)) for t in (1, 2, 3)]
    assert loglik[0] == pytest.approx(sum(predicted))
    assert np.isnan(mean[0, 0])
    assert mean[1:, 0].tolist() == pytest.approx([3, 4, 10 / 3])


def test_the_likelihood_starts_after_the_first_event_and_a_gap_forgets_twice() -> None:
    y, gaps = np.array([0.0, 0, 2, 3, 1]), np.array([1.0, 1, 1, 2, 1])
    a, b, loglik, *_ = locallevel.filtered(y, np.ones(5), gaps, np.array([0.8]))
    rate = 0.8 * (0.8 * 1 + 1) + 1  # b after the first event: the zeros before it count
    assert b[2, 0] == pytest.approx(rate)
    first = stats.nbinom.logpmf(3, 0.64 * 2, 0.64 * rate / (0.64 * rate + 1))
    shape, rate = 0.64 * 2 + 3, 0.64 * rate + 1
    second = stats.nbinom.logpmf(1, 0.8 * shape, 0.8 * rate / (0.8 * rate + 1))
    assert loglik[0] == pytest.approx(first + second)
    assert a[4, 0] == pytest.approx(0.8 * shape + 1)


def test_the_estimate_is_the_maximum_of_the_likelihood() -> None:
    fit = fitted(moving(80, 0.8, np.random.default_rng(3)))
    grid = np.linspace(0.01, 1, 2000)
    loglik = locallevel.filtered(fit.y, fit.exposure, fit.gaps, grid)[2]
    assert fit.loglik >= loglik.max() - 1e-9
    assert fit.discount == pytest.approx(grid[np.argmax(loglik)], abs=1e-3)
    inside = loglik >= fit.loglik - stats.chi2.ppf(0.95, 1) / 2
    assert (fit.discount_low, fit.discount_high) == pytest.approx((grid[inside].min(), grid[inside].max()), abs=1e-3)


def test_smoothed_levels_follow_the_backward_recursion() -> None:
    fit = fitted(moving(40, 0.7, np.random.default_rng(4)))
    expected = np.empty(40)
    expected[-1] = fit.a[-1] / fit.b[-1]
    for t in range(38, -1, -1):
        expected[t] = fit.discount * expected[t + 1] + (1 - fit.discount) * fit.a[t] / fit.b[t]
    draws = fit.draws(20_000, np.random.default_rng(1))
    assert draws.mean(axis=0) == pytest.approx(expected, rel=0.02)


def test_constant_counts_put_the_discount_at_its_boundary() -> None:
    fit = fitted(np.random.default_rng(5).poisson(20, 100))
    assert fit.boundary or fit.discount_high == 1.0
    assert fitted([10, 11, 9, 10, 10, 11, 9, 10, 10, 11]).boundary


def test_one_step_predictions_are_calibrated_on_the_models_own_counts() -> None:
    rng = np.random.default_rng(6)
    u = []
    for _ in range(12):
        below, upto = locallevel.pit(fitted(moving(60, 0.85, rng)))
        u.append(below + rng.uniform(size=len(below)) * (upto - below))
    assert stats.kstest(np.concatenate(u), "uniform").pvalue > 0.01


def test_forecast_keeps_the_mean_and_widens() -> None:
    fit = fitted(moving(60, 0.8, np.random.default_rng(7)))
    mean, counts = fit.ahead(6, 40_000, np.random.default_rng(1))
    assert counts[:, 5].std() > counts[:, 0].std()
    assert counts.mean(axis=0) == pytest.approx(mean.mean(axis=0), rel=0.03)
    assert mean[:, 0].mean() == pytest.approx(fit.a[-1] / fit.b[-1], rel=0.05)


def test_too_few_counts_after_the_first_event_are_refused() -> None:
    for y in ([0, 0, 0, 0], [0, 0, 0, 4, 2], [5, 6]):
        assert isinstance(locallevel.fit(np.array(y, float)), Refused)
