"""The posterior of all parameters: a mixture of normals, one for each node of the hyper-parameters' grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters at one node: tau (nan: no walk), delta = phi − 1, the delay's mean in periods (nan: none)."""

    tau: float
    delta: float
    delay: float


@dataclass(frozen=True)
class Posterior:
    """theta has law sum_k weight[k] N(centre[k], root[k] root[k]'); shapes (k,), (k, p), (k, p, p)."""

    hyper: tuple[Hyper, ...]
    weight: Floats
    centre: Floats
    root: Floats

    def spread(self, rows: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of `rows @ theta` at each node: two arrays (nodes, rows)."""
        mean = self.centre @ rows.T
        sd = np.array([np.sqrt(((rows @ root) ** 2).sum(axis=1)) for root in self.root])
        return mean, sd

    def moments(self, rows: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of `rows @ theta`: two arrays (rows,)."""
        mean, sd = self.spread(rows)
        centre = self.weight @ mean
        return centre, np.sqrt(self.weight @ (sd**2 + (mean - centre) ** 2))

    def quantiles(self, rows: Floats, probabilities: Floats) -> Floats:
        """Quantiles of `rows @ theta`: (probabilities, rows), by bisection of the mixture's distribution function."""
        mean, sd = self.spread(rows)
        sd = np.maximum(sd, 1e-12)
        low = np.broadcast_to((mean - 9 * sd).min(axis=0), (len(probabilities), rows.shape[0])).copy()
        high = np.broadcast_to((mean + 9 * sd).max(axis=0), low.shape).copy()
        for _ in range(60):
            middle = (low + high) / 2
            chance = np.tensordot(special.ndtr((middle[:, None, :] - mean) / sd), self.weight, axes=(1, 0))
            below = chance < probabilities[:, None]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def mean_exp(self, rows: Floats) -> Floats:
        """Mean of exp(rows @ theta): (rows,)."""
        mean, sd = self.spread(rows)
        return np.asarray(self.weight @ np.exp(mean + sd**2 / 2))

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
        """`size` draws of theta (size, p) and the node of each (size,), nodes in proportion to their weight."""
        # systematic sampling gives every node its share to within one draw
        node = np.searchsorted(np.cumsum(self.weight), (np.arange(size) + rng.random()) / size * (1 - 1e-12))
        node = np.minimum(node, len(self.weight) - 1)
        normal = rng.standard_normal((size, self.centre.shape[1]))
        theta = self.centre[node]
        for k in np.unique(node):
            theta[node == k] += normal[node == k] @ self.root[k].T
        return theta, node.astype(np.int64)

    def averaged(self, values: Floats) -> float:
        """Posterior mean of a number given at each node."""
        return float(self.weight @ values)
