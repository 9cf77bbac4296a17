"""Reconciliation and claim check on the real data and on 10 and 100 times as much; growth should be linear.

Run: python benchmarks/bench_reconcile.py
"""

from __future__ import annotations

import re
import resource
import time
from dataclasses import replace

import pandas as pd

from desertion import claims, figures, reconcile

_ID = re.compile(r"\b(F)(\d+)\b")


def times(frame: pd.DataFrame, copies: int) -> pd.DataFrame:
    """`copies` of a frame of figures whose ids and facts do not meet."""
    parts = []
    for copy in range(copies):
        part = frame.assign(fact=frame["fact"].str.replace("/", f"{copy}/", n=1))
        parts.append(part.set_axis([_renamed(one, copy) for one in frame.index]))
    return pd.concat(parts)


def _renamed(text: str, copy: int) -> str:
    return _ID.sub(lambda match: f"F{int(match[2]) + 1000 * copy}", text)


def multiplied(frame: pd.DataFrame, copies: int) -> pd.DataFrame:
    """Identities or claims for `copies` of the figures."""
    parts = []
    for copy in range(copies):
        part = frame.map(lambda cell, copy=copy: _cell(cell, copy))
        parts.append(part.set_axis([f"{one}x{copy}" for one in frame.index]))
    return pd.concat(parts)


def _cell(cell: object, copy: int) -> object:
    return tuple(_renamed(one, copy) for one in cell) if isinstance(cell, tuple) else cell


def main() -> None:
    """Print seconds, statements and peak memory, each beside what it is compared with."""
    data = figures.load()
    first = 0.0
    for copies in (1, 10, 100):
        many = replace(
            data,
            figures=times(data.figures, copies),
            identities=multiplied(data.identities, copies),
            claims=multiplied(data.claims, copies),
        )
        start = time.perf_counter()
        facts = reconcile.facts(many)
        identities = reconcile.identities(many)
        ledger = reconcile.ledger(many)
        checked = claims.check_claims(many)
        seconds = time.perf_counter() - start
        first = first or seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"×{copies:<4} {len(many.figures):>6,} statements {len(facts):>6,} facts {len(identities):>6,} identities "
            f"{len(ledger):>5,} conflicts {len(checked):>5,} claims: {seconds:6.2f} s "
            f"(×{seconds / first:.1f} of the real data's), peak {peak:.0f} MiB"
        )


if __name__ == "__main__":
    main()
