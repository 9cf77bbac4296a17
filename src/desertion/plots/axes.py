"""The axes that plots share: years, counts from zero, factors on a log scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from desertion.plots import wording
from desertion.plots.frame import PlotPage
from desertion.plots.palette import INK, SOFT

Floats = NDArray[np.float64]

#: Ticks of a log axis of factors.
FACTORS = tuple(base * 10.0**power for power in range(-4, 6) for base in (1, 2, 5))


def year_axis(axes: Axes, first: int, last: float, every: int = 1) -> None:
    """Years from `first` to the end of `last`, or to a place within one: ticks at their beginnings, names between."""
    end = last + 1 if isinstance(last, int) else last
    years = range(first, math.ceil(end - 1e-6))
    axes.set_xlim(first, end)
    axes.xaxis.set_major_locator(FixedLocator([*years, end] if end == int(end) else list(years)))
    axes.xaxis.set_major_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(FixedLocator([(year + min(year + 1, end)) / 2 for year in years]))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: str(int(x)) if (int(x) - years[-1]) % every == 0 else ""))
    axes.tick_params(axis="x", which="minor", length=0, pad=3)


def count_axis(axes: Axes, top: float) -> None:
    """Counts from zero, with thousands commas and a light grid."""
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: wording.number(y)))
    axes.grid(axis="y")


def factor_axis(
    page: PlotPage, axes: Axes, low: float, high: float, ticks: Sequence[float], *, upright: bool = False
) -> None:
    """Factors on a log scale, across or `upright`, with a line at 1: plain ticks such as ×2, from `ticks`."""
    which: Literal["x", "y"] = "y" if upright else "x"
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.yaxis if upright else axes.xaxis
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"×{wording.number(x)}"))
    axis.set_minor_locator(NullLocator())
    axes.grid(axis=which)
    (axes.axhline if upright else axes.axvline)(1, color=SOFT, linewidth=0.8 * page.size.scale, zorder=1.5)


def value_axis(axes: Axes, top: float, ticks: int) -> None:
    """Values from zero, across."""
    axes.set_xlim(0, top)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: wording.number(x)))
    axes.grid(axis="x")


def runs(rows: pd.DataFrame, *alike: str) -> list[pd.DataFrame]:
    """Rows in order of time, cut where periods do not touch, and where a cell of the columns `alike` changes."""
    rows = rows.sort_values("x0", kind="stable")
    gap = (rows["x0"] - rows["x1"].shift()).abs() > 0.02
    other = (rows[list(alike)] != rows[list(alike)].shift()).any(axis=1)
    return [run for _, run in rows.groupby((gap | other).cumsum())]


def steps(rows: pd.DataFrame) -> Floats:
    """The ends of the periods of consecutive rows (`x0`, `x1`), twice each, for a line in steps."""
    return np.repeat([*rows["x0"], rows["x1"].iloc[-1]], 2)[1:-1].astype(np.float64)


def area(axes: Axes, rows: pd.DataFrame, low: str, high: str, **how: Any) -> tuple[Floats, Floats]:
    """The area between two columns of consecutive rows, in steps, as one shape; returns its edges."""
    x, below, above = steps(rows), *(np.repeat(rows[column].to_numpy(np.float64), 2) for column in (low, high))
    corners = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([above, below[::-1]])])
    axes.add_patch(Polygon(corners, linewidth=0, zorder=1.5, **how))
    return below, above


def panel_title(axes: Axes, words: str, size: float) -> None:
    """The name of one panel, over its left edge."""
    axes.set_title(words, loc="left", fontsize=size, fontweight="bold", color=INK, pad=4)
