"""Publishing: what is refused, what is written, that the bytes are the same everywhere, and what the lock notices."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.stored import verify

from desertion import plots, publish, vocabulary
from desertion.errors import UserError
from desertion.figures import Data
from desertion.plots.frame import MARGIN, PlotPage
from desertion.publish.behind import counted
from desertion.publish.files import _cell, to_csv
from desertion.publish.printed import to_print

TABLES = Path(__file__).parent / "plot_tables"
SRC = Path(plots.__file__).parents[2]
NAMES = list(plots.PLOTS)
SVG = "{http://www.w3.org/2000/svg}"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(TABLES / f"{name}.csv")


@cache
def data() -> Data:
    """Data that know every id of the plots' tables, with two sources and two compilers."""
    ids = sorted({each for name in NAMES for cell in table(name)["ids"] for each in cell.split()})
    statements = pd.DataFrame(
        {
            "status": "ok",
            "status_reason": "",
            "compiler": ["Proekt" if n % 2 else "Mediazona" for n in range(len(ids))],
            "source_id": ["moscow-times-2024-02-22" if n % 3 else "meduza-2023-02-20" for n in range(len(ids))],
            "known": pd.Timestamp("2024-02-22"),
            "published": [pd.Timestamp("2024-02-22") if n % 3 else pd.NaT for n in range(len(ids))],
        },
        index=pd.Index(ids, name="id"),
    )
    context = statements.index.str.startswith("ctx")
    figures = statements.index.str.fullmatch(r"F\d+")
    sources = pd.DataFrame(
        {
            "publisher": ["The Moscow Times", "Meduza"],
            "printed_by": ["The Moscow Times", "Meduza"],
            "url": ["https://example.org/a", "https://example.org/b"],
            "published_text": ["2024-02-22", ""],
            "kind": "relay",
            "copy_of": "",
        },
        index=pd.Index(["moscow-times-2024-02-22", "meduza-2023-02-20"], name="id"),
    )
    return Data(
        figures=statements[figures],
        context=statements[context],
        sources=sources,
        corrections=pd.DataFrame(),
        events=statements[~figures & ~context],
        as_of=datetime.date(2026, 6, 26),
    )


@cache
def ready(name: str) -> publish.Published:
    return publish.render(plots.PLOTS[name], table(name), data())


# --- what is refused ----------------------------------------------------------------------------------------------


def test_where_no_plots_are_wanted_the_table_is_checked_and_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("DESERTION_UNDRAWN", "1")
    monkeypatch.setattr("desertion.plots.plot.Plot.page", None)
    publish.show(plots.growth, table("growth"), data(), out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="id 'F9999' is in none of"):
        publish.show(plots.growth, table("growth").assign(ids="F9999"), data(), out=tmp_path)


