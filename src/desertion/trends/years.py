"""Numbers by year: the cases counted, the level behind them and its growth, each number with one interval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion.text import MONTH
from desertion.trends import LACKING, Refused, composite
from desertion.trends.composite import Fit
from desertion.trends.counts import behind
from desertion.trends.growth import OFFICIAL
from desertion.trends.rounded import Panel, carried, fitted, statements

#: Scopes in the words of a table.
SCOPES = {"whole": "all parts", "mobilisation_parts": "newer parts"}
_COUNTS = ["scope", "least", "most", "count", "count_low", "count_high"]
_LEVELS = ["mean", "low", "high", "prior_driven", "ratio", "ratio_low", "ratio_high"]


def totals(panels: Mapping[str, Panel]) -> pd.DataFrame:
    """Cases of each calendar year (or the part that reports reach), the level behind them and its growth.

    Parameters
    ----------
    panels
        Fits and series, by name; a fit that carries no levels is one row without numbers.

    Returns
    -------
    DataFrame
        - what: name of the panel
        - period_start, period_end: first and last day
        - scope, least, most: as in `composite.counts`
        - count, count_low, count_high: median and interval of the number of cases, as in `composite.counts`
        - mean, low, high: expected number of cases (the level) and its interval, not rounded
        - prior_driven: whether no report informs the period
        - ratio, ratio_low, ratio_high: daily rate over that of the year before; missing where that is not a whole year
        - refused: why there is no level or no growth, else blank
        - ids: statements behind the fit, joined by spaces
    """
    rows: list[dict[Any, Any]] = []
    for what, panel in panels.items():
        fit, series = fitted(panel), panel.series
        refused = carried(fit)
        if isinstance(fit, Refused) or refused is not None:
            ids = "" if isinstance(fit, Refused) else statements(fit)
            rows.append({"what": what, "refused": str(refused), "ids": ids})
            continue
        before: int | None = None
        counted = composite.counts(fit, "year", series).rename(
            columns={"median": "count", "low": "count_low", "high": "count_high"}
        )
        levels = fit.totals("year", series).to_dict("records")
        for row, count in zip(levels, counted[_COUNTS].to_dict("records"), strict=True):
            year = row["period_start"].year if (row["period_end"] - row["period_start"]).days >= 364 else None
            line = row | count | {"what": what, "refused": "", "ids": statements(fit)}
            if before is not None and year == before + 1:
                growth = fit.growth(before, year, series)
                if isinstance(growth, Refused):
                    line["refused"] = str(growth)
                else:
                    line |= {"ratio": growth["ratio"], "ratio_low": growth["low"], "ratio_high": growth["high"]}
            rows.append(line)
            before = year
    return pd.DataFrame(rows, columns=["what", "period_start", "period_end", *_COUNTS, *_LEVELS, "refused", "ids"])


def levels(totals: pd.DataFrame) -> pd.DataFrame:
    """Put rows of `totals` into words.

    Returns
    -------
    DataFrame
        - what, ids: as in `totals`
        - period: `2024`, or `2025, Jan to May`
        - scope: which parts of the articles the number of cases is of
        - count, count_interval: the number of cases, `exact` where the reports fix it; blank where they do not count
          all days of the period
        - expected, interval: level in whole cases; `not enough data` and the reason where the fit carries no levels
        - growth: ratio of the level to the year before with its interval, or the reason why there is none
    """
    rows = []
    for row in totals.to_dict("records"):
        words = dict.fromkeys(["scope", "count", "count_interval", "growth"], "")
        words |= {"period": "all", "expected": LACKING, "interval": row["refused"]}
        if pd.notna(row["mean"]):
            exact, known = row["least"] == row["most"], not row["prior_driven"]
            if np.isfinite(row["most"]):
                words |= {
                    "scope": scopes(row["scope"]), "count": f"{row['count']:,.0f}",
                    "count_interval": "exact" if exact else f"{row['count_low']:,.0f} to {row['count_high']:,.0f}",
                }  # fmt: skip
            words |= {
                "period": _period(row["period_start"], row["period_end"]),
                "expected": f"{row['mean']:,.0f}" if known else LACKING,
                "interval": f"{row['low']:,.0f} to {row['high']:,.0f}" if known else "",
                "growth": f"×{row['ratio']:.2f} ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
                if pd.notna(row["ratio"])
                else row["refused"],
            }
        rows.append(words | {"what": row["what"], "ids": row["ids"]})
    columns = ["what", "period", "scope", "count", "count_interval", "expected", "interval", "growth", "ids"]
    return pd.DataFrame(rows, columns=columns)


def scopes(scope: str) -> str:
    """The column `scope` of `composite.counts` in words."""
    return " and ".join(SCOPES.get(one, one) for one in scope.split(" + "))


def _period(first: date, last: date) -> str:
    """`2024`, or `2025, Jan to May`."""
    if (first.month, last.month) == (1, 12) and first.year == last.year:
        return str(first.year)
    return f"{first.year}, {first:%b} to {last:%b}"


def readings(fit: Fit | Refused) -> list[str]:
    """Notes on the reports that a fit does not take as printed, or not at all; none where there is no fit."""
    if isinstance(fit, Refused):
        return []
    read = [(name, why) for name, why in zip(fit.obs.ids, fit.obs.why, strict=False) if why]
    left = fit.obs.omitted
    notes = ["Counts of all parts, read as limits of the newer ones: " + _listed(read) + "."] if read else []
    if left is not None:
        notes.append("Left out, since each case counts once: " + _listed(zip(left.ids, left.why, strict=True)) + ".")
    return notes


def _listed(reports: Any) -> str:
    return "; ".join(f"{' less '.join(behind(name))}, {why}" for name, why in reports)


class Scatter(NamedTuple):
    """Variance over mean of counts about their rate, and in words where it is from."""

    phi: float
    source: str

    @property
    def recipes(self) -> dict[str, str]:
        """How it is computed, for a sentence."""
        return {"phi": f"variance ÷ mean of the counts about their rate, {self.source}"}


def scatter(fit: Fit | Refused, assumed: float | None) -> Scatter:
    """How much counts scatter: as assumed, as a fit that carries levels estimates it, or as official counts do.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series.
    assumed : float or None
        Assumed variance over mean, 1 for Poisson counts; None: not assumed.

    Returns
    -------
    Scatter
        Variance over mean, and where it is from.
    """
    if assumed is not None:
        return Scatter(assumed, "as assumed here")
    if isinstance(fit, Refused) or carried(fit) is not None:
        return Scatter(OFFICIAL, "as official counts of 2013 to 2021 do")
    return Scatter(float(1 + fit.posterior.averaged(fit.hyper("delta"))), "as the reports of these cases show")


def rates(pairs: pd.DataFrame, fits: Mapping[tuple[str, str, str], Panel]) -> pd.DataFrame:
    """Give pairs of years that a fit covers the interval of the fit.

    A growth factor has one interval, whichever table prints it: that of the fit to all reports of its series, which
    knows the two counts and what lies between them, and estimates how much counts scatter.

    Parameters
    ----------
    pairs
        Rows of `growth.growth_table`.
    fits
        Fit and series of a compiler, articles and measure.

    Returns
    -------
    DataFrame
        `pairs` with `low` and `high` of the rate's growth where the fit carries it and reports reach both years.
    """
    made = pairs.copy()
    for at, row in pairs.iterrows():
        panel = fits.get((row["compiler"], row["articles"], row["measure"]))
        fit = None if panel is None else fitted(panel)
        if panel is None or not isinstance(fit, Fit) or row["refused"] or row["incomplete"]:
            continue
        years = int(row["from_year"]), int(row["to_year"])
        reached = fit.starts[0] <= date(years[0], 1, 1) and fit.ends[-1] >= date(years[1], 12, 31)
        grown = fit.growth(*years, panel.series) if reached and carried(fit, "growth") is None else None
        if isinstance(grown, dict):
            made.loc[at, ["low", "high"]] = np.array([grown["low"], grown["high"]])
    return made


class Cases(NamedTuple):
    """Cases of a period, for a sentence: median and interval to tens, in words what they are of, and mean of a month.

    `hundreds`: the median to hundreds. `last`: last day of the period, of so many `days`.
    """

    number: float
    low: float
    high: float
    scope: str
    ids: str
    monthly: float
    hundreds: float
    last: date
    days: int

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        ends = "end of the interval of the number of cases, by the fit to all reports, to tens"
        return {
            "number": "median of the numbers of cases that all reports together leave possible, to tens",
            "low": f"lower {ends}",
            "high": f"upper {ends}",
            "hundreds": f"{self.number:,.0f}, rounded to hundreds",
            "monthly": f"{self.number:,.0f} ÷ {self.days} days × 30.4 days",
        }


def cases(fit: Fit | Refused, year: int) -> Cases | Refused:
    """The cases of one year.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series, the reference of which is counted.
    year : int
        The year.

    Returns
    -------
    Cases or Refused
        Refused where the fit carries no levels or reports do not reach over all of the year.
    """
    return _cases(fit, date(year, 1, 1), date(year, 12, 31), f"all of {year}")


def after(fit: Fit | Refused, year: int) -> Cases | Refused:
    """The cases from the end of a year to the last day of the reports.

    Parameters
    ----------
    fit : Fit or Refused
        The fit of a series, the reference of which is counted.
    year : int
        The year.

    Returns
    -------
    Cases or Refused
        Refused as in `cases`, and where these are less than two months: so few days show no course of a year.
    """
    if isinstance(fit, Refused):
        return fit
    last = fit.ends[-1]
    if (last - date(year, 12, 31)).days < 59:
        return Refused(f"the reports end on {last}", f"two months of reports after {year}")
    return _cases(fit, date(year + 1, 1, 1), last, f"{year + 1} to {last}")


def _cases(fit: Fit | Refused, first: date, last: date, what: str) -> Cases | Refused:
    if isinstance(fit, Refused):
        return fit
    if (lacking := carried(fit)) is not None:
        return lacking
    if fit.starts[0] > first or fit.ends[-1] < last:
        reached = f"from {fit.starts[0]} to {fit.ends[-1]}"
        return Refused(f"the reports reach {reached}, not over {what}", f"reports of {what.removeprefix('all of ')}")
    row = composite.counts(fit, [(first, last)]).iloc[0]
    number, low, high = (round(float(row[name]), -1) for name in ("median", "low", "high"))
    days = (last - first).days + 1
    ids, monthly = statements(fit), number / days * MONTH
    return Cases(number, low, high, scopes(row["scope"]), ids, monthly, round(number, -2), last, days)
