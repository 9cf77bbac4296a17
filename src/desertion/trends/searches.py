"""How far published counts reach, as somebody looked for later ones and found none."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pandas as pd

from desertion.text import day
from desertion.trends import Refused


class Silence(NamedTuple):
    """The end of what is known, for a sentence.

    No count that runs beyond `until` is known; somebody last looked for one on `day`, a month or a day in words. The
    last count ends `beyond` days before `until`; `ids` are its statements.
    """

    until: date
    day: str
    beyond: int
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How its days are known, for a sentence."""
        return {
            "until": "day up to which later counts were looked for, or the last day of the last count",
            "day": "day of the last search, by data/searches.csv",
        }


def silence(searches: pd.DataFrame, search: str, counts: pd.DataFrame) -> Silence | Refused:
    """Set one row of `Data.searches` beside the `counts` that it looked for.

    Parameters
    ----------
    searches : DataFrame
        `Data.searches`.
    search : str
        Id of the search.
    counts : DataFrame
        Counts, with the columns `period_end` and `ids` of `reconcile.facts`.

    Returns
    -------
    Silence or Refused
        Refused where nobody had looked yet, or where there is no such count.
    """
    if search not in searches.index:
        return Refused("nobody had looked for later counts by then", "")
    if counts.empty:
        return Refused("no such count is among the published numbers", "")
    last = counts["period_end"].max()
    until = max(pd.Timestamp(str(searches.at[search, "until"])), last)  # a count that came since runs further
    ids = " ".join(counts.loc[counts["period_end"].eq(last), "ids"])
    return Silence(until, _in_words(str(searches.at[search, "day"])), (until - last).days, ids)


def _in_words(written: str) -> str:
    """`Nov 2026` of `2026-11`, `3 Nov 2026` of `2026-11-03`."""
    if len(written) > len("2026-11"):
        return day(date.fromisoformat(written))
    first = date.fromisoformat(f"{written}-01")
    return day(first).removeprefix("1 ")