def test_id_that_the_data_do_not_have_is_named(tmp_path):
    rows = table("growth")
    rows.loc[2, "ids"] = "F382 F9999"
    with pytest.raises(UserError, match=r"plot growth, row 2: id 'F9999' is in none of .* as of 2026-06-26"):
        publish.show(plots.growth, rows, data(), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_rejected_statement_is_refused_with_its_reason(tmp_path):
    known = data()
    figures = known.figures.copy()
    figures.loc["F382", ["status", "status_reason"]] = ["rejected", "a typo of the page"]
    with pytest.raises(UserError, match=r"plot growth, row \d+: F382 is rejected \(a typo of the page\)"):
        publish.show(plots.growth, table("growth"), replace(known, figures=figures), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_plot_without_words_is_not_saved(tmp_path):
    class Mute(plots.Plot):
        def words(self, rows):
            return plots.PlotWords("A title", "", " ")

    mute = Mute(**{field: getattr(plots.growth, field) for field in ("name", "topic", "columns", "find_words", "draw")})
    with pytest.raises(ValueError, match="plot growth: it has no words"):
        publish.show(mute, table("growth"), data(), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [True, False])
def test_a_table_without_rows_gives_one_sentence_and_no_plot(tmp_path, monkeypatch, out):
    shown = []
    monkeypatch.setattr(sys.modules["desertion.publish.show"], "_display", lambda *output: shown.append(output))
    nothing = table("growth").iloc[:0]
    publish.show(plots.growth, nothing, data(), out=tmp_path if out else None, empty="no two years were counted")
    publish.show(plots.growth, nothing, data())
    words = (
        "Nothing can be shown here: no two years were counted.",
        "No published number of this edition can be shown here.",
    )
    assert shown == [({"text/markdown": each, "text/plain": each}, {}) for each in words]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="plot growth: column 'ids' is missing"):
        publish.show(plots.growth, nothing.drop(columns="ids"), data())


def test_nothing_is_written_when_one_width_fails(tmp_path, monkeypatch):
    room = sys.modules["desertion.publish.show"]
    monkeypatch.setattr(room, "to_svg", lambda figure, title, name, *rest: "<svg/>" if name == "growth" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publish.show(plots.growth, table("growth"), data(), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- what is written ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("plots")
    for name in ("growth", "coverage"):
        publish.show(plots.PLOTS[name], table(name), data(), out=out)
    publish.lock(out)
    return out


def test_three_files_and_the_picture_for_phones_hold_the_same_words(folder):
    endings = (".csv", ".json", ".svg", "-single.svg")
    names = {f"{name}{ending}" for name in ("growth", "coverage") for ending in endings}
    assert {path.name for path in folder.iterdir()} == {*names, "plots.lock"}
    phone = ET.parse(folder / "growth-single.svg").getroot()
    assert phone.get("aria-labelledby") == "growth-single-title growth-single-desc"
    assert float(phone.get("width").removesuffix("pt")) == pytest.approx(3.5 * 72)
    alt = ready("growth").alt
    root = ET.parse(folder / "growth.svg").getroot()
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "growth-title growth-desc"
    assert [root.find(f"{SVG}{tag}").text for tag in ("title", "desc")] == [ready("growth").title, alt]
    assert [root.find(f"{SVG}{tag}").get("id") for tag in ("title", "desc")] == ["growth-title", "growth-desc"]
    assert json.loads((folder / "growth.json").read_text())["alt"] == alt


def test_no_clock_and_no_program_is_in_the_files(folder):
    for path in folder.iterdir():
        content = path.read_bytes()
        assert b"matplotlib.org" not in content
        assert str(Path.home()).encode() not in content


@pytest.fixture(scope="module")
def for_print(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("print")
    return out, list(publish.printed(folder, out))


def test_for_print_each_picture_has_a_png_at_300_dots_per_inch_with_its_words(folder, for_print):
    out, paths = for_print
    assert sorted(paths) == sorted(out.iterdir())
    pictures = {path.stem for path in folder.glob("*.svg")}
    names = {f"{stem}{ending}" for stem in pictures for ending in (".pdf", ".png")}
    assert {path.name for path in paths} == {path.name for path in folder.iterdir()} | names
    assert all((out / path.name).read_bytes() == path.read_bytes() for path in folder.iterdir())
    for name, wide in (("growth", 7.2), ("growth-single", 3.5)):
        with Image.open(out / f"{name}.png") as picture:
            assert picture.text == {"Title": ready("growth").title, "Description": ready("growth").alt}
            assert picture.size[0] == round(wide * 300)
            assert [round(dots) for dots in picture.info["dpi"]] == [300, 300]


def test_for_print_each_picture_has_a_pdf_of_its_size_with_text_and_no_date(for_print):
    if shutil.which("pdftotext") is None:
        pytest.skip("skipped: no pdftotext (poppler-utils)")
    pdf = for_print[0] / "growth.pdf"
    done = subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True, check=True)
    assert ready("growth").title in " ".join(done.stdout.split())
    about = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True).stdout
    assert ready("growth").title in about
    assert ready("growth").alt in about
    assert "CreationDate" not in about
    assert "Tagged:          yes" in about
    points = re.search(r"Page size: +([\d.]+) x", about)
    assert float(points[1]) == pytest.approx(7.2 * 72, abs=0.2)


def test_no_row_of_pixels_is_left_out_of_a_png():
    """A slope drawn across the page gets wider in each row by about as much, whatever the size of the page."""
    for wide, high in ((518.740157, 279.288583), (252.283465, 404.838583), (518.64, 200.16)):
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}pt" height="{high}pt" viewBox="0 0 {wide} {high}">'
            f'<title>a</title><desc>b</desc><path d="M 0 0 L {wide} {high} L 0 {high} Z"/></svg>'
        )
        png, _ = to_print(svg.encode())
        with Image.open(io.BytesIO(png)) as picture:
            dark = 255 - np.asarray(picture.convert("L"), dtype=float)
        assert dark.shape == (round(high / 72 * 300), round(wide / 72 * 300))
        for steps in (np.diff(dark.sum(axis=1)) / 255, -np.diff(dark.sum(axis=0)) / 255):
            assert steps.max() < 1.8 * steps.mean()


