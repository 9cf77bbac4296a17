"""What the composite model costs, beside naive ways to the same numbers, and how the cost grows.

1. The likelihood of interleaved totals by messages against enumeration of every table of counts (a tiny case) and
   against full lattices (one point for every whole number).
2. Gradient and Hessian from one pass of moments against central differences of the likelihood.
3. One Laplace fit and the whole posterior on 55 reports and 60 months, and on up to 1,000 reports and 240 months.
4. 500 specifications, one Laplace fit each, scaled from 50.

Times are processor seconds of one core. Run: python benchmarks/bench_composite.py
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import time
from collections.abc import Callable
from itertools import product

import numpy as np

from desertion.project import ROOT
from desertion.trends.composite import Fit, Spec, fit, laplace, lattice, likelihood, model, nb1, windows
from desertion.trends.counts import Observations

sys.path.insert(0, str(ROOT / "tests"))
from support import simulate
from support.likelihood import log_likelihood


def clock(work: Callable[[], object], times: int = 3) -> float:
    """Processor seconds of the fastest of a few runs, which a busy machine does not change."""
    found = []
    for _ in range(times):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def sums() -> None:
    """Messages against enumeration and against full lattices."""
    rng = np.random.default_rng(1)
    spans = [(0, 4), (4, 8), (2, 6), (1, 7)]
    true = rng.poisson(1.5, 8)
    rows = np.array([(a, b, true[a:b].sum(), true[a:b].sum()) for a, b in spans], dtype=float)
    obs = Observations(
        tuple("abcd"), np.zeros(4, np.int64), rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2], rows[:, 3],
        ("s",),
    )  # fmt: skip
    cells = lattice.build(obs)
    m = np.array([sum(1.5 * (b - a) for a, b in cell.spans) for cell in cells.cells])
    inside = np.array([[start <= c.spans[0][0] < stop for c in cells.cells] for start, stop in spans])
    top = int(rows[:, 2].max())

    def enumerate_all() -> float:
        total = 0.0
        for n in product(range(top + 1), repeat=len(m)):
            if (inside @ n == rows[:, 2]).all():
                total += float(np.exp(nb1.evaluate(np.array(n, dtype=float), m, 1.0)[0].sum()))
        return float(np.log(total))

    few = clock(lambda: log_likelihood(cells, m, 1.0))
    begin = time.process_time()
    whole = enumerate_all()
    many = time.process_time() - begin
    gap = abs(whole - log_likelihood(cells, m, 1.0))
    print(f"tiny overlap, {len(m)} cells: messages {few * 1e3:.2f} ms, enumeration {many:.1f} s, "
          f"ratio {many / few:,.0f}, difference {gap:.1e}")  # fmt: skip

    base, theta = posed(simulated(60, 1, start=7.5))
    means = base.means(theta)[0]
    strided = clock(lambda: likelihood.evaluate(base.lattice, means, base.delta))
    value = log_likelihood(base.lattice, means, base.delta)
    steps, largest = windows.steps, windows.LARGEST
    windows.steps = lambda block, *_: windows.Steps(np.ones(block.size, np.int64), np.zeros(block.size, bool))
    windows.LARGEST = 10**9
    try:
        full = clock(lambda: likelihood.evaluate(base.lattice, means, base.delta), 1)
        other = log_likelihood(base.lattice, means, base.delta)
    finally:
        windows.steps, windows.LARGEST = steps, largest
    print(f"55 reports of about 1,800 a month: likelihood and derivatives {strided * 1e3:.1f} ms, "
          f"on full lattices {full * 1e3:.0f} ms, "
          f"ratio {full / strided:.0f}, log likelihoods differ by {abs(value - other):.1e}")  # fmt: skip


def derivatives() -> None:
    """One pass of moments against central differences by all parameters."""
    base, theta = posed(simulated(60, 1))
    exact = clock(lambda: laplace.derivatives(base, theta))

    def value(point: np.ndarray) -> float:
        return log_likelihood(base.lattice, base.means(point)[0], base.delta)

    one = clock(lambda: value(theta))
    p = len(theta)
    gradient = laplace.derivatives(base, theta)[1]
    eye = 1e-5 * np.eye(p)
    worst = max(abs((value(theta + e) - value(theta - e)) / 2e-5 - g) for e, g in zip(eye, gradient, strict=True))
    naive = one * (2 * p * p + 1)
    print(
        f"gradient and Hessian by {p} parameters {exact * 1e3:.1f} ms; by differences {2 * p * p + 1:,} likelihoods of "
        f"{one * 1e3:.1f} ms = {naive:.0f} s, ratio {naive / exact:,.0f}, gradients differ by {worst:.1e}"
    )


def simulated(months: int, extra: int, start: float = 5.5) -> Observations:
    """Reports of one simulated truth that starts at exp(`start`) cases a month."""
    rng = np.random.default_rng(1)
    return simulate.reports(simulate.truth(rng, months, start=start, tau=0.08), rng, extra=extra)


def posed(obs: Observations) -> tuple[laplace.Problem, np.ndarray]:
    """The problem at the truth's hyper-parameters, and its mode."""
    found = fit(obs, Spec(tau=0.08, phi=3.0))
    assert isinstance(found, Fit)
    base = model.posed(model.problem(found.lattice, found.design, found.obs), found.design, found.posterior.hyper[0])
    return base, found.posterior.centre[0]


def fresh(obs: Observations, spec: Spec) -> object:
    """A fit to reports that were not seen before."""
    lattice._remembered.cache_clear()
    return fit(obs, spec)


def growth() -> None:
    """One fit and the whole posterior as reports and months grow."""
    print(f"{'reports':>8s} {'months':>7s} {'held out':>9s} {'one fit':>9s} {'posterior':>10s} {'peak memory':>12s}")
    for months, extra, take in (
        (60, 1, 10),
        (60, 1, None),
        (120, 4, None),
        (240, 12, None),
        (240, 17, None),
        (240, 30, None),
    ):
        obs = simulated(months, extra)
        obs = obs.take(range(take)) if take else obs
        one = clock(lambda obs=obs: fresh(obs, Spec(tau=0.08, phi=3.0)), 3)
        lattice._remembered.cache_clear()
        begin = time.process_time()
        found = fit(obs)
        whole = time.process_time() - begin
        assert isinstance(found, Fit)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(obs):8d} {months:7d} {len(found.lattice.held_out):9d} {one:8.2f}s {whole:9.2f}s {memory:9.0f} MiB")


def multiverse() -> None:
    """Fifty of 500 specifications, one Laplace fit and annual totals each; five sets of reports among them."""
    whole = simulated(60, 1)
    sets = [whole.take([i for i in range(len(whole)) if i % 5 != k]) for k in range(5)]
    choices = list(product((1.0, 3.0, 10.0, 20.0, 100.0), (1, 2), sets))

    def all_of_them() -> None:
        for phi, order, obs in choices:
            found = fit(obs, Spec(phi=phi, tau=0.2 if order == 1 else 0.02, order=order))
            if isinstance(found, Fit):
                found.totals("year")

    seconds = clock(all_of_them, 1)
    print(f"{len(choices)} specifications {seconds:.1f} s on one core: 500 take {seconds * 500 / len(choices):.0f} s, "
          f"{seconds * 250 / len(choices):.0f} s on two cores")  # fmt: skip


if __name__ == "__main__":
    sums()
    derivatives()
    growth()
    multiverse()
