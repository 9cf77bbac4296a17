"""Bounds on convictions that no counter publishes, from official totals of all offences (partial identification).

The official form has not named articles since 2022, only all persons convicted by garrison courts. Of these an unknown
number, the others, was convicted of other offences. What is known of absence, desertion and evasion (Art. 337 to 339)
is then an interval: the total less the greatest and less the least number of others. One assumption about the others
narrows it, and is worth as much as that assumption (Manski's law of decreasing credibility).

Horowitz & Manski (2000), Journal of the American Statistical Association 95: 77–84; Manski (2003), Partial
Identification of Probability Distributions, chapter 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from desertion.arguments import takes
from desertion.errors import ArgumentError, UserError
from desertion.params.known import OTHER_OFFENCES as OTHER_OFFENCES
from desertion.text import MONTH, period
from desertion.trends import Refused
from desertion.trends.growth import MOST_OF_A_YEAR

#: Who counts all offences, and who counts those of the articles.
OFFICIAL, COUNTER, ARTICLES = "Judicial Department", "The Insider", "337+338+339"
#: Fewest days of a count of a year.
_YEAR = 358
_NEEDS = "articles measure compiler kind scope cumulative bound value days period_start period_end ids"


@takes(facts=f"reconcile.facts(data): {_NEEDS}")
def halves(facts: pd.DataFrame, articles: str = "all") -> pd.DataFrame:
    """List the official numbers of persons convicted by half-year; a year of which no half is known stands whole.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    articles : str
        `all` for all offences, `ch33` for those against military service.

    Returns
    -------
    DataFrame
        One row per period, in their order:

        - period_start, period_end: its first and its last day
        - share: days of its year that it covers, as a share
        - total: persons convicted
        - how: `as printed`, or `year less first half`
        - ids: statements behind the number, joined by spaces

    Raises
    ------
    UserError
        If a year has fewer persons than its first half.
    """
    own = _persons(facts, OFFICIAL, articles)
    starts, ends = own["period_start"].dt.strftime("%m-%d"), own["period_end"].dt.strftime("%m-%d")
    years, firsts = (own[starts.eq("01-01") & ends.eq(end)] for end in ("12-31", "06-30"))
    rows = []
    for year in sorted({*years["period_start"].dt.year, *firsts["period_start"].dt.year}):
        whole, first = (part[part["period_start"].dt.year.eq(year)].tail(1) for part in (years, firsts))
        start, middle, end = (pd.Timestamp(f"{year}-{day}") for day in ("01-01", "07-01", "12-31"))
        if first.empty or whole.empty:
            known = whole if first.empty else first
            last = known["period_end"].iloc[0]
            rows.append((start, last, known["value"].iloc[0], "as printed", known["ids"].iloc[0]))
            continue
        early, total = float(first["value"].iloc[0]), float(whole["value"].iloc[0])
        if early > total:
            raise UserError(f"{year}: the first half has {early:,.0f} persons convicted, the year {total:,.0f}")
        rows.append((start, middle - pd.Timedelta(days=1), early, "as printed", first["ids"].iloc[0]))
        both = f"{whole['ids'].iloc[0]} {first['ids'].iloc[0]}"
        rows.append((middle, end, total - early, "year less first half", both))
    table = pd.DataFrame(rows, columns=["period_start", "period_end", "total", "how", "ids"])
    table = table.astype({"period_start": "datetime64[ns]", "period_end": "datetime64[ns]", "total": float})
    return table.assign(share=_share(table))


@takes(facts=f"reconcile.facts(data): {_NEEDS}")
def level_of_others(facts: pd.DataFrame, year: int) -> float | Refused:
    """The others in `year`: the official total less what the counter saw, taken to a year by the day.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    year : int
        The year, of which the counter may have seen a part of 200 days or more.

    Returns
    -------
    float or Refused
        Persons a year, rounded; refused where one of the two is not known. The counter may have missed some: then the
        others were fewer.
    """
    total, seen = _of_year(facts, OFFICIAL, "all", year), _of_year(facts, COUNTER, ARTICLES, year)
    if isinstance(total, Refused):
        return total
    if isinstance(seen, Refused):
        return seen
    return round(total.value - seen.value / seen.share)


@takes(totals="bounds.halves(facts): period_start period_end share total how ids")
def bounds(
    totals: pd.DataFrame, chapter: pd.DataFrame, others: float | Refused, span: tuple[float, float] = OTHER_OFFENCES
) -> pd.DataFrame:
    """Bound the persons convicted of the articles in each period.

    Parameters
    ----------
    totals, chapter : DataFrame
        The table of `halves` for all offences, and for chapter 33, which holds the articles.
    others : float or Refused
        The assumed number of others, in persons a year.
    span : tuple of float
        The least and the greatest number of others, in persons a year.

    Returns
    -------
    DataFrame
        The rows of `totals`, and

        - period: its name
        - low, high: total less the greatest and less the least number of others, never below 0
        - at: total less the assumed number; NaN where that is refused, or contradicted by `chapter`
        - chapter: persons convicted under chapter 33, which `high` cannot exceed; NaN where it is not known

    Raises
    ------
    ArgumentError
        If `span` does not ascend from 0 or more.

    References
    ----------
    Horowitz & Manski (2000); Manski (2003), chapter 1.
    """
    least, most = span
    if not 0 <= least <= most:
        raise ArgumentError(f"span {span!r}: must be two numbers of persons a year that ascend, from 0 on")
    assumed = float("nan") if isinstance(others, Refused) else float(others)
    table = totals.merge(
        chapter[["period_start", "period_end", "total", "ids"]].rename(columns={"total": "chapter", "ids": "more"}),
        on=["period_start", "period_end"], how="left",
    )  # fmt: skip
    left = {side: (table["total"] - table["share"] * level).clip(lower=0)
            for side, level in (("low", most), ("at", assumed), ("high", least))}  # fmt: skip
    left["high"] = left["high"].where(table["chapter"].isna(), left["high"].clip(upper=table["chapter"]))
    left["low"] = left["low"].clip(upper=left["high"])
    left["at"] = left["at"].where(left["at"].le(left["high"]))
    ids = (table["ids"] + " " + table["more"].fillna("")).str.strip()
    names = [period(start, end) for start, end in zip(table["period_start"], table["period_end"], strict=True)]
    return table.drop(columns="more").assign(**left, ids=ids, period=pd.Series(names, table.index, dtype=object))


def doubts(table: pd.DataFrame, others: float | Refused) -> list[str]:
    """Name the periods in which chapter 33 leaves more others than assumed.

    Parameters
    ----------
    table : DataFrame
        The table of `bounds`.
    others : float or Refused
        The assumed number of others, in persons a year.

    Returns
    -------
    list of str
        One line per period; none where no number is assumed.
    """
    if isinstance(others, Refused):
        return []
    least = (table["total"] - table["chapter"]) / table["share"]
    names = zip(table["period"], least, strict=True)
    return [
        f"{name}: chapter 33 leaves {floor:,.0f} others a year at least." for name, floor in names if floor > others
    ]


class Unpublished(NamedTuple):
    """What official totals of two years leave for the articles, for a sentence.

    `first`, `last`: persons convicted if the others were `others` in both years; `growth` between them, `low` and
    `high` over the range of others. `seen`: growth by the counter; `covered_first`, `covered_last`: percent of `first`
    and `last` that it counted. `floor_first`, `floor_last`: percent that it counted of all persons convicted, the least
    that it can have covered. `free_low`, `free_high`: growth where the others may differ from year to year and the
    counter saw some, at least, of those convicted.
    """

    others: float
    first: float
    last: float
    growth: float
    low: float
    high: float
    seen: float
    covered_first: float
    covered_last: float
    floor_first: float
    floor_last: float
    free_low: float
    free_high: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        t1, t2 = (each + self.others for each in (self.first, self.last))
        x1, x2 = (f"{floor * total / 100:,.0f}" for floor, total in ((self.floor_first, t1), (self.floor_last, t2)))
        ends = sorted(OTHER_OFFENCES, reverse=t2 < t1)
        growth, low, high = (f"({t2:,.0f} − {less:,.0f}) ÷ ({t1:,.0f} − {less:,.0f})" for less in (self.others, *ends))
        return {
            "others": "official total of 2022 less what The Insider counted, taken to a year; or as assumed",
            "growth": growth, "low": low, "high": high,
            "covered_first": f"100 × {x1} ÷ ({t1:,.0f} − {self.others:,.0f})",
            "covered_last": f"100 × {x2} ÷ ({t2:,.0f} − {self.others:,.0f})",
            "floor_first": f"100 × {x1} ÷ {t1:,.0f}", "floor_last": f"100 × {x2} ÷ {t2:,.0f}",
            "free_low": f"{x2} ÷ {t1:,.0f}", "free_high": f"{t2:,.0f} ÷ {x1}", "seen": f"{x2} ÷ {x1}",
        }  # fmt: skip


@takes(facts=f"reconcile.facts(data): {_NEEDS}")
def unpublished(
    facts: pd.DataFrame, others: float | Refused, years: tuple[int, int], span: tuple[float, float] = OTHER_OFFENCES
) -> Unpublished | Refused:
    """Say what the official totals of two years leave for the articles, beside the counts of the counter.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    others : float or Refused
        The assumed number of others, in persons a year.
    years : tuple of int
        The earlier and the later year.
    span : tuple of float
        The least and the greatest number of others, in persons a year.

    Returns
    -------
    Unpublished or Refused
        Refused where a count is not known, and where the others would be all that were convicted.
    """
    if isinstance(others, Refused):
        return others
    counts: list[_Count] = []
    for year in years:
        for who, articles in ((OFFICIAL, "all"), (COUNTER, ARTICLES)):
            count = _of_year(facts, who, articles, year, whole=True)
            if isinstance(count, Refused):
                return count
            counts.append(count)
    t1, x1, t2, x2 = (count.value for count in counts)
    if max(others, *span) >= min(t1, t2):
        return Refused(f"{max(others, *span):,.0f} others are all of the {min(t1, t2):,.0f} convicted in a year", "")
    # Growth is monotone in a level of others that both years share: its ends are those of the range.
    ends = [(t2 - level) / (t1 - level) for level in span]
    return Unpublished(
        others=others, first=t1 - others, last=t2 - others, growth=(t2 - others) / (t1 - others),
        low=min(ends), high=max(ends), seen=x2 / x1,
        covered_first=100 * x1 / (t1 - others), covered_last=100 * x2 / (t2 - others),
        floor_first=100 * x1 / t1, floor_last=100 * x2 / t2, free_low=x2 / t1, free_high=t2 / x1,
        ids=" ".join(count.ids for count in counts),
    )  # fmt: skip


def by_level(facts: pd.DataFrame, levels: Sequence[float | Refused], years: tuple[int, int]) -> pd.DataFrame:
    """Say what official totals leave at each of several numbers of others, for a table.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    levels : sequence of float or Refused
        Numbers of others, in persons a year.
    years : tuple of int
        The earlier and the later year.

    Returns
    -------
    DataFrame
        One row per number, the least first, without those at which `unpublished` is refused:

        - others: persons a year convicted of other offences
        - first, last, growth, covered_first, covered_last: as in `Unpublished`
        - doubt: why this number of others cannot be, blank where it can
        - ids: statements behind the row, joined by spaces
    """
    known = [unpublished(facts, level, years) for level in levels]
    rows = pd.DataFrame([one for one in known if isinstance(one, Unpublished)], columns=list(Unpublished._fields))
    rows = rows.drop_duplicates("others").sort_values("others", ignore_index=True)
    over = rows[["covered_first", "covered_last"]].max(axis=1).gt(100)
    doubt = over.map({True: f"{COUNTER} counted more than this leaves", False: ""})
    return rows[["others", "first", "last", "growth", "covered_first", "covered_last", "ids"]].assign(doubt=doubt)


@takes(table="bounds.bounds(totals, chapter, others): total low high at", facts=f"reconcile.facts(data): {_NEEDS}")
def by_month(table: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Make the table of `plots.unpublished`: bounds, official totals and the counter's counts, in persons a month.

    Parameters
    ----------
    table : DataFrame
        The table that `bounds` returns.
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.

    Returns
    -------
    DataFrame
        One row per period and counter; none where no official total is known:

        - compiler, articles, measure: who counted, and what
        - period_start, period_end: the first and the last day
        - count: persons convicted
        - value: the same a month (of 30.4375 days)
        - low, high, at: the bounds a month, of official totals alone; no `at` where no number of others is assumed
        - ids: statements behind the row, joined by spaces
    """
    seen = _persons(facts, COUNTER, ARTICLES)
    seen = seen[seen["days"].ge(MOST_OF_A_YEAR) & bool(len(table))].rename(columns={"value": "count"})
    rows = pd.concat([
        table.rename(columns={"total": "count"}).assign(compiler=OFFICIAL, articles="all"),
        seen[["compiler", "articles", "period_start", "period_end", "count", "ids"]].sort_values("period_end"),
    ], ignore_index=True)  # fmt: skip
    months = ((rows["period_end"] - rows["period_start"]).dt.days + 1) / MONTH
    rates = {name: (rows[name] / months).astype(float).round(1) for name in ("low", "high", "at")}
    rows = rows.assign(measure="persons_convicted", value=(rows["count"] / months).astype(float).round(1), **rates)
    return rows[["compiler", "articles", "measure", "period_start", "period_end", "count", "value", *rates, "ids"]]


