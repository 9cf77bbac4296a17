"""Runs one notebook or one function of the package with many parameter sets and gathers the results in one table.

    notebook: 03-trends                # or function: desertion.trends.exact.rate_ratio
    parameters: {minimum_df: 4}        # of every set
    grid:                              # every combination; or list: [{level: 0.9}, {level: 0.95, seed: 7}]
      level: [0.9, 0.95]
      assumed_dispersion: [10, 50]
    keep: false                        # keep the executed notebooks; without, plots are checked and not drawn
    timeout: 600                       # seconds a cell

What a notebook hands on are the values behind its sentences (`desertion.sentences`); what a function hands on is what
it returns. Each set's result is a file of its own in `build/sweeps/NAME/parts`, named by all that it depends on: a
sweep that was stopped goes on where it was, and one whose inputs changed does not mix old and new.
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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import params, sentences, yaml_file
from desertion.engine import checked, receipt
from desertion.engine.display import Display
from desertion.engine.run import run
from desertion.engine.surroundings import environment
from desertion.engine.workers import Answer, Task, Workers
from desertion.engine.zygote import Zygote, signature
from desertion.errors import UserError
from desertion.project import BUILD, NOTEBOOKS, digest, relative, write_atomic
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
    """What is run: a `notebook`'s stem or a `function`'s dotted name, and how."""

    notebook: str = ""
    function: str = ""
    edition: str = "default"
    timeout: int = 600
    keep: str = ""  # folder for executed notebooks
    data: Mapping[str, str] | None = None  # the files of data/ that the notebook declares, name → digest

    def __str__(self) -> str:
        return self.notebook or self.function


@dataclass
class Spec:
    """A sweep: its `name`, what is run, and the parameter sets in their order."""

    name: str
    target: Target
    shared: dict[str, Any]
    grid: dict[str, list[Any]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The parameters that some set gives."""
        return list(dict.fromkeys([*self.grid, *itertools.chain.from_iterable(self.listed)]))

    def __len__(self) -> int:
        return len(self.listed) if self.listed else math.prod(map(len, self.grid.values()))

    def sets(self) -> Iterator[dict[str, Any]]:
        """Each set's own parameters; those that all share are left out."""
        if self.listed:
            yield from self.listed
            return
        for values in itertools.product(*self.grid.values()):
            yield dict(zip(self.grid, values, strict=True))


def main(path: Path, *, jobs: int | None = None, scheduler: str = "", cold: bool = False) -> int:
    """Run the sweep at `path`, print where its table is and how many sets failed; 0, or 10 and their number."""
    spec = read(path)
    table, failed = sweep(spec, jobs=jobs, scheduler=scheduler, cold=cold)
    print(relative(table))
    if not failed:
        return 0
    print(f"{failed} of {len(spec)} sets failed")
    return _STATUS + min(failed, _MOST)


def read(path: Path) -> Spec:
    """The sweep that the YAML file `path` describes. Raises UserError naming the key and what it must be."""
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
    spec = Spec(path.stem, target, shared, grid, listed)
    _check_names(spec, where)
    return spec


def _name(content: Mapping[str, Any], key: str, where: str) -> str:
    name = content[key]
    if not isinstance(name, str) or not name:
        raise UserError(f"{where}: {key} = {shown(repr(name))}: a name")
    return name


def _check_names(spec: Spec, where: str) -> None:
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
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        raise UserError(f"{where}: there is no function '{shown(name)}'") from None
    if not callable(found):
        raise UserError(f"{where}: '{shown(name)}' is not a function")
    return found


def sweep(spec: Spec, *, jobs: int | None = None, scheduler: str = "", cold: bool = False) -> tuple[Path, int]:
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
    run_all = _on_cluster(scheduler, spec) if scheduler else _locally(spec, jobs or os.cpu_count() or 1, cold, inputs)
    if scheduler and spec.target.notebook:
        checked.demand(inputs)
    with Display(len(spec)) as display:
        for key, rows in run_all(missing):
            write_atomic(parts / f"{key}.csv", _csv([_HEADER, *rows]))
            if error := rows[0][2]:
                display.end(key[:8], f"{spec.target} FAILED: {error.splitlines()[0]}")
            else:
                display.step(key[:8])
    return _gather(spec, base, place)


def _base(target: Target, inputs: receipt.Key) -> str:
    """What all sets of a sweep depend on, as a digest; a function may read all of data/."""
    if target.notebook:
        path = NOTEBOOKS / f"{target.notebook}.ipynb"
        shared = params.edition(target.edition).overrides(params.of(target.notebook))
        kept = receipt.run_key(inputs, nb.read(path), shared, dict(target.data or {}))
    else:
        kept = {name: content for name, content in inputs.items() if name not in (receipt.PAGE, "commit")}
    return digest(json.dumps([kept, target.notebook, target.function], sort_keys=True))


def _keyed(spec: Spec, base: str) -> Iterator[tuple[str, dict[str, Any]]]:
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


