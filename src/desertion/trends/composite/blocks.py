"""The sum over one block: messages along its tree of free numbers, and the moments that the derivatives need.

Each free number is summed over a window that holds its mass. Where no report cuts its range off sharply the sum steps
over numbers: for probabilities whose characteristic function is negligible beyond the lattice's frequency a coarser
sum is equal to the full one (Poisson summation), so the stride is set by the characteristic function of the NB1 law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desertion.trends.composite import nb1
from desertion.trends.composite.lattice import Block, Link

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Half-width of a window: this many standard deviations, and this many times phi for the heavier right tail.
_DEVIATIONS, _TAIL = 7.0, 10.0
#: Mass allowed at the end of a window; more widens it.
_EDGE = 1e-11
#: Frequencies at which the law's characteristic function is below exp(−_ALIAS) do not count.
_ALIAS = 30.0
#: Largest table of a pair of free numbers, and of one; beyond them both step over numbers, which then costs accuracy
#: of the order of a step over the width of the law. Only counts of 10^5 with bounds thousands wide come so far.
LARGEST, LONGEST = 300_000, 10_000


class SumError(Exception):
    """A block that cannot be summed: at these means the reports are all but impossible, or the counts are too large."""


@dataclass(frozen=True)
class _Table:
    """A link's log weight over d = first, first + step, …, and the cells' score and curvature there: (cells, d)."""

    log: Floats
    score: Floats
    bend: Floats


@dataclass(frozen=True)
class _Pair:
    """The law of a child given its parent: `given` (parent, child).

    Row i of `part` is the law over columns whose child is `to[i]` and whose difference is `at[i]`: over the children
    themselves, or, where few differences are possible, over those.
    """

    table: _Table
    given: Floats
    part: Floats
    to: Ints | None
    at: Ints | None

    def expect(self, rows: Floats) -> Floats:
        """E[rows[difference] | parent]: (rows, parent)."""
        if self.at is None:
            return np.asarray(rows @ self.part.T)
        return np.array([(row[self.at] * self.part).sum(axis=1) for row in rows]).reshape(-1, len(self.part))

    def chance(self, above: Floats) -> Floats:
        """Probability of each difference, given that of each parent."""
        if self.at is None:
            return np.asarray(above @ self.part)
        joint = above[:, None] * self.part
        return np.asarray(np.bincount(self.at.ravel(), joint.ravel(), minlength=len(self.table.log)), np.float64)

    def side(self, rows: Floats, above: Floats) -> Floats:
        """Sum over parents of their probability times `rows[difference]` at each child: (rows, child)."""
        joint = above[:, None] * self.part
        if self.at is not None:
            return np.array([(row[self.at] * joint).sum(axis=0) for row in rows]).reshape(-1, joint.shape[1])
        children = self.given.shape[1]
        to = np.empty(0, np.int64) if self.to is None else self.to.ravel()
        sums = [np.bincount(to, (joint * row).ravel(), minlength=children + 1)[:children] for row in rows]
        return np.array(sums, np.float64).reshape(-1, children)


@dataclass(frozen=True)
class Messages:
    """The law of the free numbers given the reports.

    `grid[v]` are the values summed over, `marginal[v]` their probabilities, `unary[v]` the cells that v alone counts,
    `pairs[v]` the law of v given its parent.
    """

    block: Block
    loglik: float
    grid: list[Floats]
    marginal: list[Floats]
    unary: list[_Table | None]
    pairs: list[_Pair | None]


def _strides(block: Block, m: Floats, delta: float, centre: Floats, covariance: Floats, own: Floats) -> Ints:
    """How far apart the values of each free number may lie, given its law in the normal limit.

    `own` (size) are the standard deviations given the others. A number is summed finely where a bound cuts its mass.
    """
    if delta == 0.0:
        q = _ALIAS / m
    else:
        with np.errstate(over="ignore"):
            q = np.expm1(2 * _ALIAS * delta / m) / (2 * delta * (1 + delta))
    smooth = np.where(q < 2, 2 * np.pi / np.arccos(1 - np.minimum(q, 2.0)), 1.0)
    slope, _ = block.linear
    limit = np.where(slope != 0, smooth[:, None], np.inf).min(axis=0)
    # powers of two, so that the differences of two numbers lie on the finer one's lattice
    stride = 2 ** np.floor(np.log2(np.clip(np.minimum(limit, own / 2), 1.0, 2.0**40))).astype(np.int64)
    along, low, high, finest = block.bounds
    if len(finest):
        middle = along @ centre
        half = _DEVIATIONS * np.sqrt(((along @ covariance) * along).sum(axis=1)) + _TAIL * (1 + delta)
        stride[finest[(middle - half < low) | (middle + half > high)]] = 1
    return np.asarray(stride)


def _gaussian(block: Block, m: Floats, phi: float) -> tuple[Floats, Floats, Floats]:
    """Mean, covariance and conditional standard deviation of the free numbers in the normal limit.

    A bounded difference counts as an observation of its middle with the variance of a uniform law.
    """
    slope, offset = block.linear
    weight = 1 / (phi * m)
    precision = (slope.T * weight) @ slope
    target = slope.T @ (weight * (m - offset))
    along, low, high, _ = block.bounds
    closed = np.isfinite(low) & np.isfinite(high)
    if closed.any():
        box, a, b = along[closed], low[closed], high[closed]
        strength = 12 / (b - a + 1) ** 2
        precision = precision + (box.T * strength) @ box
        target = target + box.T @ (strength * (a + b) / 2)
    covariance = np.linalg.inv(precision)
    return covariance @ target, np.asarray(covariance), 1 / np.sqrt(np.diag(precision))


def send(block: Block, m: Floats, delta: float) -> Messages:
    """Sum the block at cell means `m` (of its cells). Raises SumError where the reports are all but impossible."""
    centre, covariance, own = _gaussian(block, m, 1 + delta)
    half = _DEVIATIONS * np.sqrt(np.diag(covariance)) + _TAIL * (1 + delta)
    stride = _strides(block, m, delta, centre, covariance, own)
    for _ in range(12):
        low = np.maximum(block.low, np.floor(centre - half))
        high = np.minimum(block.high, np.ceil(centre + half))
        below, above = low > high, centre > block.high
        low = np.where(below & above, np.maximum(block.low, block.high - np.ceil(2 * half)), low)
        high = np.where(below & ~above, np.minimum(block.high, block.low + np.ceil(2 * half)), high)
        stride = _coarser(block, low, high, stride)
        # the points stay where they are as the means move, so that a coarse sum is smooth in them
        anchor = np.where(np.isfinite(block.low), block.low, 0.0)
        low = np.maximum(anchor + np.floor((low - anchor) / stride) * stride, block.low)
        grid = [np.arange(a, b + 1, s) for a, b, s in zip(low, high, stride, strict=True)]
        found = _pass(block, grid, stride, m, delta)
        if found is not None:
            open_low = np.array([p[0] for p in found.marginal]) > _EDGE
            open_high = np.array([p[-1] for p in found.marginal]) > _EDGE
            wider = (open_low & (low > block.low)) | (open_high & (high + stride <= block.high))
            if not wider.any():
                return found
            peak = np.array([g[np.argmax(p)] for g, p in zip(found.grid, found.marginal, strict=True)])
            centre = np.where(wider, peak, centre)
            stride = np.where(wider, 1, stride)  # the normal limit was wrong here, so its stride is not trusted
        half = 2 * half
    raise SumError("no window holds the mass of a block")


def _coarser(block: Block, low: Floats, high: Floats, stride: Ints) -> Ints:
    """Strides doubled until every table fits. Raises SumError where that would step over a narrow bound."""
    given = stride
    while True:
        size = (high - low) // stride + 1
        ends = set(np.flatnonzero(size > LONGEST).tolist())
        for edge in block.edges:
            if edge is not None and size[edge.child] * size[edge.parent] > LARGEST:
                ends.add(max(edge.child, edge.parent, key=lambda v: float(size[v])))
        if not ends:
            break
        stride = np.where([v in ends for v in range(block.size)], 2 * stride, stride)
    _, least, most, finest = block.bounds
    if ((stride > given)[finest] & (16 * stride[finest] > most - least)).any():
        raise SumError("counts so large, bounded so narrowly and overlapping, make too large a sum")
    return stride


def _pass(block: Block, grid: list[Floats], stride: Ints, m: Floats, delta: float) -> Messages | None:
    size = block.size
    spans = []
    for link in block.links:
        v, p = link.child, link.parent
        if p < 0:
            spans.append((int(grid[v][0]), int(grid[v][-1]), int(stride[v])))
            continue
        step = int(min(stride[v], stride[p]))
        first, last = int(grid[v][0] - grid[p][-1]), int(min(link.high, grid[v][-1] - grid[p][0]))
        if link.low > first:
            first += -int((first - link.low) // step) * step
        if first > last:
            return None
        spans.append((first, last, step))
    unary: list[_Table | None] = [None] * size
    edges: list[_Table | None] = [None] * size
    for link, table in zip(block.links, _tables(block.links, spans, m, delta), strict=True):
        (unary if link.parent < 0 else edges)[link.child] = table
    belief = [np.zeros(len(g)) if t is None else t.log.copy() for g, t in zip(grid, unary, strict=True)]
    pairs: list[_Pair | None] = [None] * size
    span_of = {k.child: s for k, s in zip(block.links, spans, strict=True) if k.parent >= 0}
    for v in reversed(block.order):
        edge, table_ = block.edges[v], edges[v]
        if edge is None or table_ is None:
            continue
        p = edge.parent
        pairs[v], message = _pair(table_, grid[p], grid[v], belief[v], span_of[v], int(stride[v]))
        belief[p] += message
    root = block.order[0]
    top_root = belief[root].max()
    if not np.isfinite(top_root):
        return None
    weight = np.exp(belief[root] - top_root)
    marginal = [weight / weight.sum()] * size
    for v in block.order[1:]:
        marginal[v] = marginal[block.edges[v].parent] @ pairs[v].given  # type: ignore[union-attr]
    loglik = float(top_root + np.log(weight.sum()) + np.log(stride).sum())
    return Messages(block, loglik, grid, marginal, unary, pairs)


def _pair(
    table: _Table, above: Floats, below: Floats, belief: Floats, span: tuple[int, int, int], stride: int
) -> tuple[_Pair, Floats]:
    """The law of a child on the grid `below` (steps of `stride`) given its parent on `above`; its message.

    `span` holds the first and last difference of `table` and its step.
    """
    first, _, step = span
    differences = len(table.log) - 1
    narrow = stride == step and 2 * differences < len(below)
    to = at = None
    if narrow:
        place = ((above - below[0] + first) // step).astype(np.int64)[:, None] + np.arange(differences)
        # a child out of range reads the impossible entry at the end
        to = np.minimum(place.view(np.uint64), np.uint64(len(below))).view(np.int64)
        joint = np.append(belief, -np.inf)[to]
        joint += table.log[:-1]
    else:
        place = (((below - first)[None, :] - above[:, None]) // step).astype(np.int64)
        at = np.minimum(place.view(np.uint64), np.uint64(differences)).view(np.int64)
        joint = table.log[at]
        joint += belief
    top = joint.max(axis=1)
    nowhere = np.isneginf(top)
    joint -= np.where(nowhere, 0.0, top)[:, None]
    np.exp(joint, out=joint)
    total = joint.sum(axis=1)
    total[nowhere] = 1.0
    joint /= total[:, None]
    given = joint
    if to is not None:
        given = np.zeros((len(above), len(below) + 1))
        np.put_along_axis(given, to, joint, axis=1)
        given = given[:, :-1]
        table = _Table(table.log[:-1], table.score[:, :-1], table.bend[:, :-1])
    return _Pair(table, given, joint, to, at), np.where(nowhere, -np.inf, top + np.log(total))


def _tables(links: tuple[Link, ...], spans: list[tuple[int, int, int]], m: Floats, delta: float) -> list[_Table]:
    """The weights of each link over differences from first to last by step: `spans` holds these three.

    An edge's has one impossible entry more at its end.
    """
    found = []
    lows = [
        link.offset + np.where(link.sign > 0, first, -(first + (last - first) // step * step))
        for link, (first, last, step) in zip(links, spans, strict=True)
    ]
    starts = nb1.evaluate(np.concatenate(lows), m[np.concatenate([link.cells for link in links])], delta)
    at = 0
    for link, low, (first, last, step) in zip(links, lows, spans, strict=True):
        k, extra = len(low), int(link.parent >= 0)
        width = (last - first) // step + 1
        own = (starts[0][at : at + k], starts[1][at : at + k], starts[2][at : at + k])
        at += k
        log = np.zeros(width + extra)
        score, bend = np.zeros((k, width + extra)), np.zeros((k, width + extra))
        if extra:
            log[-1] = -np.inf
        if k:
            columns = nb1.tables(own, low, width, step, m[link.cells], delta)
            for j, sign in enumerate(link.sign):
                way = slice(None, None, 1 if sign > 0 else -1)
                log[:width] += columns[0][j, way]
                score[j, :width], bend[j, :width] = columns[1][j, way], columns[2][j, way]
        found.append(_Table(log, score, bend))
    return found


def moments(found: Messages) -> tuple[Floats, Floats, Floats]:
    """E[s] and E[h] of each cell, and Cov[s], given the reports: shapes (cells,), (cells,), (cells, cells).

    s and h are the first and second derivative of a cell's log probability by its mean. The covariance comes from the
    law of total covariance, from the leaves to the root.
    """
    block = found.block
    count = len(block.cells)
    mean, bend, covariance = np.zeros(count), np.zeros(count), np.zeros((count, count))
    rows: list[list[int]] = [[] for _ in range(block.size)]
    value: list[list[Floats]] = [[] for _ in range(block.size)]
    for link in block.unary:
        table = found.unary[link.child]
        if table is not None:
            rows[link.child] += link.cells.tolist()
            value[link.child] += list(table.score)
            bend[link.cells] = table.bend @ found.marginal[link.child]
    for v in reversed(block.order):
        edge, pair = block.edges[v], found.pairs[v]
        below = np.array(value[v]).reshape(len(rows[v]), len(found.grid[v]))
        own = np.array(rows[v], np.int64)
        if edge is None or pair is None:
            p = found.marginal[v]
            mean[own] = below @ p
            covariance[np.ix_(own, own)] += (below * p) @ below.T - np.outer(mean[own], mean[own])
            continue
        above, score = found.marginal[edge.parent], pair.table.score
        chance = pair.chance(above)
        bend[edge.cells] = pair.table.bend @ chance
        lifted = np.concatenate([below @ pair.given.T, pair.expect(score)])
        both = np.concatenate([own, edge.cells])
        k = len(own)
        inner = np.empty((len(both), len(both)))
        inner[:k, :k] = (below * found.marginal[v]) @ below.T
        inner[k:, k:] = (score * chance) @ score.T
        inner[:k, k:] = below @ pair.side(score, above).T
        inner[k:, :k] = inner[:k, k:].T
        covariance[np.ix_(both, both)] += inner - (lifted * above) @ lifted.T
        rows[edge.parent] += both.tolist()
        value[edge.parent] += list(lifted)
    return mean, bend, covariance


def draw(found: Messages, size: int, rng: np.random.Generator) -> Floats:
    """Counts of the block's cells given the reports: shape (size, cells). Steps over numbers as the sum does."""
    block = found.block
    x = np.zeros((size, block.size))
    at = np.zeros((size, block.size), np.int64)
    for v in block.order:
        edge, pair = block.edges[v], found.pairs[v]
        uniform = rng.random(size)
        if edge is None or pair is None:
            at[:, v] = np.searchsorted(np.cumsum(found.marginal[v]), uniform * (1 - 1e-12))
        else:
            steps = np.cumsum(pair.given, axis=1)[at[:, edge.parent]]
            at[:, v] = (steps < (uniform * steps[:, -1])[:, None]).sum(axis=1)
        at[:, v] = np.minimum(at[:, v], len(found.grid[v]) - 1)
        x[:, v] = found.grid[v][at[:, v]]
    slope, offset = block.linear
    return x @ slope.T + offset
