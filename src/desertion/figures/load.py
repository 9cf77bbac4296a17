"""The data as typed frames: validated, corrected, and cut at what was public on a date."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from desertion import arguments, memo, reads
from desertion.errors import ArgumentError, DataError, UserError
from desertion.figures import schema
from desertion.figures.check import Examined, examine, examine_one
from desertion.figures.rows import last_day
from desertion.project import DATA
from desertion.text import hint, shown

if TYPE_CHECKING:
    from desertion.cards import Cards

_OF_THE_SOURCE = {
    "publisher": "publisher", "printed_by": "printed_by", "url": "url", "kind": "source_kind", "copy_of": "copy_of",
}  # fmt: skip
Read = Callable[[str], pd.DataFrame]


class _Lazy:
    """A field of `Data` that may be given as a function: it is called when the frame is first used.

    A `Data` that is made without the field has an empty frame there.
    """

    def __init__(self, file: str) -> None:
        self._file = file

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, data: Data | None, owner: type) -> Any:
        if data is None:  # the default of the field
            return lambda: _indexed(_nothing(self._file), self._file)
        given = data.__dict__[self._name]
        if callable(given):
            given = data.__dict__[self._name] = given()
        return given

    def __set__(self, data: Data, value: pd.DataFrame | Callable[[], pd.DataFrame]) -> None:
        data.__dict__[self._name] = value


@dataclass(frozen=True, kw_only=True, repr=False)
class Data:
    """The statements that were public on `as_of` (all of them where it is None), and every other file of data/.

    A frame has the columns of its file (data/README.md) and is indexed by the first of them, `corrections` by number.
    Dates are datetime64, numbers float64 (NaN where blank), `true` and `false` bool, lists of ids tuples, all other
    columns text, a blank cell being an empty text. All but `figures` and `sources` are read when they are first used.

    Attributes
    ----------
    figures, context
        One row per statement, corrections applied, with the columns of its row in details.csv (blank where it has
        none) and of its source: `publisher`, `printed_by` (of a copy with its host), `url`, `source_kind`, `copy_of`,
        `published` (NaT where the page shows no date; of a month its last day); `known` (publication, or the period's
        end plus the lag where undated), `dated`, `corrected` (whether a correction changed the row).
    sources
        One row per page, with the printed date as `published_text`, and `printed_by`: the publisher, of a copy with its
        host. Not cut at `as_of`.
    corrections
        One row per correction that was applied.
    events, searches, claims, identities
        One row per event up to `as_of`, per search made by then for what was not found, per claim of a page that was
        public, per identity whose evidence was.
    details, places, hedges, compilers, acknowledged
        One row per statement with details, per place, per word beside a number, per compiler, per warning of
        `desertion check` that was looked into. Not cut at `as_of`.
    cards
        The card of each statement of `figures` and `context` by its id, for a notebook to show.
    """

    figures: pd.DataFrame
    context: _Lazy = _Lazy(schema.CONTEXT)
    sources: pd.DataFrame
    details: _Lazy = _Lazy(schema.DETAILS)
    places: _Lazy = _Lazy(schema.PLACES)
    corrections: _Lazy = _Lazy(schema.CORRECTIONS)
    acknowledged: _Lazy = _Lazy(schema.ACKNOWLEDGED)
    events: _Lazy = _Lazy(schema.EVENTS)
    searches: _Lazy = _Lazy(schema.SEARCHES)
    claims: _Lazy = _Lazy(schema.CLAIMS)
    identities: _Lazy = _Lazy(schema.IDENTITIES)
    hedges: _Lazy = _Lazy(schema.HEDGES)
    compilers: _Lazy = _Lazy(schema.COMPILERS)
    as_of: date | None

    def __repr__(self) -> str:
        day = f" as of {self.as_of}" if self.as_of else ""
        return f"Data({len(self.figures)} figures and {len(self.sources)} sources{day})"

    @cached_property  # IPython completes nothing behind a plain property
    def cards(self) -> Cards:
        """The card of each statement by its id: `data.cards["F012"]`."""
        from desertion.cards import Cards

        return Cards(self)

    def of(self, figures: pd.DataFrame) -> Data:
        """The same data with `figures` instead of all figures; unread files stay unread."""
        return Data(**{one.name: self.__dict__[one.name] for one in fields(self)} | {"figures": figures})


def load(data: Path = DATA, *, as_of: date | str | None = None, undated_lag_days: int = 60) -> Data:
    """Read, validate, correct and cut the files of the folder `data`.

    A statement counts as known on its publication date (of a month: its last day), an undated one `undated_lag_days`
    days after the end of its printed period or, where its page has later ones in the same file, after the last of
    these (a copy not before the page that it copies), a correction on its `known_from`. Corrections are checked against
    the whole data before anything is cut. In a run of a notebook the data were validated before, and only the files
    that it declares can be read (`desertion.reads`).

    Parameters
    ----------
    data
        Folder of the CSV files.
    as_of
        Last day of publication that counts, as a date or as 'YYYY-MM-DD'; None takes everything.
    undated_lag_days
        Days, 0 to 3660, after which a statement on an undated page counts as known.

    Returns
    -------
    Data
        Typed frames; most are read when first used.

    Raises
    ------
    DataError
        The data have faults; it holds all of them.
    ArgumentError
        `as_of` is no day or a day before anything was known, or the lag is out of range.
    """
    return _cut(_reader(data), as_of, undated_lag_days)


def typed(examined: Examined) -> Data:
    """The data of a folder that was examined, as `load` gives them. Raises DataError where they have faults."""
    if examined.faults:
        raise DataError(examined.faults)
    return _cut(lambda file: examined.frames.get(file, _nothing(file)), None, 60)


def vintages(days: Iterable[date], data: Path = DATA, *, undated_lag_days: int = 60) -> Iterator[Data]:
    """The data as `load` gives them for each of `days`; the files are validated once."""
    read = _reader(data)
    for day in days:
        yield _cut(read, day, undated_lag_days)


def table(file: str) -> pd.DataFrame:
    """One file of data/ as a typed frame, neither corrected nor cut.

    Raises UserError for a name that is no file of data/, DataError with the faults of the file.
    """
    if file not in schema.BY_FILE:
        raise UserError(f"'{shown(file)}' is no file of data/: {hint(file, schema.BY_FILE)}")
    passed = reads.declared()
    if passed is not None:
        return _indexed(_passed(file, DATA, passed), file)
    frames, faults, _ = examine_one(DATA, schema.BY_FILE[file])
    if faults:
        raise DataError(faults)
    return _indexed(frames[file], file)


def _cut(read: Read, as_of: date | str | None, undated_lag_days: int) -> Data:
    as_of = None if as_of is None else arguments.day("as_of", as_of)
    day = pd.Timestamp.max if as_of is None else pd.Timestamp(as_of)
    sources = _indexed(read(schema.SOURCES), schema.SOURCES).assign(published_text=lambda frame: frame["published"])
    sources["published"] = _dates(sources["published"].map(last_day))
    hosts = sources["url"].map(lambda url: urlsplit(url).netloc.removeprefix("www.").rstrip("."))
    copies = sources["kind"].isin(["mirror", "scraper"])
    sources["printed_by"] = sources["publisher"] + (" (copy on " + hosts + ")").where(copies, "")
    corrections = _typed(read(schema.CORRECTIONS), schema.CORRECTIONS).reset_index(drop=True)
    corrections = corrections[corrections["known_from"] <= day]
    lag = pd.Timedelta(days=arguments.whole("undated_lag_days", undated_lag_days, 0, 3660))
    details = _indexed(read(schema.DETAILS), schema.DETAILS)
    every = _statements(read(schema.FIGURES), schema.FIGURES, sources, details, corrections, lag)
    first = every["known"].min()
    if day < first:
        raise ArgumentError(f"as_of {day:%Y-%m-%d} is before the first figure was known: {first:%Y-%m-%d} or later")
    figures = every[every["known"] <= day]

    def context() -> pd.DataFrame:
        frame = _statements(read(schema.CONTEXT), schema.CONTEXT, sources, details, corrections, lag)
        return frame[frame["known"] <= day]

    def applied() -> pd.DataFrame:
        there = corrections["figure_id"].isin(figures.index)
        if not corrections["figure_id"].isin(every.index).all():  # some are of context.csv
            there |= corrections["figure_id"].isin(loaded.context.index)
        return corrections[there].reset_index(drop=True)

    def until(file: str, column: str) -> pd.DataFrame:
        frame = _indexed(read(file), file)
        return frame[frame[column] <= day]

    def searches() -> pd.DataFrame:
        frame = _indexed(read(schema.SEARCHES), schema.SEARCHES)
        return frame[_dates(frame["day"].map(last_day)) <= day]

    def claims() -> pd.DataFrame:
        frame = _indexed(read(schema.CLAIMS), schema.CLAIMS)
        if as_of is None:
            return frame
        published = sources["published"].reindex(frame["source_id"]).set_axis(frame.index)
        # a claim on an undated page is public once a statement of that page is
        printed = frame["source_id"].isin({*loaded.figures["source_id"], *loaded.context["source_id"]})
        return frame[(published <= day) | (published.isna() & printed)]

    loaded = Data(
        figures=figures, context=context, sources=sources, details=lambda: details,
        places=lambda: _indexed(read(schema.PLACES), schema.PLACES), corrections=applied,
        acknowledged=lambda: _indexed(read(schema.ACKNOWLEDGED), schema.ACKNOWLEDGED),
        events=lambda: until(schema.EVENTS, "date"), searches=searches, claims=claims,
        identities=lambda: until(schema.IDENTITIES, "known_from"),
        hedges=lambda: _indexed(read(schema.HEDGES), schema.HEDGES),
        compilers=lambda: _indexed(read(schema.COMPILERS), schema.COMPILERS), as_of=as_of,
    )  # fmt: skip
    return loaded


def _reader(data: Path) -> Read:
    """A function from a file's name to its rows as text. Raises DataError with every fault of the data."""
    data = Path(data)
    if data == DATA and (passed := reads.declared() or _validated()):
        return lambda file: _passed(file, data, passed)
    frames, faults, _ = examine(data)
    if faults:
        raise DataError(faults)
    return lambda file: frames[file] if file in frames else _nothing(file)


