"""Each report set against what the others predict of it: errors that would be noticed, and a report that is one.

A report that is wrong makes the counts look more dispersed than they are, and hides behind the wider intervals that
this gives. So the dispersion is estimated anew without it (leave-one-out posterior prediction: Gelfand et al., 1992;
Marshall & Spiegelhalter, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from desertion import memo
from desertion.errors import ContradictionError, ModeError
from desertion.trends.arrays import Floats
from desertion.trends.composite import checks, lattice, model
from desertion.trends.composite.fitted import Fit
from desertion.trends.counts import Observations

#: Standard deviations of the predicted log count by which a report must miss to be named, and the share of phi that may
#: be left without it. The others tell phi badly: in nine of 50 sets on the real schedule a true report missed by 3, and
#: beside a wrong one a true one may miss by more, though phi stays without it. Without the true report that lowers phi
#: most, phi fell to 0.3 to 0.4 of its value in six of these sets, never lower; such a tail goes below 0.28 in about one
#: of 30. Of ten wrong ones whose error exceeds three standard deviations this names seven.
NOTICED, LEFT = 3.5, 0.28
#: Draws of theta behind a prediction.
_DRAWS = 40


def without(fitted: Fit, rows: Sequence[int]) -> Fit | None:
    """The fit to the reports but those at positions `rows`, on the same periods; None where they give no posterior.

    The dispersion is estimated anew. The smoothness is held at its best value in `fitted`, which makes predicted
    intervals about a twelfth narrower and the fit three times as fast.
    """
    kept = [i for i in range(len(fitted.obs)) if i not in set(rows)]
    if len(kept) == len(fitted.obs):
        return fitted
    rest = fitted.obs.take(kept)
    tau = fitted.posterior.hyper[int(np.argmax(fitted.posterior.weight))].tau
    held = replace(fitted, spec=replace(fitted.spec, tau=None if np.isnan(tau) else tau))
    try:
        return model.refit(held, rest, lattice.build(rest))
    except (ModeError, ContradictionError):
        return None


def predicted(fitted: Fit, rows: Observations, out: Sequence[Sequence[int]]) -> pd.DataFrame:
    """Predict the counts of `rows`, each from the reports of the fit but those at the positions `out[i]`.

    Returns
    -------
    DataFrame
        `rows.frame()` with one row per report, and missing values where the others give no posterior:

        - mean, predicted_low, predicted_high: of the count, the interval at the fit's level
        - inside: posterior probability of a count inside the report's interval
        - beyond: probability of a count as far out as the report or farther, on both sides
        - error: distance of the report from the median in standard deviations of the log count; 0 where its interval
          holds the median
        - spread: that standard deviation
        - phi: variance over mean of the counts, as estimated without those reports
    """
    return memo.recall(_predicted, fitted, rows, tuple(tuple(sorted(set(each))) for each in out))


def _predicted(fitted: Fit, rows: Observations, out: tuple[tuple[int, ...], ...]) -> pd.DataFrame:
    table = rows.frame()
    added = ["mean", "predicted_low", "predicted_high", "inside", "beyond", "error", "spread", "phi"]
    table[added] = np.nan
    for left in dict.fromkeys(out):
        mine = [i for i, each in enumerate(out) if each == left]
        others = without(fitted, left)
        if others is None:
            continue
        made = checks.predict(others, rows.take(mine), draws=_DRAWS)
        phi = 1 + others.posterior.averaged(others.hyper("delta"))
        for place, i in enumerate(mine):
            law = _against(made.attrs["draws"][place], float(rows.low[i]), float(rows.high[i]))
            ends = made.loc[place, ["mean", "predicted_low", "predicted_high"]]
            table.loc[i, added] = [*ends, made.loc[place, "probability"], *law, phi]
    return table


def _against(draws: Floats, low: float, high: float) -> tuple[float, float, float]:
    """Two-sided tail probability, error in standard deviations, and standard deviation of the log count."""
    logs = np.log(draws + 0.5)
    middle = float(np.median(logs))
    spread = max(float(logs.std()), 0.5 / float(np.exp(middle)))
    nearest = np.clip(middle, np.log(low + 0.5), np.log(high + 0.5))
    error = (nearest - middle) / spread
    tail = min(float((draws <= high).mean()), float((draws >= low).mean()))
    return min(1.0, 2 * tail), float(error), spread


def left_out(fitted: Fit) -> pd.DataFrame:
    """Predict each report of the likelihood from the others, with the dispersion that they have without it.

    Returns
    -------
    DataFrame
        As `predicted`, one row per report, with the columns of `noticed`.
    """
    return noticed(predicted(fitted, fitted.obs, [[i] for i in range(len(fitted.obs))]), fitted)


def noticed(table: pd.DataFrame, fitted: Fit) -> pd.DataFrame:
    """Add to rows of `predicted` how wrong each would have to be to be noticed, and which one is.

    - smallest: smallest error that would be noticed, as a share of the count (0.2: a fifth too high; one too low is
      noticed from 1 − 1/1.2 on)
    - named: whether this report alone inflates the dispersion: without it phi is at most `LEFT` of that of `fitted` and
      less than without any other report, and it misses by more than `NOTICED` standard deviations
    """
    phi = table["phi"]
    inflates = phi.eq(phi.min()) & (phi <= LEFT * (1 + fitted.posterior.averaged(fitted.hyper("delta"))))
    far = table["error"].abs() > NOTICED
    return table.assign(smallest=np.expm1(NOTICED * table["spread"]), named=far & inflates)
