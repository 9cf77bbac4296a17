"""Every fault of the data folder at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desertion.errors import UserError
from desertion.figures import links
from desertion.figures.corrections import bad_corrections
from desertion.figures.fault import Fault
from desertion.figures.file import (
    CONTEXT,
    FIGURES,
    SOURCES,
    cell_troubles,
    join,
    read,
    repeated_keys,
    row_troubles,
    unlike,
)
from desertion.figures.schema import TABLES
from desertion.project import relative

if TYPE_CHECKING:
    import pandas as pd

_BETWEEN = (
    links.shared_ids,
    links.unknown_ids,
    links.same_address,
    links.circles,
    bad_corrections,
    links.misnamed_facts,
    links.numbers,
)


class Examined(NamedTuple):
    """The frames of a data folder, by file name (text, indexed by line), and their faults, sorted."""

    frames: dict[str, pd.DataFrame]
    faults: list[Fault]


def check(data_dir: Path) -> list[Fault]:
    """Every fault of the data in `data_dir`, sorted by file and line; an empty list where there is none.

    Raises UserError where there is no such folder.
    """
    return examine(data_dir).faults


def examine(data_dir: Path) -> Examined:
    """The data of `data_dir` as text together with every fault. Raises UserError where there is no such folder."""
    if not data_dir.is_dir():
        raise UserError(f"{relative(data_dir)}: there is no such folder")
    files = {}
    for table in TABLES:
        path = data_dir / table.file
        if path.exists() or path.is_symlink() or not table.may_be_absent:
            files[table.file] = read(table, path)
    for file in files.values():
        file.troubles += cell_troubles(file.table, file.frame)
    published = {source: date for _, source, date in files[SOURCES].rows("id", "published")}
    for name in (FIGURES, CONTEXT):
        join(files[name].frame, published)
    # Each rule looks only at cells that no rule before it found fault with.
    for rule in (row_troubles, repeated_keys, unlike):
        for file in files.values():
            file.troubles += list(rule(file))
    for between in _BETWEEN:
        for name, trouble in list(between(files)):
            files[name].troubles.append(trouble)
    faults = sorted({fault for file in files.values() for fault in file.faults()})
    return Examined({name: file.frame for name, file in files.items()}, faults)
