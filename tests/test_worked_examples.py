"""The worked examples of README.md and CONTRIBUTING.md are run as they stand, in a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from desertion.project import ROOT

README, CONTRIBUTING = "README.md", "CONTRIBUTING.md"
#: Commands that are not run here: what each does is tested elsewhere, or needs what a test has not.
ELSEWHERE = {
    "make test": "runs this very test",
    "make lab": "tests/test_jupyterlab.py",
    "conda env create -f environment.yml": "needs conda; tests/test_environment.py compares the file with the lock",
    "conda activate desertion": "needs conda",
}


def blocks(name: str, language: str = "sh") -> list[tuple[str, str]]:
    """Heading and content of each fenced block in a document."""
    found, heading = [], ""
    for match in re.finditer(
        rf"^## (?P<heading>[^\n]+)$|^```{language}\n(?P<block>.*?)^```$",
        (ROOT / name).read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    ):
        heading = match["heading"] or heading
        if match["block"]:
            found.append((heading, match["block"]))
    return found


def commands(block: str) -> list[str]:
    """The commands of a block, without comments and without those that are tested elsewhere."""
    lines = (re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and line not in ELSEWHERE]


#: What `make accept` notes of the notebooks whose outputs it stores.
LOCK = "notebooks/outputs.lock"


class Copy:
    """A copy of the project under git, in which the commands of the documents run with this Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
        for name in filter(None, tracked):
            if (ROOT / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-qm", "All"]):
            subprocess.run(["git", *command], cwd=root, check=True)

    def run(self, command: str) -> str:
        """Run a line of a document; what it printed."""
        python = shlex.quote(sys.executable)
        command = re.sub(r"^make\b", f"make PYTHON={python}", command.replace('PYTHON="$(which python)"', ""))
        command = command.replace(".venv/bin/desertion", f"{python} -m desertion")
        done = subprocess.run(
            command, shell=True, cwd=self.root, text=True, capture_output=True, check=False,
            env=os.environ | {"PYTHONPATH": str(self.root / "src")},
        )  # fmt: skip
        good = (0, 3) if " diff " in command else (0,)  # 3: the two states differ
        assert done.returncode in good, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def changed(self) -> set[str]:
        lines = self.run("git status --short").splitlines()
        return {line[3:] for line in lines}

    def page(self) -> str:
        return (self.root / "build" / "default" / "report.html").read_text(encoding="utf-8")

    def reset(self) -> None:
        self.run("git checkout -q . && git clean -fdq")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("worked") / "project")
    copy.run("make")
    return copy


@pytest.fixture
def project(built: Copy) -> Iterator[Copy]:
    yield built
    built.reset()


def an_edited_cell(project: Copy) -> None:
    notebook = "notebooks/04-comparisons.ipynb"
    project.edit(notebook, '\\"authorised strength\\": \\"strength/', '\\"strength by decree\\": \\"strength/')
    run, make, accept, diff = map(project.run, commands(dict(blocks(CONTRIBUTING))["Edit a cell"]))
    assert "build/runs/04-comparisons.ipynb" in run
    assert "04-comparisons" in make
    assert "03-trends" not in make
    assert "notebooks/04-comparisons.ipynb" in accept
    assert notebook in diff
    own = (notebook, LOCK, "plots/plots.lock", "plots/deployed_rate")
    assert all(name.startswith(own) for name in project.changed())


