"""Repairs the form of the data files, as a spreadsheet or a hurried edit leaves them; never changes a value."""

from __future__ import annotations

import re
from pathlib import Path

from desertion import vocabulary
from desertion.errors import UserError
from desertion.figures.fault import Fault
from desertion.figures.read import canonical, decode, parse
from desertion.figures.schema import BY_FILE, SCHEMAS
from desertion.project import relative, write_atomic
from desertion.text import nearest, shown

#: Files of data/ with generated tables of columns and of words. Each stands between `<!-- table NAME -->` and
#: `<!-- end of table -->`, NAME being a file of data/ or a dictionary of `vocabulary`; the rest is written by hand.
_GENERATED = ("README.md", "CONTEXT.md")
_PLACE = re.compile(r"(?<=<!-- table )([\w.-]+)( -->\n).*?(?=\n<!-- end of table -->)", re.DOTALL)


def fmt(data_dir: Path) -> list[str]:
    """Put every file of `data_dir` into its one form, and return the names of those that changed.

    Mended are: byte-order marks, UTF-16, UTF-32, Windows-1251 and Windows-1252, semicolons and tabs between cells, CR
    and CRLF, needless quotes, blank rows and columns at the end, TRUE and FALSE, local dates where all of a column have
    one reading, spaces around cells, the order of columns and of rows (by id, F2 before F10). Doing it twice changes
    nothing more.
    The tables of columns and words in README.md and CONTEXT.md are written anew, where these are there.
    Raises UserError, before anything is written, where a file cannot be read as the CSV it should be.
    """
    if not data_dir.is_dir():
        raise UserError(f"{relative(data_dir)}: there is no such folder")
    mended: dict[Path, str] = {}
    faults = []
    for schema in SCHEMAS:
        path = data_dir / schema.file
        if not path.exists():
            continue
        try:
            text, issues = decode(path.read_bytes())
        except OSError as error:
            raise UserError(f"{relative(path)}: cannot be read: {error.strerror}") from error
        parsed = parse(text, schema.columns, schema.types)
        faults += [Fault(relative(path), *issue[:4]) for issue in issues if not issue.form]
        if parsed.broken:
            faults.append(Fault(relative(path), *parsed.broken[:4]))
        elif missing := [column for column in schema.key if column not in parsed.header]:
            message = f"the header has no column {missing[0]}: are the cells separated by commas?"
            faults.append(Fault(relative(path), 1, "header", ",".join(parsed.header), message))
        else:
            mended[path] = canonical(schema, parsed)
    for path in map(data_dir.joinpath, _GENERATED):
        if path.is_file():
            mended[path] = _generated(path)
    if faults:
        raise UserError("\n".join(["nothing was changed:", *map(str, faults)]))
    try:
        return [path.name for path, text in mended.items() if write_atomic(path, text)]
    except OSError as error:
        raise UserError(f"{relative(data_dir)}: cannot be written: {error.strerror}") from error


def _table(name: str) -> str:
    """The columns of a file of data/, or the words of a vocabulary, as a Markdown table. Raises KeyError."""
    if name in BY_FILE:
        return BY_FILE[name].dictionary()
    words = vars(vocabulary)[name]
    return "\n".join(["| word | meaning |", "|---|---|", *(f"| `{word}` | {words[word]} |" for word in words)])


def _generated(path: Path) -> str:
    """The text of `path` with every generated table as it is now. Raises UserError for a table that is unknown."""

    def replace(match: re.Match[str]) -> str:
        try:
            return f"{match[1]}{match[2]}\n{_table(match[1])}\n"
        except KeyError:
            known = [*BY_FILE, *(name for name in vars(vocabulary) if name.isupper() and name[0] != "_")]
            raise UserError(f"{path.name}: no table '{shown(match[1])}'{nearest(match[1], known)}") from None

    return _PLACE.sub(replace, path.read_text(encoding="utf-8"))
