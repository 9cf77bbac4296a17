"""Add statements to data/ and confirm them: everything is checked in a copy, shown, and then written in one form."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from desertion.errors import UserError
from desertion.figures import facts, rules
from desertion.figures.check import examine
from desertion.figures.read import canonical, decode, parse, render
from desertion.figures.rows import MEASURE_UNITS
from desertion.figures.schema import BY_FILE, COMPILERS, FIGURES, SOURCES
from desertion.project import relative, write_atomic
from desertion.text import shown

_FIXED = {"scope": "whole", "kind": "count", "bound": "exact", "audit": "unchecked", "status": "ok"}
#: Columns of a page that a row of a spreadsheet, or the options, may have beside those of a statement.
PAGE = {"publisher": "publisher", "title": "title", "url": "url", "archived": "archived", "published": "published",
        "retrieved": "retrieved", "language": "language", "source_kind": "kind", "copy_of": "copy_of"}  # fmt: skip
#: Columns of a statement that are given; the others follow from these, or have a usual value.
STATEMENT = tuple(name for name in BY_FILE[FIGURES].columns if name not in ("id", "audit"))
#: What a statement needs, and the column whose words are known for it.
NEEDED = {"fact": (FIGURES, "fact"), "value": (FIGURES, ""), "source_id": (SOURCES, "id")}


class Proposal(NamedTuple):
    """Statements that were checked in a copy of data/: their ids, lines that show them, faults, and the new files."""

    ids: list[str]
    lines: list[str]
    faults: list[str]
    files: dict[Path, str]

    def write(self) -> list[str]:
        """Write the files, and return their names. Raises UserError where there is a fault."""
        if self.faults:
            raise UserError("\n".join(["nothing was written:", *self.faults]))
        return [path.name for path, text in self.files.items() if write_atomic(path, text)]


def read_file(path: Path) -> list[dict[str, str]]:
    """The rows of a spreadsheet whose header has columns of figures.csv, and of its page. Raises UserError."""
    try:
        text, issues = decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    parsed = parse(text, NEEDED, BY_FILE[FIGURES].types)
    for issue in [*(one for one in issues if not one.form), *([parsed.broken] if parsed.broken else [])]:
        raise UserError(f"{path}:{issue.line}: {issue.column} '{shown(issue.value)}': {issue.message}")
    for line, cells in parsed.rows:
        if len(cells) != len(parsed.header):
            raise UserError(f"{path}:{line}: has {len(cells)} cells, the header {len(parsed.header)}")
    return [dict(zip(parsed.header, map(str.strip, cells), strict=True)) for _, cells in parsed.rows]


def asked(data_dir: Path, cells: Sequence[str]) -> dict[str, str]:
    """A row from `COLUMN=VALUE` words; what a statement needs and lacks is asked for. Raises UserError."""
    if odd := [cell for cell in cells if "=" not in cell]:
        raise UserError(f"'{shown(odd[0])}' is not COLUMN=VALUE")
    row = dict(cell.split("=", 1) for cell in cells)
    for name, (file, column) in NEEDED.items():
        if not row.get(name):
            words = sorted({one[column] for one in _table(data_dir / file)}) if column else []
            row[name] = ask(name, words)
    return row


def ask(name: str, words: Sequence[str] = ()) -> str:
    """What is typed for `name`, Tab completing from `words`. Raises UserError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise UserError(f"{name} is missing: write {name.split()[0]}=VALUE")
    import readline

    def complete(text: str, state: int) -> str | None:
        return dict(enumerate(word for word in words if word.startswith(text))).get(state)

    readline.set_completer(complete)
    readline.set_completer_delims("")
    readline.parse_and_bind("tab: complete")
    return input(f"{name}: ").strip()


def propose(data_dir: Path, rows: Sequence[Mapping[str, str]], ident: Callable[[], int] | None = None) -> Proposal:
    """`rows` as statements of `data_dir`, completed and checked in a copy. `ident` draws the number of a new id."""
    tables = {name: _table(data_dir / name) for name in (FIGURES, SOURCES, COMPILERS)}
    slugs = {row["slug"]: row["name"] for row in tables[COMPILERS]}
    used = {row["id"] for row in tables[FIGURES]}
    pages = {row["id"] for row in tables[SOURCES]}
    draw = ident or (lambda: random.SystemRandom().randrange(1000, 10000))
    new = []
    for row in rows:
        if odd := [name for name in row if name not in (*STATEMENT, *PAGE)]:
            raise UserError(f"'{shown(odd[0])}' is no column of a statement: {', '.join((*STATEMENT, *PAGE))}")
        if missing := [name for name in NEEDED if not row.get(name)]:
            raise UserError(f"{missing[0]} is missing: a statement needs {', '.join(NEEDED)}")
        number = next(one for one in (f"F{draw()}" for _ in range(100_000)) if one not in used)
        used.add(number)
        new.append({"id": number, **_completed(row, slugs)})
        if row["source_id"] not in pages:
            pages.add(row["source_id"])
            tables[SOURCES].append({"id": row["source_id"], **{to: row.get(name, "") for name, to in PAGE.items()}})
    tables[FIGURES] += new
    ids = [row["id"] for row in new]
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(data_dir, Path(name) / "data"))
        for file in (FIGURES, SOURCES):
            columns = list(BY_FILE[file].columns)
            text = render([columns, *([row.get(column, "") for column in columns] for row in tables[file])])
            (copy / file).write_text(canonical(BY_FILE[file], parse(text)), encoding="utf-8")
        before = {str(one).partition(": ")[2] for one in examine(data_dir).warnings()}
        examined = examine(copy)
        faults = [str(one).replace(f"{relative(copy)}/", "") for one in examined.faults]
        warned = [] if faults else [
            str(one).replace(f"{relative(copy)}/", "") for one in examined.warnings()
            if str(one).partition(": ")[2] not in before
        ]  # fmt: skip
        files = {data_dir / file: (copy / file).read_text("utf-8") for file in (FIGURES, SOURCES)}
    lines = [line for row in new for line in _beside(row, tables[FIGURES])]
    return Proposal(ids, lines + [f"warning: {one}" for one in warned], faults, files)


