"""Rolling origins by publication date: what was known then, what came next, and who gets to forecast it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from desertion import figures, reconcile, text
from desertion.trends import Refused, composite, hindsight, origins
from desertion.trends.composite import ahead
from desertion.trends.counts import Observations

Row = tuple[str, str, str, float, float, str]


def reports(*rows: Row) -> Observations:
    """Reports (id, first day, last day, low, high, series)."""
    names = tuple(dict.fromkeys(row[5] for row in rows))
    return Observations(
        tuple(row[0] for row in rows), np.array([names.index(row[5]) for row in rows], np.int64),
        np.array([date.fromisoformat(row[1]).toordinal() for row in rows]),
        np.array([date.fromisoformat(row[2]).toordinal() + 1 for row in rows]),
        np.array([row[3] for row in rows]), np.array([row[4] for row in rows]), names,
    )  # fmt: skip


YEARS = [(f"Y{year}", f"{year}-01-01", f"{year}-12-31", 100.0 + year - 2010, 100.0 + year - 2010, "a")
         for year in range(2010, 2016)]  # fmt: skip
HALF = ("H", "2016-01-01", "2016-06-30", 60.0, 60.0, "a")
WHOLE = ("W", "2016-01-01", "2016-12-31", 130.0, 130.0, "a")


def vintages(*rows: list[Row]) -> list[tuple[date, Observations]]:
    return [(date(2017, 1, 1 + k), reports(*each)) for k, each in enumerate(rows)]


def test_the_target_is_what_the_new_count_adds_and_the_past_is_a_chain_without_overlaps() -> None:
    first, second = hindsight.cases(vintages(YEARS, [*YEARS, HALF], [*YEARS, HALF, WHOLE]))
    assert first.published.target == 60
    assert first.published.counts.tolist() == [100, 101, 102, 103, 104, 105]
    assert first.published.target_months == pytest.approx(182 / text.MONTH)
    assert second.published.target == 130 - 60
    assert second.published.counts.tolist()[-1] == 60
    assert second.report.ids == ("W",)
    assert "W" not in second.known.ids


def test_six_statements_must_come_before_an_origin() -> None:
    assert not hindsight.cases(vintages(YEARS[:5], [*YEARS[:5], HALF]))
    assert hindsight.cases(vintages(YEARS, [*YEARS, HALF]))


@pytest.mark.parametrize(
    "later",
    [
        ("B", "2016-01-01", "2016-06-30", 60.0, 69.0, "a"),  # a bound is no count
        ("R", "2015-01-01", "2015-12-31", 106.0, 106.0, "a"),  # a revision reaches no further
        ("N", "2016-01-01", "2016-06-30", 60.0, 60.0, "b"),  # nothing was known of that series
    ],
)
def test_what_is_no_new_exact_count_of_a_known_series_is_no_target(later: Row) -> None:
    assert not hindsight.cases(vintages(YEARS, [*YEARS, later]))


def test_a_count_of_days_that_were_covered_before_is_no_target() -> None:
    overlapping = ("O", "2015-07-01", "2016-06-30", 110.0, 110.0, "a")
    assert not hindsight.cases(vintages(YEARS, [*YEARS, overlapping]))
    gap = ("G", "2016-03-01", "2016-06-30", 40.0, 40.0, "a")
    (case,) = hindsight.cases(vintages(YEARS, [*YEARS, gap]))
    assert case.published.target_months == pytest.approx(122 / text.MONTH)
    assert case.reach == pytest.approx(182 / text.MONTH)


def scored(model: str, *counts: tuple[float, float, float]) -> list[origins.Score]:
    """Scores of a model whose forecasts are 50, 80 and 95 % intervals of ± 1, 2 and 3 about `median`."""
    out = []
    for k, (median, observed, loss) in enumerate(counts):
        quantiles = median + np.array([-3.0, -2, -1, 0, 1, 2, 3])
        out.append(origins.Score(str(k), model, observed, quantiles, loss, loss, loss))
    return out


def everyone(own: list[origins.Score], loss: float) -> list[origins.Score]:
    return own + [one for name in origins.BASELINES for one in scored(name, *[(10.0, 10.0, loss)] * len(own))]


GOOD = [(10.0, 10.0 + off, 1.0) for off in (0.0, 0.5, -0.5, 1.5, -1.5, 0.2, 2.5, -0.9)]


def test_a_forecast_is_shown_only_where_eight_counts_could_test_it() -> None:
    own = everyone(scored(hindsight.MODEL, *GOOD), 2.0)
    assert hindsight.gate(own, {}, 8) is None
    assert "7 published counts" in str(hindsight.gate(own, {}, 7))


def test_a_forecast_that_does_not_beat_the_best_baseline_is_not_shown() -> None:
    for loss in (1.0, 0.5):
        refused = hindsight.gate(everyone(scored(hindsight.MODEL, *GOOD), loss), {}, 8)
        assert "no better than the" in str(refused)
        assert "baseline" in str(refused)


@pytest.mark.parametrize(
    ("offs", "words"),
    [
        ([5.0] * 8, "0 of 8 counts fell into the 50 % interval"),  # all miss
        ([0.0] * 8, "8 of 8 counts fell into the 50 % interval"),  # far too wide
        ([0.0, 0.5, -0.5, 0.2, 2.9, 4.0, -4.0, 5.0], "of 8 counts fell into the"),
    ],
)
def test_a_forecast_whose_intervals_the_counts_refute_is_not_shown(offs: list[float], words: str) -> None:
    own = scored(hindsight.MODEL, *[(10.0, 10.0 + off, 1.0) for off in offs])
    assert words in str(hindsight.gate(everyone(own, 2.0), {}, 8))


def test_a_model_that_refused_an_origin_shows_no_forecast() -> None:
    unable = Refused("at 2024-01-01: no fit", "more reports")
    assert hindsight.gate(everyone([], 1.0), {hindsight.MODEL: unable}, 8) == unable


def test_draws_are_of_the_added_part_and_near_a_steady_rate() -> None:
    (case,) = hindsight.cases(vintages([*YEARS, HALF], [*YEARS, HALF, WHOLE]))
    forecasts = hindsight.forecasts(case, composite.Spec(trend="constant"))
    assert not isinstance(forecasts, Refused)
    assert 40 < np.median(forecasts[0]) < 65  # about 104 a year


def test_the_frame_shows_each_forecast_beside_the_count_that_came_out() -> None:
    cases = hindsight.cases(vintages([*YEARS, HALF], [*YEARS, HALF, WHOLE]))
    scored_, unable = hindsight.scores(cases, composite.Spec(trend="constant"))
    held_out = hindsight.HeldOut(tuple(cases), tuple(scored_), hindsight.gate(scored_, unable, len(cases)))
    frame = held_out.frame().set_index("model")
    assert set(frame.index) == {hindsight.MODEL, *ahead.PATHS.values(), *origins.BASELINES}
    own = frame.loc[hindsight.MODEL]
    assert (own["day"], own["report"], own["count"]) == (date(2017, 1, 2), "W", 130 - 60)
    assert own["low95"] < own["median"] < own["high95"]
    assert own["months"] == pytest.approx(184 / text.MONTH)
    assert held_out.refused is not None
    assert len(held_out) == 1
    assert held_out.reach == 6


def test_a_fit_that_is_refused_leaves_the_model_out_and_keeps_the_baselines() -> None:
    (case,) = hindsight.cases(vintages(YEARS, [*YEARS, HALF]))
    contradicting = replace(case, known=reports(*YEARS, ("X", "2010-01-01", "2010-12-31", 5.0, 5.0, "a")))
    lines, refused = hindsight.scores([contradicting])
    assert set(refused) == {hindsight.MODEL, *ahead.PATHS.values()}
    assert {line.model for line in lines} == set(origins.BASELINES)


def test_no_origin_of_the_real_figures_knows_what_came_out_later() -> None:
    data = figures.load()
    every = reconcile.facts(data)
    chosen = figures.select(
        every, articles="337", measures="cases_received_by_court", compilers="Mediazona", start=date(2021, 1, 1),
        status=None,
    )  # fmt: skip
    cases = hindsight.cases(hindsight.published(data, chosen, rule="own-page-first"))
    assert len(cases) >= 3  # a count of the whole gives limits for its newer parts, no exact count
    first = data.figures.groupby("fact")["known"].min()
    for case in cases:
        known = first[data.figures.loc[list(case.known.statements), "fact"]]
        assert (known.dt.date < case.day).all()
        assert first[data.figures.loc[case.report.statements[0], "fact"]].date() == case.day
        first_new = case.report.stop[0] - case.published.target_months * text.MONTH
        assert case.known.stop.max() <= first_new + 1e-6
