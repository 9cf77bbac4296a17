"""Add statements to data/ and confirm them: everything is checked in a copy, shown, and then written in one form."""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desertion.errors import UserError
from desertion.figures import facts, rules
from desertion.figures.check import examine
from desertion.figures.load import typed
from desertion.figures.read import canonical, decode, parse, render
from desertion.figures.rows import MEASURE_UNITS
from desertion.figures.schema import BY_FILE, COMPILERS, FIGURES, HEDGES, SOURCES
from desertion.project import relative, write_atomic
from desertion.text import listed, nearest, shown, visible

if TYPE_CHECKING:
    from desertion.figures.fault import Fault
    from desertion.figures.load import Data

_FIXED = {"scope": "whole", "kind": "count", "bound": "exact", "audit": "unchecked", "status": "ok"}
#: Columns of a page that a row of a spreadsheet, or the options, may have beside those of a statement.
PAGE = {"publisher": "publisher", "title": "title", "url": "url", "archived": "archived", "published": "published",
        "retrieved": "retrieved", "language": "language", "source_kind": "kind", "copy_of": "copy_of"}  # fmt: skip
#: Columns of a statement that are given; the others follow from these, or have a usual value.
STATEMENT = tuple(name for name in BY_FILE[FIGURES].columns if name not in ("id", "audit"))
#: What a statement needs, what is asked for beside it, and what a new page needs.
NEEDED, USEFUL = ("fact", "value", "source_id"), ("hedge", "locator")
OF_PAGE = ("publisher", "url", "published", "language", "source_kind")

Row = Mapping[str, str]


class Proposal(NamedTuple):
    """Statements that were checked in a copy of data/: ids, lines that show them, faults, the data with them.

    `files` are the new texts, `before` the bytes that they replace; without data where there is a fault.
    """

    ids: list[str]
    lines: list[str]
    faults: list[str]
    data: Data | None
    files: dict[Path, str]
    before: dict[Path, bytes]

    def write(self) -> list[str]:
        """Write the files, and return their names. Raises UserError for a fault, and where a file was edited since."""
        if self.faults:
            raise UserError("\n".join(["nothing was written:", *self.faults]))
        if edited := [path for path, raw in self.before.items() if path.read_bytes() != raw]:
            raise UserError(f"nothing was written: {relative(edited[0])} was edited in the meantime: add it again")
        return [path.name for path, text in self.files.items() if write_atomic(path, text)]


def read_file(path: Path) -> dict[str, Row]:
    """Place → row of a spreadsheet whose header has columns of figures.csv, and of its page. Raises UserError."""
    try:
        text, issues = decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    parsed = parse(text, NEEDED, BY_FILE[FIGURES].types)
    for issue in [*(one for one in issues if not one.form), *([parsed.broken] if parsed.broken else [])]:
        raise UserError(f"{path}:{issue.line}: {issue.column} '{shown(issue.value)}': {issue.message}")
    if twice := next((name for name in parsed.header if parsed.header.count(name) > 1), ""):
        raise UserError(f"{path}:1: the column '{shown(twice)}' stands twice: delete one")
    if not parsed.rows:
        raise UserError(f"{path}: has no rows: write a header with {', '.join(NEEDED)}, and one row per statement")
    for line, cells in parsed.rows:
        if len(cells) != len(parsed.header):
            raise UserError(f"{path}:{line}: has {len(cells)} cells, the header {len(parsed.header)}")
    return {
        f"{path}:{line}": dict(zip(parsed.header, map(str.strip, cells), strict=True)) for line, cells in parsed.rows
    }


def read_cells(data_dir: Path, cells: Sequence[str]) -> dict[str, Row]:
    """A row from `COLUMN=VALUE` words; on a terminal what a statement or its page lacks is asked for.

    Raises UserError for a word that is none of these.
    """
    if odd := [cell for cell in cells if "=" not in cell]:
        raise UserError(f"'{shown(odd[0])}' is not COLUMN=VALUE")
    row = dict(cell.split("=", 1) for cell in cells)
    if sys.stdin.isatty():
        pages, columns = _table(data_dir / SOURCES), BY_FILE[FIGURES].columns
        words = {"fact": _words(_table(data_dir / FIGURES), "fact"), "source_id": _words(pages, "id"),
                 "hedge": _words(_table(data_dir / HEDGES), "hedge")}  # fmt: skip
        lacks = [name for name in NEEDED if not row.get(name)]
        for name in (*NEEDED, *USEFUL) if lacks else ():
            if not row.get(name):
                row[name] = ask(name, words.get(name, ()), columns[name].rule)
        for name in OF_PAGE if row["source_id"] not in words["source_id"] else ():
            if not row.get(name):
                row[name] = ask(
                    f"new page, {name}", _words(pages, PAGE[name]), BY_FILE[SOURCES].columns[PAGE[name]].rule
                )
    return {"the new statement": row}


def _words(rows: Sequence[Row], column: str) -> list[str]:
    return sorted({row[column] for row in rows} - {""})


