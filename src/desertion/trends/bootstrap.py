"""Parametric bootstrap of a log-linear Poisson or NB2 trend: all replicates refitted at once by batched Newton.

A loop over statsmodels spends its time on everything but arithmetic; here one iteration serves thousands of
replicates, and those that have converged leave the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from desertion.project import UserError
from desertion.trends import Refused
from desertion.trends.laws import Floats, sample
from desertion.trends.regression import Regression

#: Rows of replicates worked on together: what fits a core's cache.
_CHUNK = 500
_ITERATIONS = 100
#: Largest change of a log mean in one step; a longer step is shortened.
_STEP = 3.0
#: A log mean that has moved this far from that of the pooled fit is on its way to no finite estimate.
_FAR = 25.0


@dataclass(frozen=True)
class Batch:
    """Estimates of R replicates: `coefficients` (R × p), `dispersion` (R; alpha, 0 for Poisson).

    `boundary` (R): the counts vary no more than Poisson, alpha is 0 and the coefficients are the Poisson ones.
    `infinite` (R): no finite estimate, the row is NaN. `ok` (R): neither.
    """

    coefficients: Floats
    dispersion: Floats
    boundary: NDArray[np.bool_]
    infinite: NDArray[np.bool_]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Replicates with a finite estimate inside the parameter space."""
        return ~(self.boundary | self.infinite)


