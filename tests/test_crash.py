"""What a crash leaves: the last good page, no half output, no process, and the same bytes from the next build."""

import contextlib
import csv
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
from support.clone import PUBLISH, READ, Clone, wait_until
from support.notebooks import write

from desertion.engine import private, sweep
from desertion.engine.run import run
from desertion.engine.workers import Task
from desertion.errors import RunError, UserError
from desertion.project import ROOT

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
SLOW = "import time\nfor _ in range(4):\n    time.sleep(0.1)"
SWEEP = ("-m", "desertion", "sweep", "s.yml", "--jobs", "1")
TABLE = "build/sweeps/s-d86134a5/table.csv"


def content(clone: Clone) -> dict[str, bytes]:
    """All that a reader may take for finished."""
    names = clone.files() - {".lock", "build.json"}
    return {name: (clone.place / name).read_bytes() for name in names if not name.startswith(".new-")}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, dict[str, dict[str, bytes]]]]:
    """A clone with three quick notebooks, and what undisturbed builds of it make of two states of the data."""
    clone = Clone(tmp_path_factory.mktemp("crash") / "clone")
    clone.notebook("02-b", READ, SLOW, PUBLISH.format("b"))
    clone.notebook("03-c", READ, SLOW, "level")
    expected = {}
    for state in ("one", "other"):
        clone.write("data/figures.csv", f"{state}\n")
        clone.build()
        expected[state] = content(clone)
    assert expected["one"].keys() == expected["other"].keys()
    yield clone, expected
    assert clone.processes() == {}


@pytest.mark.parametrize("seed", range(40))
def test_a_process_killed_at_a_random_moment(seed: int, tiny: tuple[Clone, dict[str, dict[str, bytes]]]) -> None:
    clone, expected = tiny
    # Seeded, but for the speed of the machine: the kind of process and the moment.
    draw = random.Random(seed)
    what = ("build", "kernel", "worker")[seed % 3]
    state = ("one", "other")[(clone.root / "data" / "figures.csv").read_text() == "one\n"]
    clone.write("data/figures.csv", f"{state}\n")
    process = clone.start()
    began = time.monotonic()
    with contextlib.suppress(AssertionError):
        wait_until(lambda: what == "build" or clone.find(what) or process.poll() is not None, 20)
    time.sleep(draw.uniform(0, 1.6 if what == "build" else 0.9))
    victims = [process.pid] if what == "build" else clone.find(what)
    with contextlib.suppress(ProcessLookupError):
        os.kill(draw.choice(victims or [process.pid]), signal.SIGKILL)
    output = "".join(process.communicate(timeout=60))
    assert "Traceback" not in output, f"after {time.monotonic() - began:.2f} s"
    if process.returncode not in (0, -signal.SIGKILL):
        assert process.returncode == 1
        assert "notebooks/0" in output
        if what == "kernel":
            assert "code cell" in output or "the parameters" in output or "did not start" in output
        assert "is still the report of the last good build" in output
    wait_until(lambda: not clone.processes(), 5)
    now = content(clone)
    for name, made in now.items():
        if name.startswith(("notebooks/", "plots/", "report")):
            assert made in [one.get(name) for one in expected.values()], (
                f"{name} is neither the old one nor the new one"
            )
    assert "report.html" in now
    clone.build()
    assert content(clone) == expected[state], "the next build gives what an undisturbed one does"


@pytest.fixture(scope="module")
def tiny_sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, bytes]]:
    """A clone with a sweep of a quick notebook, and the table of an undisturbed one."""
    clone = Clone(tmp_path_factory.mktemp("crash") / "clone")
    words = "from desertion.sentences import say\nsay('s', 'Level {level}.', when='level > 0', level=level)"
    clone.notebook("02-b", READ, SLOW, words)
    clone.write("s.yml", "notebook: 02-b\ngrid: {level: [1, 2, 3, 4]}\n")
    clone.build(*SWEEP)
    yield clone, (clone.root / TABLE).read_bytes()
    assert clone.processes() == {}


