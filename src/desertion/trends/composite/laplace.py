"""Newton's method on the parameters and Laplace's approximation to what they leave of the marginal likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from desertion.errors import ModeError, SumError
from desertion.trends.arrays import Floats
from desertion.trends.composite import likelihood, nb1
from desertion.trends.composite.lattice import Lattice

#: Expected rise of the log posterior below which Newton's step is the last one. Its length in standard deviations is
#: the square root, 1e-7, and the error after it the square: where it stops depends on the processor no longer.
_LAST = 1e-14
#: The same below which steps are whole and unchecked, since rounding hides what they gain.
_NEAR = 1e-8
#: Largest change of a log intensity in one step: a first step from far away must not leap past the data.
_LEAP = 1.5
_MOST, _HALVINGS = 100, 14
#: Where no step attains the expected rise of the log posterior: the rise below which the point counts as the mode.
_NOISE = 0.1


@dataclass(frozen=True)
class Problem:
    """One posterior of theta at fixed hyper-parameters.

    Cell means are m = exp(factors @ theta[k:]) * (weights @ exp(offset + path @ theta[:k])), shapes: weights
    (cells, periods), path (periods, k), factors (cells, p − k). The prior is normal with `mean` (p) and `precision`,
    a diagonal (p) or a matrix (p, p).
    """

    lattice: Lattice
    weights: Floats
    path: Floats
    offset: Floats
    factors: Floats
    mean: Floats
    precision: Floats
    delta: float

    @property
    def matrix(self) -> Floats:
        """The prior precision as a matrix."""
        return np.diag(self.precision) if self.precision.ndim == 1 else self.precision

    def means(self, theta: Floats) -> tuple[Floats, Floats]:
        """Cell means (cells) and the part of each that each period gives (cells, periods)."""
        k = self.path.shape[1]
        parts = self.weights * np.exp(self.offset + self.path @ theta[:k])
        parts *= np.exp(self.factors @ theta[k:])[:, None]
        return parts.sum(axis=1), parts

    def log_prior(self, theta: Floats) -> float:
        """Log prior density, without the constants of flat directions and of 2 pi."""
        gap = theta - self.mean
        if self.precision.ndim == 1:
            proper = self.precision > 0
            return float(0.5 * np.log(self.precision[proper]).sum() - 0.5 * gap @ (self.precision * gap))
        return float(0.5 * np.linalg.slogdet(self.precision)[1] - 0.5 * gap @ self.precision @ gap)


@dataclass(frozen=True)
class Mode:
    """The posterior mode, its information matrix's lower Cholesky factor, and Laplace's log marginal likelihood."""

    theta: Floats
    loglik: float
    factor: Floats
    log_marginal: float
    value: likelihood.Value | None = None

    def covariance(self) -> Floats:
        """Inverse of the information: (p, p)."""
        return np.asarray(linalg.cho_solve((self.factor, True), np.eye(len(self.theta))))

    def root(self) -> Floats:
        """R with R R' the covariance: (p, p)."""
        return np.asarray(linalg.solve_triangular(self.factor, np.eye(len(self.theta)), lower=True, trans="T"))


def derivatives(problem: Problem, theta: Floats) -> tuple[likelihood.Value, Floats, Floats, Floats]:
    """The likelihood's value, gradient by theta (p), Hessian (p, p), and the Jacobian of the cell means (cells, p)."""
    means, parts = problem.means(theta)
    value = likelihood.evaluate(problem.lattice, means, problem.delta)
    path, factors = problem.path, problem.factors
    jacobian = np.hstack([parts @ path, means[:, None] * factors])
    hessian = value.curvature(jacobian)
    pull = value.score @ parts
    k = path.shape[1]
    hessian[:k, :k] += (path.T * pull) @ path
    side = path.T @ (parts.T @ (value.score[:, None] * factors))
    hessian[:k, k:] += side
    hessian[k:, :k] += side.T
    hessian[k:, k:] += (factors.T * (value.score * means)) @ factors
    return value, value.score @ jacobian, hessian, jacobian


def mode(problem: Problem, start: Floats) -> Mode:
    """The posterior mode by damped Newton steps from `start`, to machine precision wherever the sums allow it.

    Newton's error shrinks quadratically; the information matrix is the one before the last step. Where the exact
    information is not positive definite, the step uses the complete counts' information, which is. Raises ModeError
    where no mode is reached.
    """
    try:
        return _climb(problem, start, problem.matrix)
    except SumError as error:
        raise ModeError(str(error)) from error


