"""Comparing models: AICc on one response, leaving the future out, stacking; and what must not be compared."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from desertion.project import UserError
from desertion.trends import Refused, compare, origins, regression, terms
from desertion.trends.grid import Grid


def monthly(counts: np.ndarray, exposure: np.ndarray | None = None) -> Grid:
    return Grid(date(2015, 1, 1), 1, np.arange(1.0, len(counts) + 1), counts.astype(float), exposure)


def fitted(grid: Grid, trend: str, model: regression.Model = "poisson") -> regression.Regression:
    found = regression.fit_trend(grid, terms.parse(trend), model)
    assert isinstance(found, regression.Regression)
    return found


@pytest.fixture(scope="module")
def grown() -> Grid:
    rng = np.random.default_rng(4)
    return monthly(rng.negative_binomial(8, 8 / (8 + np.exp(3 + 0.04 * np.arange(36)))))


def test_aicc_finds_the_trend_and_the_dispersion_that_made_the_counts(grown: Grid) -> None:
    fits = {f"{model} {trend}": fitted(grown, trend, model)
            for trend in ("constant", "linear", "quadratic") for model in ("poisson", "nb2")}  # fmt: skip
    found = compare.by_aicc(fits)
    assert isinstance(found, list)
    assert found[0].model == "nb2 linear"
    assert found[0].delta == 0
    assert [c.aicc for c in found] == sorted(c.aicc for c in found)
    assert sum(c.weight for c in found) == pytest.approx(1)
    best = fits["nb2 linear"]
    assert found[0].parameters == 3
    assert found[0].aicc == pytest.approx(-2 * best.loglik + 6 + 2 * 3 * 4 / (36 - 3 - 1))
    ratio = found[1].weight / found[0].weight
    assert ratio == pytest.approx(np.exp((found[0].aicc - found[1].aicc) / 2))


def test_other_counts_other_exposures_and_no_likelihood_are_not_compared(grown: Grid) -> None:
    one = fitted(grown, "linear")
    shorter = fitted(monthly(grown.counts[:30]), "linear")
    exposed = fitted(monthly(grown.counts, np.linspace(1, 2, 36)), "linear")
    for other, said in (
        (shorter, "different counts or exposures"), (exposed, "different counts or exposures"),
        (fitted(grown, "linear", "quasi-poisson"), "no likelihood"),
    ):  # fmt: skip
        found = compare.by_aicc({"one": one, "other": other})
        assert isinstance(found, Refused)
        assert said in found.reason
    assert isinstance(compare.by_aicc({"one": one}), Refused)
    few = monthly(np.array([5, 9, 4, 8]))
    found = compare.by_aicc({"constant": fitted(few, "constant"), "quadratic": fitted(few, "quadratic")})
    assert isinstance(found, Refused)
    assert "3 parameters for 4 counts" in found.reason


def test_stacking_two_models_that_are_each_right_half_of_the_time_gives_each_a_half() -> None:
    logs = np.log(np.tile([[0.8, 0.1], [0.1, 0.8]], (6, 1)))
    assert compare.weights(logs) == pytest.approx([0.5, 0.5])
    assert compare.weights(np.log([[0.8, 0.1]] * 9)) == pytest.approx([1, 0], abs=1e-3)
    # by hand: with probabilities (3, 1) twice and (1, 3) once, w solves 2 · 2/(1 + 2w) = 2/(3 − 2w)
    assert compare.weights(np.log([[3, 1], [3, 1], [1, 3]]))[0] == pytest.approx(5 / 6, abs=1e-3)


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(8, 20))
@settings(max_examples=20, deadline=None)
def test_stacking_weights_are_the_best_of_the_simplex(seed: int, models: int, outcomes: int) -> None:
    logs = 2 * np.random.default_rng(seed).standard_normal((outcomes, models))
    found = compare.weights(logs)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)

    def loss(w: np.ndarray) -> float:
        return -float(np.log(np.exp(logs) @ np.maximum(w, 0)).mean())

    best = optimize.minimize(
        loss, np.full(models, 1 / models), bounds=[(0, 1)] * models, method="SLSQP", options={"ftol": 1e-12},
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )  # fmt: skip
    assert loss(found) <= best.fun + 1e-6


def test_an_outcome_that_no_model_allows_is_an_error() -> None:
    with pytest.raises(UserError, match="impossible under every model"):
        compare.weights(np.array([[-np.inf, -np.inf], [0.0, 0.0]]))


def test_leaving_the_future_out_prefers_the_trend_that_goes_on(grown: Grid) -> None:
    models = {name: compare.forecaster(terms.parse(name), "nb1") for name in ("constant", "linear")}
    scored, refused = origins.score(origins.origins(grown.counts)[-12:], models)
    assert not refused
    own = [item for item in scored if item.model in models]
    means = {name: np.mean([item.log_score for item in own if item.model == name]) for name in models}
    assert means["linear"] < means["constant"]
    found = compare.stack(own)
    assert isinstance(found, dict)
    assert found["linear"] > 0.9


def test_stacking_needs_the_same_origins_and_enough_of_them(grown: Grid) -> None:
    scored, _ = origins.score(origins.origins(grown.counts[:20]), {})
    assert isinstance(compare.stack(scored), dict)
    assert isinstance(compare.stack([item for item in scored if item.model == "last value"]), Refused)
    few = compare.stack([item for item in scored if int(item.origin) < 12])
    assert isinstance(few, Refused)
    assert "6 origins" in few.reason
    uneven = compare.stack(scored[1:])
    assert isinstance(uneven, Refused)
    assert "different origins or targets" in uneven.reason


def test_a_forecaster_refuses_periods_of_several_lengths_and_breaks() -> None:
    made = compare.forecaster(terms.parse("linear"), "poisson")
    origin = origins.Origin("x", np.arange(5.0, 13), np.array([1.0] * 7 + [2.0]), 9.0)
    assert isinstance(made(origin, np.random.default_rng(1)), Refused)
    with pytest.raises(UserError, match="no dates"):
        compare.forecaster(terms.parse("step:2020-01-01"), "poisson")


def test_a_blend_draws_from_each_model_by_its_weight() -> None:
    draws = {"low": np.zeros((4000, 2)), "high": np.ones((4000, 2))}
    mixed = compare.blend(draws, {"low": 0.25, "high": 0.75})
    assert mixed.shape == (4000, 2)
    assert mixed.mean() == pytest.approx(0.75, abs=0.03)
    assert (mixed[:, 0] == mixed[:, 1]).all()
