"""The differences between the findings of two states, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from desertion.changes import findings, rows
from desertion.changes.findings import VERDICT, Findings, ShownTable
from desertion.changes.rows import Cells
from desertion.changes.states import State
from desertion.project import PHONE


@dataclass(frozen=True)
class SentenceChange:
    """A sentence in two states: `how` is changed, withheld, sayable (again), new or gone."""

    notebook: str
    id: str
    how: str
    old: str
    new: str
    why: str = ""


@dataclass(frozen=True)
class CellChange:
    """A cell of a table or a number of a plot: the name of its row, its column, its two texts."""

    row: str
    column: str
    old: str
    new: str

    @property
    def by(self) -> float:
        """The change relative to the larger of the two numbers, from 0 to 1, or to 2 where the sign turns."""
        try:
            old, new = float(self.old or "nan"), float(self.new or "nan")
        except ValueError:
            return 0.0
        if old != old or new != new:  # one of them is blank
            return 0.0
        return abs(new - old) / (max(abs(old), abs(new)) or 1.0)


@dataclass(frozen=True)
class StatementChange:
    """A row of a file of data/: `how` is added, changed, corrected, rejected or removed."""

    file: str
    id: str
    how: str
    label: str
    cells: list[CellChange] = field(default_factory=list)


@dataclass(frozen=True)
class TableChange:
    """A table in two states: changed cells, and the names of rows that came or are gone."""

    notebook: str
    title: str
    working: bool
    cells: list[CellChange]
    come: list[str]
    gone: list[str]


@dataclass(frozen=True)
class PlotChange:
    """A plot in two states: `how` is changed, new or gone; the numbers that moved, and other cells that changed.

    `picture`: whether its picture differs.
    """

    name: str
    title: str
    how: str
    moved: list[CellChange]
    cells: list[CellChange]
    come: list[str]
    gone: list[str]
    picture: bool

    @property
    def largest(self) -> CellChange | None:
        """The number that moved most, relative to its size."""
        return max(self.moved, key=lambda each: each.by, default=None)


@dataclass(frozen=True)
class RefusalChange:
    """A refusal that came or went: `how` is refused or no longer refused."""

    where: str
    what: str
    how: str
    reason: str


@dataclass(frozen=True)
class InputChange:
    """A parameter, notebook, module or package: `kind` and `name`, with the old and the new value."""

    kind: str
    name: str
    old: str
    new: str


@dataclass
class Difference:
    """All differences of two states, named `old` and `new`; `notes`: what a reader must know of these."""

    old: str
    new: str
    notes: list[str]
    sentences: list[SentenceChange] = field(default_factory=list)
    verdicts: list[CellChange] = field(default_factory=list)
    statements: list[StatementChange] = field(default_factory=list)
    tables: list[TableChange] = field(default_factory=list)
    plots: list[PlotChange] = field(default_factory=list)
    refusals: list[RefusalChange] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    inputs: list[InputChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self)[3:])

    def as_json(self) -> dict[str, Any]:
        """All of it as plain lists and tables."""
        return asdict(self)


def compare(old: State, new: State) -> Difference:
    """The differences between two states. Raises UserError as `findings.read` does."""
    before, after = findings.read(old), findings.read(new)
    out = Difference(old.name, new.name, [*old.notes, *new.notes])
    out.sentences = list(_sentences(before, after))
    _tables(out, before, after)
    out.statements = [one for name in _files(before, after) for one in _statements(name, before, after)]
    out.plots = list(_plots(before, after, out))
    out.others = [name for name, _, _ in _differing(before.others, after.others)]
    out.inputs = list(_inputs(before, after, old, new))
    return out


def _files(old: Findings, new: Findings) -> list[str]:
    """The files of data/ that either has, that of the figures first."""
    return sorted({*old.statements, *new.statements}, key=lambda name: (name != "figures.csv", name))


def _names(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> list[Any]:
    """The names of both, in order: those of the new state, then those that are gone."""
    return list(dict.fromkeys([*new, *old]))


def _differing(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """(name, old, new) of what differs, "" for what only one of them has."""
    for name in _names(old, new):
        if old.get(name) != new.get(name):
            yield name, old.get(name, ""), new.get(name, "")


def _sentences(old: Findings, new: Findings) -> Iterator[SentenceChange]:
    for key in _names(old.sentences, new.sentences):
        one, other = old.sentences.get(key), new.sentences.get(key)
        if one == other:
            continue
        if one is None or other is None:
            how = "gone" if other is None else "new"
        elif one.withheld != other.withheld:
            how = "withheld" if other.withheld else "sayable"
        else:
            how = "changed"
        before, after = (each.text if each else "" for each in (one, other))
        yield SentenceChange(key[0], key[1], how, before, after, other.why if other else "")


# --- tables, verdicts, refusals --------------------------------------------------------------------------------------


def _tables(out: Difference, old: Findings, new: Findings) -> None:
    if old.records != new.records:
        which = out.new if old.records else out.old
        out.notes.append(f"{which}: no table keeps a record, so tables are not compared")
        return
    for key in _names(old.tables, new.tables):
        nothing = ShownTable("", [], [])
        one, other = old.tables.get(key, nothing), new.tables.get(key, nothing)
        if one == other:
            continue
        title = other.title or one.title
        paired = rows.pair(one.rows, other.rows, other.names or one.names)
        _refusals(out, title, paired)
        flips = list(_changed(paired, [column for column in _columns(paired) if column.lower() == VERDICT]))
        known = {each.row for each in out.verdicts}
        out.verdicts += [each for each in flips if "refused" not in (each.old, each.new) and each.row not in known]
        cells = list(_changed(paired, _columns(paired)))
        come, gone = [paired.name(row) for row in paired.come], [paired.name(row) for row in paired.gone]
        if cells or come or gone:
            out.tables.append(TableChange(key[0], title, other.working or one.working, cells, come, gone))
    out.tables.sort(key=lambda each: each.working)


def _columns(paired: rows.Paired) -> list[str]:
    """The columns that both tables have; one that only one of them has is no change of a cell."""
    if not paired.both:
        return []
    one, other = paired.both[0]
    return [column for column in other if column in one]


def _changed(paired: rows.Paired, columns: Sequence[str]) -> Iterator[CellChange]:
    for one, other in paired.both:
        for column in columns:
            if one.get(column, "") != other.get(column, ""):
                yield CellChange(paired.name(other), column, one.get(column, ""), other.get(column, ""))


def _refusals(out: Difference, title: str, paired: rows.Paired) -> None:
    nothing: Cells = {}
    alone = [*((row, nothing) for row in paired.gone), *((nothing, row) for row in paired.come)]
    for one, other in [*paired.both, *alone]:
        before, after = _refused(one), _refused(other)
        if (before is None) != (after is None):
            how = "no longer refused" if after is None else "refused"
            out.refusals.append(RefusalChange(title, paired.name(other or one), how, after or before or ""))


def _refused(row: Cells) -> str | None:
    """The reason why a row is refused, None where it is not: a cell says so, or its column of refusals has words."""
    own = next((cell for column, cell in row.items() if column.lower() in ("refused", "reason")), "")
    if own and not own.replace(",", "").isdigit() and own not in ("–", "true", "false", "yes", "no"):
        return own
    if "refused" in row.values() or own in ("true", "yes"):
        return next((cell for column, cell in row.items() if column.lower().startswith("why")), "")
    return None


# --- statements ------------------------------------------------------------------------------------------------------


def _statements(name: str, old: Findings, new: Findings) -> Iterator[StatementChange]:
    nothing = ShownTable("", [], [])
    one, other = old.statements.get(name, nothing), new.statements.get(name, nothing)
    if one == other:
        return
    paired = rows.pair(one.rows, other.rows, [each for each in other.names if not one.names or each in one.names])
    for before, after in paired.both:
        if cells := list(_changed(paired._replace(both=[(before, after)]), _columns(paired))):
            rejected = any(each.column == "status" and each.new == "rejected" for each in cells)
            yield StatementChange(name, paired.name(after), "rejected" if rejected else "changed", _label(after), cells)
    for row in paired.come:
        how = "rejected" if row.get("status") == "rejected" else "corrected" if name == "corrections.csv" else "added"
        yield StatementChange(name, paired.name(row), how, _label(row))
    for row in paired.gone:
        yield StatementChange(name, paired.name(row), "removed", _label(row))


#: Columns that say in words what a row of data/ is, the first that there is.
_WORDS = ("fact", "series", "statement", "title", "why", "publisher", "reason", "what")


def _label(row: Cells) -> str:
    """What a row says, in a few words, by the columns that it has."""
    if "corrected" in row:
        return f"{row.get('printed', '')} → {row['corrected']}"
    what = next((row[column] for column in _WORDS if row.get(column)), "")
    value = " ".join(
        filter(None, (row.get("hedge", ""), row.get("value") or row.get("stated", ""), row.get("unit", "")))
    )
    return f"{what} = {value}" if value and what else what or value


# --- plots -----------------------------------------------------------------------------------------------------------


def _plots(old: Findings, new: Findings, out: Difference) -> Iterator[PlotChange]:
    for name in _names(old.plots, new.plots):
        one, other = old.plots.get(name), new.plots.get(name)
        narrow = {each.pictures.get(f"{name}{PHONE}") for each in (old, new)} - {None}  # plots/ has none
        picture = old.pictures.get(name) != new.pictures.get(name) or len(narrow) > 1
        if one is None or other is None:
            how, only = ("gone", one) if other is None else ("new", other)
            assert only is not None
            yield PlotChange(name, only.title, how, [], [], [], [], picture)
            continue
        if one.rows == other.rows and not picture:
            continue
        paired = rows.pair(one.rows, other.rows, other.names)
        _refusals(out, other.title, paired)
        numbers = [column for column in _columns(paired) if column in other.numbers]
        words = [column for column in _columns(paired) if column not in other.numbers]
        moved, cells = list(_changed(paired, numbers)), list(_changed(paired, words))
        known = {each.row for each in out.verdicts}
        flips = (CellChange(after.get("label", paired.name(after)), VERDICT, before[VERDICT], after[VERDICT])
                 for before, after in paired.both if before.get(VERDICT, "") != after.get(VERDICT, ""))  # fmt: skip
        out.verdicts += [each for each in flips if not any(row.startswith(each.row) for row in known)]
        come, gone = [paired.name(row) for row in paired.come], [paired.name(row) for row in paired.gone]
        yield PlotChange(name, other.title, "changed", moved, cells, come, gone, picture)


# --- inputs ----------------------------------------------------------------------------------------------------------


def _inputs(old: Findings, new: Findings, one: State, other: State) -> Iterator[InputChange]:
    yield from (InputChange("parameter", *each) for each in _differing(old.parameters, new.parameters))
    for stem in _names(old.cells, new.cells):
        if edited := list(_differing(old.cells.get(stem, {}), new.cells.get(stem, {}))):
            yield InputChange("notebook", stem, "", f"{len(edited)} cell{'s' * (len(edited) > 1)} edited")
    for name in _files(old, new):
        columns = [set(each.statements[name].names) if name in each.statements else set() for each in (old, new)]
        come, gone = sorted(columns[1] - columns[0]), sorted(columns[0] - columns[1])
        if all(columns) and (come or gone):
            yield InputChange("columns", name, ", ".join(gone), ", ".join(come) or "none")
    yield from (InputChange("package", *each) for each in _differing(old.packages, new.packages))
    if count := len(list(_differing(one.package, other.package))):
        yield InputChange("code", "src/desertion", "", f"{count} file{'s' * (count > 1)} changed")
