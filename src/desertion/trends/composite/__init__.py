"""A penalised composite link model for coarsened counts: the trend behind sums, bounds and running totals.

A latent intensity for each month (a trend, a random walk, or both), NB1 counts, and reports that each bound a sum of
them (Thompson & Baker, 1981; Heitjan & Rubin, 1991; Eilers, 2007). `fit` takes observations (`trends.counts`),
`fit_statements` facts of this project's data; both give a `Fit` or a refusal. A `Fit` has the tables of the past
(`intensity`, `totals`, `growth`, `factors`, `summary`), and `counts` the number of cases of a period. `forecast` and
`outlook` look ahead, `diagnose` and `held_out` check a fit, `claims` and `warnings` list what it does not support.
"""

from desertion.trends.composite.ahead import forecast, outlook
from desertion.trends.composite.checks import diagnose, held_out
from desertion.trends.composite.counted import counts
from desertion.trends.composite.fitted import Fit
from desertion.trends.composite.gates import claims, warnings
from desertion.trends.composite.model import fit, fit_statements
from desertion.trends.composite.prior import Priors
from desertion.trends.composite.spec import Spec, pose

__all__ = [
    "Fit", "Priors", "Spec", "claims", "counts", "diagnose", "fit", "fit_statements", "forecast", "held_out", "outlook",
    "pose", "warnings",
]  # fmt: skip
