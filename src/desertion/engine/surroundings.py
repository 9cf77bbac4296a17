"""The environment of every kernel and worker: without the user's choices that would change outputs."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from desertion.project import ROOT

#: One thread: sums of parallel threads differ in their last digits.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
}
#: With these a kernel neither looks up nor keeps fits.
WITHOUT_CACHE = {"DESERTION_MEMO": "off"}
# Sets the order of sets.
_HASH_SEED = "DESERTION_HASH_SEED"
#: With these they have sets in another order than in a first run.
AGAIN = {_HASH_SEED: "1"}
# A user's choice of these would change outputs; without MPLBACKEND ipykernel sets the inline backend.
_DROPPED = ("MPLBACKEND", "MPLCONFIGDIR", "MATPLOTLIBRC", "PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONOPTIMIZE")
# Loggers of a kernel's own libraries.
_LIBRARIES = (
    "comm", "ipykernel", "IPKernelApp", "IPython", "jedi", "jupyter_client", "parso", "tornado.access",
    "tornado.application", "tornado.general", "traitlets", "zmq",
)  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """The environment of a kernel or worker whose private files are in `folder`; made twice it is the same."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    paths = dict.fromkeys([str(ROOT / "src"), *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))])
    # No profile, start-up script or history of the user.
    own = {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / "ipython")}
    return kept | ENVIRONMENT | own | {"PYTHONHASHSEED": kept.get(_HASH_SEED, "0")}


def keep_logs_apart() -> None:
    """Let a kernel's own libraries log to its process's standard error, which is no output of the cell that runs."""
    handler = logging.StreamHandler(os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace"))
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False


def pack(content: Any) -> bytes:
    """`content` of a kernel's message as JSON; jupyter_client's own packer fails at half of a character, `\\ud800`."""
    from jupyter_client import jsonutil, session

    try:
        return session.json_packer(content)
    except UnicodeEncodeError:
        return json.dumps(jsonutil.json_clean(content), default=jsonutil.json_default, allow_nan=False).encode()


def end_with_parent(number: signal.Signals = signal.SIGKILL, *, parent: int | None = None) -> None:
    """Let Linux send this process a signal in the moment when the thread that started it ends; elsewhere do nothing.

    With the process number of the parent, the signal comes at once where that process has ended already.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), number)
