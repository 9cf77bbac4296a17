"""Switch for drawing: a sweep that keeps no notebooks shows no plots, and drawing would be most of its time."""

from __future__ import annotations

import os

#: Set in a kernel's environment if plots are only checked.
VARIABLE = "DESERTION_UNDRAWN"


def enabled() -> bool:
    """Whether this process draws plots."""
    return VARIABLE not in os.environ