@pytest.mark.parametrize("seed", range(24))
def test_a_process_of_a_sweep_killed_at_a_random_moment(seed: int, tiny_sweep: tuple[Clone, bytes]) -> None:
    clone, table = tiny_sweep
    draw = random.Random(seed)
    what = ("sweep", "kernel", "server", "worker")[seed % 4]
    shutil.rmtree(clone.root / "build")
    process = clone.start(*SWEEP)
    with contextlib.suppress(AssertionError):
        wait_until(lambda: what == "sweep" or clone.find(what) or process.poll() is not None, 20)
    time.sleep(draw.uniform(0, 6 if what == "sweep" else 3))
    victims = [process.pid] if what == "sweep" else clone.find(what)
    with contextlib.suppress(ProcessLookupError):
        os.kill(draw.choice(victims or [process.pid]), signal.SIGKILL)
    output = "".join(process.communicate(timeout=90))
    assert "Traceback" not in output
    wait_until(lambda: not clone.processes(), 5)
    failed = max(0, process.returncode - 10)
    assert process.returncode in (0, 11, 12, -signal.SIGKILL), output
    if process.returncode >= 0:
        with (clone.root / TABLE).open(newline="") as file:
            errors = [row["error"] for row in csv.DictReader(file) if row["error"]]
        assert len(errors) == failed, errors
    else:
        assert not (clone.root / TABLE).exists()
    clone.build(*SWEEP)
    assert (clone.root / TABLE).read_bytes() == table, "the next sweep gives the table of an undisturbed one"