def _climb(problem: Problem, theta: Floats, prior: Floats) -> Mode:
    value, gradient, hessian, jacobian = derivatives(problem, theta)
    height = value.loglik + problem.log_prior(theta)
    before = np.inf
    for _ in range(_MOST):
        slope = gradient - prior @ (theta - problem.mean)
        information = prior - hessian
        factor = _cholesky(information)
        exact = factor is not None
        if factor is None:
            means = np.maximum(problem.means(theta)[0], 1e-12)
            factor = _cholesky(prior + (jacobian.T / ((1 + problem.delta) * means)) @ jacobian)
            if factor is None:
                raise ModeError("the reports leave a parameter free")
        step = linalg.cho_solve((factor, True), slope)
        gain = float(slope @ step)
        near = exact and gain < _NEAR
        # sums so large that they step over numbers are smooth up to a noise, at which they no longer shrink
        if near and (gain < _LAST or gain >= before):
            log_det = 2 * float(np.log(np.diag(factor)).sum())
            loglik = value.loglik + float(gradient @ step)
            return Mode(theta + step, loglik, factor, height + gain / 2 - 0.5 * log_det, value)
        if near:
            before, theta = gain, theta + step
            value, gradient, hessian, jacobian = derivatives(problem, theta)
            height = value.loglik + problem.log_prior(theta)
            continue
        k = problem.path.shape[1]
        leap = float(np.abs(problem.path @ step[:k]).max(initial=0.0))
        size = min(1.0, _LEAP / leap) if leap > 0 else 1.0
        for _ in range(_HALVINGS):
            trial = theta + size * step
            value, gradient, hessian, jacobian = derivatives(problem, trial)
            new = value.loglik + problem.log_prior(trial)
            if new >= height + 1e-4 * size * gain - 1e-10 * (1 + abs(height)):
                break
            size /= 2
        else:
            if exact and gain < _NOISE:
                log_det = 2 * float(np.log(np.diag(factor)).sum())
                return Mode(theta, value.loglik, factor, height - 0.5 * log_det, value)
            raise ModeError("no step raises the posterior")
        theta, height = trial, new
    raise ModeError(f"no mode after {_MOST} steps")


def posterior_mean(problem: Problem, at: Mode) -> Floats:
    """The posterior mean to the next order: theta + C t / 2, where the covariance C contracts third derivatives to t.

    A report pins a sum of exponentials down but not its terms, so at the mode all terms lie too high for the normal law
    around it (Tierney & Kadane, 1986). Third derivatives are taken by rho = log m: those of rho are exact, those of the
    likelihood are those of single cells, which leaves out the skewness of the counts given the reports.
    """
    value = at.value
    if value is None:
        return at.theta
    means, parts = problem.means(at.theta)
    chance = parts / means[:, None]
    path = np.hstack([problem.path, np.zeros((len(problem.path), problem.factors.shape[1]))])
    slope = np.hstack([chance @ problem.path, problem.factors])
    along = chance @ path
    covariance = at.covariance()
    spread = path @ covariance
    own = (spread * path).sum(axis=1)
    cross = along @ spread.T
    level = ((along @ covariance) * along).sum(axis=1)
    first = means * value.score
    second = value.by_log_mean(means, slope)
    around = chance * (own - 2 * cross + level[:, None])
    pull = second @ spread.T * chance
    curved = (chance @ own - level) @ second
    third = _third(problem, means) * ((slope @ covariance) * slope).sum(axis=1)
    total = 2 * pull + first[:, None] * around
    pulled = total.sum(axis=0) @ path - total.sum(axis=1) @ along
    return np.asarray(at.theta + 0.5 * covariance @ (pulled + curved + third @ slope))


def _third(problem: Problem, means: Floats) -> Floats:
    """Third derivative of each cell's log probability by its log mean, an unknown count at its mean."""
    counts = means.copy()
    counts[problem.lattice.known] = problem.lattice.counts
    step = 1e-3

    def second(m: Floats) -> Floats:
        _, score, bend = nb1.evaluate(counts, m, problem.delta)
        return np.asarray(m * score + m**2 * bend)

    return np.asarray((second(means * np.exp(step)) - second(means * np.exp(-step))) / (2 * step))


def _cholesky(matrix: Floats) -> Floats | None:
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        return None
