"""Private folders of runs, with the sockets and logs of kernels, and what is left of processes that were killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from desertion.errors import UserError

_NAME = re.compile(r"desertion-([0-9]+)-\w+")


def _base() -> Path:
    """A folder with a short path, since the path of a Unix socket has at most about 100 bytes."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = Path(runtime).is_absolute() and len(os.fsencode(runtime)) <= 40 and os.access(runtime, os.W_OK | os.X_OK)
    return Path(runtime if usable else "/tmp")


def make_folder() -> Path:
    """A new folder of this process that only its user can enter. Raises UserError where it cannot be made."""
    try:
        return Path(tempfile.mkdtemp(prefix=f"desertion-{os.getpid()}-", dir=_base()))
    except OSError as error:
        raise UserError(f"{_base()}: the folder for a kernel's sockets cannot be made: {error.strerror}") from None


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A new folder of this process, while the context lasts."""
    made = make_folder()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def remove_folders(pid: int) -> None:
    """Remove the private folders of the kernels of process `pid`, which ends or was killed."""
    for _ in range(20):  # a kernel that is about to end with it may still write there
        paths = list(_base().glob(f"desertion-{pid}-*"))
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
        if not paths:
            return


def remove_leftovers(place: Path) -> None:
    """Remove what killed builds left in `place`, unless a build runs there now, and what their kernels left."""
    with contextlib.suppress(OSError), (place / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in place.glob(".new-*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in place.glob(".*.part"):
            path.unlink(missing_ok=True)
    for path in _base().glob("desertion-*-*"):
        match = _NAME.fullmatch(path.name)
        if match and path.stat().st_uid == os.getuid() and not _lives(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return state.split()[0] != "Z"  # ended, though no process has taken note of it
