"""How often the composite model's intervals cover the truth, with binomial bands; and simulation-based calibration.

Each data set is about 45 overlapping, rounded and bounded reports over 36 months from a known truth (see
`desertion.trends.composite.simulate`). Two truths: `prior` draws every one from the fit's own prior, so that the
posterior probability below the truth is uniform (Talts et al., 2018); `growth` is a fixed scenario, eightfold growth
over the three years beside a walk, variance twenty times the mean, half of the first series' reports running totals.
Scored are the 80 and 95 % intervals of months, years, growth, factors, hyper-parameters and forecasts, the posterior's
and those printed, which are wider by the factors in `desertion.trends.composite.posterior.WIDENING`.

The bands hold all rows of a truth at once with 99 % (Bonferroni). For `prior` the distance of the distribution function
of those probabilities from the diagonal is compared with its 99 % simultaneous bound (Kolmogorov–Smirnov).

Run: python benchmarks/bench_calibration.py [--sets 1000] [--truth prior|growth] [--jobs 1] [--floor] [--delay 2]
A set takes about a second. Sets that are done are kept in build/calibration and not done again. With `--csv` 1,000 sets
from the prior and 500 of the scenario are summed up in benchmarks/calibration.csv. `--floor` reads "more than v" as
open above where it was printed as the round number below: a bias that the ranks show and coverage hardly does.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from desertion.project import BUILD, ROOT, write_atomic
from desertion.trends import Refused, composite
from desertion.trends.composite import Fit, Priors, Spec, fit, nb1
from desertion.trends.composite.posterior import WIDENING, Mixture

sys.path.insert(0, str(ROOT / "tests"))
from support import simulate

MONTHS, AHEAD = 36, 12
PICKED = (3, 9, 15, 21, 27, 32, 36)
HALVES = ((date(2022, 7, 1), date(2022, 12, 31)), (date(2023, 1, 1), date(2023, 6, 30)))
LEVEL, LEVEL_SD = 5.0, 0.5
LEVELS = (0.95, 0.8)
SETS = {"prior": 1000, "growth": 500}
CSV = Path(__file__).parent / "calibration.csv"


#: Posterior probability below the truth, and whether the posterior's 95 and 80 % interval holds it.
Scored = tuple[float, bool, bool]


def draw(rng: np.random.Generator, truth: str, delay: float) -> tuple[simulate.Truth, dict[str, int]]:
    """A truth, and how many single months and running totals of it are reported."""
    if truth == "growth":
        return simulate.truth(rng, MONTHS, start=4.5, phi=20.0, growth=8.0, delay=delay), {
            "months_told": 6, "running": 12,
        }  # fmt: skip
    p = Priors()
    return simulate.truth(
        rng,
        MONTHS,
        start=rng.normal(LEVEL, LEVEL_SD),
        tau=rng.exponential(1 / p.tau_rate),
        phi=1 + np.exp(rng.normal(p.log_excess_mean, p.log_excess_sd)),
        compiler=rng.normal(0, p.factor_sd),
        measure=rng.normal(0, p.factor_sd),
        delay=np.exp(rng.normal(np.log(p.delay_median), p.delay_sd)) if delay else 0.0,
    ), {}


def against(below: float) -> Scored:
    """A truth with this posterior probability below it."""
    reach = abs(special.ndtri(below))
    return float(below), *(bool(reach <= special.ndtri((1 + level) / 2)) for level in LEVELS)


def scored(found: Fit, true: simulate.Truth, truth: str, rng: np.random.Generator) -> dict[str, Scored]:
    """Everything that is scored, by name."""
    made: dict[str, Scored] = {}

    def add(names: list[str], law: Mixture, values: np.ndarray) -> None:
        made.update({name: against(u) for name, u in zip(names, law.below(values), strict=True)})

    pick = [k - 1 for k in PICKED]
    add([f"month {k}" for k in PICKED], found.log_sums(np.eye(MONTHS)[pick]), np.log(true.level[pick]))
    years = np.kron(np.eye(MONTHS // 12), np.ones(12))
    add([f"total of year {k + 1}" for k in range(len(years))], found.log_sums(years), np.log(years @ true.level))
    halves = np.kron(np.eye(6), np.ones(6))[[3, 4]]
    if isinstance(found.growth(*HALVES), dict):
        add(["growth"], found.log_sums(halves, ratio=True), np.diff(np.log(halves @ true.level)))
    names = found.design.names
    for label, name, value in (
        ("compiler", simulate.NAMES[1], true.compiler), ("measure", simulate.NAMES[2], true.measure)
    ):  # fmt: skip
        add([f"factor of the {label}"], found.posterior.of(np.eye(len(names))[[names.index(name)]]), np.array([value]))
    # the walk's scale is no parameter of a truth that also grows evenly
    hyper = {"tau": true.tau} if truth == "prior" else {}
    for name, value in (hyper | {"phi": true.phi, "delay": true.delay}).items():
        points = found.hyper("delta" if name == "phi" else name) + (name == "phi")
        if np.isfinite(points).all() and np.ptp(points) > 0:
            order = np.argsort(points)
            reached = np.cumsum(found.posterior.weight[order]) - found.posterior.weight[order] / 2
            made[name] = against(float(np.interp(value, points[order], reached, left=0.0, right=1.0)))
    table = composite.forecast(found, AHEAD)
    draws = table.attrs["draws"]
    path = true.level[-1] * np.exp(np.cumsum(true.tau * rng.standard_normal(AHEAD)))
    counts = nb1.sample(path, true.phi - 1, rng)
    for k in (1, 6, 12):
        n, row = counts[k - 1], table.iloc[k - 1]
        less, tied = (draws[:, k - 1] < n).mean(), (draws[:, k - 1] == n).mean()
        inside = [bool(row[f"low{100 * p:.0f}"] <= n <= row[f"high{100 * p:.0f}"]) for p in LEVELS]
        made[f"forecast {k} months ahead"] = (float(less + rng.uniform() * tied), inside[0], inside[1])
    return made


def one_set(arguments: argparse.Namespace, k: int) -> dict[str, Any]:
    """Data set `k`: what was scored, or why it was refused."""
    rng = np.random.default_rng([arguments.seed, k])
    true, design = draw(rng, arguments.truth, arguments.delay)
    reports = simulate.reports(true, rng, floor_bounds=arguments.floor, **design)
    priors = Priors(level_mean=LEVEL, level_sd=LEVEL_SD) if arguments.truth == "prior" else Priors()
    found = fit(reports, Spec(priors=priors, delayed=(simulate.NAMES[2],) if arguments.delay else ()))
    if isinstance(found, Refused):
        return {"set": k, "refused": str(found), "held_out": 0, "scored": {}}
    return {
        "set": k,
        "refused": "",
        "held_out": len(found.lattice.held_out),
        "scored": scored(found, true, arguments.truth, rng),
    }


def kept(arguments: argparse.Namespace) -> Path:
    """Where the sets that are done are kept."""
    kind = (
        f"{arguments.truth}{'-floor' if arguments.floor else ''}{f'-delay{arguments.delay:g}' * bool(arguments.delay)}"
    )
    return BUILD / "calibration" / f"{kind}-{arguments.seed}.jsonl"


def sets(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All data sets, those done before read back."""
    path = kept(arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {s["set"]: s for s in _lines(path)}
    todo = [k for k in range(arguments.sets) if k not in done]
    with Pool(arguments.jobs) as pool, path.open("a", encoding="utf-8") as file:
        for found in pool.imap_unordered(partial(one_set, arguments), todo):
            done[found["set"]] = found
            file.write(json.dumps(found) + "\n")
            file.flush()
    return [done[k] for k in range(arguments.sets)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue  # cut off when the run was


def summary(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print what was measured; one row for each quantity and level."""
    found = sets(arguments)
    refused = [s for s in found if s["refused"]]
    held = sum(s["held_out"] for s in found) / max(len(found) - len(refused), 1)
    print(f"{len(found)} sets, truth {arguments.truth}, delay {arguments.delay:g}, seed {arguments.seed}; "
          f"{len(refused)} refused, {held:.1f} reports a set held out")  # fmt: skip
    for s in refused[:5]:
        print(f"  set {s['set']}: {s['refused']}")
    names = list(dict.fromkeys(name for s in found for name in s["scored"]))
    rows = []
    print("95 and 80 %: the posterior's, the printed interval's coverage (band); mean probability below the truth, its "
          "distance from uniform (bound); factor taken, factors needed")  # fmt: skip
    for name in names:
        part = np.array([s["scored"][name] for s in found if name in s["scored"]], dtype=np.float64)
        n, u = len(part), part[:, 0]
        factor = WIDENING.get(name.split()[0], 1.0)
        line = f"{name:28s} {n:5d} "
        reach, needed = np.abs(special.ndtri(u)), []
        for k, level in enumerate(LEVELS):
            end = special.ndtri((1 + level) / 2)
            band = np.array(stats.binom.interval(1 - 0.01 / (2 * len(names)), n, level)) / n
            raw = float(part[:, 1 + k].mean())
            covered = raw if factor == 1 else float((reach <= factor * end).mean())
            needed.append(float(np.quantile(reach, level) / end))
            rows.append({
                "truth": arguments.truth, "quantity": name, "level": level, "data_sets": n, "covered": f"{covered:.4f}",
                "band_low": f"{band[0]:.4f}", "band_high": f"{band[1]:.4f}", "widened": factor, "before": f"{raw:.4f}",
            })  # fmt: skip
            mark = " " if band[0] <= covered <= band[1] else "*"
            line += f" {raw:6.3f} {covered:6.3f}{mark}({band[0]:.3f}-{band[1]:.3f})"
        distance, bound = float(stats.kstest(u, "uniform").statistic), float(stats.kstwo.isf(0.01 / len(names), n))
        mark = "!" if arguments.truth == "prior" and distance > bound else " "
        print(
            f"{line}  {u.mean():.3f}  {distance:.3f}{mark}({bound:.3f})  {factor:.2f}, {needed[0]:.2f} {needed[1]:.2f}"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--truth", choices=("prior", "growth"), default="prior")
    parser.add_argument("--delay", type=float, default=0.0, help="mean months from case to verdict; 0: none")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv", action="store_true", help="both truths into benchmarks/calibration.csv")
    arguments = parser.parse_args()
    if not arguments.csv:
        summary(arguments)
        return
    rows = []
    for arguments.truth, arguments.sets in SETS.items():
        rows += summary(arguments)
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    text = "".join(",".join(map(str, line)) + "\n" for line in lines)
    write_atomic(CSV, text)


if __name__ == "__main__":
    main()
