"""Forecasts: known predictive laws, what they refuse, coverage, and rolling origins against baselines."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats
from support.origins import every_origin

from desertion.csv_models import forecast, smooth
from desertion.errors import UserError
from desertion.trends import Refused, arrays, laws, origins, regression, terms
from desertion.trends.grid import Grid


def monthly(y: np.ndarray, exposure: np.ndarray | None = None) -> Grid:
    return Grid(date(2020, 1, 1), 1, np.arange(1.0, len(y) + 1), np.asarray(y, float), exposure)


def ahead(
    y: np.ndarray,
    trend: str,
    model: regression.Model,
    steps: int = 12,
    exposure: np.ndarray | None = None,
    **options: int,
) -> list[forecast.Step] | Refused:
    grid = monthly(y, exposure)
    fit = smooth.fit_trend(grid, terms.parse(trend), model, harmonics=options.get("harmonics", 0))
    assert isinstance(fit, regression.Regression), fit
    return forecast.forecast(fit, grid, terms.parse(trend), steps, **options)


def steps_of(result: list[forecast.Step] | Refused) -> list[forecast.Step]:
    assert isinstance(result, list), result
    return result


def test_a_constant_rate_is_forecast_by_its_predictive_law() -> None:
    y = np.array([9, 12, 10, 11, 8, 13, 10, 9, 12, 11, 10, 12] * 2)
    steps = steps_of(ahead(y, "constant", "poisson", 3))
    # Gamma posterior of the rate, so negative binomial counts
    law = stats.nbinom(y.sum() + 0.5, 24 / 25)
    for step in steps:
        assert step.mean == pytest.approx(law.mean(), rel=0.01)
        assert step.median == law.median()
        for level, (low, high) in step.intervals.items():
            assert low == pytest.approx(law.ppf((1 - level) / 2), abs=1)
            assert high == pytest.approx(law.ppf((1 + level) / 2), abs=1)
    assert [str(step.period_start) for step in steps] == ["2022-01-01", "2022-02-01", "2022-03-01"]
    assert str(steps[1].period_end) == "2022-02-28"


def test_intervals_nest_widen_and_hold_whole_counts() -> None:
    rng = np.random.default_rng(1)
    y = laws.sample("nb2", np.exp(3 + 0.04 * np.arange(48)), 0.1, rng)
    steps = steps_of(ahead(y, "linear", "nb2", 24))
    for step in steps:
        (a, b), (c, d), (e, f) = (step.intervals[level] for level in (0.5, 0.8, 0.95))
        assert e <= c <= a <= step.median <= b <= d <= f
        assert all(value == int(value) for value in (a, b, c, d, e, f, step.median))
    widths = [np.log((s.intervals[0.8][1] + 1) / (s.intervals[0.8][0] + 1)) for s in steps]
    assert widths[-1] > widths[0]


def test_the_same_seed_gives_the_same_forecast_and_the_last_exposure_stays() -> None:
    rng = np.random.default_rng(2)
    exposure = np.linspace(1, 4, 36)
    y = rng.poisson(20 * exposure)
    one, two = (steps_of(ahead(y, "constant", "poisson", 2, exposure, seed=5)) for _ in range(2))
    assert one == two
    assert one[0].mean == pytest.approx(80, rel=0.1)
    assert steps_of(ahead(y, "constant", "poisson", 2, exposure, seed=6)) != one


def test_harmonics_and_steps_go_on_in_the_forecast() -> None:
    season = 40 * np.exp(0.5 * np.cos(2 * np.pi * np.arange(1, 49) / 12))
    steps = steps_of(ahead(np.round(season), "constant", "poisson", 12, harmonics=1))
    assert [step.mean for step in steps] == pytest.approx(season[:12], rel=0.05)
    y = np.array([10, 11, 9, 10, 12, 8] * 2 + [30, 29, 31, 33, 28, 30] * 2)
    stepped = steps_of(ahead(y, "step:2021-01-01", "poisson", 2))
    assert stepped[0].mean == pytest.approx(30, rel=0.05)


def test_what_forecasts_nothing_says_so() -> None:
    y = np.random.default_rng(3).poisson(20, 40)
    for trend, model in (("linear", "quasi-poisson"), ("smooth", "poisson")):
        assert isinstance(ahead(y, trend, model), Refused)
    for steps in (0, -1, 10**6):
        with pytest.raises(UserError, match="forecast"):
            ahead(y, "linear", "poisson", steps)


def test_absurd_growth_stays_finite() -> None:
    steps = steps_of(ahead(np.array([1, 30, 900, 27000, 810000]), "linear", "poisson", 60))
    assert all(np.isfinite(step.mean) for step in steps)


def test_nb2_forecasts_with_parameter_draws_cover_and_poisson_ones_do_not() -> None:
    rng = np.random.default_rng(20240320)
    index = np.arange(1, 49)
    Y = laws.sample("nb2", np.broadcast_to(np.exp(3.5 + 0.02 * index), (60, 48)), 0.15, rng)
    covered: dict[str, list[bool]] = {"nb2": [], "poisson": []}
    for y in Y:
        for model in ("nb2", "poisson"):
            result = ahead(y[:36], "linear", model, 12, draws=2000)  # type: ignore[arg-type]
            for step, seen in zip(steps_of(result), y[36:], strict=True):
                covered[model].append(step.intervals[0.95][0] <= seen <= step.intervals[0.95][1])
    assert 0.91 <= np.mean(covered["nb2"]) <= 0.98
    assert np.mean(covered["poisson"]) < 0.7


# rolling origins


def test_origins_have_six_counts_behind_and_the_next_as_target() -> None:
    every = every_origin(np.arange(1.0, 11), labels=[f"m{i}" for i in range(10)])
    known = [(origin.label, len(origin.counts), origin.target) for origin in every]
    assert known == [("m5", 6, 7), ("m6", 7, 8), ("m7", 8, 9), ("m8", 9, 10)]


def test_baselines_centre_where_they_say() -> None:
    rng = np.random.default_rng(4)
    counts = np.array([100.0, 110, 125, 140, 150, 300])
    origin = origins.Origin("now", counts, np.array([1.0] * 5 + [2.0]), 0, 3.0)
    last = 300.5 / 2 * 3
    assert np.median(origins.last_value(origin, rng)) == pytest.approx(last, rel=0.03)
    assert np.median(origins.random_walk(origin, rng)) == pytest.approx(last, rel=0.03)
    growth = (300.5 / 2) / 150.5
    assert np.median(origins.same_growth(origin, rng)) == pytest.approx(last * growth, rel=0.03)


def test_a_model_that_knows_the_law_beats_the_baselines_and_comes_first() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(200 * np.exp(0.6 * np.sin(np.arange(30)))).astype(float)

    def knowing(origin: origins.Origin, rng: np.random.Generator) -> arrays.Floats:
        return rng.poisson(200 * np.exp(0.6 * np.sin(len(origin.counts))), 2000).astype(float)

    scored, refused = origins.score(every_origin(counts), {"knowing": knowing})
    assert refused == {}
    summary = origins.summarise(scored)
    assert summary[0].model == "knowing"
    assert summary[0].wis < summary[1].wis / 2
    assert summary[0].coverage["0.95"] > 0.8


def test_a_model_that_refuses_an_origin_is_left_out_with_its_reason() -> None:
    def refusing(origin: origins.Origin, rng: np.random.Generator) -> Refused:
        return Refused("no vintages", "vintages")

    scored, refused = origins.score(every_origin(np.arange(5.0, 14)), {"nowcast": refusing})
    summary = origins.summarise(scored)
    assert {line.model for line in summary} == set(origins.BASELINES)
    assert {line.origins for line in summary} == {3}
    assert "no vintages" in refused["nowcast"].reason
