"""Reads executed notebooks as blocks, from which the page and the PDF are made."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import sentences
from desertion.errors import UserError
from desertion.project import PHONE, relative
from desertion.report import assumptions, image, markup, picture
from desertion.report.blocks import (
    Block,
    FilledNumber,
    PictureBlock,
    PlotBlock,
    Prose,
    SentenceBlock,
    TableBlock,
    TableCell,
    Unshown,
    Verbatim,
)
from desertion.report.escape import in_markdown
from desertion.report.history import History
from desertion.tables import TableRecord
from desertion.text import shown, uncoloured, visible, visible_lines


@dataclass(frozen=True)
class Section:
    """A notebook: its name, title, answer, other blocks in order, and the `limits` that close the answer.

    `methods`: the blocks that stand with the methods of the report; `whole`: all but the answer are among them.
    `added`: those of cells that follow the methods without a heading of their own, as what an author adds last.
    """

    stem: str
    title: str
    answer: tuple[Block, ...]
    blocks: tuple[Block, ...] = field(default=())
    limits: tuple[Block, ...] = field(default=())
    methods: tuple[Block, ...] = field(default=())
    added: tuple[Block, ...] = field(default=())
    whole: bool = False

    @property
    def all(self) -> tuple[Block, ...]:
        """Every block."""
        return (*self.answer, *self.limits, *self.blocks, *self.added, *self.methods)


def read(notebooks: Iterable[Path], plots: Path | None, history: History | None = None) -> list[Section]:
    """The executed `notebooks` as sections; `plots` is the folder of the published plots, `history`: earlier numbers.

    Raises UserError for a file that is no notebook, and for one without a title.
    """
    names: set[str] = set()
    return [_section(path, plots, names, history) for path in notebooks]


def _section(path: Path, plots: Path | None, names: set[str], history: History | None) -> Section:
    title = ""
    answer: list[Block] = []
    limits: list[Block] = []
    blocks: list[Block] = []
    methods: list[Block] = []
    added: list[Block] = []
    current, whole = blocks, False
    notebook = nb.read(path)
    code = {cell["id"]: number for number, cell in enumerate(nb.code_cells(notebook), 1)}
    assumed = assumptions.of(notebook, path)
    for place, cell in enumerate(notebook["cells"], 1):
        tags = cell.get("metadata", {}).get("tags", [])
        prose = cell["cell_type"] == "markdown"
        if "methods" in tags:
            current, whole = methods, whole or (prose and not title)
        elif not whole and prose and re.match("##? ", cell["source"]):
            current = blocks
        elif not whole and current is methods:
            current = added
        if prose:
            text = cell["source"]
            if not title and (heading := re.match(r"# (.+)\n*", text)):
                title, text = heading[1].strip(), text[heading.end() :]
            if text.strip():
                current += _prose(text, f"{path.stem}, cell {place}", cell.get("attachments"), assumed)
        elif cell["id"] in code and "working" not in tags:  # a frame for the analyst, not for the reader
            into = limits if {"answer", "limits"} <= set(tags) else answer if "answer" in tags else current
            where = f"{path.stem}, code cell {code[cell['id']]}"
            try:
                made = [
                    block
                    for output in cell.get("outputs", [])
                    for block in _blocks(output, where, plots, names, history, assumed)
                ]
            except UserError as error:
                raise UserError(f"{where}: {error}") from None
            drawn = any(isinstance(block, PlotBlock | PictureBlock) for block in made)
            into += [block for block in made if not (drawn and _is_handle(block))]
    if not title:
        raise UserError(f"{relative(path)}: no title: its first cell begins with '# ' and the question it asks")
    return Section(path.stem, title, tuple(answer), tuple(blocks), tuple(limits), tuple(methods), tuple(added), whole)


def notes(sections: Iterable[Section]) -> list[str]:
    """What an author should know of the report: figures without recorded sources, and what it cannot show."""
    lines: list[str] = []
    for block in (block for section in sections for block in section.all):
        if isinstance(block, Unshown):
            lines.append(f"{block.where}: {block.what} cannot be shown in the page and the PDF")
        elif isinstance(block, PictureBlock) and block.where:
            lines.append(f"{block.where}: a plot has no sources recorded: publish it with publish.figure")
    return list(dict.fromkeys(lines))


#: What runs in a notebook alone, by a part of its media type.
_INTERACTIVE = {
    "widget-view": "a widget",
    "javascript": "JavaScript",
    "bokehjs": "an interactive chart of Bokeh",
    "plotly": "an interactive chart of Plotly",
    "vega": "an interactive chart of Vega",
}


def _prose(
    text: str,
    where: str,
    attachments: Mapping[str, Mapping[str, str]] | None,
    assumed: Mapping[str, assumptions.Assumption],
) -> Iterator[Block]:
    """An author's Markdown; the value of a parameter stands where its name was."""
    parts = list(assumptions.in_prose(text, assumed))
    numbers = tuple(part for part in parts if isinstance(part, FilledNumber))
    words = [part.words if isinstance(part, FilledNumber) else part for part in parts]
    if numbers and "![" not in text:
        # Between two numbers there is always Markdown, if only an empty text.
        yield SentenceBlock(tuple(_joined(parts)), numbers=numbers)
    else:
        yield from markup.from_markdown("".join(words), where, attachments)


