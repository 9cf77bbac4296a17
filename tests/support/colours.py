"""Distance between colours as people with different sight see them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desertion.plots.palette import linear

#: Two series of one plot must be at least this far apart (CIE 1976 ΔE*ab, 2.3 being just noticeable) for normal
#: sight, deuteranopia, protanopia and in grey, or carry different markers or lines.
LEAST_DISTANCE = 20.0


# Severity 1.0, linear RGB: Machado G. M., Oliveira M. M. and Fernandes L. A. F. (2009), IEEE TVCG 15(6), table 1.
_SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),
}
SIGHTS = tuple(_SIGHT)

# sRGB to CIE XYZ, white point D65 (IEC 61966-2-1).
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def _lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* of a linear RGB colour."""
    ratio = (_XYZ @ np.clip(rgb, 0, 1)) / _XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str = "") -> float:
    """Distance between two colours (CIE 1976 ΔE*ab) for one kind of sight, or for the worst of all four.

    `sight` is one of `SIGHTS`. Raises KeyError for another, ValueError for a colour matplotlib does not know.
    """
    if not sight:
        return min(distance(one, other, each) for each in SIGHTS)
    a, b = (_lab(_SIGHT[sight] @ linear(colour)) for colour in (one, other))
    return float(np.linalg.norm(a - b))
