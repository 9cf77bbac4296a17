"""What the executed notebooks say, as blocks that the page and the PDF are both made of."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion.errors import UserError
from desertion.plots.wording import spoken
from desertion.project import relative
from desertion.publish.show import PHONE
from desertion.text import visible, visible_lines


@dataclass(frozen=True)
class Prose:
    """Markdown that an author of a notebook wrote."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A computed sentence: its words cut into Markdown of the author (even places) and numbers filled in (odd ones).

    `ids`: the statements that it rests on, `behind`: those of each number, in order, which are all of them unless they
    are told `apart`.
    """

    parts: tuple[str, ...]
    ids: tuple[str, ...]
    behind: tuple[tuple[str, ...], ...]
    apart: bool = False


@dataclass(frozen=True)
class Plot:
    """A plot: its name (unique in the report), the SVG with its words, and the CSV behind it where it is published.

    `narrow`: the same one column wide, for phones, where it is published; "" elsewhere.
    """

    name: str
    title: str
    alt: str
    svg: str
    ids: tuple[str, ...]
    table: bytes | None
    narrow: str = ""
    number: int = 0


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, what kind of heading it is if one, how many rows and columns it takes.

    `heading`: of its row or column, `group`: of the rows below it. `right`: a number, set to the right. `ids`: the
    statements behind it.
    """

    text: str
    heading: bool = False
    rows: int = 1
    columns: int = 1
    right: bool = False
    group: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: rows of the head and of the body; its title and the notes under it, where it has them."""

    head: tuple[tuple[Cell, ...], ...]
    body: tuple[tuple[Cell, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True)
class Verbatim:
    """Plain text, as a program printed it."""

    text: str


@dataclass(frozen=True)
class Moved:
    """In the place of a plot that stands elsewhere in the report: its name and title."""

    name: str
    title: str


Block = Prose | Sentence | Plot | Table | Verbatim | Moved


@dataclass(frozen=True)
class Section:
    """A notebook: its name, its title, the answer that it gives and its other blocks, in order."""

    stem: str
    title: str
    answer: tuple[Block, ...]
    blocks: tuple[Block, ...] = field(default=())


def read(notebooks: Iterable[Path], plots: Path | None) -> list[Section]:
    """The executed `notebooks` as sections; `plots` is the folder with what they published.

    Raises UserError for a file that is no notebook, and for one without a title.
    """
    names: set[str] = set()
    return [_section(path, plots, names) for path in notebooks]


def _section(path: Path, plots: Path | None, names: set[str]) -> Section:
    title = ""
    answer: list[Block] = []
    blocks: list[Block] = []
    for cell in nb.read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            text = cell["source"]
            if not title and (found := re.match(r"# (.+)\n*", text)):
                title, text = found[1].strip(), text[found.end() :]
            if text.strip():
                blocks.append(Prose(text))
        elif cell["cell_type"] == "code":
            tags = cell.get("metadata", {}).get("tags", [])
            if "working" not in tags:  # a frame for the analyst, not for the reader
                into = answer if "answer" in tags else blocks
                into += _outputs(cell, plots, names)
    if not title:
        raise UserError(f"{relative(path)}: no title: its first cell begins with '# ' and the question it asks")
    return Section(path.stem, title, tuple(answer), tuple(blocks))


def _outputs(cell: dict[str, Any], plots: Path | None, names: set[str]) -> Iterator[Block]:
    for output in cell.get("outputs", []):
        # On disk a text is one string or a list of lines.
        data = {
            kind: value if isinstance(value, str) else "".join(value) for kind, value in output.get("data", {}).items()
        }
        if "image/svg+xml" in data:
            yield plot(data["image/svg+xml"], plots, names)
        elif "text/markdown" in data:
            record = output.get("metadata", {}).get("desertion", {}).get("sentence")
            yield sentence(data["text/markdown"], record) if record else Prose(data["text/markdown"])
        elif "text/html" in data:
            found = table(data["text/html"])
            if found.head or found.body:
                yield found
        elif "text/plain" in data:
            yield Verbatim(visible_lines(data["text/plain"]))
        elif output.get("name") == "stdout":
            yield Verbatim(visible_lines("".join(output["text"])))


def sentence(text: str, record: dict[str, Any]) -> Block:
    """The sentence with the numbers that its template was filled with apart from its words."""
    if record.get("withheld"):
        return Prose(text)
    fields = list(string.Formatter().parse(record["template"]))
    pattern = "".join(re.escape(words) + ("(.*?)" if name is not None else "") for words, name, _, _ in fields)
    found = re.fullmatch(pattern, text, flags=re.DOTALL)
    if found is None:  # the record is of other words
        return Prose(text)
    parts: list[str] = []
    behind: list[tuple[str, ...]] = []
    filled = iter(found.groups())
    every, by = tuple(dict.fromkeys(record.get("ids", ()))), record.get("by", {})
    for words, name, _, _ in fields:
        parts.append(words)
        if name is not None:
            parts.append(visible(next(filled)))
            value = re.split(r"[.\[]", name)[0]  # `a.ratio` is of the value `a`
            behind.append(tuple(dict.fromkeys(by.get(value, ()))) if by else every)
    return Sentence(tuple(parts), every, tuple(behind), bool(by))


# --- plots -----------------------------------------------------------------------------------------------------------


def plot(svg: str, folder: Path | None, names: set[str]) -> Plot:
    """An SVG of `publish.show`; where two have one name, the later one's identifiers are made its own."""
    svg = _plain(svg)
    title, alt = (_words(svg, tag) for tag in ("title", "desc"))
    known = re.search(r'<title id="([\w-]+)-title"', svg)
    name = plain = known[1] if known else f"plot-{sha256(svg.encode()).hexdigest()[:8]}"
    table, narrow = _beside(plain, svg, folder)
    while name in names:
        name += "-again"
    names.add(name)
    if name != plain:
        before = r'(\bid="|href="#|url\(#|aria-labelledby="|aria-describedby="|-title )'
        svg, narrow = (re.sub(before + re.escape(plain) + "-", rf"\g<1>{name}-", one) for one in (svg, narrow))
    marks = re.findall(r'data-ids="([^"]*)"', svg)
    ids = tuple(dict.fromkeys(unescape(one) for mark in marks for one in mark.split()))
    return Plot(name, title or name, alt or title or name, svg, ids, table, narrow)


