"""The exact log likelihood of coarsened counts and its derivatives by the cell means.

L(m, phi) is the sum over every table of counts that the reports allow (Heitjan & Rubin, 1991). With s and h the first
and second derivative of one cell's log probability, the gradient is E[s | reports] and the Hessian
diag E[h | reports] + Cov[s | reports] (Louis, 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desertion.trends.arrays import Flags, Floats, Ints
from desertion.trends.composite import blocks, nb1
from desertion.trends.composite.lattice import Lattice


@dataclass(frozen=True)
class Value:
    """Log likelihood, its gradient and Hessian by the cell means: `bend` on the diagonal plus blocks of covariance."""

    loglik: float
    score: Floats
    bend: Floats
    covariances: tuple[tuple[Ints, Floats], ...]

    def by_log_mean(self, m: Floats, rows: Floats) -> Floats:
        """The Hessian by the logarithms of the cell means `m` times `rows` (cells, k)."""
        scaled = m[:, None] * rows
        total = (self.bend * m + self.score)[:, None] * scaled
        for cells, covariance in self.covariances:
            total[cells] += m[cells][:, None] * (covariance @ scaled[cells])
        return np.asarray(total)

    def curvature(self, jacobian: Floats) -> Floats:
        """`jacobian.T @ hessian @ jacobian` without the full Hessian; jacobian of shape (cells, parameters)."""
        total = (jacobian.T * self.bend) @ jacobian
        for cells, covariance in self.covariances:
            part = jacobian[cells]
            total += part.T @ (covariance @ part)
        return np.asarray(total)


def evaluate(lattice: Lattice, m: Floats, delta: float) -> Value:
    """The likelihood at cell means `m` (all above 0) and dispersion phi = 1 + `delta`.

    Raises SumError if these means make the reports all but impossible.
    """
    score, bend = np.zeros(len(m)), np.zeros(len(m))
    log_p, score[lattice.known], bend[lattice.known] = nb1.evaluate(lattice.counts, m[lattice.known], delta)
    loglik = float(log_p.sum())
    covariances = []
    for block in lattice.blocks:
        messages = blocks.send(block, m[block.cells], delta)
        loglik += messages.loglik
        score[block.cells], bend[block.cells], covariance = blocks.moments(messages)
        covariances.append((block.cells, covariance))
    return Value(loglik, score, bend, tuple(covariances))


def sample(
    lattice: Lattice, m: Floats, delta: float, size: int, rng: np.random.Generator, wanted: Flags | None = None
) -> Floats:
    """Draws of the counts of all cells given the reports: shape (size, cells).

    NaN are those of blocks without a cell that is `wanted` (cells); the draws of the others are the same without them.
    """
    counts = np.empty((size, len(m)))
    counts[:, lattice.known] = lattice.counts
    for block in lattice.blocks:
        if wanted is None or wanted[block.cells].any():
            counts[:, block.cells] = blocks.draw(blocks.send(block, m[block.cells], delta), size, rng)
        else:
            counts[:, block.cells] = np.nan
            rng.random((block.size, size))  # as many as `blocks.draw` takes
    # cells that no report in the likelihood bounds keep their own law
    loose = np.ones(len(m), bool)
    loose[lattice.known] = False
    for block in lattice.blocks:
        loose[block.cells] = False
    if loose.any():
        counts[:, loose] = nb1.sample(np.broadcast_to(m[loose], (size, int(loose.sum()))), delta, rng)
    return counts
