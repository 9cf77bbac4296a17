"""The blocks that a report is made of, and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Prose:
    """Markdown that an author of a notebook wrote; `where`: the notebook and cell that show it as a result, else ""."""

    text: str
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class FilledNumber:
    """A number that a sentence was filled with, and what its card needs.

    `ids`: the statements behind it; all of the sentence unless it has its `own`. `recipe`: how it was computed, in one
    line. `assumed`: the parameter that it is, in words. `was`: what it is in other editions, one line each. `name`:
    sentence and field, unique in the report; "" for one in an author's prose.
    """

    words: str
    ids: tuple[str, ...] = ()
    own: bool = False
    recipe: str = ""
    assumed: str = ""
    was: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class SentenceBlock:
    """A text with filled-in numbers: the author's Markdown, before, between and after the `numbers`.

    `parts`: Markdown (even places) and the words of the numbers (odd places). `ids`: the statements behind it. `then`:
    edition → the sentence as that edition has it, in such parts too; none where it was withheld.
    """

    parts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    numbers: tuple[FilledNumber, ...] = ()
    then: tuple[tuple[str, tuple[str, ...]], ...] = ()


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
    statements behind it, `recipe`: how it was computed from them. `label`: the headings of its column. `fill`, `ink`:
    colours of its ground and letters, `#ffff00`, where its author chose some.
    """

    text: str
    heading: bool = False
    rows: int = 1
    columns: int = 1
    right: bool = False
    group: bool = False
    ids: tuple[str, ...] = ()
    recipe: str = ""
    label: str = ""
    fill: str = ""
    ink: str = ""


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
class PictureBlock:
    """A picture that nobody published: its media type, bytes, words, and width and height in pixels of a page.

    `where`: the notebook and cell that show it as a result, "" for one that is part of the author's prose.
    """

    kind: str
    content: bytes
    alt: str
    width: float
    height: float
    where: str = ""


@dataclass(frozen=True)
class Unshown:
    """Stands for `what`, which neither the page nor the PDF can show; `where`: its notebook and cell."""

    what: str
    where: str


@dataclass(frozen=True)
class Moved:
    """Stands for a plot that was moved within the report: its name, title and number."""

    name: str
    title: str
    number: int = 0


@dataclass(frozen=True)
class Part:
    """A sub-section of the report: its heading in Markdown and the blocks under it."""

    heading: str
    blocks: tuple[Block, ...]


Block = Prose | SentenceBlock | PlotBlock | TableBlock | PictureBlock | Verbatim | Unshown | Moved
