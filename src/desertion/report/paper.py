"""The PDF: the report on paper, made by Typst, which refuses it where it is not accessible or not fit for archives."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from desertion.entries import Entry
from desertion.errors import UserError
from desertion.plots import font
from desertion.report import glyphs
from desertion.report.blocks import (
    Block,
    Moved,
    Part,
    PictureBlock,
    PlotBlock,
    Prose,
    SentenceBlock,
    TableBlock,
    TableCell,
)
from desertion.report.escape import in_markdown, in_typst, short
from desertion.report.layout import TITLE, Chapter, Report, file
from desertion.report.markup import SAFE, convert
from desertion.report.paper_tables import as_cell, as_row, widths
from desertion.report.writer import UNSOURCED, Writer

#: Archival with attached data (PDF/A-3a) and accessible (PDF/UA-1); the compiler enforces both.
STANDARDS = ["a-3a", "ua-1"]
#: Width and height of the text of a page, in points, as in paper.typ.
_WIDTH, _HEIGHT = 470.0, 640.0


def paper(report: Report, notes: list[str] | None = None) -> bytes:
    """The PDF, in the same bytes for the same content, dated with the day of the edition.

    Characters that are drawn as boxes are named in `notes`. Raises UserError with the compiler's words where it refuses
    the document.
    """
    import typst

    edition, day, about = report.edition, report.day, report.about
    writer = PaperWriter([*report.statements, *report.events])
    parts = [*writer.opening(report), *writer.methods(report.methods)]
    parts += [writer.raw("#place.flush()"), *writer.appendix()]
    parts += ["# References", writer.raw(writer.references())]
    rows = ((TableCell(key, heading=True), TableCell(value)) for key, value in about.items())
    parts += ["# About this version", writer.raw(writer.table(TableBlock((), tuple(rows))))]
    words = re.sub(rf'#link\("(?!{SAFE})[^"]*"\)', "#text", convert("\n\n".join(parts), "typst"))
    body = writer.fill(_consecutive(_spoken(words)))
    before = "" if edition.name == "default" else f"{edition.title.rstrip('.')}. {edition.description} "
    values = {
        "title": in_typst(TITLE),
        "description": in_typst(edition.description),
        "standing": in_typst(before + report.coverage),
        "day": f"datetime(year: {day.year}, month: {day.month}, day: {day.day})",
        "body": body,
    }
    source = re.sub(r"\$(\w+)\$", lambda match: values[match[1]], file("paper.typ"))
    stamp = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    inputs = {"main.typ": source.encode()} | writer.files
    try:
        try:
            return _floated(inputs, stamp)
        except typst.TypstError as error:
            if not glyphs.lacking(error):
                raise
        inputs, missing = glyphs.boxed(inputs, font.FOLDERS)
        document = _floated(inputs, stamp)
    except typst.TypstError as error:
        hints = "; ".join(getattr(error, "hints", []))
        raise UserError(f"the PDF was refused: {error} {hints}".strip()) from error
    if notes is not None:
        notes.append(glyphs.note(missing))
    return document


#: How plots float, the first that works: anywhere; not past a table; not at all. Typst 0.15.1 fails to tag ("parent
#: group") some documents in which a float falls into a table that breaks over pages.
_FLOATING = tuple(
    f"#let plots-go = {place}\n#let before-table = {before}\n"
    for place, before in (("auto", "none"), ("auto", "place.flush()"), ("none", "none"))
)


def _floated(inputs: dict[str, bytes], stamp: int) -> bytes:
    """The PDF with the first placement of plots that Typst does not fail at."""
    import typst

    for floating in _FLOATING[:-1]:
        try:
            return _compile(inputs | {"main.typ": floating.encode() + inputs["main.typ"]}, stamp)
        except typst.TypstError as error:
            if "internal error" not in str(error):
                raise
    return _compile(inputs | {"main.typ": _FLOATING[-1].encode() + inputs["main.typ"]}, stamp)


def _compile(inputs: dict[str, bytes], stamp: int) -> bytes:
    import typst

    made = typst.compile(  # type: ignore[call-overload]  # its stub knows of one file only
        inputs,
        format="pdf",
        font_paths=[str(folder) for folder in font.FOLDERS],  # fonts of the machine do not matter
        ignore_system_fonts=True,
        pdf_standards=STANDARDS,
        timestamp=stamp,
    )
    return bytes(made)


def _spoken(body: str) -> str:
    """The document with a text for screen readers on each formula: its source is close enough to words."""

    def one(match: re.Match[str]) -> str:
        words = match[1].replace("\\", "").strip()
        block = "true" if match[1].startswith(" ") else "false"
        return f"#math.equation(block: {block}, alt: {in_typst(words)}, ${match[1]}$)"

    return re.sub(r"(?<!\\)\$(.+?)(?<!\\)\$", one, body, flags=re.DOTALL)


def _consecutive(body: str) -> str:
    """The document with headings of which none is more than one level below the one before, as PDF/UA demands."""
    level, code, lines = 1, False, []
    for line in body.split("\n"):
        code ^= line.startswith("```")
        if not code and (heading := re.match("(=+) ", line)):
            level = min(len(heading[1]), level + 1)
            line = "=" * level + line[heading.end(1) :]
        lines.append(line)
    return "\n".join(lines)


#: Rows that a table in the text has at most, as on the page; a longer one, or one that needs a turned page, stands in
#: the appendix. There one of so many rows stands where the words speak of it.
MOST_ROWS, _MOST_BEHIND = 4, 12
#: Pages that the numbers behind a sentence or a plot are cited from one by one; of more, their number is given.
_CITED = 12


class PaperWriter(Writer):
    """Writes blocks for the PDF; numbers the references used and collects the files that the document embeds."""

    def __init__(self, statements: Iterable[Entry]) -> None:
        super().__init__()
        self._statements = {str(row["id"]): row for row in statements}
        self._sources: dict[tuple[str, str, str], int] = {}
        self._apart: list[TableBlock] = []
        self._details: list[Part] = []
        self._most = MOST_ROWS
        self.files: dict[str, bytes] = {}

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        """Markdown of each. A plot is named by the words in front of it; under a heading alone it does not float."""
        written = ""
        for n, block in enumerate(blocks):
            before, after = blocks[n - 1] if n else None, blocks[n + 1] if n + 1 < len(blocks) else None
            if isinstance(block, PlotBlock):
                # the first stands under the first sentence, below the title
                floats = block.number != 1 and not (
                    isinstance(before, Prose) and re.search(r"(?:^|\n)#[^\n]*\s*$", before.text)
                )
                yield self.raw(self.plot(block, floats))
                continue
            if isinstance(block, TableBlock) and (len(block.body) > self._most or widths(block).turned):
                self._apart.append(block)
                rows = f"{len(block.body)} row{'s' if len(block.body) > 1 else ''}"
                name = f"Table {block.number}" if block.title else "A table"
                title = f", *{in_markdown(block.title)}*," if block.title else ""
                label = _label(len(self._apart))
                yield f"{name}{title} has {rows} and stands on page {self.raw(f'#page-of(<{label}>)')}."
                continue
            words = self.block(block)
            if isinstance(block, Moved) and isinstance(before, Prose | SentenceBlock) and _ends_in_words(written):
                continue
            if isinstance(after, PlotBlock | Moved) and _ends_in_words(words):
                words = f"{words.rstrip()} ([Plot\u00a0{after.number}](#plot-{after.name}))"
            yield (written := words)

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """The text with its plots; sub-sections without any stand in the appendix, and a line names their pages."""
        yield f"# {chapter.title} {{#{chapter.stem}}}"
        plots = [block for block in chapter.lead if isinstance(block, PlotBlock)]
        words = [block for block in chapter.lead if block not in plots]
        # Words first: a plot under the heading alone could not go where there is room.
        yield from self.blocks([*words, *plots, *chapter.more] if words else [*chapter.more, *plots])
        details = []
        for part in chapter.parts:
            if any(isinstance(block, PlotBlock | PictureBlock | Moved) for block in part.blocks):
                yield from self.part(part)
            elif all(isinstance(block, TableBlock) for block in part.blocks):
                yield from self.blocks(part.blocks)
            else:
                self._details.append(part)
                where = self.raw(f"#page-of(<details-{len(self._details)}>)", inline=True)
                details.append(f"{re.sub(r' *{[^}]*}$', '', part.heading)} (page {where})")
        if details:
            yield f"*In the appendix:* {'; '.join(details)}."

    def methods(self, chapter: Chapter) -> Iterator[str]:
        """The methods in full, and the sub-sections of the chapters that hold no plot."""
        self._most = _MOST_BEHIND
        yield from super().chapter(chapter)
        if self._details:
            yield "# Details"
        for number, part in enumerate(self._details, 1):
            yield f"## {part.heading}\n\n{self.raw(f'#metadata(none)<details-{number}>')}"
            yield from self.blocks(part.blocks)

    def appendix(self) -> Iterator[str]:
        """The tables that are too long or too wide for the text, each in full."""
        if self._apart:
            yield "# Tables in full"
        for number, table in sorted(enumerate(self._apart, 1), key=lambda one: one[1].number):
            turned = widths(table).turned
            if turned:
                yield self.raw("#set page(flipped: true)")
            yield self.raw(f"#metadata(none)<{_label(number)}>\n{self.table(table)}")
            if turned:
                yield self.raw("#set page(flipped: false)")

    def sentence(self, sentence: SentenceBlock) -> str:
        """Markdown of a computed sentence with the numbers of its references."""
        words = "".join(in_markdown(part) if n % 2 else part for n, part in enumerate(sentence.parts))
        cited = self.cited(sentence.ids)
        links = ", ".join(
            "–".join(f"[{number}](#ref-{number})" for number in dict.fromkeys(run)) for run in _runs(cited)
        )
        if len(cited) > _CITED:
            links = f"{len(cited)} of the [references](#references)"
        return f"{words} \\[{links}\\]" if links else words

    def verbatim(self, text: str) -> str:
        """Typst of plain text."""
        return f"#raw(block: true, {in_typst(text)})"

    def cited(self, ids: Iterable[str]) -> list[int]:
        """The numbers of the sources of these statements in the list of references, ascending."""
        cited = set()
        for each in ids:
            row = self._statements.get(each)
            if row is not None:
                source = (row.get("publisher", ""), row.get("published", ""), row.get("url", ""))
                cited.add(self._sources.setdefault(source, len(self._sources) + 1))
        return sorted(cited)

    def references(self) -> str:
        """The sources cited, in the order in which they are first cited."""
        items = []
        for (publisher, published, url), number in self._sources.items():
            words = f"{short(publisher)}, {published or 'no date shown'}. "
            where = f"#link({in_typst(url)}, broken({in_typst(short(url, 160))}))" if url else ""
            items.append(f"#reference({number})[#{in_typst(words)}{where}] <ref-{number}>")
        return "\n".join(items)

    def plot(self, plot: PlotBlock, floats: bool = True) -> str:
        """Typst of a plot, with its numbers attached to the PDF; one that `floats` goes where there is room."""
        self.files[f"{plot.name}.svg"] = plot.svg.encode()
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', plot.svg)
        width, height = (float(box[1]), float(box[2])) if box else (_WIDTH, _HEIGHT)
        size = min(_WIDTH, _HEIGHT * width / height)
        cited = self.cited(plot.ids)
        sources = f"[{_ranges(cited)}]" if len(cited) <= _CITED else f"{len(cited)} of the references"
        caption = in_typst(f"Sources: {sources}." if cited else f"{plot.title}.")
        attached = ""
        if plot.table is not None:
            self.files[f"{plot.name}.csv"] = plot.table
            about = f"description: {in_typst(f'The numbers of the plot: {plot.title}')}"
            attached = f'#pdf.attach("{plot.name}.csv", relationship: "data", mime-type: "text/csv", {about})'
        return (
            attached
            + _count('"plot"', plot.number)
            + (
                f'#figure(image("{plot.name}.svg", width: {size:.1f}pt, alt: {in_typst(plot.alt)}), '
                f"placement: {'plots-go' if floats else 'none'}, "
                f'kind: "plot", supplement: [Plot], caption: [#{caption}]) <plot-{plot.name}>'
            )
        )

    def picture(self, picture: PictureBlock) -> str:
        """Typst of a picture, inside an SVG of its own: Typst takes text files only, and leaves out what it refuses."""
        address = f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}"
        size = f'width="{picture.width:g}" height="{picture.height:g}"'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="{address}"/></svg>'
        name = f"picture-{hashlib.sha256(svg.encode()).hexdigest()[:16]}.svg"
        self.files[name] = svg.encode()
        width = min(picture.width * 0.75, _WIDTH, _HEIGHT * picture.width / picture.height)
        caption = f"caption: [#{in_typst(f'{UNSOURCED} ({picture.where}).')}], " if picture.where else ""
        shown = f'image("{name}", width: {width:.1f}pt, alt: {in_typst(picture.alt)})'
        return f'#figure({shown}, kind: "picture", supplement: none, numbering: none, {caption})'

    def table(self, table: TableBlock) -> str:
        """Typst of a table with its notes."""
        how = widths(table)
        head = (
            f"table.header({''.join(as_cell(cell, True) for row in table.head for cell in row)})," if table.head else ""
        )
        body = "".join(as_row(row) for row in table.body)
        made = f"table(columns: ({how.columns}), {head}\n{body})"
        if table.title:
            made = f"figure({made}, kind: table, supplement: [Table], caption: [#{in_typst(table.title)}])"
        notes = "".join(f"#note[#{in_typst(short(note, 600))}]\n" for note in table.notes)
        short_one = "#show figure: set block(breakable: false)\n" if len(table.body) <= _MOST_BEHIND else ""
        count = _count("table", table.number)
        return f"#before-table\n{count}#[{short_one}#set text(size: {how.size}pt)\n#{made}]\n{notes}"


def _count(kind: str, number: int) -> str:
    """Typst that makes this the number of the next plot or table: the appendix has them in another order."""
    return f"#counter(figure.where(kind: {kind})).update({number - 1})\n" if number else ""


def _label(number: int) -> str:
    return f"apart-{number}"


def _ends_in_words(text: str) -> bool:
    """Whether the last block of this Markdown is a paragraph, which a reference can be added to."""
    last = re.split(r"\n\s*\n", text.rstrip())[-1]
    return bool(re.match(r"[^\s#>|:`$~<-]", last)) and not re.match(r"(?:[*+]|\d+[.)])\s|kept[0-9a-f]{64}", last)


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of numbers that follow each other."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _ranges(numbers: Iterable[int]) -> str:
    """`1–4, 7`: numbers that follow each other as one range."""
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in _runs(numbers))
