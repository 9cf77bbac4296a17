"""Marks what changed between two texts, word by word and number by number."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

_TOKEN = re.compile(r"\d{4}-\d\d-\d\d|\d[\d,.]*\d|\w+|\s+|.", re.DOTALL)


class Piece(NamedTuple):
    """A piece of two texts: what only the old one has, and what only the new one has; or both, where `same`."""

    old: str
    new: str

    @property
    def same(self) -> bool:
        """Whether both texts have it."""
        return self.old == self.new


def parts(old: str, new: str) -> list[Piece]:
    """Both texts cut into pieces that are the same or differ, in order."""
    one, other = _TOKEN.findall(old), _TOKEN.findall(new)
    blocks = difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    cut = [Piece("".join(one[a:b]), "".join(other[c:d])) for _, a, b, c, d in blocks]
    joined: list[Piece] = []
    for part in cut:
        # A space between two changed words is no news: "May 2026" becomes "June 2027" in one piece.
        if len(joined) > 1 and not part.same and joined[-1].same and joined[-1].old == " ":
            space, before = joined.pop(), joined.pop()
            part = Piece(f"{before.old}{space.old}{part.old}", f"{before.new}{space.new}{part.new}")
        joined.append(part)
    return joined


def inline(old: str, new: str, around: int = 32) -> str:
    """Both texts as one line, `in [May → June] it is [700 → 500]`, cut to `around` characters beside a change."""
    pieces = parts(old, new)
    out = []
    for place, part in enumerate(pieces):
        if not part.same:
            out.append(f"[{part.old or '+'} → {part.new or 'nothing'}]" if part.old else f"[+ {part.new.strip()}]")
        elif len(part.old) <= 2 * around:
            out.append(part.old)
        else:
            start = part.old[:around].rpartition(" ")[0] if place else ""
            end = part.old[-around:].partition(" ")[2] if place < len(pieces) - 1 else ""
            out.append(f"{start} … {end}" if start else f"… {end}")
    return "".join(out).strip()
