"""Colours, markers and lines of the series: Okabe–Ito, with a second cue, checked for three kinds of sight.

Okabe M. and Ito K. (2008), Color Universal Design. Yellow is left out: on white it cannot be seen at print size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#666666"

#: Two series of one plot must be at least this far apart (CIE 1976 ΔE*ab, 2.3 being just noticeable) for normal
#: sight, deuteranopia, protanopia and in grey, or carry different markers or lines.
LEAST_DISTANCE = 20.0

#: The four steps of one hue, light to dark, for an ordered scale: each step differs in lightness alone.
STEPS = ("#C2DCEC", "#6FA3C9", "#2A6BA2", "#06294B")


_DASHES: dict[str, tuple[float, ...]] = {"--": (3.7, 1.6), "-.": (6.4, 1.6, 1.0, 1.6), ":": (1.0, 1.65)}


@dataclass(frozen=True)
class Style:
    """Look of one series: a colour, and a marker and a line for readers who cannot distinguish colours."""

    colour: str
    marker: str
    line: str

    @property
    def dashes(self) -> tuple[float, ...] | tuple[None, None]:
        """The line as lengths of dashes and gaps, in widths of the line; an unbroken one has none."""
        return _DASHES.get(self.line, (None, None))

    @property
    def ink(self) -> str:
        """The colour darkened until small text in it is readable on white."""
        return ink(self.colour)


#: Series that look the same in every plot: who counted, and which article.
FIXED = {
    "Judicial Department": Style(BLUE, "o", "-"),
    "Proekt": Style(ORANGE, "^", "--"),
    "The Insider": Style(VERMILION, "D", "-."),
    "Mediazona": Style(GREEN, "s", ":"),
    "ch33": Style(GREY, "s", "-"),
}

_SPARE = (
    Style(BLUE, "o", "-"),
    Style(VERMILION, "D", "-."),
    Style(GREEN, "s", ":"),
    Style(ORANGE, "^", "--"),
    Style(PURPLE, "v", "--"),
    Style(SKY, "P", "-."),
    Style(BLACK, "X", ":"),
    Style(GREY, "p", "-"),
    Style(BLUE, "h", "--"),
    Style(VERMILION, "<", "-"),
    Style(GREEN, ">", "-."),
    Style(ORANGE, "d", ":"),
)


def styles(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name, no two alike: the fixed one where the name begins with a known word, else a spare one.

    Raises ValueError for more names than there are styles: such a plot cannot be read and needs panels.
    """
    ordered = list(dict.fromkeys(names))
    chosen: dict[str, Style] = {}
    for name in ordered:
        known = next((style for word, style in FIXED.items() if name.startswith(word)), None)
        if known is not None and known not in chosen.values():
            chosen[name] = known
    spare = [style for style in _SPARE if style not in chosen.values()]
    missing = [name for name in ordered if name not in chosen]
    if len(missing) > len(spare):
        raise ValueError(f"{len(ordered)} series in one panel; at most {len(chosen) + len(spare)} can be told apart")
    chosen.update(zip(missing, spare, strict=False))
    return {name: chosen[name] for name in ordered}


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


def _linear(colour: str) -> NDArray[np.float64]:
    rgb = np.asarray(to_rgb(colour), dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* of a linear RGB colour."""
    ratio = (_XYZ @ np.clip(linear, 0, 1)) / _XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str = "") -> float:
    """Distance between two colours (CIE 1976 ΔE*ab) for one kind of sight, or for the worst of all four.

    `sight` is one of `SIGHTS`. Raises KeyError for another, ValueError for a colour matplotlib does not know.
    """
    if not sight:
        return min(distance(one, other, each) for each in SIGHTS)
    a, b = (_lab(_SIGHT[sight] @ _linear(colour)) for colour in (one, other))
    return float(np.linalg.norm(a - b))


def contrast(colour: str, ground: str = "#FFFFFF") -> float:
    """The contrast ratio of WCAG 2.2 (1 to 21)."""
    high, low = sorted((float(_XYZ[1] @ _linear(each)) for each in (colour, ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink(colour: str, least: float = 4.5) -> str:
    """`colour`, darkened in steps until it stands out from white by the ratio that WCAG 2.2 asks of small text."""
    rgb = np.asarray(to_rgb(colour))
    while contrast(to_hex(tuple(rgb))) < least:
        rgb = rgb * 0.95
    return to_hex(tuple(rgb))
