"""Times of a full rebuild beside papermill called for each notebook in turn, and of builds after a change; in one run.

Run it from the project's root: `python benchmarks/bench_rebuild.py`. Whole-process times; `build/` is kept aside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desertion.engine.receipt import Receipt
from desertion.project import BUILD, DATA, NOTEBOOKS, ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}


def timed(*command: str, cwd: Path = ROOT, **environment: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=cwd, env=ENVIRONMENT | environment, check=True, capture_output=True)
    return time.perf_counter() - start


def made() -> float:
    """Seconds of a `make` with nothing to do: its recipe, with this interpreter in place of .venv's."""
    recipe = f"cat requirements.lock pyproject.toml | cmp -s - requirements.lock; {sys.executable} -m desertion build"
    start = time.perf_counter()
    text = f"report: setup\n\t@{recipe.partition('; ')[2]}\nsetup:\n\t@-{recipe.partition(';')[0]} || true\n"
    subprocess.run(
        ["make", "-f", "-"], input=text, text=True, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True
    )
    return time.perf_counter() - start


def footprint(*command: str) -> float:
    """The most memory, in MiB, that a command and all that it started held at one time; shared pages count once."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=ENVIRONMENT | {MARK: "1"}, stderr=subprocess.DEVNULL
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(map(_proportional, Path("/proc").glob("[0-9]*"))))
        time.sleep(0.1)
    return most / 1024


MARK = "DESERTION_BENCH"


def _proportional(process: Path) -> int:
    """The proportional set size of a process of the command, in KiB; of another one 0."""
    try:
        if MARK.encode() not in (process / "environ").read_bytes():
            return 0
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def papermill(publishes: bool) -> float:
    """Without the cache of fits; with `publishes` the notebooks write their plots, as in a build."""
    with tempfile.TemporaryDirectory() as folder:
        tail = ("-k", "python3", *(("-p", "out", folder) if publishes else ()))
        return sum(
            timed("-m", "papermill", str(path), f"{folder}/{path.name}", *tail, cwd=NOTEBOOKS, DESERTION_MEMO="off")
            for path in sorted(NOTEBOOKS.glob("*.ipynb"))
        )


def main() -> None:
    """Print each time and its ratio to what it is compared with."""
    aside = BUILD.with_name("build.aside")
    if BUILD.exists():
        BUILD.rename(aside)
    context, figures = DATA / "context.csv", DATA / "figures.csv"
    before = {path: path.read_bytes() for path in (context, figures)}
    try:
        build = ("-m", "desertion", "build")
        timed(*build)  # compiles bytecode
        page = BUILD / "default" / "report.html"
        page.unlink()
        render = timed(*build)
        shutil.rmtree(BUILD)
        memory = footprint(*build)
        shutil.rmtree(BUILD)
        cold = timed(*build, "--cold")
        shutil.rmtree(BUILD)
        full = timed(*build)
        times = sorted(timed(*build) for _ in range(11))
        nothing = times[5]
        peak = max(entry.peak for entry in Receipt.read(BUILD / "default").notebooks.values())
        make = sorted(made() for _ in range(11))[5]
        context.write_bytes(_changed(before[context]))
        row = timed(*build)
        figures.write_bytes(_changed(before[figures]))
        every = timed(*build)
        each = papermill(publishes=True)
        fewer = papermill(publishes=False)
    finally:
        for path, content in before.items():
            path.write_bytes(content)
        shutil.rmtree(BUILD, ignore_errors=True)
        if aside.exists():
            aside.rename(BUILD)
    print(f"papermill for each notebook in turn + rendering  {each:.2f} + {render:.2f} s")
    print(
        f"full build                                       {full:.2f} s, "
        f"{full / (each + render):.2f} of it (at most 0.33)"
    )
    print(
        f"  beside papermill runs that publish no plots    {fewer:.2f} + {render:.2f} s, {full / (fewer + render):.2f}"
    )
    print(f"full build --cold                                {cold:.2f} s, {cold / (each + render):.2f} of it")
    print(f"one row of context.csv changed                   {row:.2f} s, {row / full:.2f} of that (at most 0.26)")
    print(f"one row of figures.csv changed, which all read   {every:.2f} s, {every / full:.2f} of that (at most 0.44)")
    print(f"nothing changed                                  {1000 * nothing:.0f} ms, fastest {1000 * times[0]:.0f}")
    print(f"  make, which looks at the installation before   {1000 * make:.0f} ms (at most 150)")
    print(f"peak memory of all processes of a full build     {memory:.0f} MiB (under 1024), of one kernel {peak} MiB")


def _changed(content: bytes) -> bytes:
    """The file with one more word in the note of its last row that has no quotes."""
    lines = content.decode().splitlines()
    number = max(number for number, line in enumerate(lines) if '"' not in line)
    cells = lines[number].split(",")
    cells[lines[0].split(",").index("note")] += " Checked."
    lines[number] = ",".join(cells)
    return ("\n".join(lines) + "\n").encode()


if __name__ == "__main__":
    main()
