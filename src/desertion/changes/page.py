"""The differences of two states as a page: one file, nothing from outside, no script, in the style of the report."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from desertion.changes import terminal
from desertion.changes.compare import Difference
from desertion.changes.states import State
from desertion.changes.words import parts
from desertion.project import PHONE
from desertion.report import picture
from desertion.text import visible

_MOST = 2000  # groups of rows in a table; the CSV files have all


def page(difference: Difference, old: State, new: State) -> str:
    """The page as HTML; the pictures are those of the two states."""
    pictures = {each.name: _pictures(each.name, old, new) if each.picture else {} for each in difference.plots}
    drawn = "".join(svg for sides in pictures.values() for svg in sides.values())
    styles = [(files(f"desertion.{part}") / "page.css").read_text(encoding="utf-8") for part in ("report", "changes")]
    if drawn:
        from desertion.plots import font  # imports what draws, which a build with nothing to do needs not

        styles.insert(0, font.face(drawn))
    how = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    template = how.from_string((files("desertion.changes") / "page.html").read_text(encoding="utf-8"))
    return template.render(
        difference=difference, summary=terminal.summary(difference), pictures=pictures, style=Markup("".join(styles)),
        most=_MOST, count=terminal.count, plain=terminal.plain, pieces=parts, picked=_picked, grouped=_grouped,
    )  # fmt: skip


def _shown(value: Any) -> Any:
    """A text of the data with its invisible characters by their codes; markup as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _picked(changes: Iterable[object], *names: str) -> list[tuple[str, ...]]:
    """These attributes of each change, as a row of a table."""
    return list(map(attrgetter(*names), changes))


def _grouped(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The rows by their first cell, which stands once for those that follow each other, with their other cells."""
    return [(first, [row[1:] for row in group]) for first, group in groupby(rows, key=lambda row: row[0])]


def _pictures(name: str, old: State, new: State) -> dict[str, Markup]:
    """The pictures of a plot before and after; the one that there is where the plot is new or gone."""
    sides = {side: _svg(state, name, side) for side, state in (("old", old), ("new", new))}
    return {side: Markup(svg) for side, svg in sides.items() if svg}


def _svg(state: State, name: str, side: str) -> str:
    """The picture of a plot, and the one for phones where it has one; the style of the report shows one of the two."""
    svgs = {each: state.text(f"plots/{each}.svg") for each in (name, f"{name}{PHONE}")}
    wide, narrow = (
        picture.themed(picture.renamed(picture.plain(svg), each, f"{each}-{side}")) for each, svg in svgs.items()
    )
    return f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>' if wide and narrow else wide
