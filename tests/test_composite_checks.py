"""Diagnostics of the composite model against closed forms, and its calibration by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from support import simulate

from desertion.project import ROOT
from desertion.trends import composite
from desertion.trends.composite import Fit, Priors, Spec, fit, posterior
from desertion.trends.counts import Observations

DAY = 730_120  # 2000-01-01
FLAT = Priors(level_sd=np.inf, effect_sd=np.inf)


def yearly(*counts: float) -> Observations:
    """Exact counts of single years from 2000 on."""
    bounds = [DAY]
    for year in range(2000, 2000 + len(counts)):
        bounds.append(bounds[-1] + (366 if year % 4 == 0 else 365))
    n = np.array(counts, float)
    return Observations(
        tuple(f"F{k}" for k in range(len(n))), np.zeros(len(n), np.int64), np.array(bounds[:-1]), np.array(bounds[1:]),
        n, n, ("cases",),
    )  # fmt: skip


def constant(obs: Observations, priors: Priors = FLAT) -> Fit:
    fitted = fit(obs, Spec(trend="constant", unit="year", phi=1.0, priors=priors))
    assert isinstance(fitted, Fit)
    return fitted


COUNTS = (90.0, 104.0, 97.0, 121.0, 88.0, 99.0, 160.0, 101.0)


def test_leaving_a_count_out_shifts_a_constant_rate_as_its_mean_does() -> None:
    """With a flat prior the rate's posterior is Gamma(S, n), without count y Gamma(S − y, n − 1)."""
    table = composite.diagnose(constant(yearly(*COUNTS)), influence=True).reports
    total, n = sum(COUNTS), len(COUNTS)
    for y, shift, left_out in zip(COUNTS, table["shift"], table["left_out"], strict=True):
        means = special.psi(total - y) - np.log(n - 1) - (special.psi(total) - np.log(n))
        assert shift == pytest.approx(means * np.sqrt(total), abs=0.01)
        others = stats.nbinom(total - y, (n - 1) / n)
        assert others.cdf(y - 1) - 0.12 < left_out < others.cdf(y) + 0.12


def test_residuals_are_those_of_the_predictive_law() -> None:
    fitted = constant(yearly(*COUNTS))
    checked = composite.diagnose(fitted)
    law = stats.nbinom(sum(COUNTS), len(COUNTS) / (len(COUNTS) + 1))
    below, upto = law.cdf(np.array(COUNTS) - 1), law.cdf(COUNTS)
    u = special.ndtr(checked.reports["residual"])
    assert (u > below - 0.02).all()
    assert (u < upto + 0.02).all()
    assert checked.reports["expected"].to_numpy() == pytest.approx(np.mean(COUNTS), rel=0.01)
    assert checked.effective == pytest.approx(1.0)


def test_contraction_is_what_the_counts_took_from_the_priors_variance() -> None:
    """The information of a log rate at its mode is the expected total; the prior adds 1/sd²."""
    sd = 0.05
    fitted = constant(yearly(*COUNTS), Priors(level_mean=np.log(80.0), level_sd=sd))
    mode = fitted.posterior.centre[0, 0]
    contraction = fitted.factors().set_index("name").loc["constant", "contraction"]
    assert contraction == pytest.approx(1 - 1 / (1 + sd**2 * len(COUNTS) * np.exp(mode)), abs=0.01)
    assert composite.diagnose(fitted).effective == pytest.approx(contraction, abs=0.01)
    # the mode itself: S − n exp(x) = (x − log 80)/sd²
    assert sum(COUNTS) - len(COUNTS) * np.exp(mode) == pytest.approx((mode - np.log(80)) / sd**2, abs=2.0)


