"""The commit on the page: the same words for the same inputs and HEAD, so that a build need not look at git."""

import json
import subprocess
from pathlib import Path

import pytest
from support.notebooks import write

from desertion.report import version


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(version, "ROOT", tmp_path)
    for name in ("data", "notebooks", "editions", "src/desertion"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("data/figures.csv", "editions/default.yml", "editions/other.yml", "src/desertion/a.py", "README.md"):
        (tmp_path / name).write_text("one\n")
    write(tmp_path / "notebooks" / "01-a.ipynb", "1 + 1")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(clone: Path, *words: str) -> str:
    command = ["git", "-C", str(clone), "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(clone: Path) -> str:
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "words")
    return git(clone, "rev-parse", "HEAD")[:12]


def test_the_commit_is_the_last_that_touched_the_inputs(clone: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")[:12]
    (clone / "README.md").write_text("two\n")
    (clone / "editions" / "other.yml").write_text("two\n")
    assert version._commit("default") == first
    commit(clone)
    assert version._commit("default") == first
    (clone / "data" / "figures.csv").write_text("two\n")
    assert commit(clone) == version._commit("default") != first


@pytest.mark.parametrize(
    "name", ["data/figures.csv", "data/new.csv", "editions/default.yml", "src/desertion/b.py", "notebooks/02-b.ipynb"]
)
def test_what_is_not_committed_is_told(clone: Path, name: str) -> None:
    (clone / name).write_text("two\n")
    assert version._commit("default").endswith(", with changes that are not committed")


def test_stored_outputs_of_a_notebook_are_no_change_and_a_cell_is(clone: Path) -> None:
    path = clone / "notebooks" / "01-a.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["execution_count"] = 2
    path.write_text(json.dumps(notebook))
    assert version._commit("default") == git(clone, "rev-parse", "HEAD")[:12]
    notebook["cells"][-1]["source"] = "1 + 2"
    path.write_text(json.dumps(notebook))
    assert version._commit("default").endswith(", with changes that are not committed")


def test_without_git_no_commit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert version._commit("default") == ""