def _completed(row: Mapping[str, str], slugs: Mapping[str, str]) -> dict[str, str]:
    """A statement with what follows from its fact, where that is not given."""
    cells = dict.fromkeys(STATEMENT, "") | _FIXED | {name: row[name] for name in STATEMENT if row.get(name)}
    if facts.rule(cells["fact"]):
        return cells  # the checks name the fault
    slug, articles, counted, period, *_ = cells["fact"].split("/")
    word = next((one for one in sorted(facts.COUNTED, key=len, reverse=True) if counted.startswith(one)), "")
    measure = facts.COUNTED[word][0] if word else ""
    days = facts.span(period)
    assert days is not None, period
    follows = {
        "articles": articles, "measure": measure, "compiler": slugs.get(slug, ""),
        "unit": MEASURE_UNITS[measure][0] if measure else "", "period_start": str(days[0]), "period_end": str(days[1]),
        "cumulative": "true" if period.startswith(("mobilisation", "invasion")) else "false",
    }  # fmt: skip
    return cells | {name: cell for name, cell in follows.items() if not row.get(name)}


def _beside(row: Mapping[str, str], others: Sequence[Mapping[str, str]]) -> list[str]:
    """A new statement, those of its fact, and up to four of its series that are nearest in time."""

    def line(one: Mapping[str, str], what: str) -> str:
        period = f"{one['period_start']} to {one['period_end']}"
        return f"  {what:9} {one['id']:6} {one['value']:>9} {one['unit']}, {period}, {one['source_id']}"

    rest = [one for one in others if one["id"] != row["id"]]
    same = [one for one in rest if one["fact"] == row["fact"]]
    stem = row["fact"].rsplit("/", 1)[0] if row["fact"].count("/") == 3 else row["fact"].rsplit("/", 2)[0]
    series = sorted(
        (one for one in rest if one["fact"].startswith(f"{stem}/") and one not in same),
        key=lambda one: abs(_ordinal(one["period_end"]) - _ordinal(row["period_end"])),
    )[:4]
    return [row["fact"], line(row, "new"), *(line(one, "same fact") for one in same),
            *(line(one, "series") for one in sorted(series, key=lambda one: one["period_end"]))]  # fmt: skip


def _ordinal(day: str) -> int:
    return 0 if rules.date(day) else date.fromisoformat(day).toordinal()


def confirm(data_dir: Path, number: str, value: str, period: str) -> tuple[bool, str]:
    """Compare what a second reader typed with statement `number`, and record it in the column `audit`.

    Returns whether both agree, and a line that says so. `period`: its first and last day, joined by two points.
    Raises UserError for an id that is not there.
    """
    rows = _table(data_dir / FIGURES)
    row = next((one for one in rows if one["id"] == number), None)
    if row is None:
        raise UserError(f"{number} is no statement of {FIGURES}")
    printed = f"{row['period_start']}..{row['period_end']}"
    wrong = [f"{name} '{shown(typed)}', the row has '{has}'" for name, typed, has in
             (("value", value, row["value"]), ("period", period, printed)) if typed != has]  # fmt: skip
    row["audit"] = "disputed" if wrong else "confirmed"
    columns = list(BY_FILE[FIGURES].columns)
    text = render([columns, *([one[column] for column in columns] for one in rows)])
    write_atomic(data_dir / FIGURES, canonical(BY_FILE[FIGURES], parse(text)))
    return not wrong, f"{number}: {'; '.join(wrong) or 'both readers have the same'}; audit is now {row['audit']}"


def _table(path: Path) -> list[dict[str, str]]:
    parsed = parse(decode(path.read_bytes())[0])
    if parsed.broken or any(len(cells) != len(parsed.header) for _, cells in parsed.rows):
        raise UserError(f"{relative(path)}: has faults: run `desertion check`")
    return [dict(zip(parsed.header, cells, strict=True)) for _, cells in parsed.rows]
