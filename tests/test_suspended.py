"""Suspended sentences: shares in order of time, intervals where the number of verdicts is known, the official form."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.data import detail, figure, load, source

from desertion import figures, plots, reconcile
from desertion.trends import Refused, exact, suspended

MARCH = {"period_start": "2023-03-01", "period_end": "2023-03-31", "scope": "sample"}
SHARE = {"kind": "share", "unit": "percent", "per": "texts_examined", "measure": "sentences_suspended"}


def share(number: str, value: float, **cells: str) -> dict[str, str]:
    return figure(number, value, "page", **{**MARCH, **SHARE, "fact": "newsroom/337/suspended-share/2023-03", **cells})


def texts(number: str, value: float, **cells: str) -> dict[str, str]:
    fact = {"fact": "newsroom/337/texts/2023-03", "measure": "texts_examined", "unit": "texts"}
    return figure(number, value, "page", **{**MARCH, **fact, **cells})


def shares(folder: Path, *rows: dict[str, str], **more: list[dict[str, str]]) -> pd.DataFrame:
    data = load(folder, figures=rows, sources=[source("page")], **more)
    return suspended.shares(reconcile.facts(data), data.figures)


def test_a_share_of_a_counted_sample_has_the_interval_of_wilson(tmp_path: Path) -> None:
    (row,) = shares(tmp_path, share("F1", 72.7), texts("F2", 44)).itertuples()
    wilson = exact.proportion(32, 44)
    assert (row.low, row.high) == (100 * wilson.low, 100 * wilson.high)
    assert (row.basis, row.interval, row.printed, row.ids) == ("32 of 44 texts", "58–84", "72.7", "F1 F2")


def test_words_beside_a_share_widen_its_interval(tmp_path: Path) -> None:
    (row,) = shares(tmp_path, share("F1", 60, bound="about", hedge="nearly"), texts("F2", 330)).itertuples()
    assert row.low < 100 * exact.proportion(198, 330).low
    assert row.high == pytest.approx(100 * exact.proportion(198, 330).high)  # "nearly" admits less, not more
    assert (row.basis, row.printed) == ("330 texts", "about 60")


def test_a_part_that_was_counted_is_taken_as_counted_and_a_sample_of_at_least_so_many_as_that_many(
    tmp_path: Path,
) -> None:
    fact = {"fact": "newsroom/337/suspended/2023-03", "measure": "sentences_suspended", "unit": "verdicts"}
    rows = share("F1", 40), texts("F2", 300, bound="at_least"), figure("F3", 121, "page", **MARCH, **fact)
    (row,) = shares(tmp_path, *rows).itertuples()
    assert (row.low, row.high) == tuple(100 * end for end in (lambda p: (p.low, p.high))(exact.proportion(121, 300)))
    assert row.basis == "121 of at least 300 texts"


@pytest.mark.parametrize(
    "other",
    [{"compiler": "Other", "fact": "other/337/texts/2023-03"},
     {"period_end": "2023-03-30", "fact": "newsroom/337/texts/2023-03-01..2023-03-30"},
     {"bound": "about", "hedge": "about"}],
    ids=["another compiler", "another period", "rounded"],
)  # fmt: skip
def test_without_the_number_of_verdicts_there_is_no_interval(tmp_path: Path, other: dict[str, str]) -> None:
    (row,) = shares(tmp_path, share("F1", 72.7), texts("F2", 44, **other)).itertuples()
    assert pd.isna(row.low)
    assert (row.basis, row.interval, row.ids) == ("", None, "F1")
    assert isinstance(suspended.latest(shares(tmp_path, share("F1", 72.7))), Refused)


def test_shares_of_one_kind_of_soldier_stand_only_where_no_share_of_all_is_known(tmp_path: Path) -> None:
    kind = share("F2", 50, fact="newsroom/337/suspended-share-contract/2023-03", scope="subset")
    details = [detail("F2", soldiers="contract")]
    both = shares(tmp_path / "both", share("F1", 72.7), kind, details=details)
    alone = shares(tmp_path / "alone", kind, details=details)
    assert both["ids"].tolist() == ["F1"]
    assert alone[["ids", "covers"]].to_numpy().tolist() == [["F2", "contract soldiers"]]


def test_a_sentence_gets_the_latest_share_with_an_interval(tmp_path: Path) -> None:
    later = share(
        "F3", 80, fact="newsroom/337/suspended-share/2023-04", period_start="2023-04-01", period_end="2023-04-30"
    )
    one = suspended.latest(shares(tmp_path, share("F1", 25), texts("F2", 44), later))
    assert isinstance(one, suspended.Latest)
    assert (one.value, one.period, one.basis, one.ids) == (25, "Mar 2023", "11 of 44 texts", "F1 F2")


@pytest.fixture(scope="module")
def real() -> figures.Data:
    return figures.load()


def test_the_official_share_takes_in_the_other_suspended_sentences(real: figures.Data) -> None:
    official = suspended.official(reconcile.facts(real))
    year = official[official["period_start"].dt.year.eq(2021)].iloc[0]
    assert (year["convicted"], year["suspended"], year["suspended_other"]) == (1113, 359, 58)
    assert year["value"] == pytest.approx(100 * (359 + 58) / 1113, abs=0.05)
    assert official["period_start"].dt.year.tolist() == list(range(2009, 2022))
    assert (
        (official["suspended"] + official["suspended_other"] + official["imprisoned"]).le(official["convicted"]).all()
    )


def test_the_rows_of_the_plot_are_in_order_of_time_and_the_form_stands_in_one(real: figures.Data) -> None:
    facts = reconcile.facts(real)
    table = suspended.in_rows(suspended.official(facts), suspended.shares(facts, real.figures))
    assert set(plots.sentences.columns) == set(table.columns)
    assert table["row"][table["compiler"].eq("Judicial Department")].unique().tolist() == ["2009–2021, each year"]
    assert table["period_end"].is_monotonic_increasing
    assert "Mar 2024: 32 of 44 texts" in table["row"].tolist()


@pytest.mark.parametrize("day", ["2022-12-31", "2023-06-30", "2024-03-20"])
def test_an_early_edition_has_the_rows_that_it_knows(day: str) -> None:
    data = figures.load(as_of=day)
    facts = reconcile.facts(data)
    known = suspended.shares(facts, data.figures)
    assert (known["period_end"] <= pd.Timestamp(day)).all()
    assert known.empty == (day == "2022-12-31")
    assert len(suspended.in_rows(suspended.official(facts), known)) == 13 + len(known)
    assert suspended.by_soldier(facts).empty == (day != "2024-03-20")


def test_kinds_of_soldier_stand_side_by_side_by_sentence(real: figures.Data) -> None:
    table = suspended.by_soldier(reconcile.facts(real))
    assert table[["measure", "contract", "mobilised"]].head(3).to_numpy().tolist() == [
        ["sentences_suspended", 59, 56], ["sentences_settlement_colony", 28, 35], ["sentences_penal_colony", 13, 10],
    ]  # fmt: skip
