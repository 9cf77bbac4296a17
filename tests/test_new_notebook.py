"""A new notebook is a new file, and an edit of a parameters cell takes effect everywhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clone import PARAMETERS, READ, Clone

from desertion import notebook as nb
from desertion import params, sentences, skeleton
from desertion.errors import UserError
from desertion.project import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    clone = Clone(tmp_path / "clone")
    yield clone
    assert clone.processes() == {}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project in another folder, where a test may change its notebooks."""
    for name in ("src", "data", "editions", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return tmp_path


def desertion(project: Path, *arguments: str, module: str = "desertion") -> str:
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=project, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def edit(path: Path, old: str, new: str) -> None:
    """Change one line of the parameters cell, as an editor does."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            source = "".join(cell["source"])
            assert source.count(old) == 1
            cell["source"] = source.replace(old, new)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
class TestInASmallProject:
    @pytest.mark.quick
    def test_a_new_file_is_run_and_stands_in_the_page_after_the_others_and_no_other_notebook_runs(
        self, clone: Clone
    ) -> None:
        clone.build()
        before = json.loads((clone.place / "build.json").read_text())["notebooks"]
        clone.notebook("03-c", READ, "level + 40")
        assert clone.ran() == {"03-c"}
        after = json.loads((clone.place / "build.json").read_text())["notebooks"]
        assert {stem: after[stem] for stem in before} == before
        page = clone.report.read_text()
        assert page.index('"41"') > page.rindex("figures.csv').read_text()")
        (clone.root / "notebooks" / "03-c.ipynb").unlink()
        assert clone.ran() == set()
        assert '"41"' not in clone.report.read_text()

    def test_an_edition_may_override_it_or_leave_it_out(self, clone: Clone) -> None:
        clone.notebook("03-c", "level + 40")
        clone.write("editions/default.yml", "title: T\nnotebooks: {03-c: {level: 2}}")
        clone.build()
        assert '"42"' in clone.report.read_text()
        clone.write("editions/default.yml", "title: T\nnotebooks: {03-c: false}")
        assert clone.ran() == set()
        assert '"42"' not in clone.report.read_text()
        assert "notebooks/03-c.ipynb" not in clone.files()
        assert clone.build() == "build/default/report.html is up to date\n"

    @pytest.mark.quick
    def test_an_edited_default_takes_effect_in_the_page_and_in_the_stored_outputs(self, clone: Clone) -> None:
        clone.notebook("02-b", "level + 40")
        clone.build()
        assert '"41"' in clone.report.read_text()
        edit(clone.root / "notebooks" / "02-b.ipynb", "level: int = 1", "level: int = 7")
        assert clone.ran() == {"02-b"}
        assert '"47"' in clone.report.read_text()
        assert '"41"' not in clone.report.read_text()
        accept = "import sys; from desertion import cli; sys.exit(cli.main(['accept']))"
        assert "02-b.ipynb: outputs of code cells 2" in clone.build("-c", accept)
        assert '"47"' in (clone.root / "notebooks" / "02-b.ipynb").read_text()

    def test_only_what_is_overridden_is_injected_and_nothing_where_nothing_is(self, clone: Clone) -> None:
        clone.notebook("02-b", "level", parameters=PARAMETERS + "\nn: int = 3")
        clone.build()
        cells = nb.read(clone.place / "notebooks" / "02-b.ipynb")["cells"]
        assert not any(map(nb.is_injected, cells))
        clone.write("editions/default.yml", "title: T\nparameters: {n: 4}")
        assert clone.ran() == {"02-b"}
        (cell,) = filter(nb.is_injected, nb.read(clone.place / "notebooks" / "02-b.ipynb")["cells"])
        assert cell["source"].splitlines() == ["# Parameters", "n = 4"]

    def test_a_plot_without_a_picture_for_phones_is_named(self, clone: Clone) -> None:
        draw = "if out:\n    from pathlib import Path\n    [Path(out, name).write_text('<svg/>') for name in {}]"
        clone.notebook("02-b", draw.format(["wide.svg", "wide.csv", "both.svg", "both-single.svg"]))
        line = "notebooks/02-b.ipynb: plots/wide has one width and is small on phones: give publish.figure a function"
        assert next(one for one in clone.build().splitlines() if "one width" in one).startswith(line)
        assert clone.build().count("one width") == 1
        clone.notebook("02-b", draw.format(["both.svg", "both-single.svg"]))
        assert "one width" not in clone.build()

    @pytest.mark.parametrize(
        ("parameters", "what"),
        [
            ("level: int = = 1", "notebooks/02-b.ipynb: code cell 1 (parameters), line 1: invalid syntax"),
            ("level = 1", "notebooks/02-b.ipynb: code cell 1 (parameters), line 1: level has no type"),
            (
                "level: int = 'a'",
                "notebooks/02-b.ipynb: code cell 1 (parameters), line 1: level = 'a': must be a whole",
            ),
            ("rule: int = 1", "line 1: rule is str in every notebook, not int"),
        ],
    )
    @pytest.mark.quick
    def test_a_fault_of_the_cell_stops_before_a_kernel_and_is_one_line(
        self, parameters: str, what: str, clone: Clone
    ) -> None:
        clone.notebook("02-b", "1", parameters=parameters)
        for command in ((), ("-m", "desertion", "run", "02-b")):
            output = clone.build(*command, status=1)
            assert what in output
            assert len(output.splitlines()) == 1
        assert not (clone.root / "build" / "failed").exists()


class TestSkeleton:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(skeleton, "NOTEBOOKS", tmp_path)
        (tmp_path / "05-sensitivity.ipynb").write_text("{}")
        return tmp_path

    @pytest.mark.quick
    def test_it_is_a_valid_notebook_with_the_next_number(self, folder: Path) -> None:
        path = skeleton.notebook("by-region")
        assert path == folder / "06-by-region.ipynb"
        cell = params.read_cell(nb.read(path), path)
        assert cell.publishes
        assert "figures.csv" in cell.reads
        assert nb.read(path)["cells"][0]["source"].startswith("# By region?\n")
        assert skeleton.notebook("12-later").name == "12-later.ipynb"
        assert skeleton.notebook("last").name == "13-last.ipynb"

    @pytest.mark.parametrize("name", ["sensitivity", "05-sensitivity", "05-other", "06-sensitivity"])
    @pytest.mark.quick
    def test_a_name_or_number_that_is_taken_is_refused(self, name: str, folder: Path) -> None:
        with pytest.raises(UserError, match=r"05-sensitivity\.ipynb is there"):
            skeleton.notebook(name)
        assert len(list(folder.iterdir())) == 1

    @pytest.mark.parametrize(
        "name", ["", "A", "a b", "../a", "a/b", "a.ipynb", "6-a", "-a", "a-", "06-", "é", "a" * 61, "a\n"]
    )
    @pytest.mark.quick
    def test_a_name_that_is_none_is_refused(self, name: str, folder: Path) -> None:
        with pytest.raises(UserError, match="is no name of a notebook: lower-case words joined by '-'"):
            skeleton.notebook(name)
        assert len(list(folder.iterdir())) == 1


@pytest.mark.slow
def test_a_new_notebook_goes_from_its_skeleton_to_the_stored_outputs_without_another_edit(project: Path) -> None:
    desertion(project, "build")
    assert desertion(project, "new", "notebook", "by-measure") == "notebooks/09-by-measure.ipynb\n"
    explained = desertion(project, "build", "--explain")
    assert "09-by-measure: has no good run yet" in explained
    assert "03-trends: is up to date" in explained
    page = (project / "build" / "default" / "report.html").read_text(encoding="utf-8")
    titles = ("Who are they, and what", "By measure?", "Does the answer depend on choices?")
    places = [page.index(title) for title in titles]
    assert places == sorted(places), "the new section stands after the others and before the methods"
    figure = page[page.index('id="plot-by_measure_cases"') :].partition("</figure>")[0]
    assert 'class="narrow"' in figure
    assert 'download="by_measure_cases.csv"' in figure
    assert "Counted by Mediazona, Proekt." in figure
    assert re.search(r'data-ids="F\d+( F\d+)+"', figure), "a mark opens all statements of its count"
    desertion(project, "accept")
    names = sorted(path.name for path in (project / "plots").glob("by_measure*"))
    assert names == ["by_measure_cases.csv", "by_measure_cases.json", "by_measure_cases.svg"]
    assert "by_measure_cases.svg" in (project / "plots" / "plots.lock").read_text(encoding="utf-8")
    desertion(project, "-q", "-p", "no:cacheprovider", "--nbval", "notebooks/09-by-measure.ipynb", module="pytest")
    desertion(project, "plots", "print")
    for name in ("by_measure_cases", "by_measure_cases-single", "growth"):
        assert (project / "print" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (project / "print" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_an_edited_default_changes_the_sentence_under_the_runner_and_under_plain_papermill(project: Path) -> None:
    path = project / "notebooks" / "03-trends.ipynb"
    line = 'assumed_dispersion: "Optional[float]" = '
    edit(path, line + "None", line + "20.0")
    desertion(project, "run", "03-trends")
    desertion(
        project, str(path), str(project / "plain.ipynb"), "-k", "python3", "--cwd", "notebooks", module="papermill"
    )
    for executed in (project / "build" / "runs" / "03-trends.ipynb", project / "plain.ipynb"):
        values = {one["id"]: one["values"] for _, one in sentences.records(executed)}
        assert values["awol-2021-2023"]["scatter.phi"] == 20
        assert "Counts vary 20 times" in executed.read_text(encoding="utf-8")


def test_plain_papermill_refuses_a_name_that_the_notebook_does_not_have(project: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-m", "papermill", "notebooks/04-comparisons.ipynb", str(project / "plain.ipynb")]
    done = subprocess.run(
        [*command, "-k", "python3", "--cwd", "notebooks", "-p", "leval", "0.9"],
        cwd=project, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "no parameter 'leval', which papermill was told to set: did you mean 'level'?" in done.stderr
