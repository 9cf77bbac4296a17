"""Runs one notebook or one function of the package with many parameter sets and gathers the results in one table.

    notebook: 03-trends                # or function: desertion.trends.exact.rate_ratio
    parameters: {minimum_df: 4}        # of every set
    grid:                              # every combination; or list: [{level: 0.9}, {level: 0.95, seed: 7}]
      level: [0.9, 0.95]
      assumed_dispersion: [10, 50]
    keep: false                        # keep the executed notebooks; without, plots are checked and not drawn
    timeout: 600                       # seconds per cell

The results of a notebook are the values behind its sentences (`desertion.sentences`), those of a function the values
that it returns. The results of each set are a file in `build/sweeps/NAME/parts`, named by the digest of all that they
depend on: a sweep that was stopped goes on where it was, and one whose inputs changed does not mix old and new.
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
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import params, sentences, yaml_file
from desertion.engine import receipt
from desertion.engine.display import Display
from desertion.engine.run import run
from desertion.engine.workers import Answer, Task, Workers
from desertion.errors import UserError
from desertion.project import BUILD, NOTEBOOKS, code, digest, relative, write_atomic
from desertion.text import hint, shown

#: A result's name and value; the error where there is none.
Row = tuple[str, Any, str]
_HEADER = ["result", "value", "error"]
_NAMES = ("notebook", "function", "edition")
_KEYS = {*_NAMES, "parameters", "grid", "list", "keep", "timeout"}
#: Exit status where N sets failed: 10 + N, and 110 for 100 or more; 1 and 2 are mistakes of the caller.
_STATUS, _MOST = 10, 100


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
    """A sweep: its `name`, its target, and the parameter sets in their order."""

    name: str
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
    table, failed = sweep(spec, jobs=jobs, scheduler=scheduler, cold=cold)
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
    shared = content.get("parameters") or {}
    grid, listed = content.get("grid", {}), content.get("list", [])
    if not isinstance(shared, dict) or not isinstance(grid, dict) or not isinstance(listed, list):
        raise UserError(f"{where}: parameters and grid are mappings, list is a list of mappings")
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            raise UserError(f"{where}: grid: {shown(name)} = {shown(repr(values))}: a list of at least one value")
    if (not grid and not listed) or not all(isinstance(one, dict) for one in listed):
        raise UserError(f"{where}: {'grid' if 'grid' in content else 'list'} holds no parameter sets")
    timeout = content.get("timeout", 600)
    if type(timeout) is not int or timeout < 1:
        raise UserError(f"{where}: timeout = {shown(repr(timeout))}: a number of seconds, at least 1")
    kept = content.get("keep", False)
    if type(kept) is not bool:
        raise UserError(f"{where}: keep = {shown(repr(kept))}: true or false")
    keep = str(BUILD / "sweeps" / path.stem / "notebooks") if kept else ""
    names = {"edition": "default"} | {key: _name(content, key, where) for key in _NAMES if key in content}
    target = Target(names.get("notebook", ""), names.get("function", ""), names["edition"], timeout, keep)
    spec = SweepSpec(path.stem, target, shared, grid, listed)
    _check_names(spec, where)
    return spec


def _name(content: Mapping[str, Any], key: str, where: str) -> str:
    name = content[key]
    if not isinstance(name, str) or not name:
        raise UserError(f"{where}: {key} = {shown(repr(name))}: a name")
    return name


def _check_names(spec: SweepSpec, where: str) -> None:
    given = {*spec.shared, *spec.names}
    if spec.target.notebook:
        params.edition(spec.target.edition)
        known = set(params.of(spec.target.notebook, where).names)
        needed: set[str] = set()
    else:
        signed = inspect.signature(_function(spec.target.function, where)).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in signed):
            return
        known = {one.name for one in signed if one.kind is not one.VAR_POSITIONAL}
        needed = {one.name for one in signed if one.name in known and one.default is one.empty}
    if unknown := given - known:
        first = min(unknown)
        raise UserError(f"{where}: {spec.target} has no parameter '{shown(first)}': {hint(first, sorted(known))}")
    if missing := needed - given:
        raise UserError(f"{where}: {spec.target} needs {', '.join(sorted(missing))}")


def _function(name: str, where: str = "sweep") -> Any:
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "desertion":
        raise UserError(
            f"{where}: function '{shown(name)}': a function of the package, as desertion.trends.exact.interval"
        )
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        raise UserError(f"{where}: there is no function '{shown(name)}'") from None
    if not callable(function):
        raise UserError(f"{where}: '{shown(name)}' is not a function")
    return function


def sweep(spec: SweepSpec, *, jobs: int | None = None, scheduler: str = "", cold: bool = False) -> tuple[Path, int]:
    """Run the sets that have no result yet; the table's path, and how many sets failed.

    `jobs` processes on this machine (all cores), or the dask.distributed cluster at the address `scheduler`, whose
    workers must have this same clone. A set that failed is tried again by the next call.
    """
    place = BUILD / "sweeps" / spec.name
    parts = place / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    inputs = receipt.inputs(spec.target.edition, [])
    if spec.target.notebook:
        data = receipt.declared(inputs, params.of(spec.target.notebook))
        spec = replace(spec, target=replace(spec.target, data=data))
    base = _base(spec.target, inputs)
    missing = ((key, values) for key, values in _keyed(spec, base) if not _done(parts / f"{key}.csv"))
    if scheduler:
        results = _on_cluster(missing, spec.target, scheduler, inputs, cold)
    else:
        results = _locally(missing, spec.target, min(jobs or os.cpu_count() or 1, len(spec)), inputs, cold)
    with Display(len(spec)) as display:
        for key, rows in results:
            write_atomic(parts / f"{key}.csv", _csv([_HEADER, *rows]))
            if error := rows[0][2]:
                display.end(key[:8], f"{spec.target} FAILED: {error.splitlines()[0]}")
            else:
                display.step(key[:8])
    return _gather(spec, base, place)


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
            first = next(csv.DictReader(file), None)
    except OSError:
        return False
    return first is not None and not first["error"]


def run_set(
    target: Target, values: Mapping[str, Any], key: str, *, ready: Callable[[], None], **_: object
) -> list[Row]:
    """The results of one set; of a set that failed one row with its error. The task of a worker."""
    try:
        if target.function:
            return list(_rows("", _function(target.function)(**values)))
        return _run_notebook(target, values, key, ready)
    except UserError as error:
        return [("", "", str(error))]
    except Exception as error:
        return [("", "", f"{type(error).__name__}: {error}")]


def _run_notebook(target: Target, values: Mapping[str, Any], key: str, ready: Callable[[], None]) -> list[Row]:
    stem = target.notebook
    cell = params.of(stem)
    overridden = params.edition(target.edition).overrides(cell) | dict(values)
    parameters: dict[str, Any] = dict(cell.check(overridden, stem))
    failed = BUILD / "failed" / "sweeps" / f"{stem}-{key[:8]}.ipynb"
    with tempfile.TemporaryDirectory(prefix="desertion-sweep-") as folder:
        copy = Path(target.keep or folder) / f"{stem}-{key[:8]}.ipynb"
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
Results = Iterator[tuple[str, list[Row]]]


def _locally(missing: Missing, target: Target, count: int, inputs: receipt.Key, cold: bool) -> Results:
    tasks = (Task(key, partial(run_set, target, values, key)) for key, values in missing)
    first = next(tasks, None)
    if first is None:
        return
    with Workers(count, cold=cold) as workers:
        yield from _results(workers, itertools.chain([first], tasks), lambda: _check_data(target, inputs))


def _results(workers: Workers, tasks: Iterable[Task], before: Callable[[], None] = lambda: None) -> Results:
    for task, message in workers.run(tasks, before=before):
        if isinstance(message, Answer):
            yield task.name, message.value
        elif isinstance(message, Exception):
            yield task.name, [("", "", str(message))]


def _check_data(target: Target, inputs: receipt.Key) -> None:
    if target.notebook:
        receipt.check_data(inputs)


def _on_cluster(missing: Missing, target: Target, address: str, inputs: receipt.Key, cold: bool) -> Results:
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError("--scheduler needs dask.distributed: pip install -e '.[cluster]' in the clone") from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"--scheduler {address}: no scheduler answers there ({error})") from None
    keys: dict[str, str] = {}
    version = _version()

    def submit(one: tuple[str, dict[str, Any]]) -> Any:
        key, values = one
        future = client.submit(_run_remotely, Task(key, partial(run_set, target, values, key)), version, cold,
                               pure=False, retries=2)  # fmt: skip
        keys[future.key] = key
        return future

    with client:
        _check_data(target, inputs)
        left = iter(missing)
        threads = sum(client.nthreads().values()) or 1
        # A few for each thread: neither side then holds more when there are more sets.
        running = as_completed([submit(one) for one in itertools.islice(left, 4 * threads)], loop=client.loop)
        for future in running:
            lost = future.exception()
            rows = [("", "", f"{type(lost).__name__}: {lost}")] if lost else future.result()
            yield keys.pop(future.key), rows
            for one in itertools.islice(left, 1):
                running.add(submit(one))


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
    return next(rows for _, rows in _results(kept["workers"], [task]))


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _gather(spec: SweepSpec, base: str, place: Path) -> tuple[Path, int]:
    """Put all parts into one table, one row per result, in the order of the sets; its path, and how many failed."""
    table: list[Sequence[Any]] = [["set", *spec.names, *_HEADER]]
    failed = 0
    used = set()
    for number, ((key, values), own) in enumerate(zip(_keyed(spec, base), spec.sets(), strict=True), 1):
        cells = [_cell(values[name]) if name in own else "" for name in spec.names]
        used.add(f"{key}.csv")
        with (place / "parts" / f"{key}.csv").open(encoding="utf-8", newline="") as part:
            rows = list(csv.reader(part))[1:]
        failed += bool(rows[0][2])
        table.extend([number, *cells, *row] for row in rows)
    write_atomic(place / "table.csv", _csv(table))
    for old in (place / "parts").glob("*"):
        if old.name not in used:
            old.unlink()
    return place / "table.csv", failed


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
