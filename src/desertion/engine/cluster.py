"""Runs the sets of a sweep on the machines of a dask.distributed cluster, each of which must have this same clone.

Whoever can connect to a scheduler runs code on its machines. An address `tls://…` takes the certificates of the dask
configuration (`distributed.comm.tls`), with which a scheduler turns away everybody else.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from desertion.engine import receipt
from desertion.engine.workers import Answer, Task, Workers
from desertion.errors import UserError
from desertion.project import code
from desertion.text import shown

#: A result's name and value; the error where there is none.
Row = tuple[str, Any, str]
_ADDRESS = re.compile(r"(?:(tcp|tls)://)?([\w.-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_SECONDS = 10  # until a scheduler must have answered


def run(tasks: Iterable[Task], address: str, before: Callable[[], None], cold: bool) -> Iterator[tuple[str, list[Row]]]:
    """Run `tasks` on the cluster of the scheduler at `address`; the rows of each by its name, as they come.

    `before` is called once there is a connection. Raises UserError where no scheduler answers.
    """
    client = _connect(address)
    from distributed import as_completed

    names: dict[str, str] = {}
    version = _version()

    def submit(task: Task) -> Any:
        future = client.submit(_run_remotely, task, version, cold, pure=False, retries=2)
        names[future.key] = task.name
        return future

    with client:
        before()
        left = iter(tasks)
        threads = sum(client.nthreads().values()) or 1
        # A few for each thread: neither side then holds more when there are more sets.
        running = as_completed([submit(one) for one in itertools.islice(left, 4 * threads)], loop=client.loop)
        for future in running:
            lost = future.exception()
            rows = [("", "", f"the cluster lost it: {lost}")] if lost else future.result()
            yield names.pop(future.key), rows
            for one in itertools.islice(left, 1):
                running.add(submit(one))


def _connect(address: str) -> Any:
    """A client of the scheduler at `address`."""
    where = f"--scheduler {shown(address)}"
    match = _ADDRESS.fullmatch(address)
    if not match or not 0 < int(match[3]) < 65_536:
        raise UserError(f"{where}: must be tcp://HOST:PORT or tls://HOST:PORT, as `dask scheduler` prints it")
    try:
        from distributed import Client, Security
        from distributed.comm import connect
    except ImportError:
        raise UserError("--scheduler needs dask.distributed: pip install -e '.[cluster]' in the clone") from None
    keys = Security().get_connection_args("client") if match[1] == "tls" else {}
    if match[1] == "tls" and not keys.get("ssl_context"):
        raise UserError(f"{where}: TLS needs certificates: name them in the dask configuration, distributed.comm.tls")

    async def greet() -> None:
        """Shake hands as dask does: a client of its own would try again and again."""
        comm = await asyncio.wait_for(connect(address, timeout=_SECONDS, **keys), _SECONDS)
        await comm.close()

    try:
        asyncio.run(greet())
        return Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        answer = "none of dask" if isinstance(error, OSError) else "that is no name of a machine"
        why = getattr(error, "strerror", None) or answer  # a library's own words name its classes
        raise UserError(f"{where}: no scheduler answers there ({why}): start it, or correct the address") from None


def results(
    workers: Workers, tasks: Iterable[Task], before: Callable[[], None] = lambda: None
) -> Iterator[tuple[str, list[Row]]]:
    """Run `tasks` in worker processes; the rows of each by its name, as they come."""
    for task, message in workers.run(tasks, before=before):
        if isinstance(message, Answer):
            yield task.name, message.value
        elif isinstance(message, Exception):
            yield task.name, [("", "", str(message))]


_own = threading.local()


def _version() -> dict[str, str]:
    """The code of this clone; clusters mix processors, on which only the last digits of results depend."""
    return {name: content for name, content in code().items() if name != "processor"}


def _run_remotely(task: Task, version: dict[str, str], cold: bool) -> list[Row]:
    """Run a set on a cluster, in a worker process that this thread keeps while the code is of one `version`."""
    kept = vars(_own)
    if kept.get("version") != version:
        if differences := receipt.differences(version, _version()):
            return [("", "", f"this clone of the cluster differs from that of the sweep: {differences}")]
        if kept:
            kept["workers"].__exit__()
        kept.update(version=version, workers=Workers(1, cold=cold))
    return next(rows for _, rows in results(kept["workers"], [task]))
