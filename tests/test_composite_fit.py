"""The fitted composite model: what it recovers, what it refuses, and that its intervals cover."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from support import simulate

from desertion.errors import UserError
from desertion.trends import Refused, composite
from desertion.trends.composite import Fit, Priors, Spec, ahead, fit
from desertion.trends.counts import Observations

Row = tuple[str, str, float, float] | tuple[str, str, float, float, str]


def reports(*rows: Row) -> Observations:
    """Reports (first day, last day, low, high[, series])."""
    names = tuple(dict.fromkeys(row[4] if len(row) > 4 else "cases" for row in rows))
    return Observations(
        tuple(f"F{k + 1:03d}" for k in range(len(rows))),
        np.array([names.index(row[4] if len(row) > 4 else "cases") for row in rows]),
        np.array([date.fromisoformat(row[0]).toordinal() for row in rows]),
        np.array([date.fromisoformat(row[1]).toordinal() + 1 for row in rows]),
        np.array([float(row[2]) for row in rows]),
        np.array([float(row[3]) for row in rows]),
        names,
    )


def years(first: int, *counts: float, series: str = "cases") -> list[Row]:
    return [(f"{first + k}-01-01", f"{first + k}-12-31", n, n, series) for k, n in enumerate(counts)]


def months(year: int, *counts: float, series: str = "cases") -> list[Row]:
    rows: list[Row] = []
    for k, n in enumerate(counts):
        start = pd.Timestamp(year, 1, 1) + pd.DateOffset(months=k)
        rows.append((str(start.date()), str((start + pd.offsets.MonthEnd(0)).date()), n, n, series))
    return rows


def fitted(obs: Observations, spec: Spec | None = None) -> Fit:
    result = fit(obs, spec)
    assert isinstance(result, Fit), result
    return result


def refused(obs: Observations, spec: Spec | None = None) -> Refused:
    result = fit(obs, spec)
    assert isinstance(result, Refused)
    return result


@pytest.fixture(scope="module")
def simulated() -> tuple[simulate.Truth, Fit]:
    rng = np.random.default_rng([0, 19])
    true = simulate.truth(rng)
    return true, fitted(simulate.reports(true, rng))


PRESS = [
    *years(2021, 615, 1001, 5096),
    ("2023-01-01", "2023-05-07", 1053, 1053),
    ("2023-01-01", "2023-06-30", 2076, 2076),
    ("2024-02-01", "2024-02-29", 718, 718),
    ("2024-01-01", "2024-04-12", 2250, 2299),
    ("2024-05-01", "2024-05-31", 844, 844),
    ("2024-01-01", "2024-08-12", 5204, 5204),
]


def test_a_reported_total_is_met_and_not_exceeded_by_the_sum_of_its_months() -> None:
    """At the mode the months of a coarse total are too high by several percent; the posterior mean is not."""
    totals = fitted(reports(*PRESS), Spec(phi=4.8)).totals([2021, 2022, 2023])
    for mean, count in zip(totals["mean"], (615, 1001, 5096), strict=True):
        assert mean == pytest.approx(count, rel=0.02)


def test_posterior_of_the_totals_equals_a_long_run_of_monte_carlo() -> None:
    """15,000 steps of a Metropolis-adjusted Langevin chain at tau 0.27, phi 4.8, run once (acceptance 0.86)."""
    chain = {2021: (616.2, 511, 615, 727), 2022: (1009.0, 875, 1009, 1141), 2023: (5092.7, 4789, 5090, 5419)}
    result = fitted(reports(*PRESS), Spec(tau=0.27, phi=4.8))
    law = result.log_sums(np.kron(np.eye(4)[:3], np.ones(12))[:, : len(result.starts)])
    quantiles = np.exp(law.quantiles(result.tails)).T  # those printed are wider
    for own, center, (mean, low, median, high) in zip(quantiles, law.mean_exp(), chain.values(), strict=True):
        spread = (high - low) / 3.92
        assert center == pytest.approx(mean, abs=0.1 * spread)
        assert own[1] == pytest.approx(median, abs=0.15 * spread)
        assert own[0] == pytest.approx(low, abs=0.25 * spread)
        assert own[2] == pytest.approx(high, abs=0.25 * spread)


def test_truth_is_recovered_from_overlapping_rounded_reports(simulated: tuple[simulate.Truth, Fit]) -> None:
    true, result = simulated
    factors = result.factors().set_index("name")
    assert factors.loc["cases of another compiler", "estimate"] == pytest.approx(true.compiler, abs=0.1)
    assert factors.loc["verdicts", "estimate"] == pytest.approx(true.measure, abs=0.1)
    inside = (result.intensity()["low"] < true.level) & (true.level < result.intensity()["high"])
    assert inside.mean() > 0.85
    growth = result.growth(2021, 2024)
    assert isinstance(growth, dict)
    assert growth["low"] < true.level[36:48].sum() / true.level[:12].sum() < growth["high"]


@pytest.mark.parametrize("delay", [0.0, 2.0])
def test_intervals_cover_the_truth_they_claim_to(delay: float) -> None:
    """Short: 8 data sets of 55 reports. benchmarks/bench_calibration.py is the long one."""
    spec = Spec(delayed=("verdicts",) if delay else (), tau=0.12 if delay else None, phi=3.0 if delay else None)
    chances = []
    for k in range(8):
        rng = np.random.default_rng([5, k])
        true = simulate.truth(rng, delay=delay)
        result = fitted(simulate.reports(true, rng), spec)
        low, high = result.log_sums(np.eye(len(result.starts))).quantiles(np.array([0.025, 0.975]))
        low80, high80 = result.log_sums(np.eye(len(result.starts))).quantiles(np.array([0.1, 0.9]))
        level = np.log(true.level)
        chances.append(
            [((low < level) & (level < high)).mean(), ((low80 < level) & (level < high80)).mean(),
             (result.log_sums(np.eye(len(result.starts))).quantiles(np.array([0.5]))[0] > level).mean()]
        )  # fmt: skip
    covered, covered80, above = np.mean(chances, axis=0)
    assert 0.90 < covered <= 1.0
    assert 0.68 < covered80 < 0.92
    assert 0.35 < above < 0.65


def test_a_delay_is_estimated_where_the_reports_tell_it_and_fixed_and_varied_where_not() -> None:
    rng = np.random.default_rng(4)
    level = np.exp(np.linspace(4, 7, 36))
    cases = rng.poisson(level)
    late = rng.poisson(np.concatenate([np.full(3, level[0]), level[:-3]]))
    result = fitted(
        reports(*months(2021, *cases), *months(2021, *late, series="verdicts")), Spec(delayed=("verdicts",))
    )
    assert not result.varied
    assert float(result.hyper("delay") @ result.posterior.weight) == pytest.approx(3.0, abs=1.2)
    flat = [*years(2021, 1200, 1210, 1190), *years(2022, 1205, series="verdicts")]
    vague = fitted(reports(*flat), Spec(delayed=("verdicts",), phi=2.0, tau=0.1))
    assert len(vague.varied) == 2
    row = vague.factors().set_index("name").loc["delay"]
    assert row["low"] < row["estimate"] < row["high"]
    assert any("delay" in doubt for doubt in composite.warnings(vague))


def test_a_gap_is_prior_driven_and_no_growth_is_given_for_it() -> None:
    rng = np.random.default_rng(2)
    rows = [*months(2015, *rng.poisson(50, 12)), *months(2024, *rng.poisson(400, 12))]
    result = fitted(reports(*rows), Spec(tau=0.15, phi=2.0))
    table = result.intensity().set_index("period_start")
    assert not table.loc[date(2015, 6, 1), "prior_driven"]
    assert table.loc[date(2019, 6, 1), "prior_driven"]
    growth = result.growth(2015, 2019)
    assert isinstance(growth, Refused)
    assert "prior-driven" in growth.reason
    assert isinstance(result.growth(2015, 2024), dict)
    assert any("prior-driven" in doubt for doubt in composite.warnings(result))


def test_contradicting_reports_are_named() -> None:
    result = refused(reports(*PRESS, ("2023-07-01", "2023-12-31", 2950, 2950)))
    assert result.reason == (
        "these reports contradict each other: F003 (5096, 2023-01-01 to 2023-12-31), "
        "F005 (2076, 2023-01-01 to 2023-06-30), F010 (2950, 2023-07-01 to 2023-12-31)"
    )


def test_the_reference_series_is_named_and_never_chosen_by_the_number_of_reports() -> None:
    few, many = years(2021, 615, 1001, 5096, series="few"), months(2022, *[80.0] * 12, series="many")
    one, more = fitted(reports(*few, *many)), fitted(reports(*many, *few), Spec(reference="few"))
    assert one.obs.series_names == more.obs.series_names == ("few", "many")
    pd.testing.assert_frame_equal(one.totals(), more.totals(), rtol=1e-6)
    other = fitted(reports(*few, *many), Spec(reference="many"))
    assert other.obs.series_names == ("many", "few")
    # the level is of the reference: the same cases in another series are a factor away
    assert other.totals([2022])["mean"][0] == pytest.approx(one.totals([2022], "many")["mean"][0], rel=0.05)
    assert "has no report" in str(refused(reports(*few, *many), Spec(reference="none")))
    assert "has a factor" in str(refused(reports(*few, *many), Spec(reference="few", factors={"few": ("a",)})))


def test_what_is_not_identified_is_refused() -> None:
    assert "inside" in refused(reports(*PRESS), Spec(trend="smooth+step:2021-09-21")).reason
    assert "one side" in refused(reports(*PRESS), Spec(trend="smooth+step:2010-01-01")).reason
    assert "parameters" in refused(reports(*years(2021, 527))).reason
    assert "parameters" in refused(reports(*years(2021, 527, 887)), Spec(trend="linear")).reason
    apart = reports(*years(2017, 1187, 983, 910), *years(2022, 884, 4346, series="persons"))
    assert "overlap" in refused(apart).reason
    assert "no report" in refused(reports(*PRESS).take([])).reason
    assert "longer period unit" in refused(reports(*years(1800, 5), *years(2020, 6, 7))).needs


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (9, 3, "runs from high to low"), (-5, -5, "is negative"), (np.nan, np.nan, "is no number"),
        (3.5, 3.5, "is not whole"), (1e12, 1e12, "is larger"), (np.inf, np.inf, "is no number"),
        (4, 7.7, "is not whole"),
    ],
)  # fmt: skip
def test_a_report_that_no_count_could_make_is_refused_by_name(low: float, high: float, message: str) -> None:
    refusal = refused(reports(*months(2021, 10, 12, 9, 15, 11), ("2021-06-01", "2021-06-30", low, high)))
    assert refusal.reason.startswith("F006")
    assert message in refusal.reason


def test_a_report_that_ends_before_it_begins_is_refused_by_name() -> None:
    refusal = refused(reports(*months(2021, 10, 12, 9, 15, 11), ("2021-06-30", "2021-06-01", 5, 5)))
    assert refusal.reason.startswith("F006")
    assert "ends before it begins" in refusal.reason


def test_a_spec_that_cannot_be_is_an_error_and_says_why() -> None:
    obs = reports(*PRESS)
    for spec, word in (
        (Spec(unit="week"), "week"), (Spec(order=3), "order"), (Spec(phi=0.5), "phi"), (Spec(tau=0.0), "tau"),
        (Spec(trend="cubic"), "cubic"), (Spec(level=1.0), "level"), (Spec(exposure=(1.0, 2.0)), "exposure"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=word):
            fit(obs, spec)


def test_a_dispersion_at_its_boundary_is_said() -> None:
    even = fitted(reports(*months(2021, *[100.0] * 36)), Spec(trend="constant", priors=Priors(log_excess_sd=3.0)))
    assert any("boundary" in doubt for doubt in composite.warnings(even))


def test_the_trend_forms_agree_with_the_data_they_are_made_of() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(1, 49)
    step = fitted(
        reports(*months(2020, *rng.poisson(np.exp(4 + 0.02 * t + 0.7 * (t > 24))))), Spec(trend="segmented:2022-01-01")
    )
    rows = step.factors().set_index("name")
    assert rows.loc["segmented:2022-01-01:level", "estimate"] == pytest.approx(0.7, abs=0.15)
    assert rows.loc["linear", "estimate"] == pytest.approx(0.02, abs=0.01)
    walk = fitted(reports(*months(2020, *rng.poisson(np.exp(4 + 0.05 * t)))), Spec(order=2))
    assert walk.factors().set_index("name").loc["linear", "estimate"] == pytest.approx(0.05, abs=0.02)


def test_known_exposure_turns_levels_into_rates() -> None:
    rng = np.random.default_rng(1)
    strength = np.linspace(1.0, 3.0, 24)
    result = fitted(
        reports(*months(2022, *rng.poisson(80 * strength))), Spec(trend="constant", exposure=tuple(strength))
    )
    assert result.factors().loc[0, "estimate"] == pytest.approx(np.log(80), abs=0.1)
    assert result.intensity()["mean"].iloc[-1] == pytest.approx(240, rel=0.1)


def test_forecasts_nest_widen_and_follow_their_scenario(simulated: tuple[simulate.Truth, Fit]) -> None:
    _, result = simulated
    table = composite.forecast(result, 12)
    assert table["period_start"].iloc[0] == date(2026, 1, 1)
    for inner, outer in ((50, 80), (80, 95)):
        assert (table[f"low{outer}"] <= table[f"low{inner}"]).all()
        assert (table[f"high{inner}"] <= table[f"high{outer}"]).all()
    width = np.log(table["high95"] / table["low95"])
    assert width.iloc[-1] > width.iloc[0]
    with pytest.raises(UserError, match="a level that goes on by 'hope' is unknown"):
        composite.forecast(result, 3, path="hope")  # type: ignore[arg-type]


def test_each_path_of_a_forecast_goes_where_its_words_say(simulated: tuple[simulate.Truth, Fit]) -> None:
    _, result = simulated
    past = result.means(0, *result.drawn)
    rng = np.random.default_rng(1)
    ways = {path: ahead.means(result, 24, 0, *result.drawn, path, rng) for path in ahead.PATHS}
    last, three, six = past[:, -1], past[:, -3:].mean(axis=1), past[:, -6:].mean(axis=1)
    np.testing.assert_allclose(ways["level"], np.repeat(last[:, None], 24, axis=1))
    np.testing.assert_allclose(ways["mean"], np.repeat(three[:, None], 24, axis=1))
    np.testing.assert_allclose(np.log(ways["returns"][:, 0] / six), 0.8 * np.log(last / six), atol=1e-9)
    np.testing.assert_allclose(np.log(ways["returns"][:, 23] / six), 0.8**24 * np.log(last / six), atol=1e-9)
    steps = np.diff(np.log(past[:, -13:]), axis=1)
    size = np.sqrt((steps**2).mean(axis=1))
    moved = np.diff(np.log(np.column_stack([last, ways["regime"]])), axis=1) / size[:, None]
    assert moved.std() == pytest.approx(1, abs=0.02)
    assert np.log(ways["walk"][:, -1] / last).std() > np.log(ways["walk"][:, 0] / last).std()


def test_a_pool_gives_each_path_an_equal_share_of_the_draws(simulated: tuple[simulate.Truth, Fit]) -> None:
    _, result = simulated
    pooled = ahead.means(result, 6, 0, *result.drawn, "pool", np.random.default_rng(1))
    theta, nodes = result.drawn
    for place, path in enumerate(ahead.PATHS):
        mine = slice(place, None, len(ahead.PATHS))
        if path not in ("walk", "regime"):
            own = ahead.means(result, 6, 0, theta[mine], nodes[mine], path, np.random.default_rng(1))
            np.testing.assert_array_equal(pooled[mine], own)
    table = composite.forecast(result, 6, path="pool")
    assert table.attrs["draws"].shape == (result.spec.draws, 6)


def test_held_out_reports_are_predicted_and_a_wrong_one_is_seen() -> None:
    rows = [
        ("2021-01-01", "2021-12-31", 480, 480), ("2021-04-01", "2022-03-31", 505, 505),
        ("2021-02-11", "2022-02-10", 480, 529), ("2021-01-01", "2021-03-02", 60, 99),
        *years(2022, 500), *years(2023, 520),
    ]  # fmt: skip
    result = fitted(reports(*rows))
    assert len(result.lattice.held_out) == 1
    row = composite.held_out(result).iloc[0]
    assert row["id"] == "F003"
    assert row["predicted_low"] < 505 < row["predicted_high"]
    assert row["probability"] > 0.3
    rows[2] = ("2021-02-11", "2022-02-10", 700, 749)
    assert composite.held_out(fitted(reports(*rows)))["probability"].iloc[0] < 0.01


def test_predictions_reach_beyond_the_last_report() -> None:
    from desertion.trends.composite import checks

    result = fitted(reports(*PRESS))
    ahead = reports(("2024-08-13", "2024-12-31", 3500, 3500), ("2024-05-01", "2024-05-31", 844, 844))
    table = checks.predict(result, ahead)
    assert table["predicted_low"].iloc[0] < 3500 < table["predicted_high"].iloc[0]
    assert table["probability"].iloc[1] == 1.0  # given that report, its count is known


def test_diagnostics_are_clean_where_the_model_holds(simulated: tuple[simulate.Truth, Fit]) -> None:
    _, result = simulated
    checked = composite.diagnose(result)
    assert np.nanmax(np.abs(checked.reports["residual"])) < 3.5
    assert 10 < checked.effective < 40


def test_influence_finds_the_report_that_does_not_belong() -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(100, 18).astype(float)
    counts[9] = 260
    checked = composite.diagnose(fitted(reports(*months(2021, *counts)), Spec(phi=2.0, tau=0.05)), influence=True)
    left_out = checked.reports["left_out"]
    assert left_out.idxmax() == 9
    assert left_out[9] > 0.999
    assert checked.reports["shift"].abs().idxmax() == 9


def test_gates_close_below_twelve_counts_and_around_a_fragile_break(simulated: tuple[simulate.Truth, Fit]) -> None:
    assert not any(composite.claims(simulated[1]).values())
    few = fitted(reports(*PRESS), Spec(trend="smooth+step:2023-01-01"))
    gates = composite.claims(few)
    assert gates["levels"] is not None
    assert gates["break:2023-01-01"] is not None
    assert any("fragile" in doubt for doubt in composite.warnings(few))


def test_the_same_seed_gives_the_same_tables(simulated: tuple[simulate.Truth, Fit]) -> None:
    obs = reports(*PRESS)
    one, two = fitted(obs), fitted(obs)
    pd.testing.assert_frame_equal(one.summary(), two.summary(), check_exact=True)
    pd.testing.assert_frame_equal(composite.forecast(one, 6), composite.forecast(two, 6), check_exact=True)


def test_order_of_the_reports_does_not_matter() -> None:
    obs = reports(*PRESS)
    spec = Spec(tau=0.2, phi=3.0)
    turned = obs.take(np.arange(len(obs))[::-1])
    a, b = fitted(obs, spec), fitted(turned, spec)
    assert a.loglik == pytest.approx(b.loglik, abs=1e-6)
    np.testing.assert_allclose(a.intensity()["mean"], b.intensity()["mean"], rtol=1e-6)


def test_asking_for_days_that_no_report_reaches_is_an_error() -> None:
    result = fitted(reports(*PRESS))
    with pytest.raises(UserError, match="not inside"):
        result.totals([2030])
    with pytest.raises(UserError, match="backwards"):
        result.totals([(date(2023, 5, 1), date(2023, 4, 1))])
    with pytest.raises(UserError, match="not in the fit"):
        result.intensity("verdicts")


def test_months_too_free_for_the_normal_law_are_refused_and_not_misjudged() -> None:
    """A year's exact total over a rough Poisson walk: the approximation would expect a fifth more than was counted."""
    parts: list[Row] = [("2023-01-01", "2023-05-07", 1053, 1053), ("2023-01-01", "2023-06-30", 2076, 2076)]
    rows = [*years(2021, 615, 1001, 5096), *parts]
    assert "too freely" in refused(reports(*rows), Spec(tau=1.5, phi=1.0)).reason
    for spec in (Spec(tau=0.3, phi=1.0), Spec(tau=0.9, phi=1.0), Spec(tau=0.9, phi=20.0), Spec()):
        total = fitted(reports(*rows), spec).totals([2023])
        assert total["mean"].iloc[0] == pytest.approx(5096, rel=0.01)


