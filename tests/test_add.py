"""`add` and `confirm`: what is written passes `check`, and what does not pass is not written."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pexpect import fdpexpect

from desertion import figures
from desertion.cli import main
from desertion.errors import UserError
from desertion.figures import add
from desertion.project import DATA, PACKAGE

TEXT = (DATA / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def test_the_five_minutes_of_the_data_dictionary_work_by_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, compiler, figure = re.findall(r"```\n\s*(.+)\n\s*```", TEXT)[:3]
    for name, row in (("sources.csv", source), ("compilers.csv", compiler)):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    figures.fmt(folder)
    command = re.search(r"^   desertion (add .+)$", TEXT, re.MULTILINE)
    assert command
    assert main([*shlex.split(command[1]), "--data", str(folder)]) == 0
    number = capsys.readouterr().out.split()[-1]
    assert figures.check(folder) == []
    assert figures.fmt(folder) == []
    row = figures.load(folder).figures.loc[number]
    assert (row["value"], row["fact"], row["compiler"]) == (900, figure.split(",")[1], "Example")
    assert main(["confirm", number, "900", "2026-01-01..2026-01-31", "--data", str(folder)]) == 0
    assert figures.load(folder).figures.loc[number, "audit"] == "confirmed"


def given(**cells: str) -> dict[str, dict[str, str]]:
    return {"the new statement": cells}


def test_a_fault_writes_nothing_and_is_named_by_its_cause_and_the_place_of_the_row(folder: Path) -> None:
    before = (folder / "figures.csv").read_bytes()
    rows = {"rows.csv:2": {"fact": "mediazona/337/recieved/2023", "value": "5", "source_id": "nobody"}}
    proposal = add.propose(folder, rows)
    assert proposal.faults == [
        "rows.csv:2: fact 'mediazona/337/recieved/2023': counts 'recieved', no known word; did you mean 'received'?"
    ]
    with pytest.raises(UserError, match="nothing was written"):
        proposal.write()
    [*faults] = add.propose(folder, given(fact="mediazona/337/received/2023", value="5", source_id="nobody")).faults
    assert all(one.startswith("the new statement: ") for one in faults)
    assert {one.split()[3] for one in faults} == {"publisher", "url", "language", "source_kind"}
    assert (folder / "figures.csv").read_bytes() == before


def test_an_unlikely_value_is_shown_beside_its_neighbours_before_it_is_written(folder: Path) -> None:
    row = given(fact="mediazona/337/received/2023", value="50400", source_id="mediazona-2025-06-26")
    proposal = add.propose(folder, row, iter([1000, 2222]).__next__)
    assert proposal.ids == ["F2222"]
    assert any("same fact F083" in line for line in proposal.lines)
    assert "  without   locator" in proposal.lines
    assert {line.split(": ")[3] for line in proposal.lines if line.startswith("warning")} >= {"differs"}


def test_an_identity_that_the_number_would_break_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fact=mediazona/337/received/2023", "source_id=mediazona-2025-06-26", "--dry-run", "--data", str(folder)]
    assert main(["add", "value=5240", *words]) == 0
    out = capsys.readouterr().out
    assert re.search(r"identity \w+ \(.*F083.*\) breaks with F[0-9]+ for F083: the left side gives", out), out
    assert main(["add", "value=5024", *words]) == 0
    assert "identity" not in capsys.readouterr().out


def test_the_nearest_facts_are_shown_of_a_fact_that_nobody_else_has(folder: Path) -> None:
    row = given(fact="mediazona/337/received/2021-03", value="70", source_id="mediazona-2025-06-26")
    [line] = [one for one in add.propose(folder, row).lines if "no other statement" in one]
    assert "nearest: mediazona/337/received/" in line


def test_the_bound_follows_from_the_hedge(folder: Path) -> None:
    fact = "mediazona/337/received/2023"
    row = given(fact=fact, value="5000", hedge="more than", source_id="mediazona-2025-06-26")
    proposal = add.propose(folder, row)
    proposal.write()
    assert figures.load(folder).figures.loc[proposal.ids[0], "bound"] == "at_least"


def test_cells_of_a_page_that_is_already_there_are_compared_with_it(folder: Path) -> None:
    row = given(
        fact="mediazona/337/received/2023", value="5024", source_id="moscow-times-2023-12-29", publisher="Other"
    )
    [fault] = add.propose(folder, row).faults
    assert "publisher 'Other': the page moscow-times-2023-12-29 has 'The Moscow Times'" in fault


def test_a_file_that_was_edited_after_the_statement_was_shown_is_not_overwritten(folder: Path) -> None:
    row = given(fact="mediazona/337/received/2023", value="5024", source_id="mediazona-2025-06-26")
    proposal = add.propose(folder, row)
    with (folder / "sources.csv").open("a", encoding="utf-8") as file:
        file.write("zzz,Z,,https://z.test/,,2024-01-01,,en,newsroom,,\n")
    edited = (folder / "sources.csv").read_bytes()
    with pytest.raises(UserError, match=r"sources\.csv was edited in the meantime"):
        proposal.write()
    assert (folder / "sources.csv").read_bytes() == edited


def test_many_rows_of_a_spreadsheet_are_added_at_once_with_their_new_page(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    page = "new-2024-01-05;New;https://new.test/;2024-01-05;en;newsroom"
    rows = ["fact;value;source_id;publisher;url;published;language;source_kind"]
    rows += [f"mediazona/337/received/2022;1001;{page}", f"mediazona/337/received/2023;5024;{page}"]
    path.write_bytes("\r\n".join(rows).encode("utf-16"))
    proposal = add.propose(folder, add.read_file(path))
    assert sorted(proposal.write()) == ["figures.csv", "sources.csv"]
    assert figures.check(folder) == []
    assert set(proposal.ids) <= set(figures.load(folder).figures.index)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no rows"),
        ("fact,value,value,source_id\na,1,1,b\n", "'value' stands twice"),
        ("fact,value,source_id\nmediazona/337/received/2023,1\n", "rows.csv:2: has 2 cells, the header 3"),
        ("fact,valeu,source_id\nmediazona/337/received/2023,1,x\n", "rows.csv:2: 'valeu' is no column"),
        ("fact,value,source_id\nmediazona/337/received/2023,,x\n", "rows.csv:2: value is missing"),
        ('fact,value,source_id\n"mediazona,1,x\n', "look for a stray or missing quote"),
    ],
)
def test_a_spreadsheet_that_cannot_be_read_is_refused_with_its_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    assert main(["add", "--from", str(tmp_path / "rows.csv"), "--data", str(folder)]) == 1
    assert words in capsys.readouterr().err


def on_terminal(folder: Path, *words: str) -> tuple[fdpexpect.fdspawn, subprocess.Popen[bytes]]:
    """`desertion` with a terminal for its input and output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "desertion", *words, "--data", str(folder)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "TERM": "dumb", "INPUTRC": os.devnull},
    )  # fmt: skip
    os.close(theirs)
    return fdpexpect.fdspawn(ours, timeout=60, encoding="utf-8"), process


