"""Results kept by content: a fit depends on its reports and its model, so that many runs need to find it only once.

A kernel forked from a warm process (`engine.zygote`) keeps them in `build/memo/`, in a folder named by the digest of
the package, the lock and the Python: what they are found by cannot be of other code. Elsewhere (JupyterLab, nbval,
`--cold`) nothing is kept and nothing is looked up. A cell that rebinds a name of the package, or changes one of its
tables in place, ends both for its run.
"""

from __future__ import annotations

import contextlib
import hashlib
import operator
import os
import pickle
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

from desertion.project import BUILD

T = TypeVar("T")

FOLDER = BUILD / "memo"
#: The most that is kept, in bytes; what was not used for longest goes first.
MOST = 512_000_000
_DIGEST = 32  # bytes of a SHA-256

_folder: Path | None = None
_names: list[tuple[dict[str, Any], tuple[str, ...], tuple[Any, ...]]] = []  # now, and names and values at the start
_tables: list[tuple[Any, tuple[Any, ...]]] = []  # now, and what was in it at the start
_busy = False


def prepare(files: Iterable[Path]) -> Path:
    """The folder of results that depend on the content of `files`; those of other contents are removed."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        found.update(f"\0{path}\0".encode(errors="surrogateescape"))
        found.update(path.read_bytes())
    folder = FOLDER / found.hexdigest()[:16]
    with contextlib.suppress(OSError):
        for other in FOLDER.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        _limit(folder)
    return folder


def _limit(folder: Path) -> None:
    """Remove what killed kernels left, and the results not used for longest beyond `MOST`."""
    left = MOST
    kept = sorted(((path.stat(), path) for path in folder.glob("*")), key=lambda one: -one[0].st_mtime_ns)
    for stat, path in kept:
        left -= stat.st_size
        if left < 0 or path.suffix == ".part":
            path.unlink(missing_ok=True)


def begin(folder: Path) -> None:
    """From now on keep and look up results in `folder`, while this process's package is as it is now."""
    global _folder, _names, _tables
    _folder = folder
    rooms = [room for name, room in sys.modules.items() if name.startswith("desertion") and name != __name__]
    _names = [(vars(room), tuple(vars(room)), tuple(vars(room).values())) for room in rooms]
    own = [value for room in rooms for name, value in vars(room).items() if not name.startswith("__")]
    _tables = list(_within(own))


def _parts(table: Any) -> tuple[Any, ...]:
    return (*table, *table.values()) if isinstance(table, dict) else tuple(table)


def _within(values: Iterable[Any]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The tables among `values` and in these, each with what is in it."""
    for value in values:
        if isinstance(value, dict | list | set | tuple):
            parts = _parts(value)
            if not isinstance(value, tuple):
                yield value, parts
            yield from _within(parts)


def recall(make: Callable[..., T], *arguments: Any) -> T:
    """`make(*arguments)`, from an earlier run where one has found it.

    `make` is a function of the package that depends on nothing but its arguments. What is kept is what it returns: not
    that of a call that warned, of one inside another, or of arguments that `digest` does not take. Raises what `make`
    raises.
    """
    global _busy
    if _folder is None or _busy or _changed():
        return make(*arguments)
    try:
        path = _folder / digest(_name(make), *arguments)
    except TypeError:
        return make(*arguments)
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:  # else the disk was full, say
            os.utime(path)
            kept: T = pickle.loads(content[_DIGEST:])
            return kept
    _busy = True
    try:
        with warnings.catch_warnings(record=True) as said:
            found = make(*arguments)
    finally:
        _busy = False
    for one in said:
        warnings.showwarning(one.message, one.category, one.filename, one.lineno)
    if not said:
        content = pickle.dumps(found, protocol=5)
        with contextlib.suppress(OSError):  # the next run finds it itself
            _write(path, hashlib.sha256(content).digest() + content)
    return found


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place by a rename; its digest shows what a power cut lost of it, so nothing waits for disks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _changed() -> bool:
    """Whether a name or a table of the package is not what it was when this process began to keep results."""
    if not all(all(map(operator.is_, map(now.get, names), values)) for now, names, values in _names):
        return True
    return not all(
        len(now := _parts(table)) == len(then) and all(map(operator.is_, now, then)) for table, then in _tables
    )


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def digest(*values: object) -> str:
    """SHA-256 of the content of `values`, in hexadecimal.

    They are plain values, dates, arrays of numbers, functions of the package, and tuples, lists, mappings, dataclasses
    and frames of these. Raises TypeError for anything else.
    """
    found = hashlib.sha256()
    _feed(found.update, values)
    return found.hexdigest()


def _feed(update: Callable[[bytes], None], value: object) -> None:
    import numpy as np  # whoever keeps arrays has it

    kind = type(value)
    if value is None or kind in (bool, int, float, str) or isinstance(value, date):
        text = repr(value).encode()
        update(f"{kind.__name__} {len(text)} ".encode() + text)
    elif isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError(f"an array of {array.dtype} has no content that can be told")
        update(f"{array.dtype.str} {array.shape} ".encode() + np.ascontiguousarray(array).tobytes())
    elif isinstance(value, tuple | list):
        update(f"{kind.__qualname__} {len(value)} ".encode())
        for item in value:
            _feed(update, item)
    elif isinstance(value, Mapping):
        update(b"mapping ")
        _feed(update, list(value.items()))
    elif is_dataclass(value):
        update(f"{kind.__module__}.{kind.__qualname__} ".encode())
        for each in fields(value):
            _feed(update, getattr(value, each.name))
    elif isinstance(value, FunctionType) and (name := _name(value)).startswith("desertion.") and "<" not in name:
        _feed(update, name)  # what it does is in the digest of the package
    elif kind.__qualname__ == "DataFrame":
        frame: Any = value
        columns = [(str(frame.dtypes.iloc[at]), frame.iloc[:, at].tolist()) for at in range(frame.shape[1])]
        _feed(update, [frame.columns.tolist(), frame.index.tolist(), *columns])
    else:
        raise TypeError(f"{kind.__name__} has no content that can be told")
