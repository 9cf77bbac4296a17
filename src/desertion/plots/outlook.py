"""The outlook: fitted months, the forecast with its intervals, and how such forecasts did at published counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from desertion.errors import ArgumentError
from desertion.plots import wording
from desertion.plots.axes import area, caption, count_axis, panels_by, steps, year_axis
from desertion.plots.contract import END, IDS, START, numeric, records, text
from desertion.plots.frame import PlotPage, gid
from desertion.plots.palette import ESTIMATE, RANGE, STEPS, Style
from desertion.plots.plot import PlotWords, plot

_LEVELS = (95, 80, 50)
_ENDS = [f"{end}{level}" for level in _LEVELS for end in ("low", "high")]
_FIT = Style(ESTIMATE, "s", "-")
_FAN = dict(zip(_LEVELS, STEPS, strict=False))
_KINDS = ("fit", "forecast")
#: Ratio of the ends of the 95 % interval from which the forecast is said to know nothing.
_WIDE = 3


def _check(rows: pd.DataFrame) -> None:
    wrong = ~rows["kind"].isin(_KINDS)
    if wrong.any():
        raise ArgumentError(
            f"plot forecast: column 'kind' {rows['kind'][wrong].iloc[0]!r} is none of {', '.join(_KINDS)}"
        )
    for kind, columns in {"fit": ["median", "low95", "high95"], "forecast": ["median", *_ENDS]}.items():
        if rows.loc[rows["kind"] == kind, columns].isna().any(axis=None):
            raise ArgumentError(f"plot forecast: a row of kind {kind} needs {', '.join(columns)}")
    if rows["note"].nunique() > 1:
        raise ArgumentError("plot forecast: column 'note' has several values; there is one for the plot")


def _words(rows: pd.DataFrame) -> PlotWords:
    _check(rows)
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
        "kind": text("fit or forecast"),
        "period_start": START,
        "period_end": END,
        "median": numeric("number in the month"),
        **{
            f"{end}{level}": numeric(f"{words} end of the {level} % interval; 95 % alone for a fit", blank=True)
            for level in _LEVELS
            for end, words in (("low", "lower"), ("high", "upper"))
        },
        "note": text("how such forecasts did at published counts", longest=600),
        "ids": IDS,
    },
    _words,
)
def forecast(page: PlotPage, rows: pd.DataFrame) -> None:
    """The fitted months with their interval, and the forecast."""
    _check(rows)
    rows = wording.with_years(rows).assign(panel="")
    key = [(_FIT, False, "fitted level with its 95 % interval")]
    key += [(Style(_FAN[level], "s", "-"), False, f"forecast, {level} %") for level in _LEVELS[::-1]]
    across = page.size.width * 72 - 60
    panels = panels_by(page, rows, "panel", (62, 66, 70), across=across, key=key)
    first, last = int(rows["x0"].min()), int(np.ceil(rows["x1"].max() - 1e-9)) - 1
    for each, part in panels:
        part = part.sort_values("x0", kind="stable")
        year_axis(each, first, last, every=2 if page.narrow and last - first > 6 else 1)
        top, beyond = _top(part)
        count_axis(each, top)
        caption(page, each, part["note"].iloc[0] + beyond, across)
        _draw(page, each, part)


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
