"""The zygote: one process that has imported what notebooks import, and forks their kernels from itself.

Imports are most of the time of a short notebook. A forked kernel has them at once and is still a process of its own:
what one notebook does to globals, rcParams, random state, os.environ or itself reaches no other. The zygote has one
thread, no event loop and no zmq context when it forks; it ends with the process that started it, and forks nothing any
more once the package, the lock or the environment is not what it started with: the provisioner then starts an ordinary
kernel.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import random
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from desertion import drawing, memo, reads
from desertion.engine.display import say
from desertion.engine.preload import LIBRARIES
from desertion.errors import ForkRefusedError
from desertion.project import ROOT

LOCK = ROOT / "requirements.lock"
PACKAGE = ROOT / "src" / "desertion"
#: Rooms of the package that no notebook imports.
_NOT_FOR_NOTEBOOKS = {
    "__main__", "cli", "csv_models", "engine", "report", "skeleton",
}  # fmt: skip
#: What ipykernel sets for every kernel, here before the imports that read it.
_BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
#: Each kernel's own; all else must be as it was when the zygote started, since libraries read it as they are imported.
_OWN = {"IPYTHONDIR", "JPY_PARENT_PID", "JPY_SESSION_NAME", reads.VARIABLE, drawing.VARIABLE}
_LARGEST = 1 << 20  # of a message, in bytes
_START = 60.0  # seconds that a forked kernel may take to be ready


class Zygote:
    """The zygote of this process, as a context manager that gives its address; it is gone when it is left."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        """The address for `desertion.engine.provisioner`; "" where kernels must start cold, which is then said."""
        if sys.platform != "linux":
            say(f"kernels start cold: forking them is not safe on {sys.platform}")
            return ""
        # In the abstract namespace: no file that a killed build leaves behind. Who may connect is checked.
        address = f"desertion-{os.getpid()}-{secrets.token_hex(8)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(f"\0{address}")
            listener.listen(64)  # kernels may be asked for while it still imports
            self._lifeline, theirs = socket.socketpair()
            source = (
                f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from desertion.engine.zygote import serve; "
                f"serve({listener.fileno()}, {theirs.fileno()}, {os.getpid()})"
            )
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", source],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno(), theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
        return address

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._lifeline.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:  # it is still importing
            self._process.kill()
            self._process.wait()


class Forked:
    """A kernel's process that the zygote forked: what jupyter_client asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(
        self, address: str, argv: Sequence[str], env: dict[str, str], cwd: str, stdout: Any = None, stderr: Any = None
    ) -> None:
        """Ask the zygote at `address` for a kernel and wait until it is ready. Raises ForkRefusedError."""
        self.returncode: int | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(f"\0{address}")
            request = json.dumps({"argv": list(argv), "env": env, "cwd": cwd}).encode()
            files = [_descriptor(stdout, 1), _descriptor(stderr, 2)]
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
            socket.send_fds(self._socket, [request], files)
            answer = self._receive()
        except OSError as error:
            self._socket.close()
            raise ForkRefusedError(f"the warm process does not answer ({error.strerror})") from None
        if answer is None or "pid" not in answer:
            self._socket.close()
            raise ForkRefusedError((answer or {}).get("refused", "the warm process ended"))
        self.pid = int(answer["pid"])
        self.poll(wait=_START)

    def _receive(self) -> dict[str, Any] | None:
        message = self._socket.recv(_LARGEST)
        return json.loads(message) if message else None

    def poll(self, wait: float | None = 0.0) -> int | None:
        """Exit status as `subprocess` has it, None while it lives; `wait` seconds for news, None: until there are."""
        if self.returncode is None and select.select([self._socket], [], [], wait)[0]:
            try:
                news = self._receive()
            except OSError:
                news = None
            if news is None:  # the zygote was killed, and the kernel with it
                self.returncode = -signal.SIGKILL
            elif "status" in news:
                self.returncode = int(news["status"])
            if self.returncode is not None:
                self._socket.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ended. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll(None if end is None else max(0.0, end - time.monotonic())) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to it and what it started; nothing where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._socket.send(json.dumps({"signal": int(number)}).encode())

    def kill(self) -> None:
        """End it and what it started, at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it and what it started to end."""
        self.send_signal(signal.SIGTERM)


