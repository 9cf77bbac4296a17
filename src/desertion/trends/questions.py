"""How far an answer moves with each choice: one question at a time, all else as in the report.

Two kinds of choice stand side by side. What is counted (which stage, counter, articles) gives other published counts,
whose ratio is exact. How the counts are read (completeness, scatter, smoothness) gives other fits to the same reports.
A choice whose options cannot move the answer says nothing; so options that share their reports are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion import memo
from desertion.arguments import takes
from desertion.errors import UserError
from desertion.trends import Refused, bounds, composite, stages
from desertion.trends.counts import Observations, Running

Years = tuple[int, int]
_COLUMNS = [
    *("question", "option", "from_year", "to_year", "ratio", "low", "high", "own", "kind", "reports", "refused"),
    *("needs", "ids"),
]
#: Ways to come to a factor: a ratio of published counts, or a fit.
COUNTS, FITS = "counts", "fits"


class Option(NamedTuple):
    """One answer to a question on the model: the reports, or why there are none, and the model for them."""

    question: str
    option: str
    reports: Observations | Refused
    model: composite.Spec


@takes(facts="reconcile.facts(data): per kind cumulative period_start period_end value", figures="data.figures: hedge")
def option(
    question: str, name: str, facts: pd.DataFrame, figures: pd.DataFrame, model: composite.Spec | None = None,
    *, reading: str = "rounding", running: Running = "rebased",
) -> Option:  # fmt: skip
    """Pose one option of a question on the model; parameters as in `composite.pose`."""
    model = model or composite.Spec()
    posed = composite.pose(facts, figures, model, reading=reading, running=running)
    if isinstance(posed, Refused):
        return Option(question, name, posed, model)
    reports, posed_model = posed
    return Option(question, name, reports, posed_model)


def answered(
    choices: Mapping[str, Mapping[str, Mapping[str, Any]]],
    years: Sequence[Years],
    facts: pd.DataFrame,
    figures: pd.DataFrame,
    model: composite.Spec,
    *,
    reading: str = "rounding",
    fits: Sequence[composite.Fit | Refused] = (),
) -> pd.DataFrame:
    """Fit every option of several questions beside the report's own choice.

    Parameters
    ----------
    choices : mapping
        Question → option → what it changes: `facts`, `reading`, `running` or fields of `model`.
    years : sequence of tuple of int
        Pairs of years.
    facts, figures, model, reading
        The report's own choice, as in `option`.
    fits : sequence of Fit or Refused
        Fits that are there; an option with the reports and the model of one is not fitted again.

    Returns
    -------
    DataFrame
        As in `fitted`, by question and option in the order of `choices`.

    Raises
    ------
    UserError
        If an option gives the model a value that it cannot have.
    """
    options = []
    for question, ways in choices.items():
        for name, changes in ways.items():
            how: dict[str, Any] = {"facts": facts, "reading": reading, "running": "rebased"}
            spec = replace(model, **{key: value for key, value in changes.items() if key not in how})
            how |= {key: value for key, value in changes.items() if key in how}
            options.append(option(question, name, figures=figures, model=spec, **how))
    return fitted(options, years, option("", "as in the report", facts, figures, model, reading=reading), fits)


def fitted(
    options: Sequence[Option], years: Sequence[Years], own: Option, there: Sequence[composite.Fit | Refused] = ()
) -> pd.DataFrame:
    """Growth of the expected cases under each option of the model.

    The report's gates bind: a fit that does not carry growth, or its break, has no factor (`composite.claims`).

    Parameters
    ----------
    options : sequence of Option
        The options.
    years : sequence of tuple of int
        Pairs of years.
    own : Option
        The report's own choice, an option of each question.
    there : sequence of Fit or Refused
        Fits that are there, as in `answered`.

    Returns
    -------
    DataFrame
        One row per option and pair of years, for each question the report's own choice first:

        - question, option: names
        - from_year, to_year: the two years
        - ratio, low, high: daily rate in the later over that in the earlier year, with its interval; missing if refused
        - own: whether it is the report's own choice
        - kind: `fits`; reports: number of the set of reports; equal sets have one number
        - refused, needs: why there is no factor, and what would give one; else blank
        - ids: statements behind the reports, joined by spaces
    """
    every: list[Option] = []
    for question in dict.fromkeys(each.question for each in options):
        every += own._replace(question=question), *(each for each in options if each.question == question)
    sets: dict[tuple[object, ...], int] = {}
    fits: dict[str, composite.Fit | Refused] = {
        _same(each.obs, each.spec): each for each in there if isinstance(each, composite.Fit)
    }
    near = None
    rows: list[dict[str, object]] = []
    for question, name, reports, model in every:
        row: dict[str, object] = {"question": question, "option": name, "own": name == own.option, "kind": FITS}
        if (same := _same(reports, model)) not in fits:
            fits[same] = reports if isinstance(reports, Refused) else composite.fit(reports, model, near)
        fit = fits[same]
        near = near or (fit if isinstance(fit, composite.Fit) else None)  # the report's own: others begin there
        refused = fit if isinstance(fit, Refused) else _gate(fit)
        if not isinstance(reports, Refused):
            key = (reports.ids, reports.low.tobytes(), reports.high.tobytes())
            row |= {"reports": sets.setdefault(key, len(sets) + 1), "ids": " ".join(reports.statements)}
        for a, b in years:
            factor = refused or _growth(fit, a, b)
            rows.append(row | {"from_year": a, "to_year": b} | _numbers(factor))
    return _table(rows)


def _same(reports: Observations | Refused, model: composite.Spec) -> str:
    """Equal where one fit serves both; the fit of one series has no factors, where the model for it names none."""
    return memo.digest(reports, replace(model, factors=model.factors or None))


def _gate(fit: composite.Fit) -> Refused | None:
    """Why the report takes no growth from a fit, or None."""
    verdicts = composite.claims(fit)
    breaks = (verdict for name, verdict in verdicts.items() if name.startswith("break:"))
    return next((verdict for verdict in (verdicts["growth"], *breaks) if verdict), None)


def _growth(fit: composite.Fit | Refused, a: int, b: int) -> dict[str, float] | Refused:
    if isinstance(fit, Refused):
        return fit
    try:
        return fit.growth(a, b)
    except UserError as error:
        return Refused(str(error), "reports of both years")


def _numbers(factor: Mapping[str, float] | Refused) -> dict[str, object]:
    if isinstance(factor, Refused):
        return {"refused": factor.reason, "needs": factor.needs}
    return {**factor, "refused": "", "needs": ""}


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    numbers = {"ratio": float, "low": float, "high": float}
    return pd.DataFrame(rows).reindex(columns=_COLUMNS).astype(numbers).fillna({"ids": "", "refused": "", "needs": ""})


def counted(
    conditions: Mapping[str, Mapping[str, object]], facts: pd.DataFrame, years: Sequence[Years],
    own: Mapping[str, object], *, reading: str = "rounding",
) -> pd.DataFrame:  # fmt: skip
    """Growth of published counts, by what is counted and by whom.

    Parameters
    ----------
    conditions : mapping of str to mapping
        For each question the counts that answer it: a value or a list of values for columns of `stages.stage_growth`
        (`stage`, `articles`, `compiler`). The question's options are all counts that agree with these.
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    years : sequence of tuple of int
        Pairs of years.
    own : mapping
        The count that the report stands on, by the same columns.
    reading : str
        As in `stages.stage_growth`.

    Returns
    -------
    DataFrame
        The columns of `fitted`; `kind` is `counts`. Ratios of published counts are exact: `low` and `high` are missing,
        as is `reports`.

    Raises
    ------
    UserError
        If `facts` lacks a column or mixes places or parts of an article, or `reading` is unknown.
    """
    tables = [stages.stage_growth(facts, reading=reading, step=step) for step in sorted({b - a for a, b in years})]
    pairs = pd.concat(tables, ignore_index=True)
    compared = [pair in set(years) for pair in zip(pairs["from_year"], pairs["to_year"], strict=True)]
    pairs = pairs[np.array(compared, bool) & pairs["refused"].eq("")]
    rows: list[dict[str, object]] = []
    for question, agreeing in conditions.items():
        for row in pairs[_agrees(pairs, agreeing)].to_dict("records"):
            name = f"{row['stage']}, {row['what']}, {row['compiler']}"
            rows.append(
                {str(key): value for key, value in row.items()}
                | {"question": question, "option": name, "kind": COUNTS, "needs": "", "low": np.nan, "high": np.nan}
                | {"own": all(row[column] == value for column, value in own.items())}
            )
    return _table(rows).sort_values(["question", "own"], ascending=[True, False], kind="stable", ignore_index=True)


def _agrees(pairs: pd.DataFrame, conditions: Mapping[str, object]) -> pd.Series[bool]:
    agrees = pd.Series(True, pairs.index)
    for column, value in conditions.items():
        agrees &= pairs[column].isin(value if isinstance(value, list) else [value])
    return agrees


def official(question: str, facts: pd.DataFrame, pair: Years) -> pd.DataFrame:
    """What official totals leave for Art. 337, 338 and 339, by the number of other convicts (`bounds.unpublished`).

    Parameters
    ----------
    question : str
        The question that the options answer.
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    pair : tuple of int
        The two years.

    Returns
    -------
    DataFrame
        The columns of `counted`; no row for an option that is refused.
    """
    least, most = bounds.OTHER_OFFENCES
    levels = {"others as in 2022": bounds.level_of_others(facts, 2022), "no others": least, "most others": most}
    rows = []
    for name, others in levels.items():
        left = bounds.unpublished(facts, others, pair)
        if not isinstance(left, Refused):
            row: dict[str, object] = {"question": question, "option": name, "from_year": pair[0], "to_year": pair[1]}
            rows.append(
                row | {"ratio": left.growth, "own": False, "kind": COUNTS, "refused": "", "needs": "", "ids": left.ids}
            )
    return _table(rows)
