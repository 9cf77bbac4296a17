"""The data as typed frames: validated, corrected, and cut at what was public on a date."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from desertion import reads, vocabulary
from desertion.errors import DataError, UserError
from desertion.figures.check import examine
from desertion.figures.file import CONTEXT, CORRECTIONS, EVENTS, FIGURES, SOURCES
from desertion.figures.rows import last_day
from desertion.project import DATA
from desertion.text import nearest, shown

_OF_THE_SOURCE = {"publisher": "publisher", "url": "url", "kind": "source_kind", "copy_of": "copy_of"}
_WORDS = {
    "measure": vocabulary.MEASURES,
    "status": vocabulary.STATUSES,
    "kind": vocabulary.KINDS,
    "scope": vocabulary.SCOPES,
}


class _Late:
    """A field of `Data` that may be given as a function: it is called where the frame is first asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, data: Data | None, owner: type) -> pd.DataFrame:
        if data is None:
            raise AttributeError  # so that the field has no default
        found = data.__dict__[self._name]
        if callable(found):
            found = data.__dict__[self._name] = found()
        frame: pd.DataFrame = found
        return frame

    def __set__(self, data: Data, value: pd.DataFrame | Callable[[], pd.DataFrame]) -> None:
        data.__dict__[self._name] = value


@dataclass(frozen=True, kw_only=True)
class Data:
    """The statements that were public on `as_of` (all of them where it is None).

    All frames but `corrections` are indexed by id. Dates are datetime64, `value` float64, `cumulative` bool, all other
    columns text, a blank cell being an empty text. `figures` and `context` have one row a statement, corrections
    applied, and beside the columns of the file `publisher`, `url`, `source_kind`, `copy_of` and `published` of their
    source (NaT: no date shown; of a month its last day), `known` (publication, or the period's end plus the lag where
    undated), `dated`, and `corrected` (whether a correction changed the row). `sources` keeps the printed date in
    `published_text`. `corrections` are those applied: figure_id, field, printed, corrected, reason, known_from.

    `load` reads context.csv only where `context` is asked for, or `corrections` of its rows.
    """

    figures: pd.DataFrame
    context: _Late = _Late()
    sources: pd.DataFrame
    corrections: _Late = _Late()
    events: pd.DataFrame
    as_of: date | None

    def of(self, figures: pd.DataFrame) -> Data:
        """The same with `figures` in place of all; what is not read yet stays unread."""
        return Data(**self.__dict__ | {"figures": figures})


def load(data: Path = DATA, *, as_of: date | None = None, undated_lag_days: int = 60) -> Data:
    """Read, validate, correct and cut the data folder `data`.

    A statement counts as known on its publication date (of a month: its last day), an undated one `undated_lag_days`
    days after the end of its printed period or, where its page has later ones in the same file, after the last of
    these (a copy not before the page that it copies), a correction on its `known_from`. `as_of` keeps what was known by
    that day, and events up to it. Corrections are checked against the whole data before anything is cut. In a run of a
    notebook the data were validated before, and only the files that it declares can be read (`desertion.reads`).
    Raises DataError with every fault of the data; UserError where nothing was known on `as_of` yet.
    """
    return _cut(_reader(data), as_of, undated_lag_days)


def vintages(days: Iterable[date], data: Path = DATA, *, undated_lag_days: int = 60) -> Iterator[Data]:
    """What was public on each of `days`, as `load` has it; the files are validated once."""
    read = _reader(data)
    for day in days:
        yield _cut(read, day, undated_lag_days)


def _cut(read: Callable[[str], pd.DataFrame], as_of: date | None, undated_lag_days: int) -> Data:
    if not 0 <= undated_lag_days <= 3660:
        raise UserError(f"undated_lag_days {undated_lag_days}: a number of days from 0 to 3660")
    day = pd.Timestamp.max if as_of is None else pd.Timestamp(as_of)
    sources = read(SOURCES).set_index("id").assign(published_text=lambda frame: frame["published"])
    sources["published"] = _dates(sources["published"].map(last_day))
    corrections = _typed(read(CORRECTIONS).reset_index(drop=True))
    corrections = corrections[corrections["known_from"] <= day]
    lag = pd.Timedelta(days=undated_lag_days)
    every = _statements(read(FIGURES), sources, corrections, lag)
    first = every["known"].min()
    if day < first:
        raise UserError(f"as_of {day:%Y-%m-%d} is before the first figure was known: {first:%Y-%m-%d} or later")
    figures = every[every["known"] <= day]

    def context() -> pd.DataFrame:
        frame = _statements(read(CONTEXT), sources, corrections, lag)
        return frame[frame["known"] <= day]

    def applied() -> pd.DataFrame:
        there = corrections["figure_id"].isin(figures.index)
        if not corrections["figure_id"].isin(every.index).all():  # some are of context.csv
            there |= corrections["figure_id"].isin(loaded.context.index)
        return corrections[there].reset_index(drop=True)

    events = _typed(read(EVENTS).set_index("id"))
    loaded = Data(
        figures=figures,
        context=context,
        sources=sources.astype({name: "str" for name in sources if name != "published"}),
        corrections=applied,
        events=events[events["date"] <= day],
        as_of=as_of,
    )
    return loaded


