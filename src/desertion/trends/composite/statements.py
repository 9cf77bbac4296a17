"""From the facts of this project's data to a fit: series by what differs, later stages of a case delayed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from desertion.errors import UserError
from desertion.trends import Refused, counts
from desertion.trends.composite.fit import Fit
from desertion.trends.composite.model import Spec, fit
from desertion.trends.counts import Observations, Running

#: Measures of one case in the order of its way through a court; one beside an earlier one comes with a delay.
STAGES = ("cases_received_by_court", "verdicts", "persons_convicted")


def pose(
    facts: pd.DataFrame,
    figures: pd.DataFrame,
    spec: Spec | None = None,
    *,
    reading: str = "rounding",
    running: Running = "rebased",
) -> tuple[Observations, Spec] | Refused:
    """The reports among `facts` (see `counts.observations`) and the model for them, or why there are none.

    Facts that differ in articles, scope, measure or compiler become series with a factor each (so does a declared
    difference; without an overlap `fit` refuses it), verdicts and persons convicted beside cases received delayed ones.
    """
    spec = spec or Spec()
    try:
        obs = counts.observations(facts, figures, reading=reading, running=running, declared=counts.SERIES)
    except UserError as error:
        return Refused(str(error), "statements that count one thing")
    measure = facts.set_index("chosen")["measure"]
    stages = [stage for stage in STAGES if (measure == stage).any()]
    later = {
        obs.series_names[series]
        for name, series in zip(obs.ids, obs.series, strict=True)
        if measure[counts.behind(name)[0]] in stages[1:]
    }
    return obs, replace(spec, delayed=tuple(sorted(later)))


def fit_statements(
    facts: pd.DataFrame,
    figures: pd.DataFrame,
    spec: Spec | None = None,
    *,
    reading: str = "rounding",
    running: Running = "rebased",
) -> Fit | Refused:
    """The fit to the reports among `facts`, posed as `pose` says, or why there is none."""
    posed = pose(facts, figures, spec, reading=reading, running=running)
    return posed if isinstance(posed, Refused) else fit(*posed)
