"""How many times wider the printed intervals are than the posterior's, by what their coverage was measured to be.

benchmarks/bench_calibration.py measures it on 2,000 simulated sets of reports; benchmarks/calibration.csv holds the
result. An interval is stretched about its median, on the log scale that it was made on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FACTORS = {"month": 1.0, "total": 1.0, "growth": 1.0, "factor": 1.0, "hyper": 1.0, "forecast": 1.0}


def stretched(quantiles: Floats, kind: str) -> Floats:
    """`quantiles` (3, …: low, median, high) of a quantity of `kind`, the ends moved away from the median."""
    return np.asarray(quantiles[1] + FACTORS[kind] * (quantiles - quantiles[1]))
