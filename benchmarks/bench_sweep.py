"""Times of a sweep of one notebook beside papermill and beside forked function calls; in one run, whole-process times.

Run it from the project's root: `python benchmarks/bench_sweep.py [SETS] [NOTEBOOK]` (50 sets of 03-trends). With
`--keep` the sweep keeps the executed notebooks, so that it draws their plots as papermill does; without, it only checks
them, as for any sweep whose table alone is asked for. The sets differ in `assumed_dispersion`, so that all have the
same fits; with `--apart` they differ in `as_of`, so that hardly any fit is like another's.
`--grow [NOTEBOOK]` gives the time per set and the driver's memory at 10 to 2,000 sets of a function of the package or,
with a notebook, at 10 to 100 sets of it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion.project import BUILD, NOTEBOOKS, ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
EXECUTE = """
import json, sys, papermill
source, out, name, *values = sys.argv[1:]
for value in values:
    given = {name: json.loads(value)}
    papermill.execute_notebook(source, f"{out}/{given[name]}.ipynb", given, kernel_name="python3", progress_bar=False)
"""


def two_at_a_time(commands: list[list[str]]) -> float:
    start = time.perf_counter()
    running: list[subprocess.Popen[bytes]] = []
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for command in commands:
        while len(running) == 2:
            running = [process for process in running if process.poll() is None]
            time.sleep(0.01)
        running.append(subprocess.Popen([sys.executable, *command], cwd=NOTEBOOKS, env=ENVIRONMENT, **quiet))
    for process in running:
        process.wait()
    return time.perf_counter() - start


def remove(spec: Path) -> None:
    """Remove the results of the sweeps that are named as `spec` is."""
    for folder in (BUILD / "sweeps").glob(f"{spec.stem}-*"):
        shutil.rmtree(folder)


def desertion(path: Path) -> tuple[float, float]:
    """Seconds, and the most memory of the driver in MiB."""
    remove(path)
    start = time.perf_counter()
    command = [sys.executable, "-m", "desertion", "sweep", str(path)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the sweep failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def analysis(job: tuple[str, str, Any]) -> None:
    """The cells of the notebook as one function call."""
    stem, name, value = job
    names: dict[str, Any] = {}
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        for cell in nb.code_cells(nb.read(NOTEBOOKS / f"{stem}.ipynb")):
            exec(cell["source"], names)
            if "parameters" in cell["metadata"].get("tags", ()):
                names[name] = value


def forked(stem: str, name: str, values: list[Any]) -> float:
    start = time.perf_counter()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import desertion.engine.preload  # noqa: F401 — imports what notebooks need, for all calls

    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        pool.map(analysis, [(stem, name, value) for value in values], chunksize=1)
    return time.perf_counter() - start


def grow(place: Path, stem: str = "") -> None:
    """Print time and memory at growing numbers of sets; the time per set is that of the sets added."""
    before: tuple[int, float] | None = None
    for count in (10, 100) if stem else (10, 100, 1000, 2000):
        spec = place / f"bench-{count}.yml"
        if stem:
            spec.write_text(f"notebook: {stem}\ngrid: {{seed: {list(range(count))}}}\n")
        else:
            # A number of counts too large for any cache.
            values = list(range(100_000, 100_000 + count))
            spec.write_text(
                "function: desertion.trends.exact.rate_ratio\nparameters: {t1: 1, t2: 1, x2: 90000, midp: true}\n"
                f"grid: {{x1: {values}}}\n"
            )
        seconds, memory = desertion(spec)
        remove(spec)
        line = f"{count:5} sets  {seconds:.2f} s, driver {memory:.0f} MiB"
        if before:
            each = 1000 * (seconds - before[1]) / (count - before[0])
            line += f", {each:.1f} ms for each set after the first {before[0]}"
        print(line, flush=True)
        before = count, seconds


def main() -> None:
    """Print each time and its ratio to the sweep's."""
    numbers = [word for word in sys.argv[1:] if not word.startswith("-")]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if "--grow" in sys.argv:
            grow(place, *numbers)
            return
        count = int(numbers[0]) if numbers else 50
        stem = numbers[1] if len(numbers) > 1 else "03-trends"
        name, values = "assumed_dispersion", [10.0 + number for number in range(count)]
        if "--apart" in sys.argv:
            first = date(2024, 7, 1)
            name, values = "as_of", [(first + timedelta(days=14 * number)).isoformat() for number in range(count)]
        spec = place / "bench-notebook.yml"
        keep = "--keep" in sys.argv
        spec.write_text(f"notebook: {stem}\nkeep: {str(keep).lower()}\ngrid: {{{name}: {json.dumps(values)}}}\n")
        source = str(NOTEBOOKS / f"{stem}.ipynb")
        ours, _ = desertion(spec)
        print(f"desertion sweep, {count} sets of {stem}            {ours:.1f} s", flush=True)
        remove(spec)
        halves = [[*map(json.dumps, values[half::2])] for half in (0, 1)]
        execute = two_at_a_time([["-c", EXECUTE, source, folder, name, *half] for half in halves])
        print(
            f"papermill.execute_notebook in two processes  {execute:.1f} s, {execute / ours:.1f} times (at least 9)",
            flush=True,
        )
        command = ["-m", "papermill", source]
        tail = ["-k", "python3", "--no-progress-bar", "-p", name]
        line = two_at_a_time([[*command, f"{folder}/{value}.ipynb", *tail, str(value)] for value in values])
        print(
            f"papermill command line, two at a time        {line:.1f} s, {line / ours:.1f} times (at least 9)",
            flush=True,
        )
        calls = forked(stem, name, values)
        print(f"forked function calls                        {calls:.1f} s, {ours / calls:.2f} of it (at most 2.5)")


if __name__ == "__main__":
    main()
