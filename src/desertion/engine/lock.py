"""A lock on a folder of build/, so that no two commands write into it at once."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from desertion.engine.display import log


@contextlib.contextmanager
def alone(place: Path, work: str) -> Iterator[None]:
    """Hold the lock of the folder `place`; the system drops it when this process ends, however it ends.

    Where another process holds it, print that its `work` runs, and wait.
    """
    with (place / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log(f"another {work} is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