def test_printed_intervals_are_as_much_wider_as_their_coverage_was_measured_to_need() -> None:
    rng = np.random.default_rng(3)
    fitted = fit(simulate.reports(simulate.truth(rng, 24), rng), Spec(tau=0.12, phi=3.0))
    assert isinstance(fitted, Fit)
    assert all(1.0 < factor < 1.5 for factor in posterior.WIDENING.values())
    shares = np.kron(np.eye(2), np.ones(12))
    months, totals = fitted.log_sums(np.eye(24)), fitted.log_sums(shares)
    growth = fitted.growth(2021, 2022)
    assert isinstance(growth, dict)
    grown = fitted.log_sums(shares / 365, ratio=True)
    names = fitted.design.names
    ratio = fitted.posterior.of(np.eye(len(names))[[names.index(simulate.NAMES[1])]])
    one = fitted.factors().set_index("name").loc[[simulate.NAMES[1]]]
    for table, law, kind in (
        (np.log(fitted.intensity()[["low", "median", "high"]]), months, "month"),
        (np.log(fitted.totals()[["low", "median", "high"]]), totals, "total"),
        (np.log(pd.DataFrame([growth])), grown, "growth"),
        (one[["low", "high"]], ratio, "factor"),
    ):
        end = stats.t.ppf(0.975, posterior.DEGREES.get(kind, np.inf))
        reach = end * posterior.WIDENING.get(kind, 1.0)
        ends = law.below(table[["low", "high"]].to_numpy(np.float64).T)
        assert ends[0] == pytest.approx(special.ndtr(-reach), rel=1e-6)
        assert 1 - ends[1] == pytest.approx(special.ndtr(-reach), rel=1e-6)
    assert posterior.tails(0.95, "month") == pytest.approx([0.025, 0.5, 0.975])
    assert posterior.tails(0.95, "total")[0] < 0.025


def test_the_published_coverage_is_that_of_these_factors() -> None:
    """The CSV was made with the factors in the code; only forecasts and intervals that are widened cover too much.

    Where truths are drawn from the priors, no interval would need to be wider.
    """
    table = pd.read_csv(ROOT / "benchmarks" / "calibration.csv")
    kinds = table["quantity"].str.split().str[0]
    assert (table["widened"] == kinds.map(lambda kind: posterior.WIDENING.get(kind, 1.0))).all()
    assert table["data_sets"].groupby(table["truth"]).max().sum() >= 1000
    assert (table["covered"] >= table["band_low"]).all()
    assert set(kinds[table["covered"] > table["band_high"]]) <= {"forecast", *posterior.WIDENING}
    own = table[table["truth"] == "prior"]
    assert own["before"].between(own["band_low"], own["band_high"]).all()


def test_on_the_real_schedule_totals_and_growth_cover_what_they_claim_to() -> None:
    """In the three truths that the laws were chosen for, with other data sets: within two Monte Carlo errors.

    The methods say which one covers least.
    """
    table = pd.read_csv(ROOT / "benchmarks" / "schedule.csv").query("truth in ['control', 'twins', 'wrong']")
    table = table[table["quantity"].str.split().str[0].isin(["total", "growth"])]
    for measure, low, high in (("95", 0.92, 0.98), ("80", 0.76, 0.84)):
        part = table[table["measure"] == measure]
        assert len(part) == 3 * 8
        assert (part["value"] + 2 * part["error"]).ge(low).all()
        assert (part["value"] - 2 * part["error"]).le(high).all()
    least = table[table["measure"] == "95"].sort_values("value").iloc[0]
    assert (least["truth"], least["quantity"]) == ("wrong", "total 2024")
    methods = (ROOT / "src" / "desertion" / "report" / "methods.md").read_text(encoding="utf-8")
    share = f"{least['value']:.0%}".replace("%", " %")
    assert f"then holds the truth in {share} of the simulations" in " ".join(methods.split())


def test_of_cases_that_are_posted_late_the_band_over_the_delay_covers_totals_and_growth() -> None:
    """A plain interval takes the counts as complete: the band is what the report prints beside it."""
    table = pd.read_csv(ROOT / "benchmarks" / "schedule.csv").query("truth == 'late' and measure == '95'")
    part = table[table["quantity"].str.fullmatch(r"(total|growth) .* \(band over the delay\)")]
    assert len(part) == 8
    assert (part["value"] + 2 * part["error"]).ge(0.92).all()


def test_on_the_real_schedule_numbers_of_cases_cover_what_they_claim_to_unless_a_report_is_wrong() -> None:
    table = pd.read_csv(ROOT / "benchmarks" / "schedule.csv").query("truth == 'twins' and measure == '95'")
    part = table[table["quantity"].str.startswith("cases ")]
    assert part["quantity"].tolist() == ["cases 2023", "cases 2024"]
    assert (part["value"] + 2 * part["error"]).ge(0.92).all()


#: Means and standard deviations of a run of benchmarks/bench_nuts.py: 2 chains of 600, split R-hat at most 1.03.
SAMPLED = {
    "month": [(5.074, 0.087), (5.226, 0.081), (5.199, 0.074), (5.165, 0.069), (4.893, 0.084), (5.001, 0.074),
              (5.093, 0.092)],
    "total": [(7.618, 0.041), (7.661, 0.034), (7.458, 0.037)],
    "factor": [(-0.167, 0.043), (-0.135, 0.048)],
    "tau": [(-2.493, 0.444)],
    "delta": [(0.909, 0.525)],
}  # fmt: skip


