"""Every fault of the data folder at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desertion.errors import UserError
from desertion.figures import details, links, plausible
from desertion.figures.corrections import bad_corrections
from desertion.figures.fault import Fault
from desertion.figures.file import File, cell_issues, join, read, repeated, row_issues, unlike
from desertion.figures.schema import BY_FILE, CONTEXT, FIGURES, SCHEMAS, SOURCES, CsvSchema
from desertion.project import demand_clone, relative
from desertion.text import listed

if TYPE_CHECKING:
    import pandas as pd

_BETWEEN = (
    links.shared_ids, links.unknown_ids, links.same_address, links.circles, bad_corrections, links.misnamed_facts,
    links.miscounted_facts, details.describe, details.ranges, links.contradicted_facts, links.misprinted_hedges,
    links.miscopied_forms, links.numbers,
)  # fmt: skip


#: What lets a source outlive its link: columns of sources.csv, each with what a page without it lacks.
_OUTLIVES = {"title": "a title", "archived": "a copy in an archive", "retrieved": "the day on which it was read"}


def unarchived(data_dir: Path) -> str:
    """One line on how many pages of `data_dir` lack what lets a source outlive its link."""
    frame = read(BY_FILE[SOURCES], data_dir / SOURCES).frame
    lacks = ", ".join(f"{frame[column].eq('').sum()} {what}" for column, what in _OUTLIVES.items())
    return f"no faults; {SOURCES} has {len(frame)} pages, of which lack {lacks}"


class Examined(NamedTuple):
    """The files of a data folder, by name, their frames (text, indexed by line), and their faults, sorted."""

    frames: dict[str, pd.DataFrame]
    faults: list[Fault]
    files: dict[str, File]

    def warnings(self, broken: Mapping[str, str] | None = None) -> list[Fault]:
        """What is unlikely and not acknowledged, sorted; the message begins with the kind of the warning.

        `broken`: id → reason of each identity that breaks (`reconcile.broken`); None leaves identities out.
        """
        made = plausible.warnings(self.files, broken)
        return sorted(
            Fault(
                relative(self.files[name].path), one.line, one.column, one.value, f"{one.kind}: {one.id}, {one.message}"
            )
            for name, one in made
        )


def check(data_dir: Path) -> list[Fault]:
    """Every fault of the data in `data_dir`, sorted by file and line; an empty list where there is none.

    Raises UserError where there is no such folder.
    """
    return examine(data_dir).faults


def examine(data_dir: Path) -> Examined:
    """The data of `data_dir` as text together with every fault. Raises UserError where there is no such folder."""
    if not data_dir.is_dir():
        demand_clone()
        raise UserError(f"{relative(data_dir)}: there is no such folder")
    files = {}
    for schema in SCHEMAS:
        path = data_dir / schema.file
        if path.exists() or path.is_symlink() or not schema.may_be_absent:
            files[schema.file] = read(schema, path)
    for file in files.values():
        file.issues += cell_issues(file.schema, file.frame)
    published = {source: date for _, source, date in files[SOURCES].rows("id", "published")}
    for name in (FIGURES, CONTEXT):
        join(files[name].frame, published)
    _rows(*files.values())
    for between in _BETWEEN:
        for name, issue in list(between(files)):
            files[name].issues.append(issue)
    faults = sorted({fault for file in files.values() for fault in file.faults()}, key=_causes_first)
    if blocking := [relative(file.path) for file in files.values() if file.blocks]:
        later = f"mends it once {listed(blocking)} can be read"
        faults = [replace(one, message=re.sub(r"mends it$", later, one.message)) for one in faults]
    return Examined({name: file.frame for name, file in files.items()}, faults, files)


def _causes_first(fault: Fault) -> tuple[bool, Fault]:
    """What spoils a whole file or a whole column comes before what follows from it."""
    whole = fault.column in ("file", "encoding", "header") or re.match("[0-9]+ cells? ", fault.message)
    return not whole, fault


def examine_one(data_dir: Path, schema: CsvSchema) -> Examined:
    """One file of `data_dir` with the faults that need no other file."""
    file = read(schema, data_dir / schema.file)
    file.issues += cell_issues(schema, file.frame)
    _rows(file)
    return Examined({schema.file: file.frame}, sorted(file.faults()), {schema.file: file})


def _rows(*files: File) -> None:
    """Each rule looks only at cells in which no rule before it found a fault."""
    for rule in (row_issues, repeated, unlike):
        for file in files:
            file.issues += list(rule(file))
