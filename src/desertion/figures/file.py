"""One data file: read, and its faults as a file, cell by cell, row by row, and among its own rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desertion.figures.fault import Fault
from desertion.figures.read import Sheet, Trouble, canonical, decode, order, parse
from desertion.figures.schema import Table, schema
from desertion.project import relative
from desertion.text import nearest, shown

if TYPE_CHECKING:
    import pandas as pd

FIGURES, CONTEXT, SOURCES = "figures.csv", "context.csv", "sources.csv"
CORRECTIONS, EVENTS = "corrections.csv", "events.csv"
CLAIMS, IDENTITIES = "claims.csv", "identities.csv"


@dataclass
class File:
    """A file as it was read, and its troubles so far.

    `frame`: text of the rows that have as many cells as the header, indexed by line. `ids`: the first key column of
    every row. `whole`: the file was read to its end, so that an id which is not in `ids` is unknown.
    """

    table: Table
    path: Path
    frame: pd.DataFrame
    ids: set[str] = field(default_factory=set)
    whole: bool = False
    troubles: list[Trouble] = field(default_factory=list)

    def rows(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """(line, cell, …) of every row in which none of `columns` is missing or has a fault so far."""
        if not set(columns) <= set(self.frame.columns):
            return
        bad = {one.line for one in self.troubles if one.column in columns and not one.form}
        for row in zip(self.frame.index, *(self.frame[column] for column in columns), strict=True):
            if row[0] not in bad:
                yield row

    def faults(self) -> Iterator[Fault]:
        """The troubles, each with its file."""
        return (Fault(relative(self.path), *trouble[:4]) for trouble in self.troubles)


Files = Mapping[str, File]
Between = Iterator[tuple[str, Trouble]]  # (name of the file, what is wrong there)


def read(table: Table, path: Path) -> File:
    """The file at `path` with its faults as a file; without rows where it cannot be read."""
    import pandas as pd

    file = File(table, path, pd.DataFrame(columns=list(table.columns), dtype=object))
    say = file.troubles.append
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        say(Trouble(1, "file", table.file, f"the file is missing: its columns are {','.join(table.columns)}"))
        return file
    except OSError as error:
        say(Trouble(1, "file", table.file, f"the file cannot be read: {error.strerror}"))
        return file
    text, troubles = decode(raw)
    file.troubles += troubles
    sheet = parse(text)
    if sheet.broken:
        say(sheet.broken)
    header = sheet.header
    if not header:
        if not sheet.broken:
            say(Trouble(1, "file", table.file, f"the file is empty: its columns are {','.join(table.columns)}"))
        return file
    if not set(header) & set(table.columns):
        message = f"none of the file's columns is here ({','.join(table.columns)}): cells are separated by commas"
        say(Trouble(1, "header", ",".join(header), message))
        return file
    if table.needs_rows and not sheet.rows and not sheet.broken:
        say(Trouble(1, "file", table.file, "the file has no rows"))
    file.whole = not sheet.broken and table.key[0] in header
    if file.whole:
        at = header.index(table.key[0])
        file.ids = {cells[at].strip() for _, cells in sheet.rows if at < len(cells)}
    file.troubles += _shape_troubles(table, sheet)
    if not any(trouble.form for trouble in file.troubles) and not sheet.broken:
        file.troubles += _form_troubles(table, sheet, text)
    rows = [(line, [cell.strip() for cell in cells]) for line, cells in sheet.rows if len(cells) == len(header)]
    frame = pd.DataFrame([cells for _, cells in rows], [line for line, _ in rows], columns=header, dtype=object)
    file.frame = frame.loc[:, ~frame.columns.duplicated()]
    return file


def _shape_troubles(table: Table, sheet: Sheet) -> Iterator[Trouble]:
    header = sheet.header
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Trouble(1, "header", name, "this column stands twice: delete one")
    if sorted(header) == sorted(table.columns) and header != list(table.columns):
        yield Trouble.mendable(1, "header", ",".join(header), "the columns are in another order")
    key, before, out_of_order = order(table, header), None, False
    for line, cells in sheet.rows:
        if len(cells) != len(header):
            yield Trouble(line, "row", cells[0].strip(), _ragged(header, cells))
        elif cells != [cell.strip() for cell in cells]:
            for name, cell in zip(header, cells, strict=True):
                if cell != cell.strip():
                    yield Trouble.mendable(line, name, cell, "has spaces around it")
        here = key(cells)
        if not out_of_order and before is not None and here < before:
            out_of_order = True
            keys = ", ".join(table.key)
            yield Trouble.mendable(line, table.key[0], cells[0], f"is out of order: rows are sorted by {keys}")
        before = here


def _ragged(header: list[str], cells: list[str]) -> str:
    message = f"has {len(cells)} cells, the header {len(header)}"
    if len(cells) < len(header):
        return f"{message}: add what is missing (a blank cell is ',,')"
    for one, two in pairwise(cells):
        if re.fullmatch("[0-9]{1,3}", one) and re.fullmatch("[0-9]{3}", two):
            return f"{message}: {one},{two} is written {one}{two}"
    return f"{message}: a cell with a comma in it stands in double quotes"


def _form_troubles(table: Table, sheet: Sheet, text: str) -> Iterator[Trouble]:
    kept = canonical(table, sheet).split("\n")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number >= len(kept) or line != kept[number]:
            message = "needless or missing quotes, a blank line, or no line end after the last row"
            yield Trouble.mendable(min(number + 1, len(lines)), "line", line, message)
            return
    if len(kept) != len(lines):
        yield Trouble.mendable(len(lines), "line", lines[-1], "no line end after the last row")


def cell_troubles(table: Table, frame: pd.DataFrame) -> list[Trouble]:
    """What the pandera schema of the table finds: columns missing or surplus, cells that break their column's rule."""
    import pandera.pandas as pa

    try:
        schema(table.file).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failed = errors.failure_cases[["column", "check", "failure_case", "index"]]
        return [_cell_trouble(table, frame, *case) for case in failed.itertuples(index=False, name=None)]
    return []


