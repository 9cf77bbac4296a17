"""Rolling origins of one series of counts, for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desertion.trends.arrays import Floats
from desertion.trends.origins import BEFORE, Origin


def every_origin(counts: Floats, months: Floats | None = None, labels: Sequence[str] = ()) -> list[Origin]:
    """Every origin of one series with at least 6 counts behind it and the next count as its target."""
    months = np.ones(len(counts)) if months is None else months
    return [
        Origin(labels[i - 1] if labels else str(i), counts[:i], months[:i], float(counts[i]), float(months[i]))
        for i in range(BEFORE, len(counts))
    ]
