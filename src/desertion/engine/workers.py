"""Runs notebooks side by side, each worker process one at a time; none outlives the process that started it.

Processes and not threads, since papermill is not written for threads; plain ones and not a pool of the standard
library, whose idle workers live on when their parent is killed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from desertion.engine.run import RunRecord, import_papermill, run, sweep
from desertion.engine.surroundings import environment
from desertion.engine.zygote import Zygote
from desertion.errors import UserError
from desertion.project import ROOT, relative


@dataclass(frozen=True)
class Job:
    """The arguments of `desertion.engine.run.run`."""

    notebook: Path
    output: Path
    parameters: dict[str, Any]
    failed: Path | None = None
    timeout: int | None = 600
    data: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """What a message calls it."""
        return relative(self.notebook)


@dataclass(frozen=True)
class Task:
    """A call of `function` with `arguments` and the address of the zygote; all of it can be pickled."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """What a `Task` returned."""

    value: Any


#: What a running job reports: (code cells done, code cells there are), then how it ended. A RuntimeError is a fault
#: of this program.
Message = tuple[int, int] | RunRecord | Answer | UserError | RuntimeError
AnyJob = TypeVar("AnyJob", Job, Task)


class Workers:
    """Up to `count` worker processes, as a context manager: they are gone when it is left, however it is left."""

    def __init__(self, count: int, *, cold: bool = False) -> None:
        """With `cold` each kernel is an ordinary one; without, they are forked from a process that they share."""
        self._zygote = None if cold else Zygote(environment(Path(os.devnull)))
        self._address = ""
        self._running: dict[Connection[Any, Any], subprocess.Popen[bytes]] = {}
        self._count = count

    def __enter__(self) -> Workers:
        if self._zygote is not None:
            self._address = self._zygote.__enter__()
        for _ in range(self._count):
            self._start()  # they import papermill while the caller still checks its data
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._running:
            connection.close()  # which ends the worker and, with it, its kernel
        end = time.monotonic() + 2
        for process in self._running.values():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                sweep(process.pid)
        if self._zygote is not None:
            self._zygote.__exit__()

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = Pipe()
        source = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from desertion.engine.workers import work; "
        self._running[ours] = subprocess.Popen(
            [sys.executable, "-P", "-c", source + f"work({theirs.fileno()}, {self._address!r})"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C reaches the caller only, which then ends the workers
        )
        theirs.close()
        return ours

    def run(
        self,
        jobs: Iterable[AnyJob],
        *,
        tick: Callable[[], None] = lambda: None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[AnyJob, Message]]:
        """Run `jobs`, taken one by one in their order, and yield what each reports as it comes.

        The last message of a job is its end. `tick` is called in each second in which nothing comes, `meanwhile` once,
        when the first jobs are on their way.
        """
        once = [meanwhile]
        waiting = iter(jobs)
        idle = list(self._running)
        busy: dict[Connection[Any, Any], AnyJob] = {}
        while True:
            while idle or len(self._running) < self._count:
                job = next(waiting, None)
                if job is None:
                    break
                connection = idle.pop(0) if idle else self._start()
                busy[connection] = job
                with contextlib.suppress(OSError):  # it died before its first job: reading from it says so
                    connection.send(job)
            if once:
                once.pop()()
            if not busy:
                return
            answers = wait(list(busy), timeout=1)
            if not answers:
                tick()
            for ready in answers:
                assert isinstance(ready, Connection)
                job = busy[ready]
                try:
                    message: Message = ready.recv()
                except (EOFError, OSError):
                    message = self._bury(ready, job.name)
                    del busy[ready]
                else:
                    if not isinstance(message, tuple):
                        idle.append(ready)
                        del busy[ready]
                yield job, message

    def _bury(self, connection: Connection[Any, Any], name: str) -> UserError:
        process = self._running.pop(connection)
        connection.close()
        status = process.wait()
        sweep(process.pid)
        why = "was killed (out of memory?)" if status == -9 else f"ended with status {status}"
        return UserError(f"{name}: its worker process {why}; nothing of the run was kept")


def work(descriptor: int, zygote: str) -> None:
    """The life of a worker process: jobs in, messages out, over the connection `descriptor`; kernels from `zygote`.

    It ends without a word when the other end is closed, even by kill -9, and its kernel with it: whichever of receiving
    and sending notices first.
    """
    connection: Connection[Any, Any] = Connection(descriptor)
    jobs: queue.SimpleQueue[Job | Task] = queue.SimpleQueue()

    def end() -> NoReturn:
        sweep(os.getpid())
        os._exit(0)

    def listen() -> None:
        try:
            while True:
                jobs.put(connection.recv())
        except (EOFError, OSError):
            end()

    def send(message: Message) -> None:
        try:
            connection.send(message)
        except OSError:
            end()

    threading.Thread(target=listen, daemon=True).start()
    import_papermill()
    while True:
        send(_message(jobs.get(), send, zygote))


def _message(job: Job | Task, send: Callable[[Message], None], zygote: str) -> Message:
    try:
        if isinstance(job, Task):
            return Answer(job.function(*job.arguments, zygote))
        return run(
            job.notebook,
            job.output,
            job.parameters,
            failed=job.failed,
            timeout=job.timeout,
            progress=lambda done, total: send((done, total)),
            zygote=zygote,
            data=job.data,
        )
    except UserError as error:
        return error
    except OSError as error:
        return UserError(f"{job.name}: {error.filename or ''}: {error.strerror}")
    except Exception:
        return RuntimeError(f"{job.name}:\n{traceback.format_exc()}")
