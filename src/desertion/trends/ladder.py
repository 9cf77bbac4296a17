"""The ladder of claims: what each series of reports carries, and what it lacks for the next step.

A exact intervals and ratios always; B a table of assumed dispersions; C levels and totals; D growth and ratios of
series; E the effect of a known break; F forecasts; G nowcasts. Below its gate a claim is refused in words.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from desertion.trends import Refused, composite
from desertion.trends.composite import Fit

_STEPS = {"levels": "C, levels and totals", "growth": "D, growth", "ratios": "D, ratios of series"}
#: Periods counted on two dates below which nobody knows how counts grow after their first publication.
VINTAGES = 8


def ladder(fits: Mapping[str, Fit | Refused], others: Mapping[tuple[str, str], Refused | None]) -> pd.DataFrame:
    """One row a series and claim: series, claim, verdict (`holds` or `refused`), why, needs.

    `fits` by series; `others` holds verdicts that no fit gives, by series and claim. Claims of one series that are
    refused for one reason share a row; the rows of a series stand together.
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    for series, fitted in fits.items():
        gates = dict.fromkeys(_STEPS, fitted) if isinstance(fitted, Refused) else composite.claims(fitted)
        for claim, refused in gates.items():
            _add(rows, series, _STEPS.get(claim) or f"E, effect of {claim.removeprefix('break:')}", refused)
    for (series, claim), refused in others.items():
        _add(rows, series, claim, refused)
    place = {series: number for number, (series, _, _) in reversed(list(enumerate(rows)))}
    return pd.DataFrame(
        [(series, "; ".join(claims), "refused" if why else "holds", why, needs)
         for (series, why, needs), claims in sorted(rows.items(), key=lambda row: place[row[0][0]])],
        columns=["series", "claim", "verdict", "why", "needs"],
    )  # fmt: skip


def _add(rows: dict[tuple[str, str, str], list[str]], series: str, claim: str, refused: Refused | None) -> None:
    why, needs = (refused.reason, refused.needs) if refused else ("", "")
    rows.setdefault((series, why, needs), []).append(claim)


def nowcast(revised: int) -> Refused | None:
    """None, or why the last counts cannot be grown to what they will become: `revised` periods were counted twice."""
    if revised >= VINTAGES:
        return None
    return Refused(
        f"{revised} {'period was' if revised == 1 else 'periods were'} counted again at a later date",
        f"at least {VINTAGES} periods counted at two dates or more",
    )
