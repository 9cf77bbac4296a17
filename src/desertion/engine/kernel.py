"""The kernel of one run: this interpreter, whatever kernelspecs are installed, in the same environment everywhere."""

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
from desertion.engine import forks
from desertion.engine.surroundings import environment

_START = (
    "import os; from desertion.engine import surroundings; "
    "surroundings.end_with_parent(parent=int(os.environ['JPY_PARENT_PID'])); surroundings.keep_logs_apart(); "
    "from desertion import reads; reads.guard(); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)

# IPython's history database costs a third of the time until a kernel is ready.
_NO_HISTORY = "--HistoryManager.enabled=False"
#: Data frames that a cell shows leave their record, and figures are the same SVG each time.
_EXTENSION = "--IPKernelApp.extra_extensions=desertion"
_PACKER = "--Session.packer=desertion.engine.surroundings.pack"

#: Limit of a notebook's output, in bytes; its kernel is stopped before it fills the memory.
MOST_OUTPUT = 50_000_000
# The kernel's own threads are known by where their code is from, that of IPython's `%%bash` by the event loop it runs.
_THREADS = """[
    t.name for t in __import__("threading").enumerate()
    if t is not __import__("threading").main_thread()
    and (getattr(t, "_target", None) or type(t)).__module__.partition(".")[0] not in ("ipykernel", "IPython", "zmq")
    and getattr(getattr(t, "_target", None), "__self__", t)
    is not __import__("IPython").get_ipython().magics_manager.registry["ScriptMagics"].event_loop
]"""


class CountingIOPub(AsyncZMQSocketChannel):
    """IOPub, the channel of outputs, with a limit in bytes."""

    size = 0
    kernel: Any = None

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """Next message; beyond the limit the kernel is stopped."""
        message: dict[str, Any] = await super().get_msg(timeout=timeout)
        content = message["content"]
        self.size += len(content.get("text", "")) + sum(map(len, map(str, content.get("data", {}).values())))
        if self.size > MOST_OUTPUT and not self.kernel.flooded:
            self.kernel.flooded = True
            await self.kernel.provisioner.kill()
        return message


class Client(AsyncKernelClient):
    """Client of a kernel that is ready as soon as the kernel reports that it is idle.

    jupyter_client's own handshake ends with 0.2 s of waiting for silence.
    """

    iopub_channel_class = Type(CountingIOPub)

    @property
    def iopub_channel(self) -> Any:
        """The channel of outputs."""
        channel = super().iopub_channel
        channel.kernel = self.parent
        return channel

    async def threads(self) -> list[str]:
        """Names of the threads that the cells left running. Raises DeadKernelError where the kernel is gone."""
        request = self.execute("", silent=True, store_history=False, user_expressions={"threads": _THREADS})
        end = time.monotonic() + 10
        reply: dict[str, Any] = {"parent_header": {}}
        while reply["parent_header"].get("msg_id") != request:
            try:
                reply = await self.get_shell_msg(timeout=0.2)
            except queue.Empty:
                if time.monotonic() > end or not await self.is_alive():
                    raise DeadKernelError("the kernel died after its last cell") from None
        result = reply["content"].get("user_expressions", {}).get("threads", {})
        names: list[str] = ast.literal_eval(result.get("data", {}).get("text/plain", "[]"))
        return names

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel, at most `timeout` seconds. Raises RuntimeError where it is dead or silent."""
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            request = self.kernel_info()
            try:
                while (await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != request:
                    pass
                while True:
                    report = await self.get_iopub_msg(timeout=0.2)
                    idle = report["content"] == {"execution_state": "idle"}
                    if idle and report["parent_header"].get("msg_id") == request:
                        return
            except queue.Empty:  # not up yet, or this client is not subscribed to its reports yet
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
        raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")


class Kernel(AsyncKernelManager):
    """Manager of the kernel of one run; `of` makes the class that nbclient takes.

    Sockets are files in a private folder: over TCP two kernels that start at once can draw the same port, and
    anybody on the machine can connect.
    """

    folder: Path
    cwd: Path
    forked: bool
    data: Mapping[str, str] | None
    draw: bool
    started: list[Kernel]
    peak: int  # KiB
    flooded: bool  # stopped, since it put out too much
    own_client: Client

    @classmethod
    def of(
        cls, folder: Path, cwd: Path, forked: bool = False, data: Mapping[str, str] | None = None, draw: bool = True
    ) -> type[Kernel]:
        """A class whose kernel works in `cwd` and has its sockets and log in `folder`, an absolute short path.

        The kernel is `forked` (`desertion.engine.forks`, on Linux) or an ordinary one. It can read the files `data` of
        data/, name → digest (`desertion.reads`), all of them if None. It draws plots, or only checks them
        (`desertion.drawing`).
        """
        forked = forked and sys.platform == "linux"  # elsewhere libraries of the system do not survive a fork
        own = {"folder": folder, "cwd": cwd, "forked": forked, "data": data, "draw": draw}
        return type("Kernel", (cls,), own | {"started": []})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(transport="ipc", connection_file=str(self.folder / "k.json"), client_factory=Client, **kwargs)
        self.started.append(self)
        self.peak = 0
        self.flooded = False

    def client(self, **kwargs: Any) -> Any:
        """A client of this kernel."""
        self.own_client = cast(Client, super().client(**kwargs))
        return self.own_client

    @property
    def kernel_spec(self) -> KernelSpec:
        """This interpreter; -P keeps the working directory from shadowing modules while the kernel starts."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-c", _START, "-f", "{connection_file}", _NO_HISTORY, _EXTENSION, _PACKER],
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": forks.NAME}} if self.forked else {},
        )

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start it, with the output of its process (a crash report, say) in `log_file`."""
        with self.log_file.open("wb") as log:
            env = environment(self.folder) | reads.variable(self.data) | ({} if self.draw else {drawing.VARIABLE: "1"})
            await super().start_kernel(env=env, cwd=str(self.cwd), stdout=log, stderr=log, **kwargs)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """End it, after a look at its peak memory."""
        process = getattr(self.provisioner, "process", None)
        try:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii") if process is not None else ""
        except OSError:
            status = ""
        if match := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
            self.peak = int(match[1])
        if now and self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.kill()
            end = time.monotonic() + 5
            while await self.provisioner.poll() is None and time.monotonic() < end:
                await asyncio.sleep(0.002)  # jupyter_client would look again after 0.1 s
        await super().shutdown_kernel(now=now, restart=restart)

    @property
    def log_file(self) -> Path:
        """The file with the output of the kernel's process itself."""
        return self.folder / "kernel.log"

    @property
    def status(self) -> int | None:
        """Exit status of the kernel's process, negative for a signal; None while it lives."""
        process = getattr(self.provisioner, "process", None)
        return None if process is None else process.poll()
