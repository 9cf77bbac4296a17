"""The page in a real browser: Debian's chromium, driven by playwright-core, looked over by axe-core.

Needs `chromium`, `node` and `npm ci` in tests/browser/. Where one is missing the tests say so; with
DESERTION_BROWSER=1, as in CI, they fail instead.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat import v4
from support.browser import browse
from support.pages import bad_data, data, many_data, picture, published, render, sentence_of, shown

from desertion import params, report
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
    assert len(views) == 8
    for view in views:
        assert view["ready"]
        assert max(view["wide"], view["unfolded"]) <= view["width"], view
        assert view["violations"] == [], view
        assert view["moved"] < 0.001, view  # of the viewport: less than a pixel
        assert view["headings"] == 1
        assert view["both"] == 0, view
        # A phone of 360 by 740 pixels shows the prose and main plots in 14 screens; what is folded comes on top.
        assert which != "built" or view["width"] != 360 or view["high"] <= 14 * 740, view
        assert view["sideways"] == 0 or view["width"] > 640, view


@pytest.mark.parametrize("edition", params.names())
def test_the_first_screen_of_a_phone_holds_the_finding_and_its_plot_in_every_edition(edition: str) -> None:
    page = BUILD / edition / "report.html"
    if not page.is_file():
        pytest.skip(f"skipped: no built page (run make EDITION={edition} first)")
    sentence, *years = browse(page, "first")["ends"]
    assert years, "the first figure has an axis of years"
    assert sentence < max(years) <= 740  # pixels


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser does with a page of a notebook with sub-sections."""
    folder = tmp_path_factory.mktemp("folded")
    first = sentence_of("first", "**It grew** from {a:,.0f}.", when="a > 0", a=615, ids="F085")
    last = sentence_of("last", "To {b:,.0f}.", when="b > 0", b=5096, ids="F147")
    cells = [
        v4.new_markdown_cell("# What is known?\n\nWhy we ask."),
        v4.new_code_cell("a", metadata={"tags": ["answer"]}, outputs=[first]),
        v4.new_markdown_cell("## Growth"),
        v4.new_code_cell("b", outputs=[shown({"image/svg+xml": picture("growth").svg})]),
        v4.new_markdown_cell("## Offences"),
        v4.new_code_cell("c", outputs=[shown({"image/svg+xml": picture("offences").svg}), last]),
    ]
    nbformat.write(v4.new_notebook(cells=cells), folder / "03-trends.ipynb")
    out = folder / "report.html"
    report.render(params.edition("default"), [folder / "03-trends.ipynb"], out, plots=published(folder), data=data())
    return browse(out, "fold")


def test_the_headings_of_folded_parts_and_the_findings_of_their_plots_tell_the_story(folded: dict[str, Any]) -> None:
    assert folded["first"] == [False, False, False]
    assert folded["summaries"][:3] == ["More on this question", "Growth", f"Offences\n{picture('offences').title}"]


def test_a_link_the_address_and_a_card_unfold_what_they_lead_to(folded: dict[str, Any]) -> None:
    assert folded["linked"][:3] == [False, False, True]
    assert 0 <= folded["linked"][3] < 120, "below the navigation"
    assert folded["back"] == 0
    assert folded["searched"][0]
    assert int(folded["searched"][1].split()[0].replace(",", "")) > 0
    assert 0 <= folded["hash"] < 120
    assert folded["card"][0]
    assert "F147" in folded["card"][1]
    assert folded["row"] == [True, "F147"]


def test_print_shows_all_and_without_the_script_too(folded: dict[str, Any]) -> None:
    assert folded["closed"] == folded["after"] == [False, False, False]
    assert folded["printed"] == [True, True, True]
    assert folded["plain"] == [False, True, True]


