"""Blocks of a report as Markdown, and its conversion: shared by the page and the PDF."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from desertion.report.content import Block, Moved, PlotBlock, Prose, SentenceBlock, TableBlock, Verbatim
from desertion.report.escape import in_markdown
from desertion.report.layout import Report

#: Prose may hold mathematics, never HTML: text from the data that a sentence contains stays text.
_MARKDOWN = (
    "markdown-implicit_figures-smart-raw_html-raw_tex-raw_attribute-citations-example_lists-markdown_in_html_blocks"
)


def convert(text: str, to: str, *options: str) -> str:
    """Markdown as the body of a document in `to`, a format of pandoc."""
    import pypandoc

    return str(pypandoc.convert_text(text, to, format=_MARKDOWN, extra_args=["--wrap=none", "--eol=lf", *options]))


class Writer(ABC):
    """Writes blocks as Markdown; HTML or Typst is kept aside under names that Markdown leaves alone."""

    def __init__(self) -> None:
        self._aside: dict[str, str] = {}

    def opening(self, report: Report) -> Iterator[str]:
        """The answer and the sections."""
        yield "# The answer {#answer}"
        yield from self.blocks(report.answer)
        for section in report.sections:
            yield f"# {section.title} {{#{section.stem}}}"
            yield from self.blocks(section.blocks)

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        """Markdown of each block."""
        yield from map(self.block, blocks)

    def block(self, block: Block) -> str:
        """Markdown of one block."""
        match block:
            case Moved(name, title):
                return f"*See the plot [{in_markdown(title)}](#plot-{name}) above, with the answer.*"
            case Prose(text):
                return text
            case SentenceBlock():
                return self.sentence(block)
            case PlotBlock():
                return self.raw(self.plot(block))
            case TableBlock():
                return self.raw(self.table(block))
            case Verbatim(text):
                return self.raw(self.verbatim(text))

    def raw(self, written: str) -> str:
        """Keep HTML or Typst aside; the name that stands for it in Markdown."""
        # Nobody can write this name into the data: it is the hash of what it stands for.
        name = f"kept{hashlib.sha256(written.encode()).hexdigest()}"
        self._aside[name] = written
        return name

    def fill(self, body: str, around: str = "{}") -> str:
        """The converted document with what was kept aside; `around`: markup that the conversion puts around a name."""
        return re.sub(around.format("(kept[0-9a-f]{64})"), lambda match: self._aside[match[1]], body)

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
    def verbatim(self, text: str) -> str:
        """HTML or Typst of plain text."""
