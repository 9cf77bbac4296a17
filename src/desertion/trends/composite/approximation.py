"""Where the normal law around a mode stops being the posterior.

A report pins the sum of its months, not the months. Where they vary freely while the sum hardly does (a rough walk,
Poisson counts), the posterior bends around that sum; its normal approximation then expects far more cases than were
reported: 6,797 for an exact 5,096 at tau 0.6 and phi 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desertion.trends.composite import prior
from desertion.trends.composite.posterior import Hyper
from desertion.trends.counts import Observations

Floats = NDArray[np.float64]

#: Excess of the logarithm of an exact report's expectation over its value at the mode that is still borne, beside
#: twice its variance phi / n. Sound fits lie under 0.05, the one above at 0.29.
BORNE = 0.1


def holds(obs: Observations, design: prior.Design, hyper: Hyper, mode: Floats, centre: Floats, root: Floats) -> bool:
    """Whether the law N(centre, root root') expects of every exact report about what the mode does.

    `mode` and `centre` are (p,), `root` (p, p), at hyper-parameters `hyper`.
    """
    rows = np.flatnonzero(obs.exact & (obs.low > 0))
    for series in np.unique(obs.series[rows]):
        own = rows[obs.series[rows] == series]
        shares = prior.share(obs.start[own], obs.stop[own], design.bounds())
        if design.delayed[series]:
            shares = prior.delay(shares, np.ones(len(own), bool), hyper.delay, design.lead)
        linear = np.hstack([design.path, np.tile(design.factors[series], (len(design.path), 1))])
        spread = ((linear @ root) ** 2).sum(axis=1)
        at_mode = shares @ np.exp(linear @ mode + design.offset)
        expected = shares @ np.exp(linear @ centre + design.offset + spread / 2)
        if (np.log(expected / at_mode) > BORNE + 2 * (1 + hyper.delta) / obs.low[own]).any():
            return False
    return True
