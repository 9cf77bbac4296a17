"""Ukraine beside Russia: the same model for both, and growth alone, since each counts another step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion.arguments import takes
from desertion.text import listed, period
from desertion.trends import Refused
from desertion.trends.composite import Fit
from desertion.trends.counts import Observations, behind
from desertion.trends.rounded import carried, statements

_COLUMNS = ["series", "step", "compiler", "kind", "period_start", "period_end", "value", "low", "high", "count", "ids"]


class Country(NamedTuple):
    """The fit of a country's counts, or its refusal, the step that they count in words, and who counted."""

    fit: Fit | Refused
    step: str
    compiler: str


@takes(context="data.context: series measure kind compiler period_start period_end cumulative value bound")
def as_facts(context: pd.DataFrame, series: str, articles: str) -> pd.DataFrame:
    """Give counts of one series of context.csv the form that `composite.fit_statements` takes.

    Parameters
    ----------
    context : DataFrame
        Statements of `data.context`, those that may be used.
    series : str
        The series.
    articles : str
        The article that it counts, in the law of its country.

    Returns
    -------
    DataFrame
        Indexed by `series/id`, the columns of `data.context` and `articles`, `scope` (whole), `chosen` (the id), and
        the ends of a printed range.
    """
    own = context[context["series"].eq(series) & context["kind"].eq("count")]
    facts = own.assign(
        articles=articles, scope="whole", chosen=own.index, printed_low=own["low"], printed_high=own["high"]
    )
    return facts.set_axis([f"{series}/{each}" for each in own.index])


def lacking(countries: Mapping[str, Country], year: int) -> Refused | None:
    """Decide whether countries can be compared since a year.

    Parameters
    ----------
    countries : mapping of str to Country
        Countries by name.
    year : int
        The first year, which the reports of each must reach over.

    Returns
    -------
    Refused or None
        None where they can, else why not: the first country whose fit carries no growth or is too short.
    """
    for name, (fit, *_) in countries.items():
        if refused := carried(fit, "growth"):
            return Refused(f"{name}: {refused.reason}", refused.needs)
        if isinstance(fit, Fit) and not _reaches(fit, year):
            return Refused(f"{name}: no count covers {year}", f"counts of {year}")
    return None


def _reaches(fit: Fit, year: int) -> bool:
    return fit.starts[0] <= date(year, 1, 1) and fit.ends[-1] >= date(year, 12, 31)


def indexed(countries: Mapping[str, Country], year: int) -> pd.DataFrame:
    """Divide the months of several fits by their average month of one year, for `plots.ukraine`.

    Parameters
    ----------
    countries : mapping
        Countries by name.
    year : int
        The year whose average month is 1.

    Returns
    -------
    DataFrame
        No row where `lacking` gives a reason.

        - `series, step, compiler`: the country, the step that is counted, and who counted
        - `kind`: `level` (the fitted level of a month of which reports cover half or more), `count` (an exact count of
          one month) or `latest` (the level of the months of the last year together)
        - `period_start, period_end`: first and last day
        - `value, low, high`: multiple of the average month of the year, with its interval (NaN for a count, which is
          what it is)
        - `count`: the number counted in the month; NaN for a level
        - `ids`: the statements behind the row, joined by spaces
    """
    rows: list[dict[str, object]] = []
    for name, (fit, step, compiler) in countries.items() if lacking(countries, year) is None else ():
        assert isinstance(fit, Fit)
        own = {"series": name, "step": step, "compiler": compiler}
        months = [span for span in zip(fit.starts, fit.ends, strict=True) if span[0].year >= year]
        covered = _covered(fit.obs, months)
        last = [
            span for span, whole in zip(months, covered, strict=True) if whole and span[0].year == months[-1][0].year
        ]
        spans = [(span, "level") for span, whole in zip(months, covered, strict=True) if whole]
        for span, kind in [*spans, *([((last[0][0], last[-1][1]), "latest")] if last else [])]:
            growth = fit.growth(year, span)
            if isinstance(growth, dict):
                rows.append(
                    own | {"kind": kind, "period_start": span[0], "period_end": span[1], "value": growth["ratio"],
                           "low": growth["low"], "high": growth["high"], "ids": statements(fit)}
                )  # fmt: skip
        rows += [own | row for row in _single(fit, year)]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[us]")
    table = table.astype(days | dict.fromkeys(("value", "low", "high", "count"), "float"))
    return table.round({"value": 2, "low": 2, "high": 2})


