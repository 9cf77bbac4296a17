"""The multiverse: one growth factor under many combinations of choices, fitted or refused (Steegen et al., 2016)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion import memo, vocabulary
from desertion.errors import UserError
from desertion.figures import select
from desertion.text import period
from desertion.trends import Refused, composite
from desertion.trends.arrays import Floats
from desertion.trends.composite.fitted import Period
from desertion.trends.composite.gates import too_few
from desertion.trends.counts import Observations, Running
from desertion.vocabulary import articles_label

#: The choices that `specifications` reads, in the order of the report.
CHOICES = ("counted", "running totals", "bounds", "statement", "window", "break", "dispersion", "smoothness")
#: The option that leaves a hyper-parameter to the model.
ESTIMATED = "estimated"


class Spread(NamedTuple):
    """The growth factors under all combinations that have one, for a sentence.

    `n` combinations have a factor and `refused` have none; the factors lie between `low` and `high`, and no interval
    begins below `least`. `most`: the choice that moves the middle factor most, from `a` to `b`; no other moves it by
    more than `other` percent. `ids`: the statements behind the factors.
    """

    n: int
    refused: int
    low: float
    high: float
    least: float
    most: str
    a: float
    b: float
    other: float
    ids: str


class Specification(NamedTuple):
    """One combination: its choices (choice → option), the reports under it (or why there are none) and the model."""

    choices: Mapping[str, str]
    reports: Observations | Refused
    model: composite.Spec


def combinations(options: Mapping[str, Sequence[str]], n: int, seed: int) -> list[dict[str, str]]:
    """`n` of all combinations of one option each, drawn without replacement, in the order of the full crossing.

    All of them where there are no more than `n`. Raises UserError for n below 1 and for a choice without options.
    """
    if n < 1 or not all(options.values()):
        raise UserError(f"{n} combinations of {', '.join(options)}: ask for at least 1, with an option for each choice")
    every = list(product(*options.values()))
    drawn = range(len(every))
    if n < len(every):
        drawn = np.sort(np.random.default_rng(seed).choice(len(every), size=n, replace=False)).tolist()
    return [dict(zip(options, every[i], strict=True)) for i in drawn]


def windows(start: date, end: date, earlier: Mapping[str, date]) -> dict[str, date]:
    """Last day of each window from `start` on: all days to `end`, and those of `earlier` that end before it."""
    return {period(start, end): end} | {name: day for name, day in earlier.items() if start < day < end}


def specifications(
    chosen: Iterable[Mapping[str, str]],
    facts: Mapping[str, pd.DataFrame],
    figures: pd.DataFrame,
    *,
    counted: Mapping[str, tuple[Sequence[str], Sequence[str], float | None]],
    totals: Mapping[str, tuple[Running, str | None]],
    windows: Mapping[str, date],
    breaks: Mapping[str, str],
    smooth: Mapping[str, tuple[int, float]],
    level: float,
    articles: str | None = None,
) -> list[Specification]:
    """Turn combinations of options into reports and models.

    Parameters
    ----------
    chosen
        Combinations, each with the keys counted, running totals, bounds, statement, window, break, dispersion and
        smoothness. The option `estimated` of the last two leaves phi or tau to the model.
    facts
        Facts by the rule that chooses among statements (key `statement`).
    figures
        The statements, for their hedges.
    counted
        Measures, compilers and delay of the later stage in months (None: estimated), by option.
    totals
        How running totals are read (`composite.pose`) and the scope (None: any of all Russia), by option.
    windows
        Last day of the facts used, by option.
    breaks
        Trend in the grammar of `terms`, by option.
    smooth
        Order of the random walk and standard deviation of a month's step, by option.
    level
        Coverage of the intervals.
    articles
        The article set that the question is about (None: any): without a fact of it there are no reports.

    Returns
    -------
    list of Specification
        In the order of `chosen`; equal reports are one object.
    """
    posed: dict[tuple[str, ...], tuple[Observations, composite.Spec] | Refused] = {}
    made = []
    for choices in chosen:
        who, running, reading, rule, window, step, phi, walk = (choices[name] for name in CHOICES)
        measures, compilers, delay = counted[who]
        how, scope = totals[running]
        key = (who, running, reading, rule, window)
        if key not in posed:
            selected = select(
                facts[rule],
                measures=measures,
                compilers=compilers,
                end=windows[window],
                status=None,
                scope=scope or vocabulary.NATIONAL,
            )
            posed[key] = (
                composite.pose(selected, figures, reading=reading, running=how)
                if articles is None or facts[rule]["articles"].eq(articles).any()
                else Refused(f"no count of {articles_label(articles)} alone is among the statements", "such counts")
            )
        problem = posed[key]
        reports, model = (problem, composite.Spec()) if isinstance(problem, Refused) else problem
        order, tau = (1, None) if walk == ESTIMATED else smooth[walk]
        fixed = None if phi == ESTIMATED else float(phi)
        spec = composite.Spec(
            trend=breaks[step], order=order, tau=tau, phi=fixed, delay=delay, level=level, delayed=model.delayed
        )
        made.append(Specification(choices, reports, spec))
    return made


def growth(specifications: Sequence[Specification], a: Period, b: Period) -> pd.DataFrame:
    """Fit each specification and give the growth factor from period `a` to `b`.

    The report's gates bind: fewer than 12 informative counts carry no growth.

    Parameters
    ----------
    specifications
        Reports and models.
    a, b
        Years, or pairs of first and last day.

    Returns
    -------
    DataFrame
        One row per specification, in their order:

        - one column per choice: the option
        - ratio, low, high: daily rate in `b` over that in `a`, and its interval; missing where refused
        - refused, needs: why there is none, and what would give one; else blank
        - ids: statements behind the reports, joined by spaces

    References
    ----------
    Steegen et al. (2016), multiverse analysis.
    """
    rows = []
    near: dict[tuple[object, ...], Floats] = {}
    few: dict[int, Refused] = {}
    for choices, reports, model in specifications:
        result: dict[str, float] | Refused
        if isinstance(reports, Refused):
            result = reports
        elif id(reports) in few:
            result = few[id(reports)]
        else:
            # a fit to the same reports under another dispersion or smoothness is a good place to begin
            like = (id(reports), model.trend, model.order, model.delay)
            result, mode, lacking = memo.recall(_growth, reports, model, near.get(like), a, b)
            if mode is not None:
                near[like] = mode
            if lacking is not None:
                result = few[id(reports)] = lacking
        row: dict[str, object] = dict(choices) | dict.fromkeys(("ratio", "low", "high"), np.nan)
        if isinstance(result, Refused):
            row |= {"refused": result.reason, "needs": result.needs}
        else:
            row |= result | {"refused": "", "needs": ""}
        rows.append(row | {"ids": "" if isinstance(reports, Refused) else " ".join(reports.statements)})
    return pd.DataFrame(rows)


def _growth(
    reports: Observations, model: composite.Spec, start: Floats | None, a: Period, b: Period
) -> tuple[dict[str, float] | Refused, Floats | None, Refused | None]:
    """The growth, the mode of a fit that carries it, and why these reports carry none under any model."""
    fitted = composite.fit(reports, model, start)
    if isinstance(fitted, Refused):
        return fitted, None, None
    if lacking := too_few(fitted):
        return lacking, None, lacking
    try:
        return fitted.growth(a, b), fitted.mode, None
    except UserError as error:
        return Refused(str(error), "reports of both periods"), fitted.mode, None


def spread(table: pd.DataFrame, choices: Sequence[str]) -> Spread | Refused:
    """Summarise the rows of `growth`; refused, with the most frequent reason, where none has a factor."""
    usable = table[table["refused"].eq("")]
    if usable.empty:
        reason, needs, _ = refusals(table).iloc[0]
        return Refused(f"none of the {len(table)} combinations of choices gives a factor; mostly, {reason}", needs)
    ends = middles(usable, choices).groupby("choice")["middle"].agg(["min", "max"])
    width = ends["max"] / ends["min"]
    most = str(width.idxmax())
    a, b = ends.to_dict("index")[most].values()
    return Spread(
        len(usable), len(table) - len(usable), usable["ratio"].min(), usable["ratio"].max(), usable["low"].min(),
        most, a, b, 100 * (width.drop(most).max() - 1),
        " ".join(dict.fromkeys(" ".join(usable["ids"]).split())),
    )  # fmt: skip


def curve(table: pd.DataFrame, choices: Sequence[str], level: float) -> pd.DataFrame:
    """Make the table of `plots.specification_curve` from rows of `growth`, the report's own choice first.

    Combinations without reports are left out, and all of them where none has a factor.

    Returns
    -------
    DataFrame
        - factor, low, high: growth factor and interval, rounded to two decimals
        - choices: `choice: option`, joined by semicolons
        - refused: whether there is no factor
        - level: coverage in percent
        - ids: statements behind it, joined by spaces
        - main: whether it is the report's own choice
    """
    rows = table[["ratio", "low", "high"]].astype(float).round(2).rename(columns={"ratio": "factor"})
    rows["choices"] = ["; ".join(f"{name}: {row[name]}" for name in choices) for row in table.to_dict("records")]
    rows = rows.assign(refused=table["refused"].ne(""), level=100 * level, ids=table["ids"], main=table.index == 0)
    return rows[rows["ids"].ne("") & bool(rows["factor"].notna().any())]


def middles(table: pd.DataFrame, choices: Sequence[str]) -> pd.DataFrame:
    """Summarise the growth factors under each option.

    Returns
    -------
    DataFrame
        One row per option:

        - choice, option: names
        - specifications, refused: number of combinations, and how many of them are refused
        - middle, least, most: median, smallest and largest factor
    """
    rows = []
    for choice in choices:
        for option, part in table.groupby(choice, sort=False):
            known = part["ratio"].dropna()
            rows.append(
                {
                    "choice": choice, "option": option, "specifications": len(part), "refused": len(part) - len(known),
                    "middle": known.median(), "least": known.min(), "most": known.max(),
                }
            )  # fmt: skip
    columns = ["choice", "option", "specifications", "refused", "middle", "least", "most"]
    return pd.DataFrame(rows, columns=columns)


def refusals(table: pd.DataFrame) -> pd.DataFrame:
    """Count refusals by reason, the most frequent first: refused, needs, specifications (their number)."""
    refused = table.loc[table["refused"].ne(""), ["refused", "needs"]]
    return refused.value_counts().rename("specifications").reset_index()
