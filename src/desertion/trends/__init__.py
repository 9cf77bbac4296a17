"""Models of counts: exact intervals, regressions, the composite model, forecasts held out, scores; tables, no plots.

Notebooks use

- `Refused`: a reason and a need in place of a number
- `exact`: intervals of rates, of ratios of two counts and of shares
- `growth`: ratios of yearly counts, log-linear trends, and their words
- `composite`: the model of months behind overlapping, rounded and revised reports
- `hindsight`: forecasts of published counts from what was public before them
- `origins`: baselines and scores of such forecasts
- `rounded`: composite fits as tables and sentences of the report
- `completeness`, `posting`: cases that are posted after a count, and what that changes
- `years`, `pace`: cases by year and by month, for tables and sentences
- `searches`: how far counts reach, as somebody looked for later ones
- `statement_checks`: every usable statement set against a fit
- `stages`: growth from year to year at each stage of the proceedings
- `bounds`: what official totals leave for convictions that no counter publishes
- `ladder`: the claims that each series supports
- `questions`, `sensitivity`: how far each choice moves a growth factor
- `exposure`: person-years of the force, and counts for each 1,000 soldiers
- `suspended`: shares of suspended sentences, with intervals
- `abroad`: the growth of another country's counts beside Russia's

A result for a sentence is a named tuple with `ids`, the statements behind it, and `recipes`, which say how each of its
fields is computed.

The other modules serve these: `counts`, `grid`, `laws`, `terms`, `regression`, `scores`, `graph`. Importing the package
is light: each module imports its dependencies when it is imported itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

#: Stands in a table in place of a number that is refused.
LACKING = "not enough data"


@dataclass(frozen=True)
class Refused:
    """Stands in place of a number that would mislead: the reason, and the data that would give a number."""

    reason: str
    needs: str
    #: No statement stands behind it: a sentence may take `ids` of a result and of a refusal alike.
    ids: ClassVar[str] = ""

    def __repr__(self) -> str:
        return f"Refused: {self}"

    def __str__(self) -> str:
        return f"{self.reason} (needs: {self.needs})" if self.needs else self.reason
