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
import pandas as pd
from numpy.typing import NDArray

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import Refused, completeness, composite, counts
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
    """The fit to the real reports, these before counts of the whole become limits, and the statements behind them.

    `printed` are the statements as reports of their own; `day` (n) are the days on which they were counted.
    """

    fit: composite.Fit
    reports: Observations
    printed: Observations
    day: Ints


@dataclass(frozen=True)
class Drawn:
    """A report set and its truth: expected and counted cases of each day from `first` on, phi at the end, tau.

    `wrong` is the id of the report that is wrong, blank where none is.
    """

    obs: Observations
    first: int
    level: Floats
    cases: Ints
    phi: float
    tau: float
    wrong: str = ""

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
    found = composite.fit_statements(cases, data.figures)
    assert isinstance(found, composite.Fit), found
    by_scope = [part for _, part in cases.groupby("scope")]  # together the wholes would become limits
    reports = _together([counts.observations(part, data.figures, running="rebased") for part in by_scope])
    printed = _together([counts.observations(part, data.figures) for part in by_scope])
    counted, days = (completeness.counting_days(each, cases, data.figures) for each in (reports, printed))
    assert days is not None, "the data do not tell when the reports were counted"
    return Schedule(found, replace(reports, counted=counted), printed, days[:, 0])


@cache
def pairs() -> pd.DataFrame:
    """The real counts of one period at two dates."""
    return completeness.pairs(figures.load())


def _together(parts: list[Observations]) -> Observations:
    """The reports of one series in several scopes."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts])
              for name in ("series", "start", "stop", "low", "high")}  # fmt: skip
    ids, scopes = (tuple(each for part in parts for each in getattr(part, name)) for name in ("ids", "scopes"))
    return Observations(ids, series_names=parts[0].series_names, scopes=scopes, **arrays)


def draw(truth: str, seed: int) -> Drawn:
    """Report set `seed` of a truth."""
    schedule, rng = real(), np.random.default_rng([zlib.crc32(truth.encode()), seed])
    level, phi, tau = _process(schedule.fit, truth, rng)
    bounds = schedule.fit.design.bounds()
    first, days = int(bounds[0]), np.arange(bounds[0], bounds[-1])
    cases = _counts(level, phi, rng)
    others = _counts(OTHERS * level * (days >= PARTS_FROM), phi, rng) * (truth != "control")
    posted = _posted(first, cases, others, rng) if truth == "late" else None
    seen: dict[str, tuple[float, float]] = {}
    printed = schedule.printed
    for i, name in enumerate(printed.ids):
        whole, start, stop = printed.scopes[i] == "whole", printed.start[i], printed.stop[i]
        if posted is None:
            span = slice(start - first, stop - first)
            count = float(cases[span].sum() + (others[span].sum() if whole else 0))
        else:
            known = [(at >= start) & (at < stop) & (when < schedule.day[i] + 1) for at, when in posted[: 1 + whole]]
            count = float(sum(each.sum() for each in known))
        # the intervals of a rounded number lie side by side
        width = printed.high[i] - printed.low[i] + 1
        below = printed.low[i] + np.floor((count - printed.low[i]) / width) * width
        seen[name] = max(below, 0.0), below + width - 1
    low, high = np.array([_interval(seen, behind(name)) for name in schedule.reports.ids]).T
    wrong = ""
    if truth == "wrong":
        used = {name for name, exact in zip(schedule.fit.obs.ids, schedule.fit.obs.exact, strict=True) if exact}
        i = int(rng.choice([i for i, name in enumerate(schedule.reports.ids) if name in used]))
        low[i] = high[i] = round(low[i] * (ERROR if rng.random() < 0.5 else 1 / ERROR))
        wrong = schedule.reports.ids[i]
    return Drawn(replace(schedule.reports, low=low, high=high), first, level, cases, float(phi[-1]), tau, wrong)


def _interval(seen: dict[str, tuple[float, float]], names: list[str]) -> tuple[float, float]:
    """Interval of a report: of one statement, or of a running total less an earlier one."""
    (low, high), *earlier = (seen[name] for name in names)
    for less, more in earlier:
        low, high = max(low - more, 0.0), high - less
    return low, high


def _process(fitted: composite.Fit, truth: str, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Expected cases of each day, phi of each day, and tau (NaN where the path is no walk)."""
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
    try:
        return composite.fit(counts.each_once(drawn.obs), real().fit.spec)
    except UserError as error:
        return Refused(str(error), "one of them mended")


def thinned(drawn: Drawn, informative: int, seed: int) -> Drawn:
    """The set without reports left out at random until at most so many counts are informative."""
    obs = drawn.obs
    for i in np.random.default_rng([informative, seed]).permutation(len(obs)):
        if lattice.build(counts.each_once(obs)).informative <= informative:
            break
        obs = obs.take([j for j, name in enumerate(obs.ids) if name != drawn.obs.ids[i]])
    return replace(drawn, obs=obs)
