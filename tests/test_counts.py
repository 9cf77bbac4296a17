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
    assert table.loc["F002", "why"].startswith("its cases are counted in F003 (only the parts of the articles added")
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
    ("parts", "left"),
    [
        ([PART], True),
        ([PART | {"period_start": "2022-06-01", "period_end": "2024-02-29"}], True),
        # halves of the year cover it together, and so do 363 of its days; three quarters do not
        ([PART | {"period_end": "2023-06-30"}, PART | {"period_start": "2023-07-01"}], True),
        ([PART | {"period_end": "2023-12-29"}], True),
        ([PART | {"period_end": "2023-09-30"}], False),
        ([PART | {"period_end": "2023-06-30"}, PART | {"period_end": "2023-05-31"}], False),
        # what is open to one side, or counted by another, takes no place
        ([PART | {"bound": "at_least"}], False),
        ([PART | {"compiler": "Proekt"}], False),
        ([PART | {"articles": "338"}], False),
        ([{"period_end": "2023-06-30", "value": 100.0}], False),
    ],
)
def test_a_report_of_the_whole_is_left_out_where_its_parts_count_its_days(
    parts: list[dict[str, object]], left: bool
) -> None:
    words = hedges(F002="more than")
    obs = counts.observations(facts({}, *parts), words, reading="one-sided")
    assert (obs.omitted is not None) == left
    assert ("F001" in obs.ids) != left


def test_a_running_total_of_the_part_is_no_increment_over_one_of_the_whole() -> None:
    frame = facts(
        total("2023-03-21", 471), total("2023-04-26", 951),
        total("2023-03-01", 400, scope="mobilisation_parts"), total("2023-06-18", 1200, scope="mobilisation_parts"),
    )  # fmt: skip
    obs = counts.observations(frame, running="rebased")
    assert obs.ids == ("F004-F003",)
    assert obs.omitted is not None
    assert obs.omitted.ids == ("F002-F001",)


def test_a_part_above_its_whole_is_an_error_that_names_both() -> None:
    with pytest.raises(UserError, match=r"F002 \(5025.* counts a part of the cases of F001 \(5024"):
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
    assert len(obs) + len(obs.omitted) + 1 == len(mine)  # one running total is what the others are increments over
