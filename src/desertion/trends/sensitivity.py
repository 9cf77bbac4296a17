"""Sensitivity of the growth factor to one choice at a time: how far the options of each question move it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from desertion.arguments import takes
from desertion.text import once
from desertion.trends import Refused
from desertion.trends.questions import FITS, Years


class Reach(NamedTuple):
    """How far one question moves the factor of a pair of years, for a sentence.

    The factors lie between `least` and `most`; `percent`: how far the most lies above the least; `n` options have one.
    """

    question: str
    least: float
    most: float
    percent: float
    n: int


class Movers(NamedTuple):
    """How far the questions move the factor of one pair of years, for a sentence.

    `most` and `next` move it furthest; no other question moves it by more than `other` percent. `fits` fits with a
    factor rest on `sets` distinct sets of reports; `refused` options have no factor. All factors lie between `least`
    and `greatest`.
    """

    most: Reach
    next: Reach
    other: float
    fits: int
    sets: int
    refused: int
    least: float
    greatest: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed."""
        ends = {"least": "least factor under any option", "most": "greatest factor under any option"}
        return {f"{which}.{end}": f"{ends[end]} of the question" for which in ("most", "next") for end in ends} | {
            "other": "greatest ÷ least factor of the question that comes third, less 1",
            "fits": "number of fits with a factor, each counted once",
            "sets": "number of different sets of reports among these fits",
            "least": f"{ends['least']} of any question",
            "greatest": f"{ends['most']} of any question",
        }


@takes(answers="questions.fitted(...): question option from_year to_year ratio kind reports refused")
def reaches(answers: pd.DataFrame) -> pd.DataFrame:
    """How far each question moves each factor.

    Parameters
    ----------
    answers : DataFrame
        Rows of `questions.fitted` and `questions.counted`.

    Returns
    -------
    DataFrame
        One row per question and pair of years, in the order of `answers`:

        - question, kind, from_year, to_year: names
        - least, most: smallest and largest factor of its options
        - lowest, highest: the options that give them
        - options, refused: how many options have a factor, and how many have none
        - reports: number of distinct sets of reports among fits
        - ids: statements behind the factors, joined by spaces
    """
    rows = []
    for (a, b, question, kind), part in answers.groupby(["from_year", "to_year", "question", "kind"], sort=False):
        known = part[part["refused"].eq("")]
        ends = ("idxmin", "idxmax") if len(known) else ()
        low, high = [known["option"][known["ratio"].agg(end)] for end in ends] or ("", "")
        rows.append({
            "question": question, "kind": kind, "from_year": a, "to_year": b, "least": known["ratio"].min(),
            "most": known["ratio"].max(), "lowest": low, "highest": high, "options": len(known),
            "refused": len(part) - len(known), "reports": known["reports"].nunique(), "ids": once(known["ids"]),
        })  # fmt: skip
    columns = ["question", "kind", "from_year", "to_year", "least", "most", "lowest", "highest", "options", "refused"]
    return pd.DataFrame(rows, columns=[*columns, "reports", "ids"])


@takes(answers="questions.fitted(...): question option from_year to_year ratio kind reports refused")
def moved(answers: pd.DataFrame, pair: Years) -> Movers | Refused:
    """Find the questions that move the factor of a pair of years furthest.

    Parameters
    ----------
    answers : DataFrame
        Rows of `questions.fitted` and `questions.counted`.
    pair : tuple of int
        The two years.

    Returns
    -------
    Movers or Refused
        Refused where fewer than three questions have two options with a factor.
    """
    own = answers[answers["from_year"].eq(pair[0]) & answers["to_year"].eq(pair[1])]
    table = reaches(own).query("options > 1")
    if len(table) < 3:
        return Refused(f"too few choices give a factor from {pair[0]} to {pair[1]}", "counts of both years")
    table = table.assign(percent=100 * (table["most"] / table["least"] - 1))
    table = table.sort_values("percent", ascending=False, kind="stable")
    first, second = (
        Reach(row["question"], row["least"], row["most"], row["percent"], row["options"])
        for row in table.head(2).to_dict("records")
    )
    known = own[own["refused"].eq("")]
    modelled = known[known["kind"].eq(FITS)].drop_duplicates(["question", "option"])
    fits = int((~modelled["own"].astype(bool)).sum()) + bool(modelled["own"].any())
    return Movers(
        first, second, float(table["percent"].iloc[2]), fits, int(modelled["reports"].nunique()),
        len(own) - len(known), known["ratio"].min(), known["ratio"].max(), once(known["ids"]),
    )  # fmt: skip


def several(answers: pd.DataFrame) -> pd.DataFrame:
    """Select the answers to questions that have two or more of them for a pair of years.

    Parameters
    ----------
    answers : DataFrame
        Rows of `questions.fitted` and `questions.counted`.

    Returns
    -------
    DataFrame
        Those of the rows that have a factor, pair by pair.
    """
    known = answers[answers["refused"].eq("")]
    names = known.groupby(["from_year", "to_year", "question"])["option"].transform("nunique")
    return known[names.gt(1)].sort_values(["to_year", "from_year"], ascending=[True, False], kind="stable")


def in_words(reach: pd.DataFrame) -> pd.DataFrame:
    """Rows of `reaches` for readers: `years` and `range` in words, a dash where there is no factor.

    The other columns stay; `reports` is missing where the factors are ratios of published counts.
    """
    words = ["–" if pd.isna(low) else f"×{low:.2f}" if low == high else f"×{low:.2f} to ×{high:.2f}"
             for low, high in zip(reach["least"], reach["most"], strict=True)]  # fmt: skip
    return reach.assign(
        years=_years(reach), range=pd.Series(words, reach.index, dtype=object),
        reports=reach["reports"].astype(float).where(reach["kind"].eq(FITS)),
    )  # fmt: skip


def refusals(answers: pd.DataFrame) -> pd.DataFrame:
    """The options without a factor: question, option, years, refused and needs, one row per option and reason."""
    rows = answers[answers["refused"].ne("")].assign(years=_years)
    return rows.groupby(["question", "option", "refused", "needs"], sort=False)["years"].agg("; ".join).reset_index()


def _years(rows: pd.DataFrame) -> pd.Series[str]:
    """`2022 → 2023`."""
    return rows["from_year"].astype(str) + " → " + rows["to_year"].astype(str)
