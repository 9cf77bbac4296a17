"""After a git merge: what `check` names, and how one command makes it right."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desertion import figures, git
from desertion import notebook as nb
from desertion.engine import merged
from desertion.errors import UserError
from desertion.project import ROOT, digest

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
PLOT = "n\n1\n"
CONFLICT = "<<<<<<< HEAD\n{}=======\n{}>>>>>>> other\n"


def run_git(root: Path, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(["git", *WHO, "-C", str(root), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def cell(name: str, source: str) -> dict[str, object]:
    return {"cell_type": "code", "id": name, "source": source, "metadata": {}, "outputs": [], "execution_count": None}


def notebook(*sources: str, output: str = "1") -> str:
    parameters = cell("p", 'reads: list[str] = ["figures.csv"]') | {"metadata": {"tags": ["parameters"]}}
    cells = [parameters, *(cell(f"c{number}", source) for number, source in enumerate(sources))]
    cells[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": output}]
    return nb.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository as the project, whose stored outputs were accepted."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    for folder in ("data", "notebooks", "plots"):
        (root / folder).mkdir(parents=True)
    for module, names in (
        (git, ("ROOT",)),
        (merged, ("ROOT", "DATA", "NOTEBOOKS", "PLOTS")),
        (nb, ("ROOT", "NOTEBOOKS")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, root if name == "ROOT" else root / name.lower())
    monkeypatch.setattr("desertion.params.cell.DATA", root / "data")
    monkeypatch.setattr("desertion.project.ROOT", root)
    monkeypatch.setattr(merged, "LOCK", root / "notebooks" / "outputs.lock")
    monkeypatch.setattr(merged, "_PLOTS", root / "plots" / "plots.lock")
    (root / "data" / "figures.csv").write_text("id\nF1\n")
    (root / "data" / "compilers.csv").write_text("name\n")
    (root / "notebooks" / "01-a.ipynb").write_text(notebook("one", "two", "three"))
    (root / "plots" / "a.csv").write_text(PLOT)
    (root / "plots" / "plots.lock").write_text(f"# matplotlib 3\n{digest(PLOT)}  a.csv\n")
    merged.lock()
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "accepted")
    return root


def commit(root: Path, **changes: str) -> None:
    for name, content in changes.items():
        place = {"notebook": "notebooks/01-a.ipynb", "plot": "plots/a.csv", "data": "data/figures.csv"}[name]
        (root / place).write_text(content)
    run_git(root, "commit", "-q", "-a", "-m", "an edit")


def faults() -> list[str]:
    return [f"{Path(each.file).name}:{each.line}: {each.message}" for each in merged.faults()]


def test_what_was_accepted_together_has_no_fault_and_an_edit_is_no_mixture(project: Path) -> None:
    assert faults() == []
    (project / "data" / "figures.csv").write_text("id\nF1\nF2\n")
    (project / "notebooks" / "01-a.ipynb").write_text(notebook("one", "two", "four", output="4"))
    (project / "plots" / "a.csv").write_text("n\n2\n")
    assert faults() == []


def test_outputs_older_than_the_cells_or_data_on_disk_are_named_for_a_comparison(project: Path) -> None:
    assert merged.outdated() == []
    (project / "data" / "figures.csv").write_text("id\nF1\nF2\n")
    assert merged.outdated() == ["01-a"]


def test_a_committed_mixture_is_named(project: Path) -> None:
    renew = "`make accept` renews it"
    commit(project, data="id\nF1\nF2\n")
    assert faults() == [f"01-a.ipynb:1: they were accepted with other data: {renew}"]
    merged.lock()
    run_git(project, "commit", "-q", "-a", "-m", "accepted")
    commit(project, notebook=notebook("one", "two", "four"))
    assert faults() == [f"01-a.ipynb:1: they were accepted with other cells: {renew}"]
    commit(project, notebook=notebook("one", "two", "three", output="9"), plot="n\n2\n")
    assert faults() == [
        f"01-a.ipynb:1: they are not those that were accepted: {renew}",
        f"a.csv:1: it is not the one that was accepted: {renew}",
    ]


def test_markers_of_a_conflict_are_named_by_file_and_line(project: Path) -> None:
    (project / "plots" / "a.csv").write_text("n\n" + CONFLICT.format("1\n", "2\n"))
    text = notebook("one")
    (project / "notebooks" / "01-a.ipynb").write_text("{\n" + CONFLICT.format(text, text))
    message = "a merge left both sides here: `make accept` {}makes the outputs anew"
    assert faults() == [
        f"01-a.ipynb:2: {message.format('takes the cells of both sides and ')}", f"a.csv:2: {message.format('')}",
    ]  # fmt: skip


def test_markers_in_the_data_are_one_fault_and_fmt_leaves_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data", data)
    path = data / "figures.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:-2], CONFLICT.format(*lines[-2:])]), encoding="utf-8")
    before = path.read_bytes()
    (fault,) = figures.check(data)
    assert (fault.line, fault.value) == (len(lines) - 1, "<<<<<<< HEAD")
    assert "keep the rows of both" in fault.message
    with pytest.raises(UserError, match="keep the rows of both"):
        figures.fmt(data)
    assert path.read_bytes() == before


def test_an_id_that_stands_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data", data)
    path = data / "figures.csv"
    last = path.read_text(encoding="utf-8").splitlines()[-1]
    path.write_text(path.read_text(encoding="utf-8") + last.replace("unchecked", "confirmed") + "\n", encoding="utf-8")
    faults = [str(each) for each in figures.check(data)]
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert any(f":{count}: id " in each and f"already stands on line {count - 1}" in each for each in faults)


def conflict(project: Path, one: str, other: str) -> None:
    """Merge two branches with these notebooks, whose outputs conflict."""
    run_git(project, "checkout", "-q", "-b", "other")
    commit(project, notebook=other)
    run_git(project, "checkout", "-q", "main")
    commit(project, notebook=one)
    run_git(project, "merge", "-q", "other", status=1)


def test_a_notebook_in_conflict_gets_the_cells_of_both_sides(project: Path) -> None:
    conflict(project, notebook("one!", "two", "three", output="2"), notebook("one", "two", "three!", output="3"))
    assert merged.settle() == ["notebooks/01-a.ipynb"]
    settled = nb.read(project / "notebooks" / "01-a.ipynb")
    assert [each["source"] for each in settled["cells"][1:]] == ["one!", "two", "three!"]
    assert merged.settle() == []


def test_cells_that_both_sides_edited_are_left_to_their_authors(project: Path) -> None:
    conflict(project, notebook("one", "two!", "three", output="2"), notebook("one", "two?", "three", output="3"))
    before = (project / "notebooks" / "01-a.ipynb").read_bytes()
    with pytest.raises(UserError, match=r"01-a\.ipynb: both sides of the merge edited cell 'c1'"):
        merged.settle()
    assert (project / "notebooks" / "01-a.ipynb").read_bytes() == before


def test_markers_without_a_merge_are_taken_back_from_git(project: Path) -> None:
    (project / "notebooks" / "01-a.ipynb").write_text(CONFLICT.format("{}\n", "{}\n"))
    with pytest.raises(UserError, match="git no longer knows both sides"):
        merged.settle()


# --- the whole way ---------------------------------------------------------------------------------------------------

ROW = "{},mediazona/337/received/2025-{}-01..2025-{},337,cases_received_by_court,whole,count,cases,,2025-{}-01,2025-{},false,{},exact,,{},Mediazona,second paragraph,,unchecked,ok,\n"  # fmt: skip # noqa: E501


@pytest.mark.slow
def test_two_branches_that_each_added_a_row_are_green_after_one_command(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("src", "data", "editions", "notebooks", "plots"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in (".gitattributes", ".gitignore", "Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    environment = os.environ | {"PYTHONPATH": str(root / "src")}

    def command(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(arguments, cwd=root, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    desertion: Callable[..., str] = lambda *arguments, **how: command(  # noqa: E731
        sys.executable, "-m", "desertion", *arguments, **how
    )
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "base")
    rows = {
        "one": ROW.format("F7001", "06", "06-30", "06", "06-30", 301, "radio-svoboda-2026-01-09"),
        "two": ROW.format("F7000", "07", "07-31", "07", "07-31", 312, "radio-svoboda-2026-01-09"),
    }
    for branch, row in rows.items():
        run_git(root, "checkout", "-q", "-b", branch, "main")
        with (root / "data" / "figures.csv").open("a", encoding="utf-8") as file:
            file.write(row)
        desertion("check")
        assert "1 statement added" not in desertion("accept"), "the data are not what accept stores"
        run_git(root, "commit", "-q", "-a", "-m", f"row of {branch}")
        assert desertion("check").startswith("no faults")
        shown = json.loads(desertion("diff", "main", branch, "--json", status=3))
        assert [each["id"] for each in shown["statements"]] == [row.split(",")[0]]
        assert shown["sentences"]
    run_git(root, "checkout", "-q", "one")
    run_git(root, "merge", "-q", "two", status=1)
    found = desertion("check", status=1)
    assert "notebooks/01-figures.ipynb:" in found
    assert "<<<<<<<" not in (root / "data" / "figures.csv").read_text(encoding="utf-8")
    command("make", "fmt", "accept", f"PYTHON={sys.executable}")
    assert desertion("check").startswith("no faults"), "before the merge is committed"
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "merge")
    assert desertion("check").startswith("no faults")
    text = (root / "data" / "figures.csv").read_text(encoding="utf-8")
    assert text.index(rows["two"]) < text.index(rows["one"]), "both rows, in order"
    for parent, row in (("HEAD^1", rows["two"]), ("HEAD^2", rows["one"])):
        shown = json.loads(desertion("diff", parent, "HEAD", "--json", status=3))
        assert [each["id"] for each in shown["statements"]] == [row.split(",")[0]]
