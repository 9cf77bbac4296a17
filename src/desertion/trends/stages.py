"""Growth from one year to the next at each stage of criminal proceedings, by counter.

A criminal case is registered, cleared, received by a court and decided; its accused is convicted, and the verdict comes
into force. Each stage is counted by someone else, under other articles and later than the one before: no two of these
counts are divided by each other or joined.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from desertion import vocabulary
from desertion.arguments import takes
from desertion.text import once, period
from desertion.trends import Refused, growth

#: The stages in order, by the measure that counts them.
STAGES = {
    "cases_opened": "registered",
    "crimes_cleared": "cleared",
    "cases_received_by_court": "received by courts",
    "verdicts": "verdict",
    "persons_convicted": "convicted",
}
#: The last stage: the forms of the Judicial Department count persons by verdicts in force.
IN_FORCE = "convicted and in force"
COURT_FORMS = "Judicial Department"
ORDER = (*STAGES.values(), IN_FORCE)
_COLUMNS = (
    *("years", "stage", "what", "compiler", "articles", "measure", "from_year", "to_year", "from_count", "to_count"),
    *("from_part", "to_part", "incomplete", "ratio", "low", "high", "refused", "ids"),
)


@takes(facts="reconcile.facts(data): compiler articles measure scope unit", level="share")
def stage_growth(
    facts: pd.DataFrame, phi: float = growth.OFFICIAL, level: float = 0.95, reading: str = "rounding", *, step: int = 1
) -> pd.DataFrame:
    """Compare each two years of one counter, stage and set of articles, neighbouring ones unless `step` is more.

    Of several counts of one year the one of most days is taken; a count of part of a year is compared by the day.

    Parameters
    ----------
    facts : DataFrame
        Counts, one row per fact as in `reconcile.facts`; a column `hedge` gives the printed hedge.
    phi : float
        Variance over mean of the counts that the intervals assume.
    level : float
        Coverage of the intervals, as a share.
    reading : str
        How a printed bound is read (data/hedges.csv).
    step : int
        Years from the earlier to the later one.

    Returns
    -------
    DataFrame
        One row per pair of years, by years, stage, articles and counter:

        - years: both years in words, `2022 → 2023`
        - stage: one of `ORDER`
        - what: articles in words, with "newer parts" where only those of September 2022 are counted
        - compiler, articles, measure: of both counts
        - from_year, to_year, from_count, to_count: the two counts
        - from_part, to_part: what is counted of the year, `Mar–Dec 2022`; blank for the whole year
        - incomplete: whether one of them covers a part of its year
        - ratio, low, high: later over earlier count, with the interval of `growth.growth_table` at `phi`
        - refused: why there is no ratio, else blank
        - ids: statements behind both counts, joined by spaces

    Raises
    ------
    UserError
        If a column is missing.
    """
    counts = growth.yearly(facts[facts["measure"].isin(STAGES)], reading, incomplete=True)
    counts = counts.sort_values("days", kind="stable").groupby([*growth.KEYS, "year"]).tail(1)
    pairs = growth.growth_table(counts, phi=phi, level=level, reading=reading, incomplete=True)
    pairs = pairs[pairs["to_year"].eq(pairs["from_year"] + step)].reset_index(drop=True)
    ends = zip(counts["period_start"], counts["period_end"], counts["exposure"], strict=True)
    parts = counts[[*growth.KEYS, "year"]].assign(
        part=["" if exposure == 1 else period(start, end) for start, end, exposure in ends]
    )
    for side in ("from", "to"):
        named = parts.rename(columns={"year": f"{side}_year", "part": f"{side}_part"})
        pairs = pairs.astype({f"{side}_year": "int64"}).merge(named, how="left")
    stage = pairs["measure"].map(STAGES)
    stage = stage.where(pairs["measure"].ne("persons_convicted") | pairs["compiler"].ne(COURT_FORMS), IN_FORCE)
    newer = pairs["scope"].map({"mobilisation_parts": ", newer parts"}).fillna("")
    pairs = pairs.assign(
        what=pairs["articles"].map(vocabulary.articles_label).replace("Art. 337, 338 and 339", "Art. 337–339") + newer,
        years=pairs["from_year"].astype(str) + " → " + pairs["to_year"].astype(str),
        stage=stage, place=stage.map(ORDER.index),
    )  # fmt: skip
    return pairs.sort_values(["from_year", "place", "articles", "compiler"], ignore_index=True)[[*_COLUMNS]]


@takes(pairs="stages.stage_growth(facts): stage from_count from_part ratio low")
def in_words(pairs: pd.DataFrame) -> pd.DataFrame:
    """Put growth by stage into words, for a table.

    Parameters
    ----------
    pairs : DataFrame
        Rows of `stage_growth`.

    Returns
    -------
    DataFrame
        One row per row of `pairs`:

        - years, what, compiler, ids: as they are
        - stage: with a capital letter
        - before, after: the two counts, each with the part of the year that it covers
        - growth: `×1.94`, or a dash
        - interval: its two ends, or why there is no growth
    """

    def count(row: dict[Any, Any], side: str) -> str:
        part = row[f"{side}_part"].removesuffix(f" {row[f'{side}_year']}")
        return f"{row[f'{side}_count']:,.0f}" + (f" ({part})" if part else "")

    rows = pairs.to_dict("records")
    words = {
        "stage": [row["stage"].capitalize() for row in rows],
        "before": [count(row, "from") for row in rows],
        "after": [count(row, "to") for row in rows],
        "growth": ["–" if row["refused"] else f"×{row['ratio']:.2f}" for row in rows],
        "interval": [row["refused"] or f"{row['low']:.2f} to {row['high']:.2f}" for row in rows],
    }
    return pairs[["years", "what", "compiler", "ids"]].assign(
        **{name: pd.Series(cells, pairs.index, dtype=object) for name, cells in words.items()}
    )


@takes(pairs="stages.stage_growth(facts): stage refused")
def lacking(pairs: pd.DataFrame) -> list[str]:
    """Name the stages without a ratio, for notes.

    Parameters
    ----------
    pairs : DataFrame
        The table of `stage_growth`.

    Returns
    -------
    list of str
        One line per stage: no counter gives two neighbouring years, or why the ratio is refused.
    """
    lines = []
    for stage in ORDER:
        own = pairs[pairs["stage"].eq(stage)]
        if own.empty:
            lines.append(f"{stage.capitalize()}: no counter gives counts of two neighbouring years.")
        elif own["refused"].ne("").all():
            lines.append(f"{stage.capitalize()}: {own['refused'].iloc[0]}.")
    return lines


class StageSpread(NamedTuple):
    """Least and greatest growth of one pair of years, for a sentence: of `n` counts by `counters` counters.

    `least_high` is the upper end of the interval of the least, `most_low` the lower end of that of the greatest;
    `least_of`, `most_of`: their two counts in words.
    """

    least: float
    least_high: float
    most_low: float
    most: float
    n: int
    counters: int
    least_of: str
    most_of: str
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed, for a sentence."""
        n = "rows of these years in the table of growth by stage"
        return {"n": n, "counters": f"counters in the {n}", "least": self.least_of, "most": self.most_of}


