"""The card of a published number in a notebook: as printed, who counted it, who published it, and other versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from desertion import entries, vocabulary
from desertion.errors import ArgumentError
from desertion.text import link, nearest, shown, visible

if TYPE_CHECKING:
    from desertion.figures import Data

#: Key of an entry → its name on a card, in the order of the card.
_NAMES = {
    "measure": "What was counted", "articles": "Offence", "topic": "Topic", "scope": "Covers", "period": "Period",
    "bound": "Bound", "hedge": "Hedge", "compiler": "Counted by", "publisher": "Published by", "copy": "A copy of",
    "published": "Published", "locator": "Where", "note": "Note", "status": "Use", "audit": "Second reader",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Card:
    """A statement for a reader: the number as printed, what it counts, who printed it, what else is printed.

    `rows`: name, words and web address ("" if there is none) of each line.
    """

    id: str
    printed: str
    rows: tuple[tuple[str, str, str], ...]

    def __repr__(self) -> str:
        wrap = TextWrapper(100, subsequent_indent=" " * 19, break_long_words=False, break_on_hyphens=False)
        lines = (wrap.fill(f"  {name:16} {words}{f' <{url}>' if url else ''}") for name, words, url in self.rows)
        return "\n".join([f"{self.id}: {self.printed}", *lines])

    def _repr_html_(self) -> str:
        lines = (
            f"<tr><th style='text-align: left; white-space: nowrap'>{escape(name)}</th><td style='text-align: left'>"
            + (f"<a href='{escape(url)}'>{escape(words)}</a>" if url else escape(words))
            for name, words, url in self.rows
        )
        return f"<p><b>{escape(self.printed)}</b> {escape(self.id)}</p><table>{''.join(lines)}</table>"


class Cards:
    """The cards of all statements, each by its id: `data.cards["F012"]`; the Tab key completes ids."""

    def __init__(self, data: Data) -> None:
        self._data = data

    def __getitem__(self, name: str) -> Card:
        return card(self._data, name)

    def __iter__(self) -> Iterator[str]:
        return iter([*self._data.figures.index, *self._data.context.index])

    def __len__(self) -> int:
        return len(self._data.figures) + len(self._data.context)

    def __repr__(self) -> str:
        return f"Cards of {len(self):,} statements: data.cards[ID], such as data.cards['{next(iter(self), 'F001')}']"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def card(data: Data, name: str, rule: str = "own-page-first") -> Card:
    """The card of the statement with the id `name`; `rule` chooses among readings that conflict.

    Raises ArgumentError where no such statement is known.
    """
    known = {str(one["id"]): one for one in entries.statements(data, rule)}
    if name not in known:
        when = f" on {data.as_of}" if data.as_of else ""
        padded = re.sub(r"[0-9]+", lambda digits: digits[0].zfill(3), str(name)[:60])
        right = f"; did you mean '{padded}'?" if padded in known else nearest(str(name), known)
        right = right or "; ids are such as F012 and ctx001"
        raise ArgumentError(f"no statement {shown(repr(name))} is known{when}{right}")
    one = known[name]
    printer = data.sources.loc[one["source"]]
    original = str(printer["copy_of"])
    words = dict(one) | {
        "period": one["period"] + (" (running total)" if one.get("cumulative") else ""),
        "bound": vocabulary.BOUNDS[one["bound"]],
        "copy": visible(str(data.sources.at[original, "publisher"])) if original else "",
        "published": one.get("published", "no date shown"),
        "status": "" if one["status"] == "ok" else f"{one['status']}: {one.get('reason', '')}",
        "audit": vocabulary.AUDITS.get(one.get("audit", ""), ""),
    }
    urls = {"publisher": one.get("url", ""), "copy": link(str(data.sources.at[original, "url"])) if original else ""}
    rows = [(label, str(words.get(key, "")), urls.get(key, "")) for key, label in _NAMES.items()]
    rows += [("Corrected", each, "") for each in one.get("corrections", ())]
    rows += [("Also published", ", ".join(one.get("same", ())), "")]
    for rival in one.get("rivals", ()):
        others = "; ".join(f"{each['text']} ({', '.join(each['ids'])})" for each in rival["others"])
        used = (
            f"used: {rival['chosen']}, since: {rival['because']}"
            if rival["chosen"]
            else f"none is used: {rival['because']}"
        )
        rows += [("Other versions", f"{rival['about']}: {others}; {used}", "")]
    return Card(name, one["printed"], tuple(row for row in rows if row[1]))
