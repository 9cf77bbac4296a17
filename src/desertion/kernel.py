"""The kernel of one run: this interpreter, whatever kernelspecs are installed, and the same surroundings everywhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

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

# Linux kills the kernel in the moment its runner dies; elsewhere ipykernel looks for its parent every second.
_DIE_WITH_PARENT = "import ctypes; ctypes.CDLL(None).prctl(1, 9); " if sys.platform == "linux" else ""
_START = _DIE_WITH_PARENT + "from ipykernel import kernelapp; kernelapp.launch_new_instance()"


def environment(folder: Path) -> dict[str, str]:
    """The environment of a kernel or worker whose private files are in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    paths = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    # No profile, start-up script or history of the user.
    return kept | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / "ipython")}


class Kernel(AsyncKernelManager):
    """Starts the kernel of one run; `of` makes the class that nbclient is handed.

    Sockets are files in a private folder: over TCP two kernels that start at once can draw the same port, and
    anybody on the machine can connect.
    """

    folder: Path
    cwd: Path
    started: list[Kernel]

    @classmethod
    def of(cls, folder: Path, cwd: Path) -> type[Kernel]:
        """A class whose kernel has its sockets and log in `folder`, an absolute short path, and works in `cwd`."""
        return type("Kernel", (cls,), {"folder": folder, "cwd": cwd, "started": []})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(transport="ipc", connection_file=str(self.folder / "k.json"), **kwargs)
        self.started.append(self)

    @property
    def kernel_spec(self) -> KernelSpec:
        """This interpreter; -P keeps the working directory from shadowing modules while the kernel starts."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-c", _START, "-f", "{connection_file}"],
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": "local-provisioner"}},
        )

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start it, with what it writes to its own stderr (a crash report, say) in `log`."""
        with self.log_file.open("wb") as log:
            await super().start_kernel(
                env=environment(self.folder), cwd=str(self.cwd), stdout=log, stderr=log, **kwargs
            )

    @property
    def log_file(self) -> Path:
        """What the kernel's process itself wrote."""
        return self.folder / "kernel.log"

    @property
    def status(self) -> int | None:
        """Exit status of the kernel's process, negative for a signal; None while it lives."""
        process = getattr(self.provisioner, "process", None)
        return None if process is None else process.poll()
