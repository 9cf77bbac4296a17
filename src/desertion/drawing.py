"""Whether plots are drawn: a sweep that keeps no notebooks shows none, and drawing would be most of its time."""

from __future__ import annotations

import os

#: In a kernel's environment where plots are only checked.
VARIABLE = "DESERTION_UNDRAWN"


def wanted() -> bool:
    """Whether this process draws the plots that it is asked to show."""
    return VARIABLE not in os.environ
