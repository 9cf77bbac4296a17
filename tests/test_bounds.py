"""Bounds on convictions that no counter publishes: closed forms by hand, the assumption, and what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion import plots
from desertion.errors import ArgumentError, UserError
from desertion.trends import Refused, bounds

OFFICIAL = {"compiler": "Judicial Department", "articles": "all"}
CHAPTER = {"compiler": "Judicial Department", "articles": "ch33"}
INSIDER = {"compiler": "The Insider", "articles": "337+338+339"}


def fact(start: str, end: str, value: float, **more: Any) -> dict[str, Any]:
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    return {
        "measure": "persons_convicted", "scope": "whole", "kind": "count", "unit": "persons", "cumulative": False,
        "period_start": first, "period_end": last, "value": float(value), "bound": "exact",
        "days": (last - first).days + 1, "ids": f"F{value:.0f}", **more,
    }  # fmt: skip


def year(year: int, value: float, **more: Any) -> dict[str, Any]:
    return fact(f"{year}-01-01", f"{year}-12-31", value, **more)


def half(year: int, value: float, **more: Any) -> dict[str, Any]:
    return fact(f"{year}-01-01", f"{year}-06-30", value, **more)


FACTS = pd.DataFrame([
    year(2022, 4191, **OFFICIAL), year(2023, 7779, **OFFICIAL), year(2024, 13699, **OFFICIAL),
    half(2023, 2726, **OFFICIAL), half(2024, 6088, **OFFICIAL), half(2023, 1270, **CHAPTER),
    fact("2022-03-01", "2022-12-31", 884, **INSIDER), year(2023, 4346, **INSIDER), year(2024, 8561, **INSIDER),
])  # fmt: skip
NONE = Refused("no level is assumed", "")


def test_half_years_are_printed_or_the_year_less_its_first_half() -> None:
    table = bounds.halves(FACTS)
    assert table["total"].tolist() == [4191, 2726, 5053, 6088, 7611]
    printed, rest = "as printed", "year less first half"
    assert table["how"].tolist() == [printed, printed, rest, printed, rest]
    assert table["share"].tolist() == pytest.approx([1, 181 / 365, 184 / 365, 182 / 366, 184 / 366])
    assert table["ids"].tolist() == ["F4191", "F2726", "F7779 F2726", "F6088", "F13699 F6088"]


def test_a_half_year_alone_stands_without_its_second_half() -> None:
    table = bounds.halves(FACTS[FACTS["period_end"].ne("2024-12-31")])
    assert table["total"].tolist() == [4191, 2726, 5053, 6088]


def test_a_first_half_above_its_year_is_one_message() -> None:
    wrong = pd.DataFrame([year(2023, 2000, **OFFICIAL), half(2023, 2726, **OFFICIAL)])
    with pytest.raises(UserError, match="2023: the first half has 2,726 persons convicted, the year 2,000"):
        bounds.halves(wrong)


def test_the_others_of_a_year_are_the_total_less_the_count_taken_to_a_year() -> None:
    assert bounds.level_of_others(FACTS, 2022) == round(4191 - 884 * 365 / 306) == 3137
    missing = bounds.level_of_others(FACTS, 2021)
    assert missing == Refused("no count of most of 2021 by Judicial Department is among the published numbers", "")
    assert isinstance(bounds.level_of_others(FACTS.iloc[:1], 2022), Refused)


def test_coverage_and_growth_are_those_computed_by_hand() -> None:
    u = bounds.unpublished(FACTS, 3137, (2023, 2024))
    assert isinstance(u, bounds.Unpublished)
    assert (u.first, u.last) == (7779 - 3137, 13699 - 3137) == (4642, 10562)
    assert u.growth == pytest.approx(10562 / 4642)
    assert (u.low, u.high) == pytest.approx((13699 / 7779, 9699 / 3779))
    assert (u.covered_first, u.covered_last) == pytest.approx((100 * 4346 / 4642, 100 * 8561 / 10562))
    assert (u.floor_first, u.floor_last) == pytest.approx((100 * 4346 / 7779, 100 * 8561 / 13699))
    assert (u.free_low, u.free_high) == pytest.approx((8561 / 7779, 13699 / 4346))
    assert [round(x, 2) for x in (u.growth, u.low, u.high, u.seen)] == [2.28, 1.76, 2.57, 1.97]
    assert [round(x) for x in (u.covered_first, u.covered_last, u.floor_first, u.floor_last)] == [94, 81, 56, 62]
    assert u.ids == "F7779 F4346 F13699 F8561"


@settings(max_examples=30)
@given(others=st.floats(0, 4000), bend=st.floats(0, 1))
def test_growth_at_any_level_in_the_range_lies_within_its_bounds(others: float, bend: float) -> None:
    u = bounds.unpublished(FACTS, others, (2023, 2024))
    assert isinstance(u, bounds.Unpublished)
    assert u.low - 1e-9 <= u.growth <= u.high + 1e-9
    # where the others differ from year to year, too, as long as the counter's persons are among those convicted
    first, last = 4346 + bend * (7779 - 4346), 8561 + (1 - bend) * (13699 - 8561)
    assert u.free_low - 1e-9 <= last / first <= u.free_high + 1e-9


def test_what_is_not_known_or_would_leave_nobody_is_refused_in_words() -> None:
    assert bounds.unpublished(FACTS, NONE, (2023, 2024)) == NONE
    missing = bounds.unpublished(FACTS, 3137, (2024, 2025))
    assert missing == Refused("no count of all of 2025 by Judicial Department is among the published numbers", "")
    assert str(bounds.unpublished(FACTS, 7779, (2023, 2024))) == "7,779 others are all of the 7,779 convicted in a year"
    # ten months of a year are not set beside the total of twelve
    assert isinstance(bounds.unpublished(FACTS, 0, (2022, 2023), (0, 0)), Refused)


def test_the_bounds_of_a_half_year_take_off_its_share_of_the_others() -> None:
    table = bounds.bounds(bounds.halves(FACTS), bounds.halves(FACTS, "ch33"), 3137).set_index("period")
    row = table.loc["Jul–Dec 2024"]
    assert (row["low"], row["high"]) == pytest.approx((7611 - 4000 * 184 / 366, 7611))
    assert row["at"] == pytest.approx(7611 - 3137 * 184 / 366)
    assert pd.isna(row["chapter"])
    row = table.loc["Jan–Jun 2023"]
    assert (row["high"], row["chapter"], row["ids"]) == (1270, 1270, "F2726 F1270")
    assert table["at"].between(table["low"], table["high"]).all()


def test_bounds_do_not_fall_below_nobody_and_need_no_assumption() -> None:
    small = pd.DataFrame([half(2023, 100, **OFFICIAL)])
    table = bounds.bounds(bounds.halves(small), bounds.halves(small, "ch33"), NONE)
    assert table[["low", "high"]].to_numpy().tolist() == [[0, 100]]
    assert table["at"].isna().all()


def test_a_chapter_that_leaves_more_others_than_assumed_says_so_and_leaves_the_assumed_number_out() -> None:
    early = pd.DataFrame([year(2010, 8632, **OFFICIAL), year(2010, 4546, **CHAPTER)])
    table = bounds.bounds(bounds.halves(early), bounds.halves(early, "ch33"), 3137)
    assert table[["low", "high"]].to_numpy().tolist() == [[4546, 4546]]
    assert table["at"].isna().all()
    assert bounds.doubts(table, 3137) == ["2010: chapter 33 leaves 4,086 others a year at least."]
    assert bounds.doubts(table, 4086) == bounds.doubts(table, NONE) == []


@pytest.mark.parametrize("span", [(-1, 4000), (4000, 0)])
def test_a_range_of_others_that_does_not_ascend_is_refused(span: tuple[float, float]) -> None:
    with pytest.raises(ArgumentError, match="must be two numbers of persons a year that ascend"):
        bounds.bounds(bounds.halves(FACTS), bounds.halves(FACTS, "ch33"), 3137, span)


@settings(max_examples=30)
@given(st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 10**5))
def test_a_wider_range_of_others_gives_wider_bounds(a: int, b: int, total: int) -> None:
    halves = bounds.halves(pd.DataFrame([half(2023, total, **OFFICIAL)]))
    none = halves.iloc[:0]
    narrow = bounds.bounds(halves, none, NONE, (min(a, b), max(a, b))).iloc[0]
    wide = bounds.bounds(halves, none, NONE).iloc[0]
    assert 0 <= wide["low"] <= narrow["low"] <= narrow["high"] <= wide["high"] == total


def test_each_level_of_others_has_a_row_and_an_impossible_one_its_reason() -> None:
    table = bounds.by_level(FACTS, [4000, 0, 3137, 3137, NONE], (2023, 2024))
    assert table["others"].tolist() == [0, 3137, 4000]
    assert table["doubt"].tolist() == ["", "", "The Insider counted more than this leaves"]
    assert bounds.by_level(FACTS.iloc[:0], [0, 4000], (2023, 2024)).empty


def test_what_lies_outside_the_chapter_is_taken_to_a_year() -> None:
    table = bounds.outside(bounds.halves(FACTS), bounds.halves(FACTS, "ch33"))
    assert table["outside"].tolist() == [2726 - 1270]
    assert table["yearly"].tolist() == [round(1456 * 365 / 181)]


def test_a_month_is_a_month_in_the_table_of_the_plot() -> None:
    table = bounds.by_month(bounds.bounds(bounds.halves(FACTS), bounds.halves(FACTS, "ch33"), 3137), FACTS)
    official, seen = (table[table["compiler"].eq(who)] for who in ("Judicial Department", "The Insider"))
    assert official["count"].tolist() == [4191, 2726, 5053, 6088, 7611]
    assert official["value"].iloc[-1] == round(7611 / 184 * 30.4375, 1)
    by_hand = [round(count / days * 30.4375, 1) for count, days in ((884, 306), (4346, 365), (8561, 366))]
    assert seen["value"].tolist() == by_hand
    assert seen[["low", "high", "at"]].isna().all(axis=None)
    assert bounds.by_month(bounds.bounds(*[bounds.halves(FACTS.iloc[:0])] * 2, NONE), FACTS.iloc[:0]).empty


def test_only_exact_counts_of_all_russia_enter() -> None:
    loose = [
        year(2025, 13500, **OFFICIAL) | change
        for change in ({"bound": "at_least"}, {"scope": "subset"}, {"kind": "growth"}, {"cumulative": True})
    ]
    assert bounds.halves(pd.DataFrame(loose)).empty


# --- the plot -----------------------------------------------------------------------------------------------------


def monthly(others: float | Refused = 3137) -> pd.DataFrame:
    chapter = bounds.halves(FACTS, "ch33")
    return bounds.by_month(bounds.bounds(bounds.halves(FACTS), chapter, others), FACTS)


def test_the_title_of_the_plot_is_computed_from_its_table() -> None:
    title = plots.unpublished.words(plots.unpublished.conform(monthly())).title
    low, high = ((13699 - others) / 366 * 30.4375 for others in (4000, 0))
    assert (round(low), round(high), round(8561 / 366 * 30.4375)) == (807, 1139, 712)
    assert (
        title == "Official totals leave 810 to 1,100 convictions a month for leaving service in 2024; 710 were counted"
    )


def test_without_a_year_of_both_or_with_more_counted_the_topic_is_the_title() -> None:
    table = monthly()
    for rows in (
        table[table["compiler"].eq("Judicial Department")],
        table[table["period_end"].dt.year.lt(2023)],  # ten months beside a year
        table.assign(value=table["value"].where(table["high"].notna(), 1000.0)),
    ):
        assert plots.unpublished.words(plots.unpublished.conform(rows)).title == plots.unpublished.topic


def test_no_line_is_drawn_for_an_assumption_that_is_refused() -> None:
    def names(table: pd.DataFrame) -> list[str]:
        return [text.get_text() for axes in plots.unpublished(table).axes for text in axes.texts]

    assert any("as assumed" in name.replace("\n", " ") for name in names(monthly()))
    assert not any("as assumed" in name.replace("\n", " ") for name in names(monthly(NONE)))


def test_no_riser_joins_periods_with_a_gap_between_them() -> None:
    table = monthly().iloc[[0, 3]]  # 2022 and the first half of 2024
    lines = [line.get_xdata() for axes in plots.unpublished(table).axes for line in axes.get_lines()]
    assert not any(min(x) < 2023 and max(x) > 2024 for x in lines if len(x) and max(x) > 2000)
