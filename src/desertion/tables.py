"""Tables for readers: words and formatted numbers, with units in the headings.

A cell of the vocabulary is shown by its meaning, a flag as yes or no, a day in ISO form, a missing number as a dash.
The metadata of the output keep the table as text (`TableRecord`), and the page and the PDF are made from that record;
a notebook shows the same text as HTML made by great-tables. Data frames that a cell shows leave such a record too.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from desertion import drawing, vocabulary
from desertion.arguments import frame_with
from desertion.errors import ArgumentError, UserError
from desertion.plots import wording
from desertion.publish.behind import footer
from desertion.text import nothing, shown
from desertion.trends import Refused

if TYPE_CHECKING:
    from desertion.figures import Data

#: Shown where there is no number.
NOTHING = "–"
#: Name of the record in the metadata of an output.
KEY = "table"
#: A column in a recipe.
_FIELD = re.compile(r"\{([^{}]+)\}")
_NUMBER_LIKE = re.compile(r"[≈≥≤×+−-]?\s?\d[\d,.]*(–[\d,.]+)?( ?%)?( \(.*\))?|–|refused|not enough data")


@dataclass(frozen=True)
class Column:
    """A column: its heading, with the unit, and the number of decimals of its numbers.

    `places` None: as many as the number has, at most two, and at most one from 100 on. `recipe`: how those of its
    numbers that no page prints are computed, in one line for the card of a number; `{before}` in it is the cell of the
    same row in the column `before` of the table.
    """

    label: str
    places: int | None = None
    recipe: str = ""


@dataclass(frozen=True)
class TableColumn:
    """A column as shown: its name in the frame, its heading, and whether its cells are numbers, which are set right.

    `recipe`: how these are computed, as in `Column`.
    """

    name: str
    label: str
    right: bool
    recipe: str = ""


@dataclass(frozen=True)
class TableRecord:
    """A table as text, as the metadata of its output keep it.

    The first `heads` columns head their rows. `spans`: headings over neighbouring columns, each with the first of
    them and their number. `groups`: for each row the heading of its group (none where there are no groups). `ids`: for
    each row the statements behind its numbers, joined by spaces.
    """

    title: str
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[str]]
    heads: int = 0
    spans: Sequence[tuple[str, int, int]] = ()
    groups: Sequence[str] = ()
    ids: Sequence[str] = ()
    notes: Sequence[str] = ()

    def metadata(self) -> dict[str, Any]:
        """The record as metadata of an output, each row as the JSON of its cells: one row, one line of the notebook."""
        rows = [json.dumps(row, ensure_ascii=False) for row in self.rows]
        columns = [asdict(each) for each in self.columns]
        for each in columns:
            if not each["recipe"]:
                del each["recipe"]
        return {"desertion": {KEY: asdict(self) | {"columns": columns, "rows": rows}}}

    @classmethod
    def of(cls, output: Mapping[str, Any]) -> TableRecord | None:
        """The record that a notebook's output keeps, None where there is none. Raises UserError if it is damaged."""
        kept = output.get("metadata", {}).get("desertion", {}).get(KEY)
        if not kept:
            return None
        try:
            columns = [TableColumn(**each) for each in kept["columns"]]
            record = cls(**kept | {"columns": columns, "rows": [json.loads(row) for row in kept["rows"]]})
            record._check()
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            why = f" ({error})" if type(error) is ValueError else ""  # others are in Python's words
            raise UserError(f"the record of a table is damaged{why}: run the notebook again") from None
        return record

    def recipes(self, row: Sequence[str]) -> list[str]:
        """How the number in each cell of `row` is computed; blank without a recipe, and where one of its cells is."""
        cells = {column.name: text for column, text in zip(self.columns, row, strict=True)}
        filled = []
        for column in self.columns:
            blank = any(cells[name] in ("", NOTHING) for name in _FIELD.findall(column.recipe))
            filled.append("" if blank else _FIELD.sub(lambda field: cells[field[1]], column.recipe))
        return filled

    def _check(self) -> None:
        """Raises ValueError where a part is of another type or length than `show` writes."""
        count, width = len(self.rows), len(self.columns)
        lists = [self.notes, self.groups, self.ids, *self.rows]
        words = [self.title, *self.notes, *self.groups, *self.ids]
        words += [cell for row in self.rows for cell in row]
        words += [word for each in self.columns for word in (each.name, each.label, each.recipe)]
        words += [label for label, _, _ in self.spans]
        taken = [place for _, first, wide in self.spans for place in range(first, first + min(wide, width + 1))]
        named = {name for each in self.columns for name in _FIELD.findall(each.recipe)}
        places = list(range(width))
        for right, what in (
            (all(isinstance(word, str) for word in words), "a text is none"),
            (all(isinstance(each.right, bool) for each in self.columns), "a column is neither right nor left"),
            (all(isinstance(each, list | tuple) for each in lists), "a list is none"),
            (all(len(row) == width for row in self.rows), "a row has more or fewer cells than there are columns"),
            ({len(self.groups), len(self.ids)} <= {0, count}, "not every row has its group and ids"),
            (named <= {each.name for each in self.columns}, "a recipe names a column that is not shown"),
            (isinstance(self.heads, int), "the number of heading columns is none"),
            (taken == sorted({*taken} & {*places}), "the headings over columns overlap"),
        ):
            if not right:
                raise ValueError(what)


