"""Cells of reports that were counted before all cases were posted: how much of each period each cell expects.

A report counts the cases of its days that were on the sites when it was made, `completeness.complete` of each day. An
increment of a running total counts those posted between two days, of earlier days too. The lattice divides time alone,
so a cell takes the part of each day that makes the sums over the reports right.
"""

from __future__ import annotations

import numpy as np

from desertion.trends.arrays import Floats, Ints
from desertion.trends.completeness import complete
from desertion.trends.composite import prior
from desertion.trends.composite.lattice import Lattice
from desertion.trends.counts import Observations

#: Weight of the cells' own days beside the sums over the reports, and preference of a cell for days that are not its
#: own, beside 1 for those that are.
_HOLD, _FOREIGN = 1e-3, 1e-3
#: Least share of its days that a cell keeps: a cell without any expected case has no law.
_LEAST = 1e-3


def expected(obs: Observations, bounds: Ints, delay: float) -> Floats:
    """Cases of each period that each report holds, for a mean delay of posting in days: (reports, periods)."""
    days = np.arange(bounds[0], bounds[-1])
    shares = np.zeros((len(obs), len(days)))
    for row, start, stop, (counted, before) in zip(shares, obs.start, obs.stop, _counted(obs), strict=True):
        inside = (days >= start) & (days < stop)
        row[inside] = complete(counted - days[inside], delay) if counted else 1.0
        if before:
            earlier = days < start
            row[earlier] = complete(counted - days[earlier], delay) - complete(before - days[earlier], delay)
    return np.asarray(np.add.reduceat(shares, bounds[:-1] - bounds[0], axis=1) / np.diff(bounds))


def _counted(obs: Observations) -> Ints:
    return np.zeros((len(obs), 2), np.int64) if obs.counted is None else obs.counted


def weights(lattice: Lattice, obs: Observations, bounds: Ints, delay: float) -> Floats:
    """Share of each period that each cell expects: (cells, periods). By days where all is posted at once.

    The cells of each report add up to what the report expects. Of the weights that do, those nearest to the days that
    the cells cover are taken (least squares, weighted by these days); none is negative.
    """
    shares = prior.weights(lattice, bounds)
    if delay <= 0 or obs.counted is None:
        return shares
    rows = [i for i in range(len(obs)) if i not in lattice.held_out]
    covers = np.array(
        [
            [
                cell.series == obs.series[i] and obs.start[i] <= cell.spans[0][0] and cell.spans[-1][1] <= obs.stop[i]
                for cell in lattice.cells
            ]
            for i in rows
        ],
        np.float64,
    ).reshape(len(rows), len(lattice.cells))
    from scipy.optimize import nnls  # here, since it takes long to import

    sought = expected(obs, bounds, delay)[rows]
    for period in np.flatnonzero(np.abs(sought - covers @ shares).max(axis=0, initial=0.0) > 1e-12):
        own = shares[:, period]
        near = _HOLD / np.sqrt(own + _FOREIGN)
        system = np.vstack([covers, np.diag(near)])
        shares[:, period] = nnls(system, np.concatenate([sought[:, period], near * own]))[0]
    return np.maximum(shares, _LEAST * prior.weights(lattice, bounds))
