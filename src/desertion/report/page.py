"""The HTML page: one file, nothing from outside, readable without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from desertion.entries import Entry
from desertion.plots import font
from desertion.report import listing
from desertion.report.blocks import (
    Block,
    FilledNumber,
    Part,
    PictureBlock,
    PlotBlock,
    Prose,
    SentenceBlock,
    TableBlock,
    TableCell,
    Unshown,
    Verbatim,
)
from desertion.report.escape import in_markdown, short
from desertion.report.layout import TITLE, Report, file
from desertion.report.links import Links
from desertion.report.markup import SAFE, convert
from desertion.report.picture import described, rules, themed
from desertion.report.writer import UNSOURCED, Writer
from desertion.text import visible

#: Characters that stay unescaped in the address of a table, besides letters and digits.
_PLAIN = " ,;:()/=+-*!?@$"
_ID = re.compile(r"\b((?:F\d{3,}|ctx\d{3,})\b)")
#: Rows of a table that is not folded.
_MOST = 4
#: What readers call the sections of some notebooks.
_NAMES = {"figures": "What is known", "claims": "Fact check", "sensitivity": "How sure"}
_SCRIPTS = ("font.js", "page.js", "plots.js", "numbers.js")


@cache
def _templates() -> Environment:
    loader = FunctionLoader(file)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _parts() -> Any:
    return _templates().get_template("parts.html").module


def page(report: Report) -> str:
    """The page as HTML: sections, methods, all published numbers (and events of plots), and inputs of this version."""
    writer = PageWriter([*report.statements, *report.events])
    states = _states(report.answer)
    parts = [*writer.opening(report), *writer.chapter(report.methods)]
    parts += [
        writer.folded("# All published numbers {#numbers}", "Search, sort and save them"),
        writer.raw(_all(report)),
    ]
    if states:
        parts.append(writer.folded("# Other editions {#editions}", "The sentences of the answer that differ there"))
        parts.append(writer.raw(_parts().editions(states)))
    about = writer.folded("# About this version {#version}", "Data, code and programs it was made from")
    parts += [about, writer.raw(_parts().about(report.about))]
    html = convert("\n\n".join(parts), "html5", "--section-divs", "--mathml", "--shift-heading-level-by=1")
    html = writer.fold(html)
    body = writer.fill(re.sub(rf'<a href="(?!{SAFE})[^"]*"', "<a", html), "<p>{}</p>")
    early, *scripts = map(file, _SCRIPTS)
    script = f"{early}addEventListener('DOMContentLoaded', () => {{\n" + "\n".join(scripts) + "});\n"
    return (
        _templates()
        .get_template("page.html")
        .render(
            title=TITLE,
            edition=report.edition,
            coverage=report.coverage,
            policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src "
            f"'{_hash(script)}'; base-uri 'none'; form-action 'none'",
            style=Markup(file("page.css")),
            marks=Markup(font.face(body) + "\n" + rules(writer.classes)),
            sections=list(_sections(report, bool(states))),
            body=Markup(body),
            script=Markup(script),
        )
    )


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sections(report: Report, states: bool) -> Iterator[tuple[str, str]]:
    """Places of the page and their names, for its navigation."""
    yield "answer", "Answer"
    for one in report.chapters:
        name = one.stem.split("-", 1)[-1]
        yield one.stem, _NAMES.get(name, name.replace("-", " ").capitalize())
    yield from (("methods", "Methods"), ("numbers", "All published numbers"))
    if states:
        yield "editions", "Other editions"
    yield "version", "About this version"


def _states(answer: Iterable[Block]) -> list[tuple[str, list[list[tuple[str, bool]]]]]:
    """Other editions, each with the sentences of the answer whose numbers it has otherwise, and which parts differ."""
    states: dict[str, list[list[tuple[str, bool]]]] = {}
    for block in answer:
        if isinstance(block, SentenceBlock):
            for label, parts in block.then:
                lines = states.setdefault(label, [])
                if not parts:
                    lines.append([("Not enough data was published for this: ", False), (_start(block), False)])
                elif parts != block.parts:
                    lines.append([(_unmarked(new), new != old) for new, old in zip(parts, block.parts, strict=True)])
    return [(label, lines) for label, lines in states.items() if lines]


def _unmarked(markdown: str) -> str:
    return re.sub(r"\*\*?|\\(?=\W)", "", markdown)


def _start(block: SentenceBlock) -> str:
    """The first words of a sentence, by which a reader knows it."""
    words = _unmarked("".join(block.parts))
    return short(words, 100)


def _is_raw(block: Block) -> bool:
    """Whether this is an output as a cell left it, not one that the package's functions publish."""
    match block:
        case Verbatim() | Unshown():
            return True
        case PictureBlock() | Prose():
            return bool(block.where)
        case TableBlock():
            return not block.title
    return False


def _all(report: Report) -> str:
    rows = listing.rows([*report.statements, *report.events])
    numbers, events = rows[: len(report.statements)], rows[len(report.statements) :]
    made = _parts().listing(listing.COLUMNS, numbers, events, listing.pages(rows), listing.SYNONYMS)
    return str(made)


