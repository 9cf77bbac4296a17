"""Reports set against what the others predict: closed forms, and which report is named as wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from desertion.trends.composite import Fit, Priors, Spec, fit, predictive
from desertion.trends.counts import Observations

DAY = 730_120  # 2000-01-01
FLAT = Priors(level_sd=np.inf, effect_sd=np.inf)
COUNTS = (90.0, 104.0, 97.0, 121.0, 88.0, 99.0, 160.0, 101.0)


def yearly(*counts: float) -> Observations:
    """Exact counts of single years from 2000 on."""
    bounds = [DAY]
    for year in range(2000, 2000 + len(counts)):
        bounds.append(bounds[-1] + (366 if year % 4 == 0 else 365))
    n, places = np.array(counts, float), np.zeros(len(counts), np.int64)
    ids = tuple(f"F{k}" for k in range(len(n)))
    return Observations(ids, places, np.array(bounds[:-1]), np.array(bounds[1:]), n, n, ("cases",))


def fitted(obs: Observations, **spec: object) -> Fit:
    found = fit(obs, Spec(trend="constant", unit="year", priors=FLAT, **spec))  # type: ignore[arg-type]
    assert isinstance(found, Fit)
    return found


def test_a_count_is_predicted_from_the_others_as_a_constant_rate_does() -> None:
    """With a flat prior a new year's count is negative binomial: size S − y, probability (n − 1)/n."""
    table = predictive.left_out(fitted(yearly(*COUNTS), phi=1.0))
    for y, row in zip(COUNTS, table.itertuples(), strict=True):
        law = stats.nbinom(sum(COUNTS) - y, (len(COUNTS) - 1) / len(COUNTS))
        assert row.mean == pytest.approx(law.mean(), rel=0.02)
        assert (row.predicted_low, row.predicted_high) == pytest.approx(law.ppf([0.025, 0.975]), rel=0.05)
        assert row.beyond == pytest.approx(min(1, 2 * min(law.cdf(y), law.sf(y - 1))), abs=0.05)
        assert row.spread == pytest.approx(law.std() / law.mean(), rel=0.08)


def test_reports_left_out_together_say_nothing_and_none_left_out_is_the_fit_itself() -> None:
    found = fitted(yearly(*COUNTS), phi=1.0)
    alone = predictive.predicted(found, found.obs.take([6]), [[6]])["mean"].iloc[0]
    pair = predictive.predicted(found, found.obs.take([6]), [[3, 6]])["mean"].iloc[0]
    assert alone == pytest.approx(700 / 7, rel=0.02)
    assert pair == pytest.approx(579 / 6, rel=0.02)
    assert predictive.without(found, []) is found
    kept = predictive.predicted(found, found.obs.take([6]), [[]]).iloc[0]
    assert (kept["mean"], kept["beyond"]) == (160, 1)


def test_periods_that_only_the_report_left_out_reaches_stay_in_the_fit() -> None:
    found = fit(yearly(*COUNTS), Spec(unit="year"))
    assert isinstance(found, Fit)
    others = predictive.without(found, [0])
    assert others is not None
    assert (others.starts, len(others.obs)) == (found.starts, 7)
    first = predictive.left_out(found).iloc[0]
    assert first["predicted_low"] < 90 < first["predicted_high"]


def test_the_smoothness_is_that_of_the_whole_fit_and_the_dispersion_is_estimated_anew() -> None:
    found = fit(yearly(*COUNTS), Spec(unit="year"))
    assert isinstance(found, Fit)
    others = predictive.without(found, [6])
    assert others is not None
    best = found.posterior.hyper[int(np.argmax(found.posterior.weight))]
    assert {each.tau for each in others.posterior.hyper} == {best.tau}
    assert others.posterior.averaged(others.hyper("delta")) < found.posterior.averaged(found.hyper("delta")) / 1.5


def test_a_report_that_alone_inflates_the_dispersion_is_named_and_no_other_one() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(400, 14).astype(float)
    assert not predictive.left_out(fitted(yearly(*counts)))["named"].any()
    counts[4] = round(1.5 * counts[4])
    found = fitted(yearly(*counts))
    table = predictive.left_out(found)
    assert table.loc[table["named"], "id"].tolist() == ["F4"]
    phi = 1 + found.posterior.averaged(found.hyper("delta"))
    assert table["phi"].iloc[4] < phi / 2
    assert table["phi"].drop(4).min() > phi / 2


def test_a_true_report_that_a_wrong_one_makes_look_far_off_is_not_named() -> None:
    """Beside a wrong report a true one may miss by more, but the dispersion stays without it."""
    found = fitted(yearly(*COUNTS))
    phi = 1 + found.posterior.averaged(found.hyper("delta"))
    table = pd.DataFrame({"error": [-5.9, -3.7, 0.4], "phi": [1.1 * phi, 0.2 * phi, phi], "spread": 0.1})
    assert predictive.noticed(table, found)["named"].tolist() == [False, True, False]
    for other in (
        table.assign(error=[-5.9, -2.9, 0.4]), table.assign(phi=[phi, 0.6 * phi, phi]),
        table.assign(phi=[phi, 0.2 * phi, 0.1 * phi]),
    ):  # fmt: skip
        assert not predictive.noticed(other, found)["named"].any()


def test_an_error_as_large_as_the_smallest_noticeable_one_is_noticed() -> None:
    counts = np.random.default_rng(6).poisson(400, 12).astype(float)
    found = fitted(yearly(*counts), phi=1.0)
    share = predictive.left_out(found)["smallest"].iloc[7]
    assert share == pytest.approx(np.expm1(predictive.NOTICED / np.sqrt(400 / (1 + 1 / 11))), rel=0.1)
    middle = (counts.sum() - counts[7]) / 11
    for factor, noticed in ((1.15, True), (0.8, False)):
        counts[7] = round(middle * (1 + factor * share))
        error = predictive.left_out(fitted(yearly(*counts), phi=1.0))["error"].iloc[7]
        assert bool(abs(error) > predictive.NOTICED) == noticed


def test_a_report_open_to_one_side_or_within_its_interval_has_no_error() -> None:
    obs = yearly(*COUNTS)
    low, high = obs.low.copy(), obs.high.copy()
    low[2], high[2], low[5], high[5] = 80, np.inf, 60, 140
    table = predictive.left_out(fitted(replace(obs, low=low, high=high), phi=1.0))
    assert table["error"].iloc[[2, 5]].tolist() == [0, 0]
    assert table["beyond"].iloc[[2, 5]].tolist() == [1, 1]
