"""Windows of summation: for each free number of a block the range that holds its mass, and the step of its values.

Where no report cuts its range off sharply the sum steps over numbers: for probabilities whose characteristic function
is negligible beyond the lattice's frequency a coarser sum is equal to the full one (Poisson summation), so the stride
is set by the characteristic function of the NB1 law. Where a report bounds the difference of two numbers, one of them
takes every value that the other's lattice and the bound leave it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from desertion.errors import SumError
from desertion.trends.arrays import Flags, Floats, Ints
from desertion.trends.composite.lattice import Block

#: Half-width of a window: this many standard deviations, and this many times phi for the heavier right tail.
DEVIATIONS, TAIL = 7.0, 10.0
#: Frequencies at which the law's characteristic function is below exp(−_ALIAS) do not count.
_ALIAS = 30.0
#: Largest table of a pair of free numbers, and of one. Beyond them (counts of 10^5, bounds of thousands) the sum steps
#: over numbers all the same, at a loss of accuracy of the order of a step over the width of the law.
LARGEST, LONGEST = 600_000, 20_000
#: Fewest values of a bound that such a step leaves.
_FEWEST = 64


@dataclass(frozen=True)
class Span:
    """The numbers first, first + step, … up to last."""

    first: int
    last: int
    step: int

    @property
    def width(self) -> int:
        """Number of them."""
        return (self.last - self.first) // self.step + 1


@dataclass(frozen=True)
class Steps:
    """Plan of a sum: `stride` (size) of each free number, and which ones take the values that their parent leaves."""

    stride: Ints
    follows: Flags

    def grain(self, block: Block) -> Ints:
        """Step of the lattice that each number's values lie on (all strides are powers of two)."""
        grain = self.stride.copy()
        for v in block.order:
            edge = block.edges[v]
            if edge is not None and self.follows[v]:
                grain[v] = min(grain[v], grain[edge.parent])
        return grain


@dataclass(frozen=True)
class SumGrid:
    """`values[v]` of each free number; `reach[v]` are its differences to a parent that it follows (else None)."""

    steps: Steps
    values: list[Floats]
    reach: list[Span | None]


def steps(block: Block, m: Floats, delta: float, centre: Floats, covariance: Floats) -> Steps:
    """Strides from the law of the free numbers in the normal limit, with this mean and covariance."""
    sharp, follows = np.zeros(block.size, bool), np.zeros(block.size, bool)
    links, along = block.bounds
    if links:
        middle = along @ centre
        half = DEVIATIONS * np.sqrt(((along @ covariance) * along).sum(axis=1)) + TAIL * (1 + delta)
        for link, low, high in zip(links, middle - half, middle + half, strict=True):
            if low < link.low or high > link.high:
                sharp[link.child] |= link.parent < 0
                follows[link.child] |= link.parent >= 0
    # a number moves with those that follow it: together they see only the cells and bounds
    # that leave the group
    slope, _ = block.linear
    moved = slope.copy()
    for v in reversed(block.order):
        edge = block.edges[v]
        if edge is not None and follows[v]:
            moved[:, edge.parent] += moved[:, v]
            sharp[edge.parent] |= sharp[v]
    seen = moved != 0
    own = 1 / np.sqrt(np.maximum((moved**2 / ((1 + delta) * m)[:, None]).sum(axis=0), 1e-300))
    if delta == 0.0:
        q = _ALIAS / m
    else:
        with np.errstate(over="ignore"):
            q = np.expm1(2 * _ALIAS * delta / m) / (2 * delta * (1 + delta))
    smooth = np.where(q < 2, 2 * np.pi / np.arccos(1 - np.minimum(q, 2.0)), 1.0)
    limit = np.minimum(np.where(seen, smooth[:, None], np.inf).min(axis=0), own / 2)
    # powers of two, so that the differences of two numbers lie on the finer one's lattice
    stride = 2 ** np.floor(np.log2(np.clip(limit, 1.0, 2.0**40))).astype(np.int64)
    stride[sharp | follows] = 1
    return Steps(stride, follows)


