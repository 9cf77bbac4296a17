"""The kernel of one run: this interpreter, whatever kernelspecs are installed, and the same surroundings everywhere."""

from __future__ import annotations

import ast
import asyncio
import queue
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from traitlets import Type

from desertion import drawing, reads
from desertion.engine import provisioner
from desertion.engine.surroundings import environment

provisioner.register()

# Linux kills the kernel in the moment its runner dies; elsewhere ipykernel looks for its parent every second.
_DIE_WITH_PARENT = "import ctypes; ctypes.CDLL(None).prctl(1, 9); " if sys.platform == "linux" else ""
_START = (
    _DIE_WITH_PARENT
    + "from desertion import reads; reads.guard(); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)

# A data base of what was typed, which nobody will ask for, takes a third of the time until a kernel is ready.
_NO_HISTORY = "--HistoryManager.enabled=False"
#: Data frames that a cell shows leave their record.
_EXTENSION = "--IPKernelApp.extra_extensions=desertion"

#: The most that a notebook may put out, in bytes; its kernel is stopped before it fills the memory.
MOST_OUTPUT = 50_000_000
# The kernel's own threads are known by where their code is from.
_THREADS = """[
    t.name for t in __import__("threading").enumerate()
    if t is not __import__("threading").main_thread()
    and (getattr(t, "_target", None) or type(t)).__module__.partition(".")[0] not in ("ipykernel", "IPython", "zmq")
]"""


class _Reports(AsyncZMQSocketChannel):
    """The channel of outputs, which counts them."""

    size = 0
    kernel: Any = None

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """The next message; the kernel is stopped where there is too much."""
        message: dict[str, Any] = await super().get_msg(timeout=timeout)
        content = message["content"]
        self.size += len(content.get("text", "")) + sum(map(len, map(str, content.get("data", {}).values())))
        if self.size > MOST_OUTPUT and not self.kernel.flooded:
            self.kernel.flooded = True
            await self.kernel.provisioner.kill()
        return message


class Client(AsyncKernelClient):
    """Talks to a kernel as soon as it answers.

    jupyter_client's own handshake ends with 0.2 s of silence that it waits for; the kernel's report that it is idle
    again says as much.
    """

    iopub_channel_class = Type(_Reports)

    @property
    def iopub_channel(self) -> Any:
        """The channel of outputs."""
        channel = super().iopub_channel
        channel.kernel = self.parent
        return channel

    async def threads(self) -> list[str]:
        """The names of the threads that the cells left running. Raises DeadKernelError where the kernel is gone."""
        asked = self.execute("", silent=True, store_history=False, user_expressions={"threads": _THREADS})
        end = time.monotonic() + 10
        reply: dict[str, Any] = {"parent_header": {}}
        while reply["parent_header"].get("msg_id") != asked:
            try:
                reply = await self.get_shell_msg(timeout=0.2)
            except queue.Empty:
                if time.monotonic() > end or not await self.is_alive():
                    raise DeadKernelError("the kernel died after its last cell") from None
        found = reply["content"].get("user_expressions", {}).get("threads", {}).get("data", {}).get("text/plain", "[]")
        names: list[str] = ast.literal_eval(found)
        return names

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel, `timeout` seconds at most. Raises RuntimeError where it is dead or silent."""
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            asked = self.kernel_info()
            try:
                while (await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                    pass
                while True:
                    said = await self.get_iopub_msg(timeout=0.2)
                    if said["parent_header"].get("msg_id") == asked and said["content"] == {"execution_state": "idle"}:
                        return
            except queue.Empty:  # not up yet, or its reports are not heard yet
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
        raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")


class Kernel(AsyncKernelManager):
    """Starts the kernel of one run; `of` makes the class that nbclient is handed.

    Sockets are files in a private folder: over TCP two kernels that start at once can draw the same port, and
    anybody on the machine can connect.
    """

    folder: Path
    cwd: Path
    zygote: str
    data: Mapping[str, str] | None
    draw: bool
    started: list[Kernel]
    peak: int  # KiB
    flooded: bool  # it put out too much and was stopped
    talks: Client

    @classmethod
    def of(
        cls, folder: Path, cwd: Path, zygote: str = "", data: Mapping[str, str] | None = None, draw: bool = True
    ) -> type[Kernel]:
        """A class whose kernel has its sockets and log in `folder`, an absolute short path, and works in `cwd`.

        It is forked from the process at the address `zygote`, and an ordinary one where that is "". Of data/ it can
        read the files `data`, name → digest (`desertion.reads`), and all of them where that is None. It draws plots, or
        only checks them (`desertion.drawing`).
        """
        own = {"folder": folder, "cwd": cwd, "zygote": zygote, "data": data, "draw": draw}
        return type("Kernel", (cls,), own | {"started": []})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(transport="ipc", connection_file=str(self.folder / "k.json"), client_factory=Client, **kwargs)
        self.started.append(self)
        self.peak = 0
        self.flooded = False

    def client(self, **kwargs: Any) -> Any:
        """A client for this kernel."""
        self.talks = cast(Client, super().client(**kwargs))
        return self.talks

    @property
    def kernel_spec(self) -> KernelSpec:
        """This interpreter; -P keeps the working directory from shadowing modules while the kernel starts."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-c", _START, "-f", "{connection_file}", _NO_HISTORY, _EXTENSION],
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": provisioner.NAME, "config": {"address": self.zygote}}},
        )

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start it, with what it writes to its own stderr (a crash report, say) in `log`."""
        with self.log_file.open("wb") as log:
            env = environment(self.folder) | reads.variable(self.data) | ({} if self.draw else {drawing.VARIABLE: "1"})
            await super().start_kernel(env=env, cwd=str(self.cwd), stdout=log, stderr=log, **kwargs)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """End it, having noted the most memory that it had."""
        process = getattr(self.provisioner, "process", None)
        try:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii") if process is not None else ""
        except OSError:
            status = ""
        if found := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
            self.peak = int(found[1])
        if now and self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.kill()
            end = time.monotonic() + 5
            while await self.provisioner.poll() is None and time.monotonic() < end:
                await asyncio.sleep(0.002)  # jupyter_client would look again after 0.1 s
        await super().shutdown_kernel(now=now, restart=restart)

    @property
    def log_file(self) -> Path:
        """What the kernel's process itself wrote."""
        return self.folder / "kernel.log"

    @property
    def status(self) -> int | None:
        """Exit status of the kernel's process, negative for a signal; None while it lives."""
        process = getattr(self.provisioner, "process", None)
        return None if process is None else process.poll()
