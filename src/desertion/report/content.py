"""What the executed notebooks say, as blocks that the page and the PDF are both made of."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import vocabulary
from desertion.project import UserError, relative
from desertion.report.text import visible, visible_lines


@dataclass(frozen=True)
class Prose:
    """Markdown that an author of a notebook wrote."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A computed sentence: its words cut into Markdown of the author (even places) and numbers filled in (odd ones).

    `ids`: the statements that it rests on.
    """

    parts: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Plot:
    """A plot: its name (unique in the report), the SVG with its words, and the CSV behind it where it is published."""

    name: str
    title: str
    alt: str
    svg: str
    ids: tuple[str, ...]
    table: bytes | None
    number: int = 0


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, whether it is a heading, how many rows and columns it takes."""

    text: str
    heading: bool = False
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A table: rows of the head and of the body."""

    head: tuple[tuple[Cell, ...], ...]
    body: tuple[tuple[Cell, ...], ...]


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
            into = answer if "answer" in cell.get("metadata", {}).get("tags", []) else blocks
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
    filled = iter(found.groups())
    for words, name, _, _ in fields:
        parts += [words, visible(next(filled))] if name is not None else [words]
    return Sentence(tuple(parts), tuple(dict.fromkeys(record.get("ids", ()))))


# --- plots -----------------------------------------------------------------------------------------------------------


def plot(svg: str, folder: Path | None, names: set[str]) -> Plot:
    """An SVG of `publish.show`; where two have one name, the later one's identifiers are made its own."""
    svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL).strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    title, alt = (_words(svg, tag) for tag in ("title", "desc"))
    known = re.search(r'<title id="([\w-]+)-title"', svg)
    name = plain = known[1] if known else f"plot-{sha256(svg.encode()).hexdigest()[:8]}"
    table = _table_behind(plain, svg, folder)
    while name in names:
        name += "-again"
    names.add(name)
    if name != plain:
        before = r'(\bid="|href="#|url\(#|aria-labelledby="|aria-describedby="|-title )'
        svg = re.sub(before + re.escape(plain) + "-", rf"\g<1>{name}-", svg)
    marks = re.findall(r'data-ids="([^"]*)"', svg)
    ids = tuple(dict.fromkeys(unescape(one) for mark in marks for one in mark.split()))
    return Plot(name, title or name, alt or title or name, svg, ids, table)


def _words(svg: str, tag: str) -> str:
    found = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", svg, flags=re.DOTALL)
    return visible(unescape(found[1])).strip() if found else ""


def _table_behind(name: str, svg: str, folder: Path | None) -> bytes | None:
    """The published CSV, where the plot published beside it is the one shown."""
    if folder is None or not all((folder / f"{name}{ending}").is_file() for ending in (".svg", ".csv")):
        return None
    same = (folder / f"{name}.svg").read_text(encoding="utf-8").strip() == svg
    return (folder / f"{name}.csv").read_bytes() if same else None


# --- tables ----------------------------------------------------------------------------------------------------------


def table(html: str) -> Table:
    """pandas' table as cells. The row with the names of the index columns is folded into the head above it."""
    reader = _Reader()
    reader.feed(html)
    head = [row for row, in_head in reader.rows if in_head]
    body = [tuple(row) for row, in_head in reader.rows if not in_head]
    if not head and body and all(cell.heading for cell in body[0]):
        head, body = [list(body[0])], body[1:]
    if len(head) == 2 and len(head[0]) == len(head[1]) and all(one.columns == 1 for row in head for one in row):
        pairs = list(zip(head[0], head[1], strict=True))
        if not any(above.text and below.text for above, below in pairs):
            head = [[Cell(above.text or below.text, heading=True) for above, below in pairs]]
    return Table(tuple(map(tuple, head)), tuple(body))


def words(cell: str, heading: bool) -> str:
    """A cell as a reader wants it: words of the vocabulary by their meaning, names of columns without underscores."""
    if cell in vocabulary.MEASURES:
        return vocabulary.MEASURES[cell]
    return cell.replace("_", " ") if heading or re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", cell) else cell


class _Reader(HTMLParser):
    """The cells of a table as text; whatever else stands in its HTML is dropped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[list[Cell], bool]] = []
        self._text: list[str] | None = None
        self._spans = (1, 1)
        self._head = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in ("thead", "tbody"):
            self._head = tag == "thead"
        elif tag == "tr":
            self.rows.append(([], self._head))
        elif tag in ("th", "td"):
            given = dict(attrs)
            self._spans = (int(given.get("rowspan") or 1), int(given.get("colspan") or 1))
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td") and self._text is not None and self.rows:
            text = visible("".join(self._text)).strip()
            if tag == "th":  # a count in the index of a frame is printed as a float
                text = re.sub(r"^(\d+)\.0$", r"\1", text)
            self.rows[-1][0].append(Cell("" if text == "NaN" else words(text, tag == "th"), tag == "th", *self._spans))
            self._text = None
