"""Sweeps as a user meets them: the table, what a failure or a crash costs, and the same table from a cluster."""

import contextlib
import csv
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.clone import wait_until

from desertion.engine import receipt, sweep
from desertion.engine.workers import Task
from desertion.project import ROOT

SLOW = """
import os, time
from pathlib import Path
from desertion.errors import UserError
from desertion.project import ROOT

def square(x, wait=0.0, plus=0):
    with (ROOT / "calls").open("a") as file:
        file.write(f"{x}\\n")
    time.sleep(wait)
    if x == 3:
        raise UserError("three is too many")
    if x == 4:
        os.kill(os.getpid(), 9)
    return {"square": x * x + plus, "deep": {"half": x / 2}}
"""


class Clone:
    """A project with a function to sweep."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "src" / "desertion" / "slow.py").write_text(SLOW)
        self.table = root / "build" / "sweeps" / "s" / "table.csv"
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
            return list(csv.DictReader(file))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.quick
def test_one_row_a_result_and_only_what_failed_is_tried_again(clone: Clone) -> None:
    output = clone.sweep(status=11, grid={"x": [1, 2, 3]}, parameters={"plus": 1})
    assert "FAILED: three is too many" in output
    assert output.splitlines()[:2] == ["build/sweeps/s/table.csv", "1 of 3 sets failed"]
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
        ({"grid": {"x": [1]}, "timeout": 0}, "timeout = 0"),
    ],
)
@pytest.mark.quick
def test_a_wrong_spec_is_named_before_anything_runs(spec: dict[str, Any], message: str, clone: Clone) -> None:
    assert message in clone.sweep(status=1, **spec)
    assert clone.calls() == []


def test_a_notebook_hands_on_the_values_of_its_sentences(tmp_path: Path) -> None:
    spec = tmp_path / "test-sweep.yml"
    place = ROOT / "build" / "sweeps" / "test-sweep"
    shutil.rmtree(place, ignore_errors=True)
    spec.write_text("notebook: 03-trends\ngrid:\n  level: [0.9, 0.2]\n")
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
        assert done.returncode == 11, done.stderr
        with (place / "table.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        good = {row["result"]: row["value"] for row in rows if row["level"] == "0.9"}
        assert float(good["awol-2021-2023: r.ratio"]) == pytest.approx(8.29, abs=0.01)
        assert "level = 0.2: must be more than 0.5" in rows[-1]["error"]
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_a_data_file_that_a_notebook_does_not_declare_leaves_its_results_as_they_are() -> None:
    inputs = receipt.inputs("default", [])
    target = sweep.Target(notebook="03-trends", data={"figures.csv": "one"})
    base = sweep._base(target, inputs)
    assert sweep._base(target, inputs | {"data/context.csv": "other", "commit": "other"}) == base
    assert sweep._base(replace(target, data={"figures.csv": "other"}), inputs) != base
    assert sweep._base(target, inputs | {"requirements.lock": "other"}) != base


def test_a_machine_of_a_cluster_with_another_clone_runs_nothing_and_names_the_difference() -> None:
    version = sweep._version() | {"requirements.lock": "another"}
    rows = sweep._run_remotely(Task("key", dict), version, False)
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
    place = ROOT / "build" / "sweeps" / "test-cluster"
    spec.write_text("notebook: 04-comparisons\ngrid:\n  undated_lag_days: [30, 60, 90, 120]\n")
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
