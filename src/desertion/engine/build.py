"""Builds an edition: runs the notebooks that are out of date by content, then makes the page.

Nothing heavy is imported if everything is up to date. Every file is put in its place by a rename, and the receipt is
written after the files that it describes: a build that is stopped at any moment leaves the last good page, and the next
one finishes the job.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desertion import notebook as nb
from desertion import sentences
from desertion.engine import private, receipt
from desertion.engine.display import Display, log
from desertion.engine.lock import alone
from desertion.errors import UserError
from desertion.project import BUILD, NOTEBOOKS, PHONE, PLOTS, file_digest, relative, resolved
from desertion.text import visible

if TYPE_CHECKING:
    from desertion import report
    from desertion.engine.run import RunRecord
    from desertion.engine.workers import Task
    from desertion.params import Edition


#: Runs per worker from which their kernels are forked: the process to fork from takes the time of a kernel's start.
#: By two workers, a row that five notebooks read is then followed in 0.85 of the time, one that all eight read in 0.7.
_TO_FORK = 2


@dataclass(frozen=True)
class BuildResult:
    """A finished build: the page, the runs, and the reason for each run (`report.html`: the reason for a new page)."""

    report: Path
    ran: tuple[RunRecord, ...]
    reasons: dict[str, str]


def main(name: str, *, jobs: int | None = None, explain: bool = False, cold: bool = False) -> int:
    """Build edition `name`, print the sentences that it withholds, notes on its page and its path; 0, or UserError."""
    page = relative(BUILD / name / "report.html")
    private.remove_leftovers(BUILD / name)
    state = "is up to date"
    if explain or not receipt.up_to_date(name):
        from desertion import params

        result = build(params.edition(name), jobs=jobs, explain=explain, cold=cold)
        state = "is new" if result.reasons else state
    lines = [*map(str, withheld(name)), *wide_only(name), *receipt.Receipt.read(BUILD / name).notes]
    print(*map(visible, lines), f"{page} {state}", sep="\n")
    if name == "default" and not _as_stored(name):
        from desertion import changes

        print(*(f"{line}\n" for line in changes.unaccepted(name)), sep="", end="")
    return 0


def _as_stored(name: str) -> bool:
    """Whether the outputs of the built edition `name` are byte for byte those stored; to compare them takes longer."""
    made = [*(BUILD / name / "notebooks").glob("*"), *(BUILD / name / "plots").glob("*")]
    stored = {"notebooks": NOTEBOOKS, "plots": PLOTS}
    pairs = [
        (path, stored[path.parent.name] / path.name)
        for path in made
        if path.suffix != ".lock" and not path.stem.endswith(PHONE)
    ]
    return all(kept.is_file() and path.read_bytes() == kept.read_bytes() for path, kept in pairs)


def withheld(name: str) -> list[sentences.Withheld]:
    """The sentences that the built edition `name` withholds, with the values of when they were last accepted."""
    pairs = [(BUILD / name / "notebooks" / path.name, path) for path in nb.paths()]
    # To parse a notebook takes longer than all other steps of a build with nothing to do.
    pairs = [(one, path) for one, path in pairs if one.is_file() and b'"withheld": true' in one.read_bytes()]
    return [one for executed, source in pairs for one in sentences.withheld(executed, source)]


def wide_only(name: str) -> list[str]:
    """One line for each plot of the built edition `name` that is published without a picture for phones."""
    lines = []
    for stem, entry in sorted(receipt.Receipt.read(BUILD / name).notebooks.items()):
        drawn = [output.removesuffix(".svg") for output in entry.outputs if output.endswith(".svg")]
        alone = [each for each in drawn if not each.endswith(PHONE) and f"{each}{PHONE}" not in drawn]
        lines += [
            f"notebooks/{stem}.ipynb: {each} has one width and is small on phones: give publish.figure a function that "
            "draws it instead of a finished figure"
            for each in alone
        ]
    return lines


def run_one(
    notebook: Path,
    output: Path | None = None,
    *,
    edition: str = "default",
    assignments: Sequence[str] = (),
    cold: bool = False,
) -> int:
    """Run one notebook with the parameters of an edition and `NAME=VALUE` overrides; print the path of the copy.

    The copy is `output` (build/runs/NAME.ipynb). `cold`: without the cache of fits. Returns 0; raises UserError.
    """
    from desertion import params
    from desertion.engine.run import run
    from desertion.engine.workers import Answer, Task, Workers

    stem = notebook.stem
    chosen = params.edition(edition)
    cell = params.read_cell(nb.read(notebook), notebook)
    values = cell.check(chosen.overrides(cell) | cell.parse(assignments))
    inputs = receipt.inputs(edition, [])
    data = receipt.declared(inputs, cell)
    output = output or BUILD / "runs" / notebook.name
    if resolved(output) == resolved(notebook):
        raise UserError(f"{relative(output)}: the executed copy would take the notebook's own place")
    if output.is_dir():
        raise UserError(f"{relative(output)}: is a folder: name a file in it for the executed copy")
    output.parent.mkdir(parents=True, exist_ok=True)  # what cannot be made is known before the run
    task = Task(relative(notebook), partial(run, notebook, output, values, data=data))
    with Workers(1, cold=cold) as workers, Display(1) as display:
        for _, message in workers.run([task], tick=display.tick, before=lambda: receipt.check_data(inputs)):
            if isinstance(message, Exception):
                raise message
            if isinstance(message, Answer):
                display.end(stem, f"ran in {message.value.seconds:.1f} s")
            else:
                display.cell(stem, *message)
    print(relative(output))
    return 0


def build(
    edition: Edition,
    *,
    notebooks: Sequence[Path] | None = None,
    jobs: int | None = None,
    explain: bool = False,
    cold: bool = False,
) -> BuildResult:
    """Bring `build/EDITION/` up to date: run the stale ones of `notebooks` (all), `jobs` at a time, and make the page.

    `cold`: without the cache of fits.

    Raises UserError where the data have faults, a notebook or parameter cannot run, or notebooks failed (the message
    names all of them; runs that succeeded are kept). The last good page is then untouched.
    """
    place = BUILD / edition.name
    paths = nb.paths() if notebooks is None else sorted(notebooks)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with alone(place, f"build of edition {edition.name}"):
            return _Build(edition, place, paths, cold).bring_up_to_date(jobs or os.cpu_count() or 1, explain)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise UserError(f"{where}{error.strerror or error}\n{_last_good(place)}") from error


class _Build:
    """One build of one edition, while its lock is held."""

    def __init__(self, edition: Edition, place: Path, paths: Sequence[Path], cold: bool) -> None:
        from desertion import params

        self.edition = edition
        self.cold = cold
        self.prepared: report.Prepared | None = None
        self.place = place
        self.report = place / "report.html"
        self.failed = BUILD / "failed" / edition.name
        self.staging = place / f".new-{os.getpid()}"
        self.receipt = receipt.Receipt.read(place)
        self.inputs = receipt.inputs(edition.name, paths)
        self.paths = {path.stem: path for path in paths if path.stem not in edition.left_out}
        self.sources = {stem: nb.read(path) for stem, path in self.paths.items()}
        self.cells = {stem: params.read_cell(self.sources[stem], path) for stem, path in self.paths.items()}
        self.parameters = {stem: edition.overrides(cell) for stem, cell in self.cells.items()}
        for stem, path in self.paths.items():
            params.check(self.sources[stem], path, self.parameters[stem])
        self.data = {stem: receipt.declared(self.inputs, cell) for stem, cell in self.cells.items()}
        self.keys = {
            stem: receipt.run_key(self.inputs, self.sources[stem], self.parameters[stem], self.data[stem])
            for stem in self.paths
        }

    def bring_up_to_date(self, jobs: int, explain: bool) -> BuildResult:
        reasons = {stem: reason for stem in self.paths if (reason := self._why_run(stem))}
        stale = list(reasons)
        if why := "notebooks run" if stale else self._why_render():
            reasons[self.report.name] = why
        if explain:
            for name in [*self.paths, self.report.name]:
                log(f"{name}: {reasons.get(name, 'is up to date')}")
        if reasons:
            self.receipt.rebuilt = reasons
        records: tuple[RunRecord, ...] = ()
        if stale:
            records = self._run(stale, jobs)
        elif reasons:
            self._check_data()
        if reasons:
            self._render()
        return BuildResult(self.report, records, reasons)

    def _why_run(self, stem: str) -> str:
        """Reason to run notebook `stem`; "" if its outputs are there and its key is the same."""
        entry = self.receipt.notebooks.get(stem)
        if entry is None:
            return "has no good run yet"
        if entry.key != self.keys[stem]:
            return f"changed: {receipt.differences(entry.key, self.keys[stem])}"
        damaged = self.receipt.damaged(entry.outputs)
        return f"{damaged[0]} is missing or was changed" if damaged else ""

    def _why_render(self) -> str:
        """Reason to make the page though no notebook runs; "" if it is there and its inputs are the same."""
        if not self.receipt.inputs:
            return "notebooks ran since"
        if self.receipt.inputs != self.inputs:
            return f"changed: {receipt.differences(self.receipt.inputs, self.inputs)}"
        return "it is missing or was changed" if self.receipt.damaged(self.receipt.report) else ""

    def _run(self, stale: list[str], count: int) -> tuple[RunRecord, ...]:
        """Run the notebooks of `stale`, `count` at a time; the files of a good run are put in their place."""
        from desertion.engine.workers import Answer, Workers
        from desertion.errors import RunError

        entries = self.receipt.notebooks
        # The longest first, so that none is left alone at the end; whether a new one is long its author may declare.
        seconds = {stem: entries[stem].seconds for stem in stale if stem in entries}
        order = sorted(stale, key=lambda stem: (-seconds.get(stem, float("inf")), not nb.is_long(self.sources[stem])))
        records: list[RunRecord] = []
        faults: list[str] = []
        forked = len(order) >= _TO_FORK * count
        try:
            with Workers(min(count, len(order)), cold=self.cold) as workers, Display(len(order)) as display:
                tasks = {self._task(stem, forked): stem for stem in order}
                for task, message in workers.run(
                    tasks, tick=display.tick, before=self._check_data, meanwhile=self._prepare
                ):
                    stem = tasks[task]
                    if isinstance(message, RuntimeError):
                        raise message
                    if isinstance(message, tuple):
                        display.cell(stem, *message)
                        continue
                    fault = self._commit(stem, message.value) if isinstance(message, Answer) else str(message)
                    if fault:
                        faults.append(fault)
                        display.end(stem, "FAILED")
                    elif isinstance(message, Answer):
                        records.append(message.value)
                        display.end(stem, f"ran in {message.value.seconds:.1f} s")
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)
        if faults:
            raise RunError("\n".join([*faults, _last_good(self.place)]))
        return tuple(records)

    def _prepare(self) -> None:
        """Get ready for the page while the first notebooks run."""
        from desertion import report

        self.prepared = report.prepare(self.edition)

    def _task(self, stem: str, forked: bool) -> Task:
        """The run of notebook `stem`, in a forked kernel or an ordinary one, with a fresh folder for what it makes."""
        from desertion.engine.run import run
        from desertion.engine.workers import Task

        out = self.staging / stem
        out.mkdir(parents=True)
        parameters: dict[str, Any] = dict(self.parameters[stem])
        if self.cells[stem].publishes:
            parameters["out"] = str(out)
        path, copy, failed = self.paths[stem], self.staging / f"{stem}.ipynb", self.failed / f"{stem}.ipynb"
        data = self.data[stem]
        return Task(relative(path), partial(run, path, copy, parameters, failed=failed, forked=forked, data=data))

    def _check_data(self) -> None:
        """Check the data, then tidy up. Raises UserError where they have faults."""
        try:
            receipt.check_data(self.inputs)
        except UserError as error:
            raise UserError(f"{error}\nnothing was built; {_last_good(self.place)}") from None
        self._tidy()

    def _commit(self, stem: str, record: RunRecord) -> str:
        """Move the files of a run into their place, then write them into the receipt.

        The fault is returned where another notebook publishes under the same name, since the last one would win.
        """
        made = {f"notebooks/{stem}.ipynb": record.output}
        for path in sorted((self.staging / stem).rglob("*")):
            if path.is_file():
                made[f"plots/{path.relative_to(self.staging / stem).as_posix()}"] = path
        # Stale entries do not count: a plot may just be moving from one notebook to another.
        taken = {
            name: other
            for other, entry in self.receipt.notebooks.items()
            if other != stem and entry.key == self.keys[other]
            for name in entry.outputs
        }
        if both := sorted(taken.keys() & made.keys()):
            return f"{both[0]} is published by two notebooks, {taken[both[0]]} and {stem}: rename one"
        outputs = {name: file_digest(path) for name, path in made.items()}
        before = self.receipt.notebooks.get(stem)
        for name, path in made.items():
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(self.place / name)
        for name in (before.outputs if before else {}).keys() - made.keys() - taken.keys():
            (self.place / name).unlink(missing_ok=True)
        self.receipt.inputs = {}  # the page is of the files before
        self.receipt.notebooks[stem] = receipt.Entry(
            self.keys[stem], outputs, record.cells, round(record.seconds, 2), record.peak
        )
        self.receipt.write()
        return ""

    def _tidy(self) -> None:
        """Remove outputs of notebooks that are gone and files of builds that were killed."""
        entries = self.receipt.notebooks
        for stem in entries.keys() - self.paths.keys():
            del entries[stem]
        for path in self.failed.glob("*.ipynb"):
            if path.stem not in self.paths:
                path.unlink()
        known = {name for entry in entries.values() for name in entry.outputs}
        for folder in (self.place / "notebooks", self.place / "plots"):
            for path in sorted(folder.rglob("*"), reverse=True):
                if path.is_dir():
                    with contextlib.suppress(OSError):  # not empty
                        path.rmdir()
                elif path.relative_to(self.place).as_posix() not in known:
                    path.unlink()

    def _render(self) -> None:
        from desertion import report

        executed = [self.place / "notebooks" / f"{stem}.ipynb" for stem in self.paths]
        with Display(1, "making the page") as display:
            display.cell(self.report.name, 0, 1)
            self.receipt.notes = report.render(
                self.edition, executed, self.report, plots=self.place / "plots", prepared=self.prepared
            )
        self.receipt.inputs = self.inputs
        made = (self.report, self.report.with_suffix(".pdf"))
        self.receipt.report = {path.name: file_digest(path) for path in made if path.is_file()}
        self.receipt.write()


def _last_good(place: Path) -> str:
    report = place / "report.html"
    if not report.is_file():
        return "there is no earlier report"
    return f"{relative(report)} is still the report of the last good build"
