"""The Gamma–Poisson local level of Harvey & Fernandes (1989): a level that forgets at a constant discount.

With level(t) ~ Gamma(a, b) after t counts, the next period starts from Gamma(w a, w b): the mean stays, the
variance grows by 1/w. The discount w in (0, 1] is estimated by maximum likelihood; at 1 the level is constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from desertion.project import UserError
from desertion.trends import Refused
from desertion.trends.laws import Floats, cdf, logpmf, sample

#: Discounts below this remember less than one count; the likelihood there is of no use.
_LEAST = 1e-3
_BOUNDARY = 1 - 1e-4


@dataclass(frozen=True)
class LocalLevel:
    """The filter at the estimated discount.

    `a`, `b` (n): shape and rate of the level after each count; `predicted` (n) and `size` (n): mean and negative
    binomial size of each count as the counts before it predict it (NaN up to the first event). `discount_low` and
    `discount_high` bound the discount by its profile likelihood.
    """

    discount: float
    discount_low: float
    discount_high: float
    se: float
    loglik: float
    a: Floats
    b: Floats
    predicted: Floats
    size: Floats
    y: Floats
    exposure: Floats
    gaps: Floats

    @property
    def boundary(self) -> bool:
        """Whether the estimate is at 1 (no movement of the level) or at 0 (each count stands alone)."""
        return self.discount >= _BOUNDARY or self.discount <= 2 * _LEAST

    def draws(self, size: int, rng: np.random.Generator) -> Floats:
        """Draws (size × n) of the level given all counts, by backward sampling.

        Given the level of the next period, level(t) is w level(t+1) + Gamma((1 − w) a, b) (Gamerman et al., 2013).
        """
        n = len(self.y)
        level = np.empty((size, n))
        level[:, -1] = rng.gamma(self.a[-1], 1 / self.b[-1], size=size)
        for t in range(n - 2, -1, -1):
            w = self.discount ** self.gaps[t + 1]
            level[:, t] = w * level[:, t + 1] + rng.gamma((1 - w) * self.a[t], 1 / self.b[t], size=size)
        return level

    def ahead(self, steps: int, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Means and counts (both size × steps) of the next periods at the last exposure, each on its own.

        The level h periods on is Gamma(w^h a, w^h b). The discount is drawn from its profile likelihood.
        """
        nodes = np.linspace(_LEAST, 1.0, 200)
        shapes, rates, loglik, _, _ = filtered(self.y, self.exposure, self.gaps, nodes)
        weight = np.exp(loglik - loglik.max())
        node = rng.choice(len(nodes), p=weight / weight.sum(), size=size)
        mean = np.repeat((self.exposure[-1] * shapes[-1] / rates[-1])[node][:, None], steps, axis=1)
        fading = np.maximum(nodes[node][:, None] ** np.arange(1, steps + 1), 1e-300)
        return mean, sample("nb2", mean, 1 / (fading * shapes[-1][node][:, None]), rng)


def fit(
    y: Floats, exposure: Floats | None = None, index: Floats | None = None, level: float = 0.95
) -> LocalLevel | Refused:
    """Fit counts `y` (n) with `exposure` (n) at the places `index` (n; consecutive where None).

    Refused where fewer than 3 counts follow the first event (the likelihood starts there), or the likelihood is
    so flat that the interval of the discount is all of (0, 1). Raises UserError for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise UserError(f"level is {level!r}: it lies between 0 and 1, as 0.95")
    n = len(y)
    exposure = np.ones(n) if exposure is None else exposure
    gaps = np.diff(np.arange(n, dtype=np.float64) if index is None else index, prepend=0.0)
    after = n - 1 - int(np.argmax(y > 0)) if y.any() else 0
    if after < 3:
        return Refused(f"{after} counts follow the first event; the discount rests on them", "at least 3 such counts")

    from scipy import optimize  # here, since it takes as long to import as the rest

    def loss(w: float) -> float:
        return -float(filtered(y, exposure, gaps, np.array([w]))[2][0])

    nodes = np.linspace(_LEAST, 1.0, 81)
    losses = -filtered(y, exposure, gaps, nodes)[2]
    i = int(np.argmin(losses))
    bracket = (nodes[max(i - 1, 0)], nodes[min(i + 1, len(nodes) - 1)])
    found = optimize.minimize_scalar(loss, bounds=bracket, method="bounded", options={"xatol": 1e-10})
    best = float(found.x) if found.fun < losses[i] else float(nodes[i])
    target = min(float(found.fun), float(losses[i])) + float(special.chdtri(1, 1 - level)) / 2
    low, high = (
        end if best == end or loss(end) <= target else float(optimize.brentq(lambda w: loss(w) - target, end, best))
        for end in (_LEAST, 1.0)
    )
    if low <= _LEAST and high >= 1.0:
        return Refused("the likelihood is flat: any discount fits these counts", "more counts")
    a, b, loglik, mean, size = (part[..., 0] for part in filtered(y, exposure, gaps, np.array([best])))
    se = (high - low) / (2 * float(special.ndtri((1 + level) / 2)))
    return LocalLevel(best, low, high, se, float(loglik), a, b, mean, size, y, exposure, gaps)


def filtered(y: Floats, exposure: Floats, gaps: Floats, w: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The filter at each discount in `w` (W).

    Shape and rate of the level after each count (both n × W), log-likelihood (W), mean and size of each count as
    predicted (n × W). The prior is Gamma(0, 0); a count is predicted, and enters the likelihood, after the first
    event (NaN before).
    """
    n = len(y)
    a, b, mean, size = (np.full((n, len(w)), np.nan) for _ in range(4))
    shape, rate = np.zeros(len(w)), np.zeros(len(w))
    started = False
    for t in range(n):
        fading = w ** gaps[t]
        shape, rate = fading * shape, fading * rate
        if started:
            mean[t], size[t] = exposure[t] * shape / rate, shape
        shape, rate = shape + y[t], rate + exposure[t]
        a[t], b[t] = shape, rate
        started = started or y[t] > 0
    known = slice(int(np.argmax(y > 0)) + 1, n)
    loglik = logpmf("nb2", y[known, None], mean[known], 1 / size[known]).sum(axis=0)
    return a, b, np.asarray(loglik), mean, size


def residuals(fit: LocalLevel) -> Floats:
    """Pearson residuals of the one-step predictions, NaN before the first."""
    return np.asarray((fit.y - fit.predicted) / np.sqrt(fit.predicted + fit.predicted**2 / fit.size))


def pit(fit: LocalLevel) -> tuple[Floats, Floats]:
    """The limits F(y − 1), F(y) of each count's probability integral transform under its one-step prediction."""
    known = np.isfinite(fit.predicted)
    y, mean, alpha = fit.y[known], fit.predicted[known], 1 / fit.size[known]
    return cdf("nb2", y - 1, mean, alpha), cdf("nb2", y, mean, alpha)
