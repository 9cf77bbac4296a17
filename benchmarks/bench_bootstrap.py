"""Batched bootstrap against a loop over statsmodels: 10,000 replicates of a log-linear trend on 60 counts.

The loop is measured on 200 replicates and scaled to 10,000; the batch is measured whole (the best of five runs).
Estimates are compared with those of statsmodels at tight tolerances. Run: python benchmarks/bench_bootstrap.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core on both sides

import time
import warnings

import numpy as np
import statsmodels.api as sm
from statsmodels.discrete.discrete_model import NegativeBinomial

from desertion.trends.bootstrap import fit_batch
from desertion.trends.laws import sample

REPLICATES, LOOP, N = 10_000, 200, 60


def main() -> None:
    rng = np.random.default_rng(20240320)
    index = np.arange(1.0, N + 1)
    X = np.column_stack([np.ones(N), index])
    mean = np.broadcast_to(np.exp(2.5 + 0.03 * index), (REPLICATES, N))
    print(f"{REPLICATES} replicates, n = {N}; loop of {LOOP} scaled by {REPLICATES // LOOP}")
    for law in ("poisson", "nb2"):
        Y = sample(law, mean, 0.2, rng)
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            batch = fit_batch(Y, X, law=law)
            times.append(time.perf_counter() - begin)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            begin = time.perf_counter()
            for y in Y[:LOOP]:
                if law == "poisson":
                    sm.GLM(y, X, family=sm.families.Poisson()).fit()
                else:
                    NegativeBinomial(y, X).fit(disp=0)
            loop = (time.perf_counter() - begin) * REPLICATES / LOOP
            worst = max(
                np.abs(tight(law, y, X, batch.coefficients[i]) - batch.coefficients[i]).max()
                for i, y in enumerate(Y[:LOOP])
                if batch.ok[i]
            )
        print(
            f"{law:8s} batch {min(times):.3f} s, loop {loop:.1f} s, ratio {loop / min(times):.0f}, "
            f"largest difference {worst:.1e}, boundary {batch.boundary.sum()}, infinite {batch.infinite.sum()}"
        )


def tight(law: str, y: np.ndarray, X: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The coefficients of statsmodels, iterated to its limit."""
    if law == "poisson":
        return sm.GLM(y, X, family=sm.families.Poisson()).fit(tol=1e-14, tol_criterion="params", maxiter=100).params
    model = NegativeBinomial(y, X)
    rough = model.fit(disp=0).params
    return model.fit(start_params=rough, method="newton", tol=1e-14, maxiter=100, disp=0).params[:-1]


if __name__ == "__main__":
    main()
