"""Reports of one series as constraints on its running total: N(stop) − N(start) lies between two limits.

N never falls, so reports and days together are a system of difference constraints, and what they allow for any other
period is a shortest path (Bellman, 1958).
"""

from __future__ import annotations

import numpy as np

from desertion.trends import graph
from desertion.trends.arrays import Floats, Ints


def edges(a: Ints, b: Ints, low: Floats, high: Floats, cells: int) -> tuple[Ints, Ints, Floats, Ints]:
    """Edges tail → head with a length: N(head) ≤ N(tail) + length; and the report behind each (−1: none)."""
    finite = np.flatnonzero(np.isfinite(high))
    chain = np.arange(cells)
    tail = np.concatenate([b, a[finite], chain + 1])
    head = np.concatenate([a, b[finite], chain])
    length = np.concatenate([-low, high[finite], np.zeros(cells)])
    why = np.concatenate([np.arange(len(a)), finite, np.full(cells, -1)])
    return tail, head, length, why


def limits(
    start: Ints, stop: Ints, low: Floats, high: Floats, first: Ints, after: Ints
) -> tuple[Floats, Floats] | None:
    """Least and largest number of cases from each day `first` to before `after` that reports of one series allow.

    The reports give `low` to `high` cases from `start` to before `stop`; None where they contradict each other.
    """
    days = np.unique(np.concatenate([start, stop, first, after]))
    a, b, u, v = (np.searchsorted(days, ends) for ends in (start, stop, first, after))
    tail, head, length, _ = edges(a, b, low, high, len(days) - 1)
    least, most = np.empty(len(first)), np.empty(len(first))
    for i in range(len(first)):
        up, down = (graph.shortest(len(days), tail, head, length, int(source)) for source in (u[i], v[i]))
        if up is None or down is None:
            return None
        least[i], most[i] = max(-down[u[i]], 0.0), up[v[i]]
    return least, most
