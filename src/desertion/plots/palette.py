"""Colours, markers and lines of the series: Okabe–Ito, with a second cue, checked for three kinds of sight.

Okabe M. and Ito K. (2008), Color Universal Design. Yellow is left out: on white it cannot be seen at print size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from desertion.errors import ArgumentError

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#666666"
#: All but yellow, those that are easiest to tell apart first.
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)

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


#: Most series that a panel can show.
MOST = len(_SPARE)


def styles(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name, no two alike: the fixed one where the name begins with a known word, else a spare one.

    Raises ArgumentError for more names than there are styles: such a plot cannot be read and needs panels.
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
        raise ArgumentError(f"{len(ordered)} series in one panel; at most {len(chosen) + len(spare)} can be told apart")
    chosen.update(zip(missing, spare, strict=False))
    return {name: chosen[name] for name in ordered}


# Luminance (CIE Y) of linear sRGB (IEC 61966-2-1).
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(colour: str) -> NDArray[np.float64]:
    """A colour in linear RGB (IEC 61966-2-1)."""
    rgb = np.asarray(to_rgb(colour), dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, ground: str = "#FFFFFF") -> float:
    """The contrast ratio of WCAG 2.2 (1 to 21)."""
    high, low = sorted((float(_LUMINANCE @ linear(each)) for each in (colour, ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink(colour: str, least: float = 4.5) -> str:
    """`colour`, darkened in steps until it stands out from white by the ratio that WCAG 2.2 asks of small text."""
    rgb = np.asarray(to_rgb(colour))
    while contrast(to_hex(tuple(rgb))) < least:
        rgb = rgb * 0.95
    return to_hex(tuple(rgb))