def a_new_row(project: Copy) -> None:
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for name, row in zip(
        ("sources", "compilers", "figures"), re.findall(r"```\n\s*(.+)\n\s*```", text)[:3], strict=True
    ):
        with (project.root / "data" / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    _, check, make, _, diff = map(project.run, commands(dict(blocks(CONTRIBUTING))["Add a row"]))
    assert "no faults" in check
    assert "report.html is new" in make
    assert "example.org/awol" in project.page()
    assert "data/figures.csv" in diff
    assert {"data/figures.csv", "data/sources.csv", "data/compilers.csv"} <= project.changed()


def a_new_notebook(project: Copy) -> None:
    project.run("make")  # an example before this one may have left a build of other rows
    new, make, accept = map(project.run, commands(dict(blocks(CONTRIBUTING))["Add a notebook with a plot"]))
    assert new == "notebooks/09-by-region.ipynb\n"
    assert "09-by-region" in make
    assert "03-trends" not in make
    assert "By region?" in project.page()
    assert "notebooks/09-by-region.ipynb" in accept
    plot = {"plots/plots.lock", *(f"plots/by_region_cases.{kind}" for kind in ("svg", "csv", "json"))}
    assert project.changed() == {new.strip(), LOCK, *plot}
    project.run(f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider --nbval {new.strip()}")


def a_new_plot(project: Copy) -> None:
    path = project.root / "notebooks" / "04-comparisons.ipynb"
    content = nbformat.read(path, as_version=4)
    ((_, source),) = blocks(CONTRIBUTING, "python")
    content.cells.append(nbformat.v4.new_code_cell(source, id="persons"))
    nbformat.write(content, path)
    make, accept = map(project.run, commands(dict(blocks(CONTRIBUTING))["Add a plot"]))
    assert "04-comparisons" in make
    assert "persons convicted of absence without leave (Art. 337)" in project.page()
    assert "plots/persons_by_year: new (.csv .json .svg)" in accept
    files = {f"plots/persons_by_year.{kind}" for kind in ("svg", "csv", "json")}
    assert project.changed() == {"notebooks/04-comparisons.ipynb", LOCK, "plots/plots.lock", *files}


def the_command_line(project: Copy) -> None:
    """The list of commands of README.md, with the files that it names."""
    rows = "".join(f"20{year}-01-01,20{year}-12-31,{100 + 9 * year % 40}\n" for year in range(10, 24))
    (project.root / "counts.csv").write_text("period_start,period_end,value\n" + rows)
    ((_, spec),) = blocks(README, "yaml")
    (project.root / "SPEC.yml").write_text(spec)
    listed = next(block for _, block in blocks(README) if "rate-ratio" in block)
    for command in commands(listed):
        assert project.run(command), command
    assert list((project.root / "build" / "sweeps").glob("SPEC*/table.csv"))


EXAMPLES: dict[tuple[str, str], Callable[[Copy], None] | None] = {
    (CONTRIBUTING, "Edit a cell"): an_edited_cell,
    (CONTRIBUTING, "Add a row"): a_new_row,
    (CONTRIBUTING, "Add a notebook with a plot"): a_new_notebook,
    (CONTRIBUTING, "Add a plot"): a_new_plot,
    (README, "Two commands"): None,  # the commands of the other examples
    (README, "Other ways in"): None,  # test_the_lines_for_conda_make_a_kernel_that_finds_the_package
    (README, "On the command line"): the_command_line,
}


def test_every_block_of_commands_is_run_by_a_test() -> None:
    there = {(name, heading) for name in (README, CONTRIBUTING) for heading, _ in blocks(name)}
    assert there == EXAMPLES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("example", [one for one in EXAMPLES.values() if one], ids=lambda one: one.__name__)
def test_a_worked_example_does_what_the_document_says(example: Callable[[Copy], None], project: Copy) -> None:
    example(project)


@pytest.mark.slow
def test_the_lines_for_conda_make_a_kernel_that_finds_the_package(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "project")
    own = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(own)], check=True)
    # The packages of this Python stand for those that conda would install from the lock.
    packages = next(own.glob("lib/python*/site-packages"))
    (packages / "lock.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (block,) = [block for _, block in blocks(README) if "conda" in block]
    path = f"{own / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
    *first, make = commands(block)
    assert make == 'make PYTHON="$(which python)"'
    check = 'make check PYTHON="$(which python)"'
    execute = f"python -m nbconvert --to notebook --execute --output-dir {tmp_path} notebooks/02-claims.ipynb"
    for command, folder in [*((one, copy.root) for one in first), (check, copy.root), (execute, copy.root)]:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    where = "import desertion, sys; sys.exit(not desertion.__file__.startswith(sys.argv[1]))"
    subprocess.run(
        [str(own / "bin" / "python"), "-c", where, str(copy.root)], cwd=tmp_path, env=environment, check=True
    )
    assert (tmp_path / "02-claims.ipynb").is_file()
