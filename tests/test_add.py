"""`add` and `confirm`: what is written passes `check`, and what does not pass is not written."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from desertion import figures
from desertion.cli import main
from desertion.errors import UserError
from desertion.figures import add
from desertion.project import DATA

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


def test_a_fault_writes_nothing(folder: Path) -> None:
    before = (folder / "figures.csv").read_bytes()
    proposal = add.propose(folder, [{"fact": "mediazona/337/recieved/2023", "value": "5", "source_id": "nobody"}])
    assert proposal.faults
    with pytest.raises(UserError, match="nothing was written"):
        proposal.write()
    assert (folder / "figures.csv").read_bytes() == before


def test_an_unlikely_value_is_shown_beside_its_neighbours_before_it_is_written(folder: Path) -> None:
    row = {"fact": "mediazona/337/received/2023", "value": "50400", "source_id": "mediazona-2025-06-26"}
    proposal = add.propose(folder, [row], iter([1000, 2222]).__next__)
    assert proposal.ids == ["F2222"]
    assert any("same fact F083" in line for line in proposal.lines)
    assert {line.split(": ")[3] for line in proposal.lines if line.startswith("warning")} >= {"differs"}


def test_many_rows_of_a_spreadsheet_are_added_at_once_with_their_new_page(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    page = "new-2024-01-05;New;https://new.test/;2024-01-05;en;newsroom"
    rows = ["fact;value;source_id;publisher;url;published;language;source_kind"]
    rows += [f"mediazona/337/received/2022;1001;{page}", f"mediazona/337/received/2023;5024;{page}"]
    path.write_bytes("\r\n".join(rows).encode("utf-16"))
    proposal = add.propose(folder, add.read_file(path))
    assert proposal.write() == ["figures.csv", "sources.csv"]
    assert figures.check(folder) == []
    assert set(proposal.ids) <= set(figures.load(folder).figures.index)


def test_a_second_reader_who_types_another_value_is_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["confirm", "F001", "563", "2022-09-21..2023-03-21", "--data", str(folder)]) == 3
    assert "value '563', the row has '536'" in capsys.readouterr().out
    assert figures.load(folder).figures.loc["F001", "audit"] == "disputed"
    assert figures.check(folder) == []
