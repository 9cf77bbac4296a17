"""Which law, times which factor, gives the intervals of totals and growth their coverage on the real schedule.

Report sets of the truths control, twins and wrong (see `schedule`), numbered from 10,000 on: none of them is among
those in schedule.csv. For Student's law with each number of degrees of freedom in `DEGREES` and the normal law, times
each factor in `FACTORS`, the coverage of the 80 and 95 % intervals of every year's total and of every growth is set
against `ASKED`, and what lies outside is divided by its Monte Carlo error in 1,000 sets. Printed are the laws whose
largest such distance is least (then those with the least sum), and the best normal one.
`desertion.trends.composite.posterior` takes over what is chosen.

Run: python benchmarks/bench_widening.py [--sets 1000] [--jobs 2]
A set takes about half a second. Those that are done are kept in build/calibration, for this state of the models and of
figures.csv, and not done again.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
from datetime import date
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from desertion.trends import Refused
from desertion.trends.arrays import Floats

sys.path.insert(0, str(Path(__file__).parent))
import schedule
from bench_calibration import PAIRS, YEARS, folder, lines

TRUTHS, FIRST, SETS = ("control", "twins", "wrong"), 10_000, 1000
DEGREES = (4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, np.inf)
FACTORS = np.arange(100, 141) / 100
#: Least and greatest coverage of intervals of a level.
ASKED = {0.95: (0.92, 0.98), 0.8: (0.76, 0.84)}


def scores(job: tuple[str, int]) -> dict[str, Any]:
    """The normal quantile of each truth in its posterior law, by quantity; none where the set is refused."""
    truth, k = job
    drawn = schedule.draw(truth, k)
    found = schedule.fitted(drawn)
    made: dict[str, float] = {}
    if not isinstance(found, Refused):
        spans = {y: (date(y, 1, 1), date(y, 12, 31)) for y in YEARS}
        spans = {y: span for y, span in spans.items() if found.starts[0] <= span[0] and span[1] <= found.ends[-1]}
        prior_driven = dict(zip(spans, found.totals(list(spans))["prior_driven"], strict=True))
        true = {y: np.log(drawn.between(drawn.level, *spans[y])) for y in spans if not prior_driven[y]}
        shares = {y: found.share(*spans[y]) for y in true}
        for y in true:
            below = found.log_sums(shares[y][None]).below(np.array([true[y]]))[0]
            made[f"total {y}"] = float(special.ndtri(below))
        for a, b in PAIRS:
            if a in true and b in true:
                law = found.log_sums(np.array([shares[a], shares[b]]), ratio=True)
                made[f"growth {a} to {b}"] = float(special.ndtri(law.below(np.array([true[b] - true[a]]))[0]))
    return {"truth": truth, "set": k, "scores": made}


def laws(reach: list[Floats]) -> list[tuple[float, float, float, float]]:
    """Of each law and factor: the largest distance from `ASKED` in Monte Carlo errors, the sum, degrees, factor.

    `reach` holds the sorted absolute scores of each quantity and truth.
    """
    made = []
    for degrees in DEGREES:
        for factor in FACTORS:
            outside: list[float] = []
            for level, (low, high) in ASKED.items():
                end = factor * stats.t.ppf((1 + level) / 2, degrees)
                covered = np.array([np.searchsorted(each, end) / len(each) for each in reach])
                error = np.sqrt(np.maximum(covered * (1 - covered), 1 / SETS) / SETS)
                outside += [*(np.maximum(np.maximum(low - covered, covered - high), 0.0) / error)]
            made.append((max(outside), sum(outside), float(degrees), float(factor)))
    return sorted(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=SETS, help="sets of each truth; one in seven of wrong is refused")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    jobs = [(truth, k) for truth in TRUTHS for k in range(FIRST, FIRST + arguments.sets)]
    kept = folder() / "widening.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = {(one["truth"], one["set"]): one["scores"] for one in lines(kept)}
    with Pool(arguments.jobs) as pool, kept.open("a", encoding="utf-8") as file:
        for one in pool.imap_unordered(scores, [job for job in jobs if job not in done], chunksize=4):
            done[one["truth"], one["set"]] = one["scores"]
            file.write(json.dumps(one) + "\n")
            file.flush()
    for kind in ("total", "growth"):
        by: dict[tuple[str, str], list[float]] = {}
        for job in jobs:
            for name, score in done[job].items():
                if name.split()[0] == kind:
                    by.setdefault((job[0], name), []).append(abs(score))
        tried = laws([np.sort(each) for each in by.values()])
        print(f"{kind}: {sum(bool(done[job]) for job in jobs)} sets with a fit")
        for most, total, degrees, factor in [*tried[:3], next(one for one in tried if one[2] == np.inf)]:
            print(
                f"  {degrees:g} degrees of freedom, factor {factor:.2f}: at most {most:.2f} outside, {total:.2f} in all"
            )


if __name__ == "__main__":
    main()
