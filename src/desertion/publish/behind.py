"""Provenance of the marks of a plot: statements, sources, the footer and the side record."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from desertion.errors import UserError
from desertion.plots.contract import clean
from desertion.plots.own import OwnPlot
from desertion.plots.plot import Plot
from desertion.reconcile.statements import OWN, origins

if TYPE_CHECKING:
    from desertion.figures import Data

#: Names listed at most; the rest is counted.
_MOST_NAMES = 10


def known(name: str, cells: pd.Series, data: Data) -> list[str]:
    """All ids of the table, each once, in order. Raises UserError for an id that is unknown or rejected."""
    ids: dict[str, None] = {}
    for row, cell in enumerate(cells):
        for each in cell.split():
            if each in ids:
                continue
            ids[each] = None
            frame = _frame(each, data)
            if frame is None:
                raise UserError(
                    f"plot {name}, row {row}: id {each!r} is in none of figures.csv, context.csv and events.csv as of "
                    f"{_as_of((), data)}; ids are joined by spaces"
                )
            if "status" in frame and frame.at[each, "status"] == "rejected":
                reason = frame.at[each, "status_reason"]
                raise UserError(f"plot {name}, row {row}: {each} is rejected ({reason!s}) and cannot be plotted")
    return list(ids)


def _frame(each: str, data: Data) -> pd.DataFrame | None:
    """The frame with this id; the context is read last, since a notebook may not have declared it."""
    for frame in (data.figures, data.events):
        if each in frame.index:
            return frame
    return data.context if each in data.context.index else None


def _cells(ids: Sequence[str], column: str, data: Data) -> list[str]:
    """The cells of a column for the ids whose file has that column."""
    rows = [(each, frame) for each in ids if (frame := _frame(each, data)) is not None]
    return [str(frame.at[each, column]) for each, frame in rows if column in frame]


def _sources(ids: Sequence[str], data: Data) -> list[str]:
    """Sources of the ids, each once: first pages of the compilers, then copies of these, then pages that quote them.

    Among equals the sources of most ids come first.
    """
    pairs = [
        (str(frame.at[each, "source_id"]), str(frame.at[each, "compiler"]) if "compiler" in frame else "")
        for each in ids
        if (frame := _frame(each, data)) is not None
    ]
    times = Counter(source for source, _ in pairs)
    ends, kinds, publishers = origins(data.sources), data.sources["kind"], data.sources["publisher"]
    own = {source for source, compiler in pairs if kinds[source] in OWN or publishers[source] == compiler}

    def place(source: str) -> tuple[int, int, str]:
        far = 0 if source in own else 1 if kinds.get(ends[source], "") in OWN else 2
        return far, -times[source], source

    return sorted(times, key=place)


def footer(ids: Sequence[str], data: Data, note: str, name: str) -> str:
    """The sources and compilers behind these ids, the day of the edition, and a note.

    `name`: name of the side record that lists them all; "" if there is none.
    """
    publishers = list(dict.fromkeys(_short(data.sources.at[source, "printed_by"]) for source in _sources(ids, data)))
    named = _named(publishers, f" (see {name}.json)" if name else "")
    compilers = [_short(each) for each in _compilers(ids, data)]
    edition = f"Edition as of {_as_of(ids, data)}."
    counted = f"; counted by {_named(compilers)}" if compilers else ""
    words = f"Sources: {named}{counted}. {edition}" if ids else edition
    return f"{words} {clean(note)}".strip()


def _named(names: Sequence[str], where: str = "") -> str:
    rest = len(names) - _MOST_NAMES
    if rest < 2:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {rest} others{where}"


def _compilers(ids: Sequence[str], data: Data) -> list[str]:
    return list(dict.fromkeys(one for one in _cells(ids, "compiler", data) if one not in ("", "unattributed")))


def _short(words: object) -> str:
    words = clean(str(words))
    return words if len(words) <= 60 else f"{words[:59]}…"


def _as_of(ids: Sequence[str], data: Data) -> str:
    """The day of the edition; without one, the day on which the last figure and all plotted statements were known."""
    if data.as_of is not None:
        return str(data.as_of)
    days = [f"{data.figures['known'].max():%Y-%m-%d}"] if len(data.figures) else []
    return max([*days, *(one[:10] for one in _cells(ids, "known", data))])


def record(
    plot: Plot | OwnPlot,
    name: str,
    size: str,
    alt: str,
    note: str,
    ids: Sequence[str],
    table: str,
    data: Data,
) -> str:
    """The side record: name, words, edition, ids, sources, columns and the hash of the table, as JSON."""
    sources = [
        {
            "id": source,
            "publisher": str(data.sources.at[source, "printed_by"]),
            "url": str(data.sources.at[source, "url"]),
            "published": str(data.sources.at[source, "published_text"]),
        }
        for source in sorted(_sources(ids, data))
    ]
    entries = {
        "name": name,
        "title": plot.title,
        "alt": alt,
        "note": note,
        "size": size,
        "edition": {"as_of": _as_of(ids, data)},
        "ids": list(ids),
        "compilers": _compilers(ids, data),
        "sources": sources,
        "columns": {label: {"kind": column.kind, "meaning": column.meaning} for label, column in plot.columns.items()},
        "csv_sha256": hashlib.sha256(table.encode()).hexdigest(),
    }
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