def test_a_folder_that_cannot_be_written_is_named(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=f"{tmp_path}/file.*: (File exists|Not a directory)"):
        list(publish.printed(folder, tmp_path / "file"))


def test_a_picture_that_publish_did_not_draw_is_named(tmp_path):
    (tmp_path / "own").mkdir()
    for content in (
        "<svg",
        '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>',
        "<svg><title/></svg>",
    ):
        (tmp_path / "own" / "a.svg").write_text(content)
        with pytest.raises(UserError, match=r"own/a\.svg: publish\.show and publish\.figure did not draw it"):
            list(publish.printed(tmp_path / "own", tmp_path / "print"))


def test_side_record_says_what_is_behind_the_plot(folder):
    record = json.loads((folder / "coverage.json").read_text())
    assert record["name"] == "coverage"
    assert record["edition"] == {"as_of": "2026-06-26"}
    assert record["ids"] == list(dict.fromkeys(" ".join(table("coverage")["ids"]).split()))
    assert set(record["columns"]) == set(plots.coverage.columns)
    assert {source["id"] for source in record["sources"]} <= set(data().sources.index)
    assert all(source["url"].startswith("https://") for source in record["sources"])
    assert record["csv_sha256"] == hashlib.sha256((folder / "coverage.csv").read_bytes()).hexdigest()


def test_columns_that_the_plot_does_not_have_are_dropped_and_the_rest_is_in_its_order():
    for columns in (sorted(plots.growth.columns), [*sorted(plots.growth.columns), "note"]):
        made = publish.render(plots.growth, table("growth").assign(note="not drawn")[columns], data())
        assert next(csv.reader(io.StringIO(made.csv))) == list(plots.growth.columns)
        assert made.svg == ready("growth").svg


def test_a_table_is_checked_once_for_all_that_is_published_of_it(tmp_path, monkeypatch):
    room = sys.modules["desertion.plots.plot"]
    calls, check = [], room.conform
    monkeypatch.setattr(room, "conform", lambda *given: calls.append(given[0]) or check(*given))
    publish.show(plots.growth, table("growth"), data(), out=tmp_path)
    assert calls == ["growth"]


@pytest.mark.parametrize("name", NAMES)
def test_published_table_draws_the_same_plot_again(name):
    again = publish.render(plots.PLOTS[name], pd.read_csv(io.StringIO(ready(name).csv)), data())
    assert (again.csv, again.svg, again.record) == (ready(name).csv, ready(name).svg, ready(name).record)


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_small_text_is_text_and_nothing_comes_from_outside(name):
    svg = ready(name).svg
    assert len(svg.encode()) < 150_000
    root = ET.fromstring(svg)
    assert root.find(f".//{SVG}image") is None
    (style,) = root.iter(f"{SVG}style")
    assert re.fullmatch(
        r"(@font-face\{font-family:'Source Sans Pro';font-weight:\d+;src:url\(data:[^()]+\)\}){2}", style.text
    )
    assert root.find(f".//{SVG}script") is None
    words = " ".join(element.text for element in root.iter(f"{SVG}text"))
    assert ready(name).title.split()[0] in words
    assert "22 Feb 2024" in words
    assert {*re.findall(r"https?://[^\"]+", svg)} <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


@pytest.mark.parametrize("name", NAMES)
def test_every_mark_in_the_svg_carries_its_statements(name):
    rows = table(name)
    if name == "long_view":
        rows = rows[rows["measure"] != "event"]
    if name == "deployed_rate":  # a size of the army that is not known has no mark
        rows = rows.dropna(subset="value")
    marks = [element for element in ET.fromstring(ready(name).svg).iter(f"{SVG}g") if element.get("class") == "mark"]
    assert {element.get("data-ids") for element in marks} == set(rows["ids"])
    for element in marks:
        assert re.fullmatch(rf"{name}-{re.escape(element.get('data-ids').replace(' ', '.'))}(-\d+)?", element.get("id"))


def test_ids_are_used_once_on_a_page_with_all_plots_and_all_references_are_kept():
    svgs = [ready(name).svg for name in NAMES]
    ids = [each for svg in svgs for each in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in svgs:
        for each in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg):
            assert "".join(each) in ids


