"""How often the composite model's intervals cover the truth, on made-up report sets and on the real schedule.

Made up: each data set is about 45 overlapping, rounded and bounded reports over 36 months (see `support.simulate`). Two
truths: `prior` draws every one from the fit's own prior, so that the posterior probability below the truth is uniform
(simulation-based calibration: Talts et al., 2018); `growth` is a fixed scenario, eightfold growth over the three years
beside a walk, variance twenty times the mean, half of the first series' reports running totals. Scored are the 80 and
95 % intervals of months, years, growth, factors, hyper-parameters and forecasts, the posterior's and those printed,
which are wider as `desertion.trends.composite.posterior.tails` says. The bands hold all rows of a truth at
once with 99 % (Bonferroni). For `prior` the distance of the distribution function of those probabilities from the
diagonal is compared with its 99 % simultaneous bound (Kolmogorov–Smirnov).

Real: the periods, roundings and running totals of the report's own cases, numbers from the truths in `schedule`. Scored
are the printed 50, 80 and 95 % intervals of totals, growth, the last month, and of cases (on the count scale), with
Monte Carlo errors, the median of log estimate over truth, the median log width of the 95 % interval, phi over its
truth, and the share of sets refused; where cases are posted late also the band over the delay, which the report prints
beside them. `--informative 8` leaves reports out until 8 counts are informative: that is what the gate for levels rests
on. `--named` sets each report against the others instead, which takes thirty times as long: how often one is named as
the report that alone inflates the dispersion, a true one, or the wrong one where its error exceeds `LARGE` predictive
standard deviations.

The factors in `WIDENING`, `predictive.NOTICED` and `predictive.LEFT` were chosen with sets from 10,000 on (`--first
10000`), before the first look at the sets from 0 on, which alone are in the files of results; but the laws of totals
and growth were, also with sets from 10,000 on (bench_widening.py), when those had shown that a normal law falls short.

Run: python benchmarks/bench_calibration.py [--truth control] [--sets 1000] [--jobs 2] [--informative 8] [--named]
A set takes about half a second, one in four of those with cases or a band 1 to 5. Sets that are done are kept in
build/calibration, for this state of the models and of figures.csv, and not done again: a run that was stopped goes on.
`--csv` writes the results of all truths: those of made-up sets into benchmarks/calibration.csv, those on the real
schedule into benchmarks/schedule.csv; with `--done` from the sets that are done, without running more. `--floor` reads
"more than v" as open above where it was printed as the round number below: a bias that the ranks show and coverage
hardly does.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from desertion.project import BUILD, DATA, PACKAGE, ROOT, digest, write_atomic
from desertion.trends import Refused, composite
from desertion.trends.arrays import Floats
from desertion.trends.composite import Fit, Priors, Spec, counted, delays, fit, nb1, predictive
from desertion.trends.composite.posterior import WIDENING, Mixture, tails

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
import schedule
from support import simulate

MONTHS, AHEAD = 36, 12
PICKED = (3, 9, 15, 21, 27, 32, 36)
HALVES = ((date(2022, 7, 1), date(2022, 12, 31)), (date(2023, 1, 1), date(2023, 6, 30)))
LEVEL, LEVEL_SD = 5.0, 0.5
LEVELS = (0.95, 0.8)
SETS = {"prior": 720, "growth": 300}
ON_SCHEDULE = {truth: 1000 if truth in ("control", "twins", "wrong") else 300 for truth in schedule.TRUTHS}
#: Number of sets of a truth in which each report is set against the others, and predictive standard deviations from
#: which an error is one that should be named.
CHECKED, LARGE = {"control": 60, "twins": 200, "wrong": 60}, 3.0
#: Numbers of informative counts at which the gate for levels is looked at, with the sets of `control`.
INFORMATIVE, THINNED_SETS = (8, 12), 300
#: Modules that the model is made of, beside those of its package.
_MODEL = ("arrays", "chain", "completeness", "counts", "graph", "grid", "laws", "terms")
CSV, SCHEDULE_CSV = (Path(__file__).parent / name for name in ("calibration.csv", "schedule.csv"))
YEARS = (2021, 2022, 2023, 2024)
PAIRS = ((2021, 2022), (2022, 2023), (2023, 2024), (2021, 2023))
PRINTED = (0.95, 0.8, 0.5)
#: Truths and years whose cases are scored, in one set of `EVERY`: reports of the newer parts leave them open. Not those
#: of control: without other parts the cases are always at the end of what a report of the whole allows.
COUNTED, COUNTED_YEARS, EVERY = ("twins", "wrong"), (2023, 2024), 4
#: Truths whose band over the reporting delay is scored, in one set of `EVERY`, and the end of the names of its rows. It
#: reaches from the lowest to the highest end of the fit as it is and those at the delays that the real pairs of counts
#: and the set's own reports leave open, as in the report; its median is that of the middle delay.
DELAYED, BAND = ("late",), " (band over the delay)"


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


def named_set(truth: str, k: int) -> dict[str, Any]:
    """Set `k` on the real schedule: the reports named as wrong, the one that is, and whether its error is large."""
    drawn = schedule.draw(truth, k)
    found = schedule.fitted(drawn)
    if isinstance(found, Refused):
        return {"set": k, "refused": str(found)}
    table = predictive.left_out(found).set_index("id")
    spread = table.loc[table.index == drawn.wrong, "spread"]
    return {
        "set": k, "refused": "", "named": list(table.index[table["named"]]), "wrong": drawn.wrong,
        "large": bool((np.log(schedule.ERROR) > LARGE * spread).any()), "errors": table["error"].to_dict(),
    }  # fmt: skip


def on_schedule(truth: str, k: int, informative: int) -> dict[str, Any]:
    """Set `k` on the real schedule: truth, median and ends of the printed intervals of each quantity, or a refusal."""
    drawn = schedule.draw(truth, k)
    if informative:
        drawn = schedule.thinned(drawn, informative, k)
    made: dict[str, Any] = {"set": k, "refused": "", "phi": [drawn.phi], "scored": {}}
    found = schedule.fitted(drawn)
    if isinstance(found, Refused):
        return made | {"refused": str(found)}
    made["phi"] += found.factors().set_index("name").loc["phi", ["estimate", "low", "high"]].tolist()
    rate = {y: drawn.between(drawn.level, date(y, 1, 1), date(y, 12, 31)) / (365 + (y % 4 == 0)) for y in YEARS}
    for level in PRINTED:
        for name, values in _ends(found, drawn, rate, level).items():
            made["scored"].setdefault(name, []).append([float(value) for value in values])
    if k % EVERY:
        return made
    if truth in COUNTED:
        draws = counted.drawn(found, counted.days(found, COUNTED_YEARS))
        for y, law in zip(COUNTED_YEARS, draws, strict=True):
            true = drawn.between(drawn.cases, date(y, 1, 1), date(y, 12, 31))
            ends = [np.quantile(law, tails(level, "cases")).tolist() for level in PRINTED]
            made["scored"][f"cases {y}"] = [[true, middle, low, high] for low, middle, high in ends]
    if truth in DELAYED:
        fits = delays.by_delay(found, schedule.pairs())
        made["band"] = str(fits) if isinstance(fits, Refused) else ""
        for level in () if isinstance(fits, Refused) else PRINTED:
            each = [_ends(one, drawn, rate, level) for one in (found, *fits)]
            for name in sorted(set(each[0]).intersection(*each[1:])):
                true, middle, *_ = each[2][name]
                low, high = min(ends[name][2] for ends in each), max(ends[name][3] for ends in each)
                made["scored"].setdefault(name + BAND, []).append([float(v) for v in (true, middle, low, high)])
    return made


def _ends(found: Fit, drawn: schedule.Drawn, rate: dict[int, float], level: float) -> dict[str, tuple[float, ...]]:
    """Truth, median and ends of the printed interval of `level` of each quantity that does not rest on the prior."""
    one = replace(found, spec=replace(found.spec, level=level))
    first, last = found.starts[0], found.ends[-1]
    rows = {"last month": (one.intensity().iloc[-1], drawn.between(drawn.level, found.starts[-1], last))}
    for y in YEARS:
        if first <= date(y, 1, 1) and date(y, 12, 31) <= last:
            rows[f"total {y}"] = one.totals([y]).iloc[0], rate[y] * (365 + (y % 4 == 0))
    ends = {name: (true, row["median"], row["low"], row["high"]) for name, (row, true) in rows.items()
            if not row["prior_driven"]}  # fmt: skip
    for a, b in PAIRS:
        if f"total {a}" in ends and f"total {b}" in ends and not isinstance(g := one.growth(a, b), Refused):
            ends[f"growth {a} to {b}"] = rate[b] / rate[a], g["ratio"], g["low"], g["high"]
    return ends


def one_set(arguments: argparse.Namespace, k: int) -> dict[str, Any]:
    """Data set `k`: what was scored, or why it was refused."""
    if arguments.named:
        return named_set(arguments.truth, k)
    if arguments.truth in schedule.TRUTHS:
        return on_schedule(arguments.truth, k, arguments.informative)
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
    kind = f"{arguments.truth}{'-floor' * arguments.floor}"
    kind += f"-delay{arguments.delay:g}" * bool(arguments.delay)
    kind += f"-of{arguments.informative}" * bool(arguments.informative) + "-named" * arguments.named
    return folder() / f"{kind}-{arguments.seed}.jsonl"


def folder() -> Path:
    """Where sets are kept, for this state of the models, of figures.csv and of `schedule`."""
    trends = PACKAGE / "trends"
    files = [*sorted((trends / "composite").glob("*.py")), *(trends / f"{name}.py" for name in _MODEL)]
    files += [DATA / "figures.csv", Path(schedule.__file__)]
    state = digest(b"".join(path.read_bytes() for path in files))
    return BUILD / "calibration" / state[:16]


def sets(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All data sets, those done before read back; with `--done` these alone."""
    path = kept(arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = range(arguments.first, arguments.first + arguments.sets)
    done = {s["set"]: s for s in lines(path)}
    todo = [] if arguments.done else [k for k in wanted if k not in done]
    begun = time.monotonic()
    with Pool(arguments.jobs) as pool, path.open("a", encoding="utf-8") as file:
        for n, found in enumerate(pool.imap_unordered(partial(one_set, arguments), todo), 1):
            done[found["set"]] = found
            file.write(json.dumps(found) + "\n")
            file.flush()
            if n % 50 == 0:
                left = (time.monotonic() - begun) / n * (len(todo) - n) / 60
                print(f"{path.stem}: {n} of {len(todo)} sets, {left:.0f} minutes left", file=sys.stderr, flush=True)
    return [done[k] for k in wanted if k in done]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The sets kept in a file; none where there is no file."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue  # cut off when the run was


def summary(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print what was measured; one row for each quantity and level."""
    found = sets(arguments)
    if not found:
        return []
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
        kind = name.split()[0]
        factor = WIDENING.get(kind, 1.0)
        line = f"{name:28s} {n:5d} "
        reach, needed = np.abs(special.ndtri(u)), []
        for k, level in enumerate(LEVELS):
            end = special.ndtri((1 + level) / 2)
            band = np.array(stats.binom.interval(1 - 0.01 / (2 * len(names)), n, level)) / n
            raw = float(part[:, 1 + k].mean())
            covered = raw if factor == 1 else float((reach <= special.ndtri(tails(level, kind)[2])).mean())
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


def each_report(arguments: argparse.Namespace) -> argparse.Namespace:
    """The sets whose reports are set against each other; where only one truth is summed up, those that are done."""
    checked = 0 if arguments.informative else CHECKED.get(arguments.truth, 0)
    return argparse.Namespace(**{
        **vars(arguments), "named": True, "sets": checked,
        "done": arguments.done or not arguments.csv,
    })  # fmt: skip


def on_schedule_summary(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print what was measured on the real schedule; one row for each quantity and measure."""
    found = sets(arguments)
    if not found:
        return []
    fits = [s for s in found if not s["refused"]]
    truth = f"{arguments.informative} informative counts" if arguments.informative else arguments.truth
    rows: list[dict[str, Any]] = []

    def add(quantity: str, measure: str, n: int, value: float, error: float) -> str:
        rows.append({
            "truth": truth, "quantity": quantity, "measure": measure, "data_sets": n, "value": f"{value:.4f}",
            "error": f"{error:.4f}",
        })  # fmt: skip
        return f"{value:7.3f} ({error:.3f})"

    def share(quantity: str, measure: str, holds: list[bool]) -> str:
        n, p = len(holds), float(np.mean(holds)) if holds else 0.0
        return add(quantity, measure, n, p, float(np.sqrt(max(p * (1 - p), 0.25 / max(n, 1)) / max(n, 1))))

    def middle(quantity: str, measure: str, values: Floats) -> str:
        return add(quantity, measure, len(values), float(np.median(values)), 1.25 * values.std() / len(values) ** 0.5)

    print(f"{truth}: {len(found)} sets, refused {share('sets', 'refused', [bool(s['refused']) for s in found])}")
    for reason, number in Counter(s["refused"] for s in found if s["refused"]).most_common(3):
        print(f"  {number}: {reason}")
    if fits:
        ratio = np.array([s["phi"][1] / s["phi"][0] for s in fits])
        print(f"  phi over its truth, median {middle('phi', 'ratio', ratio)}")
        within = [s["phi"][2] <= s["phi"][0] <= s["phi"][3] for s in fits]
        print(f"  phi inside its 95 % interval {share('phi', '95', within)}")
    if bands := [bool(s["band"]) for s in fits if "band" in s]:
        print(f"  band over the delay refused {share(f'sets{BAND}', 'refused', bands)}")
    if checked := [s for s in sets(each_report(arguments)) if not s["refused"]]:
        false = [bool(set(s["named"]) - {s["wrong"]}) for s in checked]
        print(f"  a true report is named {share('reports', 'true one named', false)}")
        if large := [s["wrong"] in s["named"] for s in checked if s["large"]]:
            print(f"  a wrong one whose error is large is named {share('reports', 'named', large)}")
    print("  covered at 95, 80 and 50 %, median of log estimate over truth, median log width at 95 %")
    for name in sorted({name for s in fits for name in s["scored"]}):
        part = np.array([s["scored"][name] for s in fits if name in s["scored"]])
        true, median, low, high = np.moveaxis(part, 2, 0)
        held = (low <= true) & (true <= high)
        line = [share(name, f"{100 * level:.0f}", list(held[:, k])) for k, level in enumerate(PRINTED)]
        line += [middle(name, "bias", np.log(median[:, 0] / true[:, 0]))]
        line += [middle(name, "width", np.log(high[:, 0] / low[:, 0]))]
        print(f"  {name:42s} {len(part):5d} {' '.join(line)}")
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """The rows as CSV; the file stays as it is where there are none."""
    if not rows:
        return
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    write_atomic(path, "".join(",".join(map(str, line)) + "\n" for line in lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--truth", choices=(*SETS, *schedule.TRUTHS), default="control")
    parser.add_argument("--informative", type=int, default=0, help="thin the real schedule to so many counts; 0: all")
    parser.add_argument("--delay", type=float, default=0.0, help="mean months from case to verdict; 0: none")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first set; from 10,000 on for tuning")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--named", action="store_true", help="set each report against the others")
    parser.add_argument("--csv", action="store_true", help="all truths into the two files of results")
    parser.add_argument("--done", action="store_true", help="sum up the sets that are done, run no more")
    arguments = parser.parse_args()
    if arguments.named:
        sets(arguments)
        arguments.named, arguments.done = False, True
    if not arguments.csv:
        on_schedule_summary(arguments) if arguments.truth in schedule.TRUTHS else summary(arguments)
        return
    rows = []
    for arguments.truth, arguments.sets in ON_SCHEDULE.items():
        rows += on_schedule_summary(arguments)
    arguments.truth, arguments.sets = "control", THINNED_SETS
    for arguments.informative in INFORMATIVE:
        rows += on_schedule_summary(arguments)
    write(SCHEDULE_CSV, rows)
    arguments.informative, rows = 0, []
    for arguments.truth, arguments.sets in SETS.items():
        rows += summary(arguments)
    write(CSV, rows)


if __name__ == "__main__":
    main()
