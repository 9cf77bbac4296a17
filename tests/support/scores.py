"""Scores of forecasts given as laws, which check those of samples; smaller is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from desertion.trends.arrays import Floats
from desertion.trends.laws import Law, cdf, logpmf


def log_score(law: Law, y: ArrayLike, mean: ArrayLike, dispersion: ArrayLike = 1.0) -> Floats:
    """Minus the log-probability of `y` (Good, 1952)."""
    return -logpmf(law, y, mean, dispersion)


def crps(law: Law, y: ArrayLike, mean: ArrayLike, dispersion: ArrayLike = 1.0) -> Floats:
    """Continuous ranked probability score, the sum of (F(k) − [y <= k])² over all counts k.

    In closed form for Poisson (Wei & Held, 2014); by the sum, in blocks until the tail is below 1e-12, for NB.
    """
    n, m, d = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (y, mean, dispersion)))
    if law == "poisson":
        below, at = cdf(law, n, m), np.exp(logpmf(law, n, m))
        spread = m * (special.ive(0, 2 * m) + special.ive(1, 2 * m))
        return np.asarray((n - m) * (2 * below - 1) + 2 * m * at - spread)
    return np.array([_crps_sum(law, *part) for part in zip(n.flat, m.flat, d.flat, strict=True)]).reshape(n.shape)


def _crps_sum(law: Law, y: float, mean: float, dispersion: float) -> float:
    total, start, block = 0.0, 0.0, 4096
    while True:
        k = np.arange(start, start + block)
        below = cdf(law, k, mean, dispersion)
        total += float(np.sum((below - (k >= y)) ** 2))
        start += block
        block = min(2 * block, 1 << 20)
        if start > y and (1 - below[-1]) ** 2 * block < 1e-12:
            return total
