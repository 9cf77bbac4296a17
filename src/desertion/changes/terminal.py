"""The differences as text: the summary in one line, and the whole in at most 40 lines, for a terminal or a log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from desertion.changes.compare import CellChange, Difference, PlotChange, SentenceChange, StatementChange, TableChange
from desertion.changes.words import inline
from desertion.text import shown, visible

#: Lines of each section; the rest is counted.
_MOST = {
    "sentences": 10, "verdicts": 4, "statements": 5, "tables": 4, "plots": 5, "refusals": 3, "other outputs": 1,
    "inputs": 4,
}  # fmt: skip
_WIDTH = 300  # characters of a line


def lines(difference: Difference, page: str) -> list[str]:
    """At most 40 lines; `page` is where the whole stands."""
    out = [f"{difference.old} → {difference.new}: {summary(difference)}"]
    out += [f"note: {note}" for note in difference.notes[:3]]
    for (label, most), entries in zip(_MOST.items(), _sections(difference), strict=True):
        if len(entries) > most:
            entries = [*entries[: most - 1], f"… and {len(entries) - most + 1} more"]
        for place, entry in enumerate(entries):
            entry = visible(entry)
            entry = entry if len(entry) <= _WIDTH else f"{entry[: _WIDTH - 1]}…"
            out.append(f"{'' if place else label:14}{entry}")
    return [*out, f"the whole, with the plots before and after: {page}"] if difference else out


def summary(difference: Difference) -> str:
    """The counts of all kinds of differences in one line, `nothing changed` where there are none."""
    sentences = Counter(each.how for each in difference.sentences)
    words = {
        "changed": "changed", "withheld": "newly withheld", "sayable": "sayable again", "new": "new", "gone": "gone",
    }  # fmt: skip
    parts = []
    if sentences:
        first, *more = [f"{sentences[how]} {word}" for how, word in words.items() if sentences[how]]
        number, _, how = first.partition(" ")
        parts.append(", ".join([f"{count(int(number), 'sentence')} {how}", *more]))
    parts += _if(len(difference.verdicts), "verdict", " flipped")
    numbers = {"figures.csv", "context.csv", "corrections.csv"}
    rows = Counter(("statement" if each.file in numbers else "other row", each.how) for each in difference.statements)
    parts += [f"{count(many, what)} {how}" for (what, how), many in rows.items()]
    parts += _if(sum(map(_size, difference.tables)), "cell", f" of {count(len(difference.tables), 'table')}")
    moved = [len(each.moved) for each in difference.plots if each.moved]
    parts += _if(sum(moved), "plotted number", f" in {count(len(moved), 'plot')}")
    rest = Counter(each.how for each in difference.plots if not each.moved)
    parts += [part for how in rest for part in _if(rest[how], f"{'more ' * bool(moved)}plot", f" {how}")]
    parts += _if(len(difference.refusals), "refusal", " came or went")
    parts += _if(len(difference.others), "other output", "")
    parts += _if(len(difference.inputs), "input", "")
    return "; ".join(parts) or "nothing changed"


def _if(number: int, word: str, rest: str) -> list[str]:
    return [f"{count(number, word)}{rest}"] if number else []


def count(number: int, word: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def _size(table: TableChange) -> int:
    return len(table.cells) + len(table.come) + len(table.gone)


def _sections(difference: Difference) -> Iterator[list[str]]:
    yield [_sentence(each) for each in difference.sentences]
    yield [f"{each.row}: {each.old or 'none'} → {each.new or 'none'}" for each in difference.verdicts]
    yield [_statement(each) for each in difference.statements]
    yield [_table(each) for each in difference.tables]
    yield [_plot(each) for each in difference.plots]
    yield [
        f"{each.how}: {each.what}{f' ({each.reason})' if each.reason and each.reason != each.what else ''}"
        for each in difference.refusals
    ]
    yield [", ".join(difference.others)] if difference.others else []
    yield [f"{each.kind} {each.name}: {each.old} → {each.new}" if each.old else f"{each.kind} {each.name}: {each.new}"
           for each in difference.inputs]  # fmt: skip


def plain(text: str) -> str:
    """A sentence without the marks of Markdown."""
    return re.sub(r"\*+|`", "", text)


def _sentence(change: SentenceChange) -> str:
    old, new = plain(change.old), plain(change.new)
    how = "" if change.how == "changed" else f" ({change.how})"
    words = {"changed": inline(old, new), "withheld": f"{change.why}; it was: {old}", "gone": old}.get(change.how, new)
    return f"{change.notebook} {change.id}{how}: {words}"


def _cells(cells: list[CellChange]) -> str:
    return ", ".join(
        f"{each.column} {shown(each.old) or 'blank'} → {shown(each.new) or 'blank'}" for each in cells[:3]
    ) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")


def _statement(change: StatementChange) -> str:
    cells = f": {_cells(change.cells)}" if change.cells else ""
    return f"{change.how} {change.file.removesuffix('.csv')} {change.id} ({change.label}){cells}"


def _table(change: TableChange) -> str:
    what = [f"{count(len(change.cells), 'cell')}"] if change.cells else []
    what += [f"{count(len(rows), 'row')} {how}" for rows, how in ((change.come, "new"), (change.gone, "gone")) if rows]
    title = f"{change.notebook} {change.title}{' (working)' * change.working}: {', '.join(what)}"
    first = change.cells[0] if change.cells else None
    return f"{title}; {first.row}: {_cells([first])}" if first else title


def _plot(change: PlotChange) -> str:
    if change.how != "changed":
        return f"{change.name}: {change.how}"
    what = [f"{count(len(change.moved), 'number')} moved"] if change.moved else []
    what += [f"{count(len(rows), 'row')} {how}" for rows, how in ((change.come, "new"), (change.gone, "gone")) if rows]
    what += [f"{count(len(change.cells), 'other cell')}"] if change.cells and not what else []
    if large := change.largest:
        what.append(f"most {large.column} {large.old} → {large.new} ({large.row})")
    return f"{change.name}: {', '.join(what) or 'the picture alone'}"
