"""The plot as an object: called with a table it is a `Figure`, and it says the same in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from desertion.plots.contract import Column, conform
from desertion.plots.frame import SIZES, Sheet, SizeName, style
from desertion.plots.labels import SOFT


@dataclass(frozen=True)
class Plot:
    """A plot: call it with a table to get a `Figure`; `describe` says the same in words.

    It draws from the table alone, which is rounded already, so that a processor's last digit moves no pixel.
    """

    name: str
    title: str
    columns: Mapping[str, Column]
    describe_rows: Callable[[pd.DataFrame], str]
    draw: Callable[[Sheet, pd.DataFrame], None]

    def __post_init__(self) -> None:
        rows = "\n".join(
            f"    {label}: {column.kind}{', may be blank' if column.blank else ''}: {column.meaning}"
            for label, column in self.columns.items()
        )
        object.__setattr__(self, "__doc__", f"{self.draw.__doc__}\n\nColumns of the table:\n{rows}\n")
        object.__setattr__(self, "__module__", self.draw.__module__)

    def __reduce__(self) -> str:
        """Pickle it as a function: by its name in its module, and only where it is what that name stands for."""
        return self.name

    def __call__(self, table: pd.DataFrame, size: SizeName = "double", footer: str = "") -> Figure:
        """Draw the table at one of `SIZES`.

        Raises ValueError for another size, for a missing column and for a cell of another kind.
        """
        if size not in SIZES:
            raise ValueError(f"size {size!r} is none of {', '.join(SIZES)}")
        rows = conform(self.name, table, self.columns)
        with style():
            sheet = Sheet(self.title, size, footer)
            if rows.empty:
                _say_nothing(sheet)
            else:
                self.draw(sheet, rows)
            return sheet.finish()

    def describe(self, table: pd.DataFrame) -> str:
        """What the plot shows, in words made from the table. Raises ValueError as drawing does."""
        rows = conform(self.name, table, self.columns)
        return f"{self.title}. {_NOTHING if rows.empty else self.describe_rows(rows)}"


_NOTHING = "No statement of this edition can be shown here."


def _say_nothing(sheet: Sheet) -> None:
    """An early edition may know nothing yet: the plot says so instead of failing the report."""
    (axes,) = sheet.panels(heights=[15])
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, _NOTHING, transform=axes.transAxes, ha="center", va="center", fontsize=sheet.size.text, color=SOFT
    )


def plot(
    title: str,
    columns: Mapping[str, Column],
    describe: Callable[[pd.DataFrame], str],
) -> Callable[[Callable[[Sheet, pd.DataFrame], None]], Plot]:
    """Make a `Plot` of a drawing function: its name, title, table contract and words."""
    return lambda draw: Plot(draw.__name__, title, columns, describe, draw)