def show(
    frame: pd.DataFrame,
    name: str,
    title: str,
    columns: Mapping[str, str | Column],
    *,
    rows: str | None = None,
    groups: str | None = None,
    spans: Mapping[str, Sequence[str]] | None = None,
    ids: str | None = None,
    notes: Sequence[str] = (),
    data: Data | None = None,
    empty: str | Refused | None = None,
) -> None:
    """Show columns of `frame` as a table, in a notebook, in the page and in the PDF.

    Where no plots are drawn (`desertion.drawing`) the table is checked and not shown.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per row of the table.
    name : str
        Identifier of the table: lower-case letters, digits and hyphens.
    title : str
        Title above the table.
    columns : mapping of str to str or Column
        Columns of `frame` to show, in order, with their headings.
    rows : str, optional
        Column whose words head the rows; it stands first.
    groups : str, optional
        Column whose words head groups of rows; groups follow each other in order of appearance.
    spans : mapping of str to sequence of str, optional
        Headings over several columns that stand side by side.
    ids : str, optional
        Column with the ids of the statements behind a row, joined by spaces; the report links the row's numbers to
        them.
    notes : sequence of str, optional
        Notes under the table.
    data : Data, optional
        Statements of the edition; with them and `ids` a last note names the sources.
    empty : str or Refused, optional
        Why nothing can be shown where `frame` has no rows, without a full stop; it is then the only note.

    Raises
    ------
    UserError
        If `name` is not an identifier, `frame` lacks a column, or the columns under a span are not side by side.
    """
    from IPython.display import publish_display_data

    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UserError(f"table {name!r}: its name is lower-case letters, digits and hyphens")
    frame_with(f"table {name}: its frame", frame, (), "reconcile.facts(data)")
    if not isinstance(columns, Mapping):
        raise ArgumentError(f"table {name}: columns is a {type(columns).__name__}: must map each column to its heading")
    if isinstance(notes, str):
        raise ArgumentError(f"table {name}: notes is one text: must be a list of texts, such as [{shown(notes)}]")
    spans = spans or {}
    needed = [groups, *columns, rows, ids, *(each for over in spans.values() for each in over)]
    if missing := [each for each in needed if each is not None and each not in frame.columns]:
        raise UserError(f"table {name}: there is no column {missing[0]!r}; there are {', '.join(map(str, frame))}")
    if rows is not None and rows not in columns:
        raise UserError(f"table {name}: column {rows!r} heads the rows and needs a heading of its own")
    over: list[str] = []
    if groups is not None:
        over = _words(frame[groups], partial(_rounded, None))
        place = sorted(range(len(frame)), key=lambda n: over.index(over[n]))
        frame, over = frame.iloc[place], [over[n] for n in place]
    order = sorted(columns, key=lambda each: each != rows)
    notes = list(notes) if len(frame) else [nothing(empty)]
    if data is not None and ids is not None:
        behind = list(dict.fromkeys(each for cell in frame[ids] for each in str(cell).split()))
        notes.append(footer(behind, data))
    headings = [one if isinstance(one, Column) else Column(one) for one in (columns[each] for each in order)]
    cells = [_words(frame[each], partial(_rounded, one.places)) for each, one in zip(order, headings, strict=True)]
    record = TableRecord(
        title=title,
        columns=[
            TableColumn(each, one.label, each != rows and _is_right(frame[each], words), one.recipe)
            for each, one, words in zip(order, headings, cells, strict=True)
        ],
        rows=list(zip(*cells, strict=True)),
        heads=int(rows is not None),
        spans=[_span(name, label, under, order) for label, under in spans.items()],
        groups=over,
        ids=[] if ids is None else [str(each) for each in frame[ids]],
        notes=notes,
    )
    try:
        record._check()
    except ValueError as error:
        raise ArgumentError(f"table {name}: {error}") from None
    if drawing.enabled():
        plain = f"{title} ({len(frame)} row{'s' * (len(frame) != 1)})"
        bundle = {"text/html": _to_html(record, name), "text/plain": plain}
        publish_display_data(bundle, metadata=record.metadata())  # type: ignore[no-untyped-call]


