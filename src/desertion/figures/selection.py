"""Selects rows of statements by the words of their columns and by days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pandas as pd

from desertion import arguments, vocabulary
from desertion.errors import ArgumentError
from desertion.text import nearest, shown

_WORDS = {
    "measure": vocabulary.MEASURES, "status": vocabulary.STATUSES, "kind": vocabulary.KINDS, "scope": vocabulary.SCOPES,
}  # fmt: skip


def select(
    frame: pd.DataFrame,
    *,
    articles: str | Sequence[str] | None = None,
    measures: str | Sequence[str] | None = None,
    compilers: str | Sequence[str] | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    status: str | Sequence[str] | None = ("ok",),
    kind: str | Sequence[str] | None = ("count",),
    scope: str | Sequence[str] | None = vocabulary.NATIONAL,
) -> pd.DataFrame:
    """The rows of `frame` that have one of the given words in each column named.

    A part by place, by part of an article or by kind of soldier (the scope `subset`) is left out unless it is asked
    for: it would read as a count of all Russia.

    Parameters
    ----------
    frame
        `Data.figures`, `Data.context` or the table of `reconcile.facts`.
    articles, measures, compilers, status, kind, scope
        A word or several; None takes any. Articles are whole sets: `337` does not select `337+338`. Rows of
        `Data.context` have no scope.
    start, end
        The period lies inside these days, both included; a date or 'YYYY-MM-DD'.

    Returns
    -------
    DataFrame
        The rows selected, in their order, with all columns of `frame`.

    Raises
    ------
    ArgumentError
        The vocabulary does not have a word, `frame` lacks a column, or `start` or `end` is no day.
    """
    days = [column for column, day in (("period_start", start), ("period_end", end)) if day is not None]
    arguments.frame_with("frame", frame, days, "data.figures or the table of reconcile.facts")
    chosen = pd.Series(True, index=frame.index)
    choices = {
        "articles": articles, "measure": measures, "compiler": compilers, "status": status, "kind": kind,
        "scope": scope,
    }  # fmt: skip
    for column, choice in choices.items():
        if choice is None or (column not in frame and choice is vocabulary.NATIONAL):
            continue
        words = arguments.words(column, choice)
        _refuse_unknown(frame, column, words)
        chosen &= frame[column].isin(words)
    if start is not None:
        chosen &= frame["period_start"] >= pd.Timestamp(arguments.day("start", start))
    if end is not None:
        chosen &= frame["period_end"] <= pd.Timestamp(arguments.day("end", end))
    return frame[chosen]


def _refuse_unknown(frame: pd.DataFrame, column: str, words: Iterable[str]) -> None:
    """A mistyped word would silently select nothing; a known one may be absent at a date."""
    if column not in frame:
        raise ArgumentError(f"these rows have no column {column}")
    for word in words:
        known = {*_WORDS.get(column, ()), *frame[column].unique()}
        if word in known:
            continue
        if column in ("articles", "compiler"):
            try:
                (vocabulary.parse_articles if column == "articles" else vocabulary.compiler)(word)
            except ValueError as error:
                raise ArgumentError(f"{column} '{shown(word)}': {error}") from None
        else:
            other = nearest(word, known) or f"; known are {', '.join(sorted(known))}"
            raise ArgumentError(f"{column} '{shown(word)}' is unknown{other}")
