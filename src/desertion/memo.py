"""Disk cache of slow pure functions, by the content of their arguments; notebooks, builds and sweeps share it.

It is on in IPython kernels (JupyterLab, builds), and off on the command line, under pytest and nbval, in CI and with
DESERTION_MEMO=off. Results are pickles in `build/memo/`, in a folder named by `project.code_digest`. A kernel whose
modules are not what their files say (`imported`) neither reads nor keeps any.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import shutil
import stat
import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from desertion import imported
from desertion.project import BUILD, code_digest, write_atomic

T = TypeVar("T")

FOLDER = BUILD / "memo"
#: Bytes that are kept at most; the results not used for longest go first.
MOST = 512_000_000
_DIGEST = 32  # bytes of a SHA-256
_inside = ContextVar("_inside", default=False)


def recall(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, from the cache where it is there.

    `function` depends on nothing but its arguments. Not kept: a call that warns or raises, one inside another, and one
    with arguments that `digest` does not take. Raises what `function` raises.
    """
    folder = _folder(imported.count()) if imported.unchanged() and not _inside.get() else None
    if folder is None:
        return function(*arguments)
    try:
        path = folder / digest(_setting(), function, *arguments)
    except (pickle.PicklingError, AttributeError, RecursionError, TypeError, ValueError):
        return function(*arguments)
    with contextlib.suppress(Exception):  # whatever is wrong with the file, the result can be computed
        with path.open("rb") as file:
            content = file.read() if _is_safe(os.fstat(file.fileno()), stat.S_IFREG) else b""
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
            kept: T = pickle.loads(content[_DIGEST:])
            os.utime(path)
            return kept
    token = _inside.set(True)
    try:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            result = function(*arguments)
        if raised:
            return function(*arguments)  # warns as it does without a cache
    finally:
        _inside.reset(token)
    with contextlib.suppress(OSError):
        content = pickle.dumps(result, protocol=5)
        write_atomic(path, hashlib.sha256(content).digest() + content, durable=False)
    return result


@lru_cache(maxsize=1)
def _folder(modules: int) -> Path | None:  # `modules`: where more are imported, it is decided again
    """The folder of results, the old ones removed; None where none are kept."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    tested = os.environ.get("CI") or os.environ.get("PYTEST_VERSION") or os.environ.get("DESERTION_MEMO") == "off"
    if tested or not hasattr(shell, "kernel") or os.name != "posix":
        return None
    try:
        folder = FOLDER / code_digest()[:16]
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        safe = all(_is_safe(place.lstat(), stat.S_IFDIR) for place in (FOLDER, folder))
        if not safe or not imported.as_on_disk():
            return None
        for other in set(FOLDER.iterdir()) - {folder}:
            shutil.rmtree(other, ignore_errors=True)
        left = MOST
        for path in sorted(folder.iterdir(), key=lambda path: -path.stat().st_mtime_ns):
            left -= path.stat().st_size
            if left < 0 or path.suffix == ".part":
                path.unlink(missing_ok=True)
    except OSError:
        return None
    return folder


def _is_safe(state: os.stat_result, kind: int) -> bool:
    """Whether it is of that kind, ours, and nobody else may write to it: loading a pickle can run commands."""
    return stat.S_IFMT(state.st_mode) == kind and state.st_uid == os.getuid() and not state.st_mode & 0o022


@lru_cache(maxsize=1)
def _setting() -> tuple[object, ...]:
    """What results depend on beside code and arguments: the installed packages, and how their numerics are set."""
    packages = sorted(path.name for folder in sys.path for path in Path(folder).glob("*.dist-info"))
    threads = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    names = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")
    return packages, threads, [os.environ.get(name) for name in names]


class _Pickler(pickle.Pickler):
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
            axes = [(axis.names, axis.dtype, axis.tolist()) for axis in (value.columns, value.index)]
            return kind, (axes, columns, value.attrs)
        return NotImplemented


def digest(*values: object) -> str:
    """SHA-256 of the content of `values`, in hexadecimal. Raises for what cannot be pickled or is defined in a cell."""
    sha = hashlib.sha256()
    pickler = _Pickler(SimpleNamespace(write=sha.update), protocol=5)
    pickler.fast = True  # each object in full: whether two are one object is no content
    pickler.dump(values)
    return sha.hexdigest()
