"""The sum over one block: messages along its tree of free numbers, and moments for the derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desertion.errors import SumError
from desertion.trends.arrays import Floats
from desertion.trends.composite import nb1, windows
from desertion.trends.composite.lattice import Block, Link
from desertion.trends.composite.pairs import LinkTable, Pair, pair
from desertion.trends.composite.windows import Span

#: Largest mass at the end of a window; more widens the window.
_EDGE = 1e-11
#: Longest run of neighbouring counts whose probabilities are tabled.
_LONGEST = 400_000


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
    unary: list[LinkTable | None]
    pairs: list[Pair | None]


def send(block: Block, m: Floats, delta: float) -> Messages:
    """Sum the block at the means `m` of its cells. Raises SumError if they make the reports all but impossible."""
    centre, covariance = windows.gaussian(block, m, 1 + delta)
    half = windows.DEVIATIONS * np.sqrt(np.diag(covariance)) + windows.TAIL * (1 + delta)
    plan = windows.steps(block, m, delta, centre, covariance)
    for _ in range(12):
        low = np.maximum(block.low, np.floor(centre - half))
        high = np.minimum(block.high, np.ceil(centre + half))
        below, above = low > high, centre > block.high
        low = np.where(below & above, np.maximum(block.low, block.high - np.ceil(2 * half)), low)
        high = np.where(below & ~above, np.minimum(block.high, block.low + np.ceil(2 * half)), high)
        grid = windows.lay(block, low, high, plan)
        messages = _pass(block, grid, m, delta)
        if messages is not None:
            first, last = np.array([(g[0], g[-1]) for g in grid.values]).T
            open_low = np.array([p[0] for p in messages.marginal]) > _EDGE
            open_high = np.array([p[-1] for p in messages.marginal]) > _EDGE
            wider = open_low & (low > block.low) & (first < low + grid.steps.stride)
            wider |= open_high & (high < block.high) & (last > high - grid.steps.stride)
            if not wider.any():
                return messages
            peak = np.array([g[np.argmax(p)] for g, p in zip(messages.grid, messages.marginal, strict=True)])
            centre = np.where(wider, peak, centre)
            # the normal limit was wrong here, so every number is summed
            plan = windows.Steps(np.where(wider, 1, plan.stride), plan.follows)
        half = 2 * half
    raise SumError("no window holds the mass of a block")


def _pass(block: Block, grid: windows.SumGrid, m: Floats, delta: float) -> Messages | None:
    values, stride, grain = grid.values, grid.steps.stride, grid.steps.grain(block)
    if not all(len(g) for g in values):
        return None
    spans = []
    for link in block.links:
        v, p = link.child, link.parent
        reach = grid.reach[v]
        if p < 0:
            span = Span(int(values[v][0]), int(values[v][-1]), int(grain[v]))
        elif reach is not None:
            span = reach
        else:
            step = int(min(grain[v], grain[p]))
            least, most = values[v][0] - values[p][-1], min(link.high, values[v][-1] - values[p][0])
            if link.low > least:
                least += np.ceil((link.low - least) / step) * step
            span = Span(int(least), int(most), step)
        if span.first > span.last:
            return None
        if span.last - span.first > _LONGEST * span.step:
            raise SumError("counts too large for a sum over them")
        spans.append(span)
    unary: list[LinkTable | None] = [None] * block.size
    edges: list[tuple[LinkTable, Span] | None] = [None] * block.size
    for link, span, table in zip(block.links, spans, _tables(block.links, spans, m, delta), strict=True):
        v = link.child
        if link.parent < 0:
            # a number that follows another may leave holes
            whole = len(values[v]) == span.width
            unary[v] = table if whole else table.at(((values[v] - span.first) // span.step).astype(np.int64))
        else:
            edges[v] = (table, span)
    belief = [np.zeros(len(g)) if t is None else t.log.copy() for g, t in zip(values, unary, strict=True)]
    pairs: list[Pair | None] = [None] * block.size
    for v in reversed(block.order):
        edge, known = block.edges[v], edges[v]
        if edge is not None and known is not None:
            few = grid.reach[v] is not None or grain[v] == known[1].step
            pairs[v], message = pair(*known, values[edge.parent], values[v], belief[v], bool(few), int(grain[v]))
            belief[edge.parent] += message
    root = block.order[0]
    top = belief[root].max()
    if not np.isfinite(top):
        return None
    weight = np.exp(belief[root] - top)
    marginal = [weight / weight.sum()] * block.size
    for v in block.order[1:]:
        marginal[v] = pairs[v].down(marginal[block.edges[v].parent])  # type: ignore[union-attr]
    loglik = float(top + np.log(weight.sum()) + np.log(stride).sum())
    return Messages(block, loglik, values, marginal, unary, pairs)


def _tables(links: tuple[Link, ...], spans: list[Span], m: Floats, delta: float) -> list[LinkTable]:
    """The weights of each link over the differences in its span; an edge has one entry of weight 0 more."""
    tables = []
    lows = [
        link.offset + np.where(link.sign > 0, span.first, -(span.first + (span.width - 1) * span.step))
        for link, span in zip(links, spans, strict=True)
    ]
    starts = nb1.evaluate(np.concatenate(lows), m[np.concatenate([link.cells for link in links])], delta)
    at = 0
    for link, low, span in zip(links, lows, spans, strict=True):
        k, extra, width = len(low), int(link.parent >= 0), span.width
        own = (starts[0][at : at + k], starts[1][at : at + k], starts[2][at : at + k])
        at += k
        log = np.zeros(width + extra)
        score, bend = np.zeros((k, width + extra)), np.zeros((k, width + extra))
        if extra:
            log[-1] = -np.inf
        if k:
            columns = nb1.tables(own, low, width, span.step, m[link.cells], delta)
            for j, sign in enumerate(link.sign):
                way = slice(None, None, 1 if sign > 0 else -1)
                log[:width] += columns[0][j, way]
                score[j, :width], bend[j, :width] = columns[1][j, way], columns[2][j, way]
        tables.append(LinkTable(log, score, bend))
    return tables


def moments(messages: Messages) -> tuple[Floats, Floats, Floats]:
    """E[s] and E[h] of each cell, and Cov[s], given the reports: shapes (cells,), (cells,), (cells, cells).

    s and h are the first and second derivative of a cell's log probability by its mean. The covariance comes from the
    law of total covariance, from the leaves to the root.
    """
    block = messages.block
    count = len(block.cells)
    mean, bend, covariance = np.zeros(count), np.zeros(count), np.zeros((count, count))
    rows: list[list[int]] = [[] for _ in range(block.size)]
    value: list[list[Floats]] = [[] for _ in range(block.size)]
    for link in block.unary:
        table = messages.unary[link.child]
        if table is not None:
            rows[link.child] += link.cells.tolist()
            value[link.child] += list(table.score)
            bend[link.cells] = table.bend @ messages.marginal[link.child]
    for v in reversed(block.order):
        edge, law = block.edges[v], messages.pairs[v]
        below = np.array(value[v]).reshape(len(rows[v]), len(messages.grid[v]))
        own = np.array(rows[v], np.int64)
        if edge is None or law is None:
            p = messages.marginal[v]
            mean[own] = below @ p
            covariance[own[:, None], own] += (below * p) @ below.T - np.outer(mean[own], mean[own])
            continue
        above, score = messages.marginal[edge.parent], law.table.score
        chance = law.chance(above)
        bend[edge.cells] = law.table.bend @ chance
        lifted = np.concatenate([law.lift(below), law.expect(score)])
        both = np.concatenate([own, edge.cells])
        k = len(own)
        inner = np.empty((len(both), len(both)))
        inner[:k, :k] = (below * messages.marginal[v]) @ below.T
        inner[k:, k:] = (score * chance) @ score.T
        inner[:k, k:] = below @ law.side(score, above).T
        inner[k:, :k] = inner[:k, k:].T
        covariance[both[:, None], both] += inner - (lifted * above) @ lifted.T
        rows[edge.parent] += both.tolist()
        value[edge.parent] += list(lifted)
    return mean, bend, covariance


def draw(messages: Messages, size: int, rng: np.random.Generator) -> Floats:
    """Counts of the block's cells given the reports: shape (size, cells). Steps over numbers as the sum does."""
    block = messages.block
    x = np.zeros((size, block.size))
    at = np.zeros((size, block.size), np.int64)
    for v in block.order:
        edge, law = block.edges[v], messages.pairs[v]
        uniform = rng.random(size)
        if edge is None or law is None:
            at[:, v] = np.searchsorted(np.cumsum(messages.marginal[v]), uniform * (1 - 1e-12))
        else:
            steps = np.cumsum(law.laws(at[:, edge.parent]), axis=1)
            at[:, v] = (steps < (uniform * steps[:, -1])[:, None]).sum(axis=1)
        at[:, v] = np.minimum(at[:, v], len(messages.grid[v]) - 1)
        x[:, v] = messages.grid[v][at[:, v]]
    slope, offset = block.linear
    return x @ slope.T + offset
