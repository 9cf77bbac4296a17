"""Tables of the PDF: widths of their columns, the size of their type, and their cells, as Typst."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from desertion.report.blocks import TableBlock, TableCell
from desertion.report.escape import in_typst, short

#: Letters of the small type of tables in one line, and the width of a turned page relative to an upright one.
_LETTERS = 112
_WIDE = 717 / 470


class Widths(NamedTuple):
    """Setting of a table: columns for Typst, type size in points, whether its page is turned."""

    columns: str
    size: float
    turned: bool


def widths(table: TableBlock) -> Widths:
    """Column widths by the length of the words, and a type small enough for the longest words."""
    rows = [*table.head, *table.body]
    count = max(sum(cell.columns for cell in row) for row in rows)
    longest, total = [1.0] * count, [1.0] * count
    for number, (row, at) in enumerate(_placed(rows, count)):
        for cell, column in zip(row, at, strict=True):
            if cell.columns == 1:
                bold = 1.3 if cell.heading else 1.0
                word = max(bold * len(word) for word in re.split(r"[\s/]", cell.text))
                longest[column] = max(longest[column], word)
                # The head of a column may take several lines.
                total[column] = max(total[column], word if number < len(table.head) else bold * len(cell.text))
    natural = [min(length, 70) + 2 for length in total]
    # A short cell stays on one line.
    needed = [one if one <= 18 else min(word, 24) + 2 for word, one in zip(longest, natural, strict=True)]
    # Where lines would hold one word each or letters would be too small to read, the page is turned.
    least = min(sum(natural), 1.3 * sum(needed))
    turned = least > 1.45 * _LETTERS
    room = _LETTERS * (_WIDE if turned else 1.0)
    letters = max(room, least)
    columns = "auto, " * count
    if sum(natural) > letters:
        want = [max(one - word, 0.0) for one, word in zip(natural, needed, strict=True)]
        share = (letters - sum(needed)) / (sum(want) or 1)
        columns = "".join(f"{word + share * more:.1f}fr, " for word, more in zip(needed, want, strict=True))
    return Widths(columns, round(7.5 * room / letters, 2), turned)


def _placed(rows: Iterable[Sequence[TableCell]], count: int) -> Iterable[tuple[Sequence[TableCell], list[int]]]:
    """Each row with the columns where its cells begin, past cells that reach down from above."""
    taken = [0] * count
    for row in rows:
        free = [column for column in range(count) if not taken[column]]
        starts = [0, *accumulate(cell.columns for cell in row)][: len(row)]
        at = [free[min(start, len(free) - 1)] if free else 0 for start in starts]
        for cell, column in zip(row, at, strict=True):
            for reached in range(column, min(column + cell.columns, count)):
                taken[reached] = cell.rows
        taken = [max(left - 1, 0) for left in taken]
        yield row, at


def as_row(row: Sequence[TableCell]) -> str:
    """A row; one that names a group heads the rows that follow, and does not stand at the foot of a page alone."""
    cells = "".join(as_cell(cell, cell.group) for cell in row)
    return f"table.header(level: 2, repeat: false, {cells})," if all(cell.group for cell in row) else cells


def as_cell(cell: TableCell, bold: bool) -> str:
    """A cell over its rows and columns, in its colours."""
    words = f"#{in_typst(short(cell.text, 600))}"
    words = f"*{words}*" if bold and cell.text else words
    words = f'#text(fill: rgb("{cell.ink}"))[{words}]' if cell.ink else words
    how = [f"{name}: {count}" for name, count in (("rowspan", cell.rows), ("colspan", cell.columns)) if count > 1]
    how += ["align: right + top"] if cell.right else []
    how += [f'fill: rgb("{cell.fill}")', "inset: 3pt"] if cell.fill else []
    how += ["inset: (x: 0pt, top: 7pt, bottom: 3pt)"] if cell.group else []
    return f"table.cell({', '.join(how)})[{words}]," if how else f"[{words}],"
