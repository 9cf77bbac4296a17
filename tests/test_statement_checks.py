"""No usable statement contradicts the fit in silence: each is in the fit, inside its interval, or in the list."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from desertion import figures, reconcile
from desertion.figures import Data
from desertion.trends import Refused, composite, statement_checks
from desertion.trends.composite import Fit, predictive

COURT = {
    "measures": "cases_received_by_court", "compilers": "Mediazona", "scope": ["whole", "mobilisation_parts"],
    "status": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> Data:
    return figures.load()


@pytest.fixture(scope="module")
def versions(data: Data) -> pd.DataFrame:
    return figures.select(reconcile.facts(data), articles="337", **COURT)


@pytest.fixture(scope="module")
def wider(data: Data) -> pd.DataFrame:
    return figures.select(reconcile.facts(data), articles="332+337+338", **COURT)


@pytest.fixture(scope="module")
def months(data: Data, versions: pd.DataFrame) -> Fit:
    found = composite.fit_statements(reconcile.latest(versions), data.figures)
    assert isinstance(found, Fit)
    return found


@pytest.fixture(scope="module")
def checked(months: Fit, data: Data, versions: pd.DataFrame, wider: pd.DataFrame) -> pd.DataFrame:
    return statement_checks.check(months, data, versions, wider)


def test_every_usable_statement_is_inside_its_interval_or_in_the_list_that_is_shown(
    checked: pd.DataFrame, months: Fit, data: Data, versions: pd.DataFrame, wider: pd.DataFrame
) -> None:
    single = wider[~wider["cumulative"].astype(bool)]
    usable = data.figures[
        data.figures["fact"].isin([*versions.index, *single.index]) & data.figures["status"].ne("rejected")
    ]
    set_against = " ".join(checked["ids"]).split()
    assert sorted(set_against) == sorted(usable.index)
    listed = set(" ".join(statement_checks.shown(checked)["ids"]).split())
    for row in checked.itertuples():
        # the first running total is no report: the others count from it on
        held = row.verdict == "inside" or (row.verdict == "first total" and row.printed == "471")
        assert held or set(row.ids.split()) <= listed, row
    used = set(" ".join(checked.loc[checked["role"].eq("in the fit"), "ids"]).split())
    assert set(months.obs.statements) <= used


def test_a_row_is_outside_where_its_number_lies_beyond_the_interval(checked: pd.DataFrame) -> None:
    exact = checked[checked["printed"].str.fullmatch(r"[\d,]+") & checked["role"].ne("upper bound")]
    exact = exact[exact["verdict"].isin(["inside", "outside"])]
    number = exact["printed"].str.replace(",", "").astype(float)
    beyond = (number < exact["predicted_low"]) | (number > exact["predicted_high"])
    assert beyond.tolist() == exact["verdict"].eq("outside").tolist()
    assert checked.loc[checked["verdict"].eq("inside"), "why"].eq("").all()


@pytest.fixture(scope="module")
def misprinted(months: Fit, data: Data, versions: pd.DataFrame, wider: pd.DataFrame) -> pd.DataFrame:
    """The checks where a page prints 9,400 for 7,400, and another a count of more articles below the level."""
    wrong = data.figures.copy()
    wrong.loc["F107", ["value", "period_end"]] = [9400.0, pd.Timestamp("2024-04-12")]
    wrong.loc["F164", "value"] = 300.0
    return statement_checks.check(months, replace(data, figures=wrong), versions, wider)


def test_a_count_that_a_relay_misprints_is_listed_with_what_else_is_printed_of_it(misprinted: pd.DataFrame) -> None:
    rows = misprinted.set_index("ids")
    assert rows.at["F107", "verdict"] == "outside"
    assert rows.at["F107", "role"] == "left out of the fit"
    assert "7,400 is printed of it, too" in rows.at["F107", "why"]
    assert "F107" in set(statement_checks.shown(misprinted)["ids"])


def test_a_count_of_more_articles_that_lies_below_the_level_is_listed(misprinted: pd.DataFrame) -> None:
    rows = misprinted.set_index("ids")
    assert rows.at["F164", "verdict"] == "outside"
    assert (rows.loc[rows["role"].eq("upper bound"), "verdict"].drop("F164") == "inside").all()


def test_each_report_of_the_fit_has_its_smallest_noticeable_error_as_a_share_of_the_printed_number(
    checked: pd.DataFrame, months: Fit
) -> None:
    words = statement_checks.noticeable(checked).set_index("ids")["smallest"]
    assert len(words) == len(months.obs)
    total = checked.set_index("ids").loc["F158"]
    at = [months.obs.ids.index("F158-F003")]
    increment = predictive.noticed(predictive.predicted(months, months.obs.take(at), [at]), months).iloc[0]
    assert total["smallest"] == pytest.approx(increment["smallest"] * increment["mean"] / (increment["mean"] + 471))
    assert total["error"] == increment["error"]


def test_the_report_that_alone_makes_the_counts_look_dispersed_is_named_in_words(
    checked: pd.DataFrame, months: Fit
) -> None:
    notes = statement_checks.named(checked, months)
    assert len(notes) == int(checked["named"].sum()) <= 1
    loud = checked.assign(named=checked["ids"].eq("F158"), phi=1.5, error=-4.2)
    (note,) = statement_checks.named(loud, months)
    assert note.startswith("14,182 (21 Sep 2022 – 27 Dec 2024) alone makes the counts look dispersed: it lies 4.2 ")
    assert "below what the others predict" in note
    assert statement_checks.named(checked, Refused("no statement", "")) == []


def test_without_a_fit_there_is_an_empty_table(data: Data, versions: pd.DataFrame) -> None:
    table = statement_checks.check(Refused("no statement", ""), data, versions)
    assert table.empty
    assert statement_checks.shown(table).empty
    assert statement_checks.noticeable(table).empty


def test_a_sentence_counts_the_published_numbers_inside_and_outside(checked: pd.DataFrame) -> None:
    one = statement_checks.agreement(checked)
    assert isinstance(one, statement_checks.Agreement)
    counts = checked["verdict"].value_counts()
    assert (one.inside, one.outside) == (counts["inside"], counts["outside"])
    assert (one.n, one.recipes["n"]) == (one.inside + one.outside, f"{one.inside} + {one.outside}")
    assert isinstance(statement_checks.agreement(checked[:0]), Refused)
