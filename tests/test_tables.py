"""Tables for readers: words and formatted numbers, text stays text, the same bytes everywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.notebooks import write
from support.pages import BAD, data, shown_frame, shown_table

from desertion import tables, vocabulary
from desertion.engine import run
from desertion.errors import ArgumentError, UserError
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


def output(of: pd.DataFrame | None = None, title: str = "A title", **how: Any) -> Any:
    how = {"columns": HEADS, "rows": "what", **how}
    return shown_table(frame() if of is None else of, "small", title, **how)


def html(of: pd.DataFrame | None = None, **how: Any) -> str:
    return str(output(of, **how).data["text/html"])


def of(shown: Any) -> content.TableBlock:
    """The table that the report makes from the record of an output, which was stored and read again."""
    record = tables.TableRecord.of(json.loads(json.dumps(shown)))
    assert record is not None
    return content.table(record)


def read(of_: pd.DataFrame | None = None, **how: Any) -> content.TableBlock:
    return of(output(of_, **how))


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


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("title", 0, "a text is none"),
        ("notes", "A note.", "a list is none"),
        ("notes", [None], "a text is none"),
        ("groups", ["one"], "not every row has its group and ids"),
        ("ids", ["F085"], "not every row has its group and ids"),
        ("heads", "1", "the number of heading columns is none"),
        ("rows", ['["a"]'], "a row has more or fewer cells"),
        ("rows", ["[" * 100_000], "damaged"),
        ("spans", [["Both", 1, 99]], "the headings over columns overlap"),
        ("spans", [["Both", 1, 2], ["More", 2, 2]], "the headings over columns overlap"),
        ("spans", [["Both", "a", 2]], "damaged"),
        ("columns", [{"name": "a", "label": None, "right": True}], "a text is none"),
        ("columns", [{"name": "a", "label": "A", "right": 3}], "a column is neither right nor left"),
        ("colour", "red", ""),
    ],
)
def test_a_damaged_record_of_a_table_is_refused(part: str, value: Any, reason: str) -> None:
    shown = json.loads(json.dumps(output(groups="kind", ids="ids")))
    shown["metadata"]["desertion"]["table"][part] = value
    with pytest.raises(UserError, match=f"the record of a table is damaged.*{reason}|{reason}.*run the notebook again"):
        tables.TableRecord.of(shown)


def test_texts_of_another_type_are_refused() -> None:
    with pytest.raises(UserError, match="table small: notes is one text: must be a list of texts"):
        output(notes="A note.")
    with pytest.raises(UserError, match="table small: a text is none"):
        output(notes=[1])


def test_groups_spans_notes_and_headings_have_their_scope() -> None:
    markup = html(groups="kind", spans={"Both": ["count", "ratio"]}, notes=["A note."])
    assert re.search(r'<th[^>]*scope="colgroup"[^>]*>\s*<span class="gt_column_spanner">Both</span>', markup)
    assert markup.count('scope="row"') == 4
    table = read(groups="kind", spans={"Both": ["count", "ratio"]}, notes=["A note."])
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


def test_sources_behind_the_ids_are_named_under_it() -> None:
    shown = output(ids="ids", data=data())
    assert set(shown.data) == {"text/html", "text/plain"}
    assert shown.data["text/plain"] == "A title (4 rows)"
    (note,) = read(ids="ids", data=data()).notes
    assert note == "Counted by Mediazona. Published up to 13 Aug 2024."


def test_rows_of_one_group_follow_each_other_and_keep_their_ids() -> None:
    rows = [[cell.text for cell in row][:1] for row in read(groups="kind").body]
    assert rows == [["one"], ["first"], ["third"], ["two"], ["second"], ["fourth"]]
    markup = html(groups="kind")
    assert markup.index(">one<") < markup.index(">third<") < markup.index(">two<") < markup.index(">second<")


def test_the_html_shows_the_same_cells_as_the_record() -> None:
    how: dict[str, Any] = {"groups": "kind", "spans": {"Both": ["count", "ratio"]}, "notes": ["A note."]}
    texts = {re.sub(r"<[^>]*>", "", each).strip() for each in re.findall(r"(?s)<t[hd]\b.*?</t[hd]>", html(**how))}
    table = read(**how)
    assert {cell.text for row in (*table.head, *table.body) for cell in row} <= texts


def test_text_of_the_data_stays_text_everywhere_in_a_table() -> None:
    for words in BAD[:2] + BAD[-2:]:
        rows = frame().assign(what=words, kind=words, measure=words)
        columns = {**HEADS, "measure": words}
        markup = html(
            rows, title=words, columns=columns, groups="kind", spans={words: ["count"]}, ids="ids", notes=[words]
        )
        inside = markup[markup.index("</style>") :]
        assert set(re.findall(r"<(\w+)", inside)) <= {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "span"}
        assert not re.search(r"<[^>]* (on\w+|href|src)=", inside)


def test_nothing_is_random_or_from_outside() -> None:
    markup = html(groups="kind", ids="ids")
    assert html(groups="kind", ids="ids") == markup
    assert not re.search(r"https?:|url\(|@import|<script|<link", markup)
    assert all(each.startswith("table-small") for each in re.findall(r'\bid="([^"]*)"', markup))
    style = re.search(r"<style>(.*?)</style>", markup, re.DOTALL)
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


def test_a_table_without_rows_says_why_and_nothing_of_what_is_in_it() -> None:
    empty = frame().iloc[:0]
    assert read(empty, notes=["A dash: none."], empty="no page was public").notes[0] == (
        "Nothing can be shown here: no page was public."
    )
    assert len(read(empty, notes=["A dash: none."]).notes) == 1
    assert read(notes=["A dash: none."], empty="no page was public").notes[0] == "A dash: none."


def test_a_table_without_rows_is_a_table() -> None:
    assert [cell.heading for cell in read(rows=None).body[0]] == [False] * 8
    assert read(frame().iloc[:0]).body == ()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"groups": "sort"}, "table small: there is no column 'sort'"),
        ({"ids": "id"}, "table small: there is no column 'id'"),
        ({"spans": {"Both": ["count", "sort"]}}, "table small: there is no column 'sort'"),
        ({"spans": {"Both": ["count", "day"]}}, "the columns under 'Both' do not stand side by side: count, day"),
        ({"rows": "kind"}, "column 'kind' heads the rows and needs a heading of its own"),
    ],
)
def test_a_column_that_is_not_there_is_named(how: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        html(**how)


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(UserError, match=r"table 'a b'"):
        tables.show(frame(), "a b", "t", HEADS)


def test_a_data_frame_that_a_cell_shows_leaves_its_record() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["who", "how_many"])
    columns = pd.MultiIndex.from_tuples([("count", "low"), ("count", "high"), ("", "day")])
    cells = [[8.29753, 1234567, pd.Timestamp("2022-09-21")], [-0.00012, 2021, pd.NaT]]
    shown = shown_frame(pd.DataFrame(cells, index, columns))
    assert "dataframe" in shown.data["text/html"]
    table = of(shown)
    assert [cell.text for cell in table.head[0]] == ["who", "how many", "count, low", "count, high", ", day"]
    assert [[cell.text for cell in row] for row in table.body] == [
        ["a", "1", "8.29753", "1,234,567", "2022-09-21"],
        ["b", "2", "−0.00012", "2021", "–"],
    ]
    assert [cell.heading for cell in table.body[0]] == [True, True, False, False, False]
    assert [cell.right for cell in table.body[0]] == [False, False, True, True, False]


def test_of_a_large_data_frame_the_ends_are_shown_and_its_size() -> None:
    with pd.option_context("display.max_columns", 20):
        table = of(shown_frame(pd.DataFrame([range(30)] * 100)))
    assert [row[0].text for row in table.body] == [*map(str, range(5)), "…", *map(str, range(95, 100))]
    assert [cell.text for cell in table.head[0]] == ["", *map(str, range(10)), "…", *map(str, range(20, 30))]
    assert table.notes == ("100 rows × 30 columns",)


@given(st.lists(st.tuples(st.text(), st.floats(), st.integers(), st.booleans(), st.none() | st.just([1])), max_size=80))
def test_any_data_frame_has_a_record(rows: list[tuple[object, ...]]) -> None:
    table = content.table(tables.of_frame(pd.DataFrame(rows, columns=["words", "x_1", "n", "flag", "any"])))
    assert len(table.body) == (len(rows) if len(rows) <= 60 else 11)
    assert all(cell.text.isprintable() for row in table.body for cell in row)


def test_a_notebook_needs_no_import_of_the_package_for_that(tmp_path: Path) -> None:
    source = write(tmp_path / "09-test.ipynb", "import pandas as pd\npd.DataFrame({'to_count': [1.5]}, ['a'])")
    run.run(source, tmp_path / "out.ipynb", {}, timeout=60)
    (table,) = content.read([tmp_path / "out.ipynb"], None)[0].blocks
    assert isinstance(table, content.TableBlock)
    assert [[cell.text for cell in row] for row in (*table.head, *table.body)] == [["", "to count"], ["a", "1.5"]]


def test_importing_the_package_in_a_running_kernel_is_enough_too() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()\n"
        "import desertion, pandas as pd\n_, metadata = shell.display_formatter.format(pd.DataFrame([1]))\n"
        "print('table' in metadata['desertion'])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "IPYTHONDIR": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "True"


def test_a_recipe_is_filled_with_the_cells_of_its_row_and_blank_where_one_is() -> None:
    frame = pd.DataFrame({"what": ["a", "b"], "old": [615.0, None], "new": [5096.0, 7.0], "ratio": [8.286, 2.0]})
    columns = {
        "what": "What", "old": tables.Column("Old", 0), "new": tables.Column("New", 0),
        "ratio": tables.Column("Ratio", 1, "{new} ÷ {old}"),
    }  # fmt: skip
    shown = read(frame, columns=columns, ids=None)
    assert [[cell.recipe for cell in row] for row in shown.body] == [["", "", "", "5,096 ÷ 615"], [""] * 4]
    with pytest.raises(ArgumentError, match="a recipe names a column that is not shown"):
        read(frame, columns={"what": "What", "ratio": tables.Column("Ratio", 1, "{new} ÷ {old}")}, ids=None)


def test_a_recipe_of_a_column_goes_with_its_numbers_alone() -> None:
    columns = {"what": "What", "ratio": tables.Column("Ratio", recipe="later count ÷ earlier count")}
    shown = read(columns=columns)
    assert [cell.recipe for cell in shown.body[0]] == ["", "later count ÷ earlier count"]
    assert "recipe" not in json.dumps(output().metadata)
