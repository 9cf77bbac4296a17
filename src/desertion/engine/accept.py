"""Renews the committed outputs of the default edition: those stored in `notebooks/`, and the plots in `plots/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from desertion import notebook as nb
from desertion.engine import merged, receipt, repeat
from desertion.engine.build import build, withheld
from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import PHONE, PLOTS, relative, write_atomic

EDITION = "default"
_PUBLISHED = {".svg", ".png", ".pdf", ".csv", ".json"}


@dataclass(frozen=True)
class Changes:
    """Changes by accepting: notebook → code cells (none: counts or metadata), plot file → new, changed or removed."""

    notebooks: dict[str, list[int]]
    plots: dict[str, str]

    def __str__(self) -> str:
        lines = []
        for name, cells in self.notebooks.items():
            what = (
                f"outputs of code cells {', '.join(map(str, cells))}" if cells else "no output, only counts or metadata"
            )
            lines.append(f"notebooks/{name}: {what}")
        for plot, how in sorted({(Path(name).stem, how) for name, how in self.plots.items()}):
            files = [Path(name).suffix for name in self.plots if Path(name).stem == plot and self.plots[name] == how]
            lines.append(f"plots/{plot}: {how} ({' '.join(files)})")
        return "\n".join(lines) or "nothing changed"


def main(*, jobs: int | None = None, dry_run: bool = False, editions: bool = False) -> int:
    """Accept the outputs of the default edition and print what changed; 0, or UserError.

    With `editions` the numbers of the other editions and of the releases are stored too.
    """
    from desertion import params

    if not dry_run:
        for name in merged.settle():
            print(f"{name}: has the cells of both sides of the merge")
    changed = accept(params.edition(EDITION), jobs=jobs, dry_run=dry_run)
    print("nothing was stored" if dry_run else changed)
    if editions and not dry_run:
        from desertion.changes import history

        print(f"editions/history.json: {'changed' if history.store(jobs=jobs) else 'is up to date'}")
    return 0


def accept(edition: Edition, *, jobs: int | None = None, dry_run: bool = False) -> Changes:
    """Build `edition` and store the outputs of its notebooks and its plots; if anything fails, nothing is touched.

    What will change for readers is printed first; with `dry_run` nothing else is done.

    Raises UserError where the edition overrides anything (nbval runs the notebooks with their defaults), where a
    notebook failed, where a sentence is withheld, where a changed notebook gives other outputs when it is run again, or
    where something changed while they ran.
    """
    paths = nb.paths()
    if edition.shared or edition.own or edition.left_out:
        raise UserError(
            f"edition '{edition.name}' overrides parameters, and stored outputs are those of the defaults: "
            "edit the notebooks' parameters cells instead"
        )
    place = build(edition, jobs=jobs).report.parent
    if sentences := withheld(edition.name):
        lines = "\n".join(map(str, sentences))
        raise UserError(f"{lines}\nnothing was accepted: change the words or the condition of each sentence")
    texts: dict[Path, str] = {}
    cells: dict[str, list[int]] = {}
    for path in paths:
        text = nb.dumps(nb.scrub(nb.read(place / "notebooks" / path.name)))
        if text != path.read_text(encoding="utf-8"):
            texts[path] = text
            cells[path.name] = _changed_cells(nb.read(path), json.loads(text))
    if unsteady := _unsteady(edition.name, texts, jobs):
        raise UserError("\n".join([*unsteady, f"nothing was accepted; {repeat.CAUSES}"]))
    if not receipt.up_to_date(edition.name):
        raise UserError("a notebook or the data changed while they ran: nothing was accepted; run it again")
    from desertion import changes

    changed, page = changes.of_build(edition)
    if changed:
        print(changes.text(changed, page))
    if dry_run:
        return Changes({}, {})
    drawn = [path for path in sorted((place / "plots").glob("*.*")) if not path.stem.endswith(PHONE)]
    plots = _plots({path.name: path for path in drawn})
    for path, text in texts.items():
        write_atomic(path, text)
    merged.lock()
    return Changes(cells, plots)


def _unsteady(edition: str, texts: dict[Path, str], jobs: int | None) -> list[str]:
    """Run the notebooks that `texts` would renew a second time; a line for each cell with other outputs then."""
    lines = []
    for path, again in (repeat.run_again(edition, list(texts), jobs) if texts else {}).items():
        cells = nb.code_cells(again)
        for number in _changed_cells(json.loads(texts[path]), again):
            source = nb.first_line(cells[number - 1])
            lines.append(f"{relative(path)}: code cell {number} (`{source}`) gives other outputs when it is run again")
    return lines


def _changed_cells(stored: nb.Notebook, new: nb.Notebook) -> list[int]:
    """The numbers of the code cells whose outputs differ."""
    before, after = ([nb.outputs(cell) for cell in nb.code_cells(notebook)] for notebook in (nb.scrub(stored), new))
    return [number for number, (one, other) in enumerate(zip(before, after, strict=True), 1) if one != other]


def _plots(made: dict[str, Path]) -> dict[str, str]:
    """Copy the published files into `plots/`, remove old ones, renew the lock; file → new, changed or removed."""
    from desertion import publish

    changes: dict[str, str] = {}
    PLOTS.mkdir(exist_ok=True)
    for name, path in made.items():
        new = not (PLOTS / name).exists()
        if write_atomic(PLOTS / name, path.read_bytes()):
            changes[name] = "new" if new else "changed"
    for path in sorted(PLOTS.iterdir()):
        if path.suffix in _PUBLISHED and path.name not in made:
            path.unlink()
            changes[path.name] = "removed"
    publish.lock(PLOTS)
    return changes