def test_another_size_has_a_name_of_its_own(tmp_path):
    publish.show(plots.coverage, table("coverage"), data(), out=tmp_path, size="single")
    assert (tmp_path / "coverage-single.svg").is_file()
    record = json.loads((tmp_path / "coverage-single.json").read_text())
    assert (record["name"], record["size"]) == ("coverage-single", "single")


def test_notebook_gets_one_output_with_the_words_in_it(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.utils.capture import capture_output\n"
        "import test_publish as t\n"
        "InteractiveShell.instance()\n"
        "with capture_output() as shown:\n"
        "    returned = t.publish.show(t.plots.coverage, t.table('coverage'), t.data())\n"
        "output, = shown.outputs\n"
        "assert returned is None\n"
        "assert set(output.data) == {'image/svg+xml', 'text/plain'}\n"
        "alt = t.ready('coverage').alt\n"
        "assert output.data['text/plain'] == alt\n"
        "assert output.metadata == {'image/svg+xml': {'alt': alt}}\n"
        "assert output.data['image/svg+xml'] == t.ready('coverage').svg\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SRC), "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


# --- the footer ---------------------------------------------------------------------------------------------------


def _footer(ready: publish.Published) -> str:
    root = ET.fromstring(ready.svg)
    groups = [[text.text or "" for text in group.findall(f"{SVG}text")] for group in root.iter(f"{SVG}g")]
    alone = [[text.text or ""] for text in root.iter(f"{SVG}text")]  # a footer of one line
    return next(" ".join(lines) for lines in [*groups, *alone] if "Counted by" in " ".join(lines))


def test_footer_says_who_counted_most_first_and_when_the_newest_page_was_published_below_the_note():
    made = publish.render(plots.growth, table("growth"), data(), note="Rates are ours.")
    ids = dict.fromkeys(" ".join(table("growth")["ids"]).split())
    counters = data().figures["compiler"].reindex(list(ids))
    named = ", ".join(counters.value_counts().index)
    assert set(counters) == {"Proekt", "Mediazona"}
    assert _footer(made) == f"Rates are ours. Counted by {named}. Published up to 22 Feb 2024."
    assert made.alt.endswith(f"Counted by {named}. Published up to 22 Feb 2024.")


@given(st.lists(st.sampled_from(sorted(vocabulary.compilers())), max_size=8, unique=True))
def test_a_footer_has_two_lines_at_most_on_a_phone(names):
    with plots.style():
        page = PlotPage("t", "single", "")
        words = page.wrap(counted(names, "29 Sep 2025"), page.size.small, (page.size.width - 2 * MARGIN) * 72)
    assert words.count("\n") <= 1


def test_a_footer_without_a_dated_page_names_no_day():
    undated = data().figures.assign(published=pd.NaT)
    made = publish.render(plots.growth, table("growth"), replace(data(), figures=undated))
    assert "Published" not in _footer(made)


def test_where_a_page_without_a_date_counts_the_latest_days_no_day_is_named():
    known, rows = data(), table("growth")
    newest = rows["ids"].iloc[0].split()[0]
    ended = known.figures.assign(period_end="2020-01-01", published="2024-05-01")
    for end, last in (("2024-05-31", "The newest page has no date."), ("2024-04-30", "Published up to 1 May 2024.")):
        ended.loc[newest, ["period_end", "published"]] = [end, ""]
        assert _footer(publish.render(plots.growth, rows, replace(known, figures=ended))).endswith(last)


def test_many_and_monstrous_counters_are_cut_short_and_shown_as_text():
    known = data()
    monsters = [f"<script>alert({n})</script>=cmd()\u202e" + "x" * 10_000 for n in range(len(known.figures))]
    made = publish.render(
        plots.growth, table("growth"), replace(known, figures=known.figures.assign(compiler=monsters))
    )
    root = ET.fromstring(made.svg)
    assert root.find(f".//{SVG}script") is None
    assert re.search(r"<script>alert\(\d+\)</script>=cmd\(\)x+… and \d+ others", _footer(made))
    assert "\u202e" not in made.svg
    assert len(_footer(made)) < 200


# --- the table as CSV ---------------------------------------------------------------------------------------------


def test_no_cell_is_a_formula_and_numbers_stay_numbers():
    rows = table("growth").assign(note='=HYPERLINK("http://x")', more=-1.5)
    rows.loc[0, "label"] = "@SUM(A1)"
    rows.loc[1, "series"] = "-2+3"
    cells = list(csv.DictReader(io.StringIO(to_csv(rows, plots.growth))))
    assert cells[0]["label"] == "'@SUM(A1)"
    assert cells[1]["series"] == "'-2+3"
    assert cells[2]["note"] == '\'=HYPERLINK("http://x")'
    assert cells[2]["more"] == "-1.5"
    assert cells[0]["factor"] == "1.82"
    assert cells[-1]["low"] == ""


def test_days_flags_and_whole_numbers_are_written_plainly():
    rows = table("offences").assign(period_start=lambda frame: pd.to_datetime(frame["period_start"]))
    first = next(csv.DictReader(io.StringIO(to_csv(rows, plots.offences))))
    assert (first["period_start"], first["value"], first["total"]) == ("2013-01-01", "651", "false")


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15))
def test_numbers_come_back_from_their_cells(value):
    assert float(_cell(value)) == value
    assert "e" not in _cell(value).lower()


