"""Warm kernels: the same bytes as ordinary ones, nothing passes from one to the next, and when none is forked."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clone import READ, Clone, wait_until
from support.notebooks import text, write

from desertion import memo
from desertion import notebook as nb
from desertion.engine.run import run
from desertion.engine.surroundings import environment
from desertion.engine.zygote import Forked, ForkRefusedError, Zygote
from desertion.errors import RunError
from desertion.project import NOTEBOOKS, ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Zygote(environment(Path(os.devnull))) as address:
        yield address


@pytest.fixture(autouse=True)
def same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest changes PYTEST_CURRENT_TEST all the time, and a changed environment gets no warm kernel."""
    started = environment(Path(os.devnull))

    def steady(folder: Path) -> dict[str, str]:
        now = environment(folder)
        now.pop("PYTEST_CURRENT_TEST", None)
        return now

    assert started
    monkeypatch.setattr("desertion.engine.kernel.environment", steady)


@pytest.fixture(scope="module", autouse=True)
def nothing_of_pytest() -> Iterator[None]:
    """The zygote of these tests starts without it too."""
    name = os.environ.pop("PYTEST_CURRENT_TEST", None)
    yield
    os.environ["PYTEST_CURRENT_TEST"] = name or "teardown"


def printed(path: Path) -> list[str]:
    return [text(cell) for cell in nb.code_cells(nb.read(path))]


@pytest.mark.parametrize("stem", [path.stem for path in nb.paths()])
def test_a_notebook_gives_the_same_bytes_warm_and_cold(
    stem: str, address: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = []
    # the second warm run finds fits and pictures that the first one kept
    for name, zygote in (("warm", address), ("again", address), ("cold", "")):
        out = tmp_path / "out"
        out.mkdir()
        run(NOTEBOOKS / f"{stem}.ipynb", tmp_path / f"{name}.ipynb", {"out": str(out)}, zygote=zygote)
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
        out.rename(tmp_path / name)
    assert made[0] == made[1] == made[2]
    assert len({(tmp_path / f"{name}.ipynb").read_bytes() for name in ("warm", "again", "cold")}) == 1
    assert any(memo.FOLDER.glob("*/*"))
    assert "cold" not in capfd.readouterr().err, "the warm run was one"


def test_nothing_passes_from_one_run_to_the_next(address: str, tmp_path: Path) -> None:
    change = (
        "import os, sys, random, numpy as np, pandas as pd, matplotlib as mpl, desertion\n"
        "os.environ['LEAK'] = '1'; os.chdir('/'); sys.path.append('leak'); mpl.rcParams['font.size'] = 99\n"
        "pd.set_option('display.precision', 1); desertion.leak = 1; np.random.seed(1); random.seed(1)\n"
        "np.seterr(all='ignore'); globals()['leak'] = 1"
    )
    look = (
        "import os, sys, numpy as np, pandas as pd, matplotlib as mpl, desertion\n"
        "print('LEAK' in os.environ, os.getcwd(), 'leak' in sys.path, mpl.rcParams['font.size'],\n"
        "      pd.get_option('display.precision'), hasattr(desertion, 'leak'), np.geterr(), 'leak' in globals(),\n"
        "      pd.get_option('display.max_columns'), mpl.get_backend(), sys.argv[0])"
    )
    run(write(tmp_path / "a.ipynb", look), tmp_path / "cold.ipynb", {})
    run(write(tmp_path / "b.ipynb", change), tmp_path / "b-out.ipynb", {}, zygote=address)
    run(write(tmp_path / "a.ipynb", look), tmp_path / "warm.ipynb", {}, zygote=address)
    assert printed(tmp_path / "warm.ipynb") == printed(tmp_path / "cold.ipynb")
    draw = "import random, numpy as np\nprint(random.random(), np.random.random())"
    for name in ("one", "other"):
        run(write(tmp_path / "c.ipynb", draw), tmp_path / f"{name}.ipynb", {}, zygote=address)
    assert printed(tmp_path / "one.ipynb") != printed(tmp_path / "other.ipynb"), "the state was not copied"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", "the kernel was killed by SIGKILL"),
        ("import os; os._exit(3)", "the kernel ended with status 3"),
        ("import sys; sys.exit(0)", "must not end the notebook"),
        ("while True:\n    pass", "it ran longer than 2 s"),
        ("input()", "StdinNotImplementedError"),
    ],
)
def test_a_warm_kernel_fails_as_an_ordinary_one(source: str, said: str, address: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", source)
    with pytest.raises(RunError, match=said):
        run(path, tmp_path / "out.ipynb", {}, timeout=2, failed=tmp_path / "failed.ipynb", zygote=address)


def test_a_changed_environment_gets_an_ordinary_kernel(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ForkRefusedError, match=r"ANSWER.* changed in the environment"):
        Forked(address, ["-f", "k.json"], environment(tmp_path) | {"ANSWER": "42"}, "/")
    monkeypatch.setenv("ANSWER", "42")
    run(write(tmp_path / "t.ipynb", "import os; print(os.environ['ANSWER'])"), tmp_path / "o.ipynb", {}, zygote=address)
    assert printed(tmp_path / "o.ipynb")[-1] == "42\n"


def test_without_a_zygote_at_the_address_the_kernel_is_ordinary_and_a_line_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(write(tmp_path / "t.ipynb", "1"), tmp_path / "out.ipynb", {}, zygote="desertion-0-nobody")
    assert "kernels start cold: the warm process does not answer" in capfd.readouterr().err


def test_elsewhere_kernels_start_cold_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with Zygote({}) as address:
        assert address == ""
    assert "kernels start cold: forking them is not safe on darwin" in capfd.readouterr().err


def test_it_ends_with_its_owner_even_by_kill() -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from desertion.engine.zygote import Zygote;"
        "from desertion.engine.surroundings import environment;"
        "z = Zygote(environment(Path(os.devnull))); z.__enter__();"
        "print(z._process.pid, flush=True); time.sleep(60)"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env) as owner:
        assert owner.stdout is not None
        zygote = Path(f"/proc/{owner.stdout.readline().strip()}")
        assert zygote.exists()
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not zygote.exists() or ") Z " in (zygote / "stat").read_text(), 5)


