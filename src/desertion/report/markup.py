"""Markdown, and the HTML and LaTeX of libraries, as blocks: pandoc reads them, and what comes of it is text.

No script, style or address that runs something gets through, and no picture from outside the notebook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from desertion.report import image
from desertion.report.blocks import Block, Prose, TableBlock, TableCell, Unshown, Verbatim
from desertion.text import shown, visible, visible_lines

#: Prose may hold mathematics, never HTML: text from the data that a sentence contains stays text.
_MARKDOWN = (
    "markdown-implicit_figures-smart-raw_html-raw_tex-raw_attribute-citations-example_lists-markdown_in_html_blocks"
    "-yaml_metadata_block-pandoc_title_block"
)
#: Addresses that a link may have.
SAFE = r"(?:https?://|mailto:|#)"
#: Characters of an output in HTML that is read; pandoc takes some seconds for them.
MOST = 1_000_000
#: Elements of HTML that a page without scripts and a PDF cannot show.
_ACTIVE = {
    "script": "JavaScript",
    "canvas": "a drawing by JavaScript",
    "iframe": "an embedded page",
    **dict.fromkeys(("object", "embed"), "an embedded object"),
    **dict.fromkeys(("input", "select", "textarea", "button"), "a control"),
    "video": "a video",
    "audio": "a sound",
}
_MATRIX = re.compile(r"\s*\\begin\{(?:[pbvBV]?(?:small)?matrix|cases|array|aligned|gathered|split)\*?\}")
_NUMBER = re.compile(r"[-−+]?[\d.,\s]*\d[\d.,]*(?:e[-+]?\d+)?\s?%?|–|nan|NaN|")
_NO_ATTRIBUTES: list[Any] = ["", [], []]


def convert(text: str, to: str, *options: str, source: str = _MARKDOWN) -> str:
    """Markdown, or another `source`, as the body of a document in `to`, a format of pandoc; it reads no file."""
    import pypandoc

    options = ("--wrap=none", "--eol=lf", "--sandbox", *options)
    return str(pypandoc.convert_text(text, to, format=source, extra_args=list(options)))


def from_markdown(text: str, where: str, attachments: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Block]:
    """Markdown of `where`, a notebook and cell, with pictures that are attached to it apart from the words."""
    if "![" not in text:
        yield Prose(text)
        return
    try:
        blocks = list(_Reading(where, attachments=attachments or {}).blocks(_parsed(text, _MARKDOWN)))
    except (RuntimeError, RecursionError):
        blocks = [Verbatim(visible_lines(text))]
    yield from blocks


def from_html(html: str, where: str) -> list[Block]:
    """HTML as words, tables and pictures, with the names of what it runs or embeds; empty where there is nothing."""
    if len(html) > MOST:
        return [Unshown(f"HTML of {len(html) / 1e6:.1f} MB", where)]
    try:
        blocks = list(_Reading(where, _styles(html)).blocks(_parsed(html, "html")))
    except (RuntimeError, RecursionError):
        return []
    tags = dict.fromkeys(tag.lower() for tag in re.findall(r"<\s*([a-zA-Z]+)", html))
    return blocks + [Unshown(what, where) for what in dict.fromkeys(_ACTIVE[tag] for tag in tags if tag in _ACTIVE)]


def from_latex(latex: str, where: str) -> Iterator[Block]:
    """LaTeX as formulas, words and tables; as it was written where pandoc does not know a command of it."""
    source = f"$${latex.strip()}$$" if _MATRIX.match(latex) else latex
    try:
        convert(source, "typst", "--fail-if-warnings", source="latex")
        blocks = list(_Reading(where).blocks(_parsed(source, "latex", "--fail-if-warnings")))
    except (RuntimeError, RecursionError):
        blocks = []
    yield from blocks or (Prose("*LaTeX that cannot be set here, as it was written:*"), Verbatim(visible_lines(latex)))


def _parsed(text: str, source: str, *options: str) -> list[Any]:
    """The blocks of pandoc's tree of a document."""
    nodes: list[Any] = json.loads(convert(text, "json", *options, source=source))["blocks"]
    return nodes


