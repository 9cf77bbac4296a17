"""Every usable statement of what a fit counts, set against the fit: none may contradict a plotted band in silence.

A statement is predicted by the reports that are neither itself nor another count of the same days. A count of more
articles is an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion import hedges
from desertion.figures import Data
from desertion.reconcile.ledger import REVISION
from desertion.text import listed, once, period
from desertion.trends import Refused
from desertion.trends.composite import Fit, predictive
from desertion.trends.counts import Observations, behind

INSIDE, OUTSIDE, FIRST, NO_DAYS = "inside", "outside", "first total", "other days"
USED, LEFT, BOUND = "in the fit", "left out of the fit", "upper bound"
#: Two counts are of the same days if their first and their last days lie this near.
_SAME_DAYS = 10
#: A count made so soon after its last day may lack cases that are posted later.
_SOON = 31
_NUMBERS = ["mean", "predicted_low", "predicted_high", "beyond", "error", "spread", "phi"]
_COLUMNS = [
    *("ids", "compiler", "printed_by", "period_start", "period_end", "printed", "role"),
    *_NUMBERS,
    "verdict",
    "why",
]


class _PrintedReading(NamedTuple):
    """What statements of one fact print alike: the interval of the count, its days, and the total subtracted."""

    ids: tuple[str, ...]
    row: pd.Series[Any]
    low: float
    high: float
    start: date
    stop: date
    base: float
    wider: bool


def check(
    fitted: Fit | Refused,
    data: Data,
    facts: pd.DataFrame,
    wider: pd.DataFrame | None = None,
    *,
    reading: str = "rounding",
) -> pd.DataFrame:
    """Set each usable statement against the fit.

    Parameters
    ----------
    fitted
        A fit to reports of the counts `facts`, running totals rebased or as printed; the table of a refusal is empty.
    data
        The statements.
    facts
        All facts of the fit's measure, also versions that were revised later, as `reconcile.facts` returns them.
    wider
        Counts that hold these and others, such as of three articles; those of calendar periods are upper bounds.
    reading
        How hedges are read (data/hedges.csv).

    Returns
    -------
    DataFrame
        One row per reading of a fact (statements that print the same number and period), in the order of their periods:

        - ids: the statements, joined by spaces
        - compiler, printed_by: who counted, and who prints it
        - period_start, period_end: as printed
        - printed: the number in words
        - role: `in the fit`, `left out of the fit` or `upper bound`
        - mean, predicted_low, predicted_high: of the number as printed, from the reports that neither are these
          statements nor count the same days; the interval at the fit's level
        - beyond: probability of a number as far out or farther
        - error: standard deviations off the median
        - verdict: `inside`, `outside`; `first total`, the running total from which the others are counted on, or
          `other days`, which the fit does not reach
        - spread, phi: standard deviation of the predicted log count, and variance over mean of the counts without them
        - smallest, named: for those in the fit, as in `predictive.noticed`
        - why: what is known of a number that is outside

    Raises
    ------
    UserError
        If `reading` is unknown.
    """
    if isinstance(fitted, Refused):
        return pd.DataFrame(columns=[*_COLUMNS, "smallest", "named"]).astype({"named": bool})
    readings = list(_readings(fitted, data, facts, reading, wider=False))
    if wider is not None:
        readings += _readings(fitted, data, wider[~wider["cumulative"].astype(bool)], reading, wider=True)
    first, last = fitted.starts[0], fitted.ends[-1]
    rows, to_predict = [], []
    for each in readings:
        verdict = FIRST if each.start >= each.stop else ""
        if not verdict and (each.start < first or each.start > last):
            verdict = NO_DAYS
        rows.append({**_described(each, fitted, verdict), "verdict": verdict})
        to_predict.append(not verdict)
    table = pd.DataFrame(rows, columns=_COLUMNS).assign(why="")
    table[[*_NUMBERS, "part"]] = np.nan
    own = list(compress(readings, to_predict))
    if own:
        made = predictive.predicted(fitted, _observations(fitted, own), [_same(fitted, data, each) for each in own])
        part = made["mean"].to_numpy()
        made[_NUMBERS[:3]] += np.array([[each.base] for each in own])
        table.loc[to_predict, _NUMBERS] = made[_NUMBERS].to_numpy()
        table.loc[to_predict, "part"] = part / made["mean"].to_numpy()
        far = made["beyond"] < 1 - fitted.spec.level
        table.loc[to_predict, "verdict"] = np.where(made["beyond"].isna(), NO_DAYS, np.where(far, OUTSIDE, INSIDE))
    outside = table["verdict"] == OUTSIDE
    table["why"] = [
        _why(each, data, error) if far else ""
        for each, far, error in zip(readings, outside, table["error"], strict=True)
    ]
    used = predictive.noticed(table[table["role"].eq(USED) & table["verdict"].ne(FIRST)], fitted)
    # an error of an increment is a smaller share of the total that is printed
    table["smallest"] = used["smallest"] * table.pop("part")
    table["named"] = used["named"].reindex(table.index, fill_value=False)
    return table.sort_values(["period_start", "period_end", "ids"], kind="stable").reset_index(drop=True)


def _readings(fitted: Fit, data: Data, facts: pd.DataFrame, reading: str, *, wider: bool) -> Iterator[_PrintedReading]:
    """The readings of the usable statements of `facts`; running totals less the total that the fit begins with."""
    figures = data.figures
    own = figures[figures["fact"].isin(facts.index) & figures["status"].ne("rejected") & figures["kind"].eq("count")]
    firsts = sorted({behind(name)[1] for name in fitted.obs.ids if len(behind(name)) > 1})
    bases = figures.loc[firsts].to_dict("records")
    alike = ["fact", "value", "bound", "hedge", "period_start", "period_end", "low", "high"]
    for _, group in own.groupby(alike, sort=False, dropna=False):
        row = group.iloc[0]
        printed = (row["low"], row["high"]) if pd.notna(row["low"]) else None
        hedge = row["hedge"] if row["bound"] != "exact" and pd.notna(row["hedge"]) else ""
        low, high = hedges.load().interval(row["value"], row["bound"], hedge, reading, printed=printed)
        start, stop, base = row["period_start"].date(), row["period_end"].date() + timedelta(days=1), 0.0
        begun = [one for one in bases if row["cumulative"] and (one["period_start"], one["scope"]) == _begin(row)]
        if begun:
            first = min(begun, key=lambda one: one["period_end"])
            base, start = float(first["value"]), first["period_end"].date() + timedelta(days=1)
        yield _PrintedReading(
            tuple(group.index), row, 0.0 if wider else max(low - base, 0.0), high - base, start, stop, base, wider
        )


def _begin(row: pd.Series[Any]) -> tuple[object, object]:
    return row["period_start"], row["scope"]


def _observations(fitted: Fit, readings: list[_PrintedReading]) -> Observations:
    names = [name.split(" / ") for name in fitted.obs.series_names]
    series = [
        next((place for place, words in enumerate(names) if not each.wider and each.row["scope"] in words), 0)
        for each in readings
    ]
    return Observations(
        tuple(each.ids[0] for each in readings), np.array(series, np.int64),
        np.array([each.start.toordinal() for each in readings]), np.array([each.stop.toordinal() for each in readings]),
        np.array([each.low for each in readings]), np.array([each.high for each in readings]), fitted.obs.series_names,
    )  # fmt: skip


def _fact(data: Data, name: str) -> str:
    return REVISION.sub("", str(data.figures.at[name, "fact"]))


def _same(fitted: Fit, data: Data, each: _PrintedReading) -> list[int]:
    """Positions of the reports of the same fact, and of those that count the same days."""
    if each.wider:
        return []
    obs, fact = fitted.obs, _fact(data, each.ids[0])
    near = (np.abs(obs.start - each.start.toordinal()) <= _SAME_DAYS) & (
        np.abs(obs.stop - each.stop.toordinal()) <= _SAME_DAYS
    )
    return [i for i, name in enumerate(obs.ids) if near[i] or _fact(data, behind(name)[0]) == fact]


def _described(each: _PrintedReading, fitted: Fit, verdict: str) -> dict[str, object]:
    row = each.row
    used = set(fitted.obs.statements) & set(each.ids) or verdict == FIRST
    value = f"{row['value']:,.0f}"
    words = value if row["bound"] == "exact" else f"{row['hedge'] or str(row['bound']).replace('_', ' ')} {value}"
    return {
        "ids": " ".join(each.ids), "compiler": row["compiler"], "printed_by": row["printed_by"],
        "period_start": row["period_start"], "period_end": row["period_end"], "printed": words,
        "role": BOUND if each.wider else USED if used else LEFT,
    }  # fmt: skip


def _why(each: _PrintedReading, data: Data, error: float) -> str:
    """What may explain a statement outside its interval: what the data say of it, and when it was counted."""
    own = data.figures.loc[list(each.ids)]
    reasons = [str(words).rstrip(".") for words in own["status_reason"].dropna().unique() if words]
    counted = own["counted_on"].min() if own["counted_on"].notna().any() else own["known"].min()
    soon = (counted - own["period_end"].iloc[0]).days
    if error < 0 and 0 <= soon <= _SOON:
        reasons.append(f"counted at most {soon} days after its last day: cases posted later are missing")
    every = data.figures[data.figures["status"].ne("rejected") & data.figures["value"].ne(each.row["value"])]
    others = every[[_fact(data, name) == _fact(data, each.ids[0]) for name in every.index]]
    if len(others):
        reasons.append(f"{listed(f'{value:,.0f}' for value in others['value'].unique())} is printed of it, too")
    if pd.notna(each.row["note"]) and each.row["note"]:
        reasons.append(str(each.row["note"]).rstrip("."))
    return "; ".join(reasons)


class Agreement(NamedTuple):
    """How many of `n` published numbers lie inside and outside what the others predict, for a sentence.

    `ids`: their statements.
    """

    n: int
    inside: int
    outside: int
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed."""
        return {
            "n": f"{self.inside} + {self.outside}",
            "inside": "number of those inside their interval",
            "outside": "number of those outside their interval",
        }


