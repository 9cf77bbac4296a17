"""The laws of a count with a given mean: Poisson, NB1 (variance phi m) and NB2 (variance m + alpha m²).

`dispersion` is phi for NB1 (above 1), alpha for NB2 (above 0) and unused for Poisson. NB1 is closed under
adding periods, NB2 is not (Cameron & Trivedi, 1986). All arguments broadcast.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from desertion.trends.arrays import Floats

Law = Literal["poisson", "nb1", "nb2"]

#: Largest mean of a Poisson law that numpy can draw from; no count comes near.
LARGEST_MEAN = 1e18


def _size(law: Law, mean: Floats, dispersion: ArrayLike) -> Floats:
    """The size r of the negative binomial, whose variance is m + m²/r."""
    d = np.asarray(dispersion, dtype=np.float64)
    return mean / (d - 1) if law == "nb1" else np.broadcast_to(1 / d, np.broadcast_shapes(mean.shape, d.shape))


def variance(law: Law, mean: ArrayLike, dispersion: ArrayLike = 1.0) -> Floats:
    """Variance of a count with mean `mean`."""
    m, d = np.asarray(mean, dtype=np.float64), np.asarray(dispersion, dtype=np.float64)
    if law == "poisson":
        return m
    return m * d if law == "nb1" else m + d * m**2


def logpmf(law: Law, y: ArrayLike, mean: ArrayLike, dispersion: ArrayLike = 1.0) -> Floats:
    """Natural logarithm of the probability of the whole number `y`."""
    n, m = np.asarray(y, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    if law == "poisson":
        return np.asarray(special.xlogy(n, m) - m - special.gammaln(n + 1))
    r = _size(law, m, dispersion)
    head = special.gammaln(n + r) - special.gammaln(r) - special.gammaln(n + 1)
    return np.asarray(head - r * np.log1p(m / r) - special.xlogy(n, 1 + r / m))


def cdf(law: Law, y: ArrayLike, mean: ArrayLike, dispersion: ArrayLike = 1.0) -> Floats:
    """Probability of at most `y`; 0 below 0."""
    n, m = np.floor(np.asarray(y, dtype=np.float64)), np.asarray(mean, dtype=np.float64)
    k = np.maximum(n, 0)
    if law == "poisson":
        below = special.gammaincc(k + 1, m)
    else:
        r = _size(law, m, dispersion)
        below = special.betainc(r, k + 1, r / (r + m))
    return np.where(n < 0, 0.0, below)


def sample(law: Law, mean: ArrayLike, dispersion: ArrayLike, rng: np.random.Generator) -> Floats:
    """One count for each mean, as a gamma mixture of Poisson counts where the law is negative binomial."""
    m = np.asarray(mean, dtype=np.float64)
    if law != "poisson":
        r = _size(law, m, dispersion)
        m = rng.gamma(r, m / np.where(r > 0, r, 1))
    return rng.poisson(np.minimum(m, LARGEST_MEAN)).astype(np.float64)
