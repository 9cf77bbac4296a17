"""The normal mixture that the composite model returns against the No-U-Turn sampler on the same posterior.

One simulated set of about 45 reports over 36 months, all parameters and hyper-parameters together (Hoffman & Gelman,
2014; Betancourt, 2017, by the package mici). The sampler moves in the coordinates that Laplace's approximation at the
best node whitens; gradients by the parameters and by log tau are analytic, by log(phi − 1) a central difference.
Prints for every estimand how far the two means lie apart, in posterior standard deviations, the ratio of the standard
deviations, and the sampler's split R-hat.

Run: python benchmarks/bench_nuts.py [--iterations 600] [--chains 2] (needs the extra `nuts`; about ten minutes)
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time

import mici
import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from desertion.project import ROOT
from desertion.trends.composite import Fit, Spec, fit, hyper, laplace, likelihood, model, windows

sys.path.insert(0, str(ROOT / "tests"))
from support import simulate
from support.likelihood import log_likelihood

Floats = NDArray[np.float64]
MONTHS = 36
PICKED = (3, 9, 15, 21, 27, 32, 36)
_STEP = 1e-3


class Target:
    """Minus the log posterior of whitened (theta, log tau, log(phi − 1)), and its gradient."""

    def __init__(self, found: Fit):
        self.base = model.problem(found.lattice, found.design, found.obs)
        self.design, self.axes = found.design, hyper.Axes(found.spec, found.design)
        best = int(np.argmax(found.posterior.weight))
        weight = found.posterior.weight
        psi = np.log([[h.tau, h.delta] for h in found.posterior.hyper])
        middle = weight @ psi
        spread = np.linalg.cholesky((weight * (psi - middle).T) @ (psi - middle))
        self.centre = np.concatenate([found.posterior.centre[best], middle])
        self.root = linalg.block_diag(found.posterior.root[best], spread)

    def unwhiten(self, u: Floats) -> Floats:
        """Parameters and hyper-parameters at whitened `u`."""
        return np.asarray(self.centre + self.root @ u)

    def log_likelihood(self, problem: laplace.Problem, m: Floats, log_delta: float) -> float:
        """Log likelihood at cell means `m` and log(phi − 1)."""
        return log_likelihood(problem.lattice, m, float(np.exp(log_delta)))

    def value(self, u: Floats) -> float:
        """Minus the log posterior density; infinite where the reports are all but impossible."""
        return self.both(u)[1]

    def both(self, u: Floats) -> tuple[Floats, float]:
        """Gradient by u and value."""
        x = self.unwhiten(u)
        theta, psi = x[:-2], x[-2:]
        try:
            problem = model.posed(self.base, self.design, self.axes.hyper(psi))
            m, parts = problem.means(theta)
            value = likelihood.evaluate(problem.lattice, m, problem.delta)
            by_delta = (
                self.log_likelihood(problem, m, psi[1] + _STEP) - self.log_likelihood(problem, m, psi[1] - _STEP)
            ) / (2 * _STEP)
        except (windows.SumError, FloatingPointError):
            return np.zeros_like(u), np.inf
        jacobian = np.hstack([parts @ problem.path, m[:, None] * problem.factors])
        slope = np.empty_like(x)
        slope[:-2] = value.score @ jacobian - problem.precision * (theta - problem.mean)
        steps = theta[self.design.walk]
        slope[-2] = (steps**2).sum() / np.exp(2 * psi[0]) - len(steps)
        slope[-1] = by_delta
        for k in (0, 1):
            shift = _STEP * np.eye(2)[k]
            slope[-2 + k] += (self.axes.log_prior(psi + shift) - self.axes.log_prior(psi - shift)) / (2 * _STEP)
        height = value.loglik + problem.log_prior(theta) + self.axes.log_prior(psi)
        if not np.isfinite(height):
            return np.zeros_like(u), np.inf
        return np.asarray(-self.root.T @ slope), -float(height)


def estimands(found: Fit, x: Floats) -> dict[str, Floats]:
    """What is compared, at draws of (theta, log tau, log(phi − 1)): shape (draws, p + 2)."""
    k = found.design.path.shape[1]
    log_level = x[:, :k] @ found.design.path.T + found.design.offset
    level = np.exp(log_level)
    halves = level.reshape(len(x), 6, 6).sum(axis=2)
    made = {f"log month {j}": log_level[:, j - 1] for j in PICKED}
    made |= {f"log year {y + 1}": np.log(level[:, 12 * y : 12 * y + 12].sum(axis=1)) for y in range(3)}
    made["log growth"] = np.log(halves[:, 4] / halves[:, 3])
    made |= {name: x[:, k + i] for i, name in enumerate(found.design.names[k:])}
    return made | {"log tau": x[:, -2], "log(phi - 1)": x[:, -1]}


def printed(found: Fit) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the same, as the fit has them."""
    laws = [found.log_sums(np.eye(MONTHS)[[j - 1 for j in PICKED]]), found.log_sums(np.kron(np.eye(3), np.ones(12)))]
    laws.append(found.log_sums(np.kron(np.eye(6), np.ones(6))[[3, 4]], ratio=True))
    k = found.design.path.shape[1]
    laws.append(found.posterior.of(np.eye(len(found.design.names))[k:]))
    pairs = [pair for law in laws for pair in zip(*law.moments(), strict=True)]
    for name in ("tau", "delta"):
        values = np.log(found.hyper(name))
        mean = found.posterior.averaged(values)
        pairs.append((mean, np.sqrt(found.posterior.averaged((values - mean) ** 2))))
    names = list(estimands(found, np.zeros((1, len(found.design.names) + 2))))
    return {name: (float(a), float(b)) for name, (a, b) in zip(names, pairs, strict=True)}


