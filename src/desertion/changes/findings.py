"""What a state holds for its readers: sentences, tables, plots, statements, parameters, packages."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from desertion import notebook as nb
from desertion import sentences, vocabulary
from desertion.changes.rows import Cells
from desertion.changes.states import State
from desertion.errors import UserError
from desertion.project import digest

#: (notebook, name): names a sentence or a table.
Place = tuple[str, str]
VERDICT = "verdict"
_VERDICTS = {*vocabulary.VERDICTS, "refused"}


@dataclass(frozen=True)
class ShownSentence:
    """A sentence as a notebook shows it; `why`: what its condition needs, and the values, where it is withheld.

    `numbers`: what stands in the fields of its template.
    """

    text: str
    withheld: bool
    why: str
    numbers: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class ShownTable:
    """A table of a notebook or a file: rows as text, and the columns that may name a row, the best first.

    `title` is for readers, `working`: shown to the author of the notebook only. `numbers`: columns of numbers.
    """

    title: str
    rows: list[Cells]
    names: list[str]
    working: bool = False
    numbers: frozenset[str] = frozenset()


@dataclass
class Findings:
    """All that is compared of a state. `records`: whether tables keep records, as they do not in old revisions.

    `others`: outputs that are neither sentence, table nor plot, by notebook and cell → digest.
    """

    sentences: dict[Place, ShownSentence] = field(default_factory=dict)
    tables: dict[Place, ShownTable] = field(default_factory=dict)
    plots: dict[str, ShownTable] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    statements: dict[str, ShownTable] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    records: bool = False


def read(state: State) -> Findings:
    """The findings of `state`.

    Raises UserError, one line, where a notebook cannot be read, and where none of a revision keeps the record of a
    sentence: it is from before there were records.
    """
    findings = Findings()
    for path in sorted(state.files):
        place = PurePosixPath(path)
        try:
            _file(findings, state, place)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, csv.Error) as error:
            what = "too long a cell" if isinstance(error, csv.Error) else "a damaged record, or none of a known form"
            raise UserError(f"{path} of {state.name}: {what}: `make accept` makes it anew") from None
    findings.packages = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", state.text("requirements.lock"), re.MULTILINE))
    if state.committed and not findings.sentences:
        raise UserError(f"{state.name}: no notebook keeps records of its sentences: choose a later revision")
    return findings


def _file(findings: Findings, state: State, place: PurePosixPath) -> None:
    """Add what the file at `place` holds."""
    if place.suffix == ".ipynb":
        _notebook(findings, place.stem, nb.parse(state.text(str(place)), f"{place} of {state.name}"))
    elif place.parts[0] == "data":
        findings.statements[place.name] = _rows_of(state.text(str(place)), place.stem)
    elif place.parts[0] == "plots" and place.suffix == ".csv":
        findings.plots[place.stem] = _plot(state, place.stem)
    elif place.parts[0] == "plots" and place.suffix == ".svg":
        findings.pictures[place.stem] = digest(state.files[str(place)])


def _notebook(findings: Findings, stem: str, notebook: nb.Notebook) -> None:
    for number, cell in enumerate(nb.code_cells(notebook), 1):
        tags = cell["metadata"].get("tags", [])
        if "parameters" in tags:
            findings.parameters |= {f"{stem}: {name}": value for name, value in _assigned(cell["source"])}
        for order, output in enumerate(cell.get("outputs", ())):
            _output(findings, stem, f"cell {number}" + f", output {order + 1}" * (order > 0), output, "working" in tags)
    for cell in notebook["cells"]:
        if nb.is_injected(cell):
            findings.parameters |= {f"{stem}: {name}": value for name, value in _assigned(cell["source"])}
    findings.cells[stem] = {cell["id"]: cell["source"] for cell in nb.bare(notebook)["cells"]}


def _output(findings: Findings, stem: str, where: str, output: dict[str, Any], working: bool) -> None:
    own = output.get("metadata", {}).get("desertion") or {}
    data = output.get("data", {})
    if (record := own.get("sentence")) is not None:
        findings.sentences[stem, record["id"]] = _sentence(_text(data.get("text/markdown", "")), record)
    elif (record := own.get("table")) is not None:
        findings.records = True
        named = re.search(r'id="table-([a-z0-9-]+)"', _text(data.get("text/html", "")))
        findings.tables[stem, named[1] if named else where] = _table(record, where, working)
    elif not re.search(r'<title id="[\w-]+-title"', _text(data.get("image/svg+xml", ""))):  # no published plot
        kept = {key: value for key, value in output.items() if key not in ("execution_count", "metadata")}
        findings.others[f"{stem}, {where}"] = digest(json.dumps(nb.joined(kept), sort_keys=True))


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _sentence(text: str, record: Mapping[str, Any]) -> ShownSentence:
    if not record.get("withheld"):
        return ShownSentence(text, False, "", sentences.filled(text, record) or {})
    values = ", ".join(
        f"{name} is {'not known' if value is None else f'{value:,.6g}'}" for name, value in record["values"].items()
    )
    return ShownSentence(text, True, f"needs {record['when']}; {values}")


def _table(record: Mapping[str, Any], where: str, working: bool) -> ShownTable:
    """The table of a record. Columns without a heading that only number the rows of a frame are left out."""
    columns = record["columns"]
    heads, groups = record.get("heads", 0), record.get("groups", ())
    # In old revisions a row is a list of cells.
    read = [json.loads(row) if isinstance(row, str) else row for row in record["rows"]]
    cells = [[str(row[place]) for row in read] for place in range(len(columns))]
    labels: list[str] = []
    for place, column in enumerate(columns):
        label = str(column["label"])
        if not label and all(cell.isdigit() for cell in cells[place]):
            label = ""  # the row numbers of a frame
        else:
            label = label or f"column {place + 1}"
            label += f" ({place + 1})" * (label in labels)
        labels.append(label)
    rows: list[Cells] = [
        {label: cells[place][number] for place, label in enumerate(labels) if label} for number in range(len(read))
    ]
    names = [label for place, label in enumerate(labels) if label and (place < heads or not columns[place]["right"])]
    if groups:
        group = VERDICT if {each.partition(":")[0].lower() for each in groups} <= _VERDICTS else "group"
        rows = [
            {**row, group: each.partition(":")[0].lower() if group == VERDICT else each}
            for row, each in zip(rows, groups, strict=True)
        ]
        names = names if group == VERDICT else [group, *names]
    names = [name for name in names if name.lower() != VERDICT]
    return ShownTable(record.get("title") or where, rows, names, working)


def _plot(state: State, name: str) -> ShownTable:
    """The table behind a plot, with the words and the kinds of its columns from the side record."""
    rows = list(_rows(state.text(f"plots/{name}.csv")))
    try:
        record = json.loads(state.text(f"plots/{name}.json"))
        kinds = {label: column["kind"] for label, column in record["columns"].items()}
        title = str(record["title"])
    except (ValueError, KeyError, TypeError):
        kinds, title = {}, name
    numbers = [column for column in (rows[0] if rows else ()) if kinds.get(column, _kind(rows, column)) == "number"]
    named = [column for column in kinds or (rows[0] if rows else ()) if column not in (*numbers, "ids")]
    words = [column for column in named if kinds.get(column) != "flag"]
    return ShownTable(title, rows, words, numbers=frozenset(numbers))


def _kind(rows: Iterable[Cells], column: str) -> str:
    return "number" if all(re.fullmatch(r"-?[0-9.]*", row[column]) for row in rows) else "text"


def _rows_of(text: str, name: str) -> ShownTable:
    rows = list(_rows(text))
    return ShownTable(name, rows, list(rows[0]) if rows else [])


def _rows(text: str) -> Iterator[Cells]:
    header, *rows = [*csv.reader(io.StringIO(text))] or [[]]
    for row in rows:
        if row:
            yield dict(zip(header, row, strict=False))


def _assigned(source: str) -> Iterator[tuple[str, str]]:
    """The names that a cell assigns, with their values as Python; nothing where it cannot be read."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield target.id, ast.unparse(node.value)