def ask(question: str, words: Sequence[str] = (), rule: rules.Rule = lambda _: "") -> str:
    """What is typed on the terminal and keeps `rule`, Tab completing from `words`. Raises UserError at Ctrl-D."""
    with contextlib.suppress(ImportError):  # some Pythons are built without it
        import readline

        readline.set_completer(lambda text, n: dict(enumerate(w for w in words if w.startswith(text))).get(n))
        readline.set_completer_delims("")
        readline.parse_and_bind("tab: complete")
    while True:
        try:
            answer = input(f"{question}: ").strip()
        except EOFError:
            raise UserError("\nnothing was written: the input ended") from None
        if not (message := rule(answer)):
            return answer
        print(visible(f"  '{shown(answer)}' {message}"))


def propose(data_dir: Path, rows: Mapping[str, Row], ident: Callable[[], int] | None = None) -> Proposal:
    """`rows`, by their place, as statements of `data_dir`, completed and checked in a copy.

    `ident` draws the number of a new id. Raises UserError where a row lacks what it needs, and for faults of the data.
    """
    if old := (now := examine(data_dir)).faults:
        raise UserError(f"{old[0]}\nmend the {len(old)} fault{'s' * (len(old) > 1)} of `desertion check` first")
    before = {data_dir / name: (data_dir / name).read_bytes() for name in (SOURCES, FIGURES)}
    tables = {name: _table(data_dir / name) for name in (FIGURES, SOURCES)}
    follows = _Following(data_dir)
    used = {row["id"] for row in tables[FIGURES]}
    pages = {row["id"]: row for row in tables[SOURCES]}
    draw = ident or (lambda: random.SystemRandom().randrange(1000, 10000))
    new: dict[str, dict[str, str]] = {}  # by place
    faults = []
    for place, row in rows.items():
        if odd := [name for name in row if name not in (*STATEMENT, *PAGE)]:
            raise UserError(f"{place}: '{shown(odd[0])}' is no column of a statement: {', '.join((*STATEMENT, *PAGE))}")
        if missing := [name for name in NEEDED if not row.get(name)]:
            raise UserError(f"{place}: {missing[0]} is missing: a statement needs {', '.join(NEEDED)}")
        if message := facts.rule(row["fact"]):
            faults.append(f"{place}: fact '{shown(row['fact'])}': {message}")
            continue
        number = next(one for one in (f"F{draw()}" for _ in range(100_000)) if one not in used)
        used.add(number)
        new[place] = {"id": number, **follows.completed(row)}
        page = {name: row.get(name, "") for name in PAGE}
        there = pages.setdefault(
            row["source_id"], {"id": row["source_id"], **{to: page[of] for of, to in PAGE.items()}}
        )
        faults += [
            f"{place}: {name} '{shown(cell)}': the page {row['source_id']} has '{shown(there[PAGE[name]])}'"
            for name, cell in page.items() if cell and cell != there[PAGE[name]]
        ]  # fmt: skip
    added = list(new.values())
    if faults:
        return Proposal([], [], faults, None, {}, before)
    fresh = {key: page for key, page in pages.items() if page not in tables[SOURCES]}
    tables = {SOURCES: [*tables[SOURCES], *fresh.values()], FIGURES: [*tables[FIGURES], *added]}
    texts = {name: _text(name, table) for name, table in tables.items()}
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(data_dir, Path(name) / "data"))
        for file, text in texts.items():
            (copy / file).write_text(text, encoding="utf-8")
        examined = examine(copy)
        where = {(FIGURES, one["id"]): place for place, one in new.items()}
        where |= {(SOURCES, key): next(p for p, one in new.items() if one["source_id"] == key) for key in fresh}
        faults = [_named(one, texts, where) for one in examined.faults]
        data = None if faults else typed(examined)
        known = {_message(one) for one in now.warnings()}
        warned = [] if faults else [one for one in examined.warnings() if _message(one) not in known]
    lines = [line for row in added for line in _beside(row, tables[FIGURES], fresh)]
    lines += [f"warning: {_named(one, texts, where)}" for one in warned]
    files = {data_dir / file: text for file, text in texts.items()}
    return Proposal([row["id"] for row in added], lines, faults, data, files, before)


def _message(fault: Fault) -> str:
    return str(fault).partition(": ")[2]  # without the line, which a new row before it moves


def _named(fault: Fault, texts: Mapping[str, str], where: Mapping[tuple[str, str], str]) -> str:
    """A fault of the copy: of a new row with the place it came from, and its column as the options call it."""
    file = Path(fault.file).name
    keys = {line: cells[0] for line, cells in parse(texts[file]).rows} if file in texts else {}
    place = where.get((file, keys.get(fault.line, "")))
    column = (
        next((name for name, to in PAGE.items() if to == fault.column), fault.column)
        if file == SOURCES
        else fault.column
    )
    return f"{place or f'{file}:{fault.line}'}: {column} '{shown(fault.value)}': {fault.message}"


