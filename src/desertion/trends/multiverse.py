"""The multiverse: one growth factor under many combinations of choices, fitted or refused (Steegen et al., 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from desertion import memo
from desertion.errors import UserError
from desertion.trends import Refused, composite
from desertion.trends.composite.fit import Period
from desertion.trends.composite.gates import too_few
from desertion.trends.counts import Observations
from desertion.trends.laws import Floats


class Specification(NamedTuple):
    """One combination: what was chosen (choice → option), the reports under it (or why there are none), the model.

    `series` is the one whose growth is read, the reference where None.
    """

    choices: Mapping[str, str]
    reports: Observations | Refused
    model: composite.Spec
    series: str | None = None


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


def growth(specifications: Sequence[Specification], a: Period, b: Period) -> pd.DataFrame:
    """The growth factor from period `a` to `b` under each specification, in their order.

    Columns: one a choice, then ratio, low, high (NaN where refused), refused (the reason, blank where it holds), needs,
    ids (the statements behind it). The report's gates bind: fewer than 12 informative counts carry no growth.
    """
    rows = []
    near: dict[tuple[object, ...], Floats] = {}
    few: dict[int, Refused] = {}
    for choices, reports, model, series in specifications:
        found: dict[str, float] | Refused
        if isinstance(reports, Refused):
            found = reports
        elif id(reports) in few:
            found = few[id(reports)]
        else:
            # a fit to the same reports under another dispersion or smoothness is half the way
            like = (id(reports), model.trend, model.order, model.delay)
            found, mode, lacking = memo.recall(_growth, reports, model, near.get(like), series, a, b)
            if mode is not None:
                near[like] = mode
            if lacking is not None:
                found = few[id(reports)] = lacking
        row: dict[str, object] = dict(choices) | dict.fromkeys(("ratio", "low", "high"), np.nan)
        row |= {"refused": "", "needs": ""}
        if isinstance(found, Refused):
            row |= {"refused": found.reason, "needs": found.needs}
        else:
            row |= {name: found[name] for name in ("ratio", "low", "high")}
        rows.append(row | {"ids": "" if isinstance(reports, Refused) else " ".join(reports.statements)})
    return pd.DataFrame(rows)


def _growth(
    reports: Observations, model: composite.Spec, start: Floats | None, series: str | None, a: Period, b: Period
) -> tuple[dict[str, float] | Refused, Floats | None, Refused | None]:
    """The growth, the mode of a fit that carries it, and why these reports carry none under any model."""
    fitted = composite.fit(reports, model, start)
    if isinstance(fitted, Refused):
        return fitted, None, None
    if lacking := too_few(fitted):
        return lacking, None, lacking
    try:
        return fitted.growth(a, b, series), fitted.mode, None
    except UserError as error:
        return Refused(str(error), "reports of both periods"), fitted.mode, None


def middles(table: pd.DataFrame, choices: Sequence[str]) -> pd.DataFrame:
    """What each option does: choice, option, specifications, refused, middle (median factor), least and most."""
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
    return pd.DataFrame(rows)