def agreement(table: pd.DataFrame) -> Agreement | Refused:
    """Count the published numbers inside and outside what the others predict.

    Parameters
    ----------
    table : DataFrame
        The table of `check`.

    Returns
    -------
    Agreement or Refused
        Refused where no number is predicted.
    """
    rows = table[table["verdict"].isin([INSIDE, OUTSIDE])]
    if rows.empty:
        return Refused("no published number is predicted by others", "")
    outside = int(rows["verdict"].eq(OUTSIDE).sum())
    return Agreement(len(rows), len(rows) - outside, outside, once(rows["ids"]))


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `check` to show beside the plot: those outside, and upper bounds, in words.

    Returns
    -------
    DataFrame
        - who: who counted, as whom prints it
        - period: in words
        - printed, predicted: the number and its interval
        - verdict: `outside`, or `inside` for an upper bound that holds
        - why: what may explain it
        - ids: the statements
    """
    columns = ["who", "period", "printed", "predicted", "verdict", "why", "ids"]
    rows = table[table["verdict"].isin([OUTSIDE, NO_DAYS]) | table["role"].eq(BOUND)]
    return _in_words(rows).assign(who=rows["compiler"])[columns]


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` of `check` with their period and their interval in words."""
    ends = zip(rows["predicted_low"], rows["predicted_high"], strict=True)
    return rows.assign(
        period=[period(*days) for days in zip(rows["period_start"], rows["period_end"], strict=True)],
        predicted=[f"{low:,.0f} to {high:,.0f}" if pd.notna(low) else "" for low, high in ends],
    )


