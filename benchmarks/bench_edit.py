"""Times of an analyst's loop: Run All in an ordinary kernel with the cache of fits and without, and one edited cell.

Run it from the project's root: `python benchmarks/bench_edit.py`. Whole-process times in one run, kernel start
included; `notebooks/` is put back as it was.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from desertion.project import BUILD, NOTEBOOKS, ROOT

RUNS = 5
#: Nothing here may look like a test or like CI, where the cache is off.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
ENVIRONMENT |= {"PYTHONPATH": str(ROOT / "src")}
RUN_ALL = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": sys.argv[2]}}).execute()
"""
BUILD_COMMAND = ("-m", "desertion", "build")


def timed(*command: str, **environment: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, env=ENVIRONMENT | environment, check=True, capture_output=True)
    return time.perf_counter() - start


def run_all(notebook: Path, **environment: str) -> float:
    """Seconds of every cell of `notebook` run in turn in a kernel of its own, as JupyterLab's Run All does."""
    return timed("-c", RUN_ALL, str(notebook), str(NOTEBOOKS), **environment)


def edited(content: bytes) -> bytes:
    """The notebook with another literal in its last code cell: one line more, which changes no output."""
    notebook = json.loads(content)
    cell = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][-1]
    cell["source"] = ["unused = 1\n", *cell["source"]]
    return json.dumps(notebook).encode()


def main() -> None:
    """Print each time, its ratio to what it is compared with, and the aim."""
    shutil.rmtree(BUILD / "memo", ignore_errors=True)
    timed(*BUILD_COMMAND)
    for stem in ("03-trends", "05-sensitivity", "08-checks"):
        path = NOTEBOOKS / f"{stem}.ipynb"
        pairs = [(run_all(path), run_all(path, DESERTION_MEMO="off")) for _ in range(RUNS)]
        kept, anew = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"Run All of {stem:14} {kept:5.2f} s with the cache of fits, {anew:5.2f} s without, ratio {ratio:.2f}")
    full = []
    for _ in range(RUNS):
        shutil.rmtree(BUILD, ignore_errors=True)
        full.append(timed(*BUILD_COMMAND))
    whole = statistics.median(full)
    print(f"full build               {whole:5.2f} s")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        before = path.read_bytes()
        try:
            path.write_bytes(edited(before))
            edit = timed(*BUILD_COMMAND)
        finally:
            path.write_bytes(before)
        timed(*BUILD_COMMAND)
        print(f"one edited cell of {path.stem:14} {edit:5.2f} s, {edit / whole:.2f} of a full build")


if __name__ == "__main__":
    main()
