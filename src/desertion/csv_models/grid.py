"""The homogeneous grid of the rows of a CSV, or the reason why they form none."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from desertion.csv_models.table import CountFile, CountRow, contradictions
from desertion.errors import CsvError, UserError
from desertion.trends import Refused
from desertion.trends.grid import UNITS, Grid, month_number


def from_table(table: CountFile, unit: str | None = None) -> Grid | Refused:
    """The grid of the rows of `table`, or why they form none.

    Raises CsvError if rows are out of order, UserError for an unknown `unit` or another one than the rows'.
    """
    if unit is not None and unit not in UNITS:
        raise UserError(f"period unit '{unit}' is unknown; one of {', '.join(UNITS)}")
    return _refusal(table) or _grid(table, unit)


def _refusal(table: CountFile) -> Refused | None:
    for what, values in (
        ("measures", {row.measure for row in table.rows}),
        ("compilers", {row.compiler for row in table.rows}),
        ("series", {row.series for row in table.rows}),
    ):
        if len(values) > 1:
            named = ", ".join(repr(value) for value in sorted(values)[:5])
            return Refused(f"{table.name} mixes {what}: {named}", "one of each in a file, or --model composite")
    clash = contradictions(table.rows)
    if clash:
        named = "; ".join(f"{table.where(r)}: {_count(r)} from {r.start} to {r.end}" for r in clash[:10])
        return Refused(f"these rows contradict each other: {named}", "one of them mended or left out")
    for row in table.rows:
        if not row.exact and row.bound != "about":
            return Refused(
                f"{table.where(row)}: {_count(row)} is a bound, not a count", "an exact count, or --model composite"
            )
    return None


def _count(row: CountRow) -> str:
    if row.value is not None and row.low is None and row.high is None:
        return f"{'' if row.bound == 'exact' else row.bound.replace('_', ' ') + ' '}{row.value:.0f}"
    return f"{row.limits[0]:.0f} to {row.limits[1]:.0f}"


def _grid(table: CountFile, unit: str | None) -> Grid | Refused:
    lengths = []
    for before, row in zip((None, *table.rows), table.rows, strict=False):
        if before is not None and row.start < before.start:
            raise CsvError(
                f"{table.where(row)}: period_start '{row.start}' comes after {before.start}; dates must ascend"
            )
        if before is not None and row.start <= before.end:
            return Refused(
                f"{table.where(row)}: the period from {row.start} overlaps the row before, which ends {before.end}",
                "disjoint periods, or --model composite",
            )
        after = row.end + timedelta(days=1) if row.end < date.max else row.end
        if row.start.day != 1 or after.day != 1:
            return Refused(
                f"{table.where(row)}: {row.start} to {row.end} is not whole months (both days belong to it)",
                "periods from the first day of a month to the last of one, or --model composite",
            )
        lengths.append(month_number(after) - month_number(row.start))
        if lengths[-1] != lengths[0]:
            return Refused(
                f"{table.where(row)}: a period of {lengths[-1]} months among periods of {lengths[0]}",
                "periods of one length, or --model composite",
            )
    months = lengths[0]
    if unit is not None and UNITS[unit] != months:
        raise UserError(f"{table.name}: its periods are {months} months long, not one {unit}; leave the unit out")
    first = month_number(table.rows[0].start)
    places = [(month_number(row.start) - first) / months for row in table.rows]
    for row, place in zip(table.rows, places, strict=True):
        if place != int(place):
            return Refused(
                f"{table.where(row)}: {row.start} is not a whole number of periods after {table.rows[0].start}",
                "periods on one grid, or --model composite",
            )
    counts = np.array([row.value for row in table.rows], dtype=np.float64)
    exposure = np.array([row.exposure for row in table.rows], dtype=np.float64) if table.exposure else None
    return Grid(table.rows[0].start, months, np.array(places) + 1, counts, exposure)
