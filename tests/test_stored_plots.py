"""What is committed in plots/: whole by its lock, and the same pictures that the stored notebooks show."""

import itertools
import json
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from support import overlaps
from support.stored import verify

from desertion import figures, plots
from desertion.plots import wording
from desertion.project import NOTEBOOKS, PLOTS, file_digest

STORED = sorted(PLOTS.glob("*.svg"))
#: Tables of plots that are not stored now, as they were published.
OTHER = Path(__file__).parent / "plot_tables"
SERIES = ["compiler", "measure", "articles", "scope"]


@cache
def shown() -> set[str]:
    cells = [cell for path in NOTEBOOKS.glob("*.ipynb") for cell in nbformat.read(path, as_version=4).cells]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {each["image/svg+xml"] for each in data if "image/svg+xml" in each}


def test_the_lock_fits_the_files() -> None:
    assert verify(PLOTS) == []
    assert len(STORED) >= 10


def test_no_other_file_is_committed() -> None:
    endings = (".csv", ".json", ".svg")
    files = {f"{path.stem}{ending}" for path in STORED for ending in endings}
    assert {path.name for path in PLOTS.iterdir()} == files | {"README.md", "plots.lock"}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plot_is_the_one_of_its_notebook_and_its_record_is_of_its_table(path: Path) -> None:
    assert path.read_text(encoding="utf-8") in shown()
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["csv_sha256"] == file_digest(path.with_suffix(".csv"))
    assert f'<desc id="{path.stem}-desc">' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plot_says_what_its_numbers_say_and_nothing_in_it_lies_over_anything(path: Path) -> None:
    assert overlaps.published(path.with_suffix(".csv")) == []


# --- one line, one series ------------------------------------------------------------------------------------------


@cache
def statements() -> pd.DataFrame:
    """What each statement counts; one of the context is of its series."""
    data = figures.load()
    context = data.context.assign(measure=data.context["series"], scope="whole")
    return pd.concat([data.figures, context])[[*SERIES, "value", "period_start", "period_end"]]


def stored(name: str) -> pd.DataFrame:
    path = PLOTS / f"{name}.csv"
    rows = pd.read_csv(path if path.is_file() else OTHER / path.name, dtype={"articles": str})
    return plots.PLOTS[name].conform(rows)


def series_of(rows: pd.DataFrame) -> pd.Series:
    """The series of each row: as its table has it; of a fit, that of the statements behind it, whatever their scope."""
    named = [each for each in (*SERIES[:3], "covers") if each in rows]
    if {"compiler", "measure", "articles"} <= {*named}:
        return rows[named].apply(tuple, axis=1)
    behind = rows["ids"].map(lambda ids: statements().loc[ids.split(), SERIES[:3]].drop_duplicates())
    assert behind.map(len).eq(1).all(), "a fit of several series is drawn as one"
    return behind.map(lambda each: tuple(each.iloc[0]))


def drawn_lines(axes: Axes) -> list[Line2D]:
    """The lines of a panel that stand at values: no grid, no event, and no mark of one point."""
    lines = [each for each in axes.lines if each.get_transform() == axes.transData and len(each.get_xdata()) > 1]
    return [each for each in lines if each.get_linestyle() != "None"]


def faults_of_rows(axes: Axes, rows: pd.DataFrame) -> list[str]:
    """On a page of rows a line runs along one of them, from mark to mark, or stands at a number of the table."""
    places = {round(float(y), 6) for line in axes.lines if line.get_gid() for y in line.get_ydata()}
    numbers = rows.select_dtypes("number").to_numpy().ravel()
    found = []
    for line in drawn_lines(axes):
        x, y = (np.asarray(each, dtype=float) for each in (line.get_xdata(), line.get_ydata()))
        along = len({*y}) == 1 and round(float(y[0]), 6) in places
        if not along and not (len({*x}) == 1 and np.isclose(numbers, x[0]).any()):
            found.append(f"a line from {x[0]:g}, {y[0]:g} to {x[-1]:g}, {y[-1]:g} leaves its row")
    return found


