"""The blocks of a section divided at the headings of its sub-sections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from desertion.report.blocks import Block, Part, Prose, SentenceBlock

_HEADING = re.compile(r"##[ \t]+(\S.*?)[ \t]*(?:#+[ \t]*)?$")
_FENCE = re.compile(r" {0,3}(```|~~~)")


def split(blocks: Iterable[Block]) -> tuple[list[Block], list[Part]]:
    """The blocks before the first `##` heading, and one part for each of these headings."""
    before: list[Block] = []
    parts: list[Part] = []
    for piece in (piece for block in blocks for piece in _pieces(block)):
        if isinstance(piece, str):
            parts.append(Part(piece, ()))
        elif parts:
            parts[-1] = replace(parts[-1], blocks=(*parts[-1].blocks, piece))
        else:
            before.append(piece)
    return before, parts


def joined(parts: Iterable[Part]) -> tuple[Block, ...]:
    """Parts as the blocks of one part, their headings one level lower."""
    return tuple(block for part in parts for block in (Prose(f"### {part.heading}"), *part.blocks))


def _pieces(block: Block) -> Iterator[Block | str]:
    """A block between its headings, which are texts without their signs."""
    match block:
        case Prose(text, where):
            words: list[str] = []
            fence = ""
            for line in text.split("\n"):
                if mark := _FENCE.match(line):
                    fence = mark[1] if not fence else "" if mark[1] == fence else fence
                # Markdown knows a heading by the blank line before it.
                heading = None if fence or (words and words[-1].strip()) else _HEADING.match(line)
                if heading:
                    yield from _prose(words, where)
                    yield heading[1]
                    words = []
                else:
                    words.append(line)
            yield from _prose(words, where)
        case SentenceBlock(parts=(str(text), *more)) if match := re.match(
            _HEADING.pattern + r"\n+", text, re.MULTILINE
        ):
            yield match[1]
            yield replace(block, parts=(text[match.end() :], *more))
        case _:
            yield block


def _prose(lines: list[str], where: str) -> Iterator[Prose]:
    if text := "\n".join(lines).strip("\n"):
        yield Prose(text, where)
