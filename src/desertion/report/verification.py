"""Evidence for the methods: measured coverage of the intervals, reference cases, and registered forecasts."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from desertion import registered
from desertion.engine.receipt import VERIFIED
from desertion.errors import UserError
from desertion.project import FORECASTS, ROOT, relative
from desertion.report.blocks import Block, Prose, TableBlock, TableCell
from desertion.report.escape import in_markdown

if TYPE_CHECKING:
    import pandas as pd

_TRUTHS = {
    "prior": "True values drawn from the model's own assumptions",
    "growth": "Eightfold growth over three years, variance 20 times the mean",
}
_QUANTITIES = {
    "month": "intensity of one month",
    "year": "total of one year",
    "growth": "growth between two half-years",
    "factor of the compiler": "factor between two counters",
    "factor of the measure": "factor between two measures",
    "tau": "scale of the walk, τ",
    "phi": "dispersion, φ",
    "delay": "delay between two measures",
    "forecast months ahead": "forecast, 1 to 12 months ahead",
}


def verification(root: Path = ROOT) -> Iterator[Block]:
    """The part of the methods with measured results; a missing file is left out.

    Raises UserError for a file that cannot be read.
    """
    calibration, schedule, cases = (root / name for name in VERIFIED)
    if cases.is_file():
        try:
            count = len(json.loads(cases.read_text(encoding="utf-8"))["cases"])
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{relative(cases)}: no list of reference cases") from None
        yield Prose(
            f"**How the methods are checked.** Of {count} published reference cases, from the manuals and test suites "
            "of R, Stata and Stan and from papers, the tests recompute every one whose method is used here, with its "
            "source and tolerance. A model that has a closed form in a special case is compared with it."
        )
    if calibration.is_file():
        yield Prose(
            "The intervals of the composite model were tested on simulated reports with known true values. The table "
            "gives the share of data sets whose interval contained the true value; for several quantities of one kind, "
            "the lowest and the highest share."
        )
        yield _coverage(calibration)
    if schedule.is_file():
        yield Prose(
            "The next table does the same on the real schedule: the periods, roundings and running totals of the cases "
            "that courts received, with numbers drawn from the truths in the rows. It gives the lowest and the highest "
            "share among the years' totals and among the growth factors, the middle of the estimated dispersion over "
            "the true one, and the share of data sets that were refused or in which a report was named as wrong."
        )
        yield _on_schedule(schedule)


def forecasts(figures: pd.DataFrame, day: date, folder: Path = FORECASTS) -> Prose:
    """Registered forecasts up to `day`, scored against the counts among `figures` that came later, as a paragraph."""
    lines = []
    for one in registered.scored(figures, folder):
        if one.day > day.isoformat():
            continue
        score = f"{one.counted} of its {one.periods} periods have been counted since"
        if one.counted:
            score += f", {one.inside} fell into the 95 % interval, and the weighted interval score is {one.wis:.0f}"
        lines.append(f"{one.day} ({in_markdown('; '.join(one.targets))}, {one.first} to {one.last}): {score}.")
    words = " ".join(lines) or "None: no release has shown a forecast."
    return Prose(
        "**Registered forecasts.** A release writes the forecast that it shows to the folder `forecasts`, where it is "
        f"never changed. By the day of the newest page behind each: {words}"
        if lines
        else f"**Registered forecasts.** {words}"
    )


def _coverage(path: Path) -> TableBlock:
    """Measured coverage: one row per kind of quantity, one column per level, one group per truth."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (
                    row.get("truth", ""),
                    re.sub(r"\s*\d+", "", row["quantity"]).strip(),
                    float(row["level"]),
                    int(row["data_sets"]),
                    float(row["covered"]),
                )
                for row in csv.DictReader(file)
            ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{relative(path)}: no table of measured coverage ({error}): restore it from git") from None
    levels = sorted({level for _, _, level, _, _ in rows}, reverse=True)
    body: list[tuple[TableCell, ...]] = []
    for truth in dict.fromkeys(row[0] for row in rows):
        part = [row for row in rows if row[0] == truth]
        if truth:
            words = f"{_TRUTHS.get(truth, truth)} ({max(row[3] for row in part):,} data sets)"
            body.append((TableCell(words, heading=True, columns=1 + len(levels), group=True),))
        for kind in dict.fromkeys(row[1] for row in part):
            held = [[row[4] for row in part if row[1] == kind and row[2] == level] for level in levels]
            cells = (TableCell(_between(each), right=True) for each in held)
            body.append((TableCell(_QUANTITIES.get(kind, kind), heading=True), *cells))
    head = (
        TableCell("Quantity", heading=True),
        *(TableCell(f"nominal {100 * level:g} %", heading=True, right=True) for level in levels),
    )
    return TableBlock((head,), tuple(body), "Measured coverage of the composite model's intervals", _SOURCE)


_ON_SCHEDULE = {
    "control": "As the model assumes",
    "twins": "Reports of the whole article count the same cases and 2 % more",
    "late": "Cases are posted late, by another law than the model's",
    "wrong": "One exact report is 15 % wrong",
    "jump": "The level jumps twice",
    "plateau": "It rises to a plateau and falls by 30 %",
    "season": "It has a season",
    "drift": "Dispersion rises from 1.5 over 5 to 30",
}


def _on_schedule(path: Path) -> TableBlock:
    """Calibration on the real schedule: one row per truth, or per number of informative counts."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (row["truth"], row["quantity"], row["measure"], int(row["data_sets"]), float(row["value"]))
                for row in csv.DictReader(file)
            ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{relative(path)}: no table of measured coverage ({error}): restore it from git") from None
    columns = [(kind, level) for kind in ("total", "growth") for level in ("95", "80")]
    body = []
    for truth in dict.fromkeys(row[0] for row in rows):
        part = [row for row in rows if row[0] == truth]
        one = {(quantity, measure): value for _, quantity, measure, _, value in part}
        cells = [f"{next(row[3] for row in part if row[1] == 'sets'):,}"]
        cells += [
            _between([row[4] for row in part if row[1].split()[0] == kind and row[2] == level])
            for kind, level in columns
        ]
        cells += [f"{one['phi', 'ratio']:.2f}" if ("phi", "ratio") in one else "–"]
        cells += [
            _between([one[key]] if key in one else [])
            for key in (("sets", "refused"), ("reports", "named"), ("reports", "true one named"))
        ]
        body.append(
            (TableCell(_ON_SCHEDULE.get(truth, truth), heading=True), *(TableCell(c, right=True) for c in cells))
        )
    labels = ["Data sets", "Totals, 95 %", "Totals, 80 %", "Growth, 95 %", "Growth, 80 %", "φ over its truth"]
    labels += ["Refused", "Wrong report named", "True report named"]
    head = (TableCell("Truth", heading=True), *(TableCell(each, heading=True, right=True) for each in labels))
    source = ("Source: benchmarks/schedule.csv, made by python benchmarks/bench_calibration.py --csv.",)
    return TableBlock((head,), tuple(body), "Calibration on the real schedule of reports", source)


_SOURCE = ("Source: benchmarks/calibration.csv, made by python benchmarks/bench_calibration.py --csv.",)


def _between(held: list[float]) -> str:
    """`94.1 %` or `93.0–95.2 %`."""
    if not held:
        return "–"
    low, high = (f"{100 * each:.1f}" for each in (min(held), max(held)))
    return f"{low} %" if low == high else f"{low}–{high} %"
