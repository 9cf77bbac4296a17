"""A disk cache of slow pure functions, so that cells, kernels and builds share their fits and drawn plots.

It works in IPython kernels; not under pytest or nbval, in CI, or where DESERTION_MEMO is "off" (`--cold`). A result is
kept by the content of the arguments and of the modules that the function may use, as this process holds them: a cell
that redefines a name of the package, or a file edited while its kernel lives, gets results of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pickle
import re
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from desertion.project import BUILD, PACKAGE, code_digest

T = TypeVar("T")
VARIABLE = "DESERTION_MEMO"
FOLDER = BUILD / "memo"
MOST = 512_000_000  # bytes kept; what was not used for longest goes first
_busy = False

_IMPORT = re.compile(r"^ *(?:from|import) (desertion[\w.]*)(?: import +(\([^)]*\)|.*))?", re.M)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:    .*\n|\n)+", re.M)


def recall(function: Callable[..., T], *arguments: Any) -> T:
    """Return `function(*arguments)`, from the cache where it is there.

    `function` depends on nothing but its arguments. Not kept: a call that warns or raises, one inside another, and one
    whose arguments `digest` does not take.
    """
    global _busy
    try:
        folder = None if _busy else _folder()
        path = folder and folder / digest(_state(function.__module__), function, arguments)
    except TypeError:
        path = None
    if path is None:
        return function(*arguments)
    with contextlib.suppress(Exception):  # what cannot be read or loaded is computed again
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
        left = MOST
        files = [path for path in FOLDER.rglob("*") if path.is_file()]
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


def _state(name: str) -> str:
    """Digest of the functions, classes and constants of a module and of all that it imports, as they are now.

    For a module that is not of the package: of all modules of the package that are loaded.
    """
    names = _imported(name) or sorted(one for one in sys.modules if one.startswith("desertion.") and one != __name__)
    return digest([_own(vars(importlib.import_module(one))) for one in names], lenient=True)


def _own(space: Mapping[str, Any]) -> list[Any]:
    """What a module or class defines: its names and methods, not what Python notes of it, nor the modules in it."""
    return [
        (name, sorted(map(repr, one)) if isinstance(one, set | frozenset) else one)
        for name, one in sorted(space.items())
        if isinstance(one, FunctionType) or not (name.startswith("__") or isinstance(one, ModuleType))
    ]


@lru_cache
def _imported(name: str) -> list[str]:
    """The modules of the package that importing and calling the functions of a module may load, in order of names.

    What else a process has loaded does not count, so that builds and JupyterLab share their results.
    """
    names: set[str] = set()
    left = [name]
    while left:
        name = left.pop()
        path = PACKAGE.parent / name.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in names or not path.is_file():
            continue
        names.add(name)
        left.append(name.rpartition(".")[0])
        for module, parts in _IMPORT.findall(_FOR_TYPES.sub("", path.read_text(encoding="utf-8"))):
            left += [module, *(f"{module}.{part}" for part in re.findall(r"\w+", parts))]
    return sorted(names - {__name__, "desertion"})  # the root computes nothing, and knows how it was imported


def digest(*values: object, lenient: bool = False) -> str:
    """SHA-256 of the content of `values`, the same in every process; for two values only where they are equal.

    Raises TypeError for a value that has no such content; with `lenient` its type stands for it. The order of a set is
    of its process: a result with a set among its arguments is found again in that process alone.
    """
    content = io.BytesIO()
    _Content(content, lenient).dump(values)
    return sha256(content.getbuffer()).hexdigest()


class _Content(pickle.Pickler):
    """Writes values by their content: a function is what it does, and it does not matter what is one object."""

    def __init__(self, file: io.BytesIO, lenient: bool) -> None:
        super().__init__(file, protocol=5)
        self.fast = True  # without references to what came before
        self.lenient = lenient
        # functions, classes and what modules hold, each of which is written once: its number, and itself to keep its id
        self.seen: dict[int, tuple[int, object]] = {}

    def reducer_override(self, value: Any) -> Any:
        """Stand-in of a value that is not plain: the parts by which it is known."""
        if value is str:
            return NotImplemented
        of = value if isinstance(value, FunctionType | type) else type(value)
        number = len(self.seen)
        if self.lenient or of is value:
            first, _ = self.seen.setdefault(id(value), (number, value))
            if first != number:
                return str, (first,)
        return str, (f"{of.__module__}.{of.__qualname__}", *self.parts(value, type(value)))

    def parts(self, value: Any, kind: type) -> tuple[Any, ...]:
        """What tells a value from others of its kind."""
        if isinstance(value, FunctionType):
            return _code(value.__code__), value.__defaults__, value.__kwdefaults__
        if isinstance(value, type):
            return (_own(vars(value)),) if self.lenient and value.__module__.startswith("desertion") else ()
        if isinstance(value, date):
            return (str(value),)
        if isinstance(value, Mapping):
            return (dict(value),)
        if isinstance(value, tuple | list):
            return tuple(value)
        if hasattr(kind, "tobytes") and hasattr(kind, "dtype"):
            return value.dtype.str, value.shape, value.tolist() if value.dtype.hasobject else value.tobytes()
        if kind.__qualname__ == "DataFrame":
            columns = [(str(value.dtypes.iloc[at]), value.iloc[:, at].tolist()) for at in range(value.shape[1])]
            return value.columns.tolist(), value.index.tolist(), columns
        if is_dataclass(value):
            return tuple(getattr(value, field.name) for field in fields(value))
        for name in ("fget", "func", "__wrapped__"):  # of properties, partial functions, decorated functions
            if hasattr(value, name):
                return (getattr(value, name),)
        if not self.lenient:
            raise TypeError(f"a value of type {kind.__qualname__} cannot be a key of the cache")
        return ()


@cache
def _code(code: CodeType) -> str:
    """Digest of what a function does, whatever lines it stands on."""
    constants = [
        _code(one) if isinstance(one, CodeType) else sorted(map(repr, one)) if isinstance(one, frozenset) else repr(one)
        for one in code.co_consts
    ]
    return digest(code.co_code, code.co_names, constants)