def run_set(target: Target, values: Mapping[str, Any], key: str, zygote: str | None = None) -> list[Row]:
    """The results of one set; of a set that failed one row with its error.

    Kernels are forked from the process at the address `zygote` (ordinary ones where it is ""); None: from one that
    this process starts for itself and keeps.
    """
    try:
        if target.function:
            return list(_rows("", _function(target.function)(**values)))
        return _run_notebook(target, values, key, _own_zygote() if zygote is None else zygote)
    except UserError as error:
        return [("", "", str(error))]
    except Exception as error:
        return [("", "", f"{type(error).__name__}: {error}")]


def _run_notebook(target: Target, values: Mapping[str, Any], key: str, zygote: str) -> list[Row]:
    stem = target.notebook
    cell = params.of(stem)
    handed: dict[str, Any] = dict(cell.check(params.edition(target.edition).overrides(cell) | dict(values), stem))
    failed = BUILD / "failed" / "sweeps" / f"{stem}-{key[:8]}.ipynb"
    with tempfile.TemporaryDirectory(prefix="desertion-sweep-") as folder:
        copy = Path(target.keep or folder) / f"{stem}-{key[:8]}.ipynb"
        source = NOTEBOOKS / f"{stem}.ipynb"
        how: dict[str, Any] = {"zygote": zygote, "data": target.data, "draw": bool(target.keep)}
        run(source, copy, handed, timeout=target.timeout, failed=failed, **how)
        found = [record for _, record in sentences.said(copy)]
    rows = [(f"{one['id']}: {name}", value, "") for one in found for name, value in one["values"].items()]
    return rows + [(f"{one['id']}: withheld", one["withheld"], "") for one in found] or [("", "", "")]


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
        yield name or "value", "" if value is None else value, ""


_zygotes: dict[str, tuple[list[tuple[str, int, int]], Zygote, str]] = {}
_one_at_a_time = threading.Lock()  # a cluster's worker may have several threads


def _own_zygote() -> str:
    """The address of a zygote that lives as long as this process, a new one once the package or the lock changed."""
    with _one_at_a_time:
        now = signature()
        if "own" in _zygotes and _zygotes["own"][0] != now:
            _zygotes.pop("own")[1].__exit__()
        if "own" not in _zygotes:
            zygote = Zygote(environment(Path(os.devnull)))
            _zygotes["own"] = (now, zygote, zygote.__enter__())
        return _zygotes["own"][2]


Missing = Iterable[tuple[str, dict[str, Any]]]
Results = Iterator[tuple[str, list[Row]]]


def _locally(spec: Spec, jobs: int, cold: bool, inputs: receipt.Key) -> Any:
    def run_all(missing: Missing) -> Results:
        tasks = (Task(key, run_set, (spec.target, values, key)) for key, values in missing)
        first = next(tasks, None)
        if first is None:
            return
        with Workers(min(jobs, len(spec)), cold=cold or bool(spec.target.function)) as workers:
            if spec.target.notebook:
                checked.demand(inputs)  # while the kernels' process imports its libraries
            for task, message in workers.run(itertools.chain([first], tasks)):
                if isinstance(message, Answer):
                    yield task.name, message.value
                elif isinstance(message, Exception):
                    yield task.name, [("", "", str(message))]

    return run_all


def _on_cluster(address: str, spec: Spec) -> Any:
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError("--scheduler needs dask.distributed: pip install 'desertion[cluster]'") from None

    def run_all(missing: Missing) -> Results:
        try:
            client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(f"--scheduler {address}: no scheduler answers there ({error})") from None
        keys: dict[str, str] = {}

        def submit(one: tuple[str, dict[str, Any]]) -> Any:
            key, values = one
            future = client.submit(run_set, spec.target, values, key, pure=False, retries=2)
            keys[future.key] = key
            return future

        with client:
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

    return run_all


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _gather(spec: Spec, base: str, place: Path) -> tuple[Path, int]:
    """Put all parts into one table, a row a result, in the order of the sets; its path, and how many failed."""
    table = place / "table.csv"
    part = place / f".table.csv.{os.getpid()}.part"
    failed = 0
    used = set()
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["set", *spec.names, *_HEADER])
            for number, ((key, values), own) in enumerate(zip(_keyed(spec, base), spec.sets(), strict=True), 1):
                cells = [_cell(values[name]) if name in own else "" for name in spec.names]
                used.add(f"{key}.csv")
                with (place / "parts" / f"{key}.csv").open(encoding="utf-8", newline="") as rows:
                    found = list(csv.reader(rows))[1:]
                failed += bool(found[0][2])
                writer.writerows([number, *cells, *row] for row in found)
            file.flush()
            os.fsync(file.fileno())
        part.replace(table)
    finally:
        part.unlink(missing_ok=True)
    for old in (place / "parts").glob("*"):
        if old.name not in used:
            old.unlink()
    return table, failed


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
