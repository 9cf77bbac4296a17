"""Suspended sentences: the shares that newsrooms print, with intervals, and those of the official form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from desertion import hedges, vocabulary
from desertion.arguments import takes
from desertion.reconcile.series import national
from desertion.text import number, period
from desertion.trends import Refused
from desertion.trends.exact import proportion

_ALL = "all military crimes: every sentence"
_SOLDIERS = ["contract", "mobilised"]
_SENTENCES = ("sentences_suspended", "sentences_settlement_colony", "sentences_penal_colony")
_COLUMNS = ["period_start", "period_end", "compiler", "articles", "covers", "value", "bound", "low", "high"]
_OF_TEXTS = ["articles", "compiler", "period_start", "period_end"]
#: Columns of form 10.1 that `official` counts, by the measure of their figures.
_FORM = {
    "convicted": "persons_convicted",
    "suspended": "sentences_suspended",
    "suspended_other": "sentences_suspended_other",
    "imprisoned": "persons_imprisoned",
}


@takes(
    facts="reconcile.facts(data): measure kind articles compiler scope covers value bound chosen ids",
    figures="data.figures: hedge", level="share",
)  # fmt: skip
def shares(facts: pd.DataFrame, figures: pd.DataFrame, level: float = 0.95, articles: str = "337") -> pd.DataFrame:
    """Select the published shares of suspended sentences, in order of time, with an interval where one can be given.

    An interval needs the number of verdicts behind the share: a count of texts of the same compiler, articles and
    period. It runs from the lower end of Wilson's interval at the least share that the printed words admit to the upper
    end at the greatest. A sample of "at least" so many texts is taken as that many: a larger one is surer.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    figures : DataFrame
        The statements (`data.figures`), for the words beside their numbers.
    level : float
        Coverage of the intervals, between 0 and 1.
    articles : str
        The articles under which the sentences were given.

    Returns
    -------
    DataFrame
        One row per share, by the end of its period. Shares of one kind of soldier are left out where one of all
        soldiers is known for the period.

        - `period_start, period_end, compiler, articles, covers`: of the share, `covers` as in `reconcile.facts`
        - `value, bound`: percent of the sentences, and how the number is meant
        - `low, high`: interval in percent; NaN where there is none
        - `texts`: number of verdicts behind the share, NaN where no page gives it
        - `basis`: that number in words: `32 of 44 texts`, of a rounded share `330 texts`; blank without it
        - `period, printed, interval`: period, share and interval in words; None where there is no interval
        - `ids`: the statements behind the row, joined by spaces

    References
    ----------
    Wilson, E. B. (1927), as in `exact.proportion`.
    """
    own = facts[facts["articles"].eq(articles)]
    printed = own[own["measure"].eq("sentences_suspended") & own["kind"].eq("share") & own["place"].eq("")]
    whole = national(printed)[_OF_TEXTS].apply(tuple, axis=1).tolist()
    printed = printed[printed["scope"].ne("subset") | ~printed[_OF_TEXTS].apply(tuple, axis=1).isin(whole)]
    counted = own[own["kind"].eq("count") & own["scope"].ne("subset")]
    rows = []
    for row in (
        printed.assign(basis="").sort_values(["period_end", "period_start", "covers"], kind="stable").to_dict("records")
    ):
        beside = counted[counted[_OF_TEXTS].eq(pd.Series({each: row[each] for each in _OF_TEXTS})).all(axis=1)]
        texts = beside[beside["measure"].eq("texts_examined") & beside["bound"].isin(["exact", "at_least"])]
        known = beside[beside["measure"].eq("sentences_suspended") & beside["bound"].eq("exact")]
        if row["scope"] != "subset" and len(texts):
            row |= _interval(row, float(texts["value"].iloc[0]), known["value"].tolist(), figures, level)
            sample = f"{'at least ' * (texts['bound'].iloc[0] == 'at_least')}{number(row['texts'])} texts"
            row["basis"] = f"{row['basis']} of {sample}" if row["basis"] else sample
            row["ids"] = " ".join([row["ids"], *texts["ids"], *known["ids"]])
        rows.append(row)
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "texts", "basis", "ids"])
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[us]")
    table = table.astype(days | dict.fromkeys(("value", "low", "high", "texts"), "float"))
    each = table[["period_start", "period_end", "value", "bound", "low", "high"]].itertuples(index=False, name=None)
    words = [
        (
            period(start, end),
            vocabulary.bounded(value if bound == "exact" else round(value), bound),
            f"{low:.0f}–{high:.0f}" if low == low else None,
        )
        for start, end, value, bound, low, high in each
    ]
    return table.join(pd.DataFrame(words, columns=["period", "printed", "interval"], dtype=object))


def _interval(
    row: dict[Any, Any], texts: float, known: list[float], figures: pd.DataFrame, level: float
) -> dict[Any, Any]:
    """The interval of a share of `texts`, and its part in words; `known`: the part as counted, where it is."""
    hedge = "" if row["bound"] == "exact" else str(figures.at[row["chosen"], "hedge"])
    admitted = hedges.load().interval(row["value"], row["bound"], hedge, whole=False)
    parts = known[:1] * 2 or [float(np.clip(round(end * texts / 100), 0, texts)) for end in admitted]
    low, high = (proportion(part, texts, level) for part in parts)
    part = number(parts[0]) if parts[0] == parts[1] else ""
    return {"low": 100 * low.low, "high": 100 * high.high, "texts": texts, "basis": part}


class Latest(NamedTuple):
    """The latest share with an interval, in percent, and what it is of, in words: `32 of 44 texts`."""

    period: str
    compiler: str
    value: float
    low: float
    high: float
    basis: str
    ids: str

    @property
    def recipes(self) -> dict[str, str]:
        """How each number is computed."""
        ends = f"end of the interval of {self.basis}, as if drawn at random (Wilson 1927)"
        return {
            "value": f"{self.basis}, in percent", "basis": "suspended sentences, of the texts of verdicts read",
            "low": f"lower {ends}", "high": f"upper {ends}",
        }  # fmt: skip


def latest(shares: pd.DataFrame) -> Latest | Refused:
    """Select the latest share with an interval, for a sentence.

    Parameters
    ----------
    shares : DataFrame
        The table of `shares`.

    Returns
    -------
    Latest or Refused
        The share in percent; refused where none has an interval.
    """
    known = shares[shares["low"].notna()]
    if known.empty:
        return Refused("no share of suspended sentences is known with the number of verdicts behind it", "such a share")
    row = known.iloc[-1]
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    return Latest(row["period"], row["compiler"], value, low, high, row["basis"], row["ids"])


@takes(facts="reconcile.facts(data): measure kind articles compiler value ids")
def official(facts: pd.DataFrame, articles: str = "ch33+34") -> pd.DataFrame:
    """Add up the suspended sentences of form 10.1 by year: those of prison, and the others that the form lists.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    articles : str
        The line of the form.

    Returns
    -------
    DataFrame
        One row per year in which the form has all of its columns.

        - `period_start, period_end, compiler, articles`: of the year
        - `convicted`: persons convicted, each with one sentence
        - `suspended, suspended_other`: suspended terms of prison, and other suspended sentences
        - `imprisoned`: real terms of prison
        - `value`: the suspended sentences of both kinds, in percent of the persons convicted
        - `ids`: the statements behind the row, joined by spaces
    """
    by = ["period_start", "period_end", "compiler", "articles"]
    own = national(facts)
    own = own[own["articles"].eq(articles) & own["compiler"].eq("Judicial Department") & own["kind"].eq("count")]
    own = own[own["measure"].isin(_FORM.values())]
    table = own.pivot_table(index=by, columns="measure", values="value", aggfunc="first")
    table = table.reindex(columns=list(_FORM.values())).set_axis(list(_FORM), axis=1).dropna()
    ids = own.groupby(by)["ids"].agg(" ".join).reindex(table.index)
    share = 100 * (table["suspended"] + table["suspended_other"]) / table["convicted"]
    return table.assign(value=share.round(1), ids=ids).reset_index()


def in_rows(official: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Put the shares of the official form and those of newsrooms into the rows of `plots.sentences`.

    Parameters
    ----------
    official, shares : DataFrame
        The tables of `official` and of `shares`.

    Returns
    -------
    DataFrame
        One row per share, those of the form first.

        - `series`: which sentences were counted, as the heading of a group
        - `row`: the years of the form in one row; of a newsroom the months of the period, and what was read
        - `articles, compiler, period_start, period_end, value, bound, low, high, covers, ids`: of the share, `low`
          and `high` to one decimal
    """
    form = official.assign(series=f"Official form, {_ALL}", bound="exact", low=np.nan, high=np.nan, covers="")
    years = f"{form['period_start'].min():%Y}–{form['period_end'].max():%Y}" if len(form) else ""
    soldiers = shares["covers"].where(shares["covers"].isin(vocabulary.SOLDIERS.values()), "")
    basis = shares["basis"].where(shares["basis"].ne(""), soldiers)
    spans = [f"{row.period_start:%b %Y} – {row.period_end:%b %Y}" for row in shares.itertuples()]
    words = [" – ".join(dict.fromkeys(span.split(" – "))) for span in spans]
    read = shares.assign(
        series=shares["compiler"] + ", absence: sentences that became known",
        row=[f"{span}: {each}" if each else span for span, each in zip(words, basis, strict=True)],
    )
    columns = ["series", "row", *_COLUMNS, "ids"]
    form = form.assign(row=f"{years}, each year" if len(form) > 1 else years[:4])
    return pd.concat([form[columns], read[columns]], ignore_index=True).round({"low": 1, "high": 1})


