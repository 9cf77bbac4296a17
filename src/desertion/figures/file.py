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
from desertion.figures.read import CsvText, Issue, canonical, decode, order, parse
from desertion.figures.schema import CsvSchema
from desertion.project import relative
from desertion.text import nearest, shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class File:
    """A file as it was read, and its issues so far.

    `frame`: text of the rows that have as many cells as the header, indexed by line. `ids`: the first key column of
    every row. `whole`: whether the file was read to its end, so that an id outside `ids` is unknown.
    `blocks`: whether `desertion fmt` refuses the file, and then mends no other.
    """

    schema: CsvSchema
    path: Path
    frame: pd.DataFrame
    ids: set[str] = field(default_factory=set)
    whole: bool = False
    issues: list[Issue] = field(default_factory=list)
    blocks: bool = False

    def rows(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """(line, cell, …) of every row in which none of `columns` is missing or has a fault so far."""
        if not set(columns) <= set(self.frame.columns):
            return
        bad = {one.line for one in self.issues if one.column in columns and not one.form}
        for row in zip(self.frame.index, *(self.frame[column] for column in columns), strict=True):
            if row[0] not in bad:
                yield row

    def faults(self) -> Iterator[Fault]:
        """The issues as faults, which name the file: one for many cells of a column that have the same cause.

        Many are most of a column that a spreadsheet rewrites, or 20 that say the same of the same value, or of numbers.
        """
        place, rewritten = relative(self.path), self._rewritten()
        alike = defaultdict[tuple[str, ...], list[Issue]](list)
        for issue in self.issues:
            values = issue.form or self.schema.types.get(issue.column) in _REWRITTEN
            cause = "" if issue.column in rewritten and not issue.form else re.split("[:;]", issue.message)[0]
            alike[issue.column, cause, "" if values else issue.value].append(issue)
        for (column, cause, _), issues in alike.items():
            first, count = min(issues), len(issues)
            if count < _SAME and (cause or count <= _MANY):
                yield from (Fault(place, *issue[:4]) for issue in issues)
            else:
                message = f"{count} cells of this column have a fault, this one {first.message}"
                yield Fault(place, first.line, column, first.value, message)

    def _rewritten(self) -> set[str]:
        """Columns that a spreadsheet spoilt in most rows."""
        columns = Counter(one.column for one in self.issues if not one.form)
        return {name for name, count in columns.items()
                if self.schema.types.get(name) in _REWRITTEN and count > max(_MANY, len(self.frame) / 2)}  # fmt: skip


#: Types of columns that a spreadsheet rewrites, from how many faulty cells on they are one fault, and from how many on
#: cells of one cause are.
_REWRITTEN, _MANY, _SAME = ("boolean", "date", "month", "number"), 5, 20

Files = Mapping[str, File]
Between = Iterator[tuple[str, Issue]]  # (file name, issue)


def read(schema: CsvSchema, path: Path) -> File:
    """The file at `path` with its faults as a file; without rows where it cannot be read."""
    import pandas as pd

    file = File(schema, path, pd.DataFrame(columns=list(schema.columns), dtype=object))
    report = file.issues.append
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        report(Issue(1, "file", schema.file, f"the file is missing: its columns are {','.join(schema.columns)}"))
        return file
    except OSError as error:
        report(Issue(1, "file", schema.file, f"the file cannot be read: {error.strerror}"))
        return file
    text, issues = decode(raw)
    file.issues += issues
    parsed = parse(text, schema.columns, schema.types)
    file.issues += parsed.issues
    file.blocks = bool(parsed.broken) or any(not one.form for one in issues) or not {*schema.key} <= {*parsed.header}
    if parsed.broken:
        report(parsed.broken)
    header = parsed.header
    if not header:
        if not parsed.broken:
            report(Issue(1, "file", schema.file, f"the file is empty: its columns are {','.join(schema.columns)}"))
        return file
    if not set(header) & set(schema.columns):
        message = f"none of the file's columns is here ({','.join(schema.columns)}): cells are separated by commas"
        report(Issue(1, "header", ",".join(header), message))
        return file
    if schema.needs_rows and not parsed.rows and not parsed.broken:
        report(Issue(1, "file", schema.file, "the file has no rows"))
    file.whole = not parsed.broken and schema.key[0] in header
    if file.whole:
        at = header.index(schema.key[0])
        file.ids = {cells[at].strip() for _, cells in parsed.rows if at < len(cells)}
        if missing := [key for key in schema.needs if key not in file.ids]:
            report(Issue(1, "file", schema.file, f"it lacks {', '.join(missing)}: bounds are read by these words"))
    file.issues += _shape_issues(schema, parsed)
    if not any(issue.form for issue in file.issues) and not parsed.broken:
        file.issues += _form_issues(schema, parsed, text)
    rows = [(line, [cell.strip() for cell in cells]) for line, cells in parsed.rows if len(cells) == len(header)]
    frame = pd.DataFrame([cells for _, cells in rows], [line for line, _ in rows], columns=header, dtype=object)
    file.frame = frame.loc[:, ~frame.columns.duplicated()]
    return file


def _shape_issues(schema: CsvSchema, parsed: CsvText) -> Iterator[Issue]:
    header = parsed.header
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Issue(1, "header", name, "this column stands twice: delete one")
    if sorted(header) == sorted(schema.columns) and header != list(schema.columns):
        yield Issue.mendable(1, "header", ",".join(header), "the columns are in another order")
    key, before, out_of_order = order(schema, header), None, False
    for line, cells in parsed.rows:
        if len(cells) != len(header):
            yield Issue(line, "row", cells[0].strip(), _ragged(header, cells))
        elif cells != [cell.strip() for cell in cells]:
            for name, cell in zip(header, cells, strict=True):
                if cell != cell.strip():
                    yield Issue.mendable(line, name, cell, "has spaces around it")
        here = key(cells)
        if not out_of_order and before is not None and here < before:
            out_of_order = True
            keys = ", ".join(schema.key)
            yield Issue.mendable(line, schema.key[0], cells[0], f"is out of order: rows are sorted by {keys}")
        before = here


def _ragged(header: list[str], cells: list[str]) -> str:
    message = f"has {len(cells)} cells, the header {len(header)}"
    if len(cells) < len(header):
        return f"{message}: add what is missing (a blank cell is ',,')"
    for one, two in pairwise(cells):
        if re.fullmatch("[0-9]{1,3}", one) and re.fullmatch("[0-9]{3}", two):
            return f"{message}: {one},{two} is written {one}{two}"
    return f"{message}: a cell with a comma in it stands in double quotes"


def _form_issues(schema: CsvSchema, parsed: CsvText, text: str) -> Iterator[Issue]:
    kept = canonical(schema, parsed).split("\n")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number >= len(kept) or line != kept[number]:
            message = "needless or missing quotes, a blank line, or no line end after the last row"
            yield Issue.mendable(min(number + 1, len(lines)), "line", line, message)
            return
    if len(kept) != len(lines):
        yield Issue.mendable(len(lines), "line", lines[-1], "no line end after the last row")


def cell_issues(schema: CsvSchema, frame: pd.DataFrame) -> Iterator[Issue]:
    """Columns that are missing or surplus, and cells that break the rule of their column."""
    for name in set(frame.columns) - set(schema.columns):
        hint = nearest(name, set(schema.columns) - set(frame.columns))
        what = f"is not a column of this file{hint}" if name else "is a column without a name: delete it"
        yield Issue(1, "header", name, what)
    for name, column in schema.columns.items():
        if name not in frame:
            yield Issue(1, "header", name, f"this column is missing: the columns are {','.join(schema.columns)}")
            continue
        messages = {cell: column.rule(cell) for cell in frame[name].unique()}  # each distinct text once
        if any(messages.values()):
            cells = zip(frame.index, frame[name], strict=True)
            yield from (Issue(line, name, cell, messages[cell]) for line, cell in cells if messages[cell])


def join(frame: pd.DataFrame, published: Mapping[str, str]) -> None:
    """Add the date of each row's source for the rules of a row, blank where it is not known."""
    if "source_id" in frame:
        frame["published"] = [published.get(source, "") for source in frame["source_id"]]


def row_issues(file: File) -> Iterator[Issue]:
    """Faults that the rules between the cells of a row find."""
    for rule in file.schema.row_rules:
        at = rule.of.index(rule.at)
        for line, *cells in file.rows(*rule.of):
            if message := rule.explain(*cells):
                yield Issue(line, rule.at, cells[at], message)


def repeated(file: File) -> Iterator[Issue]:
    """Rows whose key, or whose cell in a unique column, an earlier row has."""
    unique = [(name,) for name, column in file.schema.columns.items() if column.unique]
    for columns in (file.schema.key, *unique):
        first: dict[tuple[str, ...], int] = {}
        for line, *cells in file.rows(*columns):
            earlier = first.setdefault(tuple(cells), line)
            if earlier != line and any(cells):
                message = f"this {' and '.join(columns)} already stands on line {earlier}"
                yield Issue(line, columns[0], cells[0], message)


def unlike(file: File) -> Iterator[Issue]:
    """Rows of one group (a fact, a series) that disagree on a shared column; the rarer value is reported."""
    by, columns = file.schema.alike
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
                    yield Issue(line, column, cell, f"the {what}: one of them is wrong")
