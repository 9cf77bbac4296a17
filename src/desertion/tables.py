"""Tables for readers, by great-tables: words and formatted numbers, units in the headings, the same bytes everywhere.

A cell of the vocabulary is shown by its meaning, a flag as yes or no, a day as ISO has it, a number that is not there
as a dash. The identifiers come from the name of the table, so nothing in it is random; it takes the colours of the
page around it, light or dark, and scrolls by itself where the page is narrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from desertion import drawing, vocabulary
from desertion.errors import UserError
from desertion.plots.wording import capital, spoken
from desertion.publish.behind import footer

if TYPE_CHECKING:
    from great_tables import GT

    from desertion.figures import Data

#: What stands for a number that is not there.
NOTHING = "–"
_NUMBER_LIKE = re.compile(r"[≈≥≤×+−-]?\s?\d[\d,.]*(–[\d,.]+)?( ?%)?( \(.*\))?|–|refused")


@dataclass(frozen=True)
class Column:
    """A column: its heading, with the unit, and how many decimals its numbers show.

    `places` None: as many as the number has, up to two, and up to one from 100 on.
    """

    label: str
    places: int | None = None


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
) -> None:
    """Show `table` in a notebook as one output; with `data` the sources behind the ids are told under it.

    Where no plots are wanted (`desertion.drawing`) the table is made and not shown.
    """
    from IPython.display import publish_display_data

    notes = list(notes)
    if data is not None and ids is not None:
        behind = list(dict.fromkeys(each for cell in frame[ids] for each in str(cell).split()))
        notes.append(footer(behind, data, "", ""))
    made = table(frame, name, title, columns, rows=rows, groups=groups, spans=spans, ids=ids, notes=notes)
    if not drawing.enabled():
        return
    plain = f"{title} ({len(frame)} row{'s' * (len(frame) != 1)})"
    publish_display_data({"text/html": to_html(made, name), "text/plain": plain})  # type: ignore[no-untyped-call]


def table(
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
) -> GT:
    """The `columns` of `frame` (name → heading) as a great-tables table, to which more can be added.

    `rows`: the column whose words head the rows, `groups`: the one whose words head groups of rows that follow each
    other, `spans`: headings over several columns. `ids`: the column with the ids of the statements behind a row, joined
    by spaces; the report links the row's numbers to them. Raises UserError for a column that `frame` does not have.
    """
    from great_tables import GT

    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UserError(f"table {name!r}: its name is lower-case letters, digits and hyphens")
    wanted = [*([groups] if groups else []), *columns]
    if missing := [each for each in [*wanted, rows, ids] if each is not None and each not in frame.columns]:
        raise UserError(f"table {name}: there is no column {missing[0]!r}; there are {', '.join(map(str, frame))}")
    if rows is not None and rows not in columns:
        raise UserError(f"table {name}: column {rows!r} heads the rows and needs a heading of its own")
    heads = {each: one if isinstance(one, Column) else Column(one) for each, one in columns.items()}
    shown = pd.DataFrame({each: _readable(frame[each]) for each in wanted}).reset_index(drop=True)
    made = GT(shown, rowname_col=rows, groupname_col=groups, id=f"table-{name}").tab_header(title)
    made = made.cols_label(cases={each: one.label for each, one in heads.items() if each != rows})
    if rows is not None:
        made = made.tab_stubhead(heads[rows].label)
        if ids is not None:
            behind = [str(each) for each in frame[ids]]
            made = made.fmt(_carrying(shown[rows], behind), columns=rows)
    for each, one in heads.items():
        cells = shown[each]
        if pd.api.types.is_numeric_dtype(cells):
            wanted_places = [_places(value) if one.places is None else one.places for value in cells]
            for places in set(wanted_places):
                at = [row for row, here in enumerate(wanted_places) if here == places]
                made = made.fmt_number(each, rows=at, decimals=places)
        right = pd.api.types.is_numeric_dtype(cells) or all(_NUMBER_LIKE.fullmatch(str(cell)) for cell in cells)
        made = made.cols_align("right" if right and len(cells) else "left", columns=each)
    for number, (label, over) in enumerate((spans or {}).items(), 1):
        made = made.tab_spanner(label, list(over), id=f"span-{number}")
    made = made.sub_missing(missing_text=NOTHING)
    for note in notes:
        made = made.tab_source_note(note)
    return made


def to_html(made: GT, name: str) -> str:
    """The table as HTML with the project's own style: that of great-tables is long and reaches other tables."""
    return re.sub(
        r"<style>.*?</style>",
        lambda _: f"<style>{_STYLE.replace('NAME', f'#table-{name}')}</style>",
        made.as_raw_html(),
        count=1,
        flags=re.DOTALL,
    )


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


def _places(value: float) -> int:
    most = 1 if abs(value) >= 100 else 2
    return next((places for places in range(most) if round(value, places) == value), most)


def _carrying(words: pd.Series[Any], behind: Sequence[str]) -> Callable[[Any], str]:
    """The head of each row, in order, with the ids of its statements around its words."""
    ids = iter(behind)

    def one(cell: Any) -> str:
        found = next(ids)
        return (
            f'<span data-ids="{escape(found, quote=True)}">{escape(str(cell))}</span>' if found else escape(str(cell))
        )

    return one


def _readable(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells as a reader wants them; numbers stay numbers."""
    if pd.api.types.is_bool_dtype(cells):
        return cells.map({True: "yes", False: "no"})
    if pd.api.types.is_datetime64_any_dtype(cells):
        days: pd.Series[Any] = cells.dt.strftime("%Y-%m-%d").astype(object)
        return days.where(cells.notna(), None)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype(float)
    label = _LABELS.get(str(cells.name), spoken)
    return pd.Series([None if pd.isna(cell) else label(str(cell)) for cell in cells], cells.index, dtype=object)


#: Columns whose cells are words of the vocabulary that could be taken for others.
_LABELS: Mapping[str, Callable[[str], str]] = {
    "articles": lambda articles: capital(vocabulary.articles_label(articles)),
    "bound": lambda bound: vocabulary.BOUNDS.get(bound, bound),
}