def test_a_fit_begun_at_another_ends_where_it_would_alone() -> None:
    obs = reports(*months(2021, 30, 35, 33, 40, 38, 45, 50, 47, 52, 60, 58, 66))
    near = fitted(obs, Spec(tau=0.2, phi=2.0))
    begun = fit(obs, Spec(tau=0.1, phi=5.0), near)
    assert isinstance(begun, Fit)
    assert begun.mode == pytest.approx(fitted(obs, Spec(tau=0.1, phi=5.0)).mode, abs=1e-11)


@pytest.mark.parametrize("spec", [Spec(), Spec(order=2), Spec(trend="smooth+step:2022-01-01"), Spec(phi=3.0)])
def test_the_hyper_parameters_of_a_fit_begun_at_another_are_those_it_would_have_alone(spec: Spec) -> None:
    obs = reports(*months(2021, 30, 35, 33, 40, 38, 45, 50, 47, 52, 60, 58, 66), *years(2022, 800, 1400))
    alone, begun = fitted(obs, spec), fit(obs, spec, fitted(obs, Spec(tau=0.2)))
    assert isinstance(begun, Fit)
    for table in (alone.totals([2022]), begun.totals([2022])):
        assert table["mean"].iloc[0] == pytest.approx(alone.totals([2022])["mean"].iloc[0], rel=1e-3)
        assert table["low"].iloc[0] == pytest.approx(alone.totals([2022])["low"].iloc[0], rel=1e-2)