def test_a_terminal_asks_for_what_is_missing_and_tab_completes_it(folder: Path) -> None:
    screen, process = on_terminal(folder, "add")
    for question, answer in (
        ("fact: ", "mediazona/337/received/2023-h\t"),
        ("value: ", "4,373"),
        ("value: ", "900"),
        ("source_id: ", "new-2024-01-05"),
        ("hedge: ", "more th\t"),
        ("locator: ", ""),
        ("publisher: ", "Meduz\t"),
        ("url: ", "https://new.test/"),
        ("published: ", "2024-01-05"),
        ("language: ", "ru"),
        ("source_kind: ", "rela\t"),
    ):
        screen.expect_exact(question)
        screen.send(f"{answer}\n")
        if answer == "4,373":
            screen.expect_exact("'4,373' ")  # refused at once, and asked for again
    screen.expect_exact("write it? (y): ")
    assert "same fact F" in screen.before
    screen.send("y\n")
    screen.expect(r"wrote .*: (F[0-9]+)")
    number = screen.match[1]
    assert process.wait(60) == 0
    row = figures.load(folder).figures.loc[number]
    assert (row["value"], row["hedge"], row["bound"], row["publisher"]) == (900, "more than", "at_least", "Meduza")
    assert figures.check(folder) == []


def test_a_terminal_that_is_closed_or_answered_with_no_writes_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = ("fact=mediazona/337/received/2023", "value=5024", "source_id=mediazona-2025-06-26")
    for answer in ("n\n", "\x04"):
        screen, process = on_terminal(folder, "add", *words)
        screen.expect_exact("write it? (y): ")
        screen.send(answer)
        screen.expect_exact("nothing was written")
        assert process.wait(60) in (0, 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_second_reader_is_asked_for_the_period(folder: Path) -> None:
    screen, process = on_terminal(folder, "confirm", "F001", "536")
    screen.expect_exact("period (FIRST..LAST): ")
    screen.send("2022-09-21..2023-03-21\n")
    screen.expect_exact("both readers have the same")
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("value", "period", "message"),
    [
        ("", "2022-09-21..2023-03-21", "value ''"), ("1,029", "2022-09-21..2023-03-21", "value '1,029'"),
        ("536", "2023", "period '2023'"), ("536", "2022-09-21..2023-02-30", "..2023-02-30'"),
        ("536", "2023-03-21..2022-09-21", "write its days as"), ("nan", "..", "value 'nan'"),
    ],
)  # fmt: skip
def test_a_slip_of_a_second_reader_disputes_nothing(
    value: str, period: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "figures.csv").read_bytes()
    assert main(["confirm", "F001", value, period, "--data", str(folder)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "nothing was recorded" in said
    assert (folder / "figures.csv").read_bytes() == before


def test_a_second_reader_who_types_another_value_is_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["confirm", "F001", "563", "2022-09-21..2023-03-21", "--data", str(folder)]) == 3
    assert "value '563', the row has '536'" in capsys.readouterr().out
    assert figures.load(folder).figures.loc["F001", "audit"] == "disputed"
    assert figures.check(folder) == []