def gaussian(block: Block, m: Floats, phi: float) -> tuple[Floats, Floats]:
    """Mean and covariance of the free numbers in the normal limit.

    A bounded difference counts as an observation of its middle with the variance of a uniform law.
    """
    slope, offset = block.linear
    weight = 1 / (phi * m)
    precision = (slope.T * weight) @ slope
    target = slope.T @ (weight * (m - offset))
    links, along = block.bounds
    for link, row in zip(links, along, strict=True):
        if np.isfinite(link.low) and np.isfinite(link.high):
            strength = 12 / (link.high - link.low + 1) ** 2
            precision = precision + strength * np.outer(row, row)
            target = target + strength * (link.low + link.high) / 2 * row
    covariance = np.asarray(np.linalg.inv(precision))
    return covariance @ target, covariance


def lay(block: Block, low: Floats, high: Floats, plan: Steps) -> SumGrid:
    """The values of each free number from `low` to `high`, with strides doubled until every table fits."""
    most = np.maximum(2 * plan.stride, (high - low) / _FEWEST)
    while heavy := _heavy(block, low, high, plan):
        stride = plan.stride.copy()
        for ends in heavy:
            free = [u for u in (_thinned(block, v, plan) for v in ends) if 2 * plan.stride[u] <= most[u]]
            if not free:
                raise SumError("counts so large and bounded so narrowly make too large a sum")
            stride[free[0]] = 2 * plan.stride[free[0]]
        plan = replace(plan, stride=stride)
    return _values(block, low, high, plan)


def _thinned(block: Block, v: int, plan: Steps) -> int:
    """The number whose stride thins out the values of v: v itself, or the number it follows closely."""
    edge = block.edges[v]
    while edge is not None and plan.follows[v] and edge.high - edge.low < 2 * _FEWEST * plan.stride[v]:
        v = edge.parent
        edge = block.edges[v]
    return v


def _heavy(block: Block, low: Floats, high: Floats, plan: Steps) -> list[tuple[int, ...]]:
    """Free numbers, or pairs with the larger first, whose steps make a table too large."""
    size = (high - low) // plan.grain(block) + 1
    heavy: list[tuple[int, ...]] = []
    for v in block.order:
        edge = block.edges[v]
        wide = size[v]
        if edge is not None and plan.follows[v]:
            p = edge.parent
            reach = min(edge.high, high[v] - low[p]) - max(edge.low, low[v] - high[p])
            wide = max(reach // plan.stride[v] + 1, 1.0)
            size[v] = min(size[v], wide * size[p])
        if size[v] > LONGEST:
            heavy.append((v,))
        if edge is not None and wide * size[edge.parent] > LARGEST:
            heavy.append((v, edge.parent) if wide > size[edge.parent] else (edge.parent, v))
    return heavy


def _values(block: Block, low: Floats, high: Floats, plan: Steps) -> SumGrid:
    values, grain = [np.empty(0)] * block.size, plan.grain(block)
    reach: list[Span | None] = [None] * block.size
    for v in block.order:
        stride, edge = int(plan.stride[v]), block.edges[v]
        if edge is not None and plan.follows[v]:
            above = values[edge.parent]
            first = max(edge.low, low[v] - above[-1]) if len(above) else 1.0
            last = min(edge.high, high[v] - above[0]) if len(above) else 0.0
            if first > last:
                continue
            span = Span(int(first), int(last), stride)
            step = int(grain[v])
            least, begins = int(above[0]) + span.first, ((above - above[0]) // step).astype(np.int64)
            if stride == step:
                change = np.zeros(int(begins[-1]) + span.width + 1, np.int64)
                change[begins] += 1
                change[begins + span.width] -= 1
                near = np.cumsum(change) > 0
            else:
                offsets = stride // step * np.arange(span.width)
                near = np.zeros(int(begins[-1] + offsets[-1]) + 1, bool)
                near[begins[:, None] + offsets] = True
            reached = least + step * np.flatnonzero(near)
            values[v] = reached[(reached >= low[v]) & (reached <= high[v])].astype(np.float64)
            reach[v] = span
        else:
            # the points stay where they are as the means move, so that a coarse sum is smooth in them
            anchor = block.low[v] if np.isfinite(block.low[v]) else 0.0
            first = max(anchor + np.floor((low[v] - anchor) / stride) * stride, block.low[v])
            values[v] = np.arange(first, high[v] + 1, stride)
    return SumGrid(plan, values, reach)
