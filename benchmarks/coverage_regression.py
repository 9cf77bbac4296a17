"""Coverage of the regressions' forecast intervals and of growth on simulated over-dispersed monthly counts.

1,000 data sets a line, NB2 with alpha 0.15 around a log-linear trend, 12 months ahead; the band is where a
coverage of the nominal level lies in 99 % of such simulations, all lines together (Bonferroni). The 12 months of
one forecast share its parameters, so the band takes each data set as one. Run: python benchmarks/coverage_regression.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from datetime import date

import numpy as np
from scipy import stats

from desertion.csv_models import forecast
from desertion.trends import Refused, laws, regression, terms
from desertion.trends.grid import Grid

SETS, AHEAD, SLOPE = 1_000, 12, 0.02
LENGTHS = (24, 36, 60)
LINES = len(LENGTHS) * 4


def main() -> None:
    rng = np.random.default_rng(20240320)
    trend = terms.parse("linear")
    print(f"{SETS} data sets a line; nominal, covered, 99 % band of all {LINES} lines")
    for n in LENGTHS:
        index = np.arange(1.0, n + AHEAD + 1)
        inside: dict[float, list[float]] = {level: [] for level in forecast.LEVELS}
        growth, refused = [], 0
        for y in laws.sample("nb2", np.broadcast_to(np.exp(3.5 + SLOPE * index), (SETS, n + AHEAD)), 0.15, rng):
            grid = Grid(date(2020, 1, 1), 1, index[:n], y[:n])
            fit = regression.fit_trend(grid, trend, "nb2")
            if isinstance(fit, Refused):
                refused += 1
                continue
            low, high = fit.interval
            growth.append(float(low[1] <= SLOPE <= high[1]))
            steps = forecast.forecast(fit, grid, trend, AHEAD, draws=4_000)
            assert not isinstance(steps, Refused)
            for level in inside:
                seen = [s.intervals[level][0] <= v <= s.intervals[level][1] for s, v in zip(steps, y[n:], strict=True)]
                inside[level].append(float(np.mean(seen)))
        for name, level, values in [*(("forecast", k, v) for k, v in inside.items()), ("growth", 0.95, growth)]:
            tail = 0.01 / LINES / 2
            low_band, high_band = stats.binom.ppf([tail, 1 - tail], len(values), level) / len(values)
            print(f"n={n:3d} {name:8s} {level:.2f} {np.mean(values):.3f} {low_band:.3f}–{high_band:.3f}")
        print(f"n={n:3d} refused {refused} (dispersion at its boundary)")


if __name__ == "__main__":
    main()