class _Following:
    """What follows from the cells of a statement that are given: from its fact, and from its hedge."""

    def __init__(self, data_dir: Path) -> None:
        self.names = {row["slug"]: row["name"] for row in _table(data_dir / COMPILERS)}
        self.bounds = {row["hedge"]: row["bound"] for row in _table(data_dir / HEDGES)}

    def completed(self, row: Row) -> dict[str, str]:
        """A statement with what follows where that is not given; its fact keeps the rule of facts."""
        slug, articles, counted, period, *_ = row["fact"].split("/")
        measure = row.get("measure") or facts.COUNTED[facts.word(counted)][0]
        days = facts.span(period)
        assert days is not None, period
        follows = {
            "articles": articles, "measure": measure, "compiler": self.names.get(slug, ""),
            "unit": MEASURE_UNITS.get(measure, ("",))[0], "period_start": str(days[0]), "period_end": str(days[1]),
            "cumulative": "true" if period.startswith(("mobilisation", "invasion")) else "false",
        }  # fmt: skip
        if row.get("hedge") in self.bounds:
            follows["bound"] = self.bounds[row["hedge"]]
        return dict.fromkeys(STATEMENT, "") | _FIXED | follows | {n: row[n] for n in STATEMENT if row.get(n)}


def _beside(row: Row, others: Sequence[Row], fresh: Mapping[str, Row]) -> list[str]:
    """A new statement, those of its fact, up to four of its series that are nearest in time, and what it lacks."""

    def line(one: Row, what: str) -> str:
        period = f"{one['period_start']} to {one['period_end']}"
        return f"  {what:9} {one['id']:6} {one['value']:>9} {one['unit']}, {period}, {one['source_id']}"

    rest = [one for one in others if one["id"] != row["id"]]
    same = [one for one in rest if one["fact"] == row["fact"]]
    stem = row["fact"].rsplit("/", 1)[0] if row["fact"].count("/") == 3 else row["fact"].rsplit("/", 2)[0]
    series = sorted(
        (one for one in rest if one["fact"].startswith(f"{stem}/") and one not in same),
        key=lambda one: abs(_ordinal(one["period_end"]) - _ordinal(row["period_end"])),
    )[:4]
    lines = [row["fact"], line(row, "new"), *(line(one, "same fact") for one in same),
             *(line(one, "series") for one in sorted(series, key=lambda one: one["period_end"]))]  # fmt: skip
    if not same:
        near = get_close_matches(row["fact"], {one["fact"] for one in rest}, 3)
        lines.insert(1, f"  a fact that no other statement has{f'; nearest: {listed(near)}' if near else ''}")
    page = fresh.get(row["source_id"], {})
    if not same and not series:
        lines.append("  nothing here bears on its value: let a second reader confirm it")
    lacks = [name for name in USEFUL[1:] if not row[name]] + [name for name, to in PAGE.items()
             if page and not page[to] and name != "copy_of"]  # fmt: skip
    return [*lines, *([f"  without   {listed(lacks)}"] if lacks else [])]


def _ordinal(day: str) -> int:
    return 0 if rules.date(day) else date.fromisoformat(day).toordinal()


def confirm(data_dir: Path, number: str, value: str, period: str) -> tuple[bool, str]:
    """Compare what a second reader typed with statement `number`, and record it in the column `audit`.

    Returns whether both agree, and a line that says so. `period`: its first and last day, joined by two points.
    Raises UserError for an id that is not there, and for a slip: what is no number and no period disputes nothing.
    """
    rows = _table(data_dir / FIGURES)
    row = next((one for one in rows if one["id"] == number), None)
    if row is None:
        raise UserError(f"'{shown(number)}' is no statement of {FIGURES}{nearest(number, [one['id'] for one in rows])}")
    days = period.split("..")
    if fault := rules.number(value):
        raise UserError(f"value '{shown(value)}' {fault}; nothing was recorded")
    if len(days) != 2 or any(map(rules.date, days)) or days[0] > days[1]:
        raise UserError(f"period '{shown(period)}': write its days as 2026-01-01..2026-01-31; nothing was recorded")
    printed = f"{row['period_start']}..{row['period_end']}"
    wrong = [f"{name} '{shown(typed)}', the row has '{has}'" for name, typed, has in
             (("value", value, row["value"]), ("period", period, printed)) if typed != has]  # fmt: skip
    row["audit"] = "disputed" if wrong else "confirmed"
    write_atomic(data_dir / FIGURES, _text(FIGURES, rows))
    return not wrong, f"{number}: {'; '.join(wrong) or 'both readers have the same'}; audit is now {row['audit']}"


def _table(path: Path) -> list[dict[str, str]]:
    parsed = parse(decode(path.read_bytes())[0])
    if parsed.broken or any(len(cells) != len(parsed.header) for _, cells in parsed.rows):
        raise UserError(f"{relative(path)}: has faults: run `desertion check`")
    return [dict(zip(parsed.header, cells, strict=True)) for _, cells in parsed.rows]


def _text(name: str, rows: Sequence[Row]) -> str:
    """The file of `rows` in its one form."""
    columns = list(BY_FILE[name].columns)
    return canonical(BY_FILE[name], parse(render([columns, *([row.get(one, "") for one in columns] for row in rows)])))
