"""A smooth trend: a penalised cubic spline of the period index (Eilers & Marx, 1996; Wood, 2017), by statsmodels.

The penalty is the one that predicts best: least UBRE for Poisson (known scale), least GCV for quasi-Poisson (Craven &
Wahba, 1979). A smooth is not defined beyond its last knot, so it gives no forecast.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import special

from desertion.trends import Refused, regression, terms
from desertion.trends.grid import Grid
from desertion.trends.laws import logpmf
from desertion.trends.regression import Model, Regression, unidentified

#: Candidates for the penalty, on the scale of the index in [0, 1].
PENALTIES = np.logspace(-6, 6, 49)


def fit_trend(
    grid: Grid, trend: terms.Trend, model: Model = "poisson", *, harmonics: int = 0, level: float = 0.95
) -> Regression | Refused:
    """Fit `trend` to the counts of `grid`, with a smooth where it has one; intervals of a smooth are Bayesian (Wood).

    `df_resid` of a smooth is n less the effective degrees of freedom. Refused for NB1 and NB2, whose dispersion and a
    curve that is free to bend explain the same variation. Raises UserError for an unknown model or too many harmonics.
    """
    if not trend.smooth:
        return regression.fit_trend(grid, trend, model, harmonics=harmonics, level=level)
    refused = terms.unidentified_break(trend, grid)
    if refused:
        return refused
    names, X = terms.columns(trend, grid, grid.index, harmonics)
    y, index, offset = grid.counts, grid.index, grid.offset
    if model not in ("poisson", "quasi-poisson"):
        return Refused(
            f"a smooth and the dispersion of {model} explain the same variation: one series does not separate them",
            "--model quasi-poisson, or a trend with fixed terms",
        )
    size = min(10, len(y) // 2)
    if size < 5:
        return Refused(f"{len(y)} counts do not carry a smooth", "at least 10 counts")
    refused = unidentified(y, np.column_stack([X, index]))
    if refused:
        return refused
    from statsmodels.gam.api import BSplines, GLMGam
    from statsmodels.genmod import families
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    quasi = model == "quasi-poisson"
    place = (index - index[0]) / (index[-1] - index[0])
    best = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        basis = BSplines(place[:, None], df=[size], degree=[3])
        for penalty in PENALTIES:
            problem = GLMGam(y, X, smoother=basis, alpha=[penalty], family=families.Poisson(), offset=offset)
            try:
                result = problem.fit(maxiter=200, tol=1e-10)
            except PerfectSeparationError:
                return Refused("the counts lie on a smooth exactly: nothing is left to weigh it by", "a plain trend")
            except (np.linalg.LinAlgError, ValueError):
                continue
            edf = float(np.sum(result.edf))
            left = len(y) - edf
            if not np.isfinite(result.deviance) or left < 1:
                continue
            score = result.deviance * len(y) / left**2 if quasi else result.deviance + 2 * edf
            if best is None or score < best[0]:
                best = (score, edf, result, problem.exog)
    if best is None:
        return Refused("no smooth of these counts converges", "more counts, or a trend with fixed terms")
    _, edf, result, design = best
    df = len(y) - edf
    mean = np.asarray(result.mu)
    phi = float(np.sum((y - mean) ** 2 / mean)) / df if quasi else 1.0
    tail = (1 + level) / 2
    return Regression(
        model, (*names, *(f"smooth:{k + 1}" for k in range(design.shape[1] - len(names)))),
        np.asarray(result.params), phi * np.asarray(result.normalized_cov_params),
        float(special.stdtrit(df, tail) if quasi else special.ndtri(tail)), level, phi, df,
        None if quasi else float(logpmf("poisson", y, mean).sum()), max(0.0, float(result.deviance)),
        y, np.asarray(design), offset, mean, None,
        (f"the smooth spends {edf:.1f} degrees of freedom; the coefficients of its basis mean nothing singly",),
    )  # fmt: skip
