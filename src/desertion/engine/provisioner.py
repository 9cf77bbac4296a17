"""The Jupyter kernel provisioner `desertion-zygote`: kernels forked from a warm process, ordinary ones without it.

Registered as an entry point where the project is installed and by `register` where it is only on the path.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from desertion.engine.display import say
from desertion.engine.zygote import Forked
from desertion.errors import ForkRefusedError

NAME = "desertion-zygote"
_POLL = 0.005  # seconds; jupyter_client waits 0.1 s for a kernel that was just killed
_said: set[str] = set()


class WarmProvisioner(LocalProvisioner):
    """Asks the zygote at `address` for the kernel; starts an ordinary one where there is none or it refuses."""

    address = Unicode("", config=True, help="of a running desertion.engine.zygote")

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel; `cmd` is the ordinary one, whose arguments from `-f` on go to a forked one too."""
        if not self.address:
            return await super().launch_kernel(cmd, **kwargs)
        given = {name: kwargs.get(name) for name in ("stdout", "stderr")}
        where = str(kwargs.get("cwd") or Path.cwd())
        arguments = cmd[cmd.index("-f") :]
        ask = asyncio.get_running_loop().run_in_executor
        try:
            forked = await ask(None, lambda: Forked(self.address, arguments, kwargs["env"], where, **given))
        except ForkRefusedError as refused:
            # What the zygote itself refuses it has said, once for all who ask it.
            if str(refused).startswith("the warm process") and self.address not in _said:
                say(f"kernels start cold: {refused}")
                _said.add(self.address)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = cast(Any, forked)
        self.pid = forked.pid
        self.cwd = where
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait until the kernel has ended; its exit status."""
        while self.process is not None and self.process.poll() is None:
            await asyncio.sleep(_POLL)
        return await super().wait()


def register() -> None:
    """Make the provisioner known to jupyter_client in this process, installed or not."""
    entry = EntryPoint(NAME, f"{__name__}:{WarmProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.provisioners[NAME] = entry
