"""The specification of a composite model, and its derivation from facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from desertion.arguments import takes
from desertion.errors import UserError
from desertion.trends import Refused, completeness, counts, terms
from desertion.trends.composite import prior
from desertion.trends.counts import Observations, Running
from desertion.trends.grid import UNITS


@dataclass(frozen=True)
class Spec:
    """Specification of a composite link model.

    Parameters
    ----------
    trend
        In the grammar of `terms`.
    unit
        Period of the latent intensity.
    order
        Order of the random walk behind `smooth`, 1 or 2.
    priors
        Scales of the priors.
    reference
        Name of the series whose cases the latent intensity counts; by default the first of `Observations.series_names`
        that has reports and no factor (`counts.observations` names the earliest stage first).
    factors
        Names of the factors of each series; by default each series but the reference has one of its own name.
    delayed
        Series that count the latent cases later, by a geometric delay with one mean.
    phi, tau, delay
        Variance over mean, standard deviation of a period's step of the walk, mean delay in months; estimated if None.
    reporting_delay
        Mean delay in days after which cases are posted (`completeness`); 0: all reports were complete when counted.
    exposure
        One positive number per period, from the first report's period on.
    level, seed, draws
        Coverage of the intervals; seed and number of posterior draws.
    """

    trend: str = "smooth"
    unit: prior.Unit = "month"
    order: int = 1
    priors: prior.Priors = field(default_factory=prior.Priors)
    reference: str | None = None
    factors: dict[str, tuple[str, ...]] | None = None
    delayed: tuple[str, ...] = ()
    phi: float | None = None
    tau: float | None = None
    delay: float | None = None
    reporting_delay: float = 0.0
    exposure: tuple[float, ...] | None = None
    level: float = 0.95
    seed: int = 20240320
    draws: int = 4000


def check(spec: Spec) -> None:
    """Raise UserError for a trend, unit or number that cannot be."""
    terms.parse(spec.trend)
    if spec.unit not in UNITS:
        raise UserError(f"period unit '{spec.unit}' is unknown; one of {', '.join(UNITS)}")
    if spec.order not in (1, 2):
        raise UserError(f"a random walk of order {spec.order} is not offered; order is 1 or 2")
    if spec.phi is not None and not 1 <= spec.phi <= 1e6:
        raise UserError(f"phi {spec.phi} is no dispersion; it is 1 (Poisson) or more")
    if spec.tau is not None and not 0 < spec.tau < 100:
        raise UserError(f"tau {spec.tau} is no standard deviation of a logarithm; give a number above 0")
    if not 0 <= spec.reporting_delay < 1e4:
        raise UserError(f"reporting_delay {spec.reporting_delay} is no mean delay in days; give 0 or more")
    if not 0 < spec.level < 1:
        raise UserError(f"level {spec.level} is no coverage; it lies between 0 and 1")


@takes(facts="reconcile.facts(data): per kind cumulative period_start period_end value", figures="data.figures: hedge")
def pose(
    facts: pd.DataFrame,
    figures: pd.DataFrame,
    spec: Spec | None = None,
    *,
    reading: str = "rounding",
    running: Running = "rebased",
) -> tuple[Observations, Spec] | Refused:
    """Turn facts into reports and the model for them.

    Facts that differ in articles, measure or compiler become series with a factor each, and so do those that differ in
    scope, but for a part and its whole (`counts.PARTS`); verdicts and persons convicted beside cases received become
    delayed series.

    Parameters
    ----------
    facts
        Counts, one row per fact as in `reconcile.facts`.
    figures
        The statements, for their hedges.
    spec
        The model, but for `delayed`; the default one if None.
    reading, running
        How bounds and running totals are read, see `counts.observations`.

    Returns
    -------
    tuple of Observations and Spec, or Refused
        The reports and the model, or why there are none.
    """
    spec = spec or Spec()
    try:
        obs = counts.observations(facts, figures, reading=reading, running=running)
    except UserError as error:
        return Refused(str(error), "statements that count one thing")
    measure = facts.set_index("chosen")["measure"]
    stages = [stage for stage in counts.STAGES if (measure == stage).any()]
    later = {
        obs.series_names[series]
        for name, series in zip(obs.ids, obs.series, strict=True)
        if measure[counts.behind(name)[0]] in stages[1:]
    }
    dated = replace(obs, counted=completeness.counting_days(obs, facts, figures))
    return dated, replace(spec, delayed=tuple(sorted(later)))
