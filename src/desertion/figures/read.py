"""From the bytes of a CSV file to rows with physical line numbers, and to the one form that files are kept in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from desertion import git
from desertion.figures import spreadsheet
from desertion.figures.schema import CsvSchema
from desertion.text import natural

_MARKS = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Issue(NamedTuple):
    """A fault without its file; `form`: it is one of form alone, which `desertion fmt` mends."""

    line: int
    column: str
    value: str
    message: str
    form: bool = False

    @classmethod
    def mendable(cls, line: int, column: str, value: str, message: str) -> Issue:
        """An issue of form."""
        return cls(line, column, value, f"{message}; `desertion fmt` mends it", True)


class CsvText(NamedTuple):
    """A file as rows of text: `rows` are (physical line of the first character, cells); blank rows are left out.

    `broken` names the place from which the file could not be read as CSV, or is None.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    broken: Issue | None
    issues: Sequence[Issue] = ()


def decode(raw: bytes) -> tuple[str, list[Issue]]:
    """The text of `raw`, line ends unified to LF, and its faults; a byte outside UTF-8 becomes a surrogate."""
    mark, encoding = next(((m, e) for m, e in _MARKS if raw.startswith(m)), (b"", "utf-8"))
    issues = []
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if not mark and (other := spreadsheet.utf16(raw) or spreadsheet.windows(raw)):
            text, name = other
            issues.append(Issue.mendable(1, "encoding", name, f"the file is in {name}, not UTF-8"))
            return _unified(text, issues)
        text = raw.decode("utf-8", "surrogateescape")
        start = raw.rfind(b"\n", 0, error.start) + 1
        message = (
            f"byte {error.start - start + 1} of the line is not {encoding.upper()[:6].rstrip('-')}: "
            "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)"
        )
        bad = raw[error.start : error.start + 1].decode("latin-1")
        issues.append(Issue(raw.count(b"\n", 0, error.start) + 1, "encoding", bad, message))
    else:
        if mark:
            what = "a byte-order mark" if encoding == "utf-8-sig" else f"{encoding.upper()}, not UTF-8"
            issues.append(Issue.mendable(1, "encoding", "\ufeff", f"the file starts with {what}"))
        elif "\0" in text and (other := spreadsheet.utf16(raw)):
            text, name = other
            issues.append(Issue.mendable(1, "encoding", name, f"the file is in {name}, not UTF-8"))
    return _unified(text, issues)


def _unified(text: str, issues: list[Issue]) -> tuple[str, list[Issue]]:
    """`text` with LF at line ends, and the issues with that of other line ends."""
    if "\r" in text:
        line = len(re.split(r"\r\n|\r|\n", text[: text.index("\r")]))
        ends = text.count("\r")
        message = f"{ends} line{'s' * (ends > 1)} end{'s' * (ends == 1)} in CR or CRLF, not LF"
        issues.append(Issue.mendable(line, "line end", "\r\n" if "\r\n" in text else "\r", message))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, issues


def parse(text: str, columns: Collection[str] = (), types: Mapping[str, str] | None = None) -> CsvText:
    """The rows of `text`; cells as they stand, with the spaces around them. Markers of a git merge break it off.

    What a spreadsheet did to the file is mended where it has one reading, and is among the issues: semicolons and tabs
    where the header then has all of `columns`, blank columns at the end, TRUE, and local dates (`types`: those of the
    columns).
    """
    if marker := git.CONFLICT.search(text):
        message = "git left both sides of a merge here: keep the rows of both, and delete the lines of <, = and >"
        line = text.count("\n", 0, marker.start()) + 1
        return CsvText([], [], Issue(line, "row", text.split("\n", line)[line - 1][:100], message))
    text, declaration = spreadsheet.declared(text)
    mark = spreadsheet.separator(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    rows: list[tuple[int, list[str]]] = []
    broken = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            message = f"the file cannot be read as CSV from here on ({error}): look for a stray or missing quote"
            start = text.split("\n", line)[line - 1][:100]
            broken = Issue(line, "row", start, message)
            break
        if any(cell.strip() for cell in cells):
            rows.append((line, cells))
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    issues = []
    if declaration:
        issues.append(Issue.mendable(1, "header", declaration, "this line names the separator for one program"))
    if mark != ",":
        issues.append(Issue.mendable(1, "header", mark, f"the cells are separated by {spreadsheet.separated(mark)}"))
    width = max((n for n, cell in enumerate(header, 1) if cell), default=0)
    if width < len(header) and not any(cell.strip() for _, cells in rows[1:] for cell in cells[width:]):
        count = len(header) - width
        issues.append(Issue.mendable(1, "header", "", f"{count} blank column{'s' * (count > 1)} at the end"))
        header, rows = header[:width], [(line, cells[:width]) for line, cells in rows]
    for mend in spreadsheet.mends(types or {}, header, rows[1:]):
        at = header.index(mend.column)
        for _, cells in rows[1:]:
            if len(cells) == len(header):
                cells[at] = mend.mend(cells[at])
        noun = f"{mend.cells} cell{'s' * (mend.cells > 1)} {'are' if mend.cells > 1 else 'is'} {mend.what}"
        issues.append(Issue.mendable(mend.first, mend.column, "", noun))
    return CsvText(header, rows[1:], broken, issues)


Key = Callable[[Sequence[str]], list[tuple[str, str]]]


def order(schema: CsvSchema, header: Sequence[str]) -> Key:
    """A sort key for the cells of a row: by the schema's key, numbers in it by their value."""
    places = [header.index(column) for column in schema.key if column in header]
    return lambda cells: [natural(cells[place]) for place in places if place < len(cells)]


def render(rows: Iterable[Sequence[str]]) -> str:
    """`rows` as CSV: LF, comma, quotes only where they are needed (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def canonical(schema: CsvSchema, parsed: CsvText) -> str:
    """`parsed` in the form in which files are kept: rows and columns in order, no spaces around cells.

    A row with more or fewer cells than the header keeps its spaces: its cells may belong to other columns.
    """
    columns, header = list(schema.columns), parsed.header
    rows = [[cell.strip() for cell in cells] if len(cells) == len(header) else cells for _, cells in parsed.rows]
    rows.sort(key=order(schema, header))
    if sorted(header) == sorted(columns) and all(len(cells) == len(header) for cells in rows):
        places = [header.index(column) for column in columns]
        header, rows = columns, [[cells[place] for place in places] for cells in rows]
    return render([header, *rows])