def _joined(parts: Iterable[str | FilledNumber]) -> Iterator[str]:
    """Markdown and the words of numbers in turn."""
    markdown = ""
    for part in parts:
        if isinstance(part, FilledNumber):
            yield from (markdown, part.words)
            markdown = ""
        else:
            markdown += part
    yield markdown


def _blocks(
    output: dict[str, Any],
    where: str,
    plots: Path | None,
    names: set[str],
    history: History | None,
    assumed: Mapping[str, assumptions.Assumption],
) -> Iterator[Block]:
    """The best of the forms that an output comes in; where none can be shown, its name."""
    # On disk a text is one string or a list of lines.
    data = {kind: "".join(value) if _is_text(value) else value for kind, value in output.get("data", {}).items()}
    metadata = output.get("metadata", {})
    plain = visible_lines(uncoloured(data.get("text/plain") or "".join(output.get("text", ""))))
    pictures = [kind for kind in image.KINDS if kind in data]
    interactive = [name for part, name in _INTERACTIVE.items() if any(part in kind for kind in data)]
    other = [kind for kind in data if kind not in ("text/plain", "application/json")]
    if (record := TableRecord.of(output)) is not None:
        yield table(record)
    elif pictures and image.is_published(data[pictures[0]]):
        yield plot(data[pictures[0]], plots, names)
    elif pictures:
        kind = pictures[0]
        its = metadata.get(kind, {}) if isinstance(metadata.get(kind, {}), dict) else {}
        words = its.get("alt") or metadata.get("alt") or ("" if plain.startswith("<") else plain)
        alt = f"Picture of {where}" + (f": {visible(str(words))}" if words else "")
        yield image.read(kind, data[kind], alt, where, its or metadata)
    elif interactive:
        yield Unshown(interactive[0], where)
    elif "text/markdown" in data:
        kept = metadata.get("desertion", {}).get("sentence")
        text = data["text/markdown"]
        stem = where.split(",")[0]
        if kept:
            yield sentence(text, kept, history, stem, assumed)
        else:  # of a plot or table without rows the words are the plain text, too
            words = markup.from_markdown(text, where)
            yield from words if data.get("text/plain") == text else _raw(words, where)
    elif "text/html" in data:
        made = _raw(markup.from_html(data["text/html"], where), where)
        yield from made or ([Verbatim(plain)] if plain.strip() else [])
    elif "text/latex" in data:
        yield from _raw(markup.from_latex(data["text/latex"], where), where)
    elif "application/json" in data:
        yield Verbatim(visible_lines(json.dumps(data["application/json"], indent=1, ensure_ascii=False)))
    elif other:
        yield Unshown(f"an output of the type {shown(other[0])}", where)
    elif plain.strip():
        yield Verbatim(plain)


