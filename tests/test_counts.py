"""Statements become observations: intervals, revisions, running totals, series that must not be mixed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import chain, counts
from desertion.trends.counts import Observations


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


def test_a_version_takes_the_place_of_an_earlier_one_of_its_own_scope_only() -> None:
    frame = facts({"value": 5593.0}, {"value": 5517.0, "scope": "mobilisation_parts", "measure": "verdicts"})
    frame.index = pd.Index(["m/2023", "m/2023/as-of-2024-12"])
    assert counts.observations(frame).ids == ("F001", "F002")
    assert counts.observations(frame).ids == tuple(reconcile.latest(frame)["chosen"])


def test_what_is_left_out_is_listed_with_its_reason() -> None:
    frame = facts({"value": 5024.0}, {"value": 5096.0}, {"scope": "mobilisation_parts", "value": 5006.0})
    frame.index = pd.Index(["m/2023", "m/2023/as-of-2024-08", "m/new-parts/2023"])
    obs = counts.observations(frame)
    assert obs.ids == ("F003",)
    assert obs.omitted is not None
    table = obs.omitted.frame().set_index("id")
    assert table.loc["F001", "why"] == "counted again in F002"
    assert table.loc["F002", "why"] == "reports of a part of its cases count them already, and it tells no more of them"
    assert table["low"].to_dict() == {"F002": 5096, "F001": 5024}
    assert counts.observations(facts({})).omitted is None


def test_articles_compilers_and_measures_become_series_and_a_part_joins_its_whole() -> None:
    frame = facts({"period_end": "2022-12-31", "period_start": "2022-01-01"}, {"scope": "mobilisation_parts"})
    obs = counts.observations(frame)
    assert obs.series_names == ("cases_received_by_court",)
    assert obs.scopes == ("whole", "mobilisation_parts")
    # another compiler's parts are not parts of this one's whole
    other = counts.observations(facts({}, {"scope": "mobilisation_parts", "compiler": "Proekt"}))
    assert other.series_names == ("mobilisation_parts / Proekt", "whole / Mediazona")
    assert counts.observations(facts({"scope": "mobilisation_parts"})).scopes == ("mobilisation_parts",)
    assert len(counts.observations(facts({}, {"articles": "337+338"})).series_names) == 2
    obs = counts.observations(
        facts({}, {"compiler": "Proekt"}, {"measure": "persons_convicted", "compiler": "The Insider"})
    )
    assert obs.series_names == (
        "cases_received_by_court / Mediazona", "cases_received_by_court / Proekt", "persons_convicted / The Insider",
    )  # fmt: skip
    assert obs.series.tolist() == [0, 1, 2]


def test_the_first_series_is_of_the_earliest_stage_however_many_reports_it_has() -> None:
    months = [{"period_start": f"2023-{k:02}-01", "period_end": f"2023-{k:02}-28", "measure": "persons_convicted"}
              for k in range(1, 13)]  # fmt: skip
    names = counts.observations(facts({"compiler": "Zero"}, *months)).series_names
    assert names == ("cases_received_by_court / Zero", "persons_convicted / Mediazona")


PART = {"scope": "mobilisation_parts", "value": 100.0}


@pytest.mark.parametrize(
    ("parts", "once"),
    [
        ([PART], True),
        ([PART | {"period_start": "2022-06-01", "period_end": "2024-02-29"}], True),
        # halves of the year cover it together, and so does the half from January to the middle of July
        ([PART | {"period_end": "2023-06-30"}, PART | {"period_start": "2023-07-01"}], True),
        ([PART | {"period_end": "2023-07-15"}], True),
        ([PART | {"period_end": "2023-06-30"}, PART | {"period_end": "2023-05-31"}], False),
        # what is open to one side, or counted by another, says nothing of the whole
        ([PART | {"bound": "at_least"}], False),
        ([PART | {"compiler": "Proekt"}], False),
        ([PART | {"articles": "338"}], False),
        ([{"period_end": "2023-06-30", "value": 100.0}], False),
    ],
)
def test_a_report_of_the_whole_does_not_stand_where_its_parts_count_its_days(
    parts: list[dict[str, object]], once: bool
) -> None:
    words = hedges(F002="more than")
    obs = counts.observations(facts({}, *parts), words, reading="one-sided")
    assert (obs.omitted is not None) == once
    assert ("F001" in obs.ids) != once


YEAR = [{"value": 1000.0}, PART | {"value": 980.0}]


def test_a_count_of_the_whole_becomes_limits_of_its_part_by_the_cases_of_the_other_parts() -> None:
    half = {"period_end": "2023-06-30", "value": 600.0}
    obs = counts.observations(facts(*YEAR, half)).frame().set_index("id")
    # of the year's 20 cases of other parts none to all are in the first half
    assert obs.loc["F003", ["low", "high", "scope"]].tolist() == [580, 600, "mobilisation_parts"]
    assert obs.loc["F003", "why"] == "600 of the whole, less 0 to 20 of its other parts"
    # 5 of them in the first quarter are in the first half too
    quarter = [{"period_end": "2023-03-31", "value": 105.0}, PART | {"period_end": "2023-03-31", "value": 100.0}]
    obs = counts.observations(facts(*YEAR, half, *quarter)).frame().set_index("id")
    assert obs.loc["F003", ["low", "high"]].tolist() == [580, 595]


def test_where_no_days_around_tell_the_other_parts_are_twice_the_share_that_the_largest_count_shows() -> None:
    later = {"period_start": "2024-01-01", "period_end": "2024-02-29", "value": 300.0}
    total = PART | {"period_start": "2024-01-01", "period_end": "2024-12-31", "value": 2000.0}
    obs = counts.observations(facts(*YEAR, later, total)).frame().set_index("id")
    assert obs.loc["F003", ["low", "high"]].tolist() == [300 - 2 * 0.02 * 300, 300]
    # without a count of both nothing is known of the others
    alone = counts.observations(facts(later, total))
    assert alone.omitted is not None
    assert alone.omitted.why == (
        "reports of a part of its cases count them already, and nothing tells how many are of other parts",
    )


DAYS = st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12), st.booleans()), min_size=2, max_size=9)


@given(
    part=st.lists(st.integers(0, 60), min_size=12, max_size=12),
    others=st.lists(st.integers(0, 6), min_size=12, max_size=12), spans=DAYS, assumed=st.booleans(),
)  # fmt: skip
def test_limits_of_the_part_hold_its_cases_and_never_contradict_each_other(
    part: list[int], others: list[int], spans: list[tuple[int, int, bool]], assumed: bool
) -> None:
    reported = [(a, min(a + n, 12), wide) for a, n, wide in dict.fromkeys(spans)]
    true = [sum(part[a:b]) for a, b, _ in reported]
    value = np.array([n + wide * sum(others[a:b]) for n, (a, b, wide) in zip(true, reported, strict=True)], float)
    ends = np.array([[a, b] for a, b, _ in reported])
    raw = Observations(
        tuple(f"F{k}" for k in range(len(value))), np.zeros(len(value), np.int64), ends[:, 0], ends[:, 1], value, value,
        ("cases",), tuple("whole" if wide else "mobilisation_parts" for *_, wide in reported),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        if not assumed:
            patch.setattr(counts, "OTHERS", 1e6)
        once = counts.each_once(raw)
    mine = np.array(once.scopes) == "mobilisation_parts"
    own = once.take(np.flatnonzero(mine))
    assert not len(own) or chain.limits(own.start, own.stop, own.low, own.high, own.start, own.stop) is not None
    left = () if once.omitted is None else once.omitted.ids
    assert sorted((*once.ids, *left)) == sorted(raw.ids)
    if not assumed:
        truth = dict(zip(raw.ids, true, strict=True))
        for k in np.flatnonzero(mine):
            assert once.low[k] <= truth[once.ids[k]] <= once.high[k]


def test_a_running_total_of_the_part_is_no_increment_over_one_of_the_whole() -> None:
    frame = facts(
        total("2023-03-21", 471), total("2023-04-26", 951),
        total("2023-03-01", 400, scope="mobilisation_parts"), total("2023-06-18", 1200, scope="mobilisation_parts"),
    )  # fmt: skip
    obs = counts.observations(frame, running="rebased")
    assert (obs.ids, obs.low.tolist()) == (("F004-F003",), [800])
    assert obs.omitted is not None
    assert (obs.omitted.ids, obs.omitted.low.tolist()) == (("F002-F001",), [480])


def test_a_part_above_its_whole_is_an_error_that_names_both() -> None:
    with pytest.raises(UserError, match=r"F001 \(5024.* is below the 5025 cases that reports of a part of it count"):
        counts.observations(facts({}, PART | {"value": 5025.0}))
    assert counts.observations(facts({}, PART | {"value": 5024.0})).ids == ("F002",)


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


def test_no_case_of_the_curated_figures_enters_with_a_part_and_with_the_whole() -> None:
    data = figures.load()
    table = reconcile.facts(data)
    court = {"compilers": "Mediazona", "articles": "337", "measures": "cases_received_by_court", "status": None}
    mine = figures.select(table, scope=["whole", "mobilisation_parts"], **court)
    obs = counts.observations(mine, data.figures, running="rebased")
    assert len(obs.series_names) == 1
    whole = np.array(obs.scopes) == "whole"
    for i in np.flatnonzero(whole):
        assert not ((obs.start < obs.stop[i]) & (obs.stop > obs.start[i]) & ~whole).any()
    assert obs.omitted is not None
    versions = len(mine) - len(reconcile.latest(mine))
    assert len(obs) + len(obs.omitted) + 1 == len(mine)  # the others are increments over one running total
    assert sum(why.startswith("counted again") for why in obs.omitted.why) == versions
    # F027: 2,076 from January to June 2023; of the year's cases of other parts 61 to 90
    assert (obs.low[obs.ids.index("F027")], obs.high[obs.ids.index("F027")]) == (1986, 2015)
