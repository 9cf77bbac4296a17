"""Models of counts: exact intervals, regressions, change points, forecasts, scores; tables out, no plots.

Importing the package is light: each module imports what it needs when it is imported itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """What stands where a number would mislead: why there is none, and what data would give one."""

    reason: str
    needs: str

    def __str__(self) -> str:
        return f"{self.reason} (needs: {self.needs})" if self.needs else self.reason
