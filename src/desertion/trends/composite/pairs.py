"""The law of a free number given its parent in the tree of a block, and the sums over it for messages and moments.

The chance of child j after parent i is weight[j − i] * belief[j], up to a factor of i. Where both lie on one lattice
every such sum is a correlation with `weight` or `belief`, and the matrix is never made: the 600 fits of notebook 05
take 7 s instead of 17, measured. Elsewhere `Matrix` holds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desertion.trends.arrays import Floats, Ints
from desertion.trends.composite.windows import Span

#: Smallest sum, relative to the largest product, that is accurate: products lost below 1e-308 do not matter in it.
_LEAST = 1e-250
#: Points of the lattice for each parent, and for each difference, beyond which the matrix is smaller.
_SPARSE, _FINEST = 24, 8


@dataclass(frozen=True)
class LinkTable:
    """A link's log weight over d = first, first + step, …, and the cells' score and curvature there: (cells, d)."""

    log: Floats
    score: Floats
    bend: Floats

    def at(self, places: Ints) -> LinkTable:
        """The entries at `places`."""
        return LinkTable(self.log[places], self.score[:, places], self.bend[:, places])

    def finer(self, times: int) -> LinkTable:
        """The table over a lattice that is so many times as fine; what lies between its differences is impossible."""
        width = (len(self.log) - 1) * times + 1
        log, score, bend = np.full(width, -np.inf), *(np.zeros((len(each), width)) for each in (self.score, self.bend))
        log[::times], score[:, ::times], bend[:, ::times] = self.log, self.score, self.bend
        return LinkTable(log, score, bend)


@dataclass(frozen=True)
class Matrix:
    """The law as `given` (parent, child).

    Row i of `part` is the law over columns whose child is `to[i]` and whose difference is `at[i]`: over the children
    themselves, or, where few differences are possible, over those.
    """

    table: LinkTable
    given: Floats
    part: Floats
    to: Ints | None
    at: Ints | None

    def down(self, above: Floats) -> Floats:
        """Probability of each child, given that of each parent."""
        return np.asarray(above @ self.given)

    def lift(self, rows: Floats) -> Floats:
        """E[rows[child] | parent]: (rows, parent)."""
        return np.asarray(rows @ self.given.T)

    def laws(self, parents: Ints) -> Floats:
        """The law of the child given each of `parents`: (parents, child)."""
        return np.asarray(self.given[parents])

    def expect(self, rows: Floats) -> Floats:
        """E[rows[difference] | parent]: (rows, parent)."""
        if self.at is None:
            return np.asarray(rows @ self.part.T)
        sums = np.array([(row[self.at] * self.part).sum(axis=1) for row in rows])
        return sums.reshape(-1, len(self.part))

    def chance(self, above: Floats) -> Floats:
        """Probability of each difference, given that of each parent."""
        if self.at is None:
            return np.asarray(above @ self.part)
        joint = above[:, None] * self.part
        return np.bincount(self.at.ravel(), joint.ravel(), minlength=len(self.table.log)).astype(np.float64)

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
class Sliding:
    """The law as correlations on the points that some parent and some difference lead to.

    `weight` over the differences, `belief` over the points (0 where no child is), `share` = 1 / sum of each parent,
    `above` the points of parents, from 0. Of `count` children some parent leads to those `inside`, at points `below`.
    """

    table: LinkTable
    weight: Floats
    belief: Floats
    share: Floats
    above: Ints
    count: int
    inside: slice
    below: Ints

    def _children(self, points: Floats) -> Floats:
        """Values at the points as values of the children; 0 where no parent leads to one."""
        values = np.zeros(self.count)
        values[self.inside] = points[self.below]
        return values

    def _spread(self, above: Floats) -> Floats:
        """Probabilities of the parents over their sums, at their points."""
        points = np.zeros(int(self.above[-1]) + 1)
        points[self.above] = above * self.share
        return points

    def _sums(self, weight: Floats, belief: Floats) -> Floats:
        return np.asarray(np.correlate(belief, weight, "valid")[self.above])

    def down(self, above: Floats) -> Floats:
        """Probability of each child, given that of each parent."""
        return self._children(self.belief * np.convolve(self._spread(above), self.weight))

    def lift(self, rows: Floats) -> Floats:
        """E[rows[child] | parent]: (rows, parent)."""
        lifted, points = np.empty((len(rows), len(self.above))), np.zeros(len(self.belief))
        for row, sums in zip(rows[:, self.inside] * self.belief[self.below], lifted, strict=True):
            points[self.below] = row
            sums[:] = self.share * self._sums(self.weight, points)
        return lifted

    def laws(self, parents: Ints) -> Floats:
        """The law of the child given each of `parents`: (parents, child)."""
        difference = self.below - self.above[parents][:, None]
        weight = np.append(self.weight, 0.0)
        chance = np.zeros((len(parents), self.count))
        chance[:, self.inside] = weight[np.minimum(difference.view(np.uint64), len(self.weight)).view(np.int64)]
        return np.asarray(chance * self._children(self.belief) * self.share[parents][:, None])

    def expect(self, rows: Floats) -> Floats:
        """E[rows[difference] | parent]: (rows, parent)."""
        sums = [self.share * self._sums(self.weight * row, self.belief) for row in rows]
        return np.array(sums, np.float64).reshape(-1, len(self.above))

    def chance(self, above: Floats) -> Floats:
        """Probability of each difference, given that of each parent."""
        return np.asarray(self.weight * np.correlate(self.belief, self._spread(above), "valid"))

    def side(self, rows: Floats, above: Floats) -> Floats:
        """Sum over parents of their probability times `rows[difference]` at each child: (rows, child)."""
        spread = self._spread(above)
        sums = [self._children(self.belief * np.convolve(spread, self.weight * row)) for row in rows]
        return np.array(sums, np.float64).reshape(-1, self.count)


Pair = Matrix | Sliding


def pair(
    table: LinkTable, span: Span, above: Floats, below: Floats, belief: Floats, few: bool, grain: int
) -> tuple[Pair, Floats]:
    """The law of a child on the grid `below` given its parent on `above`, and its message.

    `table` holds the differences in `span` and one impossible entry more. `few`: each of them leads from any value of
    the parent to one of the child, which lies on a lattice of step `grain`, or out of its grid.
    """
    return _sliding(table, span, above, below, belief, few) or _matrix(table, span, above, below, belief, few, grain)


def _sliding(
    table: LinkTable, span: Span, above: Floats, below: Floats, belief: Floats, few: bool
) -> tuple[Sliding, Floats] | None:
    """The law as correlations on the lattice of the differences, or a finer one on which all values lie.

    None where that is much finer, a parent's values lie too far apart, or a sum is so small that doubles lose accuracy.
    """
    table, step = LinkTable(table.log[:-1], table.score[:, :-1], table.bend[:, :-1]), span.step
    ahead, beyond = (above - above[0]).astype(np.int64), (below - (above[0] + span.first)).astype(np.int64)
    if (ahead % step).any() or (beyond % step).any():
        step = int(np.gcd(np.gcd.reduce(ahead), np.gcd.reduce(beyond, initial=step)))
        if not few or span.step > _FINEST * step:
            return None
        table = table.finer(span.step // step)
    log, parents, children = table.log, ahead // step, beyond // step
    points = int(parents[-1]) + len(log)
    if parents[-1] > _SPARSE * len(parents):
        return None
    highest, peak = log.max(), belief.max()
    if peak == -np.inf:
        return None
    inside = slice(*np.searchsorted(children, [0, points]).tolist())
    children = children[inside]
    chance = np.zeros(points)
    chance[children] = np.exp(belief[inside] - peak)
    weight = np.exp(log - highest)
    total = np.correlate(chance, weight, "valid")[parents]
    if total.min() < _LEAST:
        there = np.zeros(points)
        there[children] = belief[inside] > -np.inf
        if (total[np.correlate(there, (log > -np.inf) * 1.0, "valid")[parents] > 0.5] < _LEAST).any():
            return None
    with np.errstate(divide="ignore"):
        message = np.log(total) + highest + peak
    share = 1 / np.where(total > 0, total, 1.0)
    return Sliding(table, weight, chance, share, parents, len(below), inside, children), message


def _matrix(
    table: LinkTable, span: Span, above: Floats, below: Floats, belief: Floats, few: bool, grain: int
) -> tuple[Pair, Floats]:
    differences = len(table.log) - 1
    to = at = None
    if few and 2 * differences < len(below):
        # where each value from the child's first to its last stands in its grid; the end stands for none
        rank = np.full(int(below[-1] - below[0]) // grain + 2, len(below))
        rank[((below - below[0]) // grain).astype(np.int64)] = np.arange(len(below))
        first = ((above - below[0] + span.first) // grain).astype(np.int64)
        place = first[:, None] + span.step // grain * np.arange(differences)
        to = rank[np.minimum(place.view(np.uint64), np.uint64(len(rank) - 1)).view(np.int64)]
        joint = np.append(belief, -np.inf)[to]
        joint += table.log[:-1]
    else:
        gap = below[None, :] - above[:, None] - span.first
        at = (gap // span.step).astype(np.int64)
        at = np.minimum(at.view(np.uint64), np.uint64(differences)).view(np.int64)
        if few and span.step > 1:
            at[gap % span.step != 0] = differences
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
        table = LinkTable(table.log[:-1], table.score[:, :-1], table.bend[:, :-1])
    return Matrix(table, given, joint, to, at), np.where(nowhere, -np.inf, top + np.log(total))
