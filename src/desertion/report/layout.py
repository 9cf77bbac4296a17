"""The order of the report, the same in the page and in the PDF, and how its prose is converted."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from desertion.report.content import Block, Moved, Plot, Section, Table
from desertion.report.text import in_markdown

TITLE = "AWOL and desertion convictions in the Russian military"
#: The notebooks whose answers open the report; those of the others open their own sections.
LEADS = ("03-trends", "05-sensitivity")
#: The plots that stand with the answer, in this order.
MAIN_PLOTS = ("long_view", "growth")
#: Prose may hold mathematics, never HTML: what a sentence takes from the data stays text.
_MARKDOWN = (
    "markdown-implicit_figures-smart-raw_html-raw_tex-raw_attribute-citations-example_lists-markdown_in_html_blocks"
)


def arrange(sections: Sequence[Section]) -> tuple[list[Block], list[Section]]:
    """What opens the report, and the sections without it; of a plot that was moved, a section keeps the name."""
    leads = [section for stem in LEADS for section in sections if section.stem == stem] or list(sections)
    plots = {
        block.name: block
        for section in sections
        for block in section.blocks
        if isinstance(block, Plot) and block.name in MAIN_PLOTS
    }
    opening = [block for section in leads for block in section.answer]
    rest = [
        replace(
            section,
            answer=(),
            blocks=tuple(
                Moved(block.name, block.title) if isinstance(block, Plot) and block.name in plots else block
                for block in ((() if section in leads else section.answer) + section.blocks)
            ),
        )
        for section in sections
    ]
    opening += [plots[name] for name in MAIN_PLOTS if name in plots]
    counts = itertools.count(1), itertools.count(1)
    return _numbered(opening, *counts), [replace(one, blocks=tuple(_numbered(one.blocks, *counts))) for one in rest]


def _numbered(blocks: Iterable[Block], plots: Iterator[int], tables: Iterator[int]) -> list[Block]:
    def one(block: Block) -> Block:
        if isinstance(block, Plot):
            return replace(block, number=next(plots))
        return replace(block, number=next(tables)) if isinstance(block, Table) and block.title else block

    return [one(block) for block in blocks]


def moved(name: str, title: str) -> str:
    """What stands in the place of a plot that was moved to the answer."""
    return f"*The plot [{in_markdown(title)}](#plot-{name}) stands above, with the answer.*"


def convert(text: str, to: str, *options: str) -> str:
    """Markdown as `to` (a format of pandoc), as the body of a document."""
    import pypandoc

    return str(pypandoc.convert_text(text, to, format=_MARKDOWN, extra_args=["--wrap=none", "--eol=lf", *options]))