@given(st.text())
def test_no_text_cell_begins_like_a_formula(value):
    assert not _cell(value).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert _cell(value).removeprefix("'") == value.removeprefix("'")


# --- the same bytes everywhere ------------------------------------------------------------------------------------

_WRITE = """
import hashlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
import test_publish as t
out = pathlib.Path(sys.argv[2])
for name in ("long_view", "sentences"):
    t.publish.show(t.plots.PLOTS[name], t.table(name), t.data(), out=out, note="Снаряд не выстрелил.")
"""


@pytest.mark.slow
def test_bytes_do_not_depend_on_locale_time_zone_folder_hash_seed_or_threads(tmp_path):
    settings = [
        {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        {
            "TZ": "Pacific/Kiritimati",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "12345",
            "OMP_NUM_THREADS": "2",
            "MPLBACKEND": "svg",
        },
        {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "LANG": "ru_RU.UTF-8", "SOURCE_DATE_EPOCH": "86400"},
    ]
    running = []
    for place, setting in enumerate(settings):
        here = tmp_path / f"cwd {place}"
        here.mkdir()
        if place == 2:
            (here / "matplotlibrc").write_text("font.size: 20\nsvg.hashsalt: other\nsavefig.bbox: tight\n")
        environment = {
            **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
            "PYTHONPATH": str(SRC),
            **setting,
        }
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", _WRITE, str(Path(__file__).parent), str(tmp_path / str(place))],
                cwd=here,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for each in running:
        _, errors = each.communicate(timeout=240)
        assert each.returncode == 0, errors
    first = {path.name: path.read_bytes() for path in (tmp_path / "0").iterdir()}
    assert len(first) == 8
    for place in range(1, len(settings)):
        assert {path.name: path.read_bytes() for path in (tmp_path / str(place)).iterdir()} == first


# --- the lock -----------------------------------------------------------------------------------------------------


@pytest.fixture
def accepted(folder, tmp_path):
    """A copy of the stored plots that a test may spoil."""
    copy = tmp_path / "accepted"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def test_lock_names_versions_and_hashes_and_reads_as_checksums(folder):
    text = publish.lock(folder)
    assert (folder / "plots.lock").read_text() == text
    assert re.search(r"^# matplotlib \d+\.\d+", text, re.MULTILINE)
    assert re.search(r"^# freetype \d+\.\d+", text, re.MULTILINE)
    assert f"{hashlib.sha256((folder / 'growth.svg').read_bytes()).hexdigest()}  growth.svg\n" in text
    done = subprocess.run(["sha256sum", "--check", "--quiet", "plots.lock"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_equal_plots_have_no_faults(accepted):
    assert verify(accepted) == []


def test_file_changed_by_hand_is_noticed(accepted):
    path = accepted / "growth.csv"
    path.write_bytes(path.read_bytes().replace(b"8.3", b"8.4"))
    assert verify(accepted) == ["growth.csv: the stored file was changed by hand: it is not what the lock says"]


def test_missing_and_new_files_are_named(accepted):
    (accepted / "coverage.json").unlink()
    (accepted / "old.svg").write_text("<svg/>")
    assert verify(accepted) == [
        "old.svg: stored but not in the lock; `make accept` renews both",
        "coverage.json: in the lock but not stored",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, r"plots\.lock: missing"), ("# matplotlib 3.11.2\nnonsense\n", r"plots\.lock:2: 'nonsense'")],
)
def test_unreadable_lock_is_a_plain_message(accepted, text, message):
    lock = accepted / "plots.lock"
    lock.unlink() if text is None else lock.write_text(text)
    with pytest.raises(UserError, match=message):
        verify(accepted)
