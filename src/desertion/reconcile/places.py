"""Counts by place: what single regions, courts, districts and units are known to have, and what such lists cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from desertion import arguments, vocabulary
from desertion.arguments import takes
from desertion.errors import ArgumentError
from desertion.reconcile.series import national
from desertion.text import day, nearest, number, once, period, shown

if TYPE_CHECKING:
    from desertion.figures import Data

#: Fewest places that one compiler counts together for a panel of `plots.places`.
FEWEST = 3
_COUNT = ["compiler", "articles", "measure", "kind", "period_start", "period_end"]
_KINDS = ("region", "court", "district", "unit")


@takes(facts="reconcile.facts(data): place measure kind compiler articles value ids", data="figures.load()")
def by_place(facts: pd.DataFrame, data: Data, places: Sequence[str] | None = None) -> pd.DataFrame:
    """Select the counts of single places, each with the count of all Russia that it is a part of.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    data : Data
        The curated data, for the kinds of the places.
    places : sequence of str, optional
        Places of data/places.csv; None takes all.

    Returns
    -------
    DataFrame
        Counts and stocks of a place, indexed by fact; by kind of place, compiler, period and measure, the largest
        first.

        - `of`: kind of the place, one of `vocabulary.PLACE_KINDS`
        - `place, what, articles, measure, compiler, period_start, period_end, value, bound`: of the count, `what` with
          the part of the article and the kind of soldier
        - `period`: its period in words
        - `whole, whole_bound`: count of the same compiler, articles, measure and period for all of Russia; NaN and
          blank where there is none
        - `share`: percent of it, NaN where the whole is not known
        - `printed`: the number in words: `at least 600`
        - `weak`: whether the statement is usable only where nothing better is (status `low`)
        - `ids`: the statements behind the row, joined by spaces

    Raises
    ------
    ArgumentError
        If data/places.csv does not have one of `places`.
    """
    known = data.places["kind"]
    own = facts[facts["place"].ne("") & facts["kind"].isin(["count", "stock"])]
    if places is not None:
        choice = arguments.words("places", places)
        if unknown := [place for place in choice if place not in known.index]:
            near = nearest(unknown[0], list(known.index))
            raise ArgumentError(f"{shown(repr(unknown[0]))} is no place of data/places.csv{near}")
        own = own[own["place"].isin(choice)]
    wholes = national(facts).groupby(_COUNT)[["value", "bound", "ids"]].first()
    beside = wholes.reindex(pd.MultiIndex.from_frame(own[_COUNT])).set_axis(own.index)
    narrower = own["part"].map(lambda part: f", part {part}" if part else "") + own["soldiers"].map(
        lambda soldiers: f", {vocabulary.SOLDIERS[soldiers]}" if soldiers else ""
    )
    # a part of an article, or one kind of soldier, is no part by place alone
    beside = beside.where(narrower.eq(""))
    ends = zip(own["period_start"], own["period_end"], strict=True)
    table = own.assign(
        of=own["place"].map(known),
        what=vocabulary.label(own, "measure", "articles").str.replace(", no article", "") + narrower
        if len(own)
        else "",
        period=[period(start, end) for start, end in ends],
        weak=own["chosen"].map(data.figures["status"]).eq("low"),
        printed=[vocabulary.bounded(*each) for each in zip(own["value"], own["bound"], strict=True)],
        whole=beside["value"].astype(float),
        whole_bound=beside["bound"].fillna(""),
        share=(100 * own["value"] / beside["value"].astype(float)).round(1),
        ids=own["ids"] + beside["ids"].map(lambda ids: f" {ids}" if isinstance(ids, str) else ""),
    )
    order = ["of", "compiler", "period_end", "articles", "measure", "value"]
    table = table.sort_values(order, ascending=[True, True, False, True, True, False], kind="stable", key=_rank)
    columns = ["of", "place", "what", "articles", "measure", "compiler", "period_start", "period_end", "period"]
    return table[[*columns, "value", "bound", "printed", "weak", "whole", "whole_bound", "share", "ids"]]


@takes(table="reconcile.by_place(facts, data): place what compiler period value whole share ids")
def listed_together(table: pd.DataFrame) -> pd.DataFrame:
    """Select the places that one compiler counts together, for `plots.places`: one panel per list.

    Parameters
    ----------
    table : DataFrame
        The table of `by_place`.

    Returns
    -------
    DataFrame
        Its rows that share compiler, measure, articles and period with at least `FEWEST` - 1 others, the list with the
        latest period first, and of each list the largest first.

        - `panel`: who counted, up to when
        - `caption`: what was counted, the period, and how much of the count for all of Russia the list covers
        - `place, articles, measure, compiler, period_start, period_end, value, bound, ids`: of the count
    """
    by = ["compiler", "what", "of", "period_start", "period_end"]
    sizes = table.groupby(by)["place"].transform("nunique") if len(table) else pd.Series(dtype=int)
    order = ["of", "period_end", "compiler", "value"]
    kept = table[sizes.ge(FEWEST)].sort_values(order, ascending=[True, False, True, False], kind="stable", key=_rank)
    captions = {key: _caption(part) for key, part in kept.groupby(by)}
    days = [day(end) for end in kept["period_end"]]
    kept = kept.assign(
        panel=[f"{compiler}, to {end}" for compiler, end in zip(kept["compiler"], days, strict=True)],
        caption=[captions[key] for key in kept[by].itertuples(index=False, name=None)],
    )
    columns = ["panel", "caption", "place", "articles", "measure", "compiler", "period_start", "period_end"]
    return kept[[*columns, "value", "bound", "ids"]]


class Leading(NamedTuple):
    """The place with the most cases of the latest list of regions, and what the list covers of all Russia.

    `whole` is the count for all of Russia in words, `share` and `covered` percents of it.
    """

    place: str
    value: float
    compiler: str
    day: str
    named: int
    whole: str
    share: float
    covered: float
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        return {
            "named": "regions in the list", "share": f"100 × {self.value:,.0f} ÷ {self.whole}",
            "covered": f"100 × all cases in the list ÷ {self.whole}",
        }  # fmt: skip


def leading(table: pd.DataFrame) -> Leading | None:
    """The first place of the latest list of regions whose count for all of Russia is known.

    Parameters
    ----------
    table : DataFrame
        The table of `by_place`.

    Returns
    -------
    Leading or None
        The place with the most cases, and what its list covers; None where there is no such list.
    """
    by = ["compiler", "what", "period_start", "period_end"]
    own = table[table["of"].eq("region") & table["whole"].notna()].sort_values("value", ascending=False, kind="stable")
    lists = [part for _, part in own.groupby(by) if part["place"].nunique() >= FEWEST]
    if not lists:
        return None
    part = max(lists, key=lambda each: each["period_end"].iloc[0])
    first, share = part.iloc[0], part["share"]
    ids = once(part["ids"])
    return Leading(
        first["place"], first["value"], first["compiler"], day(first["period_end"]), len(part),
        vocabulary.bounded(first["whole"], first["whole_bound"]), float(share.iloc[0]), float(share.sum()), ids,
    )  # fmt: skip


def _rank(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column `of` as a place in the order in which readers look: regions first."""
    return column.map(_KINDS.index) if column.name == "of" else column


def _caption(part: pd.DataFrame) -> str:
    """`Criminal cases received by a court, Art. 337, 2024: 3 places, 1,009 of about 7,400 in all of Russia.`"""
    words = f"{part['what'].iloc[0]}, {part['period'].iloc[0]}: {len(part)} places"
    if part["whole"].isna().any():
        weak = " Weak: see the published numbers." if part["weak"].any() else ""
        return f"{words}; no count for all of Russia by the same counter is known.{weak}"
    whole = vocabulary.bounded(part["whole"].iloc[0], part["whole_bound"].iloc[0])
    return f"{words}, {number(part['value'].sum())} of {whole} in all of Russia."
