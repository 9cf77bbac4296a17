"""A penalised composite link model for coarsened counts: the trend behind sums, bounds and running totals.

A latent intensity for each month (a trend, a random walk, or both), NB1 counts, and reports that each bound a sum of
them (Thompson & Baker, 1981; Heitjan & Rubin, 1991; Eilers, 2007). `fit` takes observations (`trends.counts`) and
`fit_statements` facts of this project's data.
"""

from desertion.trends.composite.fit import Fit
from desertion.trends.composite.model import Spec, fit
from desertion.trends.composite.prior import Priors
from desertion.trends.composite.statements import fit_statements, pose

__all__ = ["Fit", "Priors", "Spec", "fit", "fit_statements", "pose"]
