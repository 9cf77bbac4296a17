"""Growth between the years that one compiler gives for one thing: exact ratios, and what a trend may say.

Only counts of whole calendar years with equal articles, measure, scope, unit and compiler meet in one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from desertion import hedges, memo
from desertion.errors import UserError
from desertion.trends import Refused, exact, regression, terms
from desertion.trends.grid import Grid, annual

#: Days that a count covers at least where incomplete years are let in.
MOST_OF_A_YEAR = 200
#: The over-dispersion that the outer interval of a ratio assumes.
PHI = 50.0
KEYS = ["compiler", "articles", "measure", "scope", "unit"]
_TREND_MODELS: tuple[regression.Model, ...] = ("poisson", "quasi-poisson", "nb2")


def yearly(facts: pd.DataFrame, reading: str = "rounding", *, incomplete: bool = False) -> pd.DataFrame:
    """The counts of whole calendar years (to a week) in `facts` (one row a fact, as reconcile.facts gives them).

    They have the columns `year` and `exposure` (years that the count covers). With `incomplete` counts of most of a
    year come in too; the exposure then tells them from whole years.
    `low` and `high` are the ends of what the printed number stands for (data/hedges.csv, by its column `hedge` where
    there is one), `reading` how a bound is read. Raises UserError where a needed column is missing.
    """
    needed = [*KEYS, "kind", "cumulative", "period_start", "period_end", "value", "bound"]
    missing = [column for column in needed if column not in facts]
    if missing:
        raise UserError(f"facts lack the column {', '.join(missing)}; give the table of reconcile.facts")
    start, end = pd.to_datetime(facts["period_start"]), pd.to_datetime(facts["period_end"])
    days = (end - start).dt.days + 1
    # A page of 29 December that sums up the year counts the year.
    whole = (start.dt.strftime("%m-%d") == "01-01") & days.between(358, 366) & (start.dt.year == end.dt.year)
    part = (start.dt.year == end.dt.year) & days.between(MOST_OF_A_YEAR, 357) & incomplete
    table = facts[(whole | part) & (facts["kind"] == "count") & ~facts["cumulative"].astype(bool)].copy()
    table["year"] = start[table.index].dt.year
    table["exposure"] = (days / 365.25).where(~whole, 1.0)[table.index]
    words = table["hedge"] if "hedge" in table else pd.Series("", index=table.index)
    ends = [
        hedges.interval(float(value), bound, word, reading)
        for value, bound, word in zip(table["value"], table["bound"], words, strict=True)
    ]
    table["low"], table["high"] = ([end[side] for end in ends] for side in (0, 1))
    return table.sort_values([*KEYS, "year"], kind="stable")


def growth_table(
    facts: pd.DataFrame,
    phi: float = PHI,
    level: float = 0.95,
    reading: str = "rounding",
    *,
    incomplete: bool = False,
) -> pd.DataFrame:
    """One row for each pair of years of one compiler, articles, measure, scope and unit in `facts`.

    Columns: the keys, `from_year, to_year, from_count, to_count, incomplete` (a part of a year is compared by the day),
    `ratio, low, high` (exact, given Poisson variation),
    `outer_low, outer_high` (a variance of `phi` times the mean), `refused` (why there is none, else blank), `ids`.
    Where a number is rounded or bounded, the limits are those at the worst ends of what it stands for. Raises
    UserError as `yearly` does.
    """
    rows = []
    for key, group in _groups(yearly(facts, reading, incomplete=incomplete)):
        for (_, first), (_, second) in combinations(group.iterrows(), 2):
            if first["year"] == second["year"]:
                continue
            row: dict[str, Any] = dict(key) | {
                "from_year": int(first["year"]), "to_year": int(second["year"]),
                "from_count": first["value"], "to_count": second["value"],
                "incomplete": bool(first["exposure"] != 1 or second["exposure"] != 1),
            }  # fmt: skip
            rows.append(row | _ratio(first, second, phi, level) | {"ids": _ids([first, second])})
    columns = [*KEYS, "from_year", "to_year", "from_count", "to_count", "incomplete", "ratio", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "outer_low", "outer_high", "refused", "ids"])


def _ratio(first: pd.Series[Any], second: pd.Series[Any], phi: float, level: float) -> dict[str, Any]:
    for row in (first, second):
        if row["high"] == float("inf"):
            return {"refused": f"{_said(row)} is open to one side: no ratio has two limits"}
    if first["value"] == 0 or second["value"] == 0:
        return {"refused": "a count is 0: the ratio has one limit only"}
    # the lowest ratio has the smallest second and the largest first count, the highest the other way round
    t2, t1 = float(second["exposure"]), float(first["exposure"])
    low = exact.rate_ratio(max(second["low"], 1), t2, first["high"], t1, level)
    high = exact.rate_ratio(second["high"], t2, max(first["low"], 1), t1, level)
    (outer_low,) = exact.assumed_dispersion(max(second["low"], 1), first["high"], [phi], t2, t1, level)
    (outer_high,) = exact.assumed_dispersion(second["high"], max(first["low"], 1), [phi], t2, t1, level)
    return {
        "ratio": second["value"] / t2 / (first["value"] / t1), "low": low.low, "high": high.high,
        "outer_low": outer_low.low, "outer_high": outer_high.high, "refused": "",
    }  # fmt: skip


def annual_trends(
    facts: pd.DataFrame, models: Sequence[regression.Model] = _TREND_MODELS, level: float = 0.95
) -> pd.DataFrame:
    """A log-linear trend of each series of two or more years in `facts`, one row a model.

    Columns: the keys, `first_year, last_year, n, model, growth, low, high` (factor a year), `dispersion, df_resid,
    refused` (in words, else blank), `doubts` (what stands beside the number), `ids`. Raises UserError as `yearly` does.
    """
    rows = []
    for key, group in _groups(yearly(facts)):
        if len(group) < 2:
            continue
        years = [int(year) for year in group["year"]]
        for model in models:
            row: dict[str, Any] = dict(key) | {
                "first_year": years[0], "last_year": years[-1], "n": len(group), "model": model, "doubts": "",
            }  # fmt: skip
            fitted = _trend(group, years, model, level)
            if isinstance(fitted, Refused):
                row["refused"] = str(fitted)
            else:
                growth = fitted.growth(1)
                assert growth is not None  # the trend is linear
                row |= dict(zip(("growth", "low", "high"), growth, strict=True))
                row |= {"dispersion": fitted.dispersion, "df_resid": fitted.df_resid, "refused": ""}
                row["doubts"] = "; ".join(fitted.warnings)
            rows.append(row | {"ids": _ids([line for _, line in group.iterrows()])})
    columns = [*KEYS, "first_year", "last_year", "n", "model", "growth", "low", "high", "dispersion", "df_resid"]
    return pd.DataFrame(rows, columns=[*columns, "refused", "doubts", "ids"])


def _trend(
    group: pd.DataFrame, years: list[int], model: regression.Model, level: float
) -> regression.Regression | Refused:
    twice = sorted({year for year in years if years.count(year) > 1})
    if twice:
        return Refused(f"{twice[0]} has more than one count", "one count a year")
    loose = group[group["bound"] != "exact"]
    if len(loose):
        return Refused(f"{_said(loose.iloc[0])} is no exact count", "exact counts, or the composite model")
    grid = annual(years, [float(value) for value in group["value"]])
    return memo.recall(_linear, grid, model, level)


def _linear(grid: Grid, model: regression.Model, level: float) -> regression.Regression | Refused:
    return regression.fit_trend(grid, terms.parse("linear"), model, level=level)


def _groups(years: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for key, group in years.groupby(KEYS, sort=True):
        yield dict(zip(KEYS, key, strict=True)), group


def _said(row: pd.Series[Any]) -> str:
    return f"{row['bound'].replace('_', ' ')} {row['value']:.0f} in {row['year']}"


def _ids(rows: Sequence[pd.Series[Any]]) -> str:
    """Ids of the figures behind rows of facts (their `ids`, else the row's own label), space-joined."""
    found: list[str] = []
    for row in rows:
        ids = row.get("ids", str(row.name))
        found += ids.split() if isinstance(ids, str) else [str(part) for part in ids]
    return " ".join(dict.fromkeys(found))
