"""The package's modules as they were imported: whether a cell or a reload changed one since, or an editor its file.

A living kernel may run other code than the files hold; `memo` then neither reads nor keeps results. The package
starts `watch` before it imports any of its modules.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_PREFIX = __name__.partition(".")[0] + "."
_Values = tuple[Any, ...]

_files: dict[str, tuple[int, ...]] = {}  # path → state of the file when it was imported
_namespaces: list[tuple[Mapping[str, Any], _Values, _Values]] = []  # as it is now; names and values after the import
_tables: list[tuple[Any, _Values]] = []  # as it is now; content after the import
_seen: dict[int, object] = {}  # id → the object, kept alive so that no other gets its id
_reloaded: list[str] = []


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        if self.path in _files:
            _reloaded.append(self.path)
        _files[self.path] = _state(self.path)
        super().exec_module(module)
        _remember(vars(module))


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name.startswith(_PREFIX) else None
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def watch() -> None:
    """Remember from now on each module of the package at the end of its import."""
    sys.meta_path.insert(0, _Finder)


def count() -> int:
    """Number of modules of the package that are imported."""
    return len(_files)


def unchanged() -> bool:
    """Whether all names, constants, tables and classes of the imported modules are what the import made of them."""
    return (
        not _reloaded
        and all(_same(map(now.get, names), values) for now, names, values in _namespaces)
        and all(len(now := _content(table)) == len(then) and _same(now, then) for table, then in _tables)
    )


def as_on_disk() -> bool:
    """Whether the file of each imported module is the one that was imported."""
    return all(_state(path) == state for path, state in _files.items())


def _same(now: Iterable[object], then: Iterable[object]) -> bool:
    return all(map(operator.is_, now, then))


def _state(path: str) -> tuple[int, ...]:
    try:
        stat = os.stat(path)  # noqa: PTH116 — pathlib would be a third of this module's cost
    except FileNotFoundError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _remember(namespace: Mapping[str, Any]) -> None:
    # of the dunder names only methods: IPython and warnings change the others of a module
    kept = {name: value for name, value in namespace.items() if not name.startswith("__") or callable(value)}
    _namespaces.append((namespace, tuple(kept), tuple(kept.values())))
    for value in kept.values():
        _remember_within(value)


def _remember_within(value: Any) -> None:
    own = (value if isinstance(value, type) else type(value)).__module__.startswith(_PREFIX)
    table = isinstance(value, dict | list | tuple | set | frozenset)
    array = hasattr(type(value), "tobytes")
    if not (own or table or array) or id(value) in _seen:
        return
    _seen[id(value)] = value
    if array or (table and not isinstance(value, tuple | frozenset)):
        _tables.append((value, _content(value)))
    if table:
        for part in _content(value):
            _remember_within(part)
    elif own and hasattr(value, "__dict__"):
        _remember(vars(value))


def _content(table: Any) -> _Values:
    if isinstance(table, dict):
        return (*table, *table.values())
    # the bytes of an array as numbers below 256, each of which is one object
    return tuple(table.tobytes() if hasattr(type(table), "tobytes") else table)
