"""Plots as objects: each draws a table and describes it in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from desertion.errors import ArgumentError
from desertion.plots.contract import PlotColumn, conform
from desertion.plots.frame import SIZES, PlotPage, SizeName, style
from desertion.plots.labels import SOFT
from desertion.text import nothing

#: The measure in rows of dated events, which stand beside counts.
EVENT = "event"


@dataclass(frozen=True)
class Plot:
    """A plot: call it with a table to get a `Figure`; `describe` returns its content in words.

    It draws from the table alone, which is rounded, so that no pixel depends on the last digit of a processor.
    """

    name: str
    title: str
    columns: Mapping[str, PlotColumn]
    describe_rows: Callable[[pd.DataFrame], str]
    draw: Callable[[PlotPage, pd.DataFrame], None]

    def __post_init__(self) -> None:
        rows = "\n".join(
            f"    {label}: {column.kind}{', may be blank' if column.blank else ''}: {column.meaning}"
            for label, column in self.columns.items()
        )
        object.__setattr__(self, "__doc__", f"{self.draw.__doc__}\n\nColumns of the table:\n{rows}\n")
        object.__setattr__(self, "__module__", self.draw.__module__)

    def __repr__(self) -> str:
        return f"plots.{self.name}: {self.title} (a table with {', '.join(self.columns)})"

    def __reduce__(self) -> str:
        """Pickle it as a function: by its name in its module, and only where it is what that name stands for."""
        return self.name

    def __call__(self, table: pd.DataFrame, size: SizeName = "double", footer: str = "") -> Figure:
        """Draw the table at one of `SIZES`; columns that the plot does not have are dropped.

        Raises ArgumentError for another size, for a missing column and for a cell of another kind.
        """
        return self.page(self.conform(table), size, footer).figure

    def describe(self, table: pd.DataFrame) -> str:
        """Describe the plot of a table in words. Raises ArgumentError as drawing does."""
        return self.words(self.conform(table))

    def conform(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table as the plot draws them (see `contract.conform`)."""
        return conform(self.name, table, self.columns)

    def words(self, rows: pd.DataFrame, why: str = "") -> str:
        """Describe the plot of `rows` that conform in words; `why`: the reason where there are none."""
        return f"{self.title}. {nothing(why) if _is_empty(rows) else self.describe_rows(rows)}"

    def page(self, rows: pd.DataFrame, size: SizeName = "double", footer: str = "", why: str = "") -> PlotPage:
        """Draw `rows` that conform at one of `SIZES`; `why` as in `words`. Raises ArgumentError for another size."""
        if size not in SIZES:
            raise ArgumentError(f"size {size!r} is none of {', '.join(SIZES)}")
        with style():
            page = PlotPage(self.title, size, footer)
            if _is_empty(rows):
                say_nothing(page, why)
            else:
                self.draw(page, rows)
            page.finish()
            return page


def _is_empty(rows: pd.DataFrame) -> bool:
    """Whether there is nothing to draw: dated events alone, beside no count, are nothing."""
    return bool((rows["measure"] == EVENT).all()) if "measure" in rows else rows.empty


def say_nothing(page: PlotPage, why: str) -> None:
    """An early edition may know nothing yet: the plot says so, and why, instead of failing the report."""
    words = page.wrap(nothing(why), page.size.text, 0.9 * page.size.width * 72)
    (axes,) = page.panels(heights=[15])
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=page.size.text, color=SOFT)


def plot(
    title: str,
    columns: Mapping[str, PlotColumn],
    describe: Callable[[pd.DataFrame], str],
) -> Callable[[Callable[[PlotPage, pd.DataFrame], None]], Plot]:
    """Make a `Plot` of a drawing function: its name, title, table contract and words."""
    return lambda draw: Plot(draw.__name__, title, columns, describe, draw)
