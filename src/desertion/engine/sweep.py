"""Runs one notebook or one function of the package with many parameter sets and gathers the results in one table.

    notebook: 03-trends                # or function: desertion.trends.exact.rate_ratio
    parameters: {minimum_df: 4}        # of every set
    grid:                              # every combination; or list: [{level: 0.9}, {level: 0.95, seed: 7}]
      level: [0.9, 0.95]
      assumed_dispersion: [10, 50]
    keep: false                        # keep the executed notebooks; without, plots are checked and not drawn
    timeout: 600                       # seconds per cell

The results of a notebook are the values behind its sentences (`desertion.sentences`), those of a function the values
that it returns. A sweep has a folder of its own in `build/sweeps`, named by the path of its spec and locked while it
runs. The results of each set are a file in `parts` there, named by the digest of all that they depend on: a sweep that
was stopped goes on where it was, and one whose inputs changed does not mix old and new.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import io
import itertools
import json
import math
import os
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from desertion import notebook as nb
from desertion import params, sentences, yaml_file
from desertion.engine import cluster, private, receipt
from desertion.engine.cluster import Row
from desertion.engine.display import Display
from desertion.engine.lock import alone
from desertion.engine.run import run
from desertion.engine.workers import Task, Workers
from desertion.errors import UserError
from desertion.project import BUILD, NOTEBOOKS, digest, relative, resolved, write_atomic
from desertion.text import hint, shown

_HEADER = ["result", "value", "error"]
_NAMES = ("notebook", "function", "edition")
_KEYS = {*_NAMES, "parameters", "grid", "list", "keep", "timeout"}
#: Exit status where N sets failed: 10 + N, and 110 for 100 or more; 1 and 2 are mistakes of the caller.
_STATUS, _MOST = 10, 100
_WEEK = 604_800  # seconds
_SETS = 100_000  # of one sweep: all are checked before the first runs
#: Types of arguments that are checked before any call, with the types of the values that they take and their words.
_KINDS: dict[Any, tuple[set[type], str]] = {
    int: ({int}, "a whole number"),
    float: ({int, float}, "a number"),
    str: ({str}, "a text"),
    bool: ({bool}, "true or false"),
    types.NoneType: ({types.NoneType}, "null"),
}


@dataclass(frozen=True)
class Target:
    """The object of a sweep: a `notebook`'s stem or a `function`'s dotted name, and how it is run."""

    notebook: str = ""
    function: str = ""
    edition: str = "default"
    timeout: int = 600
    keep: str = ""  # folder for executed notebooks
    data: Mapping[str, str] | None = None  # the files of data/ that the notebook declares, name → digest

    def __str__(self) -> str:
        return self.notebook or self.function


@dataclass
class SweepSpec:
    """A sweep: its folder in build/sweeps/, its target, and the parameter sets in their order."""

    place: Path
    target: Target
    shared: dict[str, Any]
    grid: dict[str, list[Any]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Names of the parameters given by at least one set."""
        return list(dict.fromkeys([*self.grid, *itertools.chain.from_iterable(self.listed)]))

    def __len__(self) -> int:
        return len(self.listed) if self.listed else math.prod(map(len, self.grid.values()))

    def sets(self) -> Iterator[dict[str, Any]]:
        """The parameters of each set, without those that all sets share."""
        if self.listed:
            yield from self.listed
            return
        for values in itertools.product(*self.grid.values()):
            yield dict(zip(self.grid, values, strict=True))


def main(path: Path, *, jobs: int | None = None, scheduler: str = "", cold: bool = False) -> int:
    """Run the sweep at `path`, print the path of its table and how many sets failed; 0, or 10 + their number."""
    spec = read(path)
    try:
        spec.place.mkdir(parents=True, exist_ok=True)
        private.remove_leftovers(spec.place)
        with alone(spec.place, f"sweep of {relative(path)}"):
            table, failed = sweep(spec, jobs=jobs, scheduler=scheduler, cold=cold)
    except OSError as error:
        where = relative(Path(error.filename)) if error.filename else relative(spec.place)
        raise UserError(f"{where}: {error.strerror or error}; the sets that are finished are kept") from error
    print(relative(table))
    if not failed:
        return 0
    print(f"{failed} of {len(spec)} sets failed")
    return _STATUS + min(failed, _MOST)


