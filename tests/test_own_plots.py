"""Plots that a notebook draws itself: the same files, words, checks and bytes as those of the package."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.figure import Figure
from support.pages import TABLES, data

from desertion import plots, publish
from desertion.errors import UserError
from desertion.project import ROOT, file_digest

SVG = "{http://www.w3.org/2000/svg}"
CASES = pd.DataFrame(
    {
        "compiler": ["Mediazona", "Proekt", "Mediazona", "Mediazona"],
        "year": [2021, 2021, 2022, 2023],
        "value": [615, 527, 1001, 5096],
        "ids": ["F085", "F212 F222", "F084", "F147 F149"],
    }
)
WORDS = {"title": "Cases under Art. 337", "alt": "Four dots, from 527 to 5,096 cases."}


def dots(figure: Figure, table: pd.DataFrame) -> None:
    axes = figure.subplots()
    sns.scatterplot(table, x="year", y="value", hue="compiler", ax=axes)
    publish.mark(axes, table, x="year", y="value")


def show(out: Path | None, draw: Any = dots, table: pd.DataFrame = CASES, name: str = "cases", **how: Any) -> None:
    publish.figure(name, draw, table, data(), out=out, **(WORDS | how))


def marks(path: Path) -> dict[str, str]:
    found = [element for element in ET.parse(path).iter(f"{SVG}g") if element.get("class") == "mark"]
    return {element.get("id", ""): element.get("data-ids", "") for element in found}


def words(path: Path) -> str:
    return " ".join(element.text or "" for element in ET.parse(path).iter(f"{SVG}text"))


def width(path: Path) -> float:
    return float(ET.parse(path).getroot().attrib["width"].removesuffix("pt")) / 72


def test_a_function_gets_both_widths_numbers_record_footer_and_marks(tmp_path: Path) -> None:
    show(tmp_path, note="Cases, not persons.")
    names = {"cases.svg", "cases-single.svg", "cases.csv", "cases.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name, wide in (("cases", 7.2), ("cases-single", 3.5)):
        path = tmp_path / f"{name}.svg"
        assert width(path) == pytest.approx(wide, abs=0.01)
        assert marks(path) == {f"{name}-{ids.replace(' ', '.')}": ids for ids in CASES["ids"]}
        text = words(path)
        assert WORDS["title"] in text
        assert "Cases, not persons. Counted by Mediazona, Proekt. Published up to" in text
        assert path.read_text().count(f'<desc id="{name}-desc">{WORDS["alt"]}</desc>') == 1
        sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", path.read_text())}
        assert min(sizes) >= 9
    assert pd.read_csv(tmp_path / "cases.csv").equals(CASES)


def test_its_record_has_what_those_of_the_package_have(tmp_path: Path) -> None:
    show(tmp_path, columns={"year": "calendar year", "value": "criminal cases received", "compiler": "who counted"})
    record = json.loads((tmp_path / "cases.json").read_text())
    built_in = publish.render(plots.growth, pd.read_csv(TABLES / "growth.csv"), data())
    assert record.keys() == json.loads(built_in.record).keys()
    assert record["columns"]["value"] == {"kind": "number", "meaning": "criminal cases received"}
    assert (tmp_path / "cases.csv").read_text().splitlines()[0] == "year,value,compiler,ids"
    assert record["csv_sha256"] == file_digest(tmp_path / "cases.csv")
    assert record["ids"] == ["F085", "F212", "F222", "F084", "F147", "F149"]


def test_a_named_index_is_published_and_the_function_sees_the_table_as_it_is(tmp_path: Path) -> None:
    seen = []
    table = CASES.set_index("year").assign(day=pd.Timestamp("2024-01-31"), whole=True)
    show(tmp_path, lambda figure, rows: (seen.append(rows), figure.subplots()), table)
    assert seen[0]["year"].tolist() == CASES["year"].tolist()
    assert seen[0].dtypes["year"] == CASES.dtypes["year"]
    published = pd.read_csv(tmp_path / "cases.csv")
    assert published["year"].tolist() == CASES["year"].tolist()
    assert published["day"].tolist() == ["2024-01-31"] * 4
    kinds = json.loads((tmp_path / "cases.json").read_text())["columns"]
    assert [kinds[label]["kind"] for label in ("year", "compiler", "day", "whole")] == [
        "number",
        "text",
        "date",
        "flag",
    ]


def grid() -> Any:
    return sns.relplot(CASES, x="year", y="value", col="compiler", height=2)


def axes() -> Any:
    return sns.stripplot(CASES, x="value", y="compiler", jitter=False, ax=plt.subplots(figsize=(12, 3))[1])


@pytest.mark.parametrize("draw", [grid, axes, lambda: axes().figure], ids=["FacetGrid", "Axes", "Figure"])
def test_a_finished_figure_gets_one_width_and_is_not_shown_once_more(draw: Any, tmp_path: Path) -> None:
    with publish.style():
        finished = draw()
    show(tmp_path, finished)
    assert {path.name for path in tmp_path.iterdir()} == {"cases.svg", "cases.csv", "cases.json"}
    assert plt.get_fignums() == []
    text = words(tmp_path / "cases.svg")
    assert WORDS["title"] in text
    assert "Proekt" in text
    assert "Counted by" in text
    svg = (tmp_path / "cases.svg").read_text()
    for used in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg):
        assert f'id="{"".join(used)}"' in svg


def test_the_marks_lie_on_what_seaborn_drew_whatever_the_axis() -> None:
    figure = Figure()
    place = figure.subplots()
    sns.stripplot(CASES, x="value", y="compiler", jitter=False, ax=place)
    limits = place.axis()
    drawn = sorted(tuple(spot) for each in place.collections for spot in each.get_offsets().tolist())
    publish.mark(place, CASES, x="value", y="compiler")
    lines = [line for line in place.lines if line.get_gid()]
    assert sorted((line.get_xdata(orig=False)[0], line.get_ydata(orig=False)[0]) for line in lines) == drawn
    assert [line.get_gid() for line in lines] == [plots.gid(ids) for ids in CASES["ids"]]
    assert place.axis() == limits


def test_it_draws_the_same_again_whatever_the_settings_of_the_notebook(tmp_path: Path) -> None:
    show(tmp_path / "a")
    with plt.rc_context({"font.size": 20, "axes.facecolor": "black", "svg.hashsalt": "x", "savefig.bbox": "tight"}):
        show(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_its_function_may_set_another_height(tmp_path: Path) -> None:
    def tall(figure: Figure, table: pd.DataFrame) -> None:
        figure.set_figheight(len(table) * 3)
        dots(figure, table)

    show(tmp_path, tall)
    root = ET.parse(tmp_path / "cases.svg").getroot()
    assert float(root.attrib["height"].removesuffix("pt")) > 12 * 72


def test_an_empty_table_is_not_drawn_and_gives_no_files(tmp_path: Path) -> None:
    show(tmp_path, lambda figure, table: pytest.fail("drawn"), CASES.head(0))
    assert list(tmp_path.iterdir()) == []


def test_where_no_plots_are_wanted_it_is_checked_and_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESERTION_UNDRAWN", "1")
    show(tmp_path, lambda figure, table: pytest.fail("drawn"))
    with pytest.raises(UserError, match="id 'F9999' is in none of"):
        show(tmp_path, table=CASES.assign(ids="F9999"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"name": "By region"}, r"plot 'By region': its name is lower-case words joined by '_'"),
        ({"name": "../x"}, r"plot '\.\./x': its name is"),
        ({"name": "cases-single"}, r"plot 'cases-single': its name is"),
        ({"title": " \n"}, "plot cases: its title is empty"),
        ({"alt": ""}, "plot cases: its alt is empty"),
        ({"title": "a\u202eb"}, r"plot cases: its title has invisible characters: 'a\\u202eb'"),
        (
            {"table": CASES.drop(columns="ids")},
            "plot cases: its table has no column 'ids'; it has compiler, year, value",
        ),
        ({"columns": {"yaer": "year"}}, "plot cases: its table has no column 'yaer'; did you mean 'year'"),
        ({"table": CASES.assign(ids=["F085", " ", "F084", None])}, "plot cases, row 1: its ids are blank; ids of the"),
        ({"table": CASES.assign(ids="F9999")}, "plot cases, row 0: id 'F9999' is in none of"),
        ({"table": CASES.assign(ids="F151")}, r"plot cases, row 0: F151 is rejected \("),
        (
            {"table": CASES.rename(columns={"year": 2021})},
            "plot cases: each column of its table needs a name of its own",
        ),
        (
            {"table": CASES.rename(columns={"year": "value"})},
            "plot cases: each column of its table needs a name of its own",
        ),
        (
            {"draw": "dots"},
            r"plot cases: it is drawn by a function of \(figure, table\), or given as a finished figure",
        ),
        ({"draw": lambda figure, table: None}, "plot cases: its function drew nothing on the figure that it was given"),
        ({"title": f"From {ROOT}/data/figures.csv"}, f"plot cases: its words hold a path of this machine, {ROOT}/…"),
        ({"table": CASES.assign(compiler=f"{ROOT}/x")}, "plot cases: its words hold a path of this machine"),
    ],
)
def test_what_cannot_be_published_is_one_line_and_nothing_is_written(
    how: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        show(tmp_path, **how)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_two_plots_of_one_name_are_refused_and_the_same_one_again_is_not(tmp_path: Path) -> None:
    show(tmp_path)
    show(tmp_path)
    before = (tmp_path / "cases.svg").read_bytes()
    with pytest.raises(UserError, match="plot cases: another plot was published under this name by this notebook"):
        show(tmp_path, title="Another title")
    growth = pd.read_csv(TABLES / "growth.csv")
    publish.show(plots.growth, growth, data(), out=tmp_path)
    with pytest.raises(UserError, match="plot growth: another plot was published"):
        publish.show(plots.growth, growth.head(3), data(), out=tmp_path)
    assert (tmp_path / "cases.svg").read_bytes() == before


def test_words_of_the_data_come_out_as_text(tmp_path: Path) -> None:
    show(tmp_path, table=CASES.assign(compiler="<script>$x$</script>\u202e\x07"), alt="a < b & <i>")
    svg = (tmp_path / "cases.svg").read_text()
    assert "<script>" not in svg
    assert "\u202e" not in svg
    assert "<script>$x$</script>" in words(tmp_path / "cases.svg")
    assert ET.parse(io.StringIO(svg)).getroot().findtext(f"{SVG}desc") == "a < b & <i>"


def test_a_rejected_statement_of_the_context_is_refused_too() -> None:
    known = data()
    context = known.context.copy()
    context.loc[context.index[0], ["status", "status_reason"]] = ["rejected", "a typo"]
    with pytest.raises(UserError, match=r"is rejected \(a typo\)"):
        publish.figure("cases", dots, CASES.assign(ids=context.index[0]), replace(known, context=context), **WORDS)