def faults_of_lines(axes: Axes, rows: pd.DataFrame) -> list[str]:
    """Over time a line joins numbers of one series, over periods that touch."""
    if axes.yaxis_inverted():
        return faults_of_rows(axes, rows)
    rows = wording.with_years(rows)
    groups = [part for _, part in rows.groupby(series_of(rows))]
    found = []
    for line in drawn_lines(axes):
        points = np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)
        if not any(all(_stands(part, x, y) for x, y in points) for part in groups):
            found.append(f"a line of {line.get_gid()} from {points[0]} to {points[-1]} is of no one series")
    return found


def _stands(rows: pd.DataFrame, x: float, y: float) -> bool:
    """Whether a row has this number at one end or the middle of its period."""
    near = rows[["x0", "x", "x1"]].sub(x).abs().min(axis=1).lt(9 / 365)
    return bool(np.isclose(rows[near].select_dtypes("number"), y, rtol=0, atol=1e-9).any())


@pytest.mark.parametrize("size", ["single", "double"])
@pytest.mark.parametrize("name", plots.PLOTS)
def test_a_line_joins_numbers_of_one_counter_measure_articles_and_scope_alone(name: str, size: str) -> None:
    rows = stored(name)
    drawn = plots.PLOTS[name](rows, size)
    rows = rows[rows["measure"] != "event"] if "measure" in rows else rows
    assert [fault for axes in drawn.axes for fault in faults_of_lines(axes, rows)] == []


def test_a_line_of_two_measures_is_found() -> None:
    rows = stored("long_view")
    counts = rows[rows["measure"] != "event"]
    drawn = plots.long_view(rows)
    two = wording.with_years(counts[counts["compiler"].isin(["Proekt"])].sort_values("measure"))
    assert two["measure"].nunique() == 2
    drawn.axes[0].plot(two["x"], two["monthly"])
    (fault,) = faults_of_lines(drawn.axes[0], counts)
    assert "is of no one series" in fault


def ratios(name: str) -> list[tuple[float, str, list[object]]]:
    """The ratios of counts in a table: each with its statements, and the series that the table names."""
    rows = stored(name)
    rows = rows[rows["kind"] == "counts"] if name == "questions" else rows
    named = [each for each in SERIES[:3] if each in rows]
    value = rows["factor" if name == "growth" else "ratio"]
    return list(zip(value, rows["ids"], rows[named].to_numpy().tolist(), strict=True))


def is_of_one_series(ratio: float, ids: str, named: list[object]) -> bool:
    """Whether two counts of one series among the statements, or two sums of its halves, have this ratio.

    It is that of counts, or of counts by the day; of official totals, of what they exceed a constant number by.
    """
    behind = statements().loc[ids.split()]
    days = (behind["period_end"] - behind["period_start"]).dt.days + 1
    for series, part in behind.assign(days=days).groupby(SERIES):
        if named and [*series[:3]] != named:
            continue
        counts = {(row.period_start, row.period_end): (row.value, row.days) for row in part.itertuples()}
        counts |= {
            (first[0], second[1]): (one + other, length + more)
            for (first, (one, length)), (second, (other, more)) in itertools.permutations(counts.items(), 2)
            if (second[0] - first[1]).days == 1
        }
        every = [(row.value, row.days) for row in part.itertuples()] + list(counts.values())
        for (before, length), (after, more) in itertools.permutations(every, 2):
            found = [after / before, after / before * length / more]
            # The others who are taken off a total are at most 4,000.
            found += [(after - less) / (before - less) for less in range(4001) if series[2] == "all" and before > 4400]
            if np.isclose(found, ratio, rtol=0, atol=0.006).any():
                return True
    return False


@pytest.mark.parametrize("name", ["growth", "questions", "stages"])
def test_a_ratio_is_of_two_counts_of_one_counter_measure_articles_and_scope(name: str) -> None:
    found = ratios(name)
    assert len(found) > 7
    assert [each for each in found if not is_of_one_series(*each)] == []
    crossed = [(ratio * 1.3, ids, named) for ratio, ids, named in found]
    assert sum(is_of_one_series(*each) for each in crossed) < len(crossed) / 2
