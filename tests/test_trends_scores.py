"""Scores against published values, definitions and each other; files of forecasts and every fault in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import scores as law_scores

from desertion.csv_models import scores as csv_scores
from desertion.errors import UserError
from desertion.trends import laws, scores

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}


def test_wis_is_brachers_and_not_that_with_the_median_twice() -> None:
    case = CASES["R21-wis"]
    data = case["data"]
    score = scores.wis(data["observed"], data["quantiles"], data["levels"])
    assert score == pytest.approx(case["reference"]["bracher"], abs=case["atol"])
    assert score != pytest.approx(case["reference"]["count_median_twice_true"], abs=1e-3)


@given(
    values=st.lists(st.floats(0, 1e4), min_size=7, max_size=7).map(sorted),
    y=st.floats(0, 1e4),
)
def test_wis_is_the_weighted_sum_of_interval_scores(values: list[float], y: float) -> None:
    levels = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
    total = 0.5 * abs(y - values[3])
    for k, alpha in enumerate((0.05, 0.2, 0.5)):
        low, high = values[k], values[6 - k]
        total += alpha / 2 * (high - low) + max(low - y, 0) + max(y - high, 0)
    assert float(scores.wis(y, values, levels)) == pytest.approx(total / 3.5, rel=1e-9, abs=1e-9)


def test_quantile_levels_without_a_partner_are_refused() -> None:
    with pytest.raises(UserError, match=r"0\.1 has no partner 0\.9"):
        scores.wis(3, [1, 2, 4], [0.1, 0.5, 0.8])


def test_scores_of_the_campylobacter_forecasts() -> None:
    """Poisson and negative binomial forecasts of the INGARCH model with a level shift and a spike."""
    case = CASES["R20-campy-ingarch"]
    y = np.array(case["data"]["y"], float)
    # the maximum likelihood estimates of the case, its recursion started at the marginal mean
    b0, b1, a13, shift, spike = 3.28194733, 0.36865256, 0.22006404, 3.12800898, 41.86749005
    start = b0 / (1 - b1 - a13)
    mean = np.empty(140)
    for t in range(140):
        before, season = (y[t - 1] if t else start), (mean[t - 13] if t >= 13 else start)
        mean[t] = b0 + b1 * before + a13 * season + shift * (t >= 83) + spike * (t == 99)
    logs = [law_scores.log_score(law, y, mean, 0.030163035686564973).mean() for law in ("poisson", "nb2")]
    rps = [law_scores.crps(law, y, mean, 0.030163035686564973).mean() for law in ("poisson", "nb2")]
    assert logs == pytest.approx(case["reference"]["logs"], abs=0.002)
    assert rps == pytest.approx(case["reference"]["rps"], abs=0.002)
    assert logs == pytest.approx(case["recomputed"]["logs"], abs=1e-6)
    assert rps == pytest.approx(case["recomputed"]["rps"], abs=1e-6)


@given(y=st.integers(0, 200), mean=st.floats(0.1, 150))
def test_crps_of_poisson_is_the_sum_over_counts(y: int, mean: float) -> None:
    k = np.arange(0, 3000)
    total = np.sum((laws.cdf("poisson", k, mean) - (k >= y)) ** 2)
    assert float(law_scores.crps("poisson", y, mean)) == pytest.approx(total, rel=1e-7, abs=1e-9)


def test_crps_of_a_negative_binomial_with_a_large_size_is_that_of_poisson() -> None:
    for mean in (3.0, 4000.0):
        score = float(law_scores.crps("nb2", mean + 5, mean, 1e-9))
        assert score == pytest.approx(float(law_scores.crps("poisson", mean + 5, mean)), rel=1e-4)


def test_scores_of_a_sample_approach_those_of_its_law() -> None:
    rng = np.random.default_rng(1)
    draws = laws.sample("nb2", np.full(40_000, 30.0), 0.2, rng)
    for y in (10.0, 30.0, 70.0):
        assert scores.crps_sample(y, draws) == pytest.approx(float(law_scores.crps("nb2", y, 30, 0.2)), rel=0.03)
        assert scores.log_score_sample(y, draws) == pytest.approx(
            float(law_scores.log_score("nb2", y, 30, 0.2)), abs=0.05
        )


@given(draws=st.lists(st.integers(0, 50), min_size=2, max_size=30), y=st.integers(0, 60))
def test_crps_of_a_sample_is_its_definition(draws: list[int], y: int) -> None:
    x = np.array(draws, float)
    expected = np.abs(x - y).mean() - np.abs(x[:, None] - x[None, :]).mean() / 2
    assert scores.crps_sample(y, x) == pytest.approx(expected, abs=1e-9)


def test_log_score_of_a_continuous_sample_is_the_kernel_density_of_scoringrules() -> None:
    draws = np.random.default_rng(3).normal(2.5, 1.7, 200)
    width = 1.06 * min(draws.std(ddof=1), np.subtract(*np.percentile(draws, [75, 25])) / 1.34) * 200**-0.2
    density = np.exp(-(((1.3 - draws) / width) ** 2) / 2).mean() / (width * np.sqrt(2 * np.pi))
    assert scores.log_score_sample(1.3, draws) == pytest.approx(-np.log(density), rel=1e-10)


def test_probabilities_of_a_sample_of_counts_sum_to_one() -> None:
    draws = np.array([3.0, 3, 4, 7, 12, 5])
    total = sum(np.exp(-scores.log_score_sample(float(y), draws)) for y in range(-40, 60))
    assert total == pytest.approx(1, abs=1e-6)
    assert scores.log_score_sample(3.0, np.array([3.0, 3, 3, 3])) < 0.1


@pytest.mark.parametrize("score", [law_scores.log_score, law_scores.crps])
def test_scores_are_proper(score: object) -> None:
    """The law that made the counts scores best in the mean."""
    y = laws.sample("nb2", np.full(20_000, 12.0), 0.3, np.random.default_rng(2))
    values, weight = np.unique(y, return_counts=True)

    def mean(*law: object) -> float:
        return float(np.average(score(law[0], values, *law[1:]), weights=weight))  # type: ignore[operator]

    best = mean("nb2", 12.0, 0.3)
    assert all(best < other for other in (mean("poisson", 12.0), mean("nb2", 15.0, 0.3), mean("nb2", 12.0, 0.9)))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "forecasts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def quantile_file() -> str:
    data = CASES["R21-wis"]["data"]
    lines = ["date,observed,quantile_level,predicted"]
    for i, y in enumerate(data["observed"]):
        for level, value in zip(data["levels"], data["quantiles"][i], strict=True):
            lines.append(f"2024-0{i + 1}-01,{y},{level},{value}")
    return "\n".join(lines) + "\n"


def test_a_file_of_quantiles_is_scored(tmp_path: Path) -> None:
    result = csv_scores.score_file(write(tmp_path, quantile_file()))
    assert result["n"] == 3
    assert result["wis"] == pytest.approx(np.mean(CASES["R21-wis"]["reference"]["bracher"]))
    assert result["coverage"] == {"0.5": pytest.approx(1 / 3), "0.8": pytest.approx(1 / 3)}
    assert (result["crps"], result["log_score"]) == (None, None)
    assert "not ranked" in str(result["warnings"])


def test_a_file_of_samples_is_scored_with_each_model_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    draws = {model: rng.poisson(mean, 400) for model, mean in (("good", 20), ("poor", 60))}
    lines = ["model,sample_id,observed,predicted"]
    lines += [f"{model},{i},21,{value}" for model, values in draws.items() for i, value in enumerate(values)]
    result = csv_scores.score_file(write(tmp_path, "\n".join(lines)))
    models = result["models"]
    assert isinstance(models, dict)
    assert models["good"]["crps"] == pytest.approx(scores.crps_sample(21, draws["good"].astype(float)))
    assert models["good"]["crps"] < models["poor"]["crps"]
    assert result["wis"] == pytest.approx((models["good"]["wis"] + models["poor"]["wis"]) / 2)
    assert models["poor"]["coverage"] == {"0.5": 0, "0.8": 0, "0.95": 0}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("quantile_level", "level", "quantile_level"),
        ("0.25,0.0", "0.25,NaN", "row 2.*'NaN'"),
        ("0.25,0.0", "0.25,9.0", "cross"),
        ("0.25,0.0", "1.25,0.0", "between 0 and 1"),
        ("0.25,0.0", "0.1,0.0", "twice"),
        ("1.0,0.25,0.0", "2.0,0.25,0.0", "'2.0' is 1 above"),
        ("0.25,0.0", "0.25,0.0,7", "5 cells"),
        ("2024-02-01,-15.0,0.1,-2.0\n", "", "other quantile levels"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = quantile_file()
    assert old in text
    with pytest.raises(UserError, match=message):
        csv_scores.score_file(write(tmp_path, text.replace(old, new, 1)))


def test_a_missing_an_empty_and_a_binary_file_are_user_errors(tmp_path: Path) -> None:
    for content in (b"", b"observed,predicted,sample_id\n", b"\xff\xfe\x00", b"observed,predicted,sample_id\n1,2,a\n"):
        path = tmp_path / "f.csv"
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"f\.csv"):
            csv_scores.score_file(path)
    with pytest.raises(UserError, match="cannot be read"):
        csv_scores.score_file(tmp_path / "none.csv")
