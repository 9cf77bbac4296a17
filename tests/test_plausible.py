"""What is unlikely draws a warning that names the other row, until it is acknowledged."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from support.data import figure, identity, source, write

from desertion import figures, reconcile

PAGES = [source("page"), source("other")]


def year(number: str, value: float, when: int, **cells: str) -> dict[str, str]:
    return figure(number, value, "page", period_start=f"{when}-01-01", period_end=f"{when}-12-31", **cells)


def total(number: str, value: float, end: str) -> dict[str, str]:
    fact = f"compiler/337/received/mobilisation..{end}"
    return figure(number, value, "page", fact=fact, period_start="2022-09-21", period_end=end)


CASES = {
    "differs": ([year("F1", 100, 2022), figure("F2", 100, "other", fact="compiler/337/received/2022",
                 period_start="2022-01-01", period_end="2022-12-31"), year("F3", 109, 2022)], "F3", "F1 has 100"),
    "neighbours": ([year("F1", 100, 2021), year("F2", 1100, 2022), year("F3", 120, 2023)], "F2", "F3 has 120"),
    "falls": ([total("F1", 500, "2023-03-31"), total("F2", 450, "2023-06-30")], "F2", "F1 has 500"),
    "subset": ([year("F1", 100, 2022), year("F2", 90, 2022, articles="337+338")], "F1", "F2 has 90"),
    "period": ([year("F1", 100, 2022), figure("F2", 100, "other", fact="compiler/337/received/2022")],
               "F2", "as F1 has it"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_names_both_rows_and_is_quiet_once_acknowledged(tmp_path: Path, kind: str) -> None:
    rows, number, words = CASES[kind]
    folder = write(tmp_path / "data", figures=rows, sources=PAGES)
    examined = figures.examine(folder)
    assert examined.faults == []
    named = [str(one) for one in examined.warnings() if f"{kind}: {number}, " in one.message]
    assert len(named) == 1
    assert words in named[0]
    with (folder / "acknowledged.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([number, kind, "a test"])
    assert not any(f"{kind}: {number}, " in one.message for one in figures.examine(folder).warnings())


def test_an_identity_that_breaks_is_warned_of_until_it_is_acknowledged(tmp_path: Path) -> None:
    rows = [year("F1", 100, 2022), year("F2", 60, 2022, articles="338"), year("F3", 170, 2022, articles="337+338")]
    tables = {"figures": rows, "sources": PAGES, "identities": [identity("I1", "F1 F2", "sum", "F3")]}

    def named(**more: list[dict[str, str]]) -> list[str]:
        examined = figures.examine(write(tmp_path / "data", **tables, **more))
        return [str(one) for one in examined.warnings(reconcile.broken(figures.typed(examined)))]

    [warning] = named()
    assert "left 'F1 F2': identity: I1, with F3: the left side gives 160, the right 170" in warning
    acknowledged = {"id": "I1", "warning": "identity", "reason": "a test"}
    assert named(acknowledged=[acknowledged]) == []
    rows[2] = year("F3", 160, 2022, articles="337+338")
    [warning] = named(acknowledged=[acknowledged])
    assert "acknowledges no warning that I1 draws" in warning


def test_an_acknowledgement_of_nothing_is_named(tmp_path: Path) -> None:
    acknowledged = [{"id": "F1", "warning": "falls", "reason": "a test"}]
    folder = write(tmp_path / "data", figures=[year("F1", 100, 2022)], sources=PAGES, acknowledged=acknowledged)
    [warning] = figures.examine(folder).warnings()
    assert "acknowledges no warning that F1 draws: delete this row" in warning.message


def test_the_same_page_under_another_address_is_named(tmp_path: Path) -> None:
    twin = source("twin", publisher="Page", url="https://www.page.test/amp")
    folder = write(tmp_path / "data", figures=[year("F1", 100, 2022)], sources=[source("page"), twin])
    assert ["twin: twin" in one.message for one in figures.examine(folder).warnings()] == [True]
