"""Runs one notebook through papermill: strict parameters, its own kernel, an output only where every cell ran.

papermill alone calls a run finished whose kernel was killed, whose cell called `sys.exit(0)` or ran out of time,
and it writes over the last good output before it knows. Here the output is replaced once everything was checked.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import params
from desertion.errors import RunError, UserError
from desertion.project import BUILD, ROOT, relative, write_atomic

#: Told after each finished code cell how many are done and how many there are.
Progress = Callable[[int, int], None]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HEADER = re.compile(
    r"^(?:File )?(?P<where>Cell In\[(?P<count>\d+)\]|.+?)(?:, line |:)(?P<line>\d+)(?:, in (?P<in>.+))?$"
)
_MARKED = re.compile(r"^-+>\s+\d+\s?(?P<source>.*)$")
_CELL_HASH = re.compile(r" \(\d+\.py, line \d+\)$")  # behind the message of a SyntaxError
_TRACEBACK_LINES = 8


@dataclass(frozen=True)
class RunRecord:
    """A finished run: the notebook's stem, where its executed copy is, code cells run, wall time in seconds.

    `peak` is the most memory that its kernel had, in MiB; 0 where the system does not tell.
    """

    notebook: str
    output: Path
    cells: int
    seconds: float
    peak: int = 0


def run(
    notebook: Path,
    output: Path,
    parameters: dict[str, Any],
    *,
    progress: Progress | None = None,
    timeout: int | None = 600,
    failed: Path | None = None,
    zygote: str = "",
    data: Mapping[str, str] | None = None,
    draw: bool = True,
) -> RunRecord:
    """Execute `notebook` with `parameters` and write the scrubbed result to `output`, once it is known to be whole.

    `timeout` is in seconds a cell, None for no limit. The kernel works in the notebook's folder and is forked from the
    process at the address `zygote`, an ordinary one where that is "". Of data/ it can read the files `data`, name →
    digest of content that passed validation, and all of them where that is None. Without `draw` plots are checked, but
    neither drawn nor shown. Raises UserError for a notebook or parameter that cannot run, and RunError where a cell
    fails: the notebook as far as it ran is then at `failed` (build/failed/NAME.ipynb), and what was at `output` stays
    as it is.
    """
    start = time.perf_counter()
    failed = failed or BUILD / "failed" / notebook.name
    source = nb.read(notebook)
    params.check(source, notebook, parameters)
    papermill = import_papermill()
    with _private_folder() as folder:
        kernel = _kernel(folder, notebook.resolve().parent, zygote, data, draw)
        executed, fault = _execute(papermill, source, notebook, parameters, folder, progress, timeout, kernel)
    if fault:
        _keep(executed, failed)
        raise RunError(f"{fault}\n  the notebook as far as it ran: {relative(failed)}")
    write_atomic(output, nb.dumps(nb.scrub(executed, injected=True)))
    failed.unlink(missing_ok=True)
    peak = round(max((one.peak for one in kernel.started), default=0) / 1024)
    return RunRecord(notebook.stem, output, len(nb.code_cells(source)), time.perf_counter() - start, peak)


def _kernel(folder: Path, cwd: Path, zygote: str, data: Mapping[str, str] | None, draw: bool) -> Any:
    from desertion.engine.kernel import Kernel

    return Kernel.of(folder, cwd, zygote, data, draw)


def import_papermill() -> Any:
    """papermill, imported fast and without its log, which repeats what the raised errors say."""
    with nb.without_grammars():
        import papermill

        logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
        return papermill


def _short_base() -> Path:
    """Where sockets can be: the path of a Unix socket has at most about 100 bytes."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = Path(runtime).is_absolute() and len(os.fsencode(runtime)) <= 40 and os.access(runtime, os.W_OK | os.X_OK)
    return Path(runtime if usable else "/tmp")


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"desertion-{os.getpid()}-", dir=_short_base()))
    except OSError as error:
        raise UserError(f"{_short_base()}: no folder for a kernel's sockets can be made: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(pid: int) -> None:
    """Remove the private folders of process `pid`, which was killed."""
    for folder in _short_base().glob(f"desertion-{pid}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _execute(
    papermill: Any,
    source: nb.Notebook,
    path: Path,
    parameters: dict[str, Any],
    folder: Path,
    progress: Progress | None,
    timeout: int | None,
    kernel: Any,
) -> tuple[nb.Notebook, str]:
    """The notebook as far as it ran, and what went wrong ("" where nothing did)."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # A file, since papermill stores a notebook that it is handed as an object within itself; and this file, since
    # papermill takes braces in a path for parameters.
    handed = folder / "in.ipynb"
    handed.write_text(nb.dumps(nb.bare(source)), encoding="utf-8")
    seen: list[nb.Notebook] = []
    left: list[str] = []
    done, total = 0, len(nb.code_cells(source))

    async def count(cell: dict[str, Any], cell_index: int, execute_reply: Any) -> None:
        nonlocal done
        done += not nb.is_injected(cell)
        if progress and not nb.is_injected(cell):
            progress(done, total)
        if done == total and (names := await kernel.started[-1].talks.threads()):
            left.extend(names)

    interruption = ""
    try:
        papermill.execute_notebook(
            handed,
            None,
            parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=timeout,
            kernel_manager_class=kernel,
            shutdown_kernel="immediate",  # there is nothing left to save, and a polite end takes up to 3 s under load
            iopub_timeout=60,  # a large output may arrive long after its cell has ended
            on_notebook_start=lambda notebook: seen.append(notebook),
            on_cell_executed=count,
        )
    except papermill.PapermillExecutionError:
        pass  # the cell's output says more
    except CellTimeoutError as error:
        late = "its output did not arrive within 60 s of its end"
        interruption = late if "IOPub" in str(error) else f"it ran longer than {timeout} s and was stopped"
    except DeadKernelError:
        interruption = _death(kernel.started[-1])
    except RuntimeError as error:
        if seen:
            raise
        raise RunError(f"{relative(path)}: the kernel did not start: {error}; {_death(kernel.started[-1])}") from None
    fault = _fault(seen[0], path, interruption)
    if left and not fault:
        fault = (
            f"{relative(path)}: its cells left threads running, which may still change outputs: {', '.join(left[:5])}"
        )
    return seen[0], fault


def _death(kernel: Any) -> str:
    """Why the kernel's process ended, with the last lines it wrote itself (a crash report, say)."""
    status = kernel.status
    if kernel.flooded:
        return "it put out more than 50 MB and was stopped"
    if status is None:
        return "the kernel does not answer"
    if status < 0:
        name = signal.Signals(-status).name
        why = f"the kernel was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    else:
        why = f"the kernel ended with status {status} before the notebook did"
    lines = kernel.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n  ".join([why, *lines[-3:]])


def _fault(notebook: nb.Notebook, path: Path, interruption: str) -> str:
    """What kept the executed `notebook` from being whole, in a few lines; "" where nothing did."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    counts = {cell["execution_count"]: number for number, cell in _numbered(cells) if cell["execution_count"]}

    def fault(number: int, cell: dict[str, Any], what: str) -> str:
        place = f"code cell {number} of {len(cells) - any(map(nb.is_injected, cells))}" if number else "the parameters"
        return f"{relative(path)}: {place} failed (`{nb.first_line(cell)}`):\n  {what}"

    if interruption:
        started = [item for item in _numbered(cells) if item[1]["metadata"]["papermill"]["start_time"]]
        return fault(*started[-1], interruption)
    for number, cell in _numbered(cells):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                return fault(number, cell, "\n  ".join(_traceback(output, counts)))
    for count, (number, cell) in enumerate(_numbered(cells), 1):
        state = cell["metadata"]["papermill"]
        if cell["execution_count"] != count or state["status"] != "completed" or not state["start_time"]:
            what = f"it did not run as number {count} (execution count: {cell['execution_count']})"
            return fault(number, cell, what)
    return ""


def _numbered(cells: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each code cell with the number a reader counts, 0 for the one that papermill added."""
    numbered, number = [], 0
    for cell in cells:
        number += not nb.is_injected(cell)
        numbered.append((0 if nb.is_injected(cell) else number, cell))
    return numbered


def _traceback(output: dict[str, Any], counts: dict[int, int]) -> list[str]:
    """The error of a cell in at most 8 lines: its last frames in the notebook and in the project, type and message.

    `counts` turns a kernel's execution count into the number of the cell.
    """
    frames: list[str] = []
    entries = [_ANSI.sub("", entry) for entry in output["traceback"]]
    for entry in entries:
        if "exception was the direct cause" in entry or "another exception occurred" in entry:
            frames = []  # of the exception before, which the last one replaced
        header, _, body = entry.strip("\n").partition("\n")
        match = _HEADER.match(header.strip())
        if not match:
            continue
        place = Path(match["where"]).expanduser()
        if match["count"]:
            where = f"code cell {counts.get(int(match['count']), '?')}"
        elif place.is_absolute() and place.is_relative_to(ROOT / "src"):
            where = relative(place)
        else:
            continue
        lines = body.splitlines()
        # A SyntaxError shows its line alone and unmarked.
        code = next((found["source"] for line in lines if (found := _MARKED.match(line))), lines[0] if lines else "")
        function = f", in {match['in'].partition('(')[0]}" if match["in"] else ""
        frame = f"{where}, line {match['line']}{function}: {code.strip()[:200]}"
        if frames[-1:] != [frame]:  # a recursion says it once
            frames.append(frame)
    message = [line for line in f"{output['ename']}: {output['evalue']}".splitlines() if line.strip()]
    if output["ename"] == "SystemExit":
        message.append("a cell must not end the notebook before its last cell")
    message = [_CELL_HASH.sub("", line)[:300] for line in message[:4]]
    return frames[len(message) - _TRACEBACK_LINES :] + message


def _keep(notebook: nb.Notebook, path: Path) -> None:
    """Keep a partial notebook for reading; a full disk must not hide why the run failed."""
    with contextlib.suppress(OSError):
        write_atomic(path, nb.dumps(nb.scrub(notebook, injected=True)))