@takes(pairs="stages.stage_growth(facts): from_year refused ratio low high compiler ids")
def spread(pairs: pd.DataFrame, from_year: int) -> StageSpread | Refused:
    """The spread of growth over stages and counters, from `from_year` to the next year.

    Parameters
    ----------
    pairs : DataFrame
        The table of `stage_growth`.
    from_year : int
        The earlier of the two years.

    Returns
    -------
    StageSpread or Refused
        Refused where fewer than two counters give the two years: one alone says nothing about the others.
    """
    own = pairs[pairs["from_year"].eq(from_year) & pairs["refused"].eq("")]
    counters = own["compiler"].nunique()
    if counters < 2:
        years = f"{from_year} and {from_year + 1}"
        return Refused(f"{counters or 'no'} counter gives counts of {years}", "the same years by two counters")
    ids = once(own["ids"])
    ordered = own.sort_values("ratio", kind="stable")
    flat, steep = ordered.iloc[0], ordered.iloc[-1]
    return StageSpread(
        least=float(flat["ratio"]), least_high=float(flat["high"]),
        most_low=float(steep["low"]), most=float(steep["ratio"]), n=len(own), counters=counters,
        least_of=_quotient(flat), most_of=_quotient(steep), ids=ids,
    )  # fmt: skip


def _quotient(pair: pd.Series[Any]) -> str:
    """`5,096 ÷ 1,001 (received by courts, Art. 337, Mediazona)`."""
    by_day = ", by the day" * bool(pair["from_part"] or pair["to_part"])
    of = f"{pair['stage']}, {pair['what']}, {pair['compiler']}"
    return f"{pair['to_count']:,.0f} ÷ {pair['from_count']:,.0f}{by_day} ({of})"
