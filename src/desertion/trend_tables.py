"""Tables of trends: growth factors, levels, the checks of a fit, and how far choices move an answer.

One function shows one table, with its headings, its notes and how its numbers are computed. What is shown (series, fit,
level) is chosen in the notebook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from desertion import tables
from desertion.figures import Data
from desertion.tables import Column
from desertion.trends import Refused, growth, ladder, posting, rounded, sensitivity, statement_checks, years
from desertion.trends.composite import Fit

#: Why a plot and its table are empty.
NO_PAIR = "no two yearly counts of one thing by one counter are among the published numbers"
NO_FACTOR = "no option gives a factor; the reasons stand below"


def _interval(level: float, of: str = "") -> str:
    """Heading of a column of intervals."""
    return f"{100 * level:g}% interval" + f" of {of}" * bool(of)


def factors(table: pd.DataFrame, data: Data, level: float, scatter: years.Scatter) -> None:
    """Show the rows of `growth.factors`.

    Parameters
    ----------
    table : DataFrame
        The rows of `growth.factors`.
    data : Data
        The curated data of the edition, for the sources in the last note.
    level : float
        Coverage of the intervals.
    scatter : years.Scatter
        Variance over mean of the counts, for the note.
    """
    tables.show(
        growth.with_intervals(table), "factors", "Growth factors of published counts",
        {
            "label": "Years", "factor": Column("Factor", 2, "later count ÷ earlier count"),
            "interval": _interval(level, "the rate"),
        },
        rows="label", groups="series", ids="ids", data=data, empty=NO_PAIR,
        notes=[
            "The interval is of the rate behind the counts. Where the levels by month cover both years, it is theirs, "
            "so that each factor has one. Elsewhere counts are taken to vary "
            f"{scatter.phi:.0f} times as much as by chance alone, {scatter.source}."
        ],
    )  # fmt: skip


def levels(panels: Mapping[str, rounded.Panel], data: Data, level: float) -> None:
    """Show the cases of each year and the level behind them, as `years.levels` puts them into words.

    Parameters
    ----------
    panels : mapping of str to rounded.Panel
        The fits by their names; the first one gives the notes.
    data : Data
        The curated data of the edition, for the sources in the last note.
    level : float
        Coverage of the intervals.
    """
    first, words = next(iter(panels.values())).fit, years.levels(years.totals(panels))
    tables.show(
        words.drop(columns="ids").replace("", tables.NOTHING).join(words["ids"]), "levels",
        "Cases by year, and the level behind them",
        {
            "period": "Period", "scope": "Of",
            "count": Column("Cases counted", recipe="median of the numbers of cases that all reports leave possible"),
            "count_interval": _interval(level, "the cases"),
            "expected": Column("Level", recipe="expected number of cases, by the fit to all reports"),
            "interval": _interval(level, "the level"),
            "growth": Column("Growth of the level on the year before", recipe="level a day ÷ that of the year before"),
        },
        rows="period", groups="what", ids="ids", data=data, notes=years.readings(first),
    )  # fmt: skip


# --- checks of a fit -------------------------------------------------------------------------------------------------


def dispersions(facts: pd.DataFrame, names: list[str], phis: Sequence[float], data: Data, level: float) -> None:
    """Show the ratios of three facts of `facts`, by their names, under assumed dispersions.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    names : list of str
        Three facts, the earliest first.
    phis : sequence of float
        Assumed variances over mean.
    data : Data
        The curated data of the edition, for the sources in the last note.
    level : float
        Coverage of the intervals.

    Raises
    ------
    UserError
        If one of the counts is 0, or a variance over mean is not above 0.

    References
    ----------
    McCullagh & Nelder (1989): log ratio ± z √(φ/x₁ + φ/x₂), see `exact.assumed_dispersion`.
    """
    three = facts.reindex(names)
    table = growth.dispersions(three["value"].tolist(), phis, level=level)
    how = "later count ÷ earlier count, ×/÷ exp(z √(φ/earlier + φ/later))"
    tables.show(
        table.assign(ids=" ".join(three["ids"].dropna())), "dispersions", "Three counts under an assumed dispersion",
        {"assumed": "Variance over mean (φ)"} | {name: Column(name, recipe=how) for name in table.columns[1:]},
        rows="assumed", ids="ids", data=data, empty="not all of the three counts are among the published numbers",
    )  # fmt: skip


def yearly_trends(facts: pd.DataFrame, level: float, minimum_df: int) -> None:
    """Show the log-linear trends of yearly counts, and why there is none.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    level : float
        Coverage of the intervals.
    minimum_df : int
        Fewest residual degrees of freedom; trends with fewer are refused.

    Raises
    ------
    UserError
        If `facts` lacks a column, or mixes places or parts of an article.
    """
    trends = growth.annual_trends(facts, level=level, minimum_df=minimum_df)
    tables.show(
        growth.trend_words(trends).assign(ids=trends["ids"]), "yearly-trends", "Log-linear trends of yearly counts",
        {
            "model": "Model", "n": Column("Counts", 0, "number of yearly counts of the series"),
            "growth": Column("A year", recipe="exp(slope of the log-linear trend)"), "why": "Why, or with what doubt",
        },
        rows="model", groups="series", ids="ids", empty="no counter has counted one thing in two years or more",
    )  # fmt: skip


def contradictions(checked: pd.DataFrame, fit: Fit | Refused, data: Data, level: float) -> None:
    """Show the published numbers outside what the others predict, among the rows of `statement_checks.check`.

    Parameters
    ----------
    checked : DataFrame
        The rows of `statement_checks.check`.
    fit : Fit or Refused
        The fit behind them.
    data : Data
        The curated data of the edition, for the sources in the last note.
    level : float
        Coverage of the intervals.
    """
    tables.show(
        statement_checks.shown(checked), "contradictions",
        "Published numbers outside what the others predict, and counts of more articles",
        {
            "period": "Period", "printed": "Printed", "predicted": _interval(level), "why": "What is known of it",
        },
        rows="period", groups="verdict", ids="ids", data=data,
        empty=rounded.carried(fit) or "no usable number lies outside",
        notes=[
            "The interval is of the printed number of Art. 337, from the reports that are not of the same count or the "
            "same days. Counts of Art. 332, 337 and 338 together are upper bounds."
        ],
    )  # fmt: skip


def noticeable(checked: pd.DataFrame, fit: Fit | Refused, data: Data) -> None:
    """Show how wrong each report of `fit` must be to be noticed, and how well the reports predict each other.

    Parameters
    ----------
    checked : DataFrame
        The rows of `statement_checks.check`.
    fit : Fit or Refused
        The fit behind them.
    data : Data
        The curated data of the edition, for the sources in the last note.
    """
    without = "variance ÷ mean of the counts, by the fit without this report"
    tables.show(
        statement_checks.noticeable(checked), "noticeable", "How wrong a report must be to be noticed",
        {
            "period": "Period", "printed": "Printed", "predicted": "Predicted by the others",
            "smallest": "Noticed from", "phi": Column("Dispersion without it", 1, without),
        },
        rows="period", ids="ids", data=data, empty=rounded.carried(fit),
        notes=[*statement_checks.named(checked, fit), *filter(None, [rounded.influence(fit)])],
    )  # fmt: skip


def ratios(fits: Mapping[str, tuple[Fit | Refused, Mapping[str, str]]], level: float) -> None:
    """Show ratios of series and parameters of joint fits: name → fit, and words for the rows of `Fit.factors`.

    Parameters
    ----------
    fits : mapping of str to tuple
        Name of a joint fit → the fit, and words for the rows of `Fit.factors`.
    level : float
        Coverage of the intervals.
    """
    parts = [
        rounded.factors(fit, words).assign(fit=name, ids="" if isinstance(fit, Refused) else rounded.statements(fit))
        for name, (fit, words) in fits.items()
    ]
    tables.show(
        pd.concat(parts), "ratios", "Ratios and parameters of the joint fits",
        {
            "quantity": "Quantity",
            "estimate": Column("Estimate", recipe="mean of the posterior; of a ratio, by its logarithm"),
            "interval": _interval(level),
        },
        rows="quantity", groups="fit", ids="ids",
    )  # fmt: skip


def vintages(pairs: pd.DataFrame, data: Data) -> None:
    """Show the counts of one period at two dates, the rows of `completeness.pairs`.

    Parameters
    ----------
    pairs : DataFrame
        The rows of `completeness.pairs`.
    data : Data
        The curated data of the edition, for the sources in the last note.
    """
    tables.show(
        pairs, "vintages", "Counts of one period at two dates",
        {
            "what": "Count", "counted": "First counted", "count": "Cases", "recounted": "Again",
            "recount": "Cases then", "share": Column("First, of the later", 3, "first count ÷ later count"),
            "delay": Column("Mean delay in days", 1, "the delay at which the first count is likeliest"),
        },
        rows="what", ids="ids", data=data, empty="no count of one period at two dates is among the published numbers",
    )  # fmt: skip


def delays(band: posting.Band | Refused) -> None:
    """Show the main numbers of a fit as if cases were posted late.

    Parameters
    ----------
    band : posting.Band or Refused
        The fit as if cases were posted late.
    """
    table = posting.shown(band)
    how = "by the fit to all reports, if cases are posted so many days late on average"
    tables.show(
        table.assign(ids=band.ids), "reporting-delay", "Band over the reporting delay",
        {"quantity": "Expected cases"} | {name: Column(name, recipe=how) for name in table.columns[1:]},
        rows="quantity", ids="ids", empty=band if isinstance(band, Refused) else None,
    )  # fmt: skip


def scores(held_out: Any, fit: Fit | Refused) -> None:
    """Show how forecasts of the next published count did beside simpler methods, `hindsight.HeldOut`.

    Parameters
    ----------
    held_out : hindsight.HeldOut
        Forecasts of counts that were held out, with their scores.
    fit : Fit or Refused
        The fit whose statements the numbers rest on.
    """
    table = rounded.scores(held_out.scored)
    mean = "mean over these counts"
    how = {"counts": "number of published counts that were forecast", "WIS": mean, "CRPS": mean, "log score": mean}
    heads = {name: Column(f"{name[0].upper()}{name[1:]}", recipe=how.get(name, "")) for name in map(str, table)}
    tables.show(
        table.assign(ids="" if isinstance(fit, Refused) else rounded.statements(fit)), "scores",
        "Forecasts of the next published count, and simpler methods",
        heads,
        rows="model", ids="ids", empty=held_out.refused,
        notes=[
            "Mean scores, smaller is better. WIS: weighted interval score, CRPS: continuous ranked probability score, "
            "both in cases; log score: minus the log probability of the count."
        ],
    )  # fmt: skip


def claims(fits: Mapping[str, Fit | Refused], others: Mapping[tuple[str, str], Refused | None]) -> None:
    """Show which claims each series supports (`ladder.ladder`).

    Parameters
    ----------
    fits : mapping of str to Fit or Refused
        Name of a series → its fit.
    others : mapping of tuple of str to Refused or None
        Verdicts from elsewhere, by series and claim; None where the claim holds.
    """
    tables.show(
        ladder.ladder(fits, others), "ladder", "What each series can show",
        {"claim": "Claim", "verdict": "Verdict", "why": "Why not", "needs": "What it needs"},
        rows="claim", groups="series",
    )  # fmt: skip


# --- choices ---------------------------------------------------------------------------------------------------------


def reaches(answers: pd.DataFrame, data: Data) -> None:
    """Show how far each question moves the growth factor, by the rows of `sensitivity.several`.

    Parameters
    ----------
    answers : DataFrame
        The rows of `sensitivity.several`.
    data : Data
        The curated data of the edition, for the sources in the last note.
    """
    tables.show(
        sensitivity.in_words(sensitivity.reaches(answers)), "questions",
        "How far each question moves the growth factor",
        {
            "question": "Question", "range": "Factors", "lowest": "Least under", "highest": "Most under",
            "options": Column("Options", 0, "number of options that give a factor"),
            "reports": Column("Sets of reports", 0, "number of different sets of reports behind the fits"),
        },
        rows="question", groups="years", ids="ids", data=data, empty=NO_FACTOR,
    )  # fmt: skip


def unanswered(answers: pd.DataFrame) -> None:
    """Show the options without a factor, and why.

    Parameters
    ----------
    answers : DataFrame
        The rows of `questions.answered` and `questions.counted`.
    """
    tables.show(
        sensitivity.refusals(answers), "refusals", "Options without an answer, and why",
        {"option": "Option", "years": "Years", "refused": "Reason", "needs": "What it needs"},
        rows="option", groups="question", empty="every option has an answer",
    )  # fmt: skip