def _cell_trouble(table: Table, frame: pd.DataFrame, column: str, check: str, cell: str, line: int) -> Trouble:
    if check == "column_in_schema":
        hint = nearest(cell, set(table.columns) - set(frame.columns))
        return Trouble(1, "header", cell, f"is not a column of this file{hint}")
    if check == "column_in_dataframe":
        return Trouble(1, "header", cell, f"this column is missing: the columns are {','.join(table.columns)}")
    return Trouble(int(line), column, cell, table.columns[column].rule(cell))


def join(frame: pd.DataFrame, published: Mapping[str, str]) -> None:
    """Put the date of each row's source beside it, blank where it is not known, for the rules of a row."""
    if "source_id" in frame:
        frame["published"] = [published.get(source, "") for source in frame["source_id"]]


def row_troubles(file: File) -> Iterator[Trouble]:
    """What the rules between the cells of a row find."""
    for rule in file.table.row_rules:
        at = rule.of.index(rule.at)
        for line, *cells in file.rows(*rule.of):
            if message := rule.explain(*cells):
                yield Trouble(line, rule.at, cells[at], message)


def repeated_keys(file: File) -> Iterator[Trouble]:
    """Rows whose id an earlier row has."""
    first: dict[tuple[str, ...], int] = {}
    for line, *cells in file.rows(*file.table.key):
        seen = first.setdefault(tuple(cells), line)
        if seen != line:
            what = " and ".join(file.table.key)
            yield Trouble(line, file.table.key[0], cells[0], f"this {what} already stands on line {seen}")


def unlike(file: File) -> Iterator[Trouble]:
    """Rows of one group (a fact, a series) that differ in what such rows have in common: the rarer word is told."""
    by, columns = file.table.alike
    for column in columns:
        groups = defaultdict[str, list[tuple[int, str]]](list)
        rows = list(file.rows(by, column))
        if len({group for _, group, _ in rows}) == len({row[1:] for row in rows}):
            continue  # the usual case, found fast
        for line, group, cell in rows:
            groups[group].append((line, cell))
        for group, cells in groups.items():
            [(usual, _)] = Counter(cell for _, cell in cells).most_common(1)
            first = next(line for line, cell in cells if cell == usual)
            for line, cell in cells:
                if cell != usual:
                    what = f"{column} of the {by} '{shown(group)}' is '{shown(usual)}' on line {first}"
                    yield Trouble(line, column, cell, f"the {what}: one of them is wrong")