def test_the_mixture_of_normals_is_what_the_no_u_turn_sampler_finds() -> None:
    rng = np.random.default_rng(1)
    drawn_with = Priors(log_excess_mean=0.7, log_excess_sd=1.2)
    fitted = fit(simulate.reports(simulate.truth(rng, 36), rng), Spec(priors=drawn_with))
    assert isinstance(fitted, Fit)
    months = np.eye(36)[[2, 8, 14, 20, 26, 31, 35]]
    names = fitted.design.names
    factors = np.eye(len(names))[[names.index(name) for name in simulate.NAMES[1:]]]
    laws = {
        "month": fitted.log_sums(months).moments(), "total": fitted.log_sums(np.kron(np.eye(3), np.ones(12))).moments(),
        "factor": fitted.posterior.of(factors).moments(),
    }  # fmt: skip
    for name in ("tau", "delta"):
        logs = np.log(fitted.hyper(name))
        mean = fitted.posterior.averaged(logs)
        laws[name] = np.array([mean]), np.array([np.sqrt(fitted.posterior.averaged((logs - mean) ** 2))])
    for kind, sampled in SAMPLED.items():
        for mean, sd, (center, spread) in zip(*laws[kind], sampled, strict=True):
            assert mean == pytest.approx(center, abs=0.12 * spread), kind
            assert 0.85 < sd / spread < 1.15, kind


def test_ranks_of_truths_drawn_from_the_prior_are_uniform() -> None:
    """Simulation-based calibration (Talts et al., 2018), short: tau and phi known; the band holds all rows with 99 %.

    benchmarks/bench_calibration.py is the long one, over tau and phi too.
    """
    sets, months, priors = 100, 24, Priors(level_mean=5.0, level_sd=0.5)
    ranks: dict[str, list[float]] = {}
    for k in range(sets):
        rng = np.random.default_rng([11, k])
        true = simulate.truth(
            rng, months, start=rng.normal(5.0, 0.5), compiler=rng.normal(0, 0.5), measure=rng.normal(0, 0.5)
        )
        fitted = fit(simulate.reports(true, rng), Spec(priors=priors, tau=true.tau, phi=true.phi))
        assert isinstance(fitted, Fit)
        log_level = np.log(true.level)
        rows = {"month": np.eye(months)[[2, 12, 23]], "total": np.kron(np.eye(2), np.ones(12))}
        truths = {"month": log_level[[2, 12, 23]], "total": np.log(true.level.reshape(2, 12).sum(axis=1))}
        for kind, shares in rows.items():
            for j, u in enumerate(fitted.log_sums(shares).below(truths[kind])):
                ranks.setdefault(f"{kind} {j}", []).append(float(u))
        names = fitted.design.names
        for name, value in ((simulate.NAMES[1], true.compiler), (simulate.NAMES[2], true.measure)):
            law = fitted.posterior.of(np.eye(len(names))[[names.index(name)]])
            ranks.setdefault(name, []).append(float(law.below(np.array([value]))[0]))
    bound = stats.kstwo.isf(0.01 / len(ranks), sets)
    distance = {name: stats.kstest(u, "uniform").statistic for name, u in ranks.items()}
    assert max(distance.values()) < bound
    low, high = stats.binom.interval(1 - 0.01 / len(ranks), sets, 0.8)
    covered = {name: int(np.sum((np.array(u) > 0.1) & (np.array(u) < 0.9))) for name, u in ranks.items()}
    assert all(low <= count <= high for count in covered.values()), covered


def test_a_walks_months_between_reports_widen_with_tau() -> None:
    """One exact year before and after a year without reports: the bridge's variance grows as tau squared."""
    obs = yearly(5000.0, 5000.0, 5000.0, 5000.0)
    gap = obs.take([0, 3])
    fits = [fit(gap, Spec(tau=tau, phi=1.0)) for tau in (0.1, 0.2)]
    assert all(isinstance(one, Fit) for one in fits)
    spread = [np.log(one.intensity()["high"] / one.intensity()["low"])[23] for one in fits if isinstance(one, Fit)]
    assert spread[1] / spread[0] == pytest.approx(2.0, rel=0.1)
