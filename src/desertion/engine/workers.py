"""Runs notebooks and functions side by side in worker processes, each one at a time; none outlives its parent.

Processes and not threads, since papermill is not written for threads. Not a pool of `concurrent.futures`, which is
broken as a whole when one of its processes is killed, and whose idle processes outlive a parent that is killed: here
that costs one task and nothing lives on, and progress is reported while a task runs.
"""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

from desertion.engine.private import remove_folders
from desertion.engine.run import import_papermill
from desertion.engine.surroundings import AGAIN, WITHOUT_CACHE, environment
from desertion.errors import UserError


@dataclass(frozen=True)
class Task:
    """A call of `function`, which can be pickled; `name` stands for it in messages.

    The worker adds the arguments `progress`, to be called with the numbers of steps done and of all steps, and `ready`,
    to be called before the first step: it waits until the parent is ready.
    """

    name: str
    function: Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """The value that a task returned."""

    value: Any


#: Message of a running task: (steps done, all steps), then how it ended. A RuntimeError is a fault of this program.
Message = tuple[int, int] | Answer | UserError | RuntimeError
# From the parent to a worker: its task may go on.
_GO = "go"
_FILES = 100  # that a worker and its kernel may have open, with room to spare


class Workers:
    """Up to `count` worker processes, as a context manager: they are gone when it is left, however it is left."""

    def __init__(self, count: int, *, cold: bool = False, again: bool = False) -> None:
        """With `cold` their kernels do without the cache of fits, with `again` they have sets in another order."""
        may_open = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if may_open < _FILES:
            raise UserError(
                f"at most {may_open} files may be open, and a run needs {_FILES}: `ulimit -n 1024` allows more"
            )
        self._count = count
        # That of their kernels, since a process to fork kernels from has the environment of the worker that starts it.
        self._environment = environment(Path(os.devnull)) | (WITHOUT_CACHE if cold else {}) | (AGAIN if again else {})
        self._running: dict[Connection[Any, Any], subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Workers:
        for _ in range(self._count):
            self._start()  # they import papermill while the caller prepares the tasks
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
                remove_folders(process.pid)

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = Pipe()
        self._running[ours] = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {__name__} import work; work({theirs.fileno()})"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C reaches the caller only, which then ends the workers
        )
        theirs.close()
        return ours

    def run(
        self,
        tasks: Iterable[Task],
        *,
        tick: Callable[[], None] = lambda: None,
        before: Callable[[], None] = lambda: None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[Task, Message]]:
        """Run `tasks`, taken one by one in their order, and yield the messages of each as they come.

        The last message of a task is its end. `before` is called once, while the first kernels start: no cell runs
        until it has returned. Then `meanwhile` is called once, and `tick` in each second without a message.
        """
        first = True
        waiting = iter(tasks)
        idle = list(self._running)
        busy: dict[Connection[Any, Any], Task] = {}
        while True:
            started = []
            while idle or len(self._running) < self._count:
                task = next(waiting, None)
                if task is None:
                    break
                connection = idle.pop(0) if idle else self._start()
                started.append(connection)
                busy[connection] = task
                _send(connection, task)
            if first:
                before()
            for connection in started:
                _send(connection, _GO)
            if first:
                meanwhile()
                first = False
            if not busy:
                return
            messages = wait(list(busy), timeout=1)
            if not messages:
                tick()
            for ready in messages:
                assert isinstance(ready, Connection)
                task = busy[ready]
                try:
                    message: Message = ready.recv()
                except (EOFError, OSError):
                    message = self._remove(ready, task.name)
                    del busy[ready]
                else:
                    if not isinstance(message, tuple):
                        idle.append(ready)
                        del busy[ready]
                yield task, message

    def _remove(self, connection: Connection[Any, Any], name: str) -> UserError:
        """Clear up after a worker that died; the error for its task."""
        process = self._running.pop(connection)
        connection.close()
        status = process.wait()
        remove_folders(process.pid)
        why = "was killed (out of memory?)" if status == -9 else f"ended with status {status}"
        return UserError(f"{name}: its worker process {why}; nothing of the run was kept")


def _send(connection: Connection[Any, Any], content: Task | str) -> None:
    with contextlib.suppress(OSError):  # the worker died, as the next reading from it shows
        connection.send(content)


def work(descriptor: int) -> None:
    """Main loop of a worker process: receive tasks and send messages over the connection `descriptor`.

    It ends without a word when the other end is closed, even by kill -9, and its kernel with it: whichever of receiving
    and sending notices first.
    """
    connection: Connection[Any, Any] = Connection(descriptor)
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    go = threading.Event()

    def end() -> NoReturn:
        remove_folders(os.getpid())
        os._exit(0)

    def receive() -> None:
        try:
            while True:
                content = connection.recv()
                if content == _GO:
                    go.set()
                else:
                    go.clear()
                    tasks.put(content)
        except (EOFError, OSError):
            end()

    def send(message: Message) -> None:
        try:
            connection.send(message)
        except OSError:
            end()

    threading.Thread(target=receive, daemon=True).start()
    import_papermill()
    while True:
        task = tasks.get()
        send(_end_of(task, progress=lambda done, total: send((done, total)), ready=go.wait))


def _end_of(task: Task, **arguments: Any) -> Message:
    """Make the call of a task; its last message."""
    try:
        return Answer(task.function(**arguments))
    except UserError as error:
        return error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return UserError(f"{task.name}: {where}{error.strerror or error}")
    except Exception:
        return RuntimeError(f"{task.name}:\n{traceback.format_exc()}")
