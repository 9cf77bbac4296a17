"""Forked kernels: the same bytes as ordinary ones, nothing passes from one to the next, and when none is forked."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.clone import READ, Clone, wait_until
from support.notebooks import text, write

from desertion import notebook as nb
from desertion.engine.kernel import Kernel
from desertion.engine.run import run
from desertion.engine.surroundings import environment
from desertion.engine.workers import Answer, Task, Workers
from desertion.errors import RunError
from desertion.project import DATA, NOTEBOOKS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
LONG = {"01-figures", "03-trends", "04-comparisons", "05-sensitivity", "08-checks"}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(1) as workers:
        yield workers


def fork(workers: Workers, notebook: Path, output: Path, parameters: dict[str, Any] | None = None, **how: Any) -> None:
    """Run a notebook in a forked kernel."""
    failed = output.with_name("failed.ipynb")
    task = Task("t", partial(run, notebook, output, parameters or {}, forked=True, failed=failed, **how))
    for _, message in workers.run([task]):
        if isinstance(message, Exception):
            raise message
    assert isinstance(message, Answer)


def printed(path: Path) -> list[str]:
    return [text(cell) for cell in nb.code_cells(nb.read(path))]


STEMS = [path.stem for path in nb.paths()]


@pytest.mark.parametrize("stem", [pytest.param(stem, marks=[pytest.mark.slow] * (stem in LONG)) for stem in STEMS])
def test_a_notebook_gives_the_same_bytes_in_a_forked_and_in_an_ordinary_kernel(
    stem: str, workers: Workers, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = []
    for name in ("forked", "ordinary"):
        out = tmp_path / "out"
        out.mkdir()
        source, copy = NOTEBOOKS / f"{stem}.ipynb", tmp_path / f"{name}.ipynb"
        if name == "forked":
            fork(workers, source, copy, {"out": str(out)})
        else:
            run(source, copy, {"out": str(out)})
        made.append({path.name: path.read_bytes() for path in out.iterdir()} | {"copy": copy.read_bytes()})
        out.rename(tmp_path / name)
    assert made[0] == made[1]
    assert "not forked" not in capfd.readouterr().err


def test_nothing_passes_from_one_run_to_the_next(workers: Workers, tmp_path: Path) -> None:
    change = (
        "import os, sys, random, numpy as np, pandas as pd, matplotlib as mpl, desertion\n"
        "os.environ['LEAK'] = '1'; os.chdir('/'); sys.path.append('leak'); mpl.rcParams['font.size'] = 99\n"
        "pd.set_option('display.precision', 1); desertion.leak = 1; np.random.seed(1); random.seed(1)\n"
        "np.seterr(all='ignore'); globals()['leak'] = 1"
    )
    look = (
        "import os, sys, multiprocessing, numpy as np, pandas as pd, matplotlib as mpl, desertion\n"
        "print('LEAK' in os.environ, os.getcwd(), sys.path, mpl.rcParams['font.size'],\n"
        "      pd.get_option('display.precision'), hasattr(desertion, 'leak'), np.geterr(), 'leak' in globals(),\n"
        "      pd.get_option('display.max_columns'), mpl.get_backend(), sys.argv[0], sys.flags.safe_path,\n"
        "      multiprocessing.get_start_method())"
    )
    run(write(tmp_path / "a.ipynb", look), tmp_path / "ordinary.ipynb", {})
    fork(workers, write(tmp_path / "b.ipynb", change), tmp_path / "b-out.ipynb")
    fork(workers, write(tmp_path / "a.ipynb", look), tmp_path / "forked.ipynb")
    assert printed(tmp_path / "forked.ipynb") == printed(tmp_path / "ordinary.ipynb")
    draw = "import random, numpy as np\nprint(random.random(), np.random.random())"
    for name in ("one", "other"):
        fork(workers, write(tmp_path / "c.ipynb", draw), tmp_path / f"{name}.ipynb")
    assert printed(tmp_path / "one.ipynb") != printed(tmp_path / "other.ipynb"), "the random state was not copied"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os; os.kill(os.getpid(), 9)", "the kernel was killed by SIGKILL"),
        ("import os; os._exit(3)", "the kernel ended with status 3"),
        ("import sys; sys.exit(0)", "must not end the notebook"),
        ("while True:\n    pass", "it ran longer than 2 s"),
        ("input()", "StdinNotImplementedError"),
    ],
)
def test_a_forked_kernel_fails_as_an_ordinary_one(source: str, message: str, workers: Workers, tmp_path: Path) -> None:
    most = 2 if "while" in source else 120
    with pytest.raises(RunError, match=message):
        fork(workers, write(tmp_path / "t.ipynb", source), tmp_path / "out.ipynb", timeout=most)


def test_a_data_file_that_is_not_declared_cannot_be_read(workers: Workers, tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", f"open({str(DATA / 'context.csv')!r})")
    fork(workers, path, tmp_path / "out.ipynb", data={"context.csv": ""})
    with pytest.raises(RunError, match=r"UserError: data/context.csv is not declared"):
        fork(workers, path, tmp_path / "out.ipynb", data={"figures.csv": ""})


def test_a_kernel_is_killed_with_all_that_it_started(workers: Workers, tmp_path: Path) -> None:
    source = "import subprocess\nprint(subprocess.Popen(['sleep', '60']).pid)"
    fork(workers, write(tmp_path / "t.ipynb", source), tmp_path / "out.ipynb")
    stat = Path("/proc", printed(tmp_path / "out.ipynb")[-1].strip(), "stat")
    wait_until(lambda: not stat.exists() or ") Z " in stat.read_text(), 5)


def test_a_changed_environment_gets_an_ordinary_kernel_and_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", "import os; print(os.environ.get('ANSWER'))")
    code = (
        "import os; from pathlib import Path; from desertion.engine.run import run\n"
        f"for name in ('1', '2', '3'):\n    run(Path({str(path)!r}), Path(name), {{}}, forked=True)\n"
        "    os.environ['ANSWER'] = '42'"
    )
    command, env = [sys.executable, "-P", "-c", code], environment(tmp_path)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == "kernels are started, not forked: ANSWER changed in the environment\n"
    assert [printed(tmp_path / name)[-1] for name in "123"] == ["None\n", "42\n", "42\n"]


def test_elsewhere_than_on_linux_kernels_are_ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Kernel.of(Path("/"), Path("/"), forked=True).forked
    monkeypatch.setattr("sys.platform", "darwin")
    assert not Kernel.of(Path("/"), Path("/"), forked=True).forked


@pytest.mark.parametrize(("count", "forked"), [(4, True), (3, False)])
def test_a_build_forks_the_kernels_of_many_notebooks_and_starts_those_of_few(
    count: int, forked: bool, tmp_path: Path
) -> None:
    clone = Clone(tmp_path / "clone")
    for number in range(1, count + 1):
        stem = {1: "01-a", 2: "02-b"}.get(number, f"{number:02d}-n")
        clone.notebook(stem, READ, "import sys; print('desertion.engine.preload' in sys.modules)")
    assert len(clone.ran("-m", "desertion", "build", "--jobs", "2")) == count
    copies = sorted((clone.place / "notebooks").glob("*.ipynb"))
    assert [printed(copy)[-1] for copy in copies] == [f"{forked}\n"] * count
    wait_until(lambda: not clone.processes(), 5)


class TestInASweep:
    SWEEP = ("-m", "desertion", "sweep", "s.yml", "--jobs", "1")

    @pytest.fixture
    def clone(self, tmp_path: Path) -> Iterator[Clone]:
        clone = Clone(tmp_path / "clone")
        clone.write("s.yml", "notebook: 02-b\ngrid: {level: [1, 2]}\n")
        yield clone
        assert clone.processes() == {}

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (
                "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()",
                "2 threads run in the process to fork",
            ),
            ("1 / 0", "desertion.extra cannot be imported (ZeroDivisionError: division by zero)"),
        ],
    )
    def test_where_a_fork_is_not_safe_kernels_are_ordinary_and_one_line_gives_the_reason(
        self, content: str, reason: str, clone: Clone
    ) -> None:
        clone.write("src/desertion/extra.py", content)
        assert clone.build(*self.SWEEP).count(f"kernels are started, not forked: {reason}") == 1

    def test_a_package_that_changes_while_the_sweep_runs_is_not_used_as_it_was(self, clone: Clone) -> None:
        change = "if level == 1:\n    Path('../src/desertion/vocabulary.py').write_text('NEW = 1')"
        look = (
            "from desertion import vocabulary\nassert hasattr(vocabulary, 'NEW') == (level == 2), vocabulary.__file__"
        )
        clone.notebook("02-b", READ, look, change)
        output = clone.build(*self.SWEEP)
        assert "kernels are started, not forked: the package or the lock changed while notebooks ran" in output
