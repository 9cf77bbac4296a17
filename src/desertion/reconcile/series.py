"""Series of facts: one count per year, later versions of a count, running totals of one day, sums of measures.

A series is of all Russia: a subset (a place, a part of an article, a kind of soldier) never enters one.
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.errors import UserError
from desertion.reconcile.ledger import REVISION
from desertion.text import MONTH

#: Days of a period that counts as a year: a part of a year that is shorter says nothing of it.
_LEAST, _MOST = 200, 366
#: What tells one series from another.
_SERIES = ["compiler", "measure", "articles", "scope"]


def national(facts: pd.DataFrame) -> pd.DataFrame:
    """Leave out the counts of a subset: of a place, a part of an article, an additional qualification, some soldiers.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`, or a part of it.

    Returns
    -------
    DataFrame
        Its rows whose scope is one of `vocabulary.NATIONAL`, in their order.
    """
    return facts[facts["scope"].isin(vocabulary.NATIONAL)]


def one_part(facts: pd.DataFrame) -> pd.DataFrame:
    """`facts` as they are. Raises UserError where they mix parts of the whole, or parts with the whole."""
    if "covers" in facts and facts["scope"].eq("subset").any():
        covered = facts["covers"].where(facts["scope"].eq("subset"), "all of Russia").unique()
        if len(covered) > 1:
            raise UserError(
                f"these counts are of {', '.join(covered[:4])}: one series is of one place or part; select it"
            )
    return facts


@takes(facts="reconcile.facts(data): cumulative days period_end compiler articles measure year")
def by_year(facts: pd.DataFrame) -> pd.DataFrame:
    """Select one count per year: of several that start in a year the one that reaches furthest.

    Parameters
    ----------
    facts : DataFrame
        Counts, as `reconcile.facts` returns them.

    Returns
    -------
    DataFrame
        The rows of `facts` that are no running totals nor of a subset and cover 200 to 366 days, by the end of their
        period; one per compiler, articles, measure and year.
    """
    facts = national(facts)
    counts = facts[~facts["cumulative"] & facts["days"].between(_LEAST, _MOST)].sort_values("period_end", kind="stable")
    return counts.groupby(["compiler", "articles", "measure", "year"]).tail(1)


@takes(facts="reconcile.facts(data): cumulative period_start period_end compiler measure articles scope value bound")
def by_period(facts: pd.DataFrame) -> pd.DataFrame:
    """List counts of periods that follow each other: of years, and after them what running totals added.

    A running total counts from one day on; the difference of two is the count of the days between them. Of the exact
    totals of one series the last of each calendar year is taken.

    Parameters
    ----------
    facts : DataFrame
        Counts, as `reconcile.facts` returns them.

    Returns
    -------
    DataFrame
        The rows of `by_year` of the whole, without a part of a year that running totals cover, and one row for each
        difference, with the columns of `facts` and

        - `monthly`: the count for each month (30.4375 days) of its period, to one decimal
    """
    facts = facts[facts["scope"].isin(["whole", "mobilisation_parts"])]
    years, added = by_year(facts[facts["scope"].eq("whole")]), _added(facts)
    same = years.reset_index().merge(added, on=_SERIES[:3], suffixes=("", "_added"))
    within = same["period_start"].ge(same["period_start_added"]) & same["period_end"].le(same["period_end_added"])
    counts = pd.concat([years.drop(same.loc[within & same["incomplete"], "fact"]), added])
    return counts.assign(monthly=(counts["value"] / counts["days"] * MONTH).round(1))


def _added(facts: pd.DataFrame) -> pd.DataFrame:
    """The differences of the last exact running totals of each year."""
    totals = facts[facts["cumulative"] & facts["bound"].eq("exact")].sort_values("period_end", kind="stable")
    totals = totals.assign(year=totals["period_end"].dt.year)
    totals = totals.groupby([*_SERIES, "period_start", "year"], as_index=False).tail(1)
    before = totals.groupby([*_SERIES, "period_start"])[["value", "period_end", "ids"]].shift()
    added = totals.assign(
        value=totals["value"] - before["value"],
        period_start=before["period_end"] + pd.Timedelta(days=1),
        ids=before["ids"] + " " + totals["ids"],
        cumulative=False,
        incomplete=False,
    )[before["value"].notna() & totals["value"].gt(before["value"])]
    middle = added["period_start"] + (added["period_end"] - added["period_start"]) / 2
    return added.assign(days=(added["period_end"] - added["period_start"]).dt.days + 1, year=middle.dt.year)


@takes(totals="reconcile.facts(data): articles period_end value ids")
def together(totals: pd.DataFrame, articles: Collection[str]) -> pd.DataFrame:
    """Select the running totals of the last day for which there is one of each of `articles`.

    Parameters
    ----------
    totals : DataFrame
        Running totals of one compiler and measure, as `reconcile.facts` returns them.
    articles : collection of str
        The articles that are compared.

    Returns
    -------
    DataFrame
        Indexed by articles, those of that day that are not in `articles` too; empty if there is no such day.

        - `value`: the running total
        - `period_end`: the day
        - `ids`: the statements behind it, joined by spaces
    """
    totals = national(totals)
    known = totals[totals["articles"].isin(articles)].groupby("period_end")["articles"].nunique()
    day = known[known.eq(len(articles))].index.max()
    return totals[totals["period_end"].eq(day)].groupby("articles")[["value", "period_end", "ids"]].first()


@takes(facts="reconcile.facts(data): value articles period_end", figures="data.figures: fact known")
def revised(facts: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """Select the counts that later pages give again.

    Parameters
    ----------
    facts : DataFrame
        Counts, as `reconcile.facts` returns them.
    figures : DataFrame
        The statements (`data.figures`).

    Returns
    -------
    DataFrame
        The rows of `facts` of which there is more than one version, by articles and day, with the column `known`: the
        day on which the first statement of this version was known.
    """
    facts = national(facts)
    versions = facts.assign(base=facts.index.str.replace(REVISION, "", regex=True))
    versions = versions[versions.groupby("base")["value"].transform("size").gt(1)]
    versions = versions.assign(known=figures.groupby("fact")["known"].min().reindex(versions.index))
    order = {"articles": True, "known": True, "base": False, "period_end": False}
    return versions.sort_values(list(order), ascending=list(order.values()))