def test_a_killed_sweep_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = Clone(tmp_path / "clone")
    running = clone.root / "running"
    clone.notebook("02-b", READ, "import time\nPath('../running').touch()\ntime.sleep(20)")
    clone.write("s.yml", "notebook: 02-b\ngrid: {level: [1, 2]}\n")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # a short path, which those of sockets need
        for variable in ("TMPDIR", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(variable, place)
        for victims in ("sweep",), ("sweep", "worker"):
            process = clone.start(*SWEEP)
            wait_until(running.exists, 60)
            running.unlink()
            for victim in [process.pid, *(clone.find("worker") if "worker" in victims else [])]:
                os.kill(victim, signal.SIGKILL)
            process.communicate(timeout=15)
            wait_until(lambda: not clone.processes(), 10)
            assert all(path.name.startswith("desertion-") for path in Path(place).iterdir())
            assert not list(Path(place).iterdir()) or "worker" in victims

        def swept() -> bool:
            private.remove_leftovers(clone.place)  # as the next build or sweep does
            return not list(Path(place).iterdir())

        wait_until(swept, 10)  # Linux may still be ending what was killed


@pytest.mark.parametrize(("command", "kind"), [(SWEEP, "server"), ((), "kernel")])
def test_what_starts_while_its_parent_is_killed_ends_too(command: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone")
    clone.notebook("02-b", READ, "import time\ntime.sleep(20)")
    clone.write("s.yml", "notebook: 02-b\ngrid: {level: [1, 2]}\n")
    prctl, subreaper = ctypes.CDLL(None).prctl, 36
    prctl(subreaper, 1)  # this process takes in orphans, as that of a session on a desktop does, and not process 1
    try:
        process = clone.start(*command)
        wait_until(lambda: clone.find(kind), 60)
        orphans = clone.find(kind)
        for orphan in orphans:  # within its first moments
            os.kill(orphan, signal.SIGSTOP)
        workers = clone.find("worker")
        for victim in [process.pid, *workers]:
            os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not clone.find("worker"), 10)
        for orphan in orphans:
            os.kill(orphan, signal.SIGCONT)
        process.communicate(timeout=15)
        wait_until(lambda: not clone.processes(), 10)
        for orphan in [*workers, *orphans]:
            os.waitpid(orphan, 0)
    finally:
        prctl(subreaper, 0)


@pytest.mark.parametrize("what", ["progress", "answer"])
def test_a_worker_whose_parent_dies_while_it_sends_prints_nothing(what: str, tmp_path: Path) -> None:
    notebook = partial(run, write(tmp_path / "t.ipynb", "1"), tmp_path / "out.ipynb", {}, failed=tmp_path / "f.ipynb")
    ours, theirs = Pipe()
    # As in the moment of the parent's death: sending fails already, while nothing more can be received yet.
    with socket.socket(fileno=os.dup(ours.fileno())) as end:
        end.shutdown(socket.SHUT_RD)
    worker = subprocess.Popen(
        [sys.executable, "-c", f"from desertion.engine.workers import work; work({theirs.fileno()})"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        pass_fds=[theirs.fileno()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    function = partial(sweep.run_set, sweep.Target(function="desertion.project.digest"), {"content": "a"}, "key")
    ours.send(Task(what, notebook if what == "progress" else function))
    ours.send("go")
    assert worker.communicate(timeout=60)[0] == ""
    assert worker.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Mounts a tmpfs of the size given at the clone's build folder; called again, it grows."""
    place = tmp_path / "clone" / "build"
    mounted = False

    def mount(size: str) -> None:
        nonlocal mounted
        place.mkdir(parents=True, exist_ok=True)
        option = f"remount,size={size}" if mounted else f"size={size}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", place], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("a tmpfs cannot be mounted here")
        mounted = True

    if shutil.which("mount") is None or os.getuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield mount
    if mounted:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_the_last_page_and_names_what_is_missing(
    tmp_path: Path, small_disk: Callable[[str], None]
) -> None:
    small_disk("256k")
    clone = Clone(tmp_path / "clone")
    clone.build()
    page = clone.report.read_bytes()
    clone.notebook("02-b", READ, "if out:\n    Path(out, 'large.csv').write_text('x' * 1_000_000)")
    output = clone.build(status=1)
    assert "notebooks/02-b.ipynb: code cell 3 of 3 failed" in output
    assert "No space left on device" in output
    assert clone.report.read_bytes() == page
    clone.notebook("02-b", READ, "print('x' * 200_000)")  # the run succeeds, its copy and the page are too large
    output = clone.build(status=1)
    assert "No space left on device" in output
    assert clone.report.read_bytes() == page
    small_disk("8m")
    clone.build()
    assert b"xxxx" in clone.report.read_bytes()
    assert not any(".part" in name or name.startswith(".new-") for name in clone.files())


def test_a_place_that_may_not_be_written_is_named_and_the_last_page_stays(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone")
    clone.build()
    page = clone.report.read_bytes()
    clone.write("data/figures.csv", "newer\n")
    folders = [clone.place, *(path for path in clone.place.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)

    def drop() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, with which root writes everywhere
            libc.prctl(24, capability, 0, 0, 0)

    process = clone.start(preexec_fn=drop)
    output = "".join(process.communicate(timeout=60))
    for folder in folders:
        folder.chmod(0o755)
    assert process.returncode == 1
    assert "build/default" in output
    assert "Permission denied" in output
    assert "Traceback" not in output
    assert clone.report.read_bytes() == page
    clone.build()
    assert b"newer" in clone.report.read_bytes()


def failure(tmp_path: Path, source: str, **kwargs: Any) -> str:
    path = write(tmp_path / "t.ipynb", source, "never = 1")
    with pytest.raises(RunError) as caught:
        run(path, tmp_path / "out.ipynb", {}, failed=tmp_path / "failed.ipynb", **kwargs)
    assert not (tmp_path / "out.ipynb").exists()
    assert isinstance(caught.value, UserError)
    return str(caught.value)


def test_a_hundred_megabytes_of_output_stop_the_run(tmp_path: Path) -> None:
    message = failure(tmp_path, "for _ in range(1000):\n    print('x' * 100_000)\nwhile True:\n    pass", timeout=60)
    assert "code cell 2 of 3 failed" in message
    assert "it put out more than 50 MB and was stopped" in message


def test_a_kernel_that_dies_after_its_last_cell_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", "import os, threading\nthreading.enumerate = lambda: os.kill(os.getpid(), 9)")
    with pytest.raises(RunError) as caught:
        run(path, tmp_path / "out.ipynb", {}, failed=tmp_path / "failed.ipynb")
    assert "code cell 2 of 2 failed" in str(caught.value)
    assert "the kernel was killed by SIGKILL" in str(caught.value)


def test_threads_left_running_are_named(tmp_path: Path) -> None:
    source = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60], name='counter', daemon=True).start()"
    )
    assert "left threads running, which may still change outputs: counter" in failure(tmp_path, source)
    quiet = "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()"
    run(write(tmp_path / "t.ipynb", quiet), tmp_path / "out.ipynb", {})
