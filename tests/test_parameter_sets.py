"""Every notebook runs for every valid parameter set: what cannot be shown is withheld or refused with its reason."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.parameter_sets import parameter_sets

from desertion import notebook as nb
from desertion import params, sentences
from desertion.engine import receipt
from desertion.engine.run import run
from desertion.project import NOTEBOOKS, ROOT
from desertion.tables import TableRecord

STEMS = [path.stem for path in nb.paths() if path.stem[:2] != "07"]
#: Words of the machine that stand in no text for readers.
MACHINE = re.compile(r"\b(nan|NaN|NaT|None|inf|True|False)\b|<NA>|Refused\(")


def execute(stem: str, values: dict[str, Any], folder: Path, *, publish: bool = True) -> nb.Notebook:
    """The notebook `stem` executed by the project's own runner; its plots are drawn, and published in `folder`."""
    cell = params.of(stem)
    parameters = cell.check(values) | ({"out": str(folder)} if publish else {})
    data = receipt.declared(receipt.inputs("default", []), cell)
    output = folder / f"{stem}.ipynb"
    run(NOTEBOOKS / f"{stem}.ipynb", output, parameters, failed=folder / "failed.ipynb", forked=True, data=data)
    return nb.read(output)


def words(output: dict[str, Any]) -> list[str]:
    """What an output shows in words: its text, and the cells and notes of a table."""
    record = TableRecord.of(output)
    cells = [text for row in record.rows for text in row] if record else []
    return ["".join(output.get("data", {}).get("text/plain", "")), *cells, *(record.notes if record else ())]


def faults(notebook: nb.Notebook) -> Iterator[str]:
    """What a reader of an executed notebook would trip over."""
    cells = nb.code_cells(notebook)
    source = "\n".join(cell["source"] for cell in cells)
    outputs = [one for cell in cells for one in cell["outputs"]]
    yield from (f"stderr: {one['text']}" for one in outputs if one.get("name") == "stderr")
    records = [one.get("metadata", {}).get("desertion", {}) for one in outputs]
    shown = {record["sentence"]["id"] for record in records if "sentence" in record}
    yield from (f"sentence {name} left no word" for name in set(re.findall(r'\bsay\(\s*"([\w-]+)"', source)) - shown)
    data = [one.get("data", {}) for one in outputs]
    drawn = sum("image/svg+xml" in each for each in data)
    reasons = sum("".join(each.get("text/markdown", "")).startswith("Nothing can be shown here: ") for each in data)
    if drawn + reasons != source.count("publish.show("):
        yield f"{drawn} plots and {reasons} reasons are shown for {source.count('publish.show(')}"
    for cell in cells:
        if "working" in cell["metadata"].get("tags", []):
            continue  # for the analyst alone
        for one in cell["outputs"]:
            record = TableRecord.of(one)
            if record and not record.rows and not record.notes[0].startswith("Nothing can be shown here: "):
                yield f"the empty table {record.title!r} gives no reason"
            yield from (f"a word of the machine: {text}" for text in words(one) if MACHINE.search(text))


FIXED: list[tuple[str, dict[str, Any], str]] = [
    ("01-figures", {"start": "2000-01-01", "end": "2001-06-30"}, "no count of persons convicted or cases"),
    ("02-claims", {"as_of": "2015-03-01"}, "the article was not published yet"),
    ("03-trends", {"compilers": ["Proekt"], "as_of": "2022-12-31"}, "no statement is left to be fitted"),
    ("04-comparisons", {"as_of": "2015-03-01", "level": 0.8}, "no count of a whole year is divided"),
    ("05-sensitivity", {"compilers": ["Proekt"], "articles": ["338"]}, "no option gives a factor"),
    ("06-stages", {"compilers": ["Proekt"], "start": "2023-01-01"}, "no counter gives counts of two"),
    ("07-people", {"as_of": "2022-12-31", "places": ["Komi"]}, "nobody counted three of these places together"),
    ("08-checks", {"compilers": ["Proekt"], "as_of": "2022-12-31"}, "no statement is left to be fitted"),
]  # fmt: skip


@pytest.mark.parametrize(("stem", "values", "reason"), FIXED, ids=[stem for stem, *_ in FIXED])
def test_a_set_that_selects_next_to_nothing_gives_a_notebook_of_reasons(
    stem: str, values: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    executed = execute(stem, values, tmp_path, publish=False)
    assert list(faults(executed)) == []
    assert reason in "\n".join(
        text for cell in executed["cells"] for one in cell.get("outputs", ()) for text in words(one)
    )


@pytest.mark.parametrize("stem", STEMS)
def test_every_parameter_of_a_notebook_is_used_in_it(stem: str) -> None:
    source = "\n".join(cell["source"] for cell in nb.code_cells(nb.read(NOTEBOOKS / f"{stem}.ipynb")))
    assert [name for name in params.of(stem).names if not re.search(rf"\bp\.{name}\b", source)] == []


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_valid_set_gives_a_whole_notebook(stem: str, tmp_path_factory: Any, data: st.DataObject) -> None:
    values = data.draw(parameter_sets(stem))
    assert list(faults(execute(stem, values, tmp_path_factory.mktemp("set")))) == []


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["01-figures", "03-trends", "05-sensitivity", "08-checks"])
def test_a_sentence_about_one_compiler_is_not_said_of_another(stem: str, tmp_path: Path) -> None:
    executed = execute(stem, {"compilers": ["Rosstat"]}, tmp_path)
    assert list(faults(executed)) == []
    path = tmp_path / f"{stem}.ipynb"
    of_everybody = {"known", "read-twice", "apart", "not-known"}
    named = {one["id"] for _, one in sentences.records(path) if not one["withheld"]}
    assert named <= of_everybody


@pytest.mark.slow
@pytest.mark.parametrize("day", ["2022-12-31", "2023-06-30"])
def test_an_edition_of_a_day_on_which_little_was_known_builds(day: str, tmp_path: Path) -> None:
    left = shutil.ignore_patterns("build", ".*", "__pycache__", "tests", "benchmarks", "plots")
    clone = Path(shutil.copytree(ROOT, tmp_path / "clone", ignore=left))
    shutil.copytree(ROOT / "src" / "desertion" / "plots", clone / "src" / "desertion" / "plots", dirs_exist_ok=True)
    text = f"title: What was known on {day}\nparameters: {{as_of: {day}}}\n"
    (clone / "editions" / "early.yml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "desertion", "build", "--edition", "early"]
    environment = os.environ | {"PYTHONPATH": str(clone / "src")}
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (clone / "build" / "early" / "report.html").read_text(encoding="utf-8")
    opening = ("headline", "by-year", "convicted-2023-2024", "awol-2021-2023", "not-all", "not-known", "outlook")
    assert [name for name in opening if f"sentence '{name}' is withheld" in done.stdout + done.stderr] == []
    assert "Russian courts received" in page
    assert (clone / "build" / "early" / "report.pdf").is_file()
