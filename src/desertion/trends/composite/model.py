"""Fit the composite link model: reports in, a `Fit` or a refusal out."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from desertion import memo
from desertion.errors import ContradictionError, ModeError, UserError
from desertion.text import MONTH
from desertion.trends import Refused, terms
from desertion.trends.arrays import Floats
from desertion.trends.composite import hyper, lattice, prior, truncation
from desertion.trends.composite.fitted import Fit
from desertion.trends.composite.laplace import Mode, Problem, mode, posterior_mean
from desertion.trends.composite.posterior import Hyper, Posterior
from desertion.trends.composite.spec import Spec, check, pose
from desertion.trends.counts import Observations, Running
from desertion.trends.grid import UNITS, Grid

#: Periods of the grid and reports beyond which a fit is refused rather than begun.
MOST_PERIODS, MOST_REPORTS = 1_200, 5_000
#: Largest number that a report may give.
LARGEST_COUNT = 1e9
#: Posterior standard deviation of a log level beyond which the reports do not identify it.
FREE = 8.0
#: Smallest share of the posterior that its sound nodes must hold to stand for the whole.
MOST_OF_IT = 0.9
#: Largest phi − 1 that is tried.
LARGEST_EXCESS = 1e6
#: Longest delay in months that the latent intensity is carried back for.
LEAD_MONTHS = 12
#: Fields of a model that say what its parameters are.
_SHAPE = "trend", "order", "unit"


def fit(obs: Observations, spec: Spec | None = None, near: Fit | None = None) -> Fit | Refused:
    """Fit the latent intensity behind reports; the search begins at `near`, a fit to nearly the same reports.

    A fit with another trend, order or unit of period is no beginning, for its parameters mean something else.
    Composite link model: Thompson & Baker (1981), penalised: Eilers (2007); coarsened counts: Heitjan & Rubin (1991);
    integration over hyper-parameters: Rue et al. (2009). Refused where the reports give no posterior. Raises UserError
    for a trend, unit or number in `spec` that cannot be.
    """
    spec = spec or Spec()
    check(spec)
    # the level of intervals and the draws do not change a posterior, so one cached fit serves all of them
    alike = near is not None and all(getattr(near.spec, name) == getattr(spec, name) for name in _SHAPE)
    fitted = memo.recall(_fit, obs, _with_reporting(spec, Spec()), near.start if near is not None and alike else None)
    if isinstance(fitted, Refused):
        return fitted
    varied = tuple(replace(one, spec=_with_reporting(one.spec, spec)) for one in fitted.varied)
    return replace(fitted, spec=_with_reporting(fitted.spec, spec), varied=varied)


def _with_reporting(spec: Spec, like: Spec) -> Spec:
    """The model of `spec` with the level, seed and number of draws of `like`."""
    return replace(spec, level=like.level, seed=like.seed, draws=like.draws)


def fit_statements(
    facts: pd.DataFrame,
    figures: pd.DataFrame,
    spec: Spec | None = None,
    *,
    reading: str = "rounding",
    running: Running = "rebased",
) -> Fit | Refused:
    """Fit the months behind published counts.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`.
    figures : DataFrame
        The statements (`data.figures` or `data.context`), for their hedges and days.
    spec : Spec or None
        The model; None: the default one.
    reading : str
        How a printed bound is read (data/hedges.csv).
    running : str
        How running totals enter: `totals`, `rebased`, `differences` or `drop` (`counts.observations`).

    Returns
    -------
    Fit or Refused
        The fit; refused where these facts cannot be reports of one fit, or give no posterior.

    Raises
    ------
    UserError
        If `spec` has a trend, unit or number that cannot be.

    References
    ----------
    As in `fit`: Thompson & Baker (1981), Eilers (2007), Heitjan & Rubin (1991), Rue et al. (2009).
    """
    problem = pose(facts, figures, spec, reading=reading, running=running)
    return problem if isinstance(problem, Refused) else fit(*problem)


def _fit(obs: Observations, spec: Spec, start: hyper.Start | None) -> Fit | Refused:
    trend = terms.parse(spec.trend)
    named = _named_series(obs, spec)
    if isinstance(named, Refused):
        return named
    obs, spec = named
    refused = _size(obs) or _impossible(obs) or _overlap(obs)
    if refused:
        return refused
    try:
        cells = lattice.build(obs)
    except ContradictionError as error:
        those = ", ".join(obs.describe(i) for i in error.reports)
        return Refused(f"these reports contradict each other: {those}", "one of them mended or left out")
    first, last = int(obs.start.min()), int(obs.stop.max()) - 1
    lead = -(-LEAD_MONTHS // UNITS[spec.unit]) if spec.delayed else 0
    grid = prior.grid(first, last, spec.unit, lead)
    if len(grid.index) > MOST_PERIODS:
        return Refused(f"{len(grid.index):,} periods of one {spec.unit}", "a longer period unit")
    design = _design(obs, spec, trend, grid, lead)
    refused = _break(cells, trend) or _enough(cells, design, spec)
    if refused:
        return refused
    try:
        return _integrated(obs, spec, cells, design, start)
    except ModeError as error:
        if start is not None:
            return _fit(obs, spec, None)
        return Refused(f"no fit was found: {error}", "more exact reports, or a trend that is nearer to them")


def _named_series(obs: Observations, spec: Spec) -> tuple[Observations, Spec] | Refused:
    """Series that have reports, the reference first; by default each other one has a factor of its own name."""
    used = [name for s, name in enumerate(obs.series_names) if (obs.series == s).any()]
    free = [name for name in used if not (spec.factors or {}).get(name)]
    reference = spec.reference or next(iter(free or used), "")
    if spec.reference is not None and spec.reference not in free:
        what = "has a factor" if spec.reference in used else "has no report"
        return Refused(f"the reference series {spec.reference!r} {what}", f"one of {', '.join(map(repr, free))}")
    names = sorted(used, key=lambda name: (name != reference, name not in free))
    if spec.factors is None:
        spec = replace(spec, factors={name: (name,) for name in names[1:]})
    place = np.array([names.index(name) if name in names else -1 for name in obs.series_names], np.int64)
    return replace(obs, series=place[obs.series], series_names=tuple(names)), spec


def _size(obs: Observations) -> Refused | None:
    if len(obs) == 0:
        return Refused("there is no report", "counts with their periods")
    if len(obs) > MOST_REPORTS:
        return Refused(f"{len(obs):,} reports", f"at most {MOST_REPORTS:,}, for example sums over longer periods")
    return None


def _impossible(obs: Observations) -> Refused | None:
    """Refuse a report that no count could make."""
    high = np.where(np.isposinf(obs.high), 0.0, obs.high)
    for wrong, problem, needs in (
        (obs.stop <= obs.start, "ends before it begins", "the first day first"),
        (~(np.isfinite(obs.low) & np.isfinite(high)), "is no number", "a whole number, or an interval of two"),
        (obs.low < 0, "is negative", "a count of 0 or more"),
        (obs.low > obs.high, "runs from high to low", "the lower end first"),
        ((np.rint(obs.low) != obs.low) | (np.rint(high) != high), "is not whole", "a whole number"),
        (np.maximum(obs.low, high) > LARGEST_COUNT, "is larger than any count of cases", "the count itself"),
    ):
        if wrong.any():
            return Refused(f"{obs.describe(int(np.argmax(wrong)))} {problem}", needs)
    return None


def _overlap(obs: Observations) -> Refused | None:
    """Refuse series whose periods meet no period of the others: no report shows their ratio."""
    linked, fresh = {0}, [0]
    while fresh:
        mine = obs.series == fresh.pop()
        meets = (obs.start[mine][:, None] < obs.stop) & (obs.start < obs.stop[mine][:, None])
        others = set(obs.series[meets.any(axis=0)].tolist()) - linked
        linked |= others
        fresh += others
    apart = [name for s, name in enumerate(obs.series_names) if s not in linked]
    if apart:
        return Refused(
            f"no period of {obs.series_names[0]!r} overlaps one of {', '.join(map(repr, apart))}, so no ratio is known",
            "reports of both for one time, or one of them alone",
        )
    return None


def _design(obs: Observations, spec: Spec, trend: terms.Trend, grid: Grid, lead: int) -> prior.Design:
    """The design of `trend` and the factors of the series on the periods of `grid`."""
    factors = spec.factors or {}
    names = sorted({f for name in obs.series_names for f in factors.get(name, ())})
    columns = np.array([[float(f in factors.get(name, ())) for f in names] for name in obs.series_names])
    columns = columns.reshape(len(obs.series_names), len(names))
    offset = np.zeros(len(grid.index))
    if spec.exposure is not None:
        exposure = np.asarray(spec.exposure, dtype=np.float64)
        if len(exposure) != len(grid.index) - lead or not (exposure > 0).all():
            raise UserError(f"exposure needs one positive number for each of the {len(grid.index) - lead} periods")
        offset = np.log(np.concatenate([np.full(lead, exposure[0]), exposure]))
    priors = spec.priors
    own, path = prior.fixed_columns(grid, trend, spec.order, grid.index)
    scale = [priors.level_sd, *[priors.effect_sd] * (len(own) - 1)]
    if trend.smooth:
        walk = prior.walk_basis(len(grid.index), spec.order)
        own, path = (*own, *(f"walk:{k + 1}" for k in range(walk.shape[1]))), np.hstack([path, walk])
        scale += [np.nan] * walk.shape[1]
    scale += [priors.factor_sd] * len(names)
    # the level's vague prior is centred on the log of the crude rate
    months = (obs.stop - obs.start) / (MONTH * grid.months)
    crude = float(np.log((obs.middle.sum() + 0.5) / months.sum()) - offset.mean())
    return prior.Design(
        grid, (*own, *names), path, columns, offset, np.array(scale),
        crude if priors.level_mean is None else priors.level_mean, spec.order, lead,
        tuple(name in spec.delayed for name in obs.series_names), trend,
    )  # fmt: skip


def _break(cells: lattice.Lattice, trend: terms.Trend) -> Refused | None:
    for day in trend.breaks:
        at = day.toordinal()
        for cell in cells.cells:
            first, last = cell.spans[0][0], cell.spans[-1][1]
            if first < at < last:
                named = f"{date.fromordinal(first)} to {date.fromordinal(last - 1)}"
                return Refused(
                    f"the break {day} falls inside a count that the reports do not divide, {named}",
                    "reports that end where the break is",
                )
        if not any(c.spans[0][0] < at for c in cells.cells) or not any(c.spans[-1][1] > at for c in cells.cells):
            return Refused(f"all reports lie on one side of the break {day}", "reports on both sides of it")
    return None


def _enough(cells: lattice.Lattice, design: prior.Design, spec: Spec) -> Refused | None:
    free, dispersed = int((~design.walk).sum()), spec.phi is None
    if cells.informative <= free + dispersed:
        also = " and the dispersion" if dispersed else ""
        return Refused(
            f"{cells.informative} informative counts for {free} parameters of the trend and its factors{also}",
            f"at least {free + dispersed + 1} counts that do not follow from each other",
        )
    return None


def problem(cells: lattice.Lattice, design: prior.Design, obs: Observations, reporting_delay: float = 0.0) -> Problem:
    """The posterior before any hyper-parameter is set (tau 1, Poisson, no delay of a series)."""
    series = np.array([c.series for c in cells.cells], np.int64)
    shares = truncation.weights(cells, obs, design.bounds(), reporting_delay)
    return Problem(
        cells, shares, design.path, design.offset, design.factors[series],
        design.mean, design.precision(1.0), 0.0,
    )  # fmt: skip


def posed(base: Problem, design: prior.Design, psi: Hyper) -> Problem:
    """`base` at hyper-parameters `psi`."""
    shares = base.weights
    if design.lead:
        late = np.array([design.delayed[c.series] for c in base.lattice.cells])
        shares = prior.delay(shares, late, psi.delay, design.lead)
    return replace(base, weights=shares, precision=design.precision(psi.tau), delta=psi.delta)


def _search(
    obs: Observations, spec: Spec, cells: lattice.Lattice, design: prior.Design, start: hyper.Start | None
) -> tuple[hyper.Axes, Problem, tuple[hyper.Evaluate, Floats, Floats, Floats | None]]:
    """The hyper-parameters' axes, the posterior before they are set, and the arguments of `hyper.integrate`."""
    axes = hyper.Axes(spec, design)
    base = problem(cells, design, obs, spec.reporting_delay)
    alike = start is not None and len(start.theta) == len(base.mean)
    crude = start.theta if start is not None and alike else _starting_point(obs, design, base)

    def find(psi: Floats, start: Floats | None) -> tuple[Mode, float]:
        here = axes.hyper(psi)
        if here.delta > LARGEST_EXCESS:
            raise ModeError("the counts vary beyond any dispersion")
        best = mode(posed(base, design, here), crude if start is None else start)
        return best, best.log_marginal + axes.log_prior(psi)

    begin = axes.centre.copy()
    if not design.walk.any():
        begin[1] = np.log(max(_crude_excess(base, crude), np.exp(begin[1])))
    if start is not None:
        begin = np.where(np.isfinite(start.psi), start.psi, begin)
    known = start.sd[axes.free] if start is not None and np.isfinite(start.sd[axes.free]).all() else None
    return axes, base, (find, begin[axes.free], axes.scale[axes.free], known)


def log_evidence(fitted: Fit, reporting_delay: float) -> float:
    """Log of the reports' probability at another mean reporting delay (days), at the best hyper-parameters.

    The prior of these is in it; it is minus infinity where no fit is found.
    """
    spec = replace(fitted.spec, reporting_delay=reporting_delay)
    for start in (fitted.start, None):
        with contextlib.suppress(ModeError):
            _, _, search = _search(fitted.obs, spec, fitted.lattice, fitted.design, start)
            return hyper.highest(*search)
    return -np.inf


def _integrated(
    obs: Observations, spec: Spec, cells: lattice.Lattice, design: prior.Design, start: hyper.Start | None = None
) -> Fit:
    axes, base, search = _search(obs, spec, cells, design, start)
    nodes = hyper.integrate(*search)
    points = [axes.hyper(node.psi) for node in nodes]
    centres = [posterior_mean(posed(base, design, at), node.mode) for at, node in zip(points, nodes, strict=True)]
    roots = [node.mode.root() for node in nodes]
    sound = np.array(
        [
            hyper.holds(obs, design, at, node.mode.theta, centre, root)
            for at, node, centre, root in zip(points, nodes, centres, roots, strict=True)
        ]
    )
    weight = np.where(sound, [node.weight for node in nodes], 0.0)
    if weight.sum() < MOST_OF_IT:
        raise ModeError("the months vary too freely for the normal law around the mode")
    keep = np.flatnonzero(sound)
    posterior = Posterior(
        tuple(points[i] for i in keep), weight[keep] / weight.sum(), np.array(centres)[keep], np.array(roots)[keep]
    )
    if _log_spread(posterior, design) > FREE:
        raise ModeError("the reports leave the level free")
    best = max(nodes, key=lambda node: node.weight)
    made = Fit(obs, spec, cells, design, posterior, best.mode.loglik, best.mode.log_marginal, best.mode.theta)
    if 2 in axes.free and made.contraction_of_hyper("delay") < prior.CONTRACTION:
        median = spec.priors.delay_median
        sd = spec.priors.delay_sd
        fixed = [replace(spec, delay=median * factor) for factor in (1.0, np.exp(-sd), np.exp(sd))]
        middle, *varied = (_integrated(obs, s, cells, design) for s in fixed)
        return replace(middle, varied=tuple(varied))
    return made


def refit(fitted: Fit, obs: Observations, cells: lattice.Lattice) -> Fit:
    """Fit other reports on the periods and with the priors of `fitted`. Raises ModeError where no fit is fitted."""
    try:
        return _integrated(obs, fitted.spec, cells, fitted.design, fitted.start)
    except ModeError:
        return _integrated(obs, fitted.spec, cells, fitted.design)


def _log_spread(posterior: Posterior, design: prior.Design) -> float:
    """Largest posterior standard deviation of a period's log intensity."""
    rows = np.zeros((design.periods, posterior.centre.shape[1]))
    rows[:, : design.path.shape[1]] = design.path
    return float(posterior.of(rows).moments()[1].max())


def _crude_excess(base: Problem, theta: Floats) -> float:
    """Pearson's dispersion of the known counts about a crude fit, less one: a starting value for phi − 1."""
    known = base.lattice.known
    mean = base.means(theta)[0][known]
    return float((((base.lattice.counts - mean) ** 2 / mean).mean() if len(known) else 1.0) - 1)


def _starting_point(obs: Observations, design: prior.Design, base: Problem) -> Floats:
    """Starting value of theta: the crude log rates of the shortest reports, fitted by penalised least squares."""
    bounds = design.bounds()
    middle = np.maximum(obs.middle, 0.3)
    share = prior.share(obs.start, obs.stop, bounds)
    length = share.sum(axis=1)
    trust = share / length[:, None] ** 2
    total = trust.sum(axis=0)
    rate = np.where(
        total > 0, (trust * np.log(middle / length)[:, None]).sum(axis=0) / np.where(total > 0, total, 1), 0
    )
    weight = np.where(total > 0, 4.0, 0.0)
    k = base.path.shape[1]
    own = np.where(design.walk[:k], 25.0, np.maximum(base.precision[:k], 1e-8))
    matrix = (base.path.T * weight) @ base.path + np.diag(own)
    theta = base.mean.copy()
    theta[:k] += np.linalg.solve(matrix, base.path.T @ (weight * (rate - base.offset - base.path @ base.mean[:k])))
    return theta
