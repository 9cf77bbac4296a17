"""Growth by stage: which counts meet, how parts of a year are compared, and what a stage without two years says."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion import figures, plots, reconcile
from desertion.errors import ArgumentError
from desertion.trends import Refused, exact, growth, stages


def fact(year: int, value: float, **more: Any) -> dict[str, Any]:
    first, last = more.pop("days", ("01-01", "12-31"))
    start, end = pd.Timestamp(f"{year}-{first}"), pd.Timestamp(f"{year}-{last}")
    return {
        "articles": "337", "measure": "cases_received_by_court", "scope": "whole", "kind": "count", "unit": "cases",
        "period_start": start, "period_end": end, "cumulative": False, "value": value, "bound": "exact",
        "compiler": "Mediazona", "ids": f"F{year}", "days": (end - start).days + 1, **more,
    }  # fmt: skip


def facts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"fact-{i}" for i in range(len(rows))])


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    data = figures.load()
    known = reconcile.latest(reconcile.facts(data).join(data.figures["hedge"], on="chosen"))
    articles = ["337", "332+337+338", "337+338+339", "ch33", "all"]
    return stages.stage_growth(figures.select(known, articles=articles, start="2021-01-01", status=None))


@pytest.mark.parametrize(
    ("years", "stage", "compiler", "counts", "growth"),
    [
        ("2021 → 2022", "registered", "Prosecutor General's Office", (1514, 3047), 2.01),
        ("2021 → 2022", "cleared", "Prosecutor General's Office", (1089, 2835), 2.60),
        ("2021 → 2022", "received by courts", "Mediazona", (615, 1001), 1.63),
        ("2021 → 2022", "received by courts", "Proekt", (527, 887), 1.68),
        ("2021 → 2022", "convicted and in force", "Judicial Department", (1083, 1379), 1.27),
        ("2022 → 2023", "received by courts", "Mediazona", (1001, 5096), 5.09),
        ("2022 → 2023", "convicted", "The Insider", (884, 4346), 4.12),
        ("2022 → 2023", "convicted and in force", "Judicial Department", (4191, 7779), 1.86),
        ("2023 → 2024", "convicted", "The Insider", (4346, 8561), 1.97),
        ("2023 → 2024", "convicted and in force", "Judicial Department", (7779, 13699), 1.76),
    ],
)
def test_the_published_counts_grow_as_they_do_by_hand(published, years, stage, compiler, counts, growth) -> None:
    row = published[published[["years", "stage", "compiler"]].eq([years, stage, compiler]).all(axis=1)].squeeze()
    assert (row["from_count"], row["to_count"], round(row["ratio"], 2)) == (*counts, growth)
    assert row["low"] < row["ratio"] < row["high"]


def test_no_row_joins_two_measures_counters_articles_or_scopes() -> None:
    mixed = facts(
        fact(2021, 527),
        fact(2022, 900, measure="persons_convicted"),
        fact(2022, 900, compiler="Proekt"),
        fact(2022, 900, articles="337+338"),
        fact(2022, 900, scope="mobilisation_parts"),
        fact(2022, 900, cumulative=True),
        fact(2022, 63, kind="growth"),
        fact(2023, 900),
    )
    assert stages.stage_growth(mixed).empty
    assert len(stages.stage_growth(facts(fact(2021, 527), fact(2022, 900), fact(2024, 5)))) == 1


def test_a_part_of_a_year_is_compared_by_the_day_and_named() -> None:
    table = stages.stage_growth(facts(fact(2022, 884, days=("03-01", "12-31")), fact(2023, 4346)))
    (row,) = table.itertuples()
    assert row.ratio == pytest.approx(4346 / (884 / (306 / 365.25)))
    assert (row.from_part, row.to_part) == ("Mar–Dec 2022", "")
    words = stages.in_words(table).iloc[0]
    assert (words["before"], words["after"], words["growth"]) == ("884 (Mar–Dec)", "4,346", "×4.12")
    (limits,) = exact.assumed_dispersion(4346, 884, [growth.OFFICIAL], 1, 306 / 365.25)
    assert words["interval"] == f"{limits.low:.2f} to {limits.high:.2f}"


def test_of_two_counts_of_a_year_the_longer_one_is_compared() -> None:
    part = fact(2022, 500, days=("01-01", "07-31"))
    for rows in ([part, fact(2022, 1001)], [fact(2022, 1001), part]):
        assert stages.stage_growth(facts(fact(2021, 615), *rows))["to_count"].tolist() == [1001]


def test_only_the_courts_forms_count_verdicts_in_force() -> None:
    rows = [
        fact(year, 100, compiler=who, measure="persons_convicted")
        for who in ("Judicial Department", "The Insider") for year in (2021, 2022)
    ]  # fmt: skip
    table = stages.stage_growth(facts(*rows)).set_index("compiler")["stage"]
    assert table.to_dict() == {"The Insider": "convicted", "Judicial Department": "convicted and in force"}


def test_a_stage_without_two_years_is_named_in_one_line() -> None:
    lines = stages.lacking(stages.stage_growth(facts(fact(2021, 615), fact(2022, 1001))))
    assert len(lines) == len(stages.ORDER) - 1
    assert "Registered: no counter gives counts of two neighbouring years." in lines
    assert not any(line.startswith("Received") for line in lines)


def test_a_stage_whose_only_ratio_is_refused_says_why() -> None:
    table = stages.stage_growth(facts(fact(2021, 0), fact(2022, 1001)))
    assert "Received by courts: a count is 0: the ratio has one limit only." in stages.lacking(table)
    words = stages.in_words(table).iloc[0]
    assert (words["growth"], words["interval"]) == ("–", "a count is 0: the ratio has one limit only")


def test_the_newer_parts_of_articles_are_named(published) -> None:
    parts = published[published["what"].eq("Art. 332, 337 and 338, newer parts")]
    assert parts[["from_count", "to_count"]].to_numpy().tolist() == [[5517, 10308]]


def factor(earlier: float, later: float) -> float:
    """What a ratio is multiplied and divided by, at the variance of the official counts."""
    return math.exp(1.959963984540054 * math.sqrt(61 * (1 / earlier + 1 / later)))


def test_the_spread_needs_two_counters() -> None:
    one = stages.stage_growth(facts(fact(2021, 100), fact(2022, 200)))
    assert stages.spread(one, 2021) == Refused(
        "1 counter gives counts of 2021 and 2022", "the same years by two counters"
    )
    two = facts(fact(2021, 100), fact(2022, 200), fact(2021, 10, compiler="Proekt"), fact(2022, 50, compiler="Proekt"))
    spread = stages.spread(stages.stage_growth(two), 2021)
    assert isinstance(spread, stages.StageSpread)
    assert (spread.least, spread.most, spread.n, spread.counters) == (2.0, 5.0, 2, 2)
    assert (spread.least_high, spread.most_low) == (
        pytest.approx(2 * factor(100, 200)),
        pytest.approx(5 / factor(10, 50)),
    )
    assert spread.ids == "F2021 F2022"


@pytest.mark.parametrize("empty", [facts(fact(2021, 1)).iloc[:0], facts(fact(2021, 615))])
def test_nothing_to_compare_gives_an_empty_table_in_words_too(empty) -> None:
    table = stages.stage_growth(empty)
    assert table.empty
    assert stages.in_words(table).empty
    assert len(stages.lacking(table)) == len(stages.ORDER)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 10**5), min_size=2, max_size=5))
def test_growth_over_neighbouring_years_multiplies_to_that_of_the_ends(counts) -> None:
    table = stages.stage_growth(facts(*[fact(2015 + n, count) for n, count in enumerate(counts)]))
    assert table["ratio"].prod() == pytest.approx(counts[-1] / counts[0])


# --- the plot -----------------------------------------------------------------------------------------------------


def test_the_title_of_the_plot_states_what_its_table_shows(published) -> None:
    drawn = published.round(2)
    title = plots.stages.words(plots.stages.conform(drawn)).title
    assert title == "How steep 2023 was depends on what is counted; that numbers nearly doubled in 2024 does not"
    assert plots.stages.describe(drawn).endswith("2022 ×1.3 to ×2.6; 2023 ×1.9 to ×5.1; 2024 ×1.8 to ×2.0; 2025 ×0.9.")


@pytest.mark.parametrize(
    "change",
    [
        {"2022 → 2023": 2.0},  # no year depends on what is counted
        {"2023 → 2024": 3.0},  # no year nearly doubled
        {"2023 → 2024": 0.9},
    ],
)
def test_a_plot_whose_finding_no_longer_holds_is_titled_with_its_topic(published, change) -> None:
    drawn = published[published["from_year"].ge(2022)]
    drawn = drawn.assign(**{each: drawn["years"].map(change).fillna(drawn[each]) for each in ("ratio", "low", "high")})
    assert plots.stages.words(plots.stages.conform(drawn)).title == plots.stages.topic


def test_a_difference_within_the_scatter_of_the_counts_is_no_finding(published) -> None:
    wide = published.assign(low=published["ratio"] / 2, high=published["ratio"] * 2)
    assert plots.stages.words(plots.stages.conform(wide)).title == plots.stages.topic


def test_one_counter_alone_supports_no_finding(published) -> None:
    alone = published[published["compiler"].eq("The Insider")]
    assert plots.stages.words(plots.stages.conform(alone)).title == plots.stages.topic


def test_the_plot_writes_the_counts_and_marks_parts_of_a_year(published) -> None:
    texts = [text.get_text() for axes in plots.stages(published.round(2)).axes for text in axes.texts]
    assert {"884* → 4,346", "1,514 → 3,047", "×5.1", "Mediazona", "2022 → 2023"} <= set(texts)


@pytest.mark.parametrize(
    ("column", "cell", "words"), [("ratio", 0.0, "0.0 is not above zero"), ("stage", "tried", "'tried' is none of")]
)
def test_the_plot_refuses_what_it_cannot_show(published, column, cell, words) -> None:
    with pytest.raises(ArgumentError, match=f"plot stages: row 0: column '{column}' {words}"):
        plots.stages(published.assign(**{column: cell}))