class TestInABuild:
    @pytest.mark.parametrize(
        ("room", "content", "why"),
        [
            ("extra", "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()",
             "2 threads run in the warm process"),
            ("extra", "1 / 0", "desertion.extra cannot be imported (ZeroDivisionError: division by zero)"),
        ],
    )  # fmt: skip
    def test_where_a_fork_is_not_safe_one_line_says_so_and_the_build_goes_on(
        self, room: str, content: str, why: str, tmp_path: Path
    ) -> None:
        clone = Clone(tmp_path / "clone")
        clone.write(f"src/desertion/{room}.py", content)
        output = clone.build()
        assert output.count(f"kernels start cold: {why}") == 1
        assert "build/default/report.html is new" in output

    def test_cold_starts_no_zygote_and_makes_the_same_page(self, tmp_path: Path) -> None:
        clone = Clone(tmp_path / "clone")
        clone.build("-m", "desertion", "build", "--cold")
        page = clone.report.read_bytes()
        (clone.place / "build.json").unlink()
        clone.build()
        assert clone.report.read_bytes() == page

    def test_a_package_that_changes_while_it_runs_is_not_forked_stale(self, tmp_path: Path) -> None:
        clone = Clone(tmp_path / "clone")
        change = "from pathlib import Path\nPath('../src/desertion/hedges.py').write_text('NEW = 1')"
        (clone.root / "notebooks" / "01-a.ipynb").unlink()
        clone.notebook("02-b", READ, change)
        clone.notebook("03-c", READ, "from desertion import hedges\nhedges.NEW")
        output = clone.build("-m", "desertion", "build", "--jobs", "1")
        assert "kernels start cold: the package or the lock changed while the build ran" in output
