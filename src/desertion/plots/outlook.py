"""The outlook: fitted months, the forecast with its intervals, and how such forecasts did at published counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from desertion.plots import wording
from desertion.plots.axes import area, count_axis, steps, year_axis
from desertion.plots.contract import END, IDS, START, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.labels import LEADING
from desertion.plots.palette import ESTIMATE, RANGE, SOFT, STEPS, Style
from desertion.plots.plot import PlotWords, plot

_LEVELS = (95, 80, 50)
_FIT = Style(ESTIMATE, "s", "-")
_FAN = dict(zip(_LEVELS, STEPS, strict=False))
_KINDS = ("fit", "forecast")
#: Ratio of the ends of the 95 % interval from which the forecast is said to know nothing.
_WIDE = 3


def _words(rows: pd.DataFrame) -> PlotWords:
    made = list(records(rows[rows["kind"] == "forecast"].sort_values("period_end", kind="stable")))
    shape = ["Steps of the number a month, with their range"]
    if made:
        low, high = (wording.number(end) for end in (made[-1].low95, made[-1].high95))
        shape.append(f"the range widens to {low}–{high} in {wording.period_of(made[-1])}")
    subtitle = "Cases of absence without leave (Art. 337) a month that courts inside Russia published; not absences."
    return PlotWords(_finding(made), subtitle, "; ".join(shape) + ".")


def _finding(made: Sequence[Any]) -> str:
    """The range of the last month that is forecast, and whether it is too wide to know what comes."""
    if not made:
        return ""
    last = made[-1]
    low, high = (wording.about(end) for end in (last.low95, last.high95))
    month = wording.period_of(last)
    if last.high95 >= _WIDE * last.low95:
        return f"What comes next is not known: {low} to {high} cases of absence without leave in {month}"
    return f"Courts may receive {low} to {high} cases of absence without leave in {month}"


@plot(
    "Cases of absence without leave (Art. 337) before Russian courts: what may come next",
    {
        "kind": text("fit or forecast", words=_KINDS),
        "period_start": START,
        "period_end": END,
        "median": numeric("number in the month"),
        **{
            f"{end}{level}": numeric(
                f"{words} end of the {level} % interval; 95 % alone for a fit", blank=level < 95, filled=["forecast"]
            )
            for level in _LEVELS
            for end, words in (("low", "lower"), ("high", "upper"))
        },
        "note": text("how such forecasts did at published counts", longest=600, single=True),
        "ids": IDS,
    },
    _words,
)
def forecast(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted months with their interval, and the forecast."""
    rows = wording.with_years(rows).sort_values("x0", kind="stable")
    key = [(_FIT, False, "fitted level with its 95 % interval")]
    key += [(Style(_FAN[level], "s", "-"), False, f"forecast, {level} %") for level in _LEVELS[::-1]]
    (axes,) = page.grid(1, (62, 66, 70), key=key)
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max() - 1e-9)) - 1
    year_axis(axes, first, last, every=2 if page.narrow and last - first > 6 else 1)
    top, beyond = _top(rows)
    count_axis(axes, top)
    size = page.size.small
    words = page.wrap(rows["note"].iloc[0] + beyond, size, page.size.width * 72 - 60)
    axes.set_xlabel(words, loc="left", fontsize=size, color=SOFT, linespacing=LEADING, labelpad=3)
    _draw(page, axes, rows)


def _top(part: pd.DataFrame) -> tuple[float, str]:
    """The end of the axis, and a note on values beyond it: a few wide intervals must not flatten the rest."""
    fitted = part[part["kind"] == "fit"]
    close = max([1.0, *part["high80"].dropna(), *part["median"].dropna(), *fitted["high95"]])
    everything = max([close, *part["high95"].dropna()])
    if everything <= 2 * close:
        return 1.06 * everything, ""
    return 1.3 * close, f" The 95 % interval reaches to {wording.number(everything)}, beyond the plot."


def _draw(page: PlotPage, axes: Axes, part: pd.DataFrame) -> None:
    scale = page.size.scale
    for kind in _KINDS:
        own = part[part["kind"] == kind]
        if own.empty:
            continue
        ids = gid(str(own["ids"].iloc[0]))
        for level, colour in {"fit": {95: RANGE}, "forecast": _FAN}.get(kind, {}).items():
            area(axes, own, f"low{level}", f"high{level}", facecolor=colour, edgecolor="none", gid=ids)
        look = _FIT if kind == "fit" else Style("#FFFFFF", "s", "-")
        x, y = steps(own), np.repeat(own["median"].to_numpy(), 2)
        axes.plot(
            x, y, color=look.colour, linewidth=1.2 * scale, dashes=look.dashes, zorder=3 + (kind != "fit"), gid=ids
        )
        page.placer.path(axes, x.tolist(), y.tolist(), weight=0.5)
