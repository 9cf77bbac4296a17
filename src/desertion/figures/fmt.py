"""Repairs the form of the data files, as a spreadsheet or a hurried edit leaves them; never changes a value."""

from __future__ import annotations

from pathlib import Path

from desertion.errors import UserError
from desertion.figures import dictionary
from desertion.figures.fault import Fault
from desertion.figures.read import canonical, decode, parse
from desertion.figures.schema import SCHEMAS
from desertion.project import relative, write_atomic


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
    for path in map(data_dir.joinpath, dictionary.FILES):
        if path.is_file():
            mended[path] = dictionary.generated(path)
    if faults:
        raise UserError("\n".join(["nothing was changed:", *map(str, faults)]))
    try:
        return [path.name for path, text in mended.items() if write_atomic(path, text)]
    except OSError as error:
        raise UserError(f"{relative(data_dir)}: cannot be written: {error.strerror}") from error
