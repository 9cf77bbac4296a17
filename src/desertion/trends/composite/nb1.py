"""The NB1 law of a count: variance phi times the mean, closed under adding periods (Cameron & Trivedi, 1986).

With delta = phi − 1 the probability of n is prod_{k<n} (m + k delta) / (n! phi^n phi^(m/delta)); at delta = 0 it is
Poisson. In this form neighbouring counts differ by a logarithm and no special function, and nothing cancels as delta
goes to 0.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from desertion.trends.arrays import Floats

Derivatives = tuple[Floats, Floats, Floats]

# Above this r = m/delta the differences of log Γ, ψ and ψ₁ are taken term by term from Stirling's series, where
# subtracting the functions themselves would lose digits; the first term left out is below 1e-15 there.
_STIRLING = 40.0
_LGAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)
_DIGAMMA = (-1 / 12, 1 / 120, -1 / 252, 1 / 240)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30)


def _series(coefficients: tuple[float, ...], first: int, x: Floats) -> Floats:
    """sum_j coefficients[j] / x^(first + 2 j)."""
    square = 1.0 / (x * x)
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total *= square
        total += c
    return total * x ** -float(first)


def evaluate(n: Floats, m: Floats, delta: float) -> Derivatives:
    """Log probability of each `n` at mean `m`, and its first and second derivative by the mean; shapes alike."""
    fixed = -special.gammaln(n + 1)
    if delta == 0.0:
        return fixed + special.xlogy(n, m) - m, n / m - 1, -n / m**2
    log_phi = np.log1p(delta)
    r = m / delta
    top = r + n
    log_p = fixed - n * log_phi - m * (log_phi / delta)
    step = np.log1p(n / r)
    big = r > _STIRLING
    with np.errstate(all="ignore"):
        rise = (top - 0.5) * step - n + n * np.log(m) + _series(_LGAMMA, 1, top) - _series(_LGAMMA, 1, r)
        score = step - 0.5 * (1 / top - 1 / r) + _series(_DIGAMMA, 2, top) - _series(_DIGAMMA, 2, r)
        bend = -n / (r * top) + 0.5 * (top**-2 - r**-2) + _series(_TRIGAMMA, 3, top) - _series(_TRIGAMMA, 3, r)
    if not big.all():
        s, t, k = r[~big], top[~big], n[~big]
        rise[~big] = special.gammaln(t) - special.gammaln(s) + k * np.log(delta)
        score[~big] = special.psi(t) - special.psi(s)
        bend[~big] = special.zeta(2, t) - special.zeta(2, s)  # trigamma
    return log_p + rise, (score - log_phi) / delta, bend / delta**2


def tables(first: Derivatives, low: Floats, width: int, step: int, m: Floats, delta: float) -> Derivatives:
    """`evaluate` at `width` numbers from `low[c]` on in steps of `step` for each mean `m[c]`: three arrays (c, width).

    By recursion from the `first` values, unless the steps are wide.
    """
    if step > 8:
        n = low[:, None] + step * np.arange(width, dtype=np.float64)
        return evaluate(n, np.broadcast_to(m[:, None], n.shape), delta)
    length = (width - 1) * step + 1
    n = low[:, None] + np.arange(length - 1, dtype=np.float64)
    grown = m[:, None] + delta * n
    inverse = 1.0 / grown
    rises = (np.log(grown / (n + 1)) - np.log1p(delta), inverse, -inverse * inverse)
    columns = []
    for start, rise in zip(first, rises, strict=True):
        column = np.empty((len(m), length))
        column[:, 0] = start
        column[:, 1:] = rise
        columns.append(column.cumsum(axis=1, out=column)[:, ::step])
    return columns[0], columns[1], columns[2]


def sample(m: Floats, delta: float, rng: np.random.Generator) -> Floats:
    """Draws with means `m`, as Poisson counts of a gamma-distributed mean."""
    if delta == 0.0:
        return rng.poisson(m).astype(np.float64)
    return rng.poisson(delta * rng.gamma(m / delta)).astype(np.float64)


def split(n: Floats, m_in: float, m_out: float, delta: float, rng: np.random.Generator) -> Floats:
    """The part of each total `n` that falls into the piece with mean `m_in`: beta-binomial (Poisson: binomial)."""
    share = m_in / (m_in + m_out) if delta == 0.0 else rng.beta(m_in / delta, m_out / delta, len(n))
    return rng.binomial(n.astype(np.int64), share).astype(np.float64)
