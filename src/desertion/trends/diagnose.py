"""Whether a fitted law of counts looks like the counts: quantile residuals, PIT, rootogram, autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from desertion.trends import Refused
from desertion.trends.laws import Floats, Law, cdf
from desertion.trends.regression import Regression, fit_design

#: Like cells a rootogram needs.
CELLS = 30


def quantile_residuals(
    law: Law,
    low: Floats,
    mean: Floats,
    dispersion: float = 1.0,
    high: Floats | None = None,
    seed: int = 1,
) -> Floats:
    """Randomised quantile residuals (n), standard normal where the law holds (Dunn & Smyth, 1996).

    `low` are the counts; with `high` a count is known to lie between the two (a rounded report; not one open to
    one side, for which they are not uniform).
    """
    below = cdf(law, low - 1, mean, dispersion)
    upto = cdf(law, low if high is None else high, mean, dispersion)
    u = below + np.random.default_rng(seed).uniform(size=len(low)) * (upto - below)
    return np.asarray(special.ndtri(np.clip(u, 1e-15, 1 - 1e-15)))


def pit(below: Floats, upto: Floats, bins: int = 10) -> Floats:
    """Heights (bins) of the non-randomised PIT histogram, 1 each where the law holds (Czado et al., 2009).

    `below` and `upto` (n) are F(y − 1) and F(y) of each count.
    """
    edges = np.linspace(0, 1, bins + 1)[:, None]
    width = upto - below
    share = np.where(width > 0, (edges - below) / np.where(width > 0, width, 1), edges >= upto)
    mean = np.clip(share, 0, 1).mean(axis=1)
    return np.asarray(np.diff(mean) * bins)


@dataclass(frozen=True)
class Bar:
    """One bar of a rootogram: `observed` and `expected` cells whose count is `low` to `high`."""

    low: int
    high: int
    observed: int
    expected: float

    @property
    def hanging(self) -> float:
        """Square root of the expected less that of the observed: the gap under a bar that hangs from the curve."""
        return float(np.sqrt(self.expected) - np.sqrt(self.observed))


def rootogram(law: Law, y: Floats, mean: Floats, dispersion: float = 1.0, bars: int = 12) -> list[Bar] | Refused:
    """Bars of a hanging rootogram (Kleiber & Zeileis, 2016), in ranges of equal width, the last open above.

    Refused below 30 cells, where its bars are noise.
    """
    if len(y) < CELLS:
        return Refused(f"a rootogram of {len(y)} cells shows noise", f"at least {CELLS} cells")
    width = max(1, int(np.ceil((y.max() + 1) / bars)))
    found = []
    for low in range(0, int(y.max()) + 1, width):
        high = low + width - 1
        last = high >= y.max()
        upto = np.ones(len(y)) if last else cdf(law, np.full(len(y), high), mean, dispersion)
        expected = float(np.sum(upto - cdf(law, np.full(len(y), low - 1), mean, dispersion)))
        found.append(Bar(low, high, int(np.sum((y >= low) & (y <= high))), expected))
    return found


def autocorrelation(residuals: Floats, lags: int | None = None) -> Floats | Refused:
    """Autocorrelations (1…lags) of residuals of equal, neighbouring cells; ±1.96/√n is what chance gives.

    Refused below 8 residuals, or where one is missing.
    """
    n = len(residuals)
    if n < 8 or not np.isfinite(residuals).all():
        return Refused(f"{n} residuals, or gaps among them, tell no autocorrelation", "8 neighbouring cells")
    lags = min(12, n // 4) if lags is None else lags
    e = residuals - residuals.mean()
    return np.array([e[k:] @ e[:-k] / (e @ e) for k in range(1, lags + 1)])


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` finds for one regression; `p_uniform` tests the quantile residuals (Kolmogorov–Smirnov)."""

    residuals: Floats
    p_uniform: float
    pit: Floats
    rootogram: list[Bar] | Refused
    autocorrelation: Floats | Refused
    influence: Floats


def diagnose(fit: Regression, seed: int = 1) -> Diagnosis | Refused:
    """All diagnostics of `fit`. Refused for quasi-Poisson, which names no law to look like."""
    if fit.model == "quasi-poisson":
        return Refused("quasi-Poisson names no law, so there is none to check", "--model nb1, with the same variance")
    from scipy import stats

    y, mean = fit.y, fit.fitted
    residuals = quantile_residuals(fit.law, y, mean, fit.dispersion, seed=seed)
    return Diagnosis(
        residuals,
        float(stats.kstest(residuals, "norm").pvalue),
        pit(cdf(fit.law, y - 1, mean, fit.dispersion), cdf(fit.law, y, mean, fit.dispersion)),
        rootogram(fit.law, y, mean, fit.dispersion),
        autocorrelation(residuals),
        influence(fit),
    )


def influence(fit: Regression) -> Floats:
    """Change of each coefficient (n × p) when a count is left out, in standard errors; NaN where that is refused."""
    found = np.full((len(fit.y), len(fit.names)), np.nan)
    for i in range(len(fit.y)):
        keep = np.arange(len(fit.y)) != i
        again = fit_design(
            fit.y[keep], fit.X[keep], fit.names, offset=fit.offset[keep], model=fit.model, level=fit.level
        )
        if isinstance(again, Regression):
            found[i] = (again.estimate - fit.estimate) / fit.se
    return found