def test_a_number_shows_its_value_at_hover_and_focus_and_opens_its_card_by_key_and_touch(used: dict[str, Any]) -> None:
    words, covered = used["hovered"]
    assert words.startswith("615, criminal cases received by a court")
    assert not covered
    assert used["focused"] == words
    for card in (used["entered"][0], used["tapped"]):
        assert "615\n" in card
        assert "Published number" in card
        assert "F085" in card
    assert used["escaped"] == ""
    assert used["entered"][1:] == [True, "#number-grew-a-0f"]
    assert used["back"]


def test_a_computed_number_shows_its_recipe_before_its_inputs(used: dict[str, Any]) -> None:
    card = used["computed"]
    assert "Computed here · no page prints it" in card
    assert "5,096 ÷ 615 = 8.29" in card
    assert card.index("÷") < card.index("F085")
    assert "Published number" in used["input"]
    assert used["computedAgain"] == card


def test_cards_and_filters_are_in_the_address_and_back_returns(used: dict[str, Any]) -> None:
    assert used["closed"] == ""
    assert used["reopened"] == used["computed"]
    assert used["kept"] == used["filtered"]
    assert used["unknown"] == "There is no number F99999 in this version"


def test_a_plot_is_saved_as_png_svg_and_csv_with_its_sources(used: dict[str, Any]) -> None:
    png = base64.b64decode(used["png"])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png[16:20]) > 1000  # pixels
    root = ElementTree.fromstring(used["svg"])
    assert {child.tag.rpartition("}")[2] for child in root} >= {"style", "title", "desc"}
    assert ".s0 {" in used["svg"]
    assert "tabindex" not in used["svg"]
    table, _, sources = used["csv"].partition("# Sources\n")
    assert table == picture("growth").csv
    assert re.search(r"^# F395: 3,047, .*https://", sources, re.MULTILINE)
    assert used["rows"] == picture("growth").csv.count("\n") - 1


def test_the_search_knows_the_offence_behind_an_article(used: dict[str, Any]) -> None:
    assert used["synonym"]
    assert all("337" in offence for offence in used["synonym"][:5])


def test_a_dot_opens_its_statements_by_mouse_and_keyboard(used: dict[str, Any]) -> None:
    mark = used["mark"]
    assert all(each in mark["clicked"] for each in mark["ids"].split())
    assert re.search(r"\d.*, (persons|criminal cases)", mark["hovered"])
    assert mark["next"]["shown"]
    assert mark["stops"] == 1
    assert mark["entered"]
    assert used["row"] in mark["next"]["ids"].split()


def test_a_number_of_many_statements_lists_them_and_shows_them_in_the_table(used: dict[str, Any]) -> None:
    several = used["several"]
    assert several["listed"] == 6
    assert several["said"] == "Computed here · no page prints it"
    assert "F147" in several["one"]
    assert sorted(several["rows"]) == ["F085", "F147", "F192", "F293", "F313", "F333"]
    shown, total = several["cleared"].removesuffix(" published numbers").split(" of ")
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
    assert used["download"]["name"] == "published-numbers.csv"
    assert len(rows) == int(used["filtered"].split()[0].replace(",", ""))
    assert all("338" in row["articles"] for row in rows)
    everything = list(csv.reader(io.StringIO(used["all"])))
    assert any(cell.startswith("'=cmd()") for row in everything for cell in row)
    assert not any(cell.startswith(("=", "+", "@")) for row in everything for cell in row)
    assert any(len(cell) == 10_000 for row in everything for cell in row)


def test_text_of_the_data_never_runs(used: dict[str, Any]) -> None:
    assert "ran" not in used
    assert "<script>" in used["entered"][0]


def test_without_its_script_a_number_leads_to_its_row(used: dict[str, Any]) -> None:
    assert used["plain"]["at"] == "#F085"
    assert used["plain"]["rows"] > 900


def test_five_thousand_statements_filter(tmp_path: Path) -> None:
    result = browse(render(tmp_path, many_data(5000)), "filter")
    assert result["count"].endswith("of 5,000 published numbers")
