"""What composite fits say in the report: rounded, with ids, refused in words where a gate is shut."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from support.origins import every_origin

from desertion import plots
from desertion.trends import Refused, composite, hindsight, ladder, origins, pace, rounded
from desertion.trends.counts import Observations
from desertion.trends.hindsight import MODEL


def monthly(n: int) -> Observations:
    start = [date(2021 + k // 12, k % 12 + 1, 1).toordinal() for k in range(n + 1)]
    counts = np.round(20 * 1.05 ** np.arange(n))
    ids = tuple(f"F{k:03d}" for k in range(n))
    return Observations(
        ids, np.zeros(n, np.int64), np.array(start[:-1]), np.array(start[1:]), counts, counts, ("cases",)
    )


@pytest.fixture(scope="module")
def fit() -> composite.Fit:
    fitted = composite.fit(monthly(30), composite.Spec(tau=0.1, phi=2.0))
    assert isinstance(fitted, composite.Fit)
    return fitted


@pytest.fixture(scope="module")
def thin() -> composite.Fit:
    fitted = composite.fit(monthly(6), composite.Spec(tau=0.1, phi=2.0))
    assert isinstance(fitted, composite.Fit)
    return fitted


NO_FORECAST = Refused("two counts came after six others", "at least 8")


def test_intensity_has_the_months_and_each_report(fit: composite.Fit, thin: composite.Fit) -> None:
    table = rounded.intensity(fit, fit.obs)
    assert table["kind"].tolist() == ["band"] * 30 + ["report"] * 30
    assert plots.intensity.describe(table)
    assert set(rounded.intensity(thin, thin.obs)["kind"]) == {"report"}
    assert plots.intensity(rounded.intensity(thin, thin.obs))
    assert rounded.intensity(NO_FORECAST, NO_FORECAST).empty


def test_the_course_of_the_months_is_that_of_the_fit_or_refused(fit: composite.Fit, thin: composite.Fit) -> None:
    course = pace.course(fit, 2021, 2022)
    assert not isinstance(course, Refused)
    assert [course.early, course.late] == pytest.approx((fit.totals([2021, 2022])["mean"] / 12).tolist())
    assert (course.top, course.low) == (fit.intensity()["mean"].max(), fit.intensity()["low"].iloc[-1])
    assert (course.month, course.share) == (pace.highest(fit)[0].month, pace.highest(fit)[0].share)
    assert (course.n, course.ids) == (30, " ".join(fit.obs.statements))
    assert str(pace.course(thin, 2021, 2021)).startswith("6 informative counts do not carry levels")
    assert pace.course(NO_FORECAST, 2021, 2022) is NO_FORECAST
    # the fit reaches from January 2021 to June 2023
    for years in ((2020, 2022), (2021, 2023)):
        refused = str(pace.course(fit, *years))
        assert refused.startswith("the reports reach from 2021-01-01 to 2023-06-30, not over all")


def test_the_months_that_may_be_the_highest_share_all_of_the_probability(fit: composite.Fit) -> None:
    each = pace.highest(fit)
    assert sum(month.share for month in each) == pytest.approx(1)
    assert [month.share for month in each] == sorted((month.share for month in each), reverse=True)
    assert each[0].month == date(2023, 6, 1)


def test_a_month_that_is_called_the_record_has_its_probability_of_being_the_highest(
    fit: composite.Fit, thin: composite.Fit
) -> None:
    record = pace.record(fit, date(2023, 5, 1))
    assert not isinstance(record, Refused)
    assert 0 < record.share < record.top_share
    assert record.top == date(2023, 6, 1)
    assert record.level == fit.intensity()["mean"].iloc[-2]
    assert str(pace.record(fit, date(2024, 7, 1))).startswith("the reports do not reach July 2024")
    assert isinstance(pace.record(thin, date(2021, 5, 1)), Refused)


class Proved(hindsight.HeldOut):
    """Forecasts that proved themselves up to five months ahead."""

    reach = 5  # type: ignore[assignment]


@pytest.fixture(scope="module")
def proved() -> hindsight.HeldOut:
    past = every_origin(np.array([20.0, 22, 19, 25, 27, 24, 30, 33, 31, 36]))
    scored, _ = origins.score(past, {MODEL: origins.random_walk})
    return Proved((), tuple(scored), None)


SHUT = hindsight.HeldOut((), (), NO_FORECAST)


def test_a_forecast_is_put_into_a_sentence_only_where_it_proved_itself(
    fit: composite.Fit, thin: composite.Fit, proved: hindsight.HeldOut
) -> None:
    for months in (3, 12):
        ahead = pace.ahead(fit, proved, months)
        assert not isinstance(ahead, Refused)
        last = composite.outlook(fit, min(months, 5)).query("kind == 'forecast'").iloc[-1]
        assert (ahead.month, ahead.mid) == (last["period_start"], rounded.two_digits(last["median"]))
        assert ahead.width == last["high95"] / last["median"]
    assert pace.ahead(fit, SHUT, 3) is NO_FORECAST
    assert pace.ahead(NO_FORECAST, proved, 3) is NO_FORECAST
    tests = pace.tests(fit, SHUT)
    assert not isinstance(tests, Refused)
    assert (tests.n, tests.least, tests.last) == (0, origins.ENOUGH, date(2023, 6, 30))
    assert isinstance(pace.tests(thin, SHUT), Refused)
    assert pace.tests(NO_FORECAST, SHUT) is NO_FORECAST


def test_a_ratio_of_two_series_needs_both(fit: composite.Fit) -> None:
    assert rounded.carried(fit, "ratios") is None
    assert str(rounded.carried(fit, "ratios", series=2)).startswith("only one of the series")


def test_an_outlook_reaches_as_far_as_forecasts_were_tested_and_is_empty_where_none_is_shown(
    fit: composite.Fit, thin: composite.Fit, proved: hindsight.HeldOut
) -> None:
    table = rounded.outlook(fit, proved, 12)
    assert table["kind"].value_counts().to_dict() == {"fit": 30, "forecast": 5}
    numbers = table["median"]
    assert [float(f"{value:.2g}") for value in numbers] == numbers.tolist()
    assert plots.forecast(table)
    assert "Held out: of" in table["note"].iloc[0]
    for none in (
        rounded.outlook(fit, SHUT, 12),
        rounded.outlook(thin, proved, 12),
        rounded.outlook(NO_FORECAST, proved, 1),
    ):
        assert none.empty
    untested = hindsight.HeldOut((), proved.scored, None)
    assert "less than a month ahead" in str(rounded.no_forecast(fit, untested))


def test_the_fitted_band_of_an_outlook_is_of_95_percent_whatever_the_level() -> None:
    wide, narrow = (composite.fit(monthly(30), composite.Spec(tau=0.1, phi=2.0, level=level)) for level in (0.95, 0.8))
    assert isinstance(wide, composite.Fit)
    assert isinstance(narrow, composite.Fit)
    bands = [composite.outlook(fit, 3).query("kind == 'fit'")["high95"].tolist() for fit in (wide, narrow)]
    assert bands[0] == bands[1]


def test_influence_names_the_report_that_matters_most(fit: composite.Fit, thin: composite.Fit) -> None:
    words = rounded.influence(fit)
    reports = composite.diagnose(fit, influence=True).reports
    assert f"leaving out {reports.loc[reports['shift'].abs().idxmax(), 'id']} moves" in words
    assert rounded.influence(thin) == rounded.influence(NO_FORECAST) == ""


def test_the_summaries_of_several_fits_stand_in_one_table_with_the_refusals(fit: composite.Fit) -> None:
    table = rounded.summaries({"one": fit, "none": NO_FORECAST})
    own = table[table["fit"].eq("one")]
    assert own["estimate"].tolist() == fit.summary()["estimate"].tolist()
    assert own["refused"].eq("").all()
    assert table[table["fit"].eq("none")]["refused"].tolist() == [str(NO_FORECAST)]


def test_factors_are_named_in_words_or_refused(fit: composite.Fit, thin: composite.Fit) -> None:
    assert rounded.factors(fit, {"phi": "variance over mean"})["estimate"].tolist() == ["2.00"]
    assert rounded.factors(thin, {})["quantity"].tolist() == ["ratios"]


def test_calibration_and_scores_count_what_fell_inside() -> None:
    past = every_origin(np.array([20.0, 22, 19, 25, 27, 24, 30, 33, 31, 36, 35, 40, 44, 43]))
    scored, _ = origins.score(past, {MODEL: lambda origin, rng: rng.poisson(origin.counts[-1], 4000).astype(float)})
    words = rounded.calibration(scored)
    assert words.startswith("Held out: of 8 counts")
    assert "best baseline" in words
    table = rounded.scores(scored).set_index("model")
    assert table.loc[MODEL, "95 % held"].endswith("of 8")
    assert "Fewer than 8" in rounded.calibration([line for line in scored if line.origin != scored[0].origin])


def test_a_model_that_refused_an_origin_has_no_calibration() -> None:
    past = every_origin(np.array([20.0, 22, 19, 25, 27, 24, 30, 33]))
    scored, _ = origins.score(past, {MODEL: lambda origin, rng: NO_FORECAST})
    assert rounded.calibration(scored) == rounded.calibration([]) == ""


def test_the_ladder_joins_claims_of_one_verdict(fit: composite.Fit, thin: composite.Fit) -> None:
    table = ladder.ladder({"a": fit, "b": thin, "c": NO_FORECAST}, {("a", "F, forecast"): NO_FORECAST})
    assert table["series"].tolist() == ["a", "a", "b", "c"]
    assert table["verdict"].tolist() == ["holds", *["not enough data"] * 3]
    assert table["claim"].tolist()[1:3] == ["F, forecast", "C, levels and totals; D, growth; D, ratios of series"]
    assert table["why"].iloc[1] == NO_FORECAST.reason


def test_a_nowcast_needs_eight_periods_counted_twice() -> None:
    assert ladder.nowcast(8) is None
    refused = ladder.nowcast(1)
    assert refused is not None
    assert "1 period was" in refused.reason


def test_the_newest_count_is_the_one_that_runs_furthest_and_of_several_the_longest() -> None:
    days = pd.to_datetime(["2022-01-01", "2023-03-01", "2023-01-01"])
    counts = pd.DataFrame(
        {
            "value": [10, 20, 30], "period_start": days, "compiler": "A", "ids": ["F1", "F2", "F3"],
            "period_end": pd.to_datetime(["2022-12-31", "2023-05-07", "2023-05-07"]),
        }
    )  # fmt: skip
    known = pace.newest(counts)
    assert not isinstance(known, Refused)
    assert (known.value, known.compiler, known.ids) == (30, "A", "F3")
    assert isinstance(pace.newest(counts.iloc[:0]), Refused)


def test_a_number_is_called_missing_only_where_everybody_was_looked_at() -> None:
    refused = Refused("none", "")
    assert (pace.missing(refused, None), pace.missing(5, None), pace.missing(refused, ["A"])) == (1, 0, None)


def test_two_facts_stand_beside_each_other_or_neither_does() -> None:
    facts = pd.DataFrame({"value": [227.0, 343.0], "ids": ["F1", "F2 F3"]}, index=["a", "b"])
    assert pace.beside(facts, "a", "b") == (227, 343, "F1 F2 F3")
    lacking = pace.beside(facts, "a", "c")
    assert str(lacking) == "a and c are not both among the published numbers used"
