"""Report sets on the real schedule: the periods, roundings and running totals of the cases that the report fits.

The numbers are drawn from known truths, named in `TRUTHS`:

- control: path, scale of the walk and dispersion drawn from the posterior of the real reports; no other parts
- twins: the same, and reports of the whole article count the cases of the newer parts and 2 % of other ones
- late: cases reach the sites of courts after a delay, a mixture of two gamma laws whose mean is 18 days in the middle
  and varies between sets by a factor of e^0.5, and are counted on the day on which the real report was
- wrong: one exact report is 15 % too high or too low, in equal parts
- jump, plateau, season: paths that are no random walk, phi 7
- drift: phi rises from 1.5 at the beginning over 5 on 1 January 2023 to 30 at the end

All but control have the 2 % of other parts from 24 September 2022 on, when the newer parts came into force.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from desertion import figures, reconcile
from desertion.trends import Refused, composite, counts
from desertion.trends.composite import lattice
from desertion.trends.counts import Observations, behind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRUTHS = ("control", "twins", "late", "wrong", "jump", "plateau", "season", "drift")
#: First day of the newer parts, and the share that other parts have then beside them.
PARTS_FROM, OTHERS = date(2022, 9, 24).toordinal(), 0.02
#: Weight, shape and mean in days of the two gamma laws of the delay.
DELAYS = ((0.8, 2.0, 10.0), (0.2, 1.5, 50.0))
ERROR = 1.15
_PHI = 7.0
_SEASON = np.array([0.70, 0.95, 1.1, 1.1, 0.95, 1.1, 0.85, 0.65, 1.0, 1.15, 1.15, 1.3])


@dataclass(frozen=True)
class Schedule:
    """The real reports, the fit to them, and of each statement behind them its interval and the day of its count."""

    obs: Observations
    fit: composite.Fit
    printed: dict[str, tuple[int, int, float, float, bool, int]]


@dataclass(frozen=True)
class Drawn:
    """A report set and its truth: expected and counted cases of each day from `first` on, phi at the end, tau.

    `wrong` is the position of the report that is wrong, −1 where none is.
    """

    obs: Observations
    first: int
    level: Floats
    cases: Ints
    phi: float
    tau: float
    wrong: int = -1

    def between(self, values: NDArray[np.generic], a: date, b: date) -> float:
        """Sum of daily `values` from the first day `a` to the last day `b`."""
        return float(values[a.toordinal() - self.first : b.toordinal() + 1 - self.first].sum())


@cache
def real() -> Schedule:
    """The cases of Art. 337 that notebook 03 fits, as it reads them."""
    data = figures.load()
    facts = reconcile.facts(data, rule="own-page-first").join(data.figures["hedge"], on="chosen")
    cases = figures.select(
        reconcile.latest(facts), articles="337", measures="cases_received_by_court", compilers="Mediazona",
        start="2009-01-01", end="2025-12-31", scope=["whole", "mobilisation_parts"], status=None,
    )  # fmt: skip
    posed = composite.pose(cases, data.figures)
    assert not isinstance(posed, Refused), posed
    obs, spec = posed
    fitted = composite.fit(obs, spec)
    assert isinstance(fitted, composite.Fit), fitted
    totals = counts.observations(cases, data.figures, running="totals")
    known = data.figures.groupby("fact")[["known", "counted_on"]].min().reindex(cases.index)
    days = cases["period_end"].where(cases["cumulative"].astype(bool), known["counted_on"].fillna(known["known"]))
    day = dict(zip(cases["chosen"], (when.toordinal() for when in days), strict=True))
    every = [totals] if totals.omitted is None else [totals, totals.omitted]
    printed = {
        name: (int(part.start[i]), int(part.stop[i]), float(part.low[i]), float(part.high[i]),
               part.scopes[i] == "whole", day[name])
        for part in every for i, name in enumerate(part.ids)
    }  # fmt: skip
    return Schedule(obs, fitted, printed)


def draw(truth: str, seed: int) -> Drawn:
    """Report set `seed` of a truth."""
    schedule, rng = real(), np.random.default_rng([zlib.crc32(truth.encode()), seed])
    level, phi, tau = _process(schedule, truth, rng)
    bounds = schedule.fit.design.bounds()
    first, days = int(bounds[0]), np.arange(bounds[0], bounds[-1])
    cases = _counts(level, phi, rng)
    others = _counts(OTHERS * level * (days >= PARTS_FROM), phi, rng) * (truth != "control")
    seen: dict[str, tuple[float, float]] = {}
    posted = _posted(first, cases, others, rng) if truth == "late" else None
    for name, (start, stop, low, high, whole, day) in schedule.printed.items():
        if posted is None:
            span = slice(start - first, stop - first)
            count = int(cases[span].sum()) + (int(others[span].sum()) if whole else 0)
        else:
            count = sum(int(((at >= start) & (at < stop) & (when < day + 1)).sum()) for at, when in posted[: 1 + whole])
        width = high - low + 1
        below = count if width == 1 else low + np.floor((count - low) / width) * width
        seen[name] = max(float(below), 0.0), float(below + width - 1)
    low, high = np.array([_interval(seen, behind(name)) for name in schedule.obs.ids]).T
    wrong = -1
    if truth == "wrong":
        wrong = int(rng.choice(np.flatnonzero(schedule.obs.exact)))
        low[wrong] = high[wrong] = round(low[wrong] * (ERROR if rng.random() < 0.5 else 1 / ERROR))
    return Drawn(replace(schedule.obs, low=low, high=high), first, level, cases, float(phi[-1]), tau, wrong)


def _interval(seen: dict[str, tuple[float, float]], names: list[str]) -> tuple[float, float]:
    """Interval of a report: of one statement, or of a running total less an earlier one."""
    (low, high), *earlier = (seen[name] for name in names)
    for less, more in earlier:
        low, high = max(low - more, 0.0), high - less
    return low, high


def _process(schedule: Schedule, truth: str, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Expected cases of each day, phi of each day, and tau (NaN where the path is no walk)."""
    fitted = schedule.fit
    bounds = fitted.design.bounds()
    days = np.arange(bounds[0], bounds[-1])
    month = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    theta, nodes = fitted.drawn
    k = int(rng.integers(len(theta)))
    hyper = fitted.posterior.hyper[nodes[k]]
    path = fitted.design.path @ theta[k, : fitted.design.path.shape[1]] + fitted.design.offset
    phi, tau = np.full(len(days), 1 + hyper.delta), hyper.tau
    if truth in ("jump", "plateau", "season"):
        phi, tau = np.full(len(days), _PHI), float("nan")
    if truth == "drift":
        at = [days[0], date(2023, 1, 1).toordinal(), days[-1]]
        phi = np.interp(days, at, [1.5, 5.0, 30.0])
    if truth == "jump":
        steps = [date(2023, 3, 15).toordinal(), date(2023, 11, 10).toordinal()]
        return np.array([70.0, 430.0, 800.0])[np.searchsorted(steps, days, side="right")] / 30.4, phi, tau
    if truth == "plateau":
        rise = 1 / (1 + np.exp(-(days - date(2023, 8, 1).toordinal()) / 30.4 / 3.5))
        fall = np.clip((days - date(2024, 11, 15).toordinal()) / 30.4 / 4, 0, 1)
        return (45 + 850 * rise) * (1 - 0.3 * fall) / 30.4, phi, tau
    if truth == "season":
        path = np.convolve(np.pad(path, 3, mode="edge"), np.ones(7) / 7, "valid")
        path = path + np.log(_SEASON / _SEASON.mean())[np.arange(len(path)) % 12]
    return (np.exp(path) / np.diff(bounds))[month], phi, tau


