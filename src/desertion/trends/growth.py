"""Growth between the years that one compiler gives for one thing: ratios of counts, and what a trend may say.

Only counts of whole calendar years with equal articles, measure, scope, unit and compiler meet in one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import pandas as pd

from desertion import hedges, memo, vocabulary
from desertion.arguments import takes
from desertion.errors import UserError
from desertion.reconcile.series import one_part
from desertion.text import once
from desertion.trends import LACKING, Refused, exact, regression, terms
from desertion.trends.grid import Grid, annual

#: Fewest days of a count that stands for an incomplete year.
MOST_OF_A_YEAR = 200
#: Variance over mean of the official counts of persons convicted under Art. 337 about their log-linear trend of 2013 to
#: 2021 (Pearson, 7 degrees of freedom; 95 % interval 27 to 254): what is assumed where no fit estimates it.
OFFICIAL = 61.0
KEYS = ["compiler", "articles", "measure", "scope", "unit"]
_NAMED = ("measure", "articles", "compiler")
_MODELS: tuple[regression.Model, ...] = ("poisson", "quasi-poisson", "nb2")


def yearly(facts: pd.DataFrame, reading: str = "rounding", *, incomplete: bool = False) -> pd.DataFrame:
    """Select the counts of whole calendar years (to a week) from `facts`, one row per fact as in `reconcile.facts`.

    Adds `year`, `exposure` (years that the count covers) and `low`, `high` (ends of what the printed number stands for,
    by data/hedges.csv, under `reading`). With `incomplete`, counts of most of a year are kept too; their exposure is
    not 1. Raises UserError if a column is missing.
    """
    needed = [*KEYS, "kind", "cumulative", "period_start", "period_end", "value", "bound"]
    missing = [column for column in needed if column not in facts]
    if missing:
        raise UserError(f"facts lack the column {', '.join(missing)}; give the table of reconcile.facts")
    facts = one_part(facts)
    start, end = pd.to_datetime(facts["period_start"]), pd.to_datetime(facts["period_end"])
    days = (end - start).dt.days + 1
    # A page of 29 December that sums up the year counts the year.
    whole = (start.dt.strftime("%m-%d") == "01-01") & days.between(358, 366) & (start.dt.year == end.dt.year)
    part = (start.dt.year == end.dt.year) & days.between(MOST_OF_A_YEAR, 357) & incomplete
    table = facts[(whole | part) & (facts["kind"] == "count") & ~facts["cumulative"].astype(bool)].copy()
    table["year"] = start[table.index].dt.year
    table["exposure"] = (days / 365.25).where(~whole, 1.0)[table.index]
    words = table["hedge"] if "hedge" in table else pd.Series("", index=table.index)
    admitted = hedges.load()
    ends = [
        admitted.interval(float(value), bound, word, reading, printed=printed)
        for value, bound, word, printed in zip(
            table["value"], table["bound"], words, hedges.printed_ends(table), strict=True
        )
    ]
    table["low"], table["high"] = ([end[side] for end in ends] for side in (0, 1))
    return table.sort_values([*KEYS, "year"], kind="stable")


@takes(level="share")
def growth_table(
    facts: pd.DataFrame,
    phi: float = OFFICIAL,
    level: float = 0.95,
    reading: str = "rounding",
    *,
    incomplete: bool = False,
) -> pd.DataFrame:
    """Compare each pair of years of one compiler, articles, measure, scope and unit.

    Parameters
    ----------
    facts
        Counts, one row per fact as in `reconcile.facts`; a column `hedge` gives the printed hedge.
    phi
        Variance over mean that the interval assumes.
    level
        Coverage of the intervals.
    reading
        How a printed bound is read (data/hedges.csv).
    incomplete
        Whether counts of most of a year are compared too, by the day.

    Returns
    -------
    DataFrame
        One row per pair of years:

        - compiler, articles, measure, scope, unit: of both counts
        - from_year, to_year, from_count, to_count: the two counts
        - incomplete: whether one of them covers a part of its year
        - ratio: later over earlier count
        - low, high: interval of the ratio of the rates behind them, for a variance of `phi` times the mean; where a
          number is rounded or bounded, at the worst ends of what it stands for
        - refused: why there is no ratio, else blank
        - ids: statements behind both counts, joined by spaces

    Raises
    ------
    UserError
        If a column is missing, or `reading` is unknown.

    References
    ----------
    McCullagh & Nelder (1989): log ratio ± z √(φ/x₁ + φ/x₂), see `exact.assumed_dispersion`.
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
            rows.append(row | _ratio(first, second, phi, level) | {"ids": once([first["ids"], second["ids"]])})
    columns = [*KEYS, "from_year", "to_year", "from_count", "to_count", "incomplete", "ratio", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "refused", "ids"])