@dataclass(frozen=True)
class Bootstrap:
    """The replicates of one fit and the percentile interval of each coefficient (Davison & Hinkley, 1997)."""

    batch: Batch
    low: Floats
    high: Floats
    left_out: int

    def interval(self, contrast: Floats, level: float = 0.95) -> tuple[float, float]:
        """Percentile interval of the linear combination `contrast` (p) of the coefficients."""
        low, high = np.quantile(self.batch.coefficients[self.batch.ok] @ contrast, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def bootstrap(fit: Regression, replicates: int = 10_000, seed: int = 1) -> Bootstrap | Refused:
    """Simulate `replicates` data sets from `fit` (Poisson or NB2) and refit each.

    Refused where fewer than half of the replicates have a finite estimate inside the parameter space; else those
    that have not are left out and counted. Raises UserError for another model, or a number below 2.
    """
    if fit.model not in ("poisson", "nb2"):
        raise UserError(f"the bootstrap refits poisson and nb2, not {fit.model}")
    if replicates < 2:
        raise UserError(f"{replicates} replicates: a bootstrap takes at least 2, better 10000")
    rng = np.random.default_rng(seed)
    means = np.broadcast_to(fit.fitted, (replicates, len(fit.fitted)))
    batch = fit_batch(sample(fit.law, means, fit.dispersion, rng), fit.X, fit.offset, fit.law)
    kept = int(batch.ok.sum())
    if kept < replicates / 2:
        return Refused(
            f"{replicates - kept} of {replicates} replicates have a dispersion at its boundary or no finite estimate",
            "more counts, or a model without the dispersion",
        )
    low, high = np.quantile(batch.coefficients[batch.ok], [(1 - fit.level) / 2, (1 + fit.level) / 2], axis=0)
    return Bootstrap(batch, low, high, replicates - kept)


def fit_batch(
    Y: Floats,
    X: Floats,
    offset: Floats | None = None,
    law: Literal["poisson", "nb1", "nb2"] = "poisson",
    tolerance: float = 1e-9,
) -> Batch:
    """Maximum likelihood of each row of `Y` (R × n) on `X` (n × p) with log exposure `offset` (n).

    Newton's method on the Poisson likelihood and, for NB2, on that of the coefficients and log alpha together
    (derivatives: Lawless, 1987), until a step is below `tolerance` times the size of the parameter; convergence is
    quadratic, so that the error left is about its square.
    """
    if law not in ("poisson", "nb2"):
        raise UserError(f"the batch refits poisson and nb2, not {law}")
    R, n = Y.shape
    p = X.shape[1]
    offset = np.zeros(n) if offset is None else offset
    # an orthonormal basis of the columns: the steps are the same, the matrices well conditioned
    Q, T = (np.asarray(part, dtype=np.float64) for part in np.linalg.qr(X))
    pooled = _pooled(np.asarray(Y.mean(axis=0), dtype=np.float64), Q, offset)
    b, alpha = np.full((R, p), np.nan), np.zeros(R)
    boundary, infinite = np.zeros(R, dtype=bool), np.zeros(R, dtype=bool)
    for start in range(0, R, _CHUNK):
        rows = slice(start, start + _CHUNK)
        y = Y[rows]
        found, failed = _poisson(y, Q, offset, pooled, tolerance)
        if law == "nb2":
            mean = np.exp(np.minimum(offset + found @ Q.T, 700.0))
            score = np.einsum("rn,rn->r", y - mean, y - mean) - y.sum(axis=1)
            at_zero = ~failed & ~(score > 0)
            inner = np.flatnonzero(~failed & ~at_zero)
            size = score[inner] / np.einsum("rn,rn->r", mean[inner], mean[inner])
            found[inner], alpha[start + inner], lost = _nb2(y[inner], Q, offset, found[inner], size, tolerance)
            boundary[rows] = at_zero
            failed[inner[lost]] = True
        infinite[rows] = failed
        b[rows] = found
    b = np.linalg.solve(T, b.T).T
    b[infinite] = np.nan
    alpha[infinite] = np.nan
    return Batch(b, alpha, boundary, infinite)


def _pooled(mean: Floats, Q: Floats, offset: Floats) -> Floats:
    """Poisson coefficients of the average replicate: a start from which most need three steps."""
    start = np.asarray(np.linalg.lstsq(Q, np.log(mean + 0.1) - offset, rcond=None)[0], dtype=np.float64)
    found, _ = _poisson(mean[None, :], Q, offset, start, 1e-10)
    return np.asarray(np.where(np.isfinite(found[0]), found[0], start))


def _poisson(y: Floats, Q: Floats, offset: Floats, start: Floats, tolerance: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Coefficients (R × p) and whether there is no finite estimate (R)."""
    n, p = Q.shape
    outer = (Q[:, :, None] * Q[:, None, :]).reshape(n, p * p)
    b = np.tile(start, (len(y), 1))
    reach = np.abs(Q @ start).max() + _FAR
    failed = np.asarray(y.sum(axis=1) == 0)
    active = np.flatnonzero(~failed)
    target = y @ Q
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        log_mean = b[active] @ Q.T
        mean = np.exp(log_mean + offset)
        step = _solve((mean @ outer).reshape(-1, p, p), target[active] - mean @ Q)
        step = _shorten(step, Q)
        b[active] += step
        far = (np.abs(log_mean).max(axis=1) > reach) | ~np.isfinite(step).all(axis=1)
        failed[active[far]] = True
        moving = np.abs(step).max(axis=1) > tolerance * (1 + np.abs(b[active]).max(axis=1))
        active = active[moving & ~far]
    failed[active] = True
    return b, failed


def _nb2(
    y: Floats, Q: Floats, offset: Floats, start: Floats, alpha: Floats, tolerance: float
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Coefficients (R × p), alpha (R) and positions of those without a maximum."""
    n, p = Q.shape
    outer = (Q[:, :, None] * Q[:, None, :]).reshape(n, p * p)
    b, log_alpha = start.copy(), np.log(np.clip(alpha, 1e-6, 1e3))
    reach = np.abs(start @ Q.T).max(axis=1) + _FAR if len(y) else np.zeros(0)
    lost = np.zeros(len(y), dtype=bool)
    active = np.arange(len(y))
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        k, a = y[active], np.exp(log_alpha[active])[:, None]
        log_mean = b[active] @ Q.T
        mean = np.exp(log_mean + offset)
        spread = 1 / (1 + a * mean)
        residual = (k - mean) * spread
        r = 1 / a
        # with l the log-likelihood and t = log alpha (so dr/dt = −r): first and second derivatives in b and t
        first, second = _polygamma_differences(k, r)
        log_spread = np.log1p(a * mean).sum(axis=1)
        gain = r[:, 0] * (log_spread - first) + residual.sum(axis=1)
        shrunk = a * mean * spread
        bend = -gain + r[:, 0] ** 2 * second + (k * spread - residual * shrunk).sum(axis=1)
        weight = mean * spread * (1 + a * residual)
        # the coefficients' block is positive definite; with a profile likelihood that is not concave, t goes uphill
        block, cross = (weight @ outer).reshape(-1, p, p), (residual * shrunk) @ Q
        of_gradient, of_cross = _solve(block, residual @ Q), _solve(block, cross)
        slope = gain - np.einsum("rp,rp->r", cross, of_gradient)
        curve = -bend - np.einsum("rp,rp->r", cross, of_cross)
        step_t = np.clip(np.where(curve > 0, slope / np.where(curve > 0, curve, 1.0), np.sign(slope)), -1.5, 1.5)
        step = np.column_stack([_shorten(of_gradient - of_cross * step_t[:, None], Q), step_t])
        b[active] += step[:, :p]
        log_alpha[active] += step[:, p]
        gone = (np.abs(log_mean).max(axis=1) > reach[active]) | ~np.isfinite(step).all(axis=1)
        gone |= np.abs(log_alpha[active]) > 30
        lost[active[gone]] = True
        size = 1 + np.maximum(np.abs(b[active]).max(axis=1), np.abs(log_alpha[active]))
        active = active[(np.abs(step).max(axis=1) > tolerance * size) & ~gone]
    lost[active] = True
    return b, np.asarray(np.exp(log_alpha), dtype=np.float64), np.flatnonzero(lost).astype(np.intp)


def _solve(system: Floats, right: Floats) -> Floats:
    """Solutions of R small symmetric systems (R × p × p), by hand for two unknowns; NaN where singular."""
    with np.errstate(all="ignore"):
        if system.shape[1] == 2:
            a, c, d = system[:, 0, 0], system[:, 0, 1], system[:, 1, 1]
            u, v = right[:, 0], right[:, 1]
            return np.asarray(np.stack([d * u - c * v, a * v - c * u], axis=1) / (a * d - c * c)[:, None])
        try:
            return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0], dtype=np.float64)
        except np.linalg.LinAlgError:
            bad = ~(np.abs(np.linalg.det(system)) > 1e-300)
            system[bad] = np.eye(system.shape[1])
            found = np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0], dtype=np.float64)
            found[bad] = np.nan
            return found