def read(path: Path) -> SweepSpec:
    """The sweep described by the YAML file `path`. Raises UserError with the key at fault and its valid values."""
    where = relative(path)
    content = yaml_file.read(path, _NAMES)
    if not isinstance(content, dict):
        raise UserError(f"{where}: a sweep is a mapping with notebook or function, and grid or list")
    if unknown := content.keys() - _KEYS:
        raise UserError(f"{where}: unknown key '{shown(min(unknown))}' (there are: {', '.join(sorted(_KEYS))})")
    for one, other in (("notebook", "function"), ("grid", "list")):
        if (one in content) == (other in content):
            raise UserError(f"{where}: give either {one} or {other}")
    shared = {} if content.get("parameters") is None else content["parameters"]
    grid, listed = content.get("grid", {}), content.get("list", [])
    if not isinstance(shared, dict) or not isinstance(grid, dict) or not isinstance(listed, list):
        raise UserError(f"{where}: parameters and grid are mappings, list is a list of mappings")
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            raise UserError(f"{where}: grid: {shown(name)} = {shown(repr(values))}: a list of at least one value")
    if (not grid and not listed) or not all(isinstance(one, dict) for one in listed):
        raise UserError(f"{where}: {'grid' if 'grid' in content else 'list'} holds no parameter sets")
    timeout = content.get("timeout", 600)
    if type(timeout) is not int or not 1 <= timeout <= _WEEK:
        raise UserError(f"{where}: timeout = {shown(repr(timeout))}: a number of seconds, from 1 to {_WEEK:,}")
    kept = content.get("keep", False)
    if type(kept) is not bool:
        raise UserError(f"{where}: keep = {shown(repr(kept))}: true or false")
    if "function" in content and (unused := {"edition", "keep", "timeout"} & content.keys()):
        raise UserError(f"{where}: {min(unused)} is for the runs of a notebook: delete it, since a function is called")
    if twice := sorted(shared.keys() & grid.keys()):
        raise UserError(f"{where}: {shown(twice[0])} stands in parameters and in grid: give it once")
    place = _folder(path)
    keep = str(place / "notebooks") if kept else ""
    names = {"edition": "default"} | {key: _name(content, key, where) for key in _NAMES if key in content}
    target = Target(names.get("notebook", ""), names.get("function", ""), names["edition"], timeout, keep)
    spec = SweepSpec(place, target, shared, grid, listed)
    if len(spec) > _SETS:
        raise UserError(f"{where}: {len(spec):,} sets: at most {_SETS:,} in one sweep: give fewer values")
    (_check_notebook if target.notebook else _check_function)(spec, where)
    return spec


def _folder(path: Path) -> Path:
    """The folder of the sweep whose spec is at `path`: no two specs share one, whatever their files are called."""
    return BUILD / "sweeps" / f"{path.stem[:40]}-{digest(relative(resolved(path)))[:8]}"


def _name(content: Mapping[str, Any], key: str, where: str) -> str:
    name = content[key]
    if not isinstance(name, str) or not name:
        raise UserError(f"{where}: {key} = {shown(repr(name))}: a name")
    return name


def _check_notebook(spec: SweepSpec, where: str) -> None:
    """Check the parameters of all sets. Raises UserError with the first set at fault."""
    stem = spec.target.notebook
    cell = params.of(stem, where)
    try:
        overridden = params.edition(spec.target.edition).overrides(cell)
    except UserError as error:
        raise UserError(f"{where}: edition: {error}") from None
    for number, own in enumerate(spec.sets(), 1):
        cell.check(overridden | spec.shared | own, f"{where}: set {number} of {len(spec)}: {stem}")


