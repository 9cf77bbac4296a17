"""Log-linear regressions of counts on one grid: Poisson, quasi-Poisson, NB1 and NB2, fitted by statsmodels.

A result is a `Regression` or a `Refused`: what the data do not identify is refused in words, never given as a number.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from desertion.errors import UserError
from desertion.trends import Refused, terms
from desertion.trends.arrays import Floats
from desertion.trends.grid import Grid
from desertion.trends.laws import Law, logpmf, variance

Model = Literal["poisson", "quasi-poisson", "nb1", "nb2"]
MODELS: tuple[Model, ...] = ("poisson", "quasi-poisson", "nb1", "nb2")

#: Below this many residual degrees of freedom an estimated dispersion has a coefficient of variation above 1/2.
DF_FOR_DISPERSION = 8
#: Cells on each side of a break below which its effect is fragile (Turner et al., 2021).
CELLS_A_SIDE = 8


@dataclass(frozen=True)
class Regression:
    """A fit of log E[y] = offset + X b to n counts with p coefficients.

    `covariance` (p × p) is that of b, scaled by the dispersion for quasi-Poisson; `multiplier` turns a standard
    error into half an interval (t on `df_resid` for quasi-Poisson, z otherwise). `dispersion` is 1 (Poisson), the
    Pearson statistic over `df_resid` (quasi-Poisson), phi (NB1) or alpha (NB2); `joint` ((p+1) × (p+1)) is then
    the covariance of b and log(phi − 1) or log alpha. Quasi-Poisson has no likelihood: `loglik` is None.
    """

    model: Model
    names: tuple[str, ...]
    estimate: Floats
    covariance: Floats
    multiplier: float
    level: float
    dispersion: float
    df_resid: float
    loglik: float | None
    deviance: float
    y: Floats
    X: Floats
    offset: Floats
    fitted: Floats
    joint: Floats | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = zip(self.names, self.estimate, *self.interval, strict=True)
        lines = [f"  {name}: {one:.4g} ({low:.4g} to {high:.4g})" for name, one, low, high in parts]
        head = f"Regression: {self.model}, {len(self.y)} counts, dispersion {self.dispersion:.4g}, log scale"
        return "\n".join([head, *lines, *(f"  {warning}" for warning in self.warnings)])

    @property
    def law(self) -> Law:
        """The law of one count; quasi-Poisson names none, NB1 has its variance."""
        if self.model == "quasi-poisson":
            return "nb1" if self.dispersion > 1 else "poisson"
        return self.model

    @property
    def se(self) -> Floats:
        """Standard errors (p)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def interval(self) -> tuple[Floats, Floats]:
        """Lower and upper limits (p) at `level`."""
        half = self.multiplier * self.se
        return self.estimate - half, self.estimate + half

    @property
    def parameters(self) -> float:
        """Number of estimated parameters, the dispersion among them where the likelihood has one."""
        return len(self.y) - self.df_resid + (self.model in ("nb1", "nb2"))

    @property
    def aic(self) -> float | None:
        """Akaike's information criterion; None without a likelihood."""
        return None if self.loglik is None else 2 * self.parameters - 2 * self.loglik

    @property
    def aicc(self) -> float | None:
        """AIC corrected for small samples (Hurvich & Tsai, 1989); None where n − parameters − 1 is not above 0."""
        k, n = self.parameters, len(self.y)
        return None if self.aic is None or n - k - 1 <= 0 else self.aic + 2 * k * (k + 1) / (n - k - 1)

    @property
    def pearson_chi2(self) -> float:
        """Pearson's statistic against the variance of the model (of Poisson, for quasi-Poisson)."""
        law: Law = "poisson" if self.model == "quasi-poisson" else self.law
        return float(np.sum((self.y - self.fitted) ** 2 / variance(law, self.fitted, self.dispersion)))

    def growth(self, periods: float) -> tuple[float, float, float] | None:
        """Factor of growth of the mean over `periods` and its interval; None unless `linear` is the only trend."""
        if "linear" not in self.names or any(n.startswith(("quadratic", "log", "step", "segm")) for n in self.names):
            return None
        i = self.names.index("linear")
        low, high = self.interval
        logs = np.clip(np.array([self.estimate[i], low[i], high[i]]) * periods, -700, 700)
        estimate, below, above = np.exp(logs)
        return float(estimate), float(below), float(above)

    def total(self, cells: list[int]) -> tuple[float, float, float]:
        """Expected sum over `cells` (0-based) and its interval, by the delta method on the log scale."""
        mean = float(self.fitted[cells].sum())
        gradient = self.fitted[cells] @ self.X[cells] / mean
        half = self.multiplier * float(np.sqrt(gradient @ self.covariance @ gradient))
        factor = float(np.exp(min(half, 700.0)))
        return mean, mean / factor, mean * factor


