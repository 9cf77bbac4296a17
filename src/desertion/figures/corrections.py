"""Corrections: what they make of the figures, and whether they still fit the rows that they correct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from desertion.figures.file import CONTEXT, CORRECTIONS, FIGURES, Between, File, Files, cell_troubles, row_troubles
from desertion.figures.read import Trouble
from desertion.text import nearest, shown

if TYPE_CHECKING:
    import pandas as pd


def corrected(files: Files) -> dict[str, dict[str, str]]:
    """The corrected cells of each figure, by column; those only that keep the column's rule."""
    cells = defaultdict[str, dict[str, str]](dict)
    for _, number, column, cell in files[CORRECTIONS].rows("figure_id", "field", "corrected"):
        table = files[FIGURES if number in files[FIGURES].ids else CONTEXT].table
        if column in table.columns and not table.columns[column].rule(cell):
            cells[number][column] = cell
    return cells


class Correction(NamedTuple):
    """A row of corrections.csv: line in it, then what it says."""

    line: int
    figure_id: str
    field: str
    printed: str
    corrected: str
    known_from: str


def bad_corrections(files: Files) -> Between:
    """A correction names a field that exists, finds the printed value there, and leaves the row valid on every day."""
    columns = ("figure_id", "field", "printed", "corrected", "known_from")
    corrections = [Correction(*row) for row in files[CORRECTIONS].rows(*columns)]
    for name in (FIGURES, CONTEXT):
        file = files[name]
        if not {"id", "source_id"} <= set(file.frame.columns):
            continue
        wanted = {correction.figure_id for correction in corrections}
        found = file.frame[file.frame["id"].isin(wanted)].drop_duplicates("id")
        rows = {str(row["id"]): (line, row) for line, row in zip(found.index, _records(found), strict=True)}
        sound = []
        for correction in corrections:
            if correction.figure_id in rows:
                line, row = rows[correction.figure_id]
                troubles = list(_stale(file, line, row, correction))
                yield from ((CORRECTIONS, trouble) for trouble in troubles)
                if not troubles:
                    sound.append(correction)
        yield from ((CORRECTIONS, trouble) for trouble in _spoilt(file, rows, sound))


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return [dict(zip(frame.columns, cells, strict=True)) for cells in frame.itertuples(index=False, name=None)]


def _stale(file: File, line: int, row: Mapping[str, str], correction: Correction) -> Iterator[Trouble]:
    number, column, printed, right = correction[1:5]
    where = f"{file.table.file}:{line}"
    fields = [name for name in file.table.columns if name in row and name not in ("id", "source_id")]
    if column not in fields:
        message = f"is not a field of {file.table.file} that can be corrected{nearest(column, fields)}"
        yield Trouble(correction.line, "field", column, message)
    elif row[column] != printed:
        end = (
            "which is the corrected value: delete this correction, or put back what the page prints"
            if row[column] == right
            else "not the printed value: look again, then mend this correction or delete it"
        )
        message = f"the correction of {number} {column} is stale: {where} holds '{shown(row[column])}', {end}"
        yield Trouble(correction.line, "printed", printed, message)
    elif printed == right:
        yield Trouble(correction.line, "corrected", right, "is what the page prints: there is nothing to correct")


def _spoilt(
    file: File, rows: Mapping[str, tuple[int, dict[str, str]]], sound: Iterable[Correction]
) -> Iterator[Trouble]:
    """Faults that a row has only once it is corrected, after each day on which a correction became known."""
    import pandas as pd

    blame: list[list[Correction]] = []  # what has been applied to each row of `after`
    after: list[dict[str, str]] = []
    latest: dict[str, tuple[dict[str, str], list[Correction]]] = {}
    for correction in sorted(sound, key=lambda one: (one.figure_id, one.known_from)):
        row, applied = latest.get(correction.figure_id, (rows[correction.figure_id][1], []))
        if applied and applied[-1].known_from == correction.known_from:
            del after[-1], blame[-1]
        row, applied = {**row, correction.field: correction.corrected}, [*applied, correction]
        latest[correction.figure_id] = row, applied
        after.append(row)
        blame.append(applied)
    if not after:
        return
    mended = File(file.table, file.path, pd.DataFrame(after, dtype=object))
    mended.troubles += cell_troubles(file.table, mended.frame.drop(columns="published"))
    mended.troubles += list(row_troubles(mended))
    known = {(trouble.line, trouble.column, trouble.message) for trouble in file.troubles}
    for trouble in mended.troubles:
        if trouble.column == "header":
            continue
        applied = blame[trouble.line]
        line = rows[applied[0].figure_id][0]
        if (line, trouble.column, trouble.message) in known:
            continue
        one = next((c for c in applied if c.field == trouble.column), applied[-1])
        message = f"makes {file.table.file}:{line} wrong: {trouble.column} '{shown(trouble.value)}' {trouble.message}"
        yield Trouble(one.line, "corrected", one.corrected, message)