def _plain(svg: str) -> str:
    svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL).strip()
    return re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)


def _words(svg: str, tag: str) -> str:
    found = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", svg, flags=re.DOTALL)
    return visible(unescape(found[1])).strip() if found else ""


def _beside(name: str, svg: str, folder: Path | None) -> tuple[bytes | None, str]:
    """The published CSV and the picture for phones, where the plot published beside them is the one shown."""
    if folder is None or not (folder / f"{name}.svg").is_file():
        return None, ""
    if (folder / f"{name}.svg").read_text(encoding="utf-8").strip() != svg:
        return None, ""
    table, narrow = folder / f"{name}.csv", folder / f"{name}{PHONE}.svg"
    return (
        table.read_bytes() if table.is_file() else None,
        _plain(narrow.read_text(encoding="utf-8")) if narrow.is_file() else "",
    )


# --- tables ----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[≈≥≤×+−-]?\s?\d[\d,]*(\.\d+)?( ?%)?")
_FLOAT = re.compile(r"-?\d+\.0+")
_EMPTY = ("NaN", "NaT", "None", "<NA>")


def table(html: str) -> Table:
    """A table of `desertion.tables` or of pandas as cells; whatever else stands in its HTML is dropped."""
    reader = _Reader()
    reader.feed(html)
    head = [row for row, in_head in reader.rows if in_head and row]
    body = [row for row, in_head in reader.rows if not in_head and row]
    if reader.pandas:
        head, body = _as_words(head, body)
    return Table(tuple(map(tuple, head)), tuple(map(tuple, body)), reader.title, tuple(reader.notes))


