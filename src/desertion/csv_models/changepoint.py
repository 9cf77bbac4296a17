"""Change points of a piecewise constant Poisson rate: their number by exact partitioning, dates by enumeration.

The partition of least penalised cost gives the number of changes. A single change has an exact posterior of its date
over all periods, given that there is one; of several changes each date has one between its two neighbours, the others
held. A piecewise constant rate fits steps to smooth growth as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from desertion.trends import Refused
from desertion.trends.arrays import Floats
from desertion.trends.laws import logpmf

#: Jeffreys' prior of a Poisson rate is Gamma(1/2, 0).
SHAPE = 0.5
#: A penalty of 3 log n for each change is that of the modified BIC (Zhang & Siegmund, 2007) for one parameter.
PENALTY = 3.0


@dataclass(frozen=True)
class ChangePoints:
    """Cells (0-based) that begin a new rate, with the probability of each.

    If `several` is False, `places` are all n − 1 candidates and the probabilities sum to 1 (given one change); else
    they are the places of the best partition, which `partition` holds in any case. `fitted` (n): posterior mean count
    of each cell.
    """

    places: tuple[int, ...]
    probability: tuple[float, ...]
    several: bool
    partition: tuple[int, ...]
    fitted: Floats
    y: Floats
    exposure: Floats

    @property
    def loglik(self) -> float:
        """Log-likelihood of the best partition."""
        return float(logpmf("poisson", self.y, self.exposure * rates(self.y, self.exposure, self.partition)).sum())

    def draws(self, size: int, rng: np.random.Generator) -> Floats:
        """Draws (size × n) of the rate in each cell from the posterior."""
        n = len(self.y)
        if self.several or not self.partition:
            cuts = np.tile(np.array(self.partition, dtype=int), (size, 1))
        else:
            cuts = rng.choice(np.array(self.places), p=np.array(self.probability), size=(size, 1))
        edges = np.concatenate([np.zeros((size, 1), dtype=int), cuts, np.full((size, 1), n)], axis=1)
        events, exposed = _cumulate(self.y), _cumulate(self.exposure)
        shape = events[edges[:, 1:]] - events[edges[:, :-1]] + SHAPE
        rate = rng.gamma(shape, 1 / (exposed[edges[:, 1:]] - exposed[edges[:, :-1]]))
        segment = (np.arange(n)[None, :, None] >= cuts[:, None, :]).sum(axis=2)
        return np.take_along_axis(rate, segment, axis=1)


def find(y: Floats, exposure: Floats | None = None) -> ChangePoints | Refused:
    """Find the change points of counts `y` (n) with `exposure` (n).

    Refused below 4 counts, where all are 0, or where the best partition has as many rates and dates as there are
    counts.
    """
    exposure = np.ones(len(y)) if exposure is None else exposure
    if len(y) < 4:
        leave = "count leaves" if len(y) == 1 else "counts leave"
        return Refused(f"{len(y)} {leave} no degree of freedom beside one change", "at least 4 counts")
    if not y.any():
        return Refused("all counts are 0: there is no rate to change", "at least one event")
    cuts = partition(y, exposure)
    if 2 * len(cuts) + 1 >= len(y):
        return Refused(
            f"{len(cuts) + 1} rates and {len(cuts)} dates of change for {len(y)} counts: no degree of freedom is left",
            "counts that vary less, or a model with a dispersion",
        )
    if len(cuts) < 2:
        return _one(y, exposure, cuts)
    edges = (0, *cuts, len(y))
    probability = []
    for before, cut, after in zip(edges[:-2], cuts, edges[2:], strict=True):
        posterior = one_change(y[before:after], exposure[before:after])
        probability.append(float(posterior[cut - before - 1]))
    fitted = exposure * rates(y, exposure, cuts, SHAPE)
    return ChangePoints(cuts, tuple(probability), True, cuts, fitted, y, exposure)


def _one(y: Floats, exposure: Floats, cuts: tuple[int, ...]) -> ChangePoints:
    posterior = one_change(y, exposure)
    n = len(y)
    places = np.arange(1, n)
    constant = ChangePoints(
        tuple(places.tolist()), tuple(posterior.tolist()), False, cuts, exposure * rates(y, exposure, (), SHAPE),
        y, exposure,
    )  # fmt: skip
    if not cuts:
        return constant
    events, exposed = _cumulate(y), _cumulate(exposure)
    before = (events[places] + SHAPE) / exposed[places]
    after = (events[n] - events[places] + SHAPE) / (exposed[n] - exposed[places])
    # cell t is before the change at place c where c > t
    late = np.append(np.cumsum((posterior * before)[::-1])[::-1], 0.0)
    early = np.insert(np.cumsum(posterior * after), 0, 0.0)
    return replace(constant, fitted=exposure * (late + early))


def one_change(y: Floats, exposure: Floats) -> Floats:
    """Posterior (n − 1) that the rate changes before cell 1…n − 1, given one change, by enumeration.

    Uniform prior over the places and Jeffreys' prior for both rates, integrated out (Raftery & Akman, 1986).
    """
    places = np.arange(1, len(y))
    events, exposed = _cumulate(y), _cumulate(exposure)
    score = _evidence(events[places], exposed[places])
    score = score + _evidence(events[-1] - events[places], exposed[-1] - exposed[places])
    weight = np.exp(score - score.max())
    return np.asarray(weight / weight.sum())


def partition(y: Floats, exposure: Floats | None = None, penalty: float | None = None) -> tuple[int, ...]:
    """Cells (0-based) that begin a new rate in the partition of least penalised Poisson cost.

    Exact by dynamic programming (Jackson et al., 2005; the result of PELT, Killick et al., 2012): cost of a segment
    −2 times its largest log-likelihood, and `penalty` (3 log n where None) for each change.
    """
    n = len(y)
    exposure = np.ones(n) if exposure is None else exposure
    penalty = PENALTY * np.log(n) if penalty is None else penalty
    events, exposed = _cumulate(y), _cumulate(exposure)
    best, last = np.full(n + 1, -penalty), np.zeros(n + 1, dtype=np.intp)
    for end in range(1, n + 1):
        count, length = events[end] - events[:end], exposed[end] - exposed[:end]
        total = best[:end] - 2 * (special.xlogy(count, count / length) - count) + penalty
        last[end] = int(np.argmin(total))
        best[end] = total[last[end]]
    cuts, end = [], int(last[n])
    while end > 0:
        cuts.append(end)
        end = int(last[end])
    return tuple(reversed(cuts))


def rates(y: Floats, exposure: Floats, cuts: tuple[int, ...], shape: float = 0.0) -> Floats:
    """Rate (n) of each cell when the rate is constant between `cuts`: events (+ `shape`) over exposure."""
    edges = np.array((0, *cuts, len(y)))
    events, exposed = _cumulate(y), _cumulate(exposure)
    rate = (np.diff(events[edges]) + shape) / np.diff(exposed[edges])
    return np.repeat(rate, np.diff(edges))


def _cumulate(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _evidence(count: Floats | Floats, length: Floats) -> Floats:
    """Log marginal likelihood of a segment, up to what all segmentations share."""
    return np.asarray(special.gammaln(count + SHAPE) - (count + SHAPE) * np.log(length))
