"""A notebook with a dozen kinds of output: the same bytes under every tool, and all of it in the page and the PDF."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support import outputs
from support.clone import Clone
from support.notebooks import text, write

from desertion import notebook as nb
from desertion.engine.run import run
from desertion.engine.workers import Task, Workers
from desertion.project import ROOT

NAME = "07-outputs"
ACCEPT = "import sys; from desertion import cli; sys.exit(cli.main(['accept']))"


class Project:
    """The project in another folder, with the notebook of all outputs as its only one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root / "build" / "default"
        for name in ("src", "data", "editions"):
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        shutil.copy(ROOT / "requirements.lock", root)
        (root / "notebooks").mkdir()
        self.notebook = outputs.write(root / "notebooks" / f"{NAME}.ipynb")

    def tool(self, *arguments: str) -> str:
        """Run a module of Python in a plain environment; what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DESERTION", "PYTHONHASH"))}
        environment = kept | {"PYTHONPATH": str(self.root / "src")}
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, its outputs accepted and its page built."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.tool("desertion", "accept")
    return project


def stored(path: Path) -> bytes:
    """The notebook at `path` as it would be stored."""
    return nb.dumps(nb.scrub(nb.read(path))).encode()


@pytest.mark.slow
class TestAllOutputs:
    def test_the_stored_notebook_is_the_one_of_the_build_and_shows_each_kind(self, project: Project) -> None:
        assert project.notebook.read_bytes() == stored(project.place / "notebooks" / f"{NAME}.ipynb")
        cells = nb.code_cells(nb.read(project.notebook))
        silent = {outputs.code_cell("imports"), 1}
        assert {number for number, cell in enumerate(cells, 1) if not cell["outputs"]} == silent
        for kind in ("a figure of matplotlib", "a figure of seaborn", "a figure of pandas"):
            data = [output["data"] for output in cells[outputs.code_cell(kind) - 1]["outputs"]]
            assert any("image/svg+xml" in one for one in data)
            assert not any("image/png" in one for one in data)

    def test_a_build_without_the_cache_gives_the_same_bytes(self, project: Project) -> None:
        names = (f"notebooks/{NAME}.ipynb", "report.html", "report.pdf")
        before = [(project.place / name).read_bytes() for name in names]
        shutil.rmtree(project.place)
        project.tool("desertion", "build", "--cold")
        assert [(project.place / name).read_bytes() for name in names] == before

    def test_plain_papermill_gives_the_same_bytes(self, project: Project) -> None:
        project.tool("papermill", "-k", "python3", "--cwd", "notebooks", str(project.notebook), "plain.ipynb")
        assert stored(project.root / "plain.ipynb") == project.notebook.read_bytes()

    def test_nbconvert_gives_the_same_bytes(self, project: Project) -> None:
        options = ("--to", "notebook", "--execute", "--output-dir", ".", "--output", "converted.ipynb")
        project.tool("jupyter", "nbconvert", *options, str(project.notebook))
        assert stored(project.root / "converted.ipynb") == project.notebook.read_bytes()

    def test_nbval_passes(self, project: Project) -> None:
        printed = project.tool("pytest", "-q", "-p", "no:cacheprovider", "--nbval", str(project.notebook))
        assert f"{len(outputs.CELLS) + 1} passed" in printed

    def test_a_second_accept_changes_nothing(self, project: Project) -> None:
        before = project.notebook.read_bytes()
        assert project.tool("desertion", "accept") == "nothing changed\n"
        assert project.notebook.read_bytes() == before

    def test_all_of_it_is_in_the_page_and_in_the_pdf(self, project: Project) -> None:
        page = (project.place / "report.html").read_text(encoding="utf-8")
        page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        if shutil.which("pdftotext") is None:
            pytest.skip("skipped: no pdftotext (poppler-utils)")
        command = ["pdftotext", "-layout", str(project.place / "report.pdf"), "-"]
        pdf = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for words in ("5,096", "Grew", "a page", "Words, bold, a link", "Mediazona", "red, and a doubt", "another line",
                      "Verdicts, the most in yellow", r"$\nosuchcommand{x}$", "cannot be shown here"):  # fmt: skip
            assert words in re.sub(r"</?(strong|a)\b[^>]*>", "", page), words
            assert words in pdf, words
        assert page.count("<img ") == 7
        assert page.count("No sources are recorded for this picture") == 6 == pdf.count("No sources are recorded")
        assert (
            'alt="Picture of 07-outputs, code cell 3: Verdicts by year; x: year; y: verdicts; legend: Art. 337"' in page
        )
        assert page.count("<math") > 3
        assert "evil.example" not in re.sub(r"<em>The picture [^<]*</em>", "", page)

    def test_make_names_each_figure_without_sources_and_each_output_that_cannot_be_shown(
        self, project: Project
    ) -> None:
        lines = project.tool("desertion", "build").splitlines()
        assert lines[-1] == "build/default/report.html is up to date"
        unsourced = [line for line in lines if line.endswith("no sources recorded: publish it with publish.figure")]
        assert len(unsourced) == 6
        assert unsourced[0].startswith(f"{NAME}, code cell {outputs.code_cell('a figure of matplotlib')}: ")
        for kind, what in (("a widget", "a widget"), ("JavaScript", "JavaScript"), ("HTML", "JavaScript"),
                           ("a chart of Plotly", "an interactive chart of Plotly"),
                           ("a type that nobody knows", "an output of the type application/x-own")):  # fmt: skip
            assert (
                f"{NAME}, code cell {outputs.code_cell(kind)}: {what} cannot be shown in the page and the PDF" in lines
            )


DRAWING = (
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])",
    "plt.rcdefaults()\nplt.figure()\nplt.hist([1, 2, 2])\nplt.show()",
    "fig",
)


@pytest.mark.slow
def test_a_plain_figure_is_the_same_svg_in_a_forked_kernel_as_in_an_ordinary_one(tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", *DRAWING)
    with Workers(1) as workers:
        for forked in (True, False):
            copy = tmp_path / f"{forked}.ipynb"
            for _, message in workers.run([Task("t", partial(run, path, copy, {}, forked=forked))]):
                if isinstance(message, Exception):
                    raise message
    assert (tmp_path / "True.ipynb").read_bytes() == (tmp_path / "False.ipynb").read_bytes()
    drawn = [
        cell for cell in nb.code_cells(nb.read(tmp_path / "True.ipynb")) if "image/svg+xml" in str(cell["outputs"])
    ]
    assert len(drawn) == 3
    assert "[<matplotlib.lines.Line2D>]" in str(drawn[0]["outputs"])


@pytest.mark.slow
def test_a_kernel_that_draws_nothing_does_not_import_matplotlib(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.ipynb", "import sys, desertion\n[name in sys.modules for name in ('matplotlib', 'pandas')]"
    )
    run(path, tmp_path / "out.ipynb", {})
    assert text(nb.code_cells(nb.read(tmp_path / "out.ipynb"))[1]) == "[False, False]"


@pytest.mark.slow
def test_a_cell_may_choose_another_format_and_an_empty_figure_needs_no_words(tmp_path: Path) -> None:
    chosen = (
        '%config InlineBackend.figure_format = "retina"\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()'
    )
    path = write(tmp_path / "t.ipynb", "import desertion", chosen, "plt.figure()")
    run(path, tmp_path / "out.ipynb", {})
    _, _, drawn, empty = nb.code_cells(nb.read(tmp_path / "out.ipynb"))
    (output,) = drawn["outputs"]
    assert output["data"].keys() == {"image/png", "text/plain"}
    assert output["metadata"]["image/png"].keys() == {"width", "height"}
    assert "image" not in str(empty["outputs"])


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
class TestAcceptRunsTwice:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Iterator[Clone]:
        clone = Clone(tmp_path / "clone")
        yield clone
        assert clone.processes() == {}

    @pytest.mark.parametrize(
        "source",
        ["import random\nrandom.random()", "print({'a', 'b', 'c', 'd', 'e', 'f', 'g'})", "print(object())",
         "import time\ntime.time_ns()"],
    )  # fmt: skip
    def test_a_cell_that_gives_other_outputs_is_named_and_nothing_is_written(self, source: str, clone: Clone) -> None:
        clone.notebook("02-b", "level", source)
        before = {path: path.read_bytes() for path in (clone.root / "notebooks").iterdir()}
        output = clone.build("-c", ACCEPT, status=1)
        line = source.splitlines()[0]
        assert f"notebooks/02-b.ipynb: code cell 3 (`{line}`) gives other outputs when it is run again" in output
        assert "nothing was accepted; usual causes: intervals of seaborn (errorbar=None, or seed=1), jitter" in output
        assert "code cell 2" not in output
        assert {path: path.read_bytes() for path in (clone.root / "notebooks").iterdir()} == before
        assert not (clone.root / "plots").exists()
        assert list((clone.root / "build").glob(".again-*")) == []

    @pytest.mark.slow
    def test_what_the_cache_holds_does_not_hide_a_difference(self, clone: Clone) -> None:
        clone.write(
            "src/desertion/trends.py",
            "import random\n\nclass Refused:\n    pass\n\ndef fit(x):\n    return random.random()\n",
        )
        clone.notebook("02-b", "from desertion import memo, trends\nmemo.recall(trends.fit, 1)")
        assert "code cell 2 (`from desertion import memo, trends`) gives other outputs" in clone.build(
            "-c", ACCEPT, status=1
        )

    @pytest.mark.slow
    def test_only_changed_notebooks_run_again(self, clone: Clone) -> None:
        first = clone.build("-c", ACCEPT)
        assert len(re.findall(r"^0[12]-[ab]  ran again in", first, re.MULTILINE)) == 2
        path = clone.root / "notebooks" / "02-b.ipynb"
        content = json.loads(path.read_text())
        content["cells"][-1]["source"] = "level + 1"
        path.write_text(json.dumps(content))
        assert re.findall(r"^(\S+)  ran again in", clone.build("-c", ACCEPT), re.MULTILINE) == ["02-b"]
        assert "ran" not in clone.build("-c", ACCEPT)
