"""Scores of forecasts of counts, all such that smaller is better.

Convention of the weighted interval score: Bracher et al. (2021), weight alpha/2 for each central interval and 1/2
for the median, divided by K + 1/2. It equals the mean of twice the pinball loss over all quantiles. (Software that
counts the median twice gives other numbers.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from desertion.errors import UserError
from desertion.trends.arrays import Floats

#: Levels of the central intervals that, with the median, make up the weighted interval score of a sample.
LEVELS = (0.5, 0.8, 0.95)
#: Probabilities of the quantiles at the ends of these intervals and in the middle.
TAILS = np.array(sorted({0.5, *((1 - level) / 2 for level in LEVELS), *((1 + level) / 2 for level in LEVELS)}))


def crps_sample(y: float, draws: Floats) -> float:
    """CRPS of the empirical law of `draws`: E|X − y| − E|X − X'|/2 (Gneiting & Raftery, 2007, eq. 21)."""
    x = np.sort(draws)
    n = len(x)
    spread = float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x)) / n**2
    return float(np.abs(x - y).mean()) - spread


def log_score_sample(y: float, draws: Floats) -> float:
    """Minus the log-probability of `y` under a Gaussian kernel on `draws`.

    The bandwidth is the normal reference rule of Scott (1992), as in R's scoringRules::logs_sample. Where all draws and
    `y` are whole numbers the kernel is summed over [y − 1/2, y + 1/2], else it is a density.
    """
    quarter = np.subtract(*np.quantile(draws, [0.75, 0.25])) / 1.34
    sd = float(np.std(draws, ddof=1))
    width = max(1.06 * (min(sd, quarter) or sd) * len(draws) ** -0.2, 1e-9)
    if float(y).is_integer() and not np.any(draws % 1):
        width = max(width, 0.25)
        near, far = (np.abs(y - draws) - 0.5) / width, (np.abs(y - draws) + 0.5) / width
        parts = special.log_ndtr(-near) + np.log1p(-np.exp(special.log_ndtr(-far) - special.log_ndtr(-near)))
    else:
        parts = -(((y - draws) / width) ** 2) / 2 - np.log(width * np.sqrt(2 * np.pi))
    return float(np.log(len(draws)) - special.logsumexp(parts))


def wis(y: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> Floats:
    """Weighted interval score of quantiles (… × K) at probability `levels` (K), symmetric around 1/2.

    Raises UserError where a level has no partner on the other side.
    """
    q, p = np.asarray(quantiles, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    lonely = [float(level) for level in p if not np.any(np.abs(1 - level - p) < 1e-9)]
    if lonely:
        raise UserError(f"quantile level {lonely[0]:g} has no partner {1 - lonely[0]:g}; intervals are central")
    error = np.asarray(y, dtype=np.float64)[..., None] - q
    return np.asarray((2 * np.maximum(p * error, (p - 1) * error)).mean(axis=-1))


def coverage(y: Floats, quantiles: Floats, levels: Floats) -> dict[str, float]:
    """Share of `y` (N) inside each central interval of `quantiles` (N × K), by the interval's level."""
    shares = {}
    for i, low in enumerate(levels):
        partner = np.flatnonzero(np.abs(1 - low - levels) < 1e-9)
        if low < 0.5 - 1e-9 and len(partner):
            inside = (quantiles[:, i] <= y) & (y <= quantiles[:, partner[0]])
            shares[f"{1 - 2 * low:.6g}"] = float(inside.mean())
    return dict(sorted(shares.items(), key=lambda item: float(item[0])))
