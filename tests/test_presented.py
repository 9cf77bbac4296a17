"""Results in words: the ledger, rival readings, revisions, sums of measures, and the claims."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from support.data import figure, load, source

from desertion import claims, figures, reconcile, vocabulary

PAGES = [source("one"), source("two")]


@pytest.fixture(scope="module")
def real() -> figures.Data:
    return figures.load()


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_a_conflict_is_put_in_words_with_its_readings_best_first(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        sources=PAGES,
        figures=[figure("F1", 4373, "one"), figure("F2", 4000, "two", status="low")],
    )
    conflicts = reconcile.conflicts(reconcile.ledger(data))
    assert conflicts.to_dict("index") == {
        "K1": {
            "differs": "Versions of one count that differ in number",
            "title": "Compiler, criminal cases received by a court, Art. 337, 2023",
            "readings": "4,373 criminal cases received by a court, 2023 (F1); "
            "4,000 criminal cases received by a court, 2023 (F2)",
            "chosen": "F1",
            "because": "a usable number before a weak one",
            "ids": "F1 F2",
            "spread": 4373 / 4000,
        }
    }


def test_a_ledger_without_conflicts_gives_tables_without_rows() -> None:
    assert list(reconcile.conflicts([]).columns) == [
        "differs", "title", "readings", "chosen", "because", "ids", "spread"
    ]  # fmt: skip
    assert reconcile.conflicts([]).empty


def test_every_conflict_of_the_ledger_is_in_the_table(real: figures.Data) -> None:
    ledger = reconcile.ledger(real)
    conflicts = reconcile.conflicts(ledger)
    assert list(conflicts.index) == [row["id"] for row in ledger]
    for row in ledger:
        ids = [number for reading in row["readings"] for number in reading["figure_ids"]]
        assert conflicts.at[row["id"], "ids"].split() == ids
    assert not conflicts.drop(columns="spread").isna().any(axis=None)
    assert (conflicts["spread"].dropna() >= 1).all()


# --- counts ----------------------------------------------------------------------------------------------------------


def year(start: str, end: str, value: float, **more: object) -> dict[str, object]:
    days = (pd.Timestamp(end) - pd.Timestamp(start)).days + 1
    common = {"compiler": "Compiler", "articles": "337", "measure": "verdicts", "cumulative": False, "scope": "whole"}
    return common | {
        "period_start": pd.Timestamp(start), "period_end": pd.Timestamp(end), "year": int(start[:4]), "days": days,
        "value": value, "ids": f"F{value:.0f}",
    } | more  # fmt: skip


def test_a_year_has_one_count_the_one_that_reaches_furthest() -> None:
    facts = pd.DataFrame(
        [
            year("2023-01-01", "2023-12-31", 3),
            year("2023-01-01", "2023-10-31", 2),
            year("2023-01-01", "2023-12-31", 30, articles="338"),
            year("2024-01-01", "2024-06-30", 4),  # half a year says nothing of it
            year("2023-01-01", "2023-12-31", 5, cumulative=True),
            year("2021-01-01", "2022-12-31", 6),
            year("2022-01-01", "2022-09-30", 1),
            year("2023-01-01", "2023-12-31", 7, scope="subset"),  # a region is no count of the country
        ]
    )
    assert reconcile.by_year(facts)["value"].tolist() == [1, 3, 30]


def test_counts_of_periods_are_those_of_years_and_what_running_totals_added() -> None:
    total = {"scope": "mobilisation_parts", "cumulative": True, "bound": "exact"}
    facts = pd.DataFrame(
        [
            year("2023-01-01", "2023-12-31", 365, bound="exact"),
            year("2024-01-01", "2024-07-31", 5, bound="exact", incomplete=True),  # running totals cover it
            year("2024-01-01", "2024-07-31", 7, bound="exact", incomplete=True, articles="338"),
            year("2022-09-21", "2023-05-01", 50, **total),
            year("2022-09-21", "2023-11-21", 100, **total),
            year("2022-09-21", "2024-06-18", 300, **total),
            year("2022-09-21", "2024-12-31", 506, **total),
            year("2022-09-21", "2025-01-31", 600, **total | {"bound": "about"}),
            year("2022-09-21", "2024-12-31", 900, **total | {"scope": "subset"}),
        ]
    )
    facts["incomplete"] = facts["incomplete"].eq(True)
    facts.index = pd.Index([f"fact-{place}" for place in range(len(facts))], name="fact")
    counts = reconcile.by_period(facts).set_index("ids")
    assert counts["value"].to_dict() == {"F365": 365, "F7": 7, "F100 F506": 406}
    assert counts["period_start"].dt.strftime("%Y-%m-%d").to_dict()["F100 F506"] == "2023-11-22"
    assert counts["monthly"].to_dict()["F365"] == 30.4
    assert counts.at["F100 F506", "monthly"] == round(406 / 406 * 30.4375, 1)
    assert not counts["cumulative"].any()


def test_running_totals_are_compared_on_the_last_day_that_has_all_of_them() -> None:
    totals = pd.DataFrame(
        [
            year("2022-09-21", "2023-06-30", 1),
            year("2022-09-21", "2023-06-30", 2, articles="338"),
            year("2022-09-21", "2024-06-30", 3),
            year("2022-09-21", "2024-06-30", 4, articles="338"),
            year("2022-09-21", "2024-06-30", 9, articles="337+338"),
            year("2022-09-21", "2025-06-30", 5),
            year("2022-09-21", "2025-06-30", 6, articles="338", scope="subset"),
        ]
    )
    last = reconcile.together(totals, ["337", "338"])
    assert last["value"].to_dict() == {"337": 3, "337+338": 9, "338": 4}
    assert last["period_end"].dt.year.unique().tolist() == [2024]
    assert last["ids"].tolist() == ["F3", "F9", "F4"]
    assert reconcile.together(totals, ["332", "337"]).empty
    assert reconcile.together(totals.iloc[:0], ["337"]).empty


def test_a_count_that_a_later_page_gives_again_stands_with_all_its_versions_by_day(tmp_path: Path) -> None:
    fact = "compiler/337/received/2023"
    data = load(
        tmp_path,
        sources=[*PAGES, source("late", published="2024-08-31")],
        figures=[
            figure("F1", 100, "one", fact=fact),
            figure("F2", 130, "late", fact=f"{fact}/as-of-2024-08"),
            figure("F3", 7, "one", articles="338"),
        ],
    )
    later = reconcile.revised(reconcile.facts(data), data.figures)
    assert later["value"].tolist() == [100, 130]
    assert later["known"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-31", "2024-08-31"]


# --- claims ----------------------------------------------------------------------------------------------------------


def test_a_claim_says_its_number_with_hedge_and_unit_and_what_its_words_admit() -> None:
    rows = [
        ("S1", 9.0, "almost -fold increase", "times", "ratio", 8.5, 9.0, 8.3, 7.4, 120.06),
        ("S2", 8.3, "exactly", "times", "ratio", 8.25, 8.35, 8.3, 7.4, 9.2),
        ("S3", 1.0, "exactly", "highest", "rank", 0.5, 1.5, 1.0, math.nan, math.nan),
        ("S4", math.nan, "", "", "qualitative", math.nan, math.nan, math.nan, math.nan, math.nan),
    ]
    names = ["id", "stated", "hedge", "unit", "kind", "admits_low", "admits_high", "computed", "low", "high"]
    checked = pd.DataFrame(rows, columns=names).set_index("id").assign(
        read_as=[9.0, 8.3, 1.0, math.nan], close=[True, False, False, False],
        other_reading=["read as 10 times", "", "", ""], ids=[("F1", "F2")] * 4,
        mixed_measures=[True, False, True, False],
        reason=["", "", "no figures", "no number is stated"],
        verdict=["understated", "holds", "not checkable", "not checkable"],
    )  # fmt: skip
    worded = claims.in_words(checked)
    assert worded["says"].tolist() == ["almost 9 times", "8.3 times", "the highest", "no number"]
    assert worded["admits"].tolist() == ["8.5–9", "8.25–8.35", "1", "–"]
    assert worded["interval"].tolist() == ["7.4–120", "7.4–9.2", "–", "–"]
    assert worded["remark"].tolist() == [
        "close: within 5 % of what its words allow; compares different things; read as 10 times", "", "no figures",
        "no number is stated",
    ]  # fmt: skip
    assert claims.in_words(checked.assign(read_as=10.0))["says"].iloc[0] == "almost 9 times (read as 10)"
    assert worded["ids"].tolist() == ["F1 F2"] * 4
    assert worded["group"].tolist()[1] == f"Holds: {vocabulary.VERDICTS['holds']}"
    assert [list(vocabulary.VERDICTS)[place] for place in worded["order"]] == worded["verdict"].tolist()


def test_a_claim_says_by_how_much_it_misses_what_was_computed(real: figures.Data) -> None:
    checked = claims.in_words(claims.check_claims(real))
    words = checked["difference"]
    assert words["C57"] == "58 % too high"  # 13,500 of 8,561
    assert words["C26"] == "91 % too low"  # 64 of 684
    assert words["C18"] == "1.7 % too low"
    assert words["C24"].endswith("% apart")
    assert checked.loc[checked["verdict"].eq("not checkable"), "miss"].isna().all()


def test_every_claim_has_words_and_a_reason_or_a_number(real: figures.Data) -> None:
    checked = claims.in_words(claims.check_claims(real))
    words = checked[["says", "admits", "interval", "remark", "group"]]
    assert words.map(lambda cell: isinstance(cell, str)).all(axis=None)
    assert checked.loc[checked["verdict"].eq("not checkable"), "remark"].ne("").all()
    assert (checked["admits"].eq("–") == checked["admits_low"].isna()).all()