def r_hat(chains: Floats) -> float:
    """Split R-hat (Gelman et al., 2013) of chains (chains, draws)."""
    half = chains.shape[1] // 2
    parts = np.concatenate([chains[:, :half], chains[:, half : 2 * half]])
    within = parts.var(axis=1, ddof=1).mean()
    return float(np.sqrt((within * (half - 1) / half + parts.mean(axis=1).var(ddof=1)) / within))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=600, help="kept of each chain; half as many warm up")
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    found = fit(simulate.reports(simulate.truth(rng, MONTHS), rng), Spec())
    assert isinstance(found, Fit)
    target = Target(found)
    size = len(target.centre)
    point = 0.3 * rng.standard_normal(size)
    gradient = target.both(point)[0]
    eye = 1e-4 * np.eye(size)
    gap = max(
        abs((target.value(point + e) - target.value(point - e)) / 2e-4 - g) for e, g in zip(eye, gradient, strict=True)
    )
    print(f"{len(found.obs)} reports, {size} parameters; gradient and differences apart by at most {gap:.1e}")
    system = mici.systems.EuclideanMetricSystem(neg_log_dens=target.value, grad_neg_log_dens=target.both)
    sampler = mici.samplers.DynamicMultinomialHMC(system, mici.integrators.LeapfrogIntegrator(system), rng)
    begin = time.perf_counter()
    starts = [0.3 * rng.standard_normal(size) for _ in range(arguments.chains)]
    traced = sampler.sample_chains(
        arguments.iterations // 2, arguments.iterations, starts,
        adapters=[mici.adapters.DualAveragingStepSizeAdapter(0.8)], display_progress=False,
    )  # fmt: skip
    chains = [np.array([target.unwhiten(u) for u in chain]) for chain in traced.traces["pos"]]
    print(f"{arguments.chains} chains of {arguments.iterations} after {arguments.iterations // 2}: "
          f"{time.perf_counter() - begin:.0f} s")  # fmt: skip
    print(f"{'':30s} {'sampler':>16s} {'fit':>16s}   shift  sd ratio  R-hat")
    drawn = [estimands(found, chain) for chain in chains]
    for name, (mean, sd) in printed(found).items():
        values = np.array([one[name] for one in drawn])
        m, s = float(values.mean()), float(values.std())
        print(f"{name:30s} {m:8.3f} ± {s:5.3f} {mean:8.3f} ± {sd:5.3f}   {(mean - m) / s:+.2f}    {sd / s:.2f}    "
              f"{r_hat(values):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
