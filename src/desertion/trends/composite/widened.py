"""How much wider the printed intervals are than the posterior's, by what their coverage was measured to be.

benchmarks/bench_calibration.py measures it on simulated sets of reports, benchmarks/calibration.csv holds the result.
Where truths are drawn from the priors every interval covers as it says. In a scenario at the edge of the priors
(eightfold growth, variance twenty times the mean) those of totals, of ratios of series and of phi come out 2 to 5
points short, since phi is drawn towards its prior; with these factors they cover in both. Forecasts cover more than
they say there and are left as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

#: By what the interval is of; what is not named is not widened.
FACTORS = {"total": 1.05, "factor": 1.1, "phi": 1.12}


def tails(level: float, kind: str) -> Floats:
    """Probabilities of the posterior at the low end, the median and the high end of a printed interval of `level`.

    The standard normal quantile of the ends is that of `level` times the factor of `kind`.
    """
    reach = special.ndtri((1 + level) / 2) * FACTORS.get(kind, 1.0)
    return np.array([special.ndtr(-reach), 0.5, special.ndtr(reach)])
