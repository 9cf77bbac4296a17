"""Change points: published dates, enumeration against numerical integration and against all partitions."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from desertion.csv_models import changepoint
from desertion.trends import Refused

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}

#: British coal-mining disasters a year, 1851–1962 (Jarrett, 1979).
COAL = np.array(
    [
        int(count)
        for count in "4541043406334026335453144155342522342132211113001011003103220111010100"
        "021000110233112111124200014000100000100101"
    ],
    dtype=float,
)


def change_points(y: np.ndarray, exposure: np.ndarray | None = None) -> changepoint.ChangePoints:
    result = changepoint.find(np.asarray(y, float), exposure)
    assert isinstance(result, changepoint.ChangePoints), result
    return result


def test_discoveries_change_where_pelt_says() -> None:
    case = CASES["R19-discoveries-pelt"]
    y = np.array(case["data"]["y"], float)
    assert list(changepoint.partition(y, penalty=2 * np.log(100))) == case["reference"]["cpts"]
    assert list(changepoint.partition(y)) == case["reference"]["cpts"]
    assert list(changepoint.partition(y, penalty=np.log(100))) == [24, 29, 73, 93]
    result = change_points(y)
    assert result.several
    assert result.places == (24, 29, 73)


def test_coal_disasters_change_once_about_1891() -> None:
    assert (len(COAL), COAL.sum()) == (112, 191)
    result = change_points(COAL)
    assert result.partition == (41,)
    assert not result.several
    assert sum(result.probability) == pytest.approx(1)
    assert 1851 + result.places[int(np.argmax(result.probability))] == 1892  # the first year at the new rate
    near = sum(p for place, p in zip(result.places, result.probability, strict=True) if 36 <= place <= 46)
    assert near > 0.9


def test_posterior_of_one_change_is_the_integral_over_both_rates() -> None:
    y, exposure = np.array([2.0, 3, 0, 7, 9]), np.array([1.0, 2, 1, 1, 1.5])
    weights = []
    for cut in range(1, 5):
        product = 1.0
        for part in (slice(0, cut), slice(cut, 5)):

            def joint(rate: float, part: slice = part) -> float:
                means = rate * exposure[part]
                return float(np.prod(means ** y[part] * np.exp(-means) / special.factorial(y[part])) / np.sqrt(rate))

            product *= integrate.quad(joint, 0, 100, limit=200)[0]
        weights.append(product)
    assert changepoint.one_change(y, exposure) == pytest.approx(np.array(weights) / sum(weights), rel=1e-6)


@given(y=st.lists(st.integers(0, 30), min_size=3, max_size=8), penalty=st.floats(0.1, 30))
@settings(max_examples=60)
def test_partition_is_the_best_of_all(y: list[int], penalty: float) -> None:
    def cost(cuts: tuple[int, ...]) -> float:
        edges = (0, *cuts, len(y))
        total = penalty * len(cuts)
        for a, b in pairwise(edges):
            count = sum(y[a:b])
            total -= 2 * (special.xlogy(count, count / (b - a)) - count)
        return total

    every = [cuts for k in range(len(y)) for cuts in combinations(range(1, len(y)), k)]
    assert cost(changepoint.partition(np.array(y, float), penalty=penalty)) == pytest.approx(min(map(cost, every)))


@given(factor=st.floats(0.01, 100), seed=st.integers(0, 50))
@settings(max_examples=20)
def test_the_unit_of_exposure_moves_no_date(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, exposure = rng.poisson(5, 20).astype(float), rng.uniform(0.5, 2, 20)
    one, other = change_points(y, exposure), change_points(y, exposure * factor)
    assert one.partition == other.partition
    assert one.probability == pytest.approx(other.probability, rel=1e-6)


def test_fitted_counts_are_the_mean_of_the_posterior_draws() -> None:
    for y in (COAL, np.array(CASES["R19-discoveries-pelt"]["data"]["y"], float)):
        result = change_points(y)
        draws = result.draws(20_000, np.random.default_rng(1))
        assert draws.mean(axis=0) == pytest.approx(result.fitted, rel=0.03)


def test_without_a_change_the_rate_is_constant_beside_the_posterior() -> None:
    y = np.random.default_rng(2).poisson(40, 36).astype(float)
    result = change_points(y)
    assert result.partition == ()
    assert sum(result.probability) == pytest.approx(1)
    assert result.fitted == pytest.approx(np.full(36, y.mean()), rel=1e-3)
    assert np.ptp(result.draws(10, np.random.default_rng(1)), axis=1).max() == 0


def test_too_few_counts_and_zeros_alone_are_refused() -> None:
    assert isinstance(changepoint.find(np.array([3.0, 4])), Refused)
    assert isinstance(changepoint.find(np.zeros(9)), Refused)
