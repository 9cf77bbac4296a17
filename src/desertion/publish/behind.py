"""Provenance of the marks of a plot: statements, sources, the footer and the side record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from desertion.errors import UserError
from desertion.plots.contract import clean
from desertion.plots.own import OwnPlot
from desertion.plots.plot import Plot
from desertion.project import digest
from desertion.text import day

if TYPE_CHECKING:
    from desertion.figures import Data

#: Letters of the names in a footer, so that it has two lines at most on a phone; the names left over are counted.
_ROOM = 44


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
    """The sources of the ids, each once, by their ids."""
    return sorted({str(frame.at[each, "source_id"]) for each in ids if (frame := _frame(each, data)) is not None})


def footer(ids: Sequence[str], data: Data) -> str:
    """Who counted the statements with these ids, those with most of them first, and when the newest was published.

    A page without a date may be the newest: where one counts later days than the newest date, no day is named.
    """
    names = [name for name, _ in Counter(_compilers(ids, data)).most_common()]
    newest = max([each[:10] for each in _cells(ids, "published", data) if each[:1].isdigit()], default="")
    undated = [each for each in ids if not any(one[:1].isdigit() for one in _cells([each], "published", data))]
    later = any(end[:10] > newest for end in _cells(undated, "period_end", data))
    if newest and later:
        return f"{counted(names, '')} The newest page has no date."
    return counted(names, day(pd.Timestamp(newest)) if newest else "")


def counted(names: Sequence[str], last: str) -> str:
    """`Counted by A, B and 2 others. Published up to 19 Aug 2025.`, in two lines of a phone at most."""
    names = [_short(name) for name in names]
    count = 1
    while count < len(names) and len(", ".join(names[: count + 1])) <= _ROOM:
        count += 1
    rest = len(names) - count
    named = ", ".join(names[:count]) + (f" and {rest} {'other' if rest == 1 else 'others'}" if rest > 0 else "")
    return f"{f'Counted by {named}. ' if names else ''}{f'Published up to {last}.' if last else ''}".strip()


def _compilers(ids: Sequence[str], data: Data) -> list[str]:
    """Who counted each of the statements."""
    return [one for one in _cells(ids, "compiler", data) if one not in ("", "unattributed")]


def _short(words: str) -> str:
    words = clean(words).removeprefix("Office of the ")
    return words if len(words) <= _ROOM else f"{words[: _ROOM - 1]}…"


def _as_of(ids: Sequence[str], data: Data) -> str:
    """The day of the edition; without one, the day on which the last figure and all plotted statements were known."""
    if data.as_of is not None:
        return str(data.as_of)
    days = [f"{data.figures['known'].max():%Y-%m-%d}"] if len(data.figures) else []
    return max([*days, *(one[:10] for one in _cells(ids, "known", data))])


def record(
    plot: Plot | OwnPlot,
    title: str,
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
        for source in _sources(ids, data)
    ]
    entries = {
        "name": name, "title": title, "alt": alt, "note": note, "size": size, "edition": {"as_of": _as_of(ids, data)},
        "ids": list(ids), "compilers": list(dict.fromkeys(_compilers(ids, data))), "sources": sources,
        "columns": {label: {"kind": column.kind, "meaning": column.meaning} for label, column in plot.columns.items()},
        "csv_sha256": digest(table),
    }  # fmt: skip
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
