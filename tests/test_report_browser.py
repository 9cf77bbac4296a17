"""The page in a real browser: Debian's chromium, driven by playwright-core, looked over by axe-core.

Needs `chromium`, `node` and `npm ci` in tests/browser/. Where one is missing the tests say so; with
DESERTION_BROWSER=1, as in CI, they fail instead.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from support.browser import browse
from support.pages import bad_data, many_data, render

from desertion.project import BUILD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with bad text in the data, so that every check is made of the worst case."""
    return render(tmp_path_factory.mktemp("bad"), bad_data())


@pytest.fixture(scope="module")
def used(bad: Path) -> dict[str, Any]:
    return browse(bad, "use")


@pytest.mark.parametrize("which", ["bad", "built"])
def test_every_width_and_theme_fits_is_accessible_and_gets_ready(which: str, request: pytest.FixtureRequest) -> None:
    page = BUILD / "default" / "report.html" if which == "built" else request.getfixturevalue("bad")
    if not page.is_file():
        pytest.skip("skipped: no built page (run make first)")
    views = browse(page, "open")["views"]
    assert len(views) == 6
    for view in views:
        assert view["ready"]
        assert view["wide"] <= view["width"], view
        assert view["violations"] == [], view


def test_a_number_opens_its_statement_by_mouse_keyboard_and_touch(used: dict[str, Any]) -> None:
    for how in ("hovered", "focused", "tapped"):
        assert "615 F085" in used[how], how
    assert used["escaped"] == ""
    assert "615 F085" in used["entered"][0]
    assert used["entered"][1]
    assert used["back"]


def test_a_dot_opens_its_statements_by_mouse_and_keyboard(used: dict[str, Any]) -> None:
    mark = used["mark"]
    for how in ("hovered", "clicked"):
        assert all(each in mark[how] for each in mark["ids"].split()), how
    assert all(each in mark["next"]["shown"] for each in mark["next"]["ids"].split())
    assert mark["stops"] == 1
    assert mark["entered"]
    assert used["row"] in mark["next"]["ids"].split()


def test_a_number_of_many_statements_lists_them_and_shows_them_in_the_table(used: dict[str, Any]) -> None:
    several = used["several"]
    assert several["listed"] == 6
    assert several["said"] == "6 statements behind 6"
    assert "F147" in several["one"]
    assert sorted(several["rows"]) == ["F085", "F147", "F192", "F293", "F313", "F333"]
    shown, total = several["cleared"].removesuffix(" statements").split(" of ")
    assert shown == total


def test_on_a_phone_a_plot_is_one_column_wide_legible_and_its_dots_open_by_touch(used: dict[str, Any]) -> None:
    phone = used["phone"]
    assert phone["wide"] == 0
    assert phone["narrow"] > 0
    assert not phone["scrolls"]
    assert phone["letters"] >= 8  # pixels
    assert all(each in phone["shown"] for each in phone["ids"].split())
    assert not phone["covered"]


def test_the_table_filters_and_sorts(used: dict[str, Any]) -> None:
    shown, total = (int(word.replace(",", "")) for word in used["filtered"].split()[::2][:2])
    assert 0 < shown < total
    numbers = [
        float(words.replace(",", "").split()[-1]) for words in used["sorted"] if not words.endswith(("%", "times"))
    ]
    assert numbers == sorted(numbers)


def test_what_is_shown_is_downloaded_without_formulas(used: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(used["download"]["text"])))
    assert used["download"]["name"] == "statements.csv"
    assert len(rows) == int(used["filtered"].split()[0].replace(",", ""))
    assert all("338" in row["articles"] for row in rows)
    everything = list(csv.reader(io.StringIO(used["all"])))
    assert any(cell.startswith("'=cmd()") for row in everything for cell in row)
    assert not any(cell.startswith(("=", "+", "@")) for row in everything for cell in row)
    assert any(len(cell) == 10_000 for row in everything for cell in row)


def test_text_of_the_data_never_runs(used: dict[str, Any]) -> None:
    assert "ran" not in used
    assert "<script>" in used["hovered"]


def test_without_its_script_a_number_leads_to_its_row(used: dict[str, Any]) -> None:
    assert used["plain"]["at"] == "#F085"
    assert used["plain"]["rows"] > 900


def test_five_thousand_statements_filter(tmp_path: Path) -> None:
    result = browse(render(tmp_path, many_data(5000)), "filter")
    assert result["count"].endswith("of 5,000 statements")