def fit_trend(
    grid: Grid, trend: terms.Trend, model: Model = "poisson", *, harmonics: int = 0, level: float = 0.95
) -> Regression | Refused:
    """Fit `trend` to the counts of `grid`.

    Raises UserError for an unknown model, too many harmonics, or a smooth term, which has no fixed columns.
    """
    if trend.smooth:
        raise UserError(f"trend '{trend.text}': a log-linear regression has fixed terms; leave smooth out")
    refused = terms.unidentified_break(trend, grid)
    if refused:
        return refused
    names, X = terms.columns(trend, grid, grid.index, harmonics)
    fitted = fit_design(grid.counts, X, names, offset=grid.offset, model=model, level=level)
    if isinstance(fitted, Refused):
        return fitted
    return replace(fitted, warnings=(*fitted.warnings, *_few_a_side(trend, grid)))


def _few_a_side(trend: terms.Trend, grid: Grid) -> list[str]:
    edges = [grid.start(grid.index[0]), *trend.breaks, grid.start(grid.index[-1] + 1)]
    few = []
    for day in trend.breaks:
        i = edges.index(day)
        sides = [sum(edges[j] <= grid.start(p) < edges[j + 1] for p in grid.index) for j in (i - 1, i)]
        if min(sides) < CELLS_A_SIDE:
            few.append(f"the break {day} has {sides[0]} and {sides[1]} periods beside it; below 8 a side it is fragile")
    return few


def fit_design(
    y: Floats,
    X: Floats,
    names: tuple[str, ...],
    *,
    offset: Floats | None = None,
    model: Model = "poisson",
    level: float = 0.95,
) -> Regression | Refused:
    """Fit counts `y` (n) on the design matrix `X` (n × p), whose columns are `names`, with log exposure `offset`.

    Poisson and quasi-Poisson (Nelder & Wedderburn, 1972; Wedderburn, 1974) by iterated weighted least squares,
    NB1 and NB2 (Cameron & Trivedi, 1986) by maximum likelihood. Raises UserError for an unknown `model`.
    """
    if model not in MODELS:
        raise UserError(f"model '{model}' is unknown; one of {', '.join(MODELS)}")
    if not 0 < level < 1:
        raise UserError(f"level is {level!r}: it lies between 0 and 1, as 0.95")
    y, offset = np.asarray(y, dtype=np.float64), np.zeros(len(y)) if offset is None else offset
    refused = unidentified(y, X, dispersed=model in ("nb1", "nb2"))
    if refused:
        return refused
    scale = np.abs(X).max(axis=0)
    poisson = _poisson(y, X / scale, offset)
    df, tail, quasi = float(len(y) - X.shape[1]), (1 + level) / 2, model == "quasi-poisson"
    law: Law = "poisson" if model == "quasi-poisson" else model
    joint = None
    if law == "poisson":
        b, covariance, mean = poisson
        chi2 = float(np.sum((y - mean) ** 2 / mean))
        dispersion = chi2 / df if quasi else 1.0
        if quasi and dispersion < 1e-12:
            return Refused("the counts lie on the trend exactly: the dispersion is at its boundary 0", "more counts")
        b, covariance = b / scale, dispersion * covariance / np.outer(scale, scale)
    else:
        negative = _negative_binomial(law, y, X, offset, scale, poisson)
        if isinstance(negative, Refused):
            return negative
        b, joint, mean, dispersion = negative
        covariance = joint[:-1, :-1]
        chi2 = float(np.sum((y - mean) ** 2 / variance(law, mean, dispersion)))
    return Regression(
        model, names, b, covariance, float(special.stdtrit(df, tail) if quasi else special.ndtri(tail)), level,
        dispersion, df, None if quasi else float(logpmf(law, y, mean, dispersion).sum()),
        _deviance(law, y, mean, dispersion), y, X, offset, mean, joint, tuple(_doubts(model, y, mean, df, chi2)),
    )  # fmt: skip


def unidentified(y: Floats, X: Floats, dispersed: bool = False) -> Refused | None:
    """Refuse a log-linear fit of `y` on `X` without a finite, unique estimate and a degree of freedom; else None."""
    n, p = X.shape
    if n <= p + dispersed:
        also = " and the dispersion" if dispersed else ""
        return Refused(
            f"{n} {'count' if n == 1 else 'counts'} for {p + dispersed} parameters ({p} of the trend{also}): "
            "no degree of freedom is left",
            f"at least {p + dispersed + 1} counts",
        )
    if not y.any():
        return Refused("all counts are 0: the rate has no finite logarithm", "at least one event")
    if np.linalg.matrix_rank(X / np.abs(X).max(axis=0)) < p:
        return Refused("the terms of the trend cannot be told apart on these periods", "fewer terms or more periods")
    if _separated(y, X / np.abs(X).max(axis=0)):
        return Refused(
            "the counts above 0 are separated from the zeros by the trend: a coefficient has no finite estimate",
            "fewer terms, or events on both sides",
        )
    return None


def _separated(y: Floats, X: Floats) -> bool:
    """Whether a direction exists that keeps the mean of every positive count and sends that of zeros to 0.

    Then the likelihood rises without end (Santos Silva & Tenreyro, 2010).
    """
    _, sizes, rows = np.linalg.svd(np.linalg.qr(X[y > 0], mode="r"), full_matrices=True)
    null = rows[int(np.sum(sizes > 1e-9 * sizes.max())) :].T
    if null.shape[1] == 0:
        return False
    from scipy import optimize

    away = X[y == 0] @ null
    best = optimize.linprog(away.sum(axis=0), A_ub=away, b_ub=np.zeros(len(away)), bounds=(-1, 1))
    return best.fun is not None and bool(best.fun < -1e-7)


