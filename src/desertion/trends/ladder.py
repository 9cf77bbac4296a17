"""The ladder of claims: the claims that each series of reports supports, and what is missing for the next one.

A: exact intervals and ratios, always. B: a table of assumed dispersions. C: levels and totals. D: growth and ratios of
series. E: the effect of a known break. F: forecasts. G: nowcasts. Below its gate a claim is refused in words.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from desertion.trends import LACKING, Refused, composite
from desertion.trends.composite import Fit

_STEPS = {"levels": "C, levels and totals", "growth": "D, growth", "ratios": "D, ratios of series"}
#: Fewest periods counted on two dates that show how counts grow after their first publication.
VINTAGES = 8


def ladder(fits: Mapping[str, Fit | Refused], others: Mapping[tuple[str, str], Refused | None]) -> pd.DataFrame:
    """Decide which claims each series supports.

    Parameters
    ----------
    fits
        Fits or refusals, by series.
    others
        Verdicts from elsewhere, by series and claim; None where the claim holds.

    Returns
    -------
    DataFrame
        One row per series and verdict; claims of a series that are refused for one reason share a row:

        - series: name
        - claim: the claims, joined by semicolons
        - verdict: `holds` or `not enough data`
        - why, needs: the reason of a refusal, and the data that would lift it
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
        [(series, "; ".join(claims), LACKING if why else "holds", why, needs)
         for (series, why, needs), claims in sorted(rows.items(), key=lambda row: place[row[0][0]])],
        columns=["series", "claim", "verdict", "why", "needs"],
    )  # fmt: skip


def _add(rows: dict[tuple[str, str, str], list[str]], series: str, claim: str, refused: Refused | None) -> None:
    why, needs = (refused.reason, refused.needs) if refused else ("", "")
    rows.setdefault((series, why, needs), []).append(claim)


def nowcast(revised: int) -> Refused | None:
    """Decide whether the last counts can be corrected for late reports.

    Parameters
    ----------
    revised : int
        Number of periods that were counted twice.

    Returns
    -------
    Refused or None
        None from `VINTAGES` periods on, else why not.
    """
    if revised >= VINTAGES:
        return None
    return Refused(
        f"{revised or 'no'} {'period was' if revised == 1 else 'periods were'} counted again at a later date",
        f"at least {VINTAGES} periods counted at two dates or more",
    )
