"""The order of the report, the same in the page and in the PDF."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from desertion.entries import Entry
from desertion.params import Edition
from desertion.report import parts
from desertion.report.blocks import Block, Moved, Part, PlotBlock, Prose, SentenceBlock, TableBlock
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
class Chapter:
    """A section of the report: its place and title; the `lead` that every reader meets, and what stands behind it.

    `more`: what the author says before the first sub-section, besides the lead.
    """

    stem: str
    title: str
    lead: Sequence[Block]
    more: Sequence[Block] = ()
    parts: Sequence[Part] = ()

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks, in order."""
        yield from (*self.lead, *self.more)
        for part in self.parts:
            yield from part.blocks


@dataclass(frozen=True)
class Report:
    """Content of a report, in order, from which the page and the PDF are made.

    `day`: last day whose publications it uses, `coverage`: what it rests on, in words. `answer` opens it, `methods`
    follow the chapters. `statements` and `events` are those of the edition, as text; `about`: the inputs of this
    version.
    """

    edition: Edition
    day: date
    coverage: str
    answer: Sequence[Block]
    chapters: Sequence[Chapter]
    methods: Chapter
    statements: Sequence[Entry]
    events: Sequence[Entry]
    about: Entry


def arrange(sections: Sequence[Section], verified: Iterable[Block]) -> tuple[list[Block], list[Chapter], Chapter]:
    """The opening of the report, its chapters, and the methods with the results of `verified`.

    Where a plot was moved, its section refers to it. Plots and tables are numbered in this order.
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
    opening[1:1] = [plots[name] for name in MAIN_PLOTS if name in plots]  # the finding, and the plot that shows it
    rest = [
        replace(
            section,
            answer=() if section in leads else section.answer + section.limits,
            limits=(),
            blocks=tuple(_moved(section.blocks, plots)),
        )
        for section in sections
    ]
    chapters = [_chapter(one, one.stem in {lead.stem for lead in leads}) for one in rest if not one.whole]
    checks = [part for one in rest for part in _of_methods(one)]
    title, methods = parts.split([Prose(file("methods.md")), *verified, Prose(file("cite.md"))])
    numbers = _Numbers()
    opening = numbers.of(opening)
    last = Chapter("methods", "Methods and limits", title, parts=[*checks, *methods])
    return opening, [numbers.chapter(one) for one in chapters], numbers.chapter(last)


def _chapter(section: Section, answered: bool) -> Chapter:
    """A section: its answer and its first plot in front, and behind them all else, under headings.

    Of an answer, the paragraphs in front are the first and those that begin with bold words. One without sub-sections
    stands as it is. `answered`: the report opens with its answer. What its author added last is in front, too.
    """
    before, behind = parts.split(section.blocks)
    if not behind:
        return Chapter(section.stem, section.title, [*section.answer, *before, *section.added])
    lead = [block for n, block in enumerate(section.answer) if n == 0 or not _is_more(block)]
    more = [block for block in section.answer if block not in lead]
    (more if lead or answered else lead).extend(before)
    main = next((block for part in behind for block in part.blocks if isinstance(block, PlotBlock)), None)
    if main is not None and not any(isinstance(block, PlotBlock) for block in lead):
        lead.append(main)
        behind = [replace(part, blocks=tuple(_moved(part.blocks, {main.name: main}))) for part in behind]
    return Chapter(section.stem, section.title, [*lead, *section.added], more, behind)


def _is_more(block: Block) -> bool:
    """Whether a paragraph goes on with the one before it, as it begins without bold words."""
    words = block.text if isinstance(block, Prose) else block.parts[0] if isinstance(block, SentenceBlock) else "**"
    return not words.startswith("**")


def _of_methods(section: Section) -> list[Part]:
    """The parts of a notebook that stand with the methods: as one part if they are the whole notebook."""
    before, behind = parts.split(section.methods)
    if section.whole:
        blocks = (*section.answer, *before, *parts.joined(behind))
        return [Part(f"{section.title} {{#{section.stem}}}", blocks)] if blocks else []
    return [*([Part(section.title, tuple(before))] if before else []), *behind]


def _moved(blocks: Iterable[Block], plots: Container[str]) -> Iterator[Block]:
    """The blocks, with a reference in the place of each plot that stands elsewhere."""
    for block in blocks:
        yield Moved(block.name, block.title) if isinstance(block, PlotBlock) and block.name in plots else block


def coverage(answer: Iterable[Block], chapters: Iterable[Chapter], data: Data) -> str:
    """Up to which day the counts behind the answer were published, and how many pages the whole report rests on."""
    figures = data.figures[data.figures.index.isin(_ids(answer))]
    newest = data.sources["published"].reindex(figures["source_id"]).max()
    shown = _ids([*answer, *(block for one in chapters for block in one.blocks)])
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


class _Numbers:
    """Numbers plots and tables in the order in which they come."""

    def __init__(self) -> None:
        self._plots: dict[str, int] = {}
        self._tables = itertools.count(1)

    def of(self, blocks: Iterable[Block]) -> list[Block]:
        """The blocks with their numbers; a plot that was moved comes before what refers to it."""
        return [self._one(block) for block in blocks]

    def chapter(self, chapter: Chapter) -> Chapter:
        """A chapter with the numbers of its plots and tables."""
        lead, more = self.of(chapter.lead), self.of(chapter.more)
        behind = [replace(part, blocks=tuple(self.of(part.blocks))) for part in chapter.parts]
        return replace(chapter, lead=lead, more=more, parts=behind)

    def _one(self, block: Block) -> Block:
        if isinstance(block, PlotBlock | Moved):
            return replace(block, number=self._plots.setdefault(block.name, len(self._plots) + 1))
        return replace(block, number=next(self._tables)) if isinstance(block, TableBlock) and block.title else block