def gaps(table: pd.DataFrame) -> str:
    """Name the months between those of `indexed` that no report covers.

    Parameters
    ----------
    table : DataFrame
        The table of `indexed`.

    Returns
    -------
    str
        One sentence for each country that has such months; blank where none has.
    """
    words = []
    levels = table[table["kind"].eq("level")].sort_values("period_start", kind="stable")
    for series, part in levels.groupby("series", sort=False):
        after = part["period_start"].shift(-1) - pd.Timedelta(days=1)
        before = part["period_end"] + pd.Timedelta(days=1)
        missing = [period(a, b) for a, b in zip(before, after, strict=True) if pd.notna(b) and a <= b]
        words += [f"{series}: no month of {listed(missing)} was counted."] if missing else []
    return " ".join(words)


def _covered(obs: Observations, spans: Sequence[tuple[date, date]]) -> list[bool]:
    """Whether reports cover at least half of the days of each span."""
    first, last = int(obs.start.min()), int(obs.stop.max())
    days = np.zeros(last - first, bool)
    for start, stop in zip(obs.start, obs.stop, strict=True):
        days[start - first : stop - first] = True
    return [bool(days[a.toordinal() - first : b.toordinal() + 1 - first].mean() >= 0.5) for a, b in spans]


def _single(fit: Fit, year: int) -> Iterator[dict[str, object]]:
    """The exact counts of single months, as multiples of the average month of `year` of their own series."""
    obs, months = fit.obs, set(zip(fit.starts, fit.ends, strict=True))
    length = (date(year, 12, 31) - date(year - 1, 12, 31)).days
    for n in np.flatnonzero(obs.exact):
        first, last = obs.first(int(n)), obs.last(int(n))
        if (first, last) in months and first.year >= year:
            total = float(fit.totals([year], obs.series_names[obs.series[n]])["mean"].iloc[0])
            daily = float(obs.low[n]) / ((last - first).days + 1)
            yield {"kind": "count", "period_start": first, "period_end": last, "count": float(obs.low[n]),
                   "value": daily / total * length, "ids": " ".join(behind(obs.ids[n]))}  # fmt: skip


def growth(countries: Mapping[str, Country], years: Sequence[int]) -> pd.DataFrame:
    """Growth from year to year of several countries, for a table.

    Parameters
    ----------
    countries : mapping
        Countries by name.
    years : sequence of int
        The years, in order; each is compared with the one before.

    Returns
    -------
    DataFrame
        One row per country and pair of years that its reports reach and inform.

        - `series, step, years`: the country, the step that is counted, and `2022 → 2023`
        - `first, last`: the two years
        - `ratio, low, high`: daily rate in the later year over that in the earlier one, with its interval
        - `ids`: the statements behind the fit, joined by spaces
    """
    rows = []
    for name, (fit, step, _) in countries.items():
        for a, b in pairwise(years):
            if isinstance(fit, Refused) or carried(fit, "growth") or not (_reaches(fit, a) and _reaches(fit, b)):
                continue
            ratio = fit.growth(a, b)
            if isinstance(ratio, dict):
                own = {"series": name, "step": step, "years": f"{a} → {b}", "first": a, "last": b}
                rows.append(own | ratio | {"ids": statements(fit)})
    return pd.DataFrame(rows, columns=["series", "step", "years", "first", "last", "ratio", "low", "high", "ids"])


class CountryGrowth(NamedTuple):
    """The growth of one country from a year to another, for a sentence, with its interval."""

    first: int
    last: int
    ratio: float
    low: float
    high: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed."""
        ratio = f"level of {self.last} ÷ level of {self.first}, both a day, by the fit to all reports"
        return {"ratio": ratio} | {
            name: f"{end} end of the interval of: {ratio}" for name, end in (("low", "lower"), ("high", "upper"))
        }


def pair(table: pd.DataFrame, series: str, first: int, last: int) -> CountryGrowth | Refused:
    """Select the growth of one country between two years, for a sentence.

    Parameters
    ----------
    table : DataFrame
        The table of `growth`.
    series : str
        Name of the country.
    first, last : int
        The two years.

    Returns
    -------
    CountryGrowth or Refused
        The row; refused where there is none.
    """
    own = table[table["series"].eq(series) & table["first"].eq(first) & table["last"].eq(last)]
    if own.empty:
        return Refused(f"{series}: {first} and {last} are not both counted", "")
    return CountryGrowth(*own[list(CountryGrowth._fields)].iloc[0])
