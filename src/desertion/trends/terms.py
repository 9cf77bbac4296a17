"""The grammar of trends, and the columns of the design matrix for each term.

`constant | linear | quadratic | log | step:DATE | segmented:DATE[,DATE] | smooth`, joined by `+`. The intercept is
always there. `linear` is the period index 1…n, `quadratic` the index and its square, `log` the index's logarithm;
`step` is 1 from the period that starts at DATE on; `segmented` is a line whose level and slope change at each
DATE, with the slope counted from the first period after it, so that the level is the jump in that period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from desertion.errors import UserError
from desertion.trends import Refused
from desertion.trends.arrays import Floats
from desertion.trends.grid import Grid, month_number

GRAMMAR = "constant, linear, quadratic, log, step:DATE, segmented:DATE[,DATE], smooth, joined by +"
_PLAIN = {"constant", "linear", "quadratic", "log", "smooth"}


@dataclass(frozen=True)
class Trend:
    """A trend: its text and its terms, each a kind and, for a break, its date."""

    text: str
    terms: tuple[tuple[str, date | None], ...]

    @property
    def breaks(self) -> tuple[date, ...]:
        """The dates of known breaks, in order."""
        return tuple(sorted({day for _, day in self.terms if day is not None}))

    @property
    def smooth(self) -> bool:
        """Whether one of the terms is smooth."""
        return any(kind == "smooth" for kind, _ in self.terms)


def parse(text: str) -> Trend:
    """Parse a trend. Raises UserError for an unknown term, a bad date, or terms that repeat."""
    terms: list[tuple[str, date | None]] = []
    for part in text.split("+"):
        kind, colon, dates = part.strip().partition(":")
        if kind in _PLAIN and not colon:
            terms.append((kind, None))
        elif kind in ("step", "segmented") and dates:
            days = dates.split(",")
            if kind == "step" and len(days) > 1:
                raise UserError(f"trend '{text}': step takes one date; write +step:DATE for a second")
            terms.extend((kind, _date(day.strip(), text)) for day in days)
        else:
            raise UserError(f"trend '{text}': the term '{part.strip()}' is unknown; use {GRAMMAR}")
    kinds = {kind for kind, _ in terms}
    if len(set(terms)) < len(terms):
        raise UserError(f"trend '{text}': a term stands twice; each stands once")
    if "smooth" in kinds and kinds - {"smooth", "step", "constant"}:
        raise UserError(f"trend '{text}': smooth contains the other curves; it joins with step:DATE only")
    return Trend(text, tuple(terms))


def _date(text: str, trend: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"trend '{trend}': '{text}' is not a date; write it as 2022-09-21") from None


def unidentified_break(trend: Trend, grid: Grid) -> Refused | None:
    """Refuse a break of `trend` that the cells of `grid` do not identify; None where they identify each."""
    for day in trend.breaks:
        after = [grid.start(place) >= day for place in grid.index]
        for place, later in zip(grid.index, after, strict=True):
            if not later and grid.end(place) >= day:
                return Refused(
                    f"the break {day} falls inside the period {grid.start(place)} to {grid.end(place)}",
                    "counts of shorter periods, or a break on the first day of a period",
                )
        if all(after) or not any(after):
            side = "before" if all(after) else "after"
            return Refused(f"no period lies {side} the break {day}", "counts on both sides of the break")
    return None


def columns(trend: Trend, grid: Grid, index: Floats, harmonics: int = 0) -> tuple[tuple[str, ...], Floats]:
    """Names (p) and design matrix (m × p) of the trend at the cells `index` (m), a smooth left out.

    `harmonics` adds K pairs of cosine and sine of the year (a lone cosine at half the cells a year).
    Raises UserError where the cells of `grid` are too long for them.
    """
    made: dict[str, Floats] = {"constant": np.ones(len(index))}
    for kind, day in trend.terms:
        if kind in ("linear", "quadratic", "segmented"):
            made["linear"] = index
        if kind == "quadratic":
            made["quadratic"] = index**2
        if kind == "log":
            made["log"] = np.log(index)
        if day is not None:
            months = month_number(day) + (day.day > 1) - month_number(grid.first)
            since = index - (1 - months // -grid.months)  # the first cell that starts on `day` or later
            made[f"step:{day}" if kind == "step" else f"segmented:{day}:level"] = (since >= 0).astype(np.float64)
            if kind == "segmented":
                made[f"segmented:{day}:slope"] = np.maximum(since, 0.0)
    made |= seasonal(grid, index, harmonics)
    return tuple(made), np.column_stack(list(made.values()))


def seasonal(grid: Grid, index: Floats, harmonics: int) -> dict[str, Floats]:
    """Cosine and sine columns of the first `harmonics` harmonics of the year at the cells `index`."""
    a_year = 12 / grid.months
    if harmonics < 0 or harmonics > a_year / 2:
        raise UserError(
            f"{harmonics} harmonics: {a_year:g} periods of one {grid.unit} a year allow at most {int(a_year // 2)}"
        )
    made = {}
    for k in range(1, harmonics + 1):
        angle = 2 * np.pi * k * index / a_year
        made[f"cos:{k}"] = np.cos(angle)
        if 2 * k < a_year:
            made[f"sin:{k}"] = np.sin(angle)
    return made