def _ratio(first: pd.Series[Any], second: pd.Series[Any], phi: float, level: float) -> dict[str, Any]:
    for row in (first, second):
        if row["high"] == float("inf"):
            return {"refused": f"{_describe(row)} is open to one side: no ratio has two limits"}
    if first["value"] == 0 or second["value"] == 0:
        return {"refused": "a count is 0: the ratio has one limit only"}
    # the lowest ratio has the smallest second and the largest first count, the highest the other way round
    t2, t1 = float(second["exposure"]), float(first["exposure"])
    (least,) = exact.assumed_dispersion(max(second["low"], 1), first["high"], [phi], t2, t1, level)
    (most,) = exact.assumed_dispersion(second["high"], max(first["low"], 1), [phi], t2, t1, level)
    ratio = second["value"] / t2 / (first["value"] / t1)
    return {"ratio": ratio, "low": least.low, "high": most.high, "refused": ""}


class YearPair(NamedTuple):
    """Two counts of one thing by one counter, for a sentence: their years, ratio and its interval as a rate.

    `ids`: the statements behind both.
    """

    compiler: str
    articles: str
    measure: str
    from_year: int
    to_year: int
    from_count: float
    to_count: float
    ratio: float
    low: float
    high: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed."""
        counts = f"{self.to_count:,.0f} ÷ {self.from_count:,.0f}"
        ends = "end of the interval of the ratio of the rates behind the counts, which vary by chance:"
        return {"ratio": counts, "low": f"lower {ends} {counts}", "high": f"upper {ends} {counts}"}


def pair(
    pairs: pd.DataFrame, compiler: str, articles: str, measure: str, from_year: int, to_year: int
) -> YearPair | Refused:
    """Select one row of `growth_table`, for a sentence; refused where it has no such row, or no ratio in it.

    Parameters
    ----------
    pairs : DataFrame
        The table that `growth_table` returns.
    compiler, articles, measure : str
        Who counted, under which articles, and what.
    from_year, to_year : int
        The years of the earlier and of the later count.

    Returns
    -------
    YearPair or Refused
        The row, or why there is no ratio.
    """
    columns = ["compiler", "articles", "measure", "from_year", "to_year"]
    own = pairs[pairs[columns].eq([compiler, articles, measure, from_year, to_year]).all(axis=1)]
    if own.empty:
        what = f"{vocabulary.MEASURES[measure]}, {vocabulary.articles_label(articles)}"
        years = f"{from_year} and {to_year}"
        return Refused(f"{compiler}'s counts of {years} ({what}) are not both among the published numbers", "")
    row = own.iloc[0]
    return Refused(row["refused"], "") if row["refused"] else YearPair(*row[[*YearPair._fields]])


@takes(pairs="growth.growth_table(facts): from_year to_year")
def first_highest_last(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep the pairs among three years of one series: its first, the one with the highest count, and its last.

    Parameters
    ----------
    pairs : DataFrame
        Rows of `growth_table`, of one series.

    Returns
    -------
    DataFrame
        Those of the rows, three or fewer, in their order.
    """
    if pairs.empty:
        return pairs
    highest = pairs["to_year"].iloc[int(pairs["to_count"].argmax())]
    years = [pairs["from_year"].min(), highest, pairs["to_year"].max()]
    return pairs[pairs["from_year"].isin(years) & pairs["to_year"].isin(years)]


@takes(pairs="growth.growth_table(facts): incomplete ratio", level="share")
def factors(pairs: pd.DataFrame, *, phi: float, level: float) -> pd.DataFrame:
    """Make the table of `plots.growth` from rows of `growth_table`.

    Parameters
    ----------
    pairs
        Rows of `growth_table`, in the order in which they are drawn.
    phi, level
        The values that `growth_table` was called with.

    Returns
    -------
    DataFrame
        - series: what is counted and by whom, in words
        - label: the two years, in words
        - articles, measure, compiler: as in `pairs`
        - factor, low, high: rounded to two decimals
        - level: coverage in percent
        - dispersion: `phi`, rounded to one decimal
        - ids: statements behind the row, joined by spaces
    """
    daily = pairs["incomplete"].map({True: ", by the day", False: ""})
    words = pd.DataFrame({
        "series": vocabulary.label(pairs, *_NAMED),
        "label": pairs["from_year"].astype(str) + " → " + pairs["to_year"].astype(str) + daily,
    })  # fmt: skip
    numbers = pairs[["ratio", "low", "high"]].astype(float).round(2).rename(columns={"ratio": "factor"})
    table = pd.concat([words, pairs[["articles", "measure", "compiler"]], numbers], axis=1)
    return table.assign(level=100 * level, dispersion=round(phi, 1), ids=pairs["ids"])


def with_intervals(factors: pd.DataFrame) -> pd.DataFrame:
    """Add the column `interval` to `factors`: `1.52 to 2.55`."""
    low, high = (factors[name].map("{:.2f}".format).astype(str) for name in ("low", "high"))
    return factors.assign(interval=low + " to " + high)