def _descriptor(file: Any, default: int) -> int:
    return default if file is None else file if isinstance(file, int) else int(file.fileno())


def signature() -> list[tuple[str, int, int]]:
    """What shows without reading it that the package or the lock was changed: dates and sizes of their files."""
    stats = {str(path): path.stat() for path in _files()}
    return sorted((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats.items())


def _files() -> list[Path]:
    return [path for path in [LOCK, *PACKAGE.rglob("*")] if path.suffix != ".pyc" and path.is_file()]


def _for_notebooks(path: Path) -> bool:
    return path.suffix == ".py" and path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in _NOT_FOR_NOTEBOOKS


def serve(listener: int, lifeline: int, owner: int) -> NoReturn:
    """The life of the zygote of process `owner`: imports, then forks for who connects, until `lifeline` is closed."""
    environment = dict(os.environ)
    os.environ.update(_BACKEND)
    _die_with(owner)  # while it imports it does not look at the lifeline
    before = signature()
    broken = _preload()
    _die_with(0)
    kept = memo.prepare([LOCK, *(path for path in _files() if _for_notebooks(path))])
    gc.collect()
    gc.freeze()  # so that a collection in a kernel does not copy every page of what was imported
    _Server(socket.socket(fileno=listener), socket.socket(fileno=lifeline), environment, before, broken, kept).serve()


def _preload() -> str:
    """Import everything; why that failed, "" where it did not."""
    # pandas and others ask at import whether they are in a notebook.
    builtins.get_ipython = lambda: types.SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # debugpy advises to start Python otherwise
            return _import_all()
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def _import_all() -> str:
    rooms = [name for _, name, _ in pkgutil.iter_modules([str(PACKAGE)]) if name not in _NOT_FOR_NOTEBOOKS]
    for name in [*LIBRARIES, *(f"desertion.{room}" for room in rooms)]:
        try:
            importlib.import_module(name)
            package = sys.modules[name]
            if name.startswith("desertion.") and hasattr(package, "__path__"):
                for part in pkgutil.iter_modules(package.__path__):
                    importlib.import_module(f"{name}.{part.name}")
        except Exception as error:  # a cell that imports it will tell more
            return f"{name} cannot be imported ({type(error).__name__}: {error})"
    return ""


class _Server:
    def __init__(
        self,
        listener: socket.socket,
        lifeline: socket.socket,
        environment: dict[str, str],
        before: list[tuple[str, int, int]],
        broken: str,
        kept: Path,
    ) -> None:
        self.listener = listener
        self.lifeline = lifeline
        self.environment = environment
        self.before = before
        self.broken = broken
        self.kept = kept
        self.clients: dict[int, socket.socket] = {}
        self.kernels: dict[int, tuple[int, socket.socket]] = {}  # a process as a file → its id, who asked for it
        self.said = False

    def serve(self) -> NoReturn:
        while True:
            poll = select.poll()  # made anew: unlike epoll it holds no file that a fork would share
            for number in (self.listener.fileno(), self.lifeline.fileno(), *self.clients, *self.kernels):
                poll.register(number, select.POLLIN)
            for number, _ in poll.poll():
                if number == self.lifeline.fileno():
                    for pid, _ in self.kernels.values():
                        _kill(pid, signal.SIGKILL)
                    os._exit(0)
                elif number == self.listener.fileno():
                    self._accept()
                elif number in self.kernels:
                    self._bury(number)
                elif number in self.clients:
                    self._hear(self.clients[number])

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        _, user, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user == os.getuid():
            self.clients[client.fileno()] = client
        else:
            client.close()

    def _hear(self, client: socket.socket) -> None:
        files: list[int] = []
        try:
            message, files, _, _ = socket.recv_fds(client, _LARGEST, 2)
        except OSError:
            message = b""
        pid = next((pid for pid, owner in self.kernels.values() if owner is client), None)
        try:
            if not message:  # who asked for the kernel is gone, and so is the need for it
                if pid is not None:
                    _kill(pid, signal.SIGKILL)
                del self.clients[client.fileno()]
                if pid is None:
                    client.close()
            elif pid is not None:
                _kill(pid, json.loads(message)["signal"])
            else:
                self._start(client, json.loads(message), files)
        finally:
            for file in files:
                os.close(file)

    def _start(self, client: socket.socket, request: dict[str, Any], files: list[int]) -> None:
        why = self._why_not(request["env"])
        if why:
            if not self.said:
                say(f"kernels start cold: {why}")
            self.said = True
            _send(client, {"refused": why})
            return
        pid = os.fork()
        if pid == 0:
            try:
                self._become_kernel(client, request, files)
            except BaseException:
                traceback.print_exc()  # into the kernel's log
            finally:
                os._exit(1)
        self.kernels[os.pidfd_open(pid)] = (pid, client)
        _send(client, {"pid": pid})

    def _why_not(self, wanted: dict[str, str]) -> str:
        """Why a kernel forked now would not be what an ordinary one is; "" where it would."""
        if self.broken:
            return self.broken
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 — pathlib would be slower
        if threads > 1:
            return f"{threads} threads run in the warm process, where a fork is safe with one"
        names = sorted(self.environment.keys() | wanted.keys() - _OWN)
        changed = [name for name in names if name not in _OWN and self.environment.get(name) != wanted.get(name)]
        if changed:
            return f"{', '.join(changed[:5])} changed in the environment"
        return "" if signature() == self.before else "the package or the lock changed while the build ran"

    def _become_kernel(self, client: socket.socket, request: dict[str, Any], files: list[int]) -> None:
        """In the child: shed what belongs to the zygote, take on what an ordinary kernel is started with, and run."""
        os.setsid()
        _die_with(os.getppid())
        for number, descriptor in zip(files, (1, 2), strict=True):
            os.dup2(number, descriptor)
        for number in (*files, *self.kernels):
            os.close(number)
        for one in (self.listener, self.lifeline, *self.clients.values()):
            if one is not client:
                one.close()
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        os.chdir(request["cwd"])
        sys.argv = ["-c", *request["argv"]]
        reads.guard()
        memo.begin(self.kept)
        import numpy as np
        from ipykernel.kernelapp import IPKernelApp

        random.seed()
        np.random.seed()  # the state that forked kernels would share
        status: Any = 1
        try:
            app = IPKernelApp.instance(parent_handle=os.getppid())
            app.initialize(request["argv"])  # type: ignore[no-untyped-call]
            _send(client, {"ready": True})
            client.close()
            app.start()  # type: ignore[no-untyped-call]
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _bury(self, number: int) -> None:
        pid, client = self.kernels.pop(number)
        os.close(number)
        _, status = os.waitpid(pid, 0)
        _send(client, {"status": os.waitstatus_to_exitcode(status)})
        self.clients.pop(client.fileno(), None)
        client.close()


def _send(client: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # it is gone, which the next reading will show
        client.send(json.dumps(message).encode())


def _kill(pid: int, number: int) -> None:
    """Signal a kernel that was not buried yet, and all that it started."""
    try:
        os.killpg(pid, number)
    except OSError:  # it has no group of its own yet
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _die_with(parent: int) -> None:
    """Let the system kill this process when the thread that started it ends; 0: no longer."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL if parent else 0)  # PR_SET_PDEATHSIG
    if parent and os.getppid() != parent:
        os._exit(1)
