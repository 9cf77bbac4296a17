"""Tables for readers: words and formatted numbers, text stays text, the same bytes everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.pages import BAD, data

from desertion import tables, vocabulary
from desertion.errors import UserError
from desertion.report import content

SRC = Path(tables.__file__).parents[1]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "what": ["first", "second", "third", "fourth"],
            "kind": ["one", "two", "one", "two"],
            "count": [433090.0, 8.2975, None, -1.5],
            "ratio": [9.0967, 7.58, 8.0, 153.28],
            "day": pd.to_datetime(["2024-03-20", None, "2023-01-01", "2022-09-21"]),
            "flag": [True, False, True, False],
            "measure": ["persons_convicted", "verdicts", "imprisoned_1_2y", "some_new_word"],
            "articles": ["337", "337+338", "ch33", "none"],
            "bound": ["exact", "about", "at_least", "at_most"],
            "ids": ["F085 F147", "F085", "", "F147"],
        }
    )


HEADS: dict[str, str | tables.Column] = {
    "what": "What", "count": "Count (persons)", "ratio": tables.Column("Ratio", places=2), "day": "Day", "flag": "Flag",
    "measure": "Measure", "articles": "Articles", "bound": "Bound",
}  # fmt: skip


def html(of: pd.DataFrame | None = None, **how: object) -> str:
    of = frame() if of is None else of
    made = tables.table(of, "small", "A title", HEADS, **{"rows": "what", **how})  # type: ignore[arg-type]
    return tables.to_html(made, "small")


def read(**how: object) -> content.Table:
    return content.table(html(**how))


def test_cells_are_words_and_formatted_numbers() -> None:
    body = [[cell.text for cell in row] for row in read().body]
    assert body[0] == [
        *("first", "433,090", "9.10", "2024-03-20", "yes", "persons convicted", "Art. 337"), vocabulary.BOUNDS["exact"],
    ]  # fmt: skip
    assert [row[1] for row in body] == ["433,090", "8.30", "–", "−1.5"]
    assert [row[2] for row in body] == ["9.10", "7.58", "8.00", "153.28"]
    assert [row[3] for row in body][1] == "–"
    assert body[2][5] == vocabulary.MEASURES["imprisoned_1_2y"]
    assert body[3][5:7] == ["some new word", "No article"]


def test_no_raw_value_is_left() -> None:
    text = " ".join(cell.text for row in (*read().head, *read().body) for cell in row)
    assert not re.search(r"\b(nan|None|NaT|True|False)\b|\b[a-z]+_[a-z]|\d\.0\b|\d{5}", text)


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    row = read().body[0]
    assert [cell.right for cell in row] == [False, True, True, False, False, False, False, False]


def test_groups_spans_notes_and_headings_have_their_scope() -> None:
    found = html(groups="kind", spans={"Both": ["count", "ratio"]}, notes=["A note."])
    assert re.search(r'<th[^>]*scope="colgroup"[^>]*>\s*<span class="gt_column_spanner">Both</span>', found)
    assert found.count('scope="row"') == 4
    table = content.table(found)
    assert table.title == "A title"
    assert table.notes == ("A note.",)
    assert [row[0].text for row in table.body if row[0].group] == ["one", "two"]
    assert [cell.columns for cell in table.head[0] if cell.text == "Both"] == [2]


def test_the_ids_of_a_row_are_those_of_its_numbers_alone() -> None:
    first, _, third, _ = read(ids="ids").body
    assert [cell.ids for cell in first[1:3]] == [("F085", "F147")] * 2
    assert not any(cell.ids for cell in (first[0], *first[3:], *third))
    grouped = {row[0].text: row[1].ids for row in read(ids="ids", groups="kind").body if not row[0].group}
    assert grouped == {"first": ("F085", "F147"), "second": ("F085",), "third": (), "fourth": ("F147",)}


def test_sources_behind_the_ids_are_told_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.publish_display_data", shown.append)
    tables.show(frame(), "small", "A title", HEADS, rows="what", ids="ids", data=data())
    (output,) = shown
    assert set(output) == {"text/html", "text/plain"}
    assert output["text/plain"] == "A title (4 rows)"
    (note,) = content.table(output["text/html"]).notes
    assert note.startswith("Sources: ")
    assert "counted by Mediazona" in note


def test_text_of_the_data_stays_text_everywhere_in_a_table() -> None:
    for words in BAD[:2] + BAD[-2:]:
        rows = frame().assign(what=words, kind=words, measure=words)
        made = tables.table(
            rows, "small", words, {**HEADS, "measure": words}, rows="what", groups="kind", spans={words: ["count"]},
            ids="ids", notes=[words],
        )  # fmt: skip
        found = tables.to_html(made, "small")
        inside = found[found.index("</style>") :]
        assert set(re.findall(r"<(\w+)", inside)) <= {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "span"}
        assert not re.search(r"<[^>]* (on\w+|href|src)=", inside)


def test_nothing_is_random_or_from_outside() -> None:
    found = html(groups="kind", ids="ids")
    assert html(groups="kind", ids="ids") == found
    assert not re.search(r"https?:|url\(|@import|<script|<link", found)
    assert all(each.startswith("table-small") for each in re.findall(r'\bid="([^"]*)"', found))
    style = re.search(r"<style>(.*?)</style>", found, re.DOTALL)
    assert style
    assert all(part.strip().startswith("#table-small") for part in style[1].strip().split("}") if part.strip())
    assert not re.search(r"#[0-9a-fA-F]{6}", style[1])  # it takes the colours of the page, light or dark


def test_the_bytes_are_the_same_under_any_locale_zone_and_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_tables as t\nsys.stdout.reconfigure(encoding='utf-8')\nprint(t.html(groups='kind', ids='ids'))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "HOME": str(tmp_path)}
    other = {"LANG": "de_DE.UTF-8", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env=environment | other, capture_output=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert done.stdout.decode().removesuffix("\n") == html(groups="kind", ids="ids")


def test_a_table_without_rows_is_a_table() -> None:
    assert [cell.heading for cell in read(rows=None).body[0]] == [False] * 8
    assert content.table(html(frame().iloc[:0])).body == ()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"groups": "sort"}, "table small: there is no column 'sort'"),
        ({"ids": "id"}, "table small: there is no column 'id'"),
        ({"rows": "kind"}, "column 'kind' heads the rows and needs a heading of its own"),
    ],
)
def test_a_column_that_is_not_there_is_named(how: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        html(**how)


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(UserError, match=r"table 'a b'"):
        tables.table(frame(), "a b", "t", HEADS)
