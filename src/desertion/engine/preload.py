"""The process from which kernels are forked: this module, when imported, imports all that they need.

Only multiprocessing's fork server imports it (`desertion.engine.forks`), once. The server has one thread and no zmq
context when it forks, and it is killed with the process that started it. Where a forked kernel would differ from an
ordinary one, since the package was edited or the environment changed, the forked process starts an ordinary kernel in
its own place.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import io
import mmap
import multiprocessing
import os
import pkgutil
import random
import sys
import time
import types

from desertion import drawing, reads
from desertion.engine.display import log
from desertion.engine.surroundings import end_with_parent, keep_logs_apart
from desertion.project import PACKAGE, code_digest

#: What a kernel imports before its first cell, and what this project's notebooks come to import.
LIBRARIES = (
    "IPython", "IPython.core.completerlib", "ipykernel.ipkernel", "ipykernel.kernelapp", "ipykernel.debugger",
    "matplotlib_inline.config", "sqlite3", "numpy", "pandas", "pandas.core.methods.to_dict", "scipy.stats",
    "scipy.optimize", "matplotlib.pyplot", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg",
    "seaborn", "great_tables",
    # not statsmodels.api, which takes a quarter of a second more
    "statsmodels.genmod.generalized_linear_model", "statsmodels.discrete.discrete_model",
    # for the child's own start
    "desertion.engine.forks",
)  # fmt: skip
#: Parts of the package that no notebook imports.
_NOT_FOR_NOTEBOOKS = {
    "__main__",
    "changes",
    "cli",
    "csv_models",
    "engine",
    "registered",
    "release",
    "report",
    "skeleton",
}
#: Variables that differ from kernel to kernel; all others are read by libraries when they are imported.
_OWN = {"IPYTHONDIR", "JPY_PARENT_PID", "JPY_SESSION_NAME", reads.VARIABLE, drawing.VARIABLE}


def _import_all() -> str:
    """Import everything; the reason why kernels cannot be forked from this process, "" where they can."""
    names = [name for _, name, _ in pkgutil.iter_modules([str(PACKAGE)])]
    parts = [f"desertion.{name}" for name in names if name not in _NOT_FOR_NOTEBOOKS]
    # pandas and others look at import whether they are in a notebook.
    builtins.get_ipython = lambda: types.SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # debugpy advises to start Python otherwise
            for name in [*LIBRARIES, *parts]:
                module = importlib.import_module(name)
                if name in parts and hasattr(module, "__path__"):
                    for _, inner, _ in pkgutil.iter_modules(module.__path__):
                        importlib.import_module(f"{name}.{inner}")
    except Exception as error:  # the cell that imports it shows more
        return f"{name} cannot be imported ({type(error).__name__}: {error})"
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 — pathlib would be slower
    return f"{threads} threads run in the process to fork, where a fork is safe with one" if threads > 1 else ""


end_with_parent()
_PARENT = os.getppid()  # another than the process that asks for a kernel, where that ended before the line above
_SERVER = os.getpid()
_ENVIRONMENT = dict(os.environ)
_CODE = code_digest()  # before the imports: a file that is saved meanwhile counts as changed
_WARNED = mmap.mmap(-1, 1)  # memory that all kernels share, so that one of them warns
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as ipykernel does before any cell
_FAULT = _import_all()
gc.collect()
gc.freeze()  # so that a collection in a kernel does not copy every page of what was imported


def run_kernel(parent: int, command: list[str], environment: dict[str, str], folder: str, log_file: str) -> None:
    """In a forked process: become what `command` would start in `folder`; its own output goes to `log_file`.

    Nothing starts, and the fork server ends as well, where process `parent`, which asked for it, is gone.
    """
    os.setsid()  # so that it is killed with all that it starts
    end_with_parent(parent=_SERVER)
    if parent != _PARENT:
        os._exit(1)
    fault = _fault(environment)
    if fault and not _WARNED[0]:
        _WARNED[0] = 1
        log(f"kernels are started, not forked: {fault}")
    try:
        output = os.open(log_file, os.O_WRONLY | os.O_APPEND)
    except OSError:  # the process that runs the notebook ended and removed its folder
        os._exit(1)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    keep_logs_apart()
    os.chdir(folder)
    if fault:
        os.execve(command[0], command, environment | {"JPY_PARENT_PID": str(_SERVER)})
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["-c", *command[command.index("-f") :]]
    multiprocessing.set_start_method(None, force=True)
    reads.guard()
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    random.seed()
    np.random.seed()  # the state that forked kernels would share
    app = IPKernelApp.instance(parent_handle=_SERVER)
    app.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
    app.start()  # type: ignore[no-untyped-call]


def _fault(environment: dict[str, str]) -> str:
    """Why a kernel forked now would differ from an ordinary one with this `environment`; "" where it would not."""
    names = sorted((_ENVIRONMENT.keys() | environment.keys()) - _OWN)
    changed = [name for name in names if _ENVIRONMENT.get(name) != environment.get(name)]
    if _FAULT or changed:
        return _FAULT or f"{', '.join(changed[:5])} changed in the environment"
    return "" if code_digest() == _CODE else "the package or the lock changed while notebooks ran"
