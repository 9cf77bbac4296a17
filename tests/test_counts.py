"""Statements become observations: intervals, revisions, running totals, series that must not be mixed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import counts


def facts(*rows: dict[str, object]) -> pd.DataFrame:
    """Facts as reconcile.facts gives them, one dict a row over these defaults."""
    base = {
        "articles": "337", "measure": "cases_received_by_court", "scope": "whole", "kind": "count", "unit": "cases",
        "per": "", "period_start": "2023-01-01", "period_end": "2023-12-31", "cumulative": False, "value": 5024.0,
        "bound": "exact", "compiler": "Mediazona",
    }  # fmt: skip
    frame = pd.DataFrame(
        [{"fact": f"fact/{k}", "chosen": f"F{k + 1:03d}", **base, **row} for k, row in enumerate(rows)]
    )
    for column in ("period_start", "period_end"):
        frame[column] = pd.to_datetime(frame[column])
    return frame.set_index("fact")


def hedges(**words: str) -> pd.DataFrame:
    return pd.DataFrame({"hedge": words})


def total(end: str, value: float, **more: object) -> dict[str, object]:
    return {"period_start": "2022-09-21", "period_end": end, "cumulative": True, "value": value, **more}


def test_bounds_are_read_by_the_printed_word_and_the_reading() -> None:
    frame = facts(
        {"value": 2300.0, "bound": "about"}, {"value": 700.0, "bound": "at_least"}, {"value": 5024.0},
    )  # fmt: skip
    words = hedges(F001="nearly", F002="more than", F003="nearly")
    rounded = counts.observations(frame, words)
    assert rounded.low.tolist() == [2250, 700, 5024]
    assert rounded.high.tolist() == [2299, 769, 5024]
    assert rounded.exact.tolist() == [False, False, True]
    one_sided = counts.observations(frame, words, reading="one-sided")
    assert one_sided.low[1] == 701
    assert np.isinf(one_sided.high[1])
    plain = counts.observations(frame)
    assert (plain.low[0], plain.high[0]) == (2250, 2350)


def test_days_are_counted_to_the_day_after_the_last() -> None:
    obs = counts.observations(facts({}))
    assert obs.stop[0] - obs.start[0] == 365
    assert (obs.first(0), obs.last(0)) == (date(2023, 1, 1), date(2023, 12, 31))
    assert obs.describe(0) == "F001 (5024, 2023-01-01 to 2023-12-31)"


def test_only_the_last_revision_of_a_count_is_taken() -> None:
    frame = facts(
        {"value": 5024.0}, {"value": 5096.0}, {"value": 5100.0}, {"period_end": "2023-06-30", "value": 2076.0}
    )
    frame.index = pd.Index(["m/2023", "m/2023/as-of-2024-08", "m/2023/as-of-2024-12", "m/2023-h1"])
    assert counts.observations(frame).ids == ("F003", "F004")


def test_articles_scopes_compilers_and_measures_become_series() -> None:
    frame = facts({}, {"scope": "mobilisation_parts"})
    assert counts.observations(frame).series_names == ("mobilisation_parts", "whole")
    assert len(counts.observations(facts({}, {"articles": "337+338"})).series_names) == 2
    obs = counts.observations(
        facts({}, {"compiler": "Proekt"}, {"measure": "persons_convicted", "compiler": "The Insider"})
    )
    assert obs.series_names == (
        "cases_received_by_court / Mediazona", "cases_received_by_court / Proekt", "persons_convicted / The Insider",
    )  # fmt: skip
    assert obs.series.tolist() == [0, 1, 2]


def test_running_totals_are_taken_differenced_or_left_out() -> None:
    frame = facts(
        total("2023-11-21", 4121),
        total("2024-06-18", 9059),
        total("2024-04-12", 7400, bound="about"),
        {"value": 5096.0},
    )
    assert len(counts.observations(frame, hedges(F003="almost"))) == 4
    assert counts.observations(frame, running="drop").ids == ("F004",)
    steps = counts.observations(frame, hedges(F003="almost"), running="differences")
    assert steps.ids == ("F004", "F003-F001", "F002-F003")
    assert steps.low.tolist() == [5096, 7350 - 4121, 9059 - 7399]
    assert steps.high.tolist() == [5096, 7399 - 4121, 9059 - 7350]
    assert [steps.first(1), steps.last(1)] == [date(2023, 11, 22), date(2024, 4, 12)]


def test_rebased_totals_begin_after_the_first_and_keep_their_sums() -> None:
    frame = facts(
        total("2023-11-21", 4121), total("2024-06-18", 9059), total("2024-04-12", 7400, bound="about"),
        {"value": 5096.0},
    )  # fmt: skip
    since = counts.observations(frame, hedges(F003="almost"), running="rebased")
    assert since.ids == ("F004", "F003-F001", "F002-F001")
    assert since.low.tolist() == [5096, 7350 - 4121, 9059 - 4121]
    assert since.high.tolist() == [5096, 7399 - 4121, 9059 - 4121]
    assert {since.first(1), since.first(2)} == {date(2023, 11, 22)}
    assert since.statements == ("F004", "F003", "F001", "F002")


def test_a_running_total_that_falls_is_an_error() -> None:
    frame = facts(total("2023-11-21", 4121), total("2024-06-18", 4000))
    with pytest.raises(UserError, match="does not fall"):
        counts.observations(frame, running="differences")


def test_what_is_no_count_is_an_error() -> None:
    with pytest.raises(UserError, match="share"):
        counts.observations(facts({"kind": "share"}))
    with pytest.raises(UserError, match="no statement"):
        counts.observations(facts({}).iloc[:0])
    with pytest.raises(UserError, match="unknown"):
        counts.observations(facts({}), running="ignore")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="reading"):
        counts.observations(facts({}), reading="literal")


def test_the_curated_figures_become_observations() -> None:
    data = figures.load()
    table = reconcile.facts(data)
    mine = table[
        (table["articles"] == "337") & (table["measure"] == "cases_received_by_court")
        & (table["compiler"] == "Mediazona") & (table["scope"] == "whole") & (table["kind"] == "count")
    ]  # fmt: skip
    obs = counts.observations(mine, data.figures)
    assert len(obs) >= 8
    assert 5096 in obs.low
    assert 5024 not in obs.low  # revised in August 2024
    assert set(obs.ids) <= set(data.figures.index)