def _check_function(spec: SweepSpec, where: str) -> None:
    """Check the arguments of all sets by the function's signature. Raises UserError with the first set at fault."""
    name = spec.target.function
    function = _function(name, where)
    try:
        hints = typing.get_type_hints(function)
    except NameError:  # of a type that is imported for checkers only
        hints = {}
    signed = inspect.signature(function).parameters.values()
    named = {one.name: one for one in signed if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    needed = {one.name for one in named.values() if one.default is one.empty}
    others = any(one.kind is one.VAR_KEYWORD for one in signed)
    for number, own in enumerate(spec.sets(), 1):
        values = spec.shared | own
        place = f"{where}: set {number} of {len(spec)}"
        if not others and (unknown := sorted(values.keys() - named)):
            raise UserError(
                f"{place}: {name} has no parameter '{shown(unknown[0])}': {hint(unknown[0], sorted(named))}"
            )
        if missing := needed - values.keys():
            raise UserError(f"{place}: {name} needs {', '.join(sorted(missing))}")
        for each, value in values.items():
            kind = hints.get(each)
            kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
            if all(isinstance(one, type) for one in kinds) and not any(_takes(one, value) for one in kinds):
                right = " or ".join(_KINDS[one][1] if one in _KINDS else f"a {one.__name__}" for one in kinds)
                raise UserError(f"{place}: {shown(each)} = {shown(repr(value))}: must be {right}")


def _takes(kind: type, value: object) -> bool:
    return type(value) in _KINDS[kind][0] if kind in _KINDS else isinstance(value, kind)


def _function(name: str, where: str = "sweep") -> Any:
    module, _, attribute = name.rpartition(".")
    # To import the engine's modules changes this process.
    if module.split(".")[0] != "desertion" or attribute.startswith("_") or module.startswith("desertion.engine"):
        raise UserError(
            f"{where}: function '{shown(name)}': a function of the package, as desertion.trends.exact.interval"
        )
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        raise UserError(f"{where}: there is no function '{shown(name)}'") from None
    if not inspect.isfunction(function) or function.__module__.split(".")[0] != "desertion":
        raise UserError(f"{where}: '{shown(name)}' is not a function of the package")
    return function


def sweep(spec: SweepSpec, *, jobs: int | None = None, scheduler: str = "", cold: bool = False) -> tuple[Path, int]:
    """Run the sets that have no result yet; the table's path, and how many sets failed.

    `jobs` processes on this machine (all cores), or the dask.distributed cluster at the address `scheduler`, whose
    workers must have this same clone. A set that failed is tried again by the next call.
    """
    parts = spec.place / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    inputs = receipt.inputs(spec.target.edition, [])
    if spec.target.notebook:
        data = receipt.declared(inputs, params.of(spec.target.notebook))
        spec = replace(spec, target=replace(spec.target, data=data))
    base = _base(spec.target, inputs)
    missing = ((key, values) for key, values in _keyed(spec, base) if not _done(parts / f"{key}.csv"))
    if scheduler:
        tasks = (Task(key, partial(run_set, spec.target, values, key)) for key, values in missing)
        results = cluster.run(tasks, scheduler, lambda: _check_data(spec.target, inputs), cold)
    else:
        results = _locally(missing, spec.target, min(jobs or os.cpu_count() or 1, len(spec)), inputs, cold)
    with Display(len(spec)) as display:
        for key, rows in results:
            write_atomic(parts / f"{key}.csv", _csv([_HEADER, *rows]))
            if error := rows[0][2]:
                display.end(key[:8], f"{spec.target} FAILED: {error.splitlines()[0]}")
            else:
                display.step(key[:8])
    return _gather(spec, base)


def _base(target: Target, inputs: receipt.Key) -> str:
    """Digest of the inputs that all sets of a sweep share; a function may read all of data/."""
    if target.notebook:
        path = NOTEBOOKS / f"{target.notebook}.ipynb"
        shared = params.edition(target.edition).overrides(params.of(target.notebook))
        kept = receipt.run_key(inputs, nb.read(path), shared, dict(target.data or {}))
    else:
        kept = receipt.function_key(inputs)
    return digest(json.dumps([kept, target.notebook, target.function], sort_keys=True))


def _keyed(spec: SweepSpec, base: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for own in spec.sets():
        values = spec.shared | own
        yield digest(base + json.dumps(values, sort_keys=True))[:32], values


def _done(part: Path) -> bool:
    try:
        with part.open(encoding="utf-8", newline="") as file:
            first = next(iter(_records(file)), None)
    except OSError:
        return False
    return first is not None and not first["error"]


def _records(file: TextIO) -> list[dict[str, str]]:
    """The rows of a part; a result may be a longer text than the csv module takes unasked."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        return list(csv.DictReader(file))
    finally:
        csv.field_size_limit(limit)


def run_set(
    target: Target, values: Mapping[str, Any], key: str, *, ready: Callable[[], None], **_: object
) -> list[Row]:
    """The results of one set; of a set that failed one row with its error. The task of a worker."""
    try:
        if target.function:
            return list(_rows("", _function(target.function)(**values))) or [("", "", "")]
        return _run_notebook(target, values, key, ready)
    except UserError as error:
        return [("", "", str(error))]
    except (Exception, SystemExit) as error:
        return [("", "", f"{type(error).__name__}: {error}")]


def _run_notebook(target: Target, values: Mapping[str, Any], key: str, ready: Callable[[], None]) -> list[Row]:
    stem = target.notebook
    cell = params.of(stem)
    overridden = params.edition(target.edition).overrides(cell) | dict(values)
    parameters: dict[str, Any] = dict(cell.check(overridden, stem))
    failed = BUILD / "failed" / "sweeps" / f"{stem}-{key[:8]}.ipynb"
    with private.folder() as folder:
        copy = (Path(target.keep) if target.keep else folder) / f"{stem}-{key[:8]}.ipynb"
        how: dict[str, Any] = {"timeout": target.timeout, "data": target.data, "draw": bool(target.keep)}
        run(NOTEBOOKS / f"{stem}.ipynb", copy, parameters, ready=ready, failed=failed, forked=True, **how)
        records = [record for _, record in sentences.records(copy)]
    rows = [(f"{one['id']}: {name}", value, "") for one in records for name, value in one["values"].items()]
    return rows + [(f"{one['id']}: withheld", one["withheld"], "") for one in records] or [("", "", "")]


def _rows(name: str, value: Any) -> Iterator[Row]:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if hasattr(value, "to_dict"):  # a frame or series of pandas: by row, then column
        value = value.to_dict(orient="index") if getattr(value, "ndim", 1) == 2 else value.to_dict()
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _rows(f"{name}: {key}" if name else str(key), item)
    else:
        yield name or "value", "" if value is None else str(value), ""  # text, which can always be sent


Missing = Iterable[tuple[str, dict[str, Any]]]


def _locally(
    missing: Missing, target: Target, count: int, inputs: receipt.Key, cold: bool
) -> Iterator[tuple[str, list[Row]]]:
    tasks = (Task(key, partial(run_set, target, values, key)) for key, values in missing)
    first = next(tasks, None)
    if first is None:
        return
    with Workers(count, cold=cold) as workers:
        yield from cluster.results(workers, itertools.chain([first], tasks), lambda: _check_data(target, inputs))


def _check_data(target: Target, inputs: receipt.Key) -> None:
    if target.notebook:
        receipt.check_data(inputs)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    # A carriage return would end the row for a reader, and half of a character cannot be stored.
    return text.getvalue().replace("\r", "\\r").encode("utf-8", "backslashreplace").decode("utf-8")


def _gather(spec: SweepSpec, base: str) -> tuple[Path, int]:
    """Put all parts into one table, one row per result, in the order of the sets; its path, and how many failed."""
    place = spec.place
    table: list[Sequence[Any]] = [["set", *spec.names, *_HEADER]]
    failed = 0
    used = set()
    for number, ((key, values), own) in enumerate(zip(_keyed(spec, base), spec.sets(), strict=True), 1):
        cells = [_cell(values[name]) if name in own else "" for name in spec.names]
        used.add(f"{key}.csv")
        with (place / "parts" / f"{key}.csv").open(encoding="utf-8", newline="") as part:
            rows = _records(part)
        failed += bool(rows[0]["error"])
        table.extend([number, *cells, *row.values()] for row in rows)
    write_atomic(place / "table.csv", _csv(table))
    for old in (place / "parts").glob("*"):
        if old.name not in used:
            old.unlink()
    return place / "table.csv", failed


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