class _Reading:
    """Reads pandoc's tree of what stands at `where`: the author's own Markdown if it has `attachments`."""

    def __init__(
        self,
        where: str,
        styles: Mapping[str, Mapping[str, str]] | None = None,
        attachments: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._where = where
        self._styles = styles or {}
        self._attachments = attachments or {}
        self._own = attachments is not None
        self._pictures: list[Block] = []

    def blocks(self, nodes: list[Any]) -> Iterator[Block]:
        """Words, and between them tables, code and pictures."""
        words: list[Any] = []
        for node in nodes if self._own else _flat(nodes):
            block: Block | None = None
            if node["t"] == "Table" and not self._own:
                block = self._table(node["c"])
            elif node["t"] == "CodeBlock" and not self._own:
                block = Verbatim(visible_lines(node["c"][1]))
            clean = self._clean([node])
            if block is None:
                words += clean
            if block is not None or self._pictures:
                yield from _prose(words)
                if block is not None:
                    yield block
                yield from self._pictures
                words, self._pictures = [], []
        yield from _prose(words)

    def _clean(self, value: Any) -> Any:
        """The tree without pictures, which are kept, unsafe links and, unless it is the author's own, attributes."""
        if isinstance(value, dict):
            return {name: self._clean(part) for name, part in value.items()}
        if not isinstance(value, list):
            return value
        clean: list[Any] = []
        for part in value:
            match part:
                case {"t": "Image", "c": [_, words, [address, title]]}:
                    self._pictures.append(self._picture(address, _text(words) or title))
                case {"t": "Link", "c": [_, words, [address, _]]} if not re.match(SAFE, address):
                    clean += self._clean(words)
                case {"t": "RawInline" | "RawBlock"}:
                    pass
                case {"t": "Str", "c": words}:
                    clean.append({"t": "Str", "c": visible(words.replace("\u00a0", " "))})
                case {"t": "Span" | "Div", "c": [_, inner]} if not self._own:
                    clean += self._clean(inner)
                case {"t": "Code" | "CodeBlock" as kind, "c": [_, words]} if not self._own:
                    clean.append({"t": kind, "c": [_NO_ATTRIBUTES, visible_lines(words)]})
                case {"t": "Header", "c": [_, _, words]} if not self._own:  # no heading of the report
                    clean.append({"t": "Para", "c": [{"t": "Strong", "c": self._clean(words)}]})
                case _:
                    clean.append(self._clean(part))
        return clean

    def _picture(self, address: str, words: str) -> Block:
        match = re.fullmatch(r"data:([\w/+.-]+);base64,(.*)", address, re.DOTALL)
        texts = {match[1]: match[2]} if match else self._attachments.get(address.removeprefix("attachment:"), {})
        for kind in image.KINDS:
            if kind in texts:
                return image.read(kind, "".join(texts[kind]), words or "A picture", "")
        return Unshown(f"the picture '{shown(address)}', which is not in the notebook,", self._where)

    def _table(self, node: list[Any]) -> TableBlock | None:
        """A table with the colours of its cells."""
        _, caption, columns, head, bodies, foot = node
        heads = [self._row(row, len(columns)) for row in head[1]]
        rows = [self._row(row, first) for _, first, over, rows in bodies for row in [*over, *rows]]
        rows += [self._row(row, 0) for row in foot[1]]
        if not any(heads) and not any(rows):
            return None
        return TableBlock(tuple(filter(None, heads)), tuple(filter(None, rows)), _text(caption))

    def _row(self, row: list[Any], first: int) -> tuple[TableCell, ...]:
        """A row whose `first` cells are headings."""
        cells = []
        for place, ((identity, _, pairs), align, rows, columns, content) in enumerate(row[1]):
            text = _text(content)
            style = {**self._styles.get(identity, {}), **_declared(dict(pairs).get("style", ""))}
            fill, ink = (_colour(style.get(name, "")) for name in ("background-color", "color"))
            if fill and not ink:
                ink = "#000000" if sum(int(fill[n : n + 2], 16) for n in (1, 3, 5)) > 382 else "#ffffff"
            right = align["t"] == "AlignRight" or (place >= first and bool(_NUMBER.fullmatch(text)) and text != "")
            cells.append(TableCell(text, place < first, rows, columns, right, fill=fill, ink=ink))
        return tuple(cells)


def _flat(nodes: list[Any]) -> Iterator[Any]:
    """The blocks with those inside divisions and figures."""
    for node in nodes:
        if node["t"] in ("Div", "Figure"):
            yield from _flat(node["c"][-1])
        else:
            yield node


def _prose(words: list[Any]) -> Iterator[Prose]:
    """Words of a tree as Markdown, if there are any."""
    if any(map(_text, words)) or any(node["t"] == "HorizontalRule" for node in words):
        tree = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": words}
        yield Prose(convert(json.dumps(tree), _MARKDOWN, source="json").strip())


def _text(node: Any) -> str:
    """The words of a tree in one line."""
    return visible(" ".join(_spelled(node).split()))


def _spelled(node: Any) -> str:
    match node:
        case {"t": "Str", "c": str(words)}:
            return words
        case {"t": "Code" | "CodeBlock" | "Math", "c": [_, str(words)]}:
            return words
        case {"t": "Space" | "SoftBreak" | "LineBreak"}:
            return " "
        case {"t": kind, "c": inner}:
            return _spelled(inner) + (" " if kind in ("Para", "Plain", "Header") else "")
        case list():
            return "".join(map(_spelled, node))
    return ""


def _styles(html: str) -> dict[str, dict[str, str]]:
    """What the style sheets of `html` declare for single elements: their ids with property → value."""
    styles: dict[str, dict[str, str]] = {}
    for sheet in re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL | re.IGNORECASE):
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet):
            for name in re.findall(r"(?:^|,)\s*#([\w-]+)\s*(?=,|$)", selectors):
                styles.setdefault(name, {}).update(_declared(body))
    return styles


def _declared(body: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in body.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _colour(value: str) -> str:
    """A colour of CSS as `#rrggbb`, "" where it is none that has such a form."""
    from matplotlib.colors import is_color_like, to_hex

    named = re.fullmatch(r"#[0-9a-f]{3}|#[0-9a-f]{6}|(?!none)[a-z]+", value)
    return to_hex(value) if named and is_color_like(value) else ""
