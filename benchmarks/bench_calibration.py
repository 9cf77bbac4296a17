"""How often the composite model's intervals cover the truth, with binomial bands; and simulation-based calibration.

Each data set is about 55 overlapping, rounded and bounded reports over 60 months from a known truth (see
`desertion.trends.composite.simulate`). With a fixed truth the coverage of 80 and 95 % intervals is measured for seven
months, five annual totals, growth, two factors, the dispersion and the walk's scale, and forecasts; the bands hold all
groups at once with 99 % (Bonferroni). With `--truth prior` every truth is drawn from the fit's own prior, so that the
posterior probability below the truth is uniform (Talts et al., 2018): the distance of its distribution function from
the diagonal is compared with the 99 % simultaneous bound (Kolmogorov–Smirnov).

Run: python benchmarks/bench_calibration.py [--sets 1000] [--truth fixed|prior] [--delay 2] [--floor] [--seed 0]
1,000 sets take about ten minutes on one core, half an hour with a delay. `--floor` reads "more than v" as open above
where it was printed as the round number below: a bias that the ranks show and coverage hardly does.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time

import numpy as np
from scipy import stats

from desertion.trends import Refused
from desertion.trends.composite import Fit, Priors, Spec, fit, nb1, simulate
from desertion.trends.composite.posterior import Mixture

MONTHS = (3, 12, 22, 31, 40, 50, 58)
LEVEL, LEVEL_SD = 5.0, 0.5


def draw_truth(rng: np.random.Generator, arguments: argparse.Namespace) -> simulate.Truth:
    """The fixed truth, or one from the priors of the fit."""
    if arguments.truth == "fixed":
        return simulate.truth(rng, delay=arguments.delay)
    p = Priors()
    return simulate.truth(
        rng,
        start=rng.normal(LEVEL, LEVEL_SD),
        tau=rng.exponential(1 / p.tau_rate),
        phi=1 + np.exp(rng.normal(p.log_excess_mean, p.log_excess_sd)),
        compiler=rng.normal(0, p.factor_sd),
        measure=rng.normal(0, p.factor_sd),
        delay=np.exp(rng.normal(np.log(p.delay_median), p.delay_sd)) if arguments.delay else 0.0,
    )


def chances(found: Fit, true: simulate.Truth, rng: np.random.Generator) -> dict[str, float]:
    """Posterior probability below the truth of everything that is scored."""
    made: dict[str, float] = {}

    def add(law: Mixture, names: list[str], values: np.ndarray) -> None:
        made.update(dict(zip(names, law.below(values).tolist(), strict=True)))

    log_level = np.log(true.level)
    pick = list(MONTHS)
    add(found.log_sums(np.eye(60)[pick]), [f"month {k + 1}" for k in pick], log_level[pick])
    years = np.kron(np.eye(5), np.ones(12))
    add(found.log_sums(years), [f"year {k + 1}" for k in range(5)], np.log(years @ true.level))
    halves = np.kron(np.eye(10), np.ones(6))[[6, 8]]
    add(found.log_sums(halves, ratio=True), ["growth"], np.diff(np.log(halves @ true.level)))
    names = found.design.names
    for name, value in ((simulate.NAMES[1], true.compiler), (simulate.NAMES[2], true.measure)):
        add(found.posterior.of(np.eye(len(names))[[names.index(name)]]), [f"factor: {name}"], np.array([value]))
    for name, value in (("tau", true.tau), ("delta", true.phi - 1), ("delay", true.delay)):
        points = found.hyper(name)
        if np.isfinite(points).all() and np.ptp(points) > 0:
            order = np.argsort(points)
            reached = np.cumsum(found.posterior.weight[order]) - found.posterior.weight[order] / 2
            made[name] = float(np.interp(np.log(value), np.log(points[order]), reached, left=0.0, right=1.0))
    ahead = found.forecast(12).attrs["draws"]
    path = np.exp(log_level[-1] + np.cumsum(true.tau * rng.standard_normal(12)))
    counts = nb1.sample(path, true.phi - 1, rng)
    for k in (0, 5, 11):
        less, tied = (ahead[:, k] < counts[k]).mean(), (ahead[:, k] == counts[k]).mean()
        made[f"forecast {k + 1}"] = float(less + rng.uniform() * tied)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--truth", choices=("fixed", "prior"), default="fixed")
    parser.add_argument("--delay", type=float, default=0.0, help="mean months from case to verdict; 0: none")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    priors = Priors(level_mean=LEVEL, level_sd=LEVEL_SD) if arguments.truth == "prior" else Priors()
    spec = Spec(priors=priors, delayed=(simulate.NAMES[2],) if arguments.delay else ())
    scored: dict[str, list[float]] = {}
    times, held, refused = [], 0, 0
    for k in range(arguments.sets):
        rng = np.random.default_rng([arguments.seed, k])
        true = draw_truth(rng, arguments)
        reports = simulate.reports(true, rng, floor_bounds=arguments.floor)
        begin = time.perf_counter()
        found = fit(reports, spec)
        times.append(time.perf_counter() - begin)
        if isinstance(found, Refused):
            refused += 1
            print(f"set {k}: {found}")
            continue
        held += len(found.lattice.held_out)
        for name, chance in chances(found, true, rng).items():
            scored.setdefault(name, []).append(chance)
    report(arguments, scored, times, held, refused)


def report(
    arguments: argparse.Namespace, scored: dict[str, list[float]], times: list[float], held: int, refused: int
) -> None:
    """Print coverage, and where the truth came from the prior the distance from uniform."""
    n = arguments.sets - refused
    print(
        f"{arguments.sets} sets, truth {arguments.truth}, delay {arguments.delay:g}, seed {arguments.seed}; "
        f"{refused} refused, {held / max(n, 1):.1f} reports a set held out; "
        f"fit {np.mean(times):.2f} s on average, {np.max(times):.2f} s at most"
    )
    share = 1 - 0.01 / len(scored)
    bands = {p: np.array(stats.binom.interval(share, n, p)) / n for p in (0.95, 0.80)}
    bound = stats.kstwo.isf(0.01 / len(scored), n)
    print(
        f"99 % bands for all {len(scored)} rows at once: 95 % interval {bands[0.95][0]:.3f}-{bands[0.95][1]:.3f}, "
        f"80 % interval {bands[0.80][0]:.3f}-{bands[0.80][1]:.3f}, distance from uniform {bound:.3f}"
    )
    print(f"{'':34s}  95 %   80 %   mean PIT  distance")
    totals = np.zeros(2)
    for name, values in scored.items():
        u = np.array(values)
        covered = np.array([np.mean((u > t) & (u < 1 - t)) for t in (0.025, 0.1)])
        totals += covered
        outside = [not bands[p][0] <= c <= bands[p][1] for p, c in zip((0.95, 0.80), covered, strict=True)]
        distance = float(stats.kstest(u, "uniform").statistic)
        marks = "*" * sum(outside) + ("!" if arguments.truth == "prior" and distance > bound else "")
        print(f"{name:34s}  {covered[0]:.3f}  {covered[1]:.3f}  {u.mean():.3f}     {distance:.3f}   {marks}")
    mean = totals / len(scored)
    print(f"{'mean':34s}  {mean[0]:.3f}  {mean[1]:.3f}")


if __name__ == "__main__":
    main()