def _as_words(head: list[list[Cell]], body: list[list[Cell]]) -> tuple[list[list[Cell]], list[list[Cell]]]:
    """A frame as pandas prints it, as a reader wants it.

    The row with the names of the index is folded into the head above it. Words of the vocabulary stand by their
    meaning, numbers with thousands separators, flags as yes and no, and what is not there as a dash.
    """
    if not head and body and all(cell.heading for cell in body[0]):
        head, body = [body[0]], body[1:]
    if len(head) == 2 and len(head[0]) == len(head[1]) and all(one.columns == 1 for row in head for one in row):
        pairs = list(zip(head[0], head[1], strict=True))
        if not any(above.text and below.text for above, below in pairs):
            head = [[Cell(above.text or below.text, heading=True) for above, below in pairs]]
    # Headings of rows reach down over several, so columns of cells are counted from the right.
    count = max((sum(not cell.heading for cell in row) for row in body), default=0)
    columns = [[row[-place].text for row in body if len(row) >= place] for place in range(1, count + 1)]
    whole = [all(_FLOAT.fullmatch(text) for text in texts if text not in _EMPTY) for texts in columns]
    tidy = [
        [_row_head(cell) if cell.heading else _cell(cell, whole[len(row) - n - 1]) for n, cell in enumerate(row)]
        for row in body
    ]
    return [[replace(cell, text=cell.text.replace("_", " ")) for cell in row] for row in head], tidy


def _row_head(cell: Cell) -> Cell:
    """A heading of a row of a frame; a count in the index is printed as a float, a year is not."""
    text = f"{int(float(cell.text)):,}" if _FLOAT.fullmatch(cell.text) else spoken(cell.text)
    return replace(cell, text="" if text in _EMPTY else text)


def _cell(cell: Cell, whole: bool) -> Cell:
    """A cell of a frame; `whole`: its column holds whole numbers that pandas keeps as floats."""
    if cell.text in (*_EMPTY, "True", "False"):
        return replace(cell, text={"True": "yes", "False": "no"}.get(cell.text, "–"))
    if not re.fullmatch(r"-?\d+(\.\d+)?", cell.text):
        return replace(cell, text=spoken(cell.text), right=bool(_NUMBER.fullmatch(cell.text)))
    number, _, decimals = cell.text.lstrip("-").partition(".")
    sign = "−" if cell.text.startswith("-") else ""
    if decimals or len(number) > 4:  # four digits alone may be a year
        number = f"{int(number):,}"
    return replace(cell, text=sign + (number if whole or not decimals else f"{number}.{decimals}"), right=True)


class _Reader(HTMLParser):
    """The cells of a table as text, its title and its notes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[list[Cell], bool]] = []
        self.title = ""
        self.notes: list[str] = []
        self.pandas = False
        self._text: list[str] | None = None
        self._cell = Cell("")
        self._classes: list[str] = []
        self._head = False
        self._ids: tuple[str, ...] = ()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if tag == "table":
            self.pandas = "dataframe" in classes
        elif tag in ("thead", "tbody"):
            self._head = tag == "thead"
        elif tag == "tr":
            self.rows.append(([], self._head))
            self._ids = ()
        elif tag in ("th", "td"):
            rows, columns = (int(given.get(name) or 1) for name in ("rowspan", "colspan"))
            self._cell = Cell("", tag == "th", rows, columns, "gt_right" in classes, "gt_group_heading" in classes)
            self._classes = classes
            self._text = []
        elif self._text is not None and given.get("data-ids"):
            self._ids = tuple((given["data-ids"] or "").split())

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("th", "td") or self._text is None or not self.rows:
            return
        text = visible("".join(self._text)).strip()
        self._text = None
        if "gt_title" in self._classes:
            self.title = text
        elif "gt_sourcenote" in self._classes:
            self.notes.append(text)
        else:
            # The ids stand at the head of a row and are those of its numbers.
            ids = self._ids if self._cell.right and re.search(r"\d", text) else ()
            self.rows[-1][0].append(replace(self._cell, text=text, ids=ids))
