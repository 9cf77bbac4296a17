"""Statements of an edition as text: for the page and its table, and one by one as cards in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any

import pandas as pd

from desertion import reconcile, vocabulary
from desertion.errors import ArgumentError
from desertion.text import link, listed, nearest, number, period, shown, visible

if TYPE_CHECKING:
    from desertion.figures import Data

Entry = dict[str, Any]

_FIELDS = {
    "period_start": "start of the period",
    "period_end": "end of the period",
    "cumulative": "running total",
    "per": "base",
}
#: Key of an entry → its name on a card, in the order of the card; those of `_words` are words of a vocabulary.
_NAMES = {
    "measure": "Counted",
    "articles": "Offence",
    "topic": "Topic",
    "scope": "Covers",
    "period": "Period",
    "bound": "Bound",
    "hedge": "Hedge",
    "compiler": "Counted by",
    "publisher": "Printed by",
    "copy": "A copy of",
    "published": "Published",
    "locator": "Where",
    "note": "Note",
    "status": "Status",
    "audit": "Checked",
}
_UNITS = {"percent": " %", "months": " months", "per_1000": " per 1,000"}


@dataclass(frozen=True, repr=False)
class Card:
    """A statement for a reader: the number as printed, what it counts, who printed it, what else is printed.

    `rows`: name, words and web address ("" if there is none) of each line.
    """

    id: str
    printed: str
    rows: tuple[tuple[str, str, str], ...]

    def __repr__(self) -> str:
        wrap = TextWrapper(100, subsequent_indent=" " * 18, break_long_words=False, break_on_hyphens=False)
        lines = (wrap.fill(f"  {name:15} {words}{f' <{url}>' if url else ''}") for name, words, url in self.rows)
        return "\n".join([f"{self.id}: {self.printed}", *lines])

    def _repr_html_(self) -> str:
        lines = (
            f"<tr><th style='text-align: left'>{escape(name)}</th><td style='text-align: left'>"
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
    known = {str(one["id"]): one for one in statements(data, rule)}
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
    rows += [("Also printed in", ", ".join(one.get("same", ())), "")]
    for rival in one.get("rivals", ()):
        others = "; ".join(f"{each['text']} ({', '.join(each['ids'])})" for each in rival["others"])
        used = (
            f"used: {rival['chosen']}, since: {rival['because']}"
            if rival["chosen"]
            else f"none is used: {rival['because']}"
        )
        rows += [("Disagrees", f"{rival['about']}: {others}; {used}", "")]
    return Card(name, one["printed"], tuple(row for row in rows if row[1]))


def statements(data: Data, rule: str) -> list[Entry]:
    """Every figure and every statement of the context, as text, in the order of the files.

    `printed` is the number on its page (before corrections), `value` the number used. `rivals`: other readings of the
    same count by `reconcile.ledger` under `rule`; `same`: ids of other statements of the same fact. Blank entries and
    unsafe links are left out.
    """
    corrections: dict[str, list[Entry]] = {}
    for row in _records(data.corrections):
        corrections.setdefault(str(row["figure_id"]), []).append(row)
    rivals = _rivals(data, rule)
    same: dict[str, list[str]] = {}
    for name, fact in data.figures["fact"].items():
        same.setdefault(str(fact), []).append(str(name))
    dates = {str(source): str(text) for source, text in data.sources["published_text"].items()}
    rows = []
    for kind, frame in (("figure", data.figures), ("context", data.context)):
        for row in _records(frame.reset_index()):
            one = _row(kind, row, corrections.get(str(row["id"]), []), dates)
            one["same"] = [each for each in same.get(row.get("fact", ""), ()) if each != row["id"]]
            one["rivals"] = rivals.get(str(row["id"]), [])
            rows.append({key: value for key, value in one.items() if value not in ("", [], None, False)})
    return rows


def _records(frame: pd.DataFrame) -> list[Entry]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def events(data: Data) -> list[Entry]:
    """The dated events that plots mark, in the shape of `statements`."""
    return [
        {
            "id": str(name),
            "kind": "event",
            "printed": visible(str(row["title"])),
            "measure": vocabulary.EVENT_KINDS.get(str(row["kind"]), str(row["kind"])),
            "period": f"{row['date']:%Y-%m-%d}",
            "publisher": visible(str(data.sources.at[row["source_id"], "publisher"])),
            "url": link(str(data.sources.at[row["source_id"], "url"])),
            "published": str(data.sources.at[row["source_id"], "published_text"]),
            "note": visible(str(row["note"])),
        }
        for name, row in data.events.iterrows()
    ]


def printed(row: Mapping[str, Any]) -> str:
    """The number as its page prints it, with its qualifier: `more than 700`, `33.3 %`."""
    bound = str(row["bound"])
    hedge = str(row["hedge"]) or ("" if bound == "exact" else bound.replace("_", " "))
    return f"{hedge} {number(float(row['value']))}{_UNITS.get(str(row['unit']), '')}".strip()


def _row(
    kind: str, row: Mapping[str, Any], corrections: Iterable[Mapping[str, Any]], dates: Mapping[str, str]
) -> Entry:
    corrections = list(corrections)
    # Corrections of one cell follow each other: the first has the number as printed.
    original = {str(each["field"]): each["printed"] for each in reversed(corrections)}
    measure = str(row["measure"])
    per = str(row["per"])
    what = vocabulary.MEASURES.get(measure, measure)
    share = "" if row["kind"] == "count" else f"{row['kind']} of "
    return {
        "id": str(row["id"]),
        "kind": kind,
        "printed": visible(printed({**row, **original})),
        "value": float(row["value"]),
        "bound": str(row["bound"]),
        "hedge": visible(str(row["hedge"])),
        "measure": visible(f"{share}{what}{f', {vocabulary.PERS.get(per, per)}' if per else ''}"),
        "what": visible(what),
        "articles": visible(_articles(str(row["articles"])) if "articles" in row else ""),
        "numbers": str(row["articles"]).split("+") if str(row.get("articles", "")).startswith("3") else [],
        "topic": visible(vocabulary.TOPICS.get(str(row["topic"]), str(row["topic"]))) if "topic" in row else "",
        "scope": vocabulary.SCOPES.get(str(row["scope"]), "") if row.get("scope", "whole") != "whole" else "",
        "period": period(row["period_start"], row["period_end"]),
        "start": f"{row['period_start']:%Y-%m-%d}",
        "end": f"{row['period_end']:%Y-%m-%d}",
        "cumulative": bool(row["cumulative"]),
        "compiler": visible(str(row["compiler"])),
        "publisher": visible(str(row["publisher"])),
        "url": link(str(row["url"])),
        "source": str(row["source_id"]),
        "published": visible(dates.get(str(row["source_id"]), "")),
        "locator": visible(str(row["locator"])),
        "note": visible(str(row["note"])),
        "status": str(row["status"]),
        "reason": visible(str(row["status_reason"])),
        "audit": str(row.get("audit", "")),
        "corrections": [_correction(each) for each in corrections],
    }


def _articles(articles: str) -> str:
    label = vocabulary.articles_label(articles)
    return label[:1].upper() + label[1:]


def _correction(row: Mapping[str, Any]) -> str:
    field = str(row["field"])
    cells = (str(row[side]) for side in ("printed", "corrected"))
    old, new = (vocabulary.MEASURES.get(cell, cell.replace("_", " ")) or "blank" for cell in cells)
    reason = f", since {row['reason']}" if row["reason"] else ""
    return visible(f"{_FIELDS.get(field, field.replace('_', ' '))}: printed {old}, read as {new}{reason}")


def _rivals(data: Data, rule: str) -> dict[str, list[Entry]]:
    """For each figure its conflicts: the subject, the other readings, the one chosen and the reason."""
    conflicts: dict[str, list[Entry]] = {}
    for row in reconcile.ledger(data, rule=rule):
        for reading in row["readings"]:
            for number_ in reading["figure_ids"]:
                conflicts.setdefault(number_, []).append(
                    {
                        "about": visible(row["title"]),
                        "others": list(_others(row, number_)),
                        "chosen": row["chosen"] or "",
                        "because": row["because"],
                    }
                )
    return conflicts


def _others(conflict: Mapping[str, Any], this: str) -> Iterator[Entry]:
    for reading in conflict["readings"]:
        if this in reading["figure_ids"]:
            continue
        measure = str(reading["measure"])
        start, end = (pd.Timestamp(reading[name]) for name in ("period_start", "period_end"))
        who = listed([reading["compiler"]]) or listed(reading["publishers"])
        words = f"{reading['value']:,} {vocabulary.MEASURES.get(measure, measure)}, {period(start, end)}, {who}"
        yield {"text": visible(words), "ids": reading["figure_ids"]}
