"""`fmt` mends form and never a value."""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion import figures
from desertion.errors import UserError
from desertion.figures.schema import BY_FILE
from desertion.project import DATA
from desertion.text import natural

TINY = Path(__file__).parent / "tiny_data"
COLUMNS = list(BY_FILE["events.csv"].columns)


def test_the_tables_of_the_data_dictionary_are_written_anew(tiny_data: Path) -> None:
    readme = tiny_data / "README.md"
    readme.write_text("By hand.\n\n<!-- table PLACE_KINDS -->\nold\n<!-- end of table -->\n\nBy hand too.\n")
    assert figures.fmt(tiny_data) == ["README.md"]
    first, *table, last = readme.read_text().split("\n\n")
    assert (first, last) == ("By hand.", "By hand too.\n")
    assert "| `court` | a garrison court |" in table[1]
    assert figures.fmt(tiny_data) == []
    readme.write_text("<!-- table PLACE_KIND -->\nold\n<!-- end of table -->\n")
    with pytest.raises(UserError, match=r"README.md: no table 'PLACE_KIND'; did you mean 'PLACE_KINDS'?"):
        figures.fmt(tiny_data)


def test_valid_data_are_left_alone_to_the_byte(tiny_data: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tiny_data.iterdir()}
    assert figures.fmt(tiny_data) == []
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tiny_data.iterdir()} == before


