"""Ratios and trends of years: who may meet whom, the limits printed, and the words where there are none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import exact, growth


def fact(year: int, value: float, **more: Any) -> dict[str, Any]:
    return {
        "articles": "337", "measure": "cases_received_by_court", "scope": "whole", "kind": "count", "unit": "cases",
        "period_start": pd.Timestamp(f"{year}-01-01"), "period_end": pd.Timestamp(f"{year}-12-31"), "cumulative": False,
        "value": value, "bound": "exact", "compiler": "Proekt", "ids": (f"F{year}",), **more,
    }  # fmt: skip


def facts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"fact-{i}" for i in range(len(rows))])


ARTICLE = facts(fact(2021, 527), fact(2022, 887), fact(2023, 4373))


def test_the_articles_three_counts_give_three_ratios_with_an_outer_interval() -> None:
    table = growth.growth_table(ARTICLE).round(2)
    assert table[["from_year", "to_year"]].to_numpy().tolist() == [[2021, 2022], [2021, 2023], [2022, 2023]]
    assert table["ratio"].tolist() == [1.68, 8.30, 4.93]
    assert table["low"].tolist() == [1.51, 7.58, 4.59]
    assert table["high"].tolist() == [1.88, 9.10, 5.31]
    outer = exact.assumed_dispersion(4373, 527, [50])[0]
    assert table["outer_low"][1] == pytest.approx(outer.low, abs=0.005)
    assert table["outer_high"][1] == pytest.approx(8.30 * 1.89, rel=0.005)
    assert table["ids"].tolist() == ["F2021 F2022", "F2021 F2023", "F2022 F2023"]
    assert (table["refused"] == "").all()


def test_only_equal_things_of_whole_years_meet() -> None:
    mixed = facts(
        fact(2021, 527),
        fact(2022, 900, measure="verdicts"),
        fact(2022, 900, compiler="Mediazona"),
        fact(2022, 900, scope="mobilisation_parts"),
        fact(2022, 900, articles="337+338"),
        fact(2022, 900, cumulative=True),
        fact(2022, 50, kind="share"),
        fact(2022, 900, period_end=pd.Timestamp("2022-06-30")),
        fact(2022, 900, period_start=pd.Timestamp("2021-01-01")),
    )
    assert len(growth.growth_table(mixed)) == 0
    assert list(growth.growth_table(mixed).columns) == list(growth.growth_table(ARTICLE).columns)


def test_a_rounded_number_widens_the_limits_and_an_open_one_has_none() -> None:
    rounded = facts(fact(2021, 527), fact(2022, 900, bound="about"))
    (row,) = growth.growth_table(rounded).to_dict("records")
    point = exact.rate_ratio(900, 1, 527, 1)
    assert row["low"] < point.low
    assert row["high"] > point.high
    assert row["ratio"] == pytest.approx(point.ratio)
    hedged = facts(fact(2021, 527, hedge=""), fact(2022, 900, bound="at_least", hedge="more than"))
    assert growth.growth_table(hedged)["refused"].tolist() == [""]
    (open_row,) = growth.growth_table(hedged, reading="one-sided").to_dict("records")
    assert "at least 900 in 2022" in open_row["refused"]
    assert pd.isna(open_row["low"])


def test_a_zero_has_no_ratio() -> None:
    (row,) = growth.growth_table(facts(fact(2021, 0), fact(2022, 7))).to_dict("records")
    assert "0" in row["refused"]


def test_trends_of_three_years_are_given_with_their_doubts_or_refused_in_words() -> None:
    table = growth.annual_trends(ARTICLE).set_index("model")
    quasi = table.loc["quasi-poisson"]
    assert (quasi["n"], quasi["df_resid"]) == (3, 1)
    assert (quasi["growth"], quasi["low"], quasi["high"]) == pytest.approx((3.43, 0.0755, 155.8), rel=0.001)
    assert "1 residual" in quasi["doubts"]
    assert "180.9 times" in table.loc["poisson", "doubts"]
    assert "3 counts for 3 parameters" in table.loc["nb2", "refused"]
    assert pd.isna(table.loc["nb2", "growth"])
    assert table["ids"].tolist() == ["F2021 F2022 F2023"] * 3


def test_bounds_and_two_counts_of_a_year_carry_no_trend() -> None:
    bound = growth.annual_trends(facts(fact(2021, 5), fact(2022, 9), fact(2023, 700, bound="at_least"), fact(2024, 8)))
    assert bound["refused"].str.contains("at least 700 in 2023").all()
    twice = growth.annual_trends(facts(fact(2021, 5), fact(2022, 9), fact(2022, 10), fact(2023, 8)))
    assert twice["refused"].str.contains("2022 has more than one count").all()


def test_a_missing_column_is_a_user_error() -> None:
    with pytest.raises(UserError, match="scope"):
        growth.growth_table(ARTICLE.drop(columns="scope"))


def test_an_incomplete_year_stays_out_unless_asked_for_and_is_then_compared_by_the_day() -> None:
    facts = reconcile.facts(figures.load()).query("compiler == 'The Insider' and articles == '337+338+339'")
    facts = facts[facts["measure"].eq("persons_convicted")]
    whole = growth.growth_table(facts)
    assert whole[["from_year", "to_year"]].values.tolist() == [[2023, 2024]]
    every = growth.growth_table(facts, incomplete=True).set_index(["from_year", "to_year"])
    assert every.loc[(2023, 2024), "ratio"] == whole["ratio"].item()
    assert not every.loc[(2023, 2024), "incomplete"]
    assert every.loc[(2022, 2023), "incomplete"]
    assert every.loc[(2022, 2023), "ratio"] == pytest.approx(4346 / (884 / (306 / 365.25)))
    assert every.loc[(2022, 2023), "low"] < every.loc[(2022, 2023), "ratio"] < every.loc[(2022, 2023), "high"]