def dispersions(counts: Sequence[float], phis: Sequence[float], level: float = 0.95) -> pd.DataFrame:
    """Ratios of three counts under assumed dispersions.

    Parameters
    ----------
    counts
        Counts of three years, in order.
    phis
        Assumed values of variance over mean.
    level
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        One row per dispersion:

        - assumed: the dispersion
        - `527 → 887` and so on, one column per pair of counts: the ratio and the factor that it is multiplied and
          divided by, in words; no such column where a count is missing
    """
    if any(map(pd.isna, counts)):
        return pd.DataFrame({"assumed": []})
    table = pd.DataFrame({"assumed": phis})
    first, second, third = counts
    for earlier, later in [(first, second), (second, third), (first, third)]:
        rows = exact.assumed_dispersion(later, earlier, phis, level=level)
        table[f"{earlier:,.0f} → {later:,.0f}"] = [f"{row.ratio:.2f} ×/÷ {row.factor:.2f}" for row in rows]
    return table


def annual_trends(facts: pd.DataFrame, level: float = 0.95, minimum_df: int = 0) -> pd.DataFrame:
    """Fit a log-linear trend to the yearly counts of each series of two or more years.

    Parameters
    ----------
    facts
        Counts, one row per fact as in `reconcile.facts`.
    level
        Coverage of the intervals.
    minimum_df
        Residual degrees of freedom below which a trend is refused.

    Returns
    -------
    DataFrame
        One row per series and model:

        - compiler, articles, measure, scope, unit: the series
        - first_year, last_year, n: its counts
        - model: the law
        - growth, low, high: factor per year and its interval (also where the trend is refused for few counts)
        - dispersion, df_resid: of the fit
        - refused: why there is no trend, else blank
        - doubts: warnings beside the number
        - ids: statements behind the counts, joined by spaces

    Raises
    ------
    UserError
        If a column is missing.
    """
    rows = []
    for key, group in _groups(yearly(facts)):
        if len(group) < 2:
            continue
        years = [int(year) for year in group["year"]]
        for model in _MODELS:
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
                if fitted.df_resid < minimum_df:
                    row["refused"] = _few(row, minimum_df)
            rows.append(row | {"ids": once(group["ids"])})
    columns = [*KEYS, "first_year", "last_year", "n", "model", "growth", "low", "high", "dispersion", "df_resid"]
    return pd.DataFrame(rows, columns=[*columns, "refused", "doubts", "ids"])


def _few(row: dict[str, Any], minimum_df: int) -> str:
    """Refusal of a trend with few degrees of freedom; where phi is estimated, with the interval it would have."""
    words = f"{row['n']} counts leave {row['df_resid']:.0f} residual degree{'s' * (row['df_resid'] != 1)} of freedom"
    if row["model"] == "quasi-poisson":
        words += f"; its interval would run from ×{row['low']:.2f} to ×{row['high']:.0f} a year"
    return f"{words} (needs: at least {minimum_df + row['n'] - row['df_resid']:.0f} counts)"


def trend_words(trends: pd.DataFrame) -> pd.DataFrame:
    """Put rows of `annual_trends` into words: series, model, n, growth (with its interval), why (refusal or doubts)."""
    years = trends["first_year"].astype(str) + "–" + trends["last_year"].astype(str)
    holds = trends["refused"].eq("")
    growth = [
        f"×{row.growth:.3f} ({row.low:.3f} to {row.high:.3f})" if shown else LACKING
        for row, shown in zip(trends.itertuples(), holds, strict=True)
    ]
    return trends[["model", "n"]].assign(
        series=vocabulary.label(trends, *_NAMED) + ", " + years,
        growth=growth,
        why=trends["refused"].where(~holds, trends["doubts"]),
    )


def _trend(
    group: pd.DataFrame, years: list[int], model: regression.Model, level: float
) -> regression.Regression | Refused:
    twice = sorted({year for year in years if years.count(year) > 1})
    if twice:
        return Refused(f"{twice[0]} has more than one count", "one count a year")
    loose = group[group["bound"] != "exact"]
    if len(loose):
        return Refused(f"{_describe(loose.iloc[0])} is no exact count", "exact counts, or the composite model")
    grid = annual(years, [float(value) for value in group["value"]])
    return memo.recall(_linear, grid, model, level)


def _linear(grid: Grid, model: regression.Model, level: float) -> regression.Regression | Refused:
    return regression.fit_trend(grid, terms.parse("linear"), model, level=level)


def _groups(years: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for key, group in years.groupby(KEYS, sort=True):
        yield dict(zip(KEYS, key, strict=True)), group


def _describe(row: pd.Series[Any]) -> str:
    return f"{row['bound'].replace('_', ' ')} {row['value']:.0f} in {row['year']}"