def _counts(level: Floats, phi: Floats, rng: np.random.Generator) -> Ints:
    delta = np.maximum(phi - 1, 1e-9)
    return rng.poisson(delta * rng.gamma(level / delta))


def _posted(first: int, cases: Ints, others: Ints, rng: np.random.Generator) -> list[tuple[Ints, Floats]]:
    """Day of each case, and when it is posted: of the cases and of those of other parts."""
    scale = np.exp(0.5 * rng.standard_normal())
    made = []
    for number in (cases, others):
        at = np.repeat(first + np.arange(len(number)), number)
        law = rng.choice(len(DELAYS), len(at), p=[weight for weight, *_ in DELAYS])
        _, shape, mean = np.array(DELAYS)[law].T
        made.append((at, at + 0.5 + scale * rng.gamma(shape) * mean / shape))
    return made


def fitted(drawn: Drawn) -> composite.Fit | Refused:
    """The fit that the notebook makes of such reports."""
    return composite.fit(drawn.obs, real().fit.spec)


def thinned(drawn: Drawn, informative: int, seed: int) -> Drawn:
    """The set without reports left out at random until at most so many counts are informative."""
    obs = drawn.obs
    for i in np.random.default_rng([informative, seed]).permutation(len(obs)):
        if lattice.build(obs).informative <= informative:
            break
        obs = obs.take([j for j, name in enumerate(obs.ids) if name != drawn.obs.ids[i]])
    return replace(drawn, obs=obs)
