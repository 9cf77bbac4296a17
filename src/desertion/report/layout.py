"""The order of the report, the same in the page and in the PDF."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files

from desertion.entries import Entry
from desertion.params import Edition
from desertion.report.blocks import Block, Moved, PlotBlock, Prose, TableBlock
from desertion.report.content import Section

TITLE = "AWOL and desertion convictions in the Russian military"
#: Notebooks whose answers open the report; the answers of the others open their own sections.
LEADS = ("03-trends", "05-sensitivity")
#: Plots shown with the answer, in this order.
MAIN_PLOTS = ("long_view", "growth")


@dataclass(frozen=True)
class Report:
    """Content of a report, in order, from which the page and the PDF are made.

    `day`: last day whose publications it uses. `answer` opens it, `methods` follow the sections. `statements` and
    `events` are those of the edition, as text; `about`: the inputs of this version.
    """

    edition: Edition
    day: date
    answer: Sequence[Block]
    sections: Sequence[Section]
    methods: Sequence[Block]
    statements: Sequence[Entry]
    events: Sequence[Entry]
    about: Entry


def arrange(sections: Sequence[Section], verified: Iterable[Block]) -> tuple[list[Block], list[Section], list[Block]]:
    """The opening of the report, the sections without it, and the methods with the results of `verified`.

    Where a plot was moved to the opening, its section refers to it. Plots and tables are numbered in this order.
    """
    leads = [section for stem in LEADS for section in sections if section.stem == stem] or list(sections)
    plots = {
        block.name: block
        for section in sections
        for block in section.blocks
        if isinstance(block, PlotBlock) and block.name in MAIN_PLOTS
    }
    opening = [block for section in leads for block in section.answer]
    rest = [
        replace(
            section,
            answer=(),
            blocks=tuple(
                Moved(block.name, block.title) if isinstance(block, PlotBlock) and block.name in plots else block
                for block in ((() if section in leads else section.answer) + section.blocks)
            ),
        )
        for section in sections
    ]
    opening += [plots[name] for name in MAIN_PLOTS if name in plots]
    counts = itertools.count(1), itertools.count(1)
    opening = _numbered(opening, *counts)
    rest = [replace(one, blocks=tuple(_numbered(one.blocks, *counts))) for one in rest]
    return opening, rest, _numbered([Prose(file("methods.md")), *verified, Prose(file("cite.md"))], *counts)


@cache
def file(name: str) -> str:
    """A text file of this package."""
    return (files("desertion.report") / name).read_text(encoding="utf-8")


def _numbered(blocks: Iterable[Block], plots: Iterator[int], tables: Iterator[int]) -> list[Block]:
    def one(block: Block) -> Block:
        if isinstance(block, PlotBlock):
            return replace(block, number=next(plots))
        return replace(block, number=next(tables)) if isinstance(block, TableBlock) and block.title else block

    return [one(block) for block in blocks]
