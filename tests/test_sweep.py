"""Sweeps as a user meets them: the table, what a failure or a crash costs, and the same table from a cluster."""

import contextlib
import csv
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.clone import wait_until

from desertion.engine import cluster as cluster_module
from desertion.engine import receipt, sweep
from desertion.engine.workers import Task
from desertion.errors import UserError
from desertion.project import ROOT

SLOW = """
import os, time
from pathlib import Path
from desertion.errors import UserError
from desertion.project import ROOT

def square(x: int, wait: float = 0.0, plus: "int | None" = 0):
    with (ROOT / "calls").open("a") as file:
        file.write(f"{x}\\n")
    time.sleep(wait)
    if x == 3:
        raise UserError("three is too many")
    if x == 4:
        os.kill(os.getpid(), 9)
    return {"square": x * x + plus, "deep": {"half": x / 2}}

def odd(x):
    return [{}, {"text": "a\\rb\\ud800" + "long" * 50_000}, {}, (), None][x]
"""


class Clone:
    """A project with a function to sweep."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "src" / "desertion" / "slow.py").write_text(SLOW)
        self.table = root / "build" / "sweeps" / "s-d86134a5" / "table.csv"
        self.environment = os.environ | {"PYTHONPATH": str(root / "src")}

    def start(self, *options: str, **spec: Any) -> subprocess.Popen[str]:
        (self.root / "s.yml").write_text(yaml.safe_dump({"function": "desertion.slow.square"} | spec))
        command = [sys.executable, "-m", "desertion", "sweep", "s.yml", *options]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def sweep(self, *options: str, status: int = 0, **spec: Any) -> str:
        process = self.start(*options, **spec)
        output = "".join(process.communicate(timeout=120))
        assert process.returncode == status, output
        assert "Traceback" not in output
        return output

    def calls(self) -> list[str]:
        path = self.root / "calls"
        lines = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return sorted(lines)

    def rows(self) -> list[dict[str, str]]:
        with self.table.open(newline="") as file:
            return sweep._records(file)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.quick
def test_one_row_a_result_and_only_what_failed_is_tried_again(clone: Clone) -> None:
    output = clone.sweep(status=11, grid={"x": [1, 2, 3]}, parameters={"plus": 1})
    assert "FAILED: three is too many" in output
    assert output.splitlines()[:2] == ["build/sweeps/s-d86134a5/table.csv", "1 of 3 sets failed"]
    assert clone.table.read_text() == (
        "set,x,result,value,error\n1,1,square,2,\n1,1,deep: half,0.5,\n2,2,square,5,\n2,2,deep: half,1.0,\n"
        "3,3,,,three is too many\n"
    )
    assert clone.calls() == ["1", "2", "3"]
    clone.sweep(status=11, grid={"x": [2, 3, 5]}, parameters={"plus": 1})
    assert clone.calls() == ["3", "5"]
    assert [row["set"] + row["x"] for row in clone.rows()] == ["12", "12", "23", "35", "35"]
    source = clone.root / "src" / "desertion" / "slow.py"
    source.write_text(source.read_text() + "# changed\n")
    clone.sweep(list=[{"x": 2}, {"x": 5, "plus": 2}])
    assert clone.calls() == ["2", "5"], "results of another version of the package are not mixed in"
    assert [row["plus"] for row in clone.rows()] == ["", "", "2", "2"]
    assert len(list((clone.table.parent / "parts").iterdir())) == 2


def test_a_dead_worker_costs_its_own_set(clone: Clone) -> None:
    clone.sweep("--jobs", "2", status=11, grid={"x": [1, 4, 5, 6]})
    errors = {row["x"]: row["error"] for row in clone.rows()}
    assert "its worker process was killed" in errors.pop("4")
    assert set(errors.values()) == {""}
    assert set(errors) == {"1", "5", "6"}


def test_a_killed_sweep_goes_on_where_it_was(clone: Clone) -> None:
    grid = {"x": list(range(10, 22))}
    process = clone.start("--jobs", "2", grid=grid, parameters={"wait": 0.2})
    parts = clone.table.parent / "parts"
    wait_until(lambda: parts.exists() and len(list(parts.glob("*.csv"))) >= 3, 30)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    assert not clone.table.exists()
    done = len([path for path in parts.glob("*.csv") if not path.name.startswith(".")])
    clone.calls()
    clone.sweep("--jobs", "2", grid=grid, parameters={"wait": 0.2})
    assert len(clone.calls()) == 12 - done
    assert [row["x"] for row in clone.rows() if row["result"] == "square"] == [str(x) for x in grid["x"]]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"gird": {"x": [1]}}, "unknown key 'gird'"),
        ({}, "give either grid or list"),
        ({"grid": {"x": [1]}, "notebook": "03-trends"}, "give either notebook or function"),
        ({"grid": {"y": [1]}}, "has no parameter 'y': it has plus, wait, x"),
        ({"grid": {"x": [1], "wiat": [1]}}, "has no parameter 'wiat': did you mean 'wait'?"),
        ({"grid": {"plus": [1]}}, "needs x"),
        ({"grid": {"x": 1}}, "grid: x = 1: a list"),
        ({"grid": {"x": [1]}, "function": "os.system"}, "a function of the package"),
        ({"grid": {"x": [1]}, "function": "desertion.slow.cube"}, "there is no function"),
        ({"grid": {"x": [1]}, "function": "desertion.engine.preload.run_kernel"}, "a function of the package, as"),
        ({"grid": {"x": [1]}, "function": "desertion.text._x"}, "a function of the package, as"),
        ({"grid": {"x": [1]}, "parameters": False}, "parameters and grid are mappings"),
        ({"grid": {"x": list(range(1000)), "plus": list(range(101))}}, "101,000 sets: at most 100,000 in one sweep"),
        ({"grid": {"x": [1]}, "timeout": 0}, "timeout = 0"),
        ({"grid": {"x": [1]}, "timeout": 10**30}, "a number of seconds, from 1 to 604,800"),
        ({"grid": {"x": [1]}, "timeout": 5}, "timeout is for the runs of a notebook"),
        ({"grid": {"x": [1]}, "edition": "nowhere"}, "edition is for the runs of a notebook"),
        ({"grid": {"x": [1]}, "parameters": {"x": 2}}, "x stands in parameters and in grid"),
        ({"list": [{"x": 1}, {"plus": 2}]}, "set 2 of 2: desertion.slow.square needs x"),
        ({"list": [{"x": 1}, {"x": 1, "plu": 2}]}, "set 2 of 2: desertion.slow.square has no parameter 'plu'"),
        ({"grid": {"x": [1, "two"]}}, "set 2 of 2: x = 'two': must be a whole number"),
        ({"grid": {"x": [1, True]}}, "set 2 of 2: x = True: must be a whole number"),
        ({"grid": {"x": [1], "plus": [None, 0.5]}}, "set 2 of 2: plus = 0.5: must be a whole number or null"),
        ({"grid": {"then": ["2020-01-01"]}, "function": "desertion.text.day"}, "then = '2020-01-01': must be a date"),
        ({"grid": {"x": [1]}, "function": "desertion.errors.UserError"}, "is not a function of the package"),
        ({"grid": {"x": [1]}, "function": "desertion.slow.Path"}, "is not a function of the package"),
    ],
)
@pytest.mark.quick
def test_a_wrong_spec_is_named_before_anything_runs(spec: dict[str, Any], message: str, clone: Clone) -> None:
    assert message in clone.sweep(status=1, **spec)
    assert clone.calls() == []


def test_two_specs_of_one_name_keep_their_results_apart_and_one_spec_runs_once_at_a_time(clone: Clone) -> None:
    tables = []
    for folder, x in (("a", 5), ("b", 6)):
        (clone.root / folder).mkdir()
        (clone.root / folder / "s.yml").write_text(
            f"function: desertion.slow.square\ngrid: {{x: [{x}], wait: [1.5]}}\n"
        )
    command = [sys.executable, "-m", "desertion", "sweep", "--jobs", "1"]
    quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # The second sweep of a/s.yml waits for the first, then has nothing to do.
    started = []
    for spec in ("a/s.yml", "b/s.yml", "a/s.yml"):
        started.append(subprocess.Popen([*command, spec], cwd=clone.root, env=clone.environment, **quiet))
        time.sleep(0.3)
    warned = []
    for process in started:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        tables.append(out.splitlines()[0])
        warned += [line for line in err.splitlines() if "waiting" in line]
    assert tables[0] == tables[2] != tables[1]
    assert warned == ["another sweep of a/s.yml is running; waiting for it"]
    assert clone.calls() == ["5", "6"]
    assert "1,5,1.5,square,25," in (clone.root / tables[0]).read_text()
    assert "1,6,1.5,square,36," in (clone.root / tables[1]).read_text()


def test_results_that_are_empty_long_or_hold_odd_characters_are_a_table(clone: Clone) -> None:
    clone.sweep(function="desertion.slow.odd", grid={"x": [0, 1, 2, 3, 4]})
    rows = clone.rows()
    assert [(row["result"], row["value"]) for row in rows if row["x"] != "1"] == [("", "")] * 3 + [("value", "")]
    assert rows[1]["value"] == r"a\rb\ud800" + "long" * 50_000


def test_a_notebook_hands_on_the_values_of_its_sentences(tmp_path: Path) -> None:
    spec = tmp_path / "test-sweep.yml"
    spec.write_text("notebook: 03-trends\ngrid:\n  level: [0.9]\n")
    place = sweep.read(spec).place
    shutil.rmtree(place, ignore_errors=True)
    command = [sys.executable, "-m", "desertion", "sweep", str(spec)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    try:
        assert done.returncode == 0, done.stderr
        with (place / "table.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        good = {row["result"]: row["value"] for row in rows if row["level"] == "0.9"}
        assert float(good["awol-2021-2023: r.ratio"]) == pytest.approx(8.29, abs=0.01)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.mark.quick
def test_an_edition_that_there_is_not_is_named_with_the_spec(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yml"
    spec.write_text("notebook: 03-trends\nedition: 2024\ngrid: {level: [0.9]}\n")
    with pytest.raises(UserError, match=r"mine\.yml: edition: no edition '2024'"):
        sweep.read(spec)


def test_a_value_that_a_notebook_refuses_stops_the_sweep_before_its_first_set(tmp_path: Path) -> None:
    spec = tmp_path / "s.yml"
    spec.write_text("notebook: 03-trends\ngrid:\n  level: [0.9, 0.2]\n")
    with pytest.raises(UserError, match=r"s\.yml: set 2 of 2: 03-trends: level = 0\.2: must be more than 0\.5"):
        sweep.read(spec)


def test_a_data_file_that_a_notebook_does_not_declare_leaves_its_results_as_they_are() -> None:
    inputs = receipt.inputs("default", [])
    target = sweep.Target(notebook="03-trends", data={"figures.csv": "one"})
    base = sweep._base(target, inputs)
    assert sweep._base(target, inputs | {"data/context.csv": "other", "commit": "other"}) == base
    assert sweep._base(replace(target, data={"figures.csv": "other"}), inputs) != base
    assert sweep._base(target, inputs | {"requirements.lock": "other"}) != base


def test_a_machine_of_a_cluster_with_another_clone_runs_nothing_and_names_the_difference() -> None:
    version = cluster_module._version() | {"requirements.lock": "another"}
    rows = cluster_module._run_remotely(Task("key", dict), version, False)
    assert rows == [("", "", "this clone of the cluster differs from that of the sweep: requirements.lock")]


@contextlib.contextmanager
def cluster(root: Path, place: Path, workers: int = 2, threads: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """A scheduler and its workers on loopback, all of the clone at `root`: its address, and the workers."""
    if importlib.util.find_spec("distributed") is None:
        pytest.skip("dask.distributed is not installed")
    file = place / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(*command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(root / "src")}
        return subprocess.Popen([sys.executable, "-m", *command], cwd=root, env=environment, **quiet)

    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                      "--no-jupyter", "--scheduler-file", str(file))  # fmt: skip
    started = [scheduler]
    try:
        wait_until(lambda: file.exists() and file.read_text().strip().endswith("}"), 30)
        address = json.loads(file.read_text())["address"]
        for number in range(workers):
            options = ["--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--local-directory"]
            started.append(start("distributed.cli.dask_worker", address, *options, str(place / f"w{number}")))
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_table_though_a_worker_is_killed(clone: Clone, tmp_path: Path) -> None:
    spec: dict[str, Any] = {"grid": {"x": [1, 2, 3, *range(10, 26)]}, "parameters": {"wait": 0.3}}
    with cluster(clone.root, tmp_path) as (address, workers):
        process = clone.start("--scheduler", address, **spec)
        parts = clone.table.parent / "parts"
        wait_until(lambda: parts.exists() and len(list(parts.glob("*.csv"))) >= 4, 60)
        workers[0].kill()
        output = "".join(process.communicate(timeout=90))
    assert process.returncode == 11, output
    table = clone.table.read_bytes()
    shutil.rmtree(clone.root / "build")
    clone.sweep(status=11, **spec)
    assert clone.table.read_bytes() == table


@pytest.mark.slow
def test_a_worker_with_several_threads_runs_notebooks(tmp_path: Path) -> None:
    spec = tmp_path / "test-cluster.yml"
    spec.write_text("notebook: 04-comparisons\ngrid:\n  undated_lag_days: [30, 60, 90, 120]\n")
    place = sweep.read(spec).place
    tables = []
    try:
        with cluster(ROOT, tmp_path, workers=1, threads=2) as (address, _):
            for options in (["--scheduler", address], []):
                shutil.rmtree(place, ignore_errors=True)
                command = [sys.executable, "-m", "desertion", "sweep", str(spec), *options]
                environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
                done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=environment)
                assert done.returncode == 0, done.stdout + done.stderr
                tables.append((place / "table.csv").read_text())
    finally:
        shutil.rmtree(place, ignore_errors=True)
    assert tables[0] == tables[1]
    assert {row["undated_lag_days"] for row in csv.DictReader(tables[0].splitlines())} == {"30", "60", "90", "120"}


def test_a_port_that_accepts_and_never_answers_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match=rf"^--scheduler {address}: no scheduler answers there \(none of dask\)"):
            next(cluster_module.run([], address, lambda: None, False))


@pytest.mark.parametrize(
    "address",
    [
        "xyz",
        "tcp://..:5",
        "tcp://",
        "foo://a:1",
        "tcp://a b:1",
        "tcp://127.0.0.1:99999",
        "tls://127.0.0.1:1",
        "tcp://127.0.0.1:1",
    ],
)
def test_a_wrong_address_of_a_scheduler_is_one_line(address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(
        UserError, match=rf"^--scheduler {re.escape(address)}: (must be|TLS needs|no scheduler answers)"
    ):
        next(cluster_module.run([], address, lambda: None, False))
