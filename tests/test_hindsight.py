"""Rolling origins by publication date: what was known then, what came next, and who gets to forecast it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from desertion import figures, reconcile
from desertion.trends import Refused, composite, hindsight, origins
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
    assert first.published.target_months == pytest.approx(182 / hindsight.MONTH)
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


def test_the_gate_opens_at_eight_origins() -> None:
    (case,) = hindsight.cases(vintages(YEARS, [*YEARS, HALF]))
    assert hindsight.gate([case] * origins.ENOUGH) is None
    refused = hindsight.gate([case] * (origins.ENOUGH - 1))
    assert isinstance(refused, Refused)
    assert "7 published counts" in refused.reason
    unable = Refused("at 2024-01-01: no fit", "more reports")
    assert hindsight.gate([case] * origins.ENOUGH, {hindsight.MODEL: unable}) == unable


def test_draws_are_of_the_added_part_and_near_a_steady_rate() -> None:
    (case,) = hindsight.cases(vintages([*YEARS, HALF], [*YEARS, HALF, WHOLE]))
    drawn = hindsight.forecast(case, composite.Spec(trend="constant"))
    assert not isinstance(drawn, Refused)
    assert 40 < np.median(drawn) < 65  # about 104 a year


def test_the_frame_shows_each_forecast_beside_the_count_that_came_out() -> None:
    cases = hindsight.cases(vintages([*YEARS, HALF], [*YEARS, HALF, WHOLE]))
    scored, unable = hindsight.scores(cases, composite.Spec(trend="constant"))
    held_out = hindsight.HeldOut(tuple(cases), tuple(scored), hindsight.gate(cases, unable))
    frame = held_out.frame().set_index("model")
    assert set(frame.index) == {hindsight.MODEL, *origins.BASELINES}
    own = frame.loc[hindsight.MODEL]
    assert (own["day"], own["report"], own["count"]) == (date(2017, 1, 2), "W", 130 - 60)
    assert own["low95"] < own["median"] < own["high95"]
    assert own["months"] == pytest.approx(184 / hindsight.MONTH)
    assert held_out.refused is not None
    assert len(held_out) == 1


def test_a_fit_that_is_refused_leaves_the_model_out_and_keeps_the_baselines() -> None:
    (case,) = hindsight.cases(vintages(YEARS, [*YEARS, HALF]))
    contradicting = replace(case, known=reports(*YEARS, ("X", "2010-01-01", "2010-12-31", 5.0, 5.0, "a")))
    scored, refused = hindsight.scores([contradicting])
    assert set(refused) == {hindsight.MODEL}
    assert {line.model for line in scored} == set(origins.BASELINES)


def test_no_origin_of_the_real_figures_knows_what_came_out_later() -> None:
    data = figures.load()
    every = reconcile.facts(data)
    chosen = figures.select(
        every, articles="337", measures="cases_received_by_court", compilers="Mediazona", start=date(2021, 1, 1),
        status=None,
    )  # fmt: skip
    cases = hindsight.cases(hindsight.published(data, chosen, rule="own-page-first"))
    assert len(cases) >= 5  # a count of the whole gives limits for its newer parts: no exact count to be foretold
    first = data.figures.groupby("fact")["known"].min()
    for case in cases:
        known = first[data.figures.loc[list(case.known.statements), "fact"]]
        assert (known.dt.date < case.day).all()
        assert first[data.figures.loc[case.report.statements[0], "fact"]].date() == case.day
        assert case.known.stop.max() < case.report.stop[0]