def by_row(html: str) -> str:
    """The table with one line for each row, so that a diff of two versions shows which rows changed."""
    return re.sub(r"\n\s*(<t[hd]\b|</tr>)", r"\1", html)


def of_frame(frame: pd.DataFrame) -> TableRecord:
    """The record of a data frame that a cell shows; of a large one the same first and last rows as pandas shows."""
    count, width = frame.shape
    down, gap = _ends(count, pd.get_option("display.max_rows"), pd.get_option("display.min_rows"))
    across, between = _ends(width, *[pd.get_option("display.max_columns")] * 2)
    frame = frame.iloc[down, across]
    heads = frame.index.nlevels
    cells = [pd.Series(frame.index.get_level_values(level)) for level in range(heads)]
    cells += [frame.iloc[:, place] for place in range(len(across))]
    names = ["" if name is None else name for name in frame.index.names] + list(frame.columns)
    labels = [", ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names]
    words = [_words(each, _plain) for each in cells]
    columns = [
        TableColumn(label, label.replace("_", " "), place >= heads and _is_right(cells[place], words[place]))
        for place, label in enumerate(labels)
    ]
    rows = [list(row) for row in zip(*words, strict=True)]
    if between is not None:
        columns.insert(heads + between, TableColumn(_GAP, _GAP, False))
        for row in rows:
            row.insert(heads + between, _GAP)
    if gap is not None:
        rows.insert(gap, [_GAP] * len(columns))
    notes = [] if gap is between is None else [f"{count:,} rows × {width:,} columns"]
    return TableRecord("", columns, rows, heads, notes=notes)


#: Stands for rows and columns that are left out.
_GAP = "…"


def _ends(count: int, most: int | None, shown: int | None) -> tuple[list[int], int | None]:
    """The places that pandas shows of `count`, and where it leaves some out (None: nowhere)."""
    if not most or count <= most:
        return list(range(count)), None
    half = max(min(shown or most, most) // 2, 1)
    return [*range(half), *range(count - half, count)], half


def _span(table: str, label: str, under: Sequence[str], order: Sequence[str]) -> tuple[str, int, int]:
    """A heading over columns, with the place of the first of them and their number."""
    at = sorted(map(order.index, under))
    if not at or at != list(range(at[0], at[0] + len(at))):
        raise UserError(f"table {table}: the columns under {label!r} do not stand side by side: {', '.join(under)}")
    return label, at[0], len(at)


def _to_html(record: TableRecord, name: str) -> str:
    """The table as HTML with the project's own style: that of great-tables is long and reaches other tables."""
    from great_tables import GT

    names = [column.name for column in record.columns]
    cells = pd.DataFrame(record.rows, columns=names, dtype=object)
    group = "group of the row" if record.groups else None
    if group is not None:
        cells[group] = record.groups
    made = GT(cells, rowname_col=names[0] if record.heads else None, groupname_col=group, id=f"table-{name}")
    made = made.tab_header(record.title)
    made = made.cols_label(cases={column.name: column.label for column in record.columns[record.heads :]})
    if record.heads:
        made = made.tab_stubhead(record.columns[0].label)
    for column in record.columns:
        made = made.cols_align("right" if column.right else "left", columns=column.name)
    for number, (label, first, count) in enumerate(record.spans, 1):
        made = made.tab_spanner(label, names[first : first + count], id=f"span-{number}")
    for note in record.notes:
        made = made.tab_source_note(note)
    style = f"<style>{_STYLE.replace('NAME', f'#table-{name}')}</style>"
    html = re.sub(r"<style>.*?</style>", lambda _: style, made.as_raw_html(), count=1, flags=re.DOTALL)
    return by_row(html)


#: Lines are half-clear grey and the rest is inherited, so that it is right on a light page and on a dark one.
_STYLE = """
NAME table { border-collapse: collapse; font-size: 0.85rem; line-height: 1.35; text-align: left; }
NAME tr, NAME th, NAME td { background: none; border: 0; }
NAME th, NAME td { padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; max-width: 26rem; white-space: normal; }
NAME thead th { vertical-align: bottom; font-weight: 600; border-bottom: 1px solid rgb(128 128 128 / 0.6); }
NAME tbody th { font-weight: 500; }
NAME tbody tr > * { border-bottom: 1px solid rgb(128 128 128 / 0.25); }
NAME .gt_left { text-align: left; }
NAME .gt_center { text-align: center; }
NAME .gt_right { text-align: right; font-variant-numeric: tabular-nums; }
NAME .gt_title { font-weight: 600; font-size: 1rem; text-align: left; }
NAME .gt_group_heading { font-weight: 600; padding-top: 0.75rem; text-align: left; }
NAME .gt_sourcenote { text-align: left; opacity: 0.8; font-size: 0.8rem; }
"""


def _words(cells: pd.Series[Any], number: Callable[[Any], str]) -> list[str]:
    """Cells as text: numbers by `number`, words of the vocabulary by their meaning."""
    label = _LABELS.get(str(cells.name), wording.spoken)
    return [_word(cell, number, label) for cell in cells]


def _word(cell: Any, number: Callable[[Any], str], label: Callable[[str], str]) -> str:
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return NOTHING
    if pd.api.types.is_bool(cell):
        return "yes" if cell else "no"
    if isinstance(cell, numbers.Real):
        return number(cell).replace("-", "−")
    if isinstance(cell, date):
        return str(cell).removesuffix(" 00:00:00")
    return label(str(cell))


def _is_right(cells: pd.Series[Any], words: Sequence[str]) -> bool:
    """Whether a column holds numbers, or words that read like numbers."""
    if not words:
        return False
    is_number = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)
    return is_number or all(map(_NUMBER_LIKE.fullmatch, words))


def _rounded(places: int | None, value: float) -> str:
    """A number with thousands separators and so many decimals (None: as many as it has, up to two)."""
    if places is None:
        most = 1 if abs(value) >= 100 else 2
        places = next((few for few in range(most) if round(value, few) == value), most)
    return f"{value:,.{places}f}"


def _plain(value: Any) -> str:
    """A number of unknown meaning with six significant digits; an integer of four digits may be a year."""
    if isinstance(value, numbers.Integral):
        return f"{value:,}" if abs(int(value)) >= 10_000 else str(value)
    if not 1e-6 <= abs(value) < 1e15 and value != 0:
        return f"{value:.6g}"
    return wording.number(value, max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0)


#: Columns whose cells are words of the vocabulary that could be taken for others.
_LABELS: Mapping[str, Callable[[str], str]] = {
    "articles": lambda articles: wording.capital(vocabulary.articles_label(articles)),
    "bound": lambda bound: vocabulary.BOUNDS.get(bound, bound),
}
