"""Which of several models: by AICc on one response and one grid, else by leaving the future out; and stacking.

Forecasts of rolling origins (`origins.score`) are what leaving the future out gives (Bürkner et al., 2020). Stacking
mixes the models so that the mixture would have forecast best (Yao et al., 2018), which a choice of one does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from desertion.project import UserError
from desertion.trends import Refused, forecast, regression, terms
from desertion.trends.grid import Grid
from desertion.trends.laws import Floats
from desertion.trends.origins import DRAWS, ENOUGH, Forecaster, Origin, Score

#: The mean log score of the stacked mixture is within this of the best there is.
_GAP, _ROUNDS = 1e-7, 200_000


@dataclass(frozen=True)
class Candidate:
    """One model: its parameters (the dispersion among them), log-likelihood, AICc, the distance to the least AICc.

    `weight` is exp(−delta/2) over their sum (Burnham & Anderson, 2002).
    """

    model: str
    parameters: float
    loglik: float
    aicc: float
    delta: float
    weight: float


def by_aicc(fits: Mapping[str, regression.Regression]) -> list[Candidate] | Refused:
    """The fits by AICc (Hurvich & Tsai, 1989), the least first.

    Refused where they were not made on the same counts with the same exposures, or one has no likelihood or too few
    counts for AICc.
    """
    if len(fits) < 2:
        return Refused("a comparison takes two models", "another model of the same counts")
    first, *others = fits.items()
    for name, fit in others:
        same = np.array_equal(fit.y, first[1].y) and np.array_equal(fit.offset, first[1].offset)
        if not same:
            return Refused(
                f"{first[0]} and {name} were fitted to different counts or exposures: their AICc do not compare",
                "fits to one response on one grid, or scores of rolling origins",
            )
    for name, fit in fits.items():
        if fit.aicc is None:
            lacks = "no likelihood" if fit.loglik is None else f"{fit.parameters:g} parameters for {len(fit.y)} counts"
            return Refused(f"{name} has {lacks}, so no AICc", "models with a likelihood and more counts")
    values = {name: (fit, float(fit.aicc)) for name, fit in fits.items() if fit.aicc is not None}
    least = min(aicc for _, aicc in values.values())
    total = sum(np.exp((least - aicc) / 2) for _, aicc in values.values())
    made = [
        Candidate(
            name, fit.parameters, float(fit.loglik or 0.0), aicc, aicc - least,
            float(np.exp((least - aicc) / 2) / total),
        )
        for name, (fit, aicc) in values.items()
    ]  # fmt: skip
    return sorted(made, key=lambda candidate: candidate.aicc)


def forecaster(trend: terms.Trend, model: regression.Model) -> Forecaster:
    """`model` with `trend` as a forecaster for rolling origins of equal periods.

    Raises UserError for a trend with breaks, which rolling origins have no dates for.
    """
    if trend.breaks:
        raise UserError(f"trend '{trend.text}': an origin has no dates for its breaks; leave them out")

    def draws(origin: Origin, rng: np.random.Generator) -> Floats | Refused:
        if np.ptp(np.append(origin.months, origin.target_months)) > 0:
            return Refused("the periods of this origin differ in length", "periods of one length")
        grid = Grid(date(2000, 1, 1), 1, np.arange(1.0, len(origin.counts) + 1), origin.counts)
        fitted = regression.fit_trend(grid, trend, model)
        if isinstance(fitted, Refused):
            return fitted
        ahead = forecast.draw(fitted, grid, trend, 1, draws=DRAWS, rng=rng)
        return ahead if isinstance(ahead, Refused) else ahead[1][:, 0]

    return draws


def stack(scored: Sequence[Score]) -> dict[str, float] | Refused:
    """Weights of the models in `scored`, summing to 1, of the mixture with the best mean log score (Yao et al., 2018).

    Refused below 8 origins, or where the models were not scored on the same origins and targets.
    """
    tables: dict[str, dict[str, tuple[float, float]]] = {}
    for item in scored:
        tables.setdefault(item.model, {})[item.origin] = (item.observed, item.log_score)
    if len(tables) < 2:
        return Refused("stacking takes two models", "scores of another model on the same origins")
    first, *others = tables.items()
    targets = {origin: observed for origin, (observed, _) in first[1].items()}
    for name, table in others:
        if {origin: observed for origin, (observed, _) in table.items()} != targets:
            return Refused(f"{first[0]} and {name} were scored on different origins or targets", "the same for both")
    if len(targets) < ENOUGH:
        return Refused(f"{len(targets)} origins are too few to weigh models by", f"at least {ENOUGH}")
    logs = np.array([[-table[origin][1] for table in tables.values()] for origin in targets])
    return dict(zip(tables, weights(logs).tolist(), strict=True))


def weights(log_density: Floats) -> Floats:
    """The point w of the simplex (K) with the largest mean of log(exp(log_density) @ w); log_density is (N × K).

    By the EM steps of a mixture with known parts, w ← w · mean(density / mixture); since the objective is concave it
    is within max(mean(density / mixture)) − 1 of its maximum. Raises UserError where an outcome has no density at all.
    """
    top = log_density.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise UserError("an outcome is impossible under every model: no mixture of them forecasts it")
    density = np.exp(log_density - top)
    w = np.full(density.shape[1], 1 / density.shape[1])
    for _ in range(_ROUNDS):
        gain = (density / (density @ w)[:, None]).mean(axis=0)
        if gain.max() - 1 < _GAP:
            break
        w = w * gain
        w /= w.sum()
    return np.asarray(w)


def blend(draws: Mapping[str, Floats], weight: Mapping[str, float], seed: int = 1) -> Floats:
    """Draws of the mixture: as many as of each model (draws × …), each from a model drawn by its `weight`."""
    rng = np.random.default_rng(seed)
    parts = np.stack([draws[name] for name in weight])
    chosen = rng.choice(len(parts), size=parts.shape[1], p=np.array(list(weight.values())))
    return np.asarray(parts[chosen, np.arange(parts.shape[1])])
