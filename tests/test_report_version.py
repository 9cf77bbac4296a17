"""The commit on the page: the same words for the same inputs and HEAD, so that a build need not look at git."""

import json
import subprocess
from pathlib import Path

import pytest
from support.notebooks import write

from desertion import params, project
from desertion.engine import receipt
from desertion.report import version


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (version, version.git):
        monkeypatch.setattr(module, "ROOT", tmp_path)
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
    for module in (version, version.git):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    assert version._commit("default") == ""


def test_a_copy_in_another_repository_names_no_commit_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "copy"
    (inner / "data").mkdir(parents=True)
    (inner / "data" / "figures.csv").write_text("one\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    for module in (version, version.git):
        monkeypatch.setattr(module, "ROOT", inner)
    assert version._commit("default") == ""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert version._commit("default") == "", "nor does a variable of a hook lead to it"


def test_a_shallow_clone_names_the_commit_only_where_it_reaches_it(
    clone: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "data" / "figures.csv").write_text("two\n")
    last = commit(clone)
    for words in ("three\n", "four\n"):
        (clone / "README.md").write_text(words)
        commit(clone)
    assert version._commit("default") == last
    for depth, expected in ((1, ""), (2, ""), (3, ""), (4, last)):  # at depth 3 the commit itself is the boundary
        shallow = tmp_path_factory.mktemp("shallow") / "clone"
        git(clone, "clone", "-q", "--depth", str(depth), f"file://{clone}", str(shallow))
        for module in (version, version.git):
            monkeypatch.setattr(module, "ROOT", shallow)
        assert version._commit("default") == expected


@pytest.mark.parametrize("script", ["sleep 5", "exit 3", "echo no >&2; exit 128", "kill -9 $$"])
def test_a_slow_or_broken_git_costs_the_commit_and_nothing_else(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    whole = version.git.text
    monkeypatch.setattr(version.git, "text", lambda *words, timeout: whole(*words, timeout=min(timeout, 0.2)))
    rows = version.about(params.edition("default"), [])
    assert "Commit" not in rows
    assert rows["Inputs"].startswith("SHA-256 ")


def test_the_inputs_have_one_digest_that_changes_with_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "notebooks", "editions", "src/desertion"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("data/figures.csv", "editions/default.yml", "src/desertion/a.py", "requirements.lock", "README.md"):
        (tmp_path / name).write_text("one\n")
    path = write(tmp_path / "notebooks" / "01-a.ipynb", "1 + 1")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    for name in ("DATA", "NOTEBOOKS", "EDITIONS"):
        monkeypatch.setattr(version, name, tmp_path / name.lower())
    monkeypatch.setattr(version, "PACKAGE", tmp_path / "src" / "desertion")
    monkeypatch.setattr(version, "LOCK", tmp_path / "requirements.lock")
    seen = {version._inputs("default")}
    (tmp_path / "README.md").write_text("two\n")
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["execution_count"] = 2
    path.write_text(json.dumps(notebook))
    assert {version._inputs("default")} == seen
    for name in ("data/figures.csv", "editions/default.yml", "src/desertion/a.py", "requirements.lock"):
        (tmp_path / name).write_text("two\n")
        seen.add(version._inputs("default"))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("HEAD", b"\xff\xfe"), ("HEAD", b"<script>alert(1)</script>"), ("HEAD", b"ref: a\0b"), ("HEAD", b""),
        ("HEAD", b"ref: refs/heads/../../../notes"), ("refs/heads/main", b"junk"), ("refs/heads/main", b"\xff" * 40),
        ("refs/heads/main", b"ref: refs/heads/other"), ("packed-refs", b"\xff refs/heads/other\n"),
    ],
)  # fmt: skip
def test_damaged_files_of_git_name_no_commit(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt, "ROOT", tmp_path)
    (tmp_path / "notes").write_text("mine")
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    assert receipt.head() == "a" * 40
    if name == "packed-refs":
        (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/other\n")
    (tmp_path / ".git" / name).write_bytes(content)
    assert receipt.head() == ""
