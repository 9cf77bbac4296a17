"""Ratios and trends of years: who may meet whom, the limits printed, and the words where there are none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import Refused, exact, growth


def fact(year: int, value: float, **more: Any) -> dict[str, Any]:
    return {
        "articles": "337", "measure": "cases_received_by_court", "scope": "whole", "kind": "count", "unit": "cases",
        "period_start": pd.Timestamp(f"{year}-01-01"), "period_end": pd.Timestamp(f"{year}-12-31"), "cumulative": False,
        "value": value, "bound": "exact", "compiler": "Proekt", "ids": f"F{year}", **more,
    }  # fmt: skip


def facts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"fact-{i}" for i in range(len(rows))])


ARTICLE = facts(fact(2021, 527), fact(2022, 887), fact(2023, 4373))


def test_the_articles_three_counts_give_three_ratios_each_with_one_interval() -> None:
    table = growth.growth_table(ARTICLE, phi=50).round(2)
    assert table[["from_year", "to_year"]].to_numpy().tolist() == [[2021, 2022], [2021, 2023], [2022, 2023]]
    assert table["ratio"].tolist() == [1.68, 8.30, 4.93]
    law = exact.assumed_dispersion(4373, 527, [50])[0]
    assert table["low"][1] == pytest.approx(law.low, abs=0.005)
    assert table["high"][1] == pytest.approx(8.30 * 1.89, rel=0.005)
    assert table["ids"].tolist() == ["F2021 F2022", "F2021 F2023", "F2022 F2023"]
    assert (table["refused"] == "").all()


def test_what_is_assumed_where_no_fit_estimates_it_is_the_scatter_of_the_official_series() -> None:
    chosen = reconcile.latest(reconcile.facts(figures.load()))
    own = {"articles": "337", "measures": "persons_convicted", "compilers": "Judicial Department", "scope": "whole"}
    trends = growth.annual_trends(figures.select(chosen, status=None, **own)).set_index("model")
    row = trends.loc["quasi-poisson"]
    assert (row["first_year"], row["last_year"], row["df_resid"]) == (2013, 2021, 7)
    assert row["dispersion"] == pytest.approx(growth.OFFICIAL, rel=0.01)


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


def test_a_trend_of_few_degrees_of_freedom_is_refused_and_keeps_its_numbers() -> None:
    table = growth.annual_trends(ARTICLE, minimum_df=5).set_index("model")
    assert table.loc["quasi-poisson", "refused"] == (
        "3 counts leave 1 residual degree of freedom; its interval would run from ×0.08 to ×156 a year "
        "(needs: at least 7 counts)"
    )
    assert table.loc["poisson", "refused"] == (
        "3 counts leave 1 residual degree of freedom (needs: at least 7 counts)"
    )  # fmt: skip
    assert table.loc["poisson", "growth"] == pytest.approx(3.43, rel=0.001)
    assert "3 counts for 3 parameters" in table.loc["nb2", "refused"]


def test_trends_in_words_give_the_growth_or_the_refusal_and_the_doubts() -> None:
    words = growth.trend_words(growth.annual_trends(ARTICLE)).set_index("model")
    assert words["series"].unique().tolist() == ["Criminal cases received by a court, Art. 337, Proekt, 2021–2023"]
    assert words.loc["quasi-poisson", "growth"] == "×3.429 (0.075 to 155.769)"
    assert "1 residual" in words.loc["quasi-poisson", "why"]
    assert words.loc["nb2", "growth"] == "not enough data"
    assert "3 counts for 3 parameters" in words.loc["nb2", "why"]


def test_a_long_series_keeps_its_first_highest_and_last_year() -> None:
    series = facts(*(fact(2010 + k, value) for k, value in enumerate([5, 9, 7, 20, 11])))
    kept = growth.first_highest_last(growth.growth_table(series))
    assert kept[["from_year", "to_year"]].to_numpy().tolist() == [[2010, 2013], [2010, 2014], [2013, 2014]]
    assert growth.first_highest_last(kept[:0]).empty


def test_factors_are_rounded_and_their_intervals_put_into_words() -> None:
    table = growth.with_intervals(growth.factors(growth.growth_table(ARTICLE, phi=50), phi=50, level=0.95))
    row = table.iloc[1]
    assert (row["label"], row["factor"], row["interval"]) == ("2021 → 2023", 8.30, "4.38 to 15.72")
    assert (row["level"], row["dispersion"], row["ids"]) == (95, 50, "F2021 F2023")
    assert row["series"] == "Criminal cases received by a court, Art. 337, Proekt"


def test_factors_are_rounded_beside_a_table_without_rows_too() -> None:
    pairs = growth.growth_table(ARTICLE)
    joined = pd.concat([pairs, growth.growth_table(ARTICLE[:0])], ignore_index=True)
    assert growth.factors(joined, phi=50, level=0.95)["factor"].tolist() == [1.68, 8.30, 4.93]


def test_no_pair_of_years_gives_tables_without_rows() -> None:
    nothing = growth.growth_table(ARTICLE[:1])
    assert len(growth.with_intervals(growth.factors(nothing, phi=50, level=0.95))) == 0
    assert len(growth.trend_words(growth.annual_trends(ARTICLE[:1]))) == 0


def test_three_counts_give_three_columns_under_assumed_dispersions_or_none() -> None:
    table = growth.dispersions([527, 887, 4373], [1, 50])
    assert list(table) == ["assumed", "527 → 887", "887 → 4,373", "527 → 4,373"]
    assert table["527 → 4,373"].tolist() == ["8.30 ×/÷ 1.09", "8.30 ×/÷ 1.89"]
    lacking = growth.dispersions([527, float("nan"), 4373], [1, 50])
    assert (list(lacking), len(lacking)) == (["assumed"], 0)


def test_a_sentence_gets_the_pair_of_its_own_articles_and_measure_or_a_reason() -> None:
    rows = [
        fact(year, value, articles=articles)
        for articles, value in (("332", 7.0), ("337", 9.0))
        for year in (2021, 2022)
    ]
    table = growth.growth_table(facts(*rows, fact(2021, 0, compiler="None"), fact(2022, 5, compiler="None")))
    one = growth.pair(table, "Proekt", "337", "cases_received_by_court", 2021, 2022)
    assert not isinstance(one, Refused)
    assert (one.from_count, one.to_count, one.articles) == (9, 9, "337")
    assert one.recipes["ratio"] == "9 ÷ 9"
    zero = growth.pair(table, "None", "337", "cases_received_by_court", 2021, 2022)
    assert str(zero) == "a count is 0: the ratio has one limit only"
    for nothing in (table, table[:0], growth.growth_table(facts(fact(2021, 1)))):
        lacking = growth.pair(nothing, "Proekt", "338", "cases_received_by_court", 2021, 2022)
        assert str(lacking) == (
            "Proekt's counts of 2021 and 2022 (criminal cases received by a court, Art. 338) are not both among the "
            "published numbers"
        )
        assert lacking.ids == ""


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
