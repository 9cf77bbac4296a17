"""Colours, markers and lines: one look for each counter in every plot, with a second cue for every kind of sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from desertion.errors import ArgumentError

INK, SOFT, GREY = "#222222", "#5C5C5C", "#8C8C8C"
#: An estimate of this project: its line, and the range around it.
ESTIMATE, RANGE = INK, "#DADADA"
GREEN, ORANGE, PURPLE, BLUE = "#006D5B", "#E66F1E", "#A8327D", "#3D8FD1"
#: Four steps of grey, light to dark, for an ordered scale.
STEPS = ("#DADADA", "#A2A2A2", "#6C6C6C", "#3A3A3A")


_DASHES: dict[str, tuple[float, ...]] = {"--": (3.7, 1.6), "-.": (6.4, 1.6, 1.0, 1.6), ":": (1.0, 1.65)}


@dataclass(frozen=True)
class Style:
    """Look of one series: a colour, and a marker and a line for readers who cannot distinguish colours."""

    colour: str
    marker: str
    line: str
    #: Width of the line in points.
    width: float = 1.4

    @property
    def dashes(self) -> tuple[float, ...] | tuple[None, None]:
        """The line as lengths of dashes and gaps, in widths of the line; an unbroken one has none."""
        return _DASHES.get(self.line, (None, None))

    @property
    def ink(self) -> str:
        """The colour darkened until small text in it is readable on white."""
        return _INKS.get(self.colour) or ink(self.colour)


_INKS = {ORANGE: "#B05312", GREY: "#6B6B6B", BLUE: "#2D74AB"}
OFFICIAL = Style(GREY, "p", "-", 1.8)
#: The look of each counter that plots show again and again. Proekt has no line: its measures change from year to year.
COUNTERS = {
    "Mediazona": Style(GREEN, "s", "-", 2.6),
    "The Insider": Style(ORANGE, "h", "-", 1.6),
    "Proekt": Style(PURPLE, "D", ""),
    "Judicial Department": OFFICIAL,
    "Prosecutor General's Office": OFFICIAL,
    "Chief Military Prosecutor's Office of Russia": OFFICIAL,
    "Office of the Prosecutor General of Ukraine": Style(BLUE, "o", "-"),
    "Prosecutor General of Ukraine": Style(BLUE, "o", "-"),
}
#: Other counters, in the order in which a plot names them.
_OTHERS = (
    Style("#7F5A3C", "v", "-"),
    Style("#5B3A8E", "P", "--"),
    Style("#6B7A12", "X", "-."),
    Style("#1F7E8C", "<", ":"),
    Style("#9C4A4A", ">", "-"),
    Style("#4A4A4A", "*", "--"),
)
#: Marker and line of further series of one counter, in its colour.
_AGAIN = (("^", "--"), ("v", "-."), ("d", ":"), ("8", "--"), ("H", "-."))
#: Colours for a plot that a notebook draws.
COLOURS = (GREEN, ORANGE, PURPLE, BLUE, GREY, *(look.colour for look in _OTHERS))


def styles(counters: Mapping[str, str]) -> dict[str, Style]:
    """The style of each series by who counted it, no two alike: one colour for each counter.

    Raises ArgumentError for more series than can be told apart: such a plot needs panels.
    """
    looks: dict[str, Style] = {}
    spare = iter(_OTHERS)
    chosen: dict[str, Style] = {}
    for series, counter in counters.items():
        if counter not in looks:
            look = COUNTERS.get(counter) or next(spare, None)
            if look is None:
                raise ArgumentError(f"{len({*counters.values()})} counters in one panel; at most {len(_OTHERS)} others")
            looks[counter] = look
        look = looks[counter]
        variants = (look, *(replace(look, marker=marker, line=line) for marker, line in _AGAIN))
        taken = {(each.marker, each.line) for each in chosen.values()}
        free = [each for each in variants if (each.marker, each.line) not in taken]
        if not free:
            raise ArgumentError(f"more than {len(variants)} series by {counter} in one panel cannot be told apart")
        chosen[series] = free[0]
    return chosen


def counters(names: Iterable[str]) -> dict[str, Style]:
    """The style of each counter."""
    return styles({name: name for name in names})


# Luminance (CIE Y) of linear sRGB (IEC 61966-2-1).
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(colour: str) -> NDArray[np.float64]:
    """A colour in linear RGB (IEC 61966-2-1)."""
    rgb = np.asarray(to_rgb(colour), dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(colour: str) -> float:
    """The contrast ratio of a colour and white by WCAG 2.2 (1 to 21)."""
    return 1.05 / (float(_LUMINANCE @ linear(colour)) + 0.05)


def lighter(colour: str, share: float) -> str:
    """`share` of a colour, mixed with white."""
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def ink(colour: str) -> str:
    """`colour`, darkened in steps until it stands out from white by the ratio that WCAG 2.2 asks of small text."""
    rgb = np.asarray(to_rgb(colour))
    while contrast(to_hex(tuple(rgb))) < 4.5:
        rgb = rgb * 0.95
    return to_hex(tuple(rgb))
