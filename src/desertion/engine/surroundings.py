"""The environment that every kernel finds, warm or cold: without the choices of a user that would change outputs."""

from __future__ import annotations

import os
from pathlib import Path

from desertion.project import ROOT

#: What every kernel finds in its environment. One thread: sums of parallel threads differ in their last digits.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
}
# A user's choice of these would change outputs; without MPLBACKEND ipykernel sets the inline backend.
_DROPPED = ("MPLBACKEND", "MPLCONFIGDIR", "MATPLOTLIBRC", "PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONOPTIMIZE")


def environment(folder: Path) -> dict[str, str]:
    """The environment of a kernel or worker whose private files are in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    paths = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    # No profile, start-up script or history of the user.
    return kept | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / "ipython")}
