"""Plots as objects: each draws a table and puts its finding into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from desertion.errors import ArgumentError
from desertion.plots.contract import PlotColumn, conform
from desertion.plots.frame import SIZES, PlotPage, SizeName, style

#: The measure in rows of dated events, which stand beside counts.
EVENT = "event"


class PlotWords(NamedTuple):
    """The words of a plot of one table."""

    #: The finding, as a sentence without a full stop; "" where none holds: the topic of the plot then stands there.
    title: str
    #: What is shown, of what, and in which unit.
    subtitle: str
    #: The shape of what is drawn, in a sentence, for those who cannot see it.
    shape: str

    @property
    def alt(self) -> str:
        """The finding and the shape, for those who cannot see the plot."""
        return f"{self.title}. {self.shape}"


@dataclass(frozen=True)
class Plot:
    """A plot: call it with a table to get a `Figure`; `describe` returns its finding and its shape in words.

    It draws from the table alone, which is rounded, so that no pixel depends on the last digit of a processor.
    """

    name: str
    topic: str
    columns: Mapping[str, PlotColumn]
    find_words: Callable[[pd.DataFrame], PlotWords]
    draw: Callable[[PlotPage, pd.DataFrame], None]

    def __post_init__(self) -> None:
        rows = "\n".join(
            f"    {label}: {column.kind}{', may be blank' if column.blank else ''}: {column.meaning}"
            for label, column in self.columns.items()
        )
        object.__setattr__(self, "__doc__", f"{self.draw.__doc__}\n\nColumns of the table:\n{rows}\n")
        object.__setattr__(self, "__module__", self.draw.__module__)

    def __repr__(self) -> str:
        return f"plots.{self.name}: {self.topic} (a table with {', '.join(self.columns)})"

    def __reduce__(self) -> str:
        """Pickle it as a function: by its name in its module, and only where it is what that name stands for."""
        return self.name

    def __call__(self, table: pd.DataFrame, size: SizeName = "double", footer: str = "") -> Figure:
        """Draw the table at one of `SIZES`; columns that the plot does not have are dropped.

        Raises ArgumentError for another size, for a missing column, for a cell of another kind and for no rows.
        """
        return self.page(self.conform(table), size, footer).figure

    def describe(self, table: pd.DataFrame) -> str:
        """Describe the plot of a table in words. Raises ArgumentError as drawing does."""
        return self.words(self.conform(table)).alt

    def conform(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table as the plot draws them (see `contract.conform`)."""
        return conform(self.name, table, self.columns)

    def is_empty(self, rows: pd.DataFrame) -> bool:
        """Whether there is nothing to draw: dated events alone, beside no count, are nothing."""
        return bool((rows["measure"] == EVENT).all()) if "measure" in rows else rows.empty

    def words(self, rows: pd.DataFrame) -> PlotWords:
        """Title, subtitle and shape for `rows` that conform. Raises ArgumentError where there is nothing to draw."""
        if self.is_empty(rows):
            raise ArgumentError(f"plot {self.name}: its table has no rows to draw")
        words = self.find_words(rows)
        return words if words.title else words._replace(title=self.topic)

    def page(self, rows: pd.DataFrame, size: SizeName = "double", footer: str = "") -> PlotPage:
        """Draw `rows` that conform at one of `SIZES`. Raises ArgumentError for another size and for no rows."""
        if size not in SIZES:
            raise ArgumentError(f"size {size!r} is none of {', '.join(SIZES)}")
        words = self.words(rows)
        with style():
            page = PlotPage(words.title, size, footer, subtitle=words.subtitle)
            self.draw(page, rows)
            page.finish()
            return page


def plot(
    topic: str,
    columns: Mapping[str, PlotColumn],
    words: Callable[[pd.DataFrame], PlotWords],
) -> Callable[[Callable[[PlotPage, pd.DataFrame], None]], Plot]:
    """Make a `Plot` of a drawing function.

    `topic` stands as the title where `words`, which get the rows of a table that conforms, name no finding.
    """
    return lambda draw: Plot(draw.__name__, topic, columns, words, draw)
