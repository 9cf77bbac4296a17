"""Kernels forked from a process that has imported what notebooks import: for sweeps and for builds of many notebooks.

Imports are most of the time of a short notebook. A forked kernel has them at once and is still a process of its own:
what one notebook does to globals, rcParams, random state or os.environ reaches no other. The process to fork is the
fork server of `multiprocessing`; each process that starts such kernels has one of its own. A build of few notebooks,
as after an edit of one, has ordinary kernels: forking saves nothing there.
"""

from __future__ import annotations

import functools
import os
import tempfile
from importlib.metadata import EntryPoint
from multiprocessing import util
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import set_forkserver_preload
from typing import Any, cast

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from desertion.engine import private

NAME = "desertion-forks"
set_forkserver_preload(["desertion.engine.preload"])


def _run_kernel(*arguments: Any) -> None:
    from desertion.engine import preload  # the fork server has it already

    preload.run_kernel(*arguments)


@functools.cache
def _keep_multiprocessing() -> None:
    """Let multiprocessing have its folder, `pymp-…`, in a private one, which goes with this process or is swept."""
    before, tempfile.tempdir = tempfile.tempdir, str(private.make_folder())
    util.get_temp_dir()
    tempfile.tempdir = before
    util.Finalize(None, private.remove_folders, (os.getpid(),), exitpriority=-101)  # after its own


class ForkedKernel(ForkServerProcess):
    """A process of `multiprocessing` with those methods of `subprocess.Popen` that jupyter_client calls."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """The exit status, None while it lives; 255 where the fork server was killed and the kernel with it."""
        return self.exitcode

    def wait(self) -> int | None:
        """The exit status, once it has ended."""
        self.join()
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, number)


class ForkProvisioner(LocalProvisioner):
    """Starts a kernel by forking; its process group is killed as a whole."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork what `cmd` would start. Raises RuntimeError where the fork server ends meanwhile."""
        _keep_multiprocessing()
        self.cwd = str(kwargs["cwd"])
        arguments = os.getpid(), cmd, kwargs["env"], self.cwd, kwargs["stdout"].name
        kernel = ForkedKernel(target=_run_kernel, args=arguments)
        try:
            kernel.start()
        except (OSError, EOFError):
            raise RuntimeError("the process to fork it from was killed") from None
        self.process = cast(Any, kernel)
        self.pid = self.pgid = kernel.pid
        return self.connection_info


# Known to jupyter_client in this process only: no other can use it.
KernelProvisionerFactory.provisioners[NAME] = EntryPoint(
    NAME, f"{__name__}:{ForkProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
)
