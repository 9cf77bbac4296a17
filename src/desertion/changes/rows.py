"""Pairs the rows of two tables by the cells that name them, so that a row that moved is not taken for two others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: Column → text of the cell.
Cells = Mapping[str, str]


class Paired(NamedTuple):
    """Rows of two tables: those in both (with equal cells or not), and those that only one of them has.

    `named`: the columns whose cells name a row.
    """

    both: list[tuple[Cells, Cells]]
    gone: list[Cells]
    come: list[Cells]
    named: list[str]

    def name(self, row: Cells) -> str:
        """The cells that name `row`, joined by commas; its first cells where none do."""
        named = ", ".join(filter(None, (row.get(column, "") for column in self.named)))
        return named or ", ".join([*row.values()][:3])


def pair(old: Sequence[Cells], new: Sequence[Cells], names: Sequence[str]) -> Paired:
    """Pair rows by the first columns of `names` that together differ in every row of either table.

    Where none do, by all of them: equal rows first, the rest in order.
    """
    named = list(names)
    for count in range(1, len(names) + 1):
        if all(len({_key(row, names[:count]) for row in rows}) == len(rows) for rows in (old, new)):
            named = list(names[:count])
            break
    sides = [defaultdict[tuple[str, ...], list[Cells]](list) for _ in range(2)]
    for side, rows in zip(sides, (old, new), strict=True):
        for row in rows:
            side[_key(row, named)].append(row)
    paired = Paired([], [], [], named)
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (side.get(key, []) for side in sides)
        for row in [row for row in before if row in after]:
            if row in after:
                before.remove(row)
                after.remove(row)
        count = min(len(before), len(after))
        paired.both.extend(zip(before, after, strict=False))
        paired.gone.extend(before[count:])
        paired.come.extend(after[count:])
    return paired


def _key(row: Cells, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(row.get(column, "") for column in columns)
