"""Our own sentences follow the data: a condition that no longer holds withholds the sentence, and everybody is told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desertion import params, sentences
from desertion.engine import accept, build
from desertion.errors import UserError
from desertion.project import NOTEBOOKS, ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project in another folder, where a test may change its data."""
    for name in ("src", "data", "editions", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def run(clone: Path, notebook: str) -> Path:
    environment = os.environ | {"PYTHONPATH": str(clone / "src")}
    command = [sys.executable, "-m", "desertion", "run", notebook]
    subprocess.run(command, cwd=clone, env=environment, check=True, capture_output=True)
    return clone / "build" / "runs" / f"{notebook}.ipynb"


def test_the_stored_notebooks_withhold_nothing() -> None:
    assert [one for path in sorted(NOTEBOOKS.glob("*.ipynb")) for one in sentences.withheld(path)] == []


@pytest.mark.slow
def test_a_changed_figure_withholds_the_sentence_that_rests_on_it_and_no_other(clone: Path) -> None:
    path = clone / "data" / "figures.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(",5096,") == 4
    path.write_text(text.replace(",5096,", ",9096,"), encoding="utf-8")
    executed = run(clone, "03-trends")
    held_back = {one.id: one for one in sentences.withheld(executed, NOTEBOOKS / "03-trends.ipynb")}
    one = held_back["awol-2021-2023"]
    # The others of the opening rest on other figures, or have words for the number as it is now.
    assert not held_back.keys() & {"headline", "by-year", "convicted-2023-2024", "not-all", "not-known", "outlook"}
    assert "was 8.28" in str(one)
    assert "is 14.79" in str(one)
    printed = [record["id"] for _, record in sentences.records(executed) if not record["withheld"]]
    assert "convicted-2023-2024" in printed


def test_accept_refuses_while_a_sentence_is_withheld(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = sentences.Withheld(
        notebook="03-trends", cell=3, id="growth", template="doubled", when="r > 1.8", old={"r": 2.0}, new={"r": 1.2}
    )
    monkeypatch.setattr(accept, "build", lambda *_, **__: build.BuildResult(tmp_path / "report.html", (), {}))
    monkeypatch.setattr(accept, "withheld", lambda _: [one])
    before = {path: path.read_bytes() for path in NOTEBOOKS.glob("*.ipynb")}
    with pytest.raises(UserError, match=r"(?s)'growth'.*nothing was accepted: change the words"):
        accept.accept(params.edition("default"))
    assert before == {path: path.read_bytes() for path in before}
