"""Corrections of the figures: the corrected cells, and whether each correction still fits its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from desertion.figures.file import Between, File, Files, cell_issues, row_issues
from desertion.figures.read import Issue
from desertion.figures.schema import CONTEXT, CORRECTIONS, FIGURES
from desertion.text import nearest, shown

if TYPE_CHECKING:
    import pandas as pd


def corrected(files: Files, name: str, *columns: str) -> Iterator[tuple[Any, ...]]:
    """(line, id, cell, …) of every row of figures or context, with those corrected cells that keep their rule."""
    schema = files[name].schema
    cells = {
        (number, column): cell
        for _, number, column, cell in files[CORRECTIONS].rows("figure_id", "field", "corrected")
        if column in schema.columns and not schema.columns[column].rule(cell)
    }
    for line, number, *row in files[name].rows("id", *columns):
        yield line, number, *(cells.get((number, c), cell) for c, cell in zip(columns, row, strict=True))


class Correction(NamedTuple):
    """A row of corrections.csv with its line."""

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
        named = {correction.figure_id for correction in corrections}
        frame = file.frame[file.frame["id"].isin(named)].drop_duplicates("id")
        rows = {str(row["id"]): (line, row) for line, row in zip(frame.index, _records(frame), strict=True)}
        faulty = {(issue.line, issue.column) for issue in file.issues if not issue.form}
        sound = []
        for correction in corrections:
            if correction.figure_id in rows:
                line, row = rows[correction.figure_id]
                if (line, correction.field) in faulty:
                    continue  # the figure's cell is itself at fault: the correction may be right
                issues = list(_stale(file, line, row, correction))
                yield from ((CORRECTIONS, issue) for issue in issues)
                if not issues:
                    sound.append(correction)
        yield from ((CORRECTIONS, issue) for issue in _spoilt(file, rows, sound))


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return [dict(zip(frame.columns, cells, strict=True)) for cells in frame.itertuples(index=False, name=None)]


def _stale(file: File, line: int, row: Mapping[str, str], correction: Correction) -> Iterator[Issue]:
    number, column, printed, right = correction[1:5]
    where = f"{file.schema.file}:{line}"
    fields = [name for name in file.schema.columns if name in row and name not in ("id", "source_id")]
    if column not in fields:
        message = f"is not a field of {file.schema.file} that can be corrected{nearest(column, fields)}"
        yield Issue(correction.line, "field", column, message)
    elif row[column] != printed:
        end = (
            "which is the corrected value: delete this correction, or put back what the page prints"
            if row[column] == right
            else "not the printed value: look again, then mend this correction or delete it"
        )
        message = f"the correction of {number} {column} is stale: {where} holds '{shown(row[column])}', {end}"
        yield Issue(correction.line, "printed", printed, message)
    elif printed == right:
        yield Issue(correction.line, "corrected", right, "is what the page prints: there is nothing to correct")


def _spoilt(file: File, rows: Mapping[str, tuple[int, dict[str, str]]], sound: Iterable[Correction]) -> Iterator[Issue]:
    """Faults that a row has only once it is corrected, after each day on which a correction became known."""
    import pandas as pd

    blame: list[list[Correction]] = []  # the corrections applied to each row of `after`
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
    mended = File(file.schema, file.path, pd.DataFrame(after, dtype=object))
    mended.issues += cell_issues(file.schema, mended.frame.drop(columns="published"))
    mended.issues += list(row_issues(mended))
    known = {(issue.line, issue.column, issue.message) for issue in file.issues}
    for issue in mended.issues:
        if issue.column == "header":
            continue
        applied = blame[issue.line]
        line = rows[applied[0].figure_id][0]
        if (line, issue.column, issue.message) in known:
            continue
        one = next((c for c in applied if c.field == issue.column), applied[-1])
        message = f"makes {file.schema.file}:{line} wrong: {issue.column} '{shown(issue.value)}' {issue.message}"
        yield Issue(one.line, "corrected", one.corrected, message)
