"""Runs one notebook through papermill: strict parameters, its own kernel, an output only where every cell ran.

papermill alone calls a run finished whose kernel was killed, whose cell called `sys.exit(0)` or ran out of time,
and it overwrites the last good output while it runs. Here the output is replaced after the run was checked.
"""

from __future__ import annotations

import contextlib
import logging
import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import params
from desertion.engine import failure, private
from desertion.errors import RunError, UserError
from desertion.project import BUILD, relative, write_atomic

_ERROR = re.compile(r"[A-Za-z_.]+(?:Error|Exception): (?:\[Errno \d+\] )?(.+)")
#: Called as `progress(done, total)` after each code cell.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunRecord:
    """A finished run: the notebook's stem, the path of its executed copy, code cells run, wall time in seconds.

    `peak` is the peak memory of its kernel in MiB; 0 if the system does not report it.
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
    ready: Callable[[], None] | None = None,
    timeout: int | None = 600,
    failed: Path | None = None,
    forked: bool = False,
    data: Mapping[str, str] | None = None,
    draw: bool = True,
) -> RunRecord:
    """Execute `notebook` with `parameters` and write the scrubbed result to `output`, once every cell ran.

    `ready` is called when the kernel has started; no cell runs before it returns. `timeout` per cell is in seconds,
    None for no limit. The kernel works in the notebook's folder; it is `forked` (`engine.forks`) or an ordinary one. It
    can read the files `data` of data/, name → digest of validated content, or all of them if None. Without `draw` plots
    are checked, but neither drawn nor shown.

    Raises UserError for a notebook or parameter that cannot run, and RunError where a cell fails: the notebook as far
    as it ran is then at `failed` (build/failed/NAME.ipynb), and `output` stays as it was.
    """
    start = time.perf_counter()
    failed = failed or BUILD / "failed" / notebook.name
    source = nb.read(notebook)
    params.check(source, notebook, parameters)
    papermill = import_papermill()
    from zmq import ZMQError

    from desertion.engine.kernel import Kernel

    with private.folder() as folder:
        kernel = Kernel.of(folder, notebook.resolve().parent, forked, data, draw)
        try:
            executed, fault = _execute(
                papermill, source, notebook, parameters, folder, progress, ready, timeout, kernel
            )
        except (OSError, ZMQError) as error:
            place = getattr(error, "filename", None) or folder
            raise UserError(f"{relative(notebook)}: {place}: {error.strerror}; nothing of the run was kept") from error
    if fault:
        _keep(executed, failed)
        raise RunError(f"{fault}\n  the notebook as far as it ran: {relative(failed)}")
    write_atomic(output, nb.dumps(nb.scrub(executed, injected=True)))
    failed.unlink(missing_ok=True)
    peak = round(max((one.peak for one in kernel.started), default=0) / 1024)
    return RunRecord(notebook.stem, output, len(nb.code_cells(source)), time.perf_counter() - start, peak)


def import_papermill() -> Any:
    """papermill, imported fast and without its log, which repeats what the raised errors say."""
    with nb.without_grammars():
        import papermill

        logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
        return papermill


def _execute(
    papermill: Any,
    source: nb.Notebook,
    path: Path,
    parameters: dict[str, Any],
    folder: Path,
    progress: Progress | None,
    ready: Callable[[], None] | None,
    timeout: int | None,
    kernel: Any,
) -> tuple[nb.Notebook, str]:
    """The notebook as far as it ran, and the fault that stopped it ("" if none)."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    # A file, since papermill stores a notebook given as an object within itself; and this file, since papermill takes
    # braces in a path for parameters.
    copy = folder / "in.ipynb"
    copy.write_text(nb.dumps(nb.bare(source)), encoding="utf-8")
    executed: list[nb.Notebook] = []
    threads: list[str] = []
    reasons: dict[str, str] = {}
    done, total = 0, len(nb.code_cells(source))

    def begin(notebook: nb.Notebook) -> None:
        executed.append(notebook)
        if ready:
            ready()

    async def count(cell: dict[str, Any], cell_index: int, execute_reply: Any) -> None:
        nonlocal done
        done += not nb.is_injected(cell)
        reasons[cell["id"]] = failure.unshown(cell, execute_reply["content"])
        if reasons[cell["id"]] or any(output["output_type"] == "error" for output in cell["outputs"]):
            raise CellExecutionError("", "", "")  # the kernel may call the cell good, as after an error in %%capture
        if progress and not nb.is_injected(cell):
            progress(done, total)
        if done == total:
            threads.extend(await kernel.started[-1].own_client.threads())

    interruption = ""
    try:
        papermill.execute_notebook(
            copy,
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
            on_notebook_start=begin,
            on_cell_executed=count,
        )
    except papermill.PapermillExecutionError:
        pass  # the cell's output has the error
    except CellTimeoutError as error:
        late = "its output did not arrive within 60 s of its end"
        interruption = late if "IOPub" in str(error) else f"it ran longer than {timeout} s and was stopped"
    except DeadKernelError:
        interruption = _death(kernel.started[-1])
    except RuntimeError as error:
        if executed:
            raise
        raise RunError(f"{relative(path)}: the kernel did not start: {error}; {_death(kernel.started[-1])}") from None
    fault = failure.fault(executed[0], path, interruption, reasons)
    if threads and not fault:
        # asyncio waits with such a thread for a program that it started, as IPython does under `%%script --bg`
        waits = " (waits for a program)"
        names = ", ".join(each + waits * each.startswith("asyncio-waitpid") for each in threads[:5])
        fault = f"{relative(path)}: its cells left threads running, which may still change outputs: {names}"
    return executed[0], fault


def _death(kernel: Any) -> str:
    """Why the kernel's process ended, with the last lines of its own output (a crash report, say)."""
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
    lines = kernel.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    if lines and (error := _ERROR.fullmatch(lines[-1])):  # the end of a traceback: what it says, not where in a library
        lines = [error[1]]
    return "\n  ".join([why, *lines])


def _keep(notebook: nb.Notebook, path: Path) -> None:
    """Keep a partial notebook for reading; a full disk must not hide why the run failed."""
    text = nb.dumps(nb.scrub(notebook, injected=True))
    with contextlib.suppress(OSError):
        write_atomic(path, text.encode("utf-8", "replace").decode())  # half of a character becomes a question mark
