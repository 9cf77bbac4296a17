"""Rolling origins: forecasts from the counts published up to a day, scored against the next one (Tashman, 2000).

Three baselines stand beside every model; a model that does not beat the best of them has shown nothing. All work on
monthly rates, so that an increment may cover any number of months.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from desertion.trends import Refused
from desertion.trends.arrays import Floats
from desertion.trends.laws import LARGEST_MEAN
from desertion.trends.scores import TAILS, coverage, crps_sample, log_score_sample, wis

#: Fewest origins that a forecast must have been scored at to be shown.
ENOUGH = 8
#: Fewest counts before an origin.
BEFORE = 6
DRAWS = 4_000


@dataclass(frozen=True)
class Origin:
    """Counts known at `label` (a date as text), each over `months` (n), and the next one, `target`, with its months."""

    label: str
    counts: Floats
    months: Floats
    target: float
    target_months: float = 1.0


#: Function that draws the target, given the origin and a generator, or refuses.
Forecaster = Callable[[Origin, np.random.Generator], "Floats | Refused"]


@dataclass(frozen=True)
class Score:
    """One forecast of one origin, its quantiles at `scores.LEVELS` and the median, and its scores."""

    origin: str
    model: str
    observed: float
    quantiles: Floats
    wis: float
    crps: float
    log_score: float


@dataclass(frozen=True)
class Summary:
    """Mean scores of a model over its origins, and the share of counts inside each interval."""

    model: str
    origins: int
    wis: float
    crps: float
    log_score: float
    coverage: dict[str, float]


def score(
    origins: Sequence[Origin], models: Mapping[str, Forecaster], seed: int = 1
) -> tuple[list[Score], dict[str, Refused]]:
    """Score every model and baseline at every origin; a model that refuses one origin is left out, with its reason."""
    scored, refused = [], {}
    for k, (name, forecaster) in enumerate({**BASELINES, **models}.items()):
        rng = np.random.default_rng([seed, k])
        own = []
        for origin in origins:
            draws = forecaster(origin, rng)
            if isinstance(draws, Refused):
                refused[name] = Refused(f"at {origin.label}: {draws.reason}", draws.needs)
                break
            quantiles = np.quantile(draws, TAILS)
            y = origin.target
            losses = float(wis(y, quantiles, TAILS)), crps_sample(y, draws), log_score_sample(y, draws)
            own.append(Score(origin.label, name, y, quantiles, *losses))
        else:
            scored += own
    return scored, refused


def summarise(scored: Sequence[Score]) -> list[Summary]:
    """Average the scores of each model, the smallest WIS first."""
    groups: dict[str, list[Score]] = {}
    for item in scored:
        groups.setdefault(item.model, []).append(item)
    lines = []
    for model, items in groups.items():
        losses = zip(*((item.wis, item.crps, item.log_score) for item in items), strict=True)
        wis, crps, log_score = (float(np.mean(loss)) for loss in losses)
        held = coverage(np.array([i.observed for i in items]), np.array([i.quantiles for i in items]), TAILS)
        lines.append(Summary(model, len(items), wis, crps, log_score, held))
    return sorted(lines, key=lambda line: line.wis)


def _log_rates(origin: Origin) -> Floats:
    return np.asarray(np.log((origin.counts + 0.5) / origin.months))


def _counts(origin: Origin, log_rate: Floats, rng: np.random.Generator) -> Floats:
    mean = np.exp(np.minimum(log_rate, np.log(LARGEST_MEAN / 1e6))) * origin.target_months
    return rng.poisson(mean).astype(np.float64)


def last_value(origin: Origin, rng: np.random.Generator) -> Floats:
    """The last rate, spread by the past changes of its logarithm and their opposites (Cramer et al., 2022)."""
    logs = _log_rates(origin)
    change = np.diff(logs)
    return _counts(origin, logs[-1] + rng.choice(np.concatenate([change, -change]), size=DRAWS), rng)


def random_walk(origin: Origin, rng: np.random.Generator) -> Floats:
    """The last rate and a normal step on the log scale, as wide as the root mean square of the past steps."""
    logs = _log_rates(origin)
    width = float(np.sqrt(np.mean(np.diff(logs) ** 2)))
    return _counts(origin, logs[-1] + width * rng.standard_normal(DRAWS), rng)


def same_growth(origin: Origin, rng: np.random.Generator) -> Floats:
    """The last change of the log rate once more, spread by how much past changes differed from the one before."""
    logs = _log_rates(origin)
    change = np.diff(logs)
    width = float(np.sqrt(np.mean(np.diff(change) ** 2)))
    return _counts(origin, logs[-1] + change[-1] + width * rng.standard_normal(DRAWS), rng)


BASELINES: dict[str, Forecaster] = {"last value": last_value, "random walk": random_walk, "same growth": same_growth}
