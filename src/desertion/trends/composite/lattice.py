"""From reports to the fibre: which counts are known, and over which few free numbers the others must be summed.

A report bounds N(stop) − N(start), where N(t) is the number of cases of its series before day t. So reports are
difference constraints, and everything here is graph theory on the values of N at the days where reports begin or end:

1. cells covered by the same reports are merged (their sum is one NB1 count), uncovered ones are dropped;
2. constraints with a negative cycle contradict each other, and the cycle names them (Bellman, 1958; Ford, 1956);
3. exact reports tie values of N into clusters; a cell inside a cluster has a known count;
4. the other cells join clusters; the sum over the fibre factorises over the biconnected components of that graph
   (Hopcroft & Tarjan, 1973), the blocks. In each one cluster is the reference and the rest are the free numbers.

A block can be summed by messages along a tree, so the free clusters must form a forest. That admits every set of
exact reports with up to three interleaved origins and any number of rounded ones beside them. A report that breaks
it is held out and becomes a check.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from desertion.errors import ContradictionError
from desertion.trends import graph
from desertion.trends.arrays import Floats, Ints
from desertion.trends.chain import edges
from desertion.trends.counts import Observations


@dataclass(frozen=True)
class CountCell:
    """Pieces of time that the same reports of one series cover: days [a, b) in `spans`; one NB1 count."""

    series: int
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Link:
    """The constraint between free number `child` and `parent` (−1: the reference) on d = x[child] − x[parent].

    Cell `cells[j]` of the block counts `sign[j] * d + offset[j]`; d lies in [low, high]. `bounded`: whether a report
    sets one of these limits.
    """

    child: int
    parent: int
    cells: Ints
    sign: Ints
    offset: Floats
    low: float
    high: float
    bounded: bool


@dataclass(frozen=True)
class Block:
    """One sum over `size` free whole numbers x[v], each in [low[v], high[v]]; they form a tree.

    `unary` links them to the reference, `edges[v]` links v to its parent (None: the root); parents stand before their
    children in `order`. `cells` are the positions in the lattice of the cells that the links number from 0.
    """

    size: int
    unary: tuple[Link, ...]
    edges: tuple[Link | None, ...]
    order: tuple[int, ...]
    low: Floats
    high: Floats
    cells: Ints

    @property
    def links(self) -> tuple[Link, ...]:
        """All links."""
        return (*self.unary, *(link for link in self.edges if link is not None))

    @cached_property
    def linear(self) -> tuple[Floats, Floats]:
        """Cells as `slope @ x + offset`: slope of shape (cells, size), offset of shape (cells,)."""
        slope, offset = np.zeros((len(self.cells), self.size)), np.zeros(len(self.cells))
        for link in self.links:
            slope[link.cells, link.child] = link.sign
            if link.parent >= 0:
                slope[link.cells, link.parent] = -link.sign
            offset[link.cells] = link.offset
        return slope, offset

    @cached_property
    def bounds(self) -> tuple[tuple[Link, ...], Floats]:
        """The links that some report bounds, and their differences as `slope @ x`: slope of shape (k, size)."""
        bounded = tuple(k for k in self.links if k.bounded)
        slope = np.zeros((len(bounded), self.size))
        for i, link in enumerate(bounded):
            slope[i, link.child] = 1.0
            if link.parent >= 0:
                slope[i, link.parent] = -1.0
        return bounded, slope


@dataclass(frozen=True)
class Lattice:
    """The cells, the positions and values of the known counts, the blocks, the positions of the reports held out."""

    cells: tuple[CountCell, ...]
    known: Ints
    counts: Floats
    blocks: tuple[Block, ...]
    held_out: tuple[int, ...]

    @property
    def informative(self) -> int:
        """Number of independent counts that the reports give: known cells, and free numbers that a report bounds."""
        return len(self.known) + sum(len(b.cells) - b.size + sum(link.bounded for link in b.links) for b in self.blocks)


@dataclass
class _Parts:
    cells: list[CountCell] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


class _LoopError(Exception):
    """A block whose free clusters are no forest; `reports` may be held out to open it."""

    def __init__(self, reports: list[int]):
        super().__init__()
        self.reports = reports


def build(obs: Observations) -> Lattice:
    """The lattice of `obs`, series by series. Raises ContradictionError with reports that no counts satisfy."""
    # a specification curve fits the same reports again and again
    whole = (np.asarray(part, np.int64).tobytes() for part in (obs.series, obs.start, obs.stop))
    real = (np.asarray(part, np.float64).tobytes() for part in (obs.low, obs.high))
    return _remembered(obs.series_names, *whole, *real)


@lru_cache(maxsize=64)
def _remembered(names: tuple[str, ...], series: bytes, start: bytes, stop: bytes, low: bytes, high: bytes) -> Lattice:
    s, a, b = (np.frombuffer(part, np.int64) for part in (series, start, stop))
    lo, hi = (np.frombuffer(part, np.float64) for part in (low, high))
    return _build(Observations(("",) * len(s), s, a, b, lo, hi, names))


def _build(obs: Observations) -> Lattice:
    parts, held_out = _Parts(), []
    for series in range(len(obs.series_names)):
        members = np.flatnonzero(obs.series == series)
        if len(members):
            _chain_feasible(obs, members)
            held_out += _admit(obs, members, series, parts)
    return Lattice(
        tuple(parts.cells), np.array(parts.known, np.int64), np.array(parts.counts), tuple(parts.blocks),
        tuple(sorted(held_out)),
    )  # fmt: skip


def _admit(obs: Observations, members: Ints, series: int, parts: _Parts) -> list[int]:
    """Add the series with as many reports as can be summed; return the others.

    One report is held out where that suffices, the longest such, else the longest one after the other.
    """
    admitted, dropped = list(members), []
    while True:
        mine = _summed(obs, admitted, series)
        if isinstance(mine, _Parts):
            break
        loose = sorted(mine, key=lambda i: (obs.stop[i] - obs.start[i], obs.high[i] - obs.low[i], i), reverse=True)
        enough = (i for i in loose if isinstance(_summed(obs, [j for j in admitted if j != i], series), _Parts))
        worst = next(enough, loose[0])
        admitted.remove(worst)
        dropped.append(worst)
    for report in sorted(dropped[:-1], key=lambda i: (obs.stop[i] - obs.start[i], i)):
        again = _summed(obs, [*admitted, report], series)
        if isinstance(again, _Parts):
            mine = again
            admitted.append(report)
            dropped.remove(report)
    base = len(parts.cells)
    parts.cells += mine.cells
    parts.known += [c + base for c in mine.known]
    parts.counts += mine.counts
    parts.blocks += [replace(block, cells=block.cells + base) for block in mine.blocks]
    return dropped


def _summed(obs: Observations, reports: list[int], series: int) -> _Parts | list[int]:
    """The parts of a series of `reports`, or those of them that keep its free clusters from being a forest."""
    try:
        return _series(obs, np.array(sorted(reports), np.int64), series)
    except _LoopError as loop:
        return loop.reports


def _chain_feasible(obs: Observations, members: Ints) -> None:
    days, place = np.unique(np.concatenate([obs.start[members], obs.stop[members]]), return_inverse=True)
    a, b = place[: len(members)], place[len(members) :]
    tail, head, length, why = edges(a, b, obs.low[members], obs.high[members], len(days) - 1)
    if graph.shortest(len(days), tail, head, length) is None:
        raise ContradictionError([int(members[i]) for i in graph.negative_cycle(len(days), tail, head, length, why)])


def _series(obs: Observations, members: Ints, series: int) -> _Parts:
    days, place = np.unique(np.concatenate([obs.start[members], obs.stop[members]]), return_inverse=True)
    a, b = place[: len(members)], place[len(members) :]
    pieces = np.arange(len(days) - 1)
    cover = (a[:, None] <= pieces) & (pieces < b[:, None])
    seen, first, group = np.unique(cover, axis=1, return_index=True, return_inverse=True)
    covered = np.asarray(seen.any(axis=0))
    heads = np.zeros(len(pieces), bool)
    heads[first[covered]] = True
    # contracting every piece but the first of its kind leaves a chain whose cells are the kinds, in order of time
    node = np.concatenate([[0], np.cumsum(heads)])
    kinds = group[heads]
    spans: list[list[tuple[int, int]]] = [[] for _ in kinds]
    position = {int(kind): i for i, kind in enumerate(kinds)}
    for piece in pieces:
        if covered[group[piece]]:
            own, (start, stop) = spans[position[int(group[piece])]], days[piece : piece + 2].tolist()
            if own and own[-1][1] == start:
                start, _ = own.pop()
            own.append((start, stop))
    cells = [CountCell(series, tuple(s)) for s in spans]
    return _blocks(cells, node[a], node[b], obs.low[members], obs.high[members], members)


def _blocks(cells: list[CountCell], a: Ints, b: Ints, low: Floats, high: Floats, members: Ints) -> _Parts:
    parts = _Parts(cells=cells)
    nodes = len(cells) + 1
    cluster, level = _clusters(nodes, a, b, low, high)
    ties: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    for c in range(len(cells)):
        u, v, step = cluster[c], cluster[c + 1], level[c + 1] - level[c]
        if u == v:
            parts.known.append(c)
            parts.counts.append(step)
        elif u < v:
            ties.setdefault((u, v), []).append((c, 1, step))
        else:
            ties.setdefault((v, u), []).append((c, -1, step))
    limits: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
    for i in np.flatnonzero(low < high):
        u, v, step = cluster[a[i]], cluster[b[i]], level[b[i]] - level[a[i]]
        if u < v:
            limits.setdefault((u, v), []).append((low[i] - step, high[i] - step, int(i)))
        elif v < u:
            limits.setdefault((v, u), []).append((step - high[i], step - low[i], int(i)))
    for component in graph.biconnected(sorted({*ties, *limits})):
        _block(component, ties, limits, parts, a, b, low, high, cluster, members)
    return parts


def _clusters(nodes: int, a: Ints, b: Ints, low: Floats, high: Floats) -> tuple[list[int], list[float]]:
    """Cluster of each node and its level there: exact reports fix differences of level (feasibility is known)."""
    near: list[list[tuple[int, float]]] = [[] for _ in range(nodes)]
    for i in np.flatnonzero(low == high):
        near[a[i]].append((int(b[i]), low[i]))
        near[b[i]].append((int(a[i]), -low[i]))
    cluster, level = [-1] * nodes, [0.0] * nodes
    for root in range(nodes):
        if cluster[root] < 0:
            cluster[root], stack = root, [root]
            while stack:
                u = stack.pop()
                for v, step in near[u]:
                    if cluster[v] < 0:
                        cluster[v], level[v] = root, level[u] + step
                        stack.append(v)
    return cluster, level


def _block(
    component: list[tuple[int, int]],
    ties: dict[tuple[int, int], list[tuple[int, int, float]]],
    limits: dict[tuple[int, int], list[tuple[float, float, int]]],
    parts: _Parts,
    a: Ints, b: Ints, low: Floats, high: Floats, cluster: list[int], members: Ints,
) -> None:  # fmt: skip
    if len(component) == 1 and component[0] not in limits and len(ties[component[0]]) == 1:
        return  # a count that nothing bounds: its probabilities sum to one
    vertices = sorted({v for pair in component for v in pair})
    degree = Counter(v for pair in component for v in pair)
    for reference in sorted(vertices, key=lambda v: -degree[v]):
        rest = [v for v in vertices if v != reference]
        tree = graph.tree(rest, [pair for pair in component if reference not in pair])
        if tree is not None:
            break
    else:
        inside = [int(members[i]) for pair in component for *_, i in limits.get(pair, [])]
        exact = np.flatnonzero(low == high)
        inside = inside or [int(members[i]) for i in exact if cluster[a[i]] in vertices]
        raise _LoopError(inside)
    order, parent = tree
    number = {v: i for i, v in enumerate(rest)}
    cells = np.array(sorted(c for pair in component for c, *_ in ties.get(pair, [])), np.int64)
    place = {int(c): i for i, c in enumerate(cells)}
    unary: list[Link] = []
    edges: list[Link | None] = [None] * len(rest)
    for u, v in component:
        child, above, flip = (u, v, -1) if v == reference or parent.get(u) == v else (v, u, 1)
        own = [(place[c], sign, step) for c, sign, step in ties.get((u, v), [])]
        link = _link(number[child], number.get(above, -1), flip, own, limits.get((u, v), []))
        if above == reference:
            unary.append(link)
        else:
            edges[number[child]] = link
    reach = _ranges(len(rest), [*unary, *(k for k in edges if k is not None)])
    parts.blocks.append(Block(len(rest), tuple(unary), tuple(edges), tuple(number[v] for v in order), *reach, cells))


def _link(
    child: int, parent: int, flip: int, ties: list[tuple[int, int, float]], limits: list[tuple[float, float, int]]
) -> Link:
    """The link of a pair u < v, where `flip` is 1 if v is the child (d = x[v] − x[u]) and −1 if u is."""
    bounds = [(lo, hi) if flip > 0 else (-hi, -lo) for lo, hi, _ in limits]
    sign = np.array([flip * s for _, s, _ in ties], np.int64)
    offset = np.array([o for *_, o in ties])
    low = max([-np.inf, *(lo for lo, _ in bounds), *(-o for s, o in zip(sign, offset, strict=True) if s > 0)])
    high = min([np.inf, *(hi for _, hi in bounds), *(o for s, o in zip(sign, offset, strict=True) if s < 0)])
    return Link(child, parent, np.array([c for c, *_ in ties], np.int64), sign, offset, low, high, bool(limits))


def _ranges(size: int, links: list[Link]) -> tuple[Floats, Floats]:
    """The values that each free number can take, the reference being node `size` at 0."""
    edges: list[tuple[int, int, float]] = []
    for link in links:
        p = size if link.parent < 0 else link.parent
        if np.isfinite(link.high):
            edges.append((p, link.child, link.high))
        if np.isfinite(link.low):
            edges.append((link.child, p, -link.low))
    t, h = np.array([e[0] for e in edges]), np.array([e[1] for e in edges])
    w = np.array([e[2] for e in edges])
    up = graph.shortest(size + 1, t, h, w, size)
    down = graph.shortest(size + 1, h, t, w, size)
    if up is None or down is None:
        raise AssertionError("a feasible chain has feasible blocks")
    return -down[:size], up[:size]
