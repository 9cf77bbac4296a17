"""Which claims a fit supports: the gates of the report's ladder of claims, and the warnings beside a number."""

from __future__ import annotations

import numpy as np

from desertion.trends import Refused
from desertion.trends.composite import checks
from desertion.trends.composite.fitted import Fit
from desertion.trends.composite.prior import CONTRACTION

#: Informative counts below which levels and totals lean on the priors. Simulated on the real schedule with reports left
#: out: benchmarks/schedule.csv has the coverage, the dispersion over its truth and the sets without a fit for 4 to 12.
FOR_LEVELS = 12
#: Counts on each side of a break below which its effect is fragile (Turner et al., 2021).
CELLS_A_SIDE = 8


def claims(fit: Fit) -> dict[str, Refused | None]:
    """Decide which claims a fit supports.

    Returns
    -------
    dict
        For each claim None, or why the report must not make it: `levels` (months and totals), `growth`, `ratios`, and
        `break:DATE` for each break. Forecasts have a gate of their own, by rolling origins (`hindsight`).

    References
    ----------
    Turner et al. (2021), counts on each side of a break.
    """
    few = too_few(fit)
    verdicts: dict[str, Refused | None] = {"levels": few, "growth": few, "ratios": few}
    driven = [str(row.name) for row in fit.factors().itertuples() if row.kind == "factor" and row.prior_driven]
    if few is None and driven:
        verdicts["ratios"] = Refused(f"the reports do not identify {', '.join(driven)}", "reports that overlap more")
    for day in fit.design.trend.breaks:
        before, after = sides(fit, day.toordinal())
        verdicts[f"break:{day}"] = few
        if min(before, after) < CELLS_A_SIDE:
            verdicts[f"break:{day}"] = Refused(
                f"{before} counts before and {after} after {day}", f"at least {CELLS_A_SIDE} on each side"
            )
    return verdicts


def too_few(fit: Fit) -> Refused | None:
    """None, or why the report takes no level, total or growth from `fit`."""
    informative = fit.lattice.informative
    if informative >= FOR_LEVELS:
        return None
    return Refused(f"{informative} informative counts do not carry levels", f"at least {FOR_LEVELS}")


def sides(fit: Fit, day: int) -> tuple[int, int]:
    """Numbers of cells that end by `day` (an ordinal), and of the others."""
    before = sum(cell.spans[-1][1] <= day for cell in fit.lattice.cells)
    return before, len(fit.lattice.cells) - before


def warnings(fit: Fit) -> list[str]:
    """Warnings to print beside the numbers of a fit."""
    doubts = []
    informative = fit.lattice.informative
    if informative < FOR_LEVELS:
        doubts.append(f"{informative} informative counts: below {FOR_LEVELS} levels and totals lean on the priors")
    periods = fit.intensity()
    driven = periods.loc[periods["prior_driven"], "period_start"]
    if len(driven):
        doubts.append(
            f"{len(driven)} of {len(periods)} periods ({driven.iloc[0]} to {driven.iloc[-1]}) are prior-driven: "
            "the reports say almost nothing of them; do not draw them as data"
        )
    phi = 1 + float(fit.hyper("delta")[np.argmax(fit.posterior.weight)])
    if fit.spec.phi is None and phi < 1.05:
        doubts.append(f"the dispersion phi is at its boundary ({phi:.2f}): the counts vary as Poisson counts do")
    elif fit.spec.phi is None and fit.contraction_of_hyper("delta") < CONTRACTION:
        doubts.append("the dispersion phi is prior-driven: the reports do not separate it from the trend")
    if fit.spec.tau is None and fit.design.walk.any() and fit.contraction_of_hyper("tau") < CONTRACTION:
        doubts.append("the smoothness tau is prior-driven")
    if fit.varied:
        doubts.append("the reports do not identify the delay: it is fixed, and varied for comparison")
    for day in fit.design.trend.breaks:
        before, after = sides(fit, day.toordinal())
        if min(before, after) < CELLS_A_SIDE:
            doubts.append(f"the break {day} has {before} counts before it and {after} after: its effect is fragile")
    for row in fit.factors().itertuples():
        if row.kind != "hyper" and row.name != "constant" and row.prior_driven:
            doubts.append(f"{row.name} is prior-driven: the reports do not identify it")
    if fit.lattice.held_out:
        held_out = checks.held_out(fit).itertuples()
        named = ", ".join(f"{row.id} (probability {row.probability:.2g})" for row in held_out)
        doubts.append(f"reports that the likelihood cannot take beside the others were checked instead: {named}")
    return doubts