def _shorten(step: Floats, Q: Floats) -> Floats:
    """Steps cut so that no log mean changes by more than `_STEP`; the rows of Q are at most 1 long."""
    longest = np.linalg.norm(step, axis=1)
    if not np.any(longest > _STEP):
        return step
    change = np.abs(step @ Q.T).max(axis=1)
    return np.asarray(step * np.minimum(1.0, _STEP / np.maximum(change, 1e-300))[:, None])


def _polygamma_differences(k: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Sums over each row of psi(k + r) − psi(r) and of its derivative in r, for counts k (R × n) and r (R × 1).

    By the asymptotic series (Abramowitz & Stegun, 1964, 6.3.18) after a shift by 8, to about 1e-13; scipy's
    trigamma takes ten times as long.
    """
    value, slope = _psi(k + r)
    value_r, slope_r = _psi(r)
    n = k.shape[1]
    return value.sum(axis=1) - n * value_r[:, 0], slope.sum(axis=1) - n * slope_r[:, 0]


def _psi(x: Floats) -> tuple[Floats, Floats]:
    """The digamma function and its derivative for x > 0."""
    shift = np.zeros_like(x)
    shift_slope = np.zeros_like(x)
    small = x < 8
    if small.any():
        low = x[small]
        s, d = np.zeros_like(low), np.zeros_like(low)
        for j in range(8):
            inverse = 1 / (low + j)
            s += inverse
            d += inverse * inverse
        shift[small], shift_slope[small] = s, d
        x = np.where(small, x + 8, x)
    i = 1 / x
    q = i * i
    tail = q * (1 / 12 - q * (1 / 120 - q * (1 / 252 - q * (1 / 240 - q * (1 / 132 - q * (691 / 32760 - q / 12))))))
    tail_slope = (
        i * q * (1 / 6 - q * (1 / 30 - q * (1 / 42 - q * (1 / 30 - q * (5 / 66 - q * (691 / 2730 - q * 7 / 6))))))
    )
    return np.log(x) - i / 2 - tail - shift, i + q / 2 + tail_slope + shift_slope
