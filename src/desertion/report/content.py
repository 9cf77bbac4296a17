"""Reads executed notebooks as blocks, from which the page and the PDF are made."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import sentences
from desertion.errors import UserError
from desertion.project import relative
from desertion.publish.show import PHONE
from desertion.report import picture
from desertion.report.history import History
from desertion.tables import TableRecord
from desertion.text import visible, visible_lines


@dataclass(frozen=True)
class Prose:
    """Markdown that an author of a notebook wrote."""

    text: str


@dataclass(frozen=True)
class SentenceBlock:
    """A computed sentence, cut into the author's Markdown (even places) and the numbers filled in (odd places).

    `ids`: the statements behind it, `behind`: those of each number, in order; all of them unless each number has its
    own (`apart`). `was`: for each number what it is in other editions, one line each.
    """

    parts: tuple[str, ...]
    ids: tuple[str, ...]
    behind: tuple[tuple[str, ...], ...]
    apart: bool = False
    was: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class PlotBlock:
    """A plot: its name (unique in the report), its SVG and words, and its CSV if it is published.

    `narrow`: the picture of one column for phones, if it is published, else "".
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
class TableCell:
    """A cell of a table: its text, and the numbers of rows and columns that it spans.

    `heading`: heads its row or column, `group`: heads the rows below it. `right`: a number, set right. `ids`: the
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
class TableBlock:
    """A table: rows of the head and of the body; its title and the notes under it, where it has them."""

    head: tuple[tuple[TableCell, ...], ...]
    body: tuple[tuple[TableCell, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True)
class Verbatim:
    """Plain text, as a program printed it."""

    text: str


@dataclass(frozen=True)
class Moved:
    """Stands for a plot that was moved within the report: its name and title."""

    name: str
    title: str


Block = Prose | SentenceBlock | PlotBlock | TableBlock | Verbatim | Moved


@dataclass(frozen=True)
class Section:
    """A notebook: its name, title, answer and other blocks, in order."""

    stem: str
    title: str
    answer: tuple[Block, ...]
    blocks: tuple[Block, ...] = field(default=())


def read(notebooks: Iterable[Path], plots: Path | None, history: History | None = None) -> list[Section]:
    """The executed `notebooks` as sections; `plots` is the folder of the published plots, `history`: earlier numbers.

    Raises UserError for a file that is no notebook, and for one without a title.
    """
    names: set[str] = set()
    return [_section(path, plots, names, history) for path in notebooks]


def _section(path: Path, plots: Path | None, names: set[str], history: History | None) -> Section:
    title = ""
    answer: list[Block] = []
    blocks: list[Block] = []
    for cell in nb.read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            text = cell["source"]
            if not title and (heading := re.match(r"# (.+)\n*", text)):
                title, text = heading[1].strip(), text[heading.end() :]
            if text.strip():
                blocks.append(Prose(text))
        elif cell["cell_type"] == "code":
            tags = cell.get("metadata", {}).get("tags", [])
            if "working" not in tags:  # a frame for the analyst, not for the reader
                into = answer if "answer" in tags else blocks
                into += _outputs(cell, plots, names, history, path.stem)
    if not title:
        raise UserError(f"{relative(path)}: no title: its first cell begins with '# ' and the question it asks")
    return Section(path.stem, title, tuple(answer), tuple(blocks))


def _outputs(
    cell: dict[str, Any], plots: Path | None, names: set[str], history: History | None, stem: str
) -> Iterator[Block]:
    for output in cell.get("outputs", []):
        # On disk a text is one string or a list of lines.
        data = {
            kind: value if isinstance(value, str) else "".join(value) for kind, value in output.get("data", {}).items()
        }
        if (record := TableRecord.of(output)) is not None:
            yield table(record)
        elif "image/svg+xml" in data:
            yield plot(data["image/svg+xml"], plots, names)
        elif "text/markdown" in data:
            kept = output.get("metadata", {}).get("desertion", {}).get("sentence")
            words = data["text/markdown"]
            yield sentence(words, kept, history, stem) if kept else Prose(words)
        elif text := _text(data):
            yield Verbatim(visible_lines(text))
        elif output.get("name") == "stdout":
            yield Verbatim(visible_lines("".join(output["text"])))


def sentence(text: str, record: dict[str, Any], history: History | None = None, stem: str = "") -> Block:
    """The sentence with its words and the numbers of its template separated; `history` holds earlier numbers."""
    numbers = sentences.filled(text, record)
    if numbers is None:  # withheld, or the record is of other words
        return Prose(text)
    parts: list[str] = []
    behind: list[tuple[str, ...]] = []
    fields = iter(numbers.items())
    was: list[tuple[str, ...]] = []
    every, by = tuple(dict.fromkeys(record.get("ids", ()))), record.get("by", {})
    for words, name, _, _ in string.Formatter().parse(record["template"]):
        parts.append(words)
        if name is not None:
            field, number = next(fields)
            parts.append(visible(number))
            value = re.split(r"[.\[]", name)[0]  # `a.ratio` is of the value `a`
            behind.append(tuple(dict.fromkeys(by.get(value, ()))) if by else every)
            was.append(history.of(stem, record["id"], field) if history else ())
    return SentenceBlock(tuple(parts), every, tuple(behind), bool(by), tuple(was))


# --- plots -----------------------------------------------------------------------------------------------------------


def plot(svg: str, folder: Path | None, names: set[str]) -> PlotBlock:
    """A plot from an SVG of `publish.show`; if a name is used already, its identifiers are renamed."""
    svg = picture.plain(svg)
    title, alt = (_words(svg, tag) for tag in ("title", "desc"))
    known = re.search(r'<title id="([\w-]+)-title"', svg)
    name = plain = known[1] if known else f"plot-{sha256(svg.encode()).hexdigest()[:8]}"
    table, narrow = _beside(plain, svg, folder)
    while name in names:
        name += "-again"
    names.add(name)
    if name != plain:
        svg, narrow = (picture.renamed(one, plain, name) for one in (svg, narrow))
    marks = re.findall(r'data-ids="([^"]*)"', svg)
    ids = tuple(dict.fromkeys(unescape(one) for mark in marks for one in mark.split()))
    return PlotBlock(name, title or name, alt or title or name, svg, ids, table, narrow)


def _words(svg: str, tag: str) -> str:
    match = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", svg, flags=re.DOTALL)
    return visible(unescape(match[1])).strip() if match else ""


def _beside(name: str, svg: str, folder: Path | None) -> tuple[bytes | None, str]:
    """The published CSV and the picture for phones, if the published plot is the one shown."""
    if folder is None or not (folder / f"{name}.svg").is_file():
        return None, ""
    if (folder / f"{name}.svg").read_text(encoding="utf-8").strip() != svg:
        return None, ""
    table, narrow = folder / f"{name}.csv", folder / f"{name}{PHONE}.svg"
    return (
        table.read_bytes() if table.is_file() else None,
        picture.plain(narrow.read_text(encoding="utf-8")) if narrow.is_file() else "",
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def table(record: TableRecord) -> TableBlock:
    """The record of a table as rows of cells."""
    labels = [TableCell(visible(each.label), heading=True, right=each.right) for each in record.columns]
    head = [labels]
    if record.spans:
        over = {first: TableCell(visible(label), heading=True, columns=count) for label, first, count in record.spans}
        under = [place for _, first, count in record.spans for place in range(first, first + count)]
        upper = {place: replace(label, rows=2) for place, label in enumerate(labels) if place not in under} | over
        head = [[upper[place] for place in sorted(upper)], [labels[place] for place in sorted(under)]]
    body: list[tuple[TableCell, ...]] = []
    for number, row in enumerate(record.rows):
        if record.groups and record.groups[number] not in record.groups[:number]:
            words = visible(record.groups[number])
            body.append((TableCell(words, heading=True, columns=len(labels), group=True),))
        ids = tuple(record.ids[number].split()) if record.ids else ()
        cells = zip(record.columns, map(visible, row), strict=True)
        body.append(
            tuple(
                TableCell(
                    text,
                    heading=place < record.heads,
                    right=column.right,
                    # the statements of a row are those of its numbers
                    ids=ids if column.right and re.search(r"\d", text) else (),
                )
                for place, (column, text) in enumerate(cells)
            )
        )
    return TableBlock(tuple(map(tuple, head)), tuple(body), visible(record.title), tuple(map(visible, record.notes)))


def _text(data: Mapping[str, str]) -> str:
    """An output without a record as text; of HTML the words, tables drawn with letters, no script, style or address."""
    words = ""
    if html := data.get("text/html"):
        import pypandoc

        options = ["--wrap=none", "--eol=lf"]
        words = str(pypandoc.convert_text(html, "plain", format="html", extra_args=options)).strip()
    return words or data.get("text/plain", "")
