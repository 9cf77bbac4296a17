"""A disk cache of slow pure functions, so that cells, kernels and builds share their fits and drawn plots.

It works in IPython kernels; not under pytest or nbval, in CI, or where DESERTION_MEMO is "off" (`--cold`). A result is
kept by the content of the arguments and of the package as this process holds it: a cell that redefines a name of the
package, or a file edited while its kernel lives, gets results of its own.
"""

from __future__ import annotations

import contextlib
import operator
import os
import pickle
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeVar

from desertion.project import BUILD, code_digest

T = TypeVar("T")
VARIABLE = "DESERTION_MEMO"
FOLDER = BUILD / "memo"
MOST = 512_000_000  # bytes kept; what was not used for longest goes first
_busy = False
Spaces = list[Mapping[str, Any]]


class _Package(NamedTuple):
    """The package as it was when its digest was taken."""

    names: list[str]
    spaces: Spaces  # of modules and classes
    tables: list[Any]
    functions: list[FunctionType]
    held: list[Any]
    digest: str


_package = _Package([], [], [], [], [], "")


def recall(function: Callable[..., T], *arguments: Any) -> T:
    """Return `function(*arguments)`, from the cache where it is there.

    `function` depends on nothing but its arguments. Not kept: a call that warns or raises, one inside another, and one
    whose arguments `digest` does not take.
    """
    global _busy
    try:
        folder = None if _busy else _folder()
        path = folder and folder / digest(_state(), function, arguments)
    except TypeError:
        path = None
    if path is None:
        return function(*arguments)
    with contextlib.suppress(OSError):
        stored = path.read_bytes() if _ours(path) else b""
        if sha256(stored[32:]).digest() == stored[:32]:  # else a full disk or a power cut left part of it
            os.utime(path)
            kept: T = pickle.loads(stored[32:])
            return kept
    _busy = True
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = function(*arguments)
    finally:
        _busy = False
    for one in caught:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    if not caught:
        content = pickle.dumps(result, protocol=5)
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
                part.write(sha256(content).digest() + content)
            Path(part.name).replace(path)
    return result


@lru_cache(maxsize=1)
def _folder() -> Path | None:
    """The folder of results for this code; None where this process keeps none.

    A pickle can run a command: a folder that belongs to somebody else, or that others may write to, is not used.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    off = os.environ.get("CI") or "PYTEST_VERSION" in os.environ or os.environ.get(VARIABLE) == "off"
    if off or not hasattr(shell, "kernel") or not hasattr(os, "getuid"):
        return None
    folder = FOLDER / code_digest()[:16]
    with contextlib.suppress(OSError):
        for place in (FOLDER, folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _ours(place):
                return None
        files = [path for path in FOLDER.rglob("*") if path.is_file()]
        left = MOST
        for path in sorted(files, key=lambda path: (path.parent != folder, -path.stat().st_mtime_ns)):
            left -= path.stat().st_size
            if left < 0 or path.suffix == ".part":
                path.unlink(missing_ok=True)
        return folder
    return None


def _ours(path: Path) -> bool:
    """Whether the file or folder is no link, belongs to this user, and nobody else may write to it."""
    status = path.lstat()
    return not stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _state() -> str:
    """Digest of the functions, classes and constants of the package as this process holds them now.

    Without those of the engine, which are in the kernels of a build alone and decide no result.
    """
    global _package
    names = [name for name in sys.modules if name.startswith("desertion.") and name != __name__]
    names = [name for name in names if not name.startswith("desertion.engine")]
    now = _held(_package.spaces, _package.tables, _package.functions)
    if names != _package.names or len(now) != len(_package.held) or not all(map(operator.is_, now, _package.held)):
        spaces: Spaces = [vars(sys.modules[name]) for name in names]
        own = [value for name in sorted(names) for value in _own(vars(sys.modules[name]))]
        tables, functions = _parts(own, spaces)
        _package = _Package(
            names, spaces, tables, functions, _held(spaces, tables, functions), digest(*own, lenient=True)
        )
    return _package.digest


def _held(spaces: Spaces, tables: list[Any], functions: list[FunctionType]) -> list[Any]:
    """All objects that a cell could replace: in namespaces, tables and arrays, and the code of functions."""
    held = list(chain.from_iterable(space.values() for space in spaces))
    for table in tables:
        if isinstance(table, dict):
            held += (*table, *table.values())
        else:  # of an array its bytes: numbers below 256, each of which is one object
            held += table.tobytes() if hasattr(table, "tobytes") else table
    return held + [function.__code__ for function in functions]  # which autoreload replaces


def _parts(values: Iterable[Any], spaces: Spaces) -> tuple[list[Any], list[FunctionType]]:
    """The tables, arrays and functions among `values` and inside them, each once; classes are added to `spaces`."""
    tables: list[Any] = []
    functions: list[FunctionType] = []
    seen: set[int] = set()
    left = list(values)
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set | tuple | frozenset):
            tables.append(value)
            left += value.values() if isinstance(value, dict) else value
        elif hasattr(type(value), "tobytes"):
            tables.append(value)
        elif isinstance(value, FunctionType):
            functions.append(value)
        elif isinstance(value, type) and value.__module__.startswith("desertion"):
            spaces.append(vars(value))
            left += _own(vars(value))
    return tables, functions


def _own(space: Mapping[str, Any]) -> list[Any]:
    """What a module or class defines: its names and methods, not what Python notes of it."""
    return [one for name, one in space.items() if isinstance(one, FunctionType) or not name.startswith("__")]


def digest(*values: object, lenient: bool = False) -> str:
    """SHA-256 of the content of `values`: the same in every process, and for two values only where they are equal.

    Raises TypeError for a value that has no such content; with `lenient` its type stands for it.
    """
    return sha256(repr(_content(values, lenient)).encode(errors="surrogatepass")).hexdigest()


def _content(value: Any, lenient: bool) -> Any:
    """The content of `value` in nested tuples of plain values."""

    def inner(*parts: Any) -> tuple[Any, ...]:
        return tuple(_content(part, lenient) for part in parts)

    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes) or isinstance(value, date):
        return value
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, tuple | list):
        return name, inner(*value)
    if isinstance(value, Mapping):
        return "mapping", inner(*value.items())
    if isinstance(value, set | frozenset):
        return name, sorted(map(repr, inner(*value)))
    if hasattr(kind, "tobytes") and hasattr(kind, "dtype"):
        plain = inner(value.tolist()) if value.dtype.hasobject else sha256(value.tobytes()).hexdigest()
        return name, value.dtype.str, value.shape, plain
    if kind.__qualname__ == "DataFrame":
        columns = [(str(value.dtypes.iloc[at]), value.iloc[:, at].tolist()) for at in range(value.shape[1])]
        return name, inner(value.columns.tolist(), value.index.tolist(), columns)
    if is_dataclass(value) and not isinstance(value, type):
        return name, inner(*(getattr(value, field.name) for field in fields(value)))
    if isinstance(value, FunctionType):
        return value.__module__, value.__qualname__, inner(value.__code__, value.__defaults__, value.__kwdefaults__)
    if isinstance(value, CodeType):
        return value.co_code, value.co_names, inner(*value.co_consts)
    if isinstance(value, property):
        return inner(value.fget)
    if isinstance(value, type) and value.__module__.startswith("desertion"):
        return value.__qualname__, tuple(_content(one, lenient=True) for one in _own(vars(value)))
    if hasattr(value, "__wrapped__"):
        return inner(value.__wrapped__)
    if lenient:
        return name
    raise TypeError(f"a value of type {name} cannot be a key of the cache")