@takes(totals="bounds.halves(facts): period_start period_end share total ids")
def outside(totals: pd.DataFrame, chapter: pd.DataFrame) -> pd.DataFrame:
    """Compare all offences with chapter 33 where both are known: the others are these at least.

    Parameters
    ----------
    totals, chapter : DataFrame
        The table of `halves` for all offences and for chapter 33.

    Returns
    -------
    DataFrame
        One row per period of which both are known: period; total and chapter, persons convicted; outside, the
        difference; yearly, the difference taken to a year; ids, the statements behind it.
    """
    both = bounds(totals, chapter, Refused("no level is assumed", "")).dropna(subset="chapter")
    rest = both["total"] - both["chapter"]
    return both[["period", "total", "chapter", "ids"]].assign(outside=rest, yearly=(rest / both["share"]).round())


class _Count(NamedTuple):
    value: float
    share: float
    ids: str


def _persons(facts: pd.DataFrame, compiler: str, articles: str) -> pd.DataFrame:
    """Exact counts of persons convicted in all Russia, no running totals."""
    return facts[
        facts["compiler"].eq(compiler) & facts["articles"].eq(articles) & facts["measure"].eq("persons_convicted")
        & facts["kind"].eq("count") & facts["scope"].eq("whole") & facts["bound"].eq("exact")
        & ~facts["cumulative"].astype(bool)
    ]  # fmt: skip


def _share(periods: pd.DataFrame) -> pd.Series[float]:
    """Days of each period as a share of the days of its year."""
    start, end = periods["period_start"], periods["period_end"]
    share: pd.Series[float] = ((end - start).dt.days + 1) / (365 + start.dt.is_leap_year.astype(int))
    return share


def _of_year(facts: pd.DataFrame, compiler: str, articles: str, year: int, *, whole: bool = False) -> _Count | Refused:
    """The count of `year` of most days; refused where there is none of 200 days, or of the `whole` year."""
    own = _persons(facts, compiler, articles)
    own = own[own["period_start"].dt.year.eq(year) & own["period_end"].dt.year.eq(year)]
    own = own[own["days"].ge(_YEAR if whole else MOST_OF_A_YEAR)].sort_values("days", kind="stable")
    if own.empty:
        kind = "count of all" if whole else "count of most"
        return Refused(f"no {kind} of {year} by {compiler} is among the published numbers", "")
    last = own.iloc[[-1]]
    share = 1.0 if last["days"].iloc[0] >= _YEAR else float(_share(last).iloc[0])
    return _Count(float(last["value"].iloc[0]), share, str(last["ids"].iloc[0]))
