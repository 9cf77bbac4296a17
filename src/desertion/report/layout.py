"""The order of the report, the same in the page and in the PDF."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from desertion.entries import Entry
from desertion.params import Edition
from desertion.report.blocks import Block, Moved, PlotBlock, Prose, SentenceBlock, TableBlock
from desertion.report.content import Section

if TYPE_CHECKING:
    from desertion.figures import Data

TITLE = "AWOL and desertion convictions in the Russian military"
#: Notebooks whose answers open the report, the first sentence as its headline; the cells also tagged `limits` follow
#: after all of them. The answers of the others open their own sections.
LEADS = ("03-trends", "01-figures")
#: Plots shown under the first sentence, in this order.
MAIN_PLOTS = ("long_view",)


@dataclass(frozen=True)
class Report:
    """Content of a report, in order, from which the page and the PDF are made.

    `day`: last day whose publications it uses, `coverage`: what it rests on, in words. `answer` opens it, `methods`
    follow the sections. `statements` and `events` are those of the edition, as text; `about`: the inputs of this
    version.
    """

    edition: Edition
    day: date
    coverage: str
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
    opening += [block for section in leads for block in section.limits]
    rest = [
        replace(
            section,
            answer=(),
            limits=(),
            blocks=tuple(
                Moved(block.name, block.title) if isinstance(block, PlotBlock) and block.name in plots else block
                for block in ((() if section in leads else section.answer + section.limits) + section.blocks)
            ),
        )
        for section in sections
    ]
    opening[1:1] = [plots[name] for name in MAIN_PLOTS if name in plots]  # the finding, and the plot that shows it
    counts = itertools.count(1), itertools.count(1)
    opening = _numbered(opening, *counts)
    rest = [replace(one, blocks=tuple(_numbered(one.blocks, *counts))) for one in rest]
    return opening, rest, _numbered([Prose(file("methods.md")), *verified, Prose(file("cite.md"))], *counts)


def coverage(answer: Iterable[Block], sections: Iterable[Section], data: Data) -> str:
    """Up to which day the counts behind the answer were published, and how many pages the whole report rests on."""
    figures = data.figures[data.figures.index.isin(_ids(answer))]
    newest = data.sources["published"].reindex(figures["source_id"]).max()
    shown = _ids([*answer, *(block for section in sections for block in section.blocks)])
    used = pd.concat([frame.loc[frame.index.isin(shown), "source_id"] for frame in (data.figures, data.context)])
    until = "" if pd.isna(newest) else f"Counts published up to {newest.day} {newest:%B %Y} · "
    count = used.nunique()
    return f"{until}{count:,} {'page' if count == 1 else 'pages'} read"


def _ids(blocks: Iterable[Block]) -> set[str]:
    ids: set[str] = set()
    for block in blocks:
        if isinstance(block, SentenceBlock | PlotBlock):
            ids.update(block.ids)
        elif isinstance(block, TableBlock):
            ids.update(each for row in block.body for cell in row for each in cell.ids)
    return ids


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