def _raw(blocks: Iterable[Block], where: str) -> list[Block]:
    """The blocks of an output that its cell left as it is, their words marked as such."""
    return [replace(block, where=where) if isinstance(block, Prose) else block for block in blocks]


def _is_handle(block: Block) -> bool:
    """Whether this is the name of the object that a cell drew with, which says nothing beside the picture."""
    return isinstance(block, Verbatim) and bool(_HANDLE.fullmatch(block.text))


_HANDLE = re.compile(r"\[?(?:<(?:Axes|BarContainer|Figure|matplotlib\.|seaborn\.)[^>]*>[,\s]*)+\]?|Text\(.*\)")


def _is_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def sentence(
    text: str,
    record: dict[str, Any],
    history: History | None = None,
    stem: str = "",
    assumed: Mapping[str, assumptions.Assumption] | None = None,
) -> Block:
    """The sentence with its words and the numbers of its template separated; `history` holds earlier numbers."""
    filled = sentences.filled(text, record)
    if record.get("withheld"):
        why = f"Not enough data: {visible(record['why'])}" if record.get("why") else "What stood here does not hold"
        return Prose(f"{sentences.lead(record['template'])}*{in_markdown(why)}.*")
    if filled is None:  # the record is of other words
        return Prose(text)
    every, by, recipes = tuple(dict.fromkeys(record.get("ids", ()))), record.get("by", {}), record.get("recipes", {})
    parts, numbers = [], []
    fields = iter(filled.items())
    for words, name, _, _ in string.Formatter().parse(record["template"]):
        parts.append(words)
        if name is not None:
            field, value = next(fields)
            value = visible(value)
            parts.append(value)
            numbers.append(
                FilledNumber(
                    value,
                    tuple(dict.fromkeys(sentences.by_field(by, name) or ())) if by else every,
                    bool(by),
                    visible(sentences.by_field(recipes, name) or ""),
                    assumptions.assumed(value, name, assumed or {}),
                    history.of(stem, record["id"], field) if history else (),
                    f"{record['id']} {field}",
                )
            )
    then = history.then(stem, record["id"], list(filled)) if history else ()
    other = tuple((label, tuple(_replaced(parts, map(visible, values)))) for label, values in then)
    return SentenceBlock(tuple(parts), every, tuple(numbers), other)


def _replaced(parts: Sequence[str], values: Iterable[str]) -> list[str]:
    """The parts of a sentence with other numbers; nothing where there are none."""
    new = list(values)
    return [new[n // 2] if n % 2 else part for n, part in enumerate(parts)] if new else []


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
    if picture.plain((folder / f"{name}.svg").read_text(encoding="utf-8")) != svg:
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
    named = [label.text for label in labels]
    if record.spans:
        over = {first: TableCell(visible(label), heading=True, columns=count) for label, first, count in record.spans}
        under = {place: first for _, first, count in record.spans for place in range(first, first + count)}
        named = [f"{over[under[n]].text}: {label}" if n in under else label for n, label in enumerate(named)]
        upper = {place: replace(label, rows=2) for place, label in enumerate(labels) if place not in under} | over
        head = [[upper[place] for place in sorted(upper)], [labels[place] for place in sorted(under)]]
    body: list[tuple[TableCell, ...]] = []
    for number, row in enumerate(record.rows):
        if record.groups and record.groups[number] not in record.groups[:number]:
            words = visible(record.groups[number])
            body.append((TableCell(words, heading=True, columns=len(labels), group=True),))
        ids = tuple(record.ids[number].split()) if record.ids else ()
        cells = zip(record.columns, map(visible, row), map(visible, record.recipes(row)), strict=True)
        body.append(
            tuple(
                TableCell(
                    text,
                    heading=place < record.heads,
                    right=column.right,
                    # the statements of a row are those of its numbers
                    ids=ids if column.right and re.search(r"\d", text) else (),
                    recipe=recipe,
                    label=named[place],
                )
                for place, (column, text, recipe) in enumerate(cells)
            )
        )
    return TableBlock(tuple(map(tuple, head)), tuple(body), visible(record.title), tuple(map(visible, record.notes)))
