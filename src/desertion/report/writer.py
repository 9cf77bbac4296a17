"""Blocks of a report as Markdown, and its conversion: shared by the page and the PDF."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from desertion.errors import UserError
from desertion.report.blocks import (
    Block,
    Moved,
    Part,
    PictureBlock,
    PlotBlock,
    Prose,
    SentenceBlock,
    TableBlock,
    Unshown,
    Verbatim,
)
from desertion.report.escape import in_markdown
from desertion.report.layout import Chapter, Report
from desertion.text import shown

#: Stands under a picture that a notebook shows and does not publish.
UNSOURCED = "No sources are recorded for this picture"


class Writer(ABC):
    """Writes blocks as Markdown; HTML or Typst is kept aside under names that Markdown leaves alone."""

    def __init__(self) -> None:
        self._aside: dict[str, str] = {}

    def opening(self, report: Report) -> Iterator[str]:
        """The answer and the chapters."""
        yield "# The answer {#answer}"
        yield from self.blocks(report.answer)
        for chapter in report.chapters:
            yield from self.chapter(chapter)

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """Markdown of a chapter, block by block."""
        yield f"# {chapter.title} {{#{chapter.stem}}}"
        yield from self.blocks(chapter.lead)
        if chapter.more:
            yield from self.part(Part(f"More on this question {{#{chapter.stem}-more}}", tuple(chapter.more)))
        for part in chapter.parts:
            yield from self.part(part)

    def part(self, part: Part) -> Iterator[str]:
        """Markdown of a sub-section, block by block."""
        yield f"## {part.heading}"
        yield from self.blocks(part.blocks)

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        """Markdown of each block."""
        yield from map(self.block, blocks)

    def block(self, block: Block) -> str:
        """Markdown of one block."""
        match block:
            case Moved(name, title, _):
                return f"*See the plot [{in_markdown(title)}](#plot-{name}) above, with the answer.*"
            case Prose(text):
                return text
            case SentenceBlock():
                return self.sentence(block)
            case PlotBlock():
                return self.raw(self.plot(block))
            case TableBlock():
                return self.raw(self.table(block))
            case PictureBlock():
                return self.raw(self.picture(block))
            case Verbatim(text):
                return self.raw(self.verbatim(text))
            case Unshown(what, where):
                words = f"{what[:1].upper()}{what[1:]} cannot be shown here ({where})."
                return f"*{in_markdown(words)}*"

    def raw(self, written: str, *, inline: bool = False) -> str:
        """Keep HTML or Typst aside; the name that stands for it in Markdown, as a paragraph or `inline`."""
        # Nobody can write this name into the data: it is the hash of what it stands for.
        name = f"{'word' if inline else 'kept'}{hashlib.sha256(written.encode()).hexdigest()}"
        self._aside[name] = written
        return name

    def fill(self, body: str, around: str = "{}") -> str:
        """The converted document with what was kept aside; `around`: markup around a name that is a paragraph alone.

        Raises UserError where a text in Markdown takes in what follows it.
        """
        left = dict(self._aside)
        pattern = f"{around.format('(kept[0-9a-f]{64})')}|(word[0-9a-f]{{64}})"
        whole = re.sub(pattern, lambda at: left.pop(at[1] or at[2], self._aside[at[1] or at[2]]), body)
        if left:
            before = re.sub(r"<[^>]*>|(?:kept|word)[0-9a-f]{64}", " ", body[: min(map(body.find, left))]).split()
            raise UserError(
                "a text in Markdown leaves a block open (```, $$) and takes in what follows its words "
                f"'{shown(' '.join(before[-8:]))}': close it"
            )
        return whole

    @abstractmethod
    def sentence(self, sentence: SentenceBlock) -> str:
        """Markdown of a computed sentence, with links to its statements."""

    @abstractmethod
    def plot(self, plot: PlotBlock) -> str:
        """HTML or Typst of a plot."""

    @abstractmethod
    def table(self, table: TableBlock) -> str:
        """HTML or Typst of a table."""

    @abstractmethod
    def picture(self, picture: PictureBlock) -> str:
        """HTML or Typst of a picture that nobody published."""

    @abstractmethod
    def verbatim(self, text: str) -> str:
        """HTML or Typst of plain text."""