def _poisson(y: Floats, X: Floats, offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Coefficients, their covariance and the means."""
    # not statsmodels.api, which takes half a second more to import
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the causes of its warnings are refused before the fit or checked after it
        result = GLM(y, X, family=Poisson(), offset=offset).fit(maxiter=200, tol=1e-13, tol_criterion="params")
        return np.asarray(result.params), np.asarray(result.normalized_cov_params), np.asarray(result.mu)


def _negative_binomial(
    law: Law, y: Floats, X: Floats, offset: Floats, scale: Floats, poisson: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats, float] | Refused:
    """Coefficients, the joint covariance, the means and the dispersion."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    start, _, mean = poisson
    excess = (y - mean) ** 2 - y
    # the score of the dispersion at its boundary (Lawless, 1987): not above 0, and Poisson is the maximum
    score = float(np.sum(excess / mean if law == "nb1" else excess))
    boundary = Refused(
        "the counts vary no more than Poisson counts would: the dispersion is at its boundary", "--model poisson"
    )
    if score <= 0:
        return boundary
    alpha = max(float(np.mean(excess / mean)) if law == "nb1" else score / float(np.sum(mean**2)), 1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = NegativeBinomial(y, X / scale, loglike_method=law, offset=offset)
        rough = problem.fit(start_params=np.append(start, alpha), method="bfgs", maxiter=1000, gtol=1e-6, disp=0)
        result = problem.fit(start_params=rough.params, method="newton", maxiter=100, tol=1e-11, disp=0)
        estimate, information = np.asarray(result.params), -np.asarray(problem.hessian(result.params))
        gradient = np.asarray(problem.score(result.params))
    if not np.isfinite(estimate).all() or not np.isfinite(information).all():
        return Refused(f"the likelihood of {law} has no maximum that could be found", "more counts, or fewer terms")
    alpha = float(estimate[-1])
    if alpha < 1e-8:
        return boundary
    step = np.linalg.lstsq(information, gradient, rcond=None)[0]
    if np.linalg.eigvalsh(information).min() <= 0 or np.abs(step).max() > 1e-6 * (1 + np.abs(estimate).max()):
        return Refused(f"the likelihood of {law} has no clear maximum", "more counts, or fewer terms")
    unscale = np.append(1 / scale, 1 / alpha)  # the last by the delta method, to the logarithm
    joint = np.linalg.inv(information) * np.outer(unscale, unscale)
    b = np.asarray(estimate[:-1] / scale)
    return b, joint, np.exp(offset + X @ b), 1 + alpha if law == "nb1" else alpha


def _deviance(law: Law, y: Floats, mean: Floats, dispersion: float) -> float:
    """Twice the log-likelihood lost to the best mean for each count at the same dispersion."""
    best = y
    if law == "nb1":
        # the best mean of an NB1 count is not the count itself: its size r solves psi(y + r) − psi(r) = log phi
        low, high = np.full(y.shape, -40.0), np.full(y.shape, 60.0)
        for _ in range(100):
            middle = (low + high) / 2
            r = np.exp(middle)
            rising = special.digamma(y + r) - special.digamma(r) > np.log(dispersion)
            low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        best = np.exp(low) * (dispersion - 1)
    saturated = np.where(y > 0, logpmf(law, y, np.where(y > 0, best, 1.0), dispersion), 0.0)
    return max(0.0, float(2 * np.sum(saturated - logpmf(law, y, mean, dispersion))))  # below 0 by rounding alone


def _doubts(model: str, y: Floats, mean: Floats, df: float, chi2: float) -> list[str]:
    """Warnings to print beside the fit."""
    doubts = []
    if model == "poisson" and special.chdtrc(df, chi2) < 0.01:
        doubts.append(
            f"the counts vary {chi2 / df:.1f} times as much as Poisson counts: these intervals are too narrow; "
            "use quasi-poisson, nb1 or nb2"
        )
    if model != "poisson" and df < DF_FOR_DISPERSION:
        doubts.append(f"the dispersion rests on {df:g} residual degrees of freedom; below 8 it is hardly known")
    if model == "quasi-poisson" and chi2 < df:
        doubts.append(f"the counts vary {chi2 / df:.2f} times as much as Poisson counts, less than chance alone")
    if model in ("nb1", "nb2") and len(y) < 20:
        doubts.append(f"{len(y)} counts: below 20 the intervals of a negative binomial are too narrow")
    residual = (y - mean) / np.sqrt(mean)
    if len(y) >= 12:
        lag = float(residual[1:] @ residual[:-1] / (residual @ residual)) if residual.any() else 0.0
        if abs(lag) > 2.5 / np.sqrt(len(y)):
            doubts.append(f"neighbouring residuals are correlated ({lag:.2f}): the intervals take them as independent")
    return doubts
