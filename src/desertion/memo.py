"""Disk cache of slow pure functions, by the content of their arguments, so that notebooks and builds share their results.

It works in IPython kernels (JupyterLab, builds, sweeps), not on the command line, under pytest and nbval, in CI or with
DESERTION_MEMO=off. Results are pickles in `build/memo/`, in a folder named by `project.code_digest`. A kernel whose
package is not what the files say (`imported`) neither reads nor keeps any.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from desertion import imported
from desertion.project import BUILD, code_digest

T = TypeVar("T")

VARIABLE = "DESERTION_MEMO"
FOLDER = BUILD / "memo"
#: The most that is kept, in bytes; what was not used for longest goes first.
MOST = 512_000_000
_DIGEST = 32  # bytes of a SHA-256
_inside = ContextVar("_inside", default=False)


def recall(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, from the cache where it is there.

    `function` depends on nothing but its arguments. Not cached: a call that warns or raises, one inside another, and
    one with arguments that `digest` does not take. Raises what `function` raises.
    """
    folder = None if _inside.get() or not imported.unchanged() else _folder(imported.count())
    if folder is None:
        return function(*arguments)
    try:
        path = folder / digest(_setting(), function, *arguments)
    except (pickle.PicklingError, AttributeError, RecursionError, TypeError, ValueError):
        return function(*arguments)
    with contextlib.suppress(Exception):  # whatever is wrong with the file, the result can be computed
        with path.open("rb") as file:
            content = file.read() if _ours(os.fstat(file.fileno())) else b""
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
            cached: T = pickle.loads(content[_DIGEST:])
            os.utime(path)
            return cached
    token = _inside.set(True)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            result = function(*arguments)
        if warned:
            return function(*arguments)  # as without a cache, whatever warnings are shown
    finally:
        _inside.reset(token)
    content = pickle.dumps(result, protocol=5)
    with contextlib.suppress(OSError):
        _write(path, hashlib.sha256(content).digest() + content)
    return result


def _write(path: Path, content: bytes) -> None:
    """Not `project.write_atomic`: the digest shows a loss, so nothing waits for the disk, and nobody else may read."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink()
            raise


@lru_cache(maxsize=1)
def _folder(modules: int) -> Path | None:
    """The folder of results, with its limit kept, or None. Decided again where more `modules` are imported."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    tested = os.environ.get("CI") or os.environ.get("PYTEST_VERSION")
    if os.name != "posix" or not hasattr(shell, "kernel") or tested or os.environ.get(VARIABLE) == "off":
        return None
    folder = FOLDER / code_digest()[:16]
    if not imported.as_on_disk():
        return None
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not all(_ours(place.lstat(), stat.S_IFDIR) for place in (folder.parent, folder)):
            return None
        for other in FOLDER.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        left = MOST
        for path in sorted(folder.iterdir(), key=lambda path: -path.stat().st_mtime_ns):
            left -= path.stat().st_size
            if left < 0 or path.suffix == ".part":
                path.unlink(missing_ok=True)
    except OSError:
        return None
    return folder


def _ours(found: os.stat_result, kind: int = stat.S_IFREG) -> bool:
    """Whether it is of that kind (a link is not), ours, and nobody else may write to it: a pickle can run commands."""
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == os.getuid() and not found.st_mode & 0o022


@lru_cache(maxsize=1)
def _setting() -> tuple[Any, ...]:
    """What a result hangs on beside the code: the installed packages, and how numpy computes."""
    packages = sorted(path.name for folder in sys.path for path in Path(folder).glob("*.dist-info"))
    threads = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    names = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")
    return packages, threads, [os.environ.get(name) for name in names]


class _Content(pickle.Pickler):
    """Pickles content alone: not how an array or frame lies in memory, nor what an object has computed of itself."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if "__main__" in (kind.__module__, getattr(value, "__module__", "")):
            raise pickle.PicklingError("a cell may define it otherwise next time")
        if is_dataclass(kind) and kind.__reduce__ is object.__reduce__:
            return kind, tuple(getattr(value, field.name) for field in fields(value))
        if kind.__name__ == "ndarray":
            return kind, (value.dtype, value.shape, value.tolist() if value.dtype.hasobject else value.tobytes())
        if kind.__name__ == "DataFrame":
            columns = [(dtype, value.iloc[:, i].tolist()) for i, dtype in enumerate(value.dtypes)]
            axes = [(axis.names, axis.tolist()) for axis in (value.columns, value.index)]
            return kind, (axes, columns, value.attrs)
        return NotImplemented


def digest(*values: object) -> str:
    """SHA-256 of the content of `values`, in hexadecimal. Raises for what cannot be pickled or is defined in a cell."""
    found = hashlib.sha256()
    pickler = _Content(SimpleNamespace(write=found.update), protocol=5)
    pickler.fast = True  # each object in full: which of them are one and the same is no content
    pickler.dump(values)
    return found.hexdigest()