class PageWriter(Writer):
    """Writes blocks for the page; `classes` are the styles of its plots, style → name."""

    def __init__(self, statements: Iterable[Entry]) -> None:
        super().__init__()
        self._rows = {str(row["id"]): row for row in statements}
        self._links = Links(self._rows.values())
        self.classes: dict[str, str] = {}
        self._findings: set[str] = set()
        self._apart = True

    def part(self, part: Part) -> Iterator[str]:
        """Markdown of a folded sub-section: under its heading stand the titles of its plots, which are findings.

        One with a raw output, as a frame, a printed text or a picture without sources, is not folded: its author has
        just made that and looks for it.
        """
        titles = [block.title for block in part.blocks if isinstance(block, PlotBlock)]
        yield (
            f"## {part.heading}"
            if any(map(_is_raw, part.blocks))
            else self.folded(f"## {part.heading}", " · ".join(titles))
        )
        # Nobody unfolds one table twice.
        self._apart = sum(isinstance(block, TableBlock) for block in part.blocks) != 1
        yield from self.blocks(part.blocks)
        self._apart = True

    def folded(self, heading: str, finding: str) -> str:
        """A heading of a section that `fold` folds, and what stands beside it when folded."""
        mark = self.raw(str(_parts().finding(finding)), inline=True)
        self._findings.add(mark)
        return f"{heading}\n\n{mark}"

    def fold(self, html: str) -> str:
        """The converted document with each section that is `folded` as an element that a reader unfolds."""
        ends: list[str] = []

        def one(match: re.Match[str]) -> str:
            if match[0].startswith("</"):
                return ends.pop()
            _, attributes, heading, finding = match.groups()
            ends.append("</details>" if finding in self._findings else "</section>")
            if finding not in self._findings:
                return match[0]
            return f"<details{attributes.replace('level', 'part level', 1)}><summary>{heading}{finding}</summary>"

        return re.sub(r"(</section>)|<section([^>]*)>(?:\s*(<h\d.*</h\d>)\s*<p>(word[0-9a-f]{64})</p>)?", one, html)

    def sentence(self, sentence: SentenceBlock) -> str:
        """Markdown of a computed sentence, its numbers as links."""
        return "".join(
            self._number(sentence.numbers[n // 2]) if n % 2 else part for n, part in enumerate(sentence.parts)
        )

    def _number(self, number: FilledNumber) -> str:
        attributes = self._links.attributes(number)
        return (
            self.raw(_parts().number(number.words, attributes), inline=True)
            if attributes
            else in_markdown(number.words)
        )

    def verbatim(self, text: str) -> str:
        """HTML of plain text."""
        return str(_parts().verbatim(text))

    def plot(self, plot: PlotBlock) -> str:
        """HTML of a plot: the picture, its words, and the numbers behind it as a download."""
        # Spaces stay, as browsers allow: a quarter less than base64, a fifth less than %20 for each.
        address = (
            "" if plot.table is None else f"data:text/csv;charset=utf-8,{quote(self._sourced(plot.table), _PLAIN)}"
        )
        # The style shows one of the two, by the width of the screen.
        pictures = [described(themed(svg, self.classes), f"words-{plot.name}") for svg in (plot.svg, plot.narrow)]
        drawn = plot.title in " ".join(re.findall(r">([^<]*)</t(?:ext|span)>", unescape(plot.svg)))
        return str(_parts().plot(plot, *pictures, address, drawn))

    def _sourced(self, table: bytes) -> str:
        """The CSV of a plot, and after its rows the published numbers behind it with their pages."""
        csv = table.decode()
        rows = (self._rows[each] for each in dict.fromkeys(_ID.findall(csv)) if each in self._rows)
        lines = (
            f"# {row['id']}: {row['printed']}, {row.get('compiler', '')}; {row.get('publisher', '')}, "
            f"{row.get('published', '')}, {row.get('url') or 'no address'}"
            for row in rows
        )
        return csv + "".join(f"{visible(line)}\n" for line in ("# Sources", *lines))

    def picture(self, picture: PictureBlock) -> str:
        """HTML of a picture: as an image, in which nothing runs and nothing is fetched."""
        address = f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}"
        return str(_parts().picture(picture, address, UNSOURCED))

    def table(self, table: TableBlock) -> str:
        """HTML of a table with its notes; a long one is folded."""
        name = f"Table {table.number}. {table.title}" if table.number else table.title
        heads = ", ".join(filter(None, (cell.text for cell in table.head[-1]))) if table.head else ""
        groups: list[list[tuple[TableCell, ...]]] = [[]]
        for row in table.body:
            if row[0].group and groups[-1]:  # a heading of a group is of the rows in one body with it
                groups.append([])
            groups[-1].append(row)
        rows = sum(not row[0].group for row in table.body)
        folded = rows if rows > _MOST and table.title and self._apart else 0
        cards = all(cell.label for row in table.body for cell in row if not cell.group)
        label = short(name or f"Table: {heads}", 120)
        return str(_parts().table(table, name, label, groups, self._linked, folded, cards))

    def _linked(self, cell: TableCell | str) -> Markup:
        """The words of a cell or a note, numbers and ids as links."""
        if isinstance(cell, TableCell) and cell.ids:
            # A number of a column with a recipe may be printed by chance.
            attributes = self._links.attributes(FilledNumber(cell.text, cell.ids, bool(cell.recipe)))
            if cell.recipe and attributes.get("class") == "n computed":
                attributes.setdefault("data-how", cell.recipe)
            return Markup(_parts().number(cell.text, attributes))
        words = cell.text if isinstance(cell, TableCell) else cell
        parts = (
            _parts().number(part, {"class": "n", "href": f"#{part}", "data-ids": part} if part in self._links else {})
            for part in _ID.split(words)
        )
        return Markup("").join(map(Markup, parts))