def _validated() -> Mapping[str, str]:
    """Name → digest of each file of data/, none where one is absent. The same content is validated once."""
    if not all((DATA / file).is_file() for file in schema.BY_FILE):
        return {}
    return memo.recall(_faultless, reads.digests(schema.BY_FILE))


def _faultless(files: dict[str, str]) -> dict[str, str]:
    """`files`, name → digest, where their content has no fault; DataError with every fault otherwise."""
    faults = examine(DATA).faults
    if faults:
        raise DataError(faults)
    if reads.digests(files) != files:
        raise UserError("a file of data/ changed while it was read: run it again")
    return files


def _passed(file: str, data: Path, passed: Mapping[str, str]) -> pd.DataFrame:
    raw = reads.content(data / file, passed)
    header, *rows = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))
    return pd.DataFrame(rows, columns=header, dtype=object)


def _nothing(file: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(schema.BY_FILE[file].columns), dtype=object)


def _dates(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(texts.where(texts != "", None), format="%Y-%m-%d")


def _page_ends(rows: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """The last day that each page covers, by source: a page is no older than any period that it prints."""
    past = rows[~rows["kind"].isin(["projection", "decree"])]
    return _dates(past["period_end"]).groupby(past["source_id"]).max()


def _typed(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """`frame` of text with the columns of `file` in the types that its schema declares."""
    out = frame.astype("str")
    for name in map(str, out):
        cells = out[name]
        match schema.BY_FILE[file].columns[name].type:
            case "date":
                out[name] = _dates(cells)
            case "number":
                out[name] = cells.where(cells != "", "nan").astype("float64")
            case "boolean":
                out[name] = cells == "true"
            case "ids":
                out[name] = pd.Series([tuple(cell.split()) for cell in cells], out.index, dtype=object)
    return out


def _indexed(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    return _typed(frame.set_index(schema.BY_FILE[file].key[0]), file)


def _statements(
    texts: pd.DataFrame, file: str, sources: pd.DataFrame, details: pd.DataFrame, corrections: pd.DataFrame,
    lag: pd.Timedelta,
) -> pd.DataFrame:  # fmt: skip
    """One row per statement, corrected and typed, with its details and the columns of its source."""
    frame = texts.set_index("id").drop(columns="published", errors="ignore")
    undated = _page_ends(texts).reindex(frame["source_id"]).set_axis(frame.index)
    undated = undated.fillna(_dates(frame["period_end"])) + lag
    changed = corrections[corrections["figure_id"].isin(frame.index)]
    for number, column, corrected in changed[["figure_id", "field", "corrected"]].itertuples(index=False, name=None):
        frame.loc[number, column] = corrected
    out = _typed(frame, file)
    of_row = details.reindex(out.index)
    for name, column in of_row.items():
        out[name] = column.fillna("").astype("str") if column.dtype in (object, "str") else column
    of_source = sources.loc[frame["source_id"]].set_index(frame.index)
    for theirs, ours in _OF_THE_SOURCE.items():
        out[ours] = of_source[theirs]
    out["published"] = of_source["published"]
    originals = sources["published"].reindex(of_source["copy_of"]).set_axis(frame.index)
    undated = undated.where(~(originals > undated), originals)  # no copy before its original
    out["known"] = out["published"].fillna(undated)
    out["dated"] = out["published"].notna()
    out["corrected"] = out.index.isin(changed["figure_id"])
    return out