def noticeable(table: pd.DataFrame) -> pd.DataFrame:
    """The reports of the fit among the rows of `check`, and how wrong each would have to be to be noticed, in words.

    Returns
    -------
    DataFrame
        - period, printed, predicted, ids: as in `shown`
        - smallest: smallest errors that would be noticed, in percent of the count
        - phi: variance over mean of the counts without the report
    """
    columns = ["period", "printed", "predicted", "smallest", "phi", "ids"]
    rows = _in_words(table[table["role"].eq(USED) & table["phi"].notna()])
    return rows.assign(
        smallest=[
            f"{100 * share:.0f} % too high, {100 * share / (1 + share):.0f} % too low"
            if share < 1
            else "twofold or more"
            for share in rows["smallest"]
        ]
    )[columns]


def named(table: pd.DataFrame, fitted: Fit | Refused) -> list[str]:
    """A note that names the report which alone makes the counts of `fitted` look dispersed; none if there is none."""
    if isinstance(fitted, Refused):
        return []
    phi = 1 + fitted.posterior.averaged(fitted.hyper("delta"))
    return [
        f"{row['printed']} ({period(row['period_start'], row['period_end'])}) alone makes the counts look dispersed: "
        f"it lies {abs(row['error']):.1f} standard deviations {'above' if row['error'] > 0 else 'below'} what the "
        f"others predict. Without it the variance over mean falls from {phi:.1f} to {row['phi']:.1f}."
        for row in table[table["named"]].to_dict("records")
    ]
