"""The rows of data/ stay what they were: ids, values, periods and addresses, and what was taken from the worksheets."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.project import DATA
from desertion.trends import counts as counts_of
from desertion.trends import growth

FROZEN = Path(__file__).parent / "frozen"
#: Rows whose period was mended since, as the page has it: id, column → the value now.
MENDED = {
    ("F025", "period_end"): "2023-05-24",  # January to May, to the day of the relay; a correction has 7 May
    ("F026", "period_end"): "2023-05-24",
    ("F291", "period_end"): "2024-09-11",  # set to publication, whose day became known
    ("ctx409", "period_end"): "2024-09-11",
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def now() -> dict[str, dict[str, str]]:
    return {row["id"]: row for name in ("figures.csv", "context.csv") for row in rows(DATA / name)}


def test_no_statement_is_lost_and_none_changes_its_value_period_or_page() -> None:
    there, changed = now(), []
    for row in rows(FROZEN / "statements.csv"):
        for column, was in row.items():
            if there[row["id"]][column] != MENDED.get((row["id"], column), was):
                changed.append((row["id"], column, was, there[row["id"]][column]))
    assert changed == []


def test_no_address_changes() -> None:
    there = {row["id"]: row["url"] for row in rows(DATA / "sources.csv")}
    assert [row for row in rows(FROZEN / "addresses.csv") if there[row["source_id"]] != row["url"]] == []


def test_every_row_of_the_worksheets_is_in_the_data() -> None:
    notes = {row["note"]: row["id"] for row in rows(FROZEN / "worksheet.csv")}
    kinds = {kind: sum(note[0] == kind for note in notes) for kind in "NMCD"}
    assert kinds == {"N": 402, "M": 35, "C": 106, "D": 43}
    assert set(notes.values()) <= now().keys()
    shared = {note for note in notes if list(notes.values()).count(notes[note]) > 1}
    assert shared == {"N370", "N371", "C102", "C103"}  # the two ends of a range are one row with low and high


def test_no_subset_enters_a_series_of_all_russia() -> None:
    facts = reconcile.facts(figures.load())
    parts = facts[facts["scope"].eq("subset")]
    assert {"Moscow Oblast", ""} <= {*parts["place"]}
    assert {"1", "4", ""} <= {*parts["part"]}
    for series in (
        reconcile.by_year(facts), reconcile.national(facts), figures.select(facts, kind=None, status=None),
        reconcile.revised(facts[~facts["cumulative"]], figures.load().figures),
    ):  # fmt: skip
        assert len(series)
        assert not series["scope"].eq("subset").any()
    counts = figures.select(
        facts, articles="337", measures="persons_convicted", compilers="Judicial Department", status=None
    )
    assert counts.loc[counts["year"].eq(2021), "value"].tolist() == [565]  # not its parts, which add up to it
    official = figures.select(facts, articles="337", measures="persons_convicted", compilers="Judicial Department",
                              status=None, scope=None)  # fmt: skip
    for fit in (growth.growth_table, counts_of.observations):
        with pytest.raises(
            UserError, match="all of Russia, part 1, part 3, part 4: one series is of one place or part"
        ):
            fit(official)
    assert len(growth.growth_table(official[official["part"].eq("4")]))
    moscow = figures.select(facts, scope="subset", status=None).query("place == 'Moscow Oblast'")
    assert {224, 496} <= {*moscow["value"]}