def test_the_changed_files_are_named(tiny_data: Path) -> None:
    for name in ("events.csv", "figures.csv"):
        path = tiny_data / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert figures.fmt(tiny_data) == ["figures.csv", "events.csv"]
    assert figures.fmt(tiny_data) == []
    assert figures.check(tiny_data) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'id,date\na,"b', "events.csv:2: row 'a,"),
        ("id,title\na,Ы\n".encode("cp1251"), "events.csv:2: encoding"),
        (b"id;date;title\n", "are the cells separated by commas"),
        (b"", "the header has no column id"),
        (b"\xff\xfea", "is not UTF-16"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(tiny_data: Path, raw: bytes, message: str) -> None:
    (tiny_data / "events.csv").write_bytes(raw)
    figures_csv = tiny_data / "figures.csv"
    figures_csv.write_bytes(figures_csv.read_bytes().replace(b"\n", b"\r\n"))
    before = {path.name: path.read_bytes() for path in tiny_data.iterdir()}
    with pytest.raises(UserError) as error:
        figures.fmt(tiny_data)
    assert message in str(error.value)
    assert str(error.value).startswith("nothing was changed:\n")
    assert {path.name: path.read_bytes() for path in tiny_data.iterdir()} == before


def excel(folder: Path, name: str, change: Callable[[list[list[str]]], None], **options: str) -> None:
    """Write a file as a spreadsheet would."""
    path = folder / name
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    change(rows)
    out = io.StringIO()
    csv.writer(out, delimiter=options.get("delimiter", ",")).writerows(rows)
    path.write_bytes(out.getvalue().encode(options.get("encoding", "utf-8")))


def column(name: str, spell: Callable[[str], str]) -> Callable[[list[list[str]]], None]:
    """Spell every cell of a column anew."""

    def change(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            row[rows[0].index(name)] = spell(row[rows[0].index(name)])

    return change


def widen(rows: list[list[str]]) -> None:
    for row in rows:
        row += ["", ""]
    rows.append([""] * len(rows[0]))


def american(cell: str) -> str:
    return f"{cell[5:7]}/{cell[8:]}/{cell[:4]}" if len(cell) == 10 else cell


def named(cell: str) -> str:
    return {"true": "ИСТИНА", "false": "ЛОЖЬ"}[cell]


def declare(rows: list[list[str]]) -> None:
    rows.insert(0, ["sep=;"])


SPREADSHEETS = {
    "TRUE": ("cumulative", column("cumulative", str.upper), {}),
    "true in another language": ("cumulative", column("cumulative", named), {"delimiter": ";"}),
    "dates": ("period_end", column("period_end", american), {}),
    "some of the dates": ("period_end", column("period_end", lambda day: american(day) if day > "2022" else day), {}),
    "dates with a time": ("period_end", column("period_end", lambda day: f"{day} 00:00:00"), {}),
    "a declared separator": ("header", declare, {"delimiter": ";"}),
    "spaces that do not break": ("value", column("value", lambda cell: f"{cell}\u00a0"), {}),
    "tabs in UTF-16": ("header", lambda rows: None, {"delimiter": "\t", "encoding": "utf-16"}),
    "semicolons": ("header", lambda rows: None, {"delimiter": ";"}),
    "blank columns": ("header", widen, {}),
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_what_a_spreadsheet_rewrote_is_named_once_and_mended_to_the_byte(tiny_data: Path, kind: str) -> None:
    before = (tiny_data / "figures.csv").read_bytes()
    at, change, options = SPREADSHEETS[kind]
    excel(tiny_data, "figures.csv", change, **options)
    faults = figures.check(tiny_data)
    times = {"a declared separator": 2, "spaces that do not break": 10}  # few cells are named one by one
    assert [fault.column for fault in faults].count(at) == times.get(kind, 1)
    assert all("`desertion fmt` mends it" in fault.message for fault in faults)
    figures.fmt(tiny_data)
    assert (tiny_data / "figures.csv").read_bytes() == before
    assert figures.check(tiny_data) == []


def test_dates_with_two_readings_are_left_alone_and_no_correction_is_called_stale(tiny_data: Path) -> None:
    excel(tiny_data, "figures.csv", column("period_end", lambda cell: "03/04/2023"))
    faults = figures.check(tiny_data)
    assert "period_end" in {fault.column for fault in faults}
    assert [fault for fault in faults if "stale" in fault.message] == []
    assert len([fault for fault in faults if fault.column == "period_end"]) == 1
    before = (tiny_data / "figures.csv").read_text("utf-8")
    figures.fmt(tiny_data)
    assert before.count("03/04/2023") == (tiny_data / "figures.csv").read_text("utf-8").count("03/04/2023")


def test_one_cause_in_many_cells_is_one_fault_with_its_count() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(DATA, Path(name) / "data"))
        excel(folder, "figures.csv", column("value", lambda cell: f"{float(cell):,.10g}\u00a0"))
        faults = [fault for fault in figures.check(folder) if fault.column == "value"]
        assert ["spaces around it" in fault.message for fault in faults] == [True, False]
        assert all(int(fault.message.split()[0]) > 200 for fault in faults)
        shutil.copy(DATA / "figures.csv", folder)
        text = (folder / "compilers.csv").read_text("utf-8")
        (folder / "compilers.csv").write_text(text.replace("\nMediazona,", "\nMedia Zona,"), encoding="utf-8")
        faults = [fault.message for fault in figures.check(folder) if fault.column == "compiler"]
        assert len(faults) == 2, "of figures.csv and of context.csv"
        assert all("cells of this column have a fault, this one is not in compilers.csv" in one for one in faults)


def test_check_promises_nothing_of_fmt_where_another_file_stops_it(tiny_data: Path) -> None:
    excel(tiny_data, "figures.csv", column("cumulative", str.upper))
    (tiny_data / "events.csv").write_text('id,date\na,"b', encoding="utf-8")
    [message] = [fault.message for fault in figures.check(tiny_data) if fault.column == "cumulative"]
    assert message.endswith("mends it once " + str(tiny_data / "events.csv") + " can be read")
    with pytest.raises(UserError, match="nothing was changed"):
        figures.fmt(tiny_data)


def test_a_missing_folder_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        figures.fmt(tmp_path / "nowhere")


def test_a_row_with_too_many_cells_is_left_for_the_hand(tiny_data: Path) -> None:
    path = tiny_data / "events.csv"
    ragged = path.read_bytes().replace(b"Mobilisation", b"Mobilisation, partial")
    path.write_bytes(ragged)
    assert figures.fmt(tiny_data) == []
    assert path.read_bytes() == ragged


def test_numbers_in_ids_are_ordered_by_value() -> None:
    assert sorted(["F10", "F2", "F1", "C3", "F02"], key=natural) == ["C3", "F1", "F02", "F2", "F10"]


def test_a_folder_that_cannot_be_written_is_the_users_mistake(tiny_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(sys.modules["desertion.figures.fmt"], "write_atomic", refuse)
    with pytest.raises(UserError, match=r"data: cannot be written: Permission denied"):
        figures.fmt(tiny_data)


def rows_of(raw: bytes) -> list[list[str]]:
    text = raw.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    return [row for row in rows if any(row)]


# Without CR: csv.writer leaves it bare, where it ends a line.
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(CELL, min_size=6, max_size=6), max_size=6),
    columns=st.permutations(COLUMNS),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_fmt_keeps_every_value_and_doing_it_twice_changes_nothing(
    rows: list[list[str]], columns: list[str], quoting: int, end: str, encoding: str
) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows([columns, *rows])  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(TINY, Path(name) / "data"))
        path = folder / "events.csv"
        path.write_bytes(out.getvalue().encode(encoding))
        figures.fmt(folder)
        once = path.read_bytes()
        assert figures.fmt(folder) == []
        assert path.read_bytes() == once
    [header, *kept] = rows_of(once)
    assert header == COLUMNS
    given_rows = rows_of(out.getvalue().encode())
    place = [given_rows[0].index(column) for column in COLUMNS]
    assert sorted(kept) == sorted([row[at] for at in place] for row in given_rows[1:])
    assert [natural(row[0]) for row in kept] == sorted(natural(row[0]) for row in kept)
