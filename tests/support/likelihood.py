"""The composite model's likelihood in the forms that tests and benchmarks compare."""

from __future__ import annotations

import numpy as np

from desertion.trends.arrays import Floats
from desertion.trends.composite import blocks, nb1
from desertion.trends.composite.lattice import Lattice
from desertion.trends.composite.likelihood import Value


def log_likelihood(lattice: Lattice, m: Floats, delta: float) -> float:
    """The log likelihood at cell means `m` and phi = 1 + `delta`, without its derivatives."""
    log_p = nb1.evaluate(lattice.counts, m[lattice.known], delta)[0]
    return float(log_p.sum()) + sum(blocks.send(b, m[b.cells], delta).loglik for b in lattice.blocks)


def hessian(value: Value) -> Floats:
    """The Hessian by the cell means as a full matrix: (cells, cells)."""
    matrix = np.diag(value.bend)
    for cells, covariance in value.covariances:
        matrix[np.ix_(cells, cells)] += covariance
    return matrix