def _reader(data: Path) -> Callable[[str], pd.DataFrame]:
    """What gives a file's rows as text by its name. Raises DataError with every fault of the data."""
    passed = reads.declared() if data == DATA else None
    if passed is None:
        frames, faults = examine(data)
        if faults:
            raise DataError(faults)
        return frames.__getitem__

    def read(name: str) -> pd.DataFrame:
        raw = reads.content(data / name, passed)
        header, *rows = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))
        return pd.DataFrame(rows, columns=header, dtype=object)

    return read


def _dates(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(texts.where(texts != "", None), format="%Y-%m-%d")


def _page_ends(rows: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """The last day that a page speaks of, by source: a page is no older than any period that it prints."""
    past = rows[~rows["kind"].isin(["projection", "decree"])]
    return _dates(past["period_end"]).groupby(past["source_id"]).max()


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` of text with its columns as what they mean."""
    out = frame.astype("str")
    for column in ("date", "known_from", "period_start", "period_end"):
        if column in out:
            out[column] = _dates(out[column])
    if "value" in out:
        out["value"] = out["value"].astype("float64")
    if "cumulative" in out:
        out["cumulative"] = out["cumulative"] == "true"
    return out


def _statements(
    texts: pd.DataFrame,
    sources: pd.DataFrame,
    corrections: pd.DataFrame,
    lag: pd.Timedelta,
) -> pd.DataFrame:
    """One row a statement, corrected, typed, with what its source says of it."""
    frame = texts.set_index("id").drop(columns="published", errors="ignore")
    undated = _page_ends(texts).reindex(frame["source_id"]).set_axis(frame.index)
    undated = undated.fillna(_dates(frame["period_end"])) + lag
    changed = corrections[corrections["figure_id"].isin(frame.index)]
    for number, field, corrected in changed[["figure_id", "field", "corrected"]].itertuples(index=False, name=None):
        frame.loc[number, field] = corrected
    out = _typed(frame)
    of_source = sources.loc[frame["source_id"]].set_index(frame.index)
    for theirs, ours in _OF_THE_SOURCE.items():
        out[ours] = of_source[theirs].astype("str")
    out["published"] = of_source["published"]
    originals = sources["published"].reindex(of_source["copy_of"]).set_axis(frame.index)
    undated = undated.where(~(originals > undated), originals)  # no copy before its original
    out["known"] = out["published"].fillna(undated)
    out["dated"] = out["published"].notna()
    out["corrected"] = out.index.isin(changed["figure_id"])
    return out


def select(
    frame: pd.DataFrame,
    *,
    articles: str | Sequence[str] | None = None,
    measures: str | Sequence[str] | None = None,
    compilers: str | Sequence[str] | None = None,
    start: date | None = None,
    end: date | None = None,
    status: str | Sequence[str] | None = ("ok",),
    kind: str | Sequence[str] | None = ("count",),
    scope: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """The rows of `frame` (figures or context) that have one of the given words in each column named; None: any.

    `articles` are whole sets: `337` is not in `337+338`. `start`, `end`: the period lies inside, ends included.
    Raises UserError for a word that neither the vocabulary nor the frame has.
    """
    chosen = pd.Series(True, index=frame.index)
    wanted = {
        "articles": articles,
        "measure": measures,
        "compiler": compilers,
        "status": status,
        "kind": kind,
        "scope": scope,
    }
    for column, words in wanted.items():
        if words is None:
            continue
        words = [words] if isinstance(words, str) else list(words)
        _refuse_unknown(frame, column, words)
        chosen &= frame[column].isin(words)
    if start is not None:
        chosen &= frame["period_start"] >= pd.Timestamp(start)
    if end is not None:
        chosen &= frame["period_end"] <= pd.Timestamp(end)
    return frame[chosen]


def _refuse_unknown(frame: pd.DataFrame, column: str, words: Iterable[str]) -> None:
    """A mistyped word would silently select nothing. Of compilers there is no list: any may be absent at a date."""
    if column not in frame:
        raise UserError(f"these rows have no column {column}")
    if column == "compiler":
        return
    for word in words:
        known = {*_WORDS.get(column, ()), *frame[column].unique()}
        if column == "articles" and word not in known:
            try:
                vocabulary.parse_articles(word)
            except ValueError as error:
                raise UserError(f"articles '{shown(word)}': {error}") from None
        elif word not in known:
            hint = nearest(word, known) or f"; known are {', '.join(sorted(known))}"
            raise UserError(f"{column} '{shown(word)}' is unknown{hint}")