@takes(facts="reconcile.facts(data): measure kind articles compiler soldiers value ids")
def by_soldier(facts: pd.DataFrame, articles: str = "337") -> pd.DataFrame:
    """Set the shares of the sentences side by side by kind of soldier, for a table.

    Parameters
    ----------
    facts : DataFrame
        The table of `reconcile.facts`.
    articles : str
        The articles under which the sentences were given.

    Returns
    -------
    DataFrame
        One row per kind of sentence and period, in order of time.

        - `measure, period_start, period_end, period, compiler`: of the shares, `period` in words
        - `contract, mobilised`: percent of the sentences of these soldiers
        - `ids`: the statements behind the row, joined by spaces
    """
    own = facts[facts["articles"].eq(articles) & facts["kind"].eq("share") & facts["place"].eq("")]
    own = own[own["soldiers"].isin(_SOLDIERS)]
    by = ["period_end", "period_start", "compiler", "measure"]
    table = own.pivot_table(index=by, columns="soldiers", values="value", aggfunc="first").reindex(columns=_SOLDIERS)
    ids = own.groupby(by)["ids"].agg(" ".join).reindex(table.index)
    order = table.assign(ids=ids).reset_index()
    place = order["measure"].map({measure: n for n, measure in enumerate(_SENTENCES)}).fillna(len(_SENTENCES))
    order["period"] = [
        period(start, end) for start, end in zip(order["period_start"], order["period_end"], strict=True)
    ]
    return order.assign(place=place).sort_values(["period_end", "place"], kind="stable").drop(columns="place")
