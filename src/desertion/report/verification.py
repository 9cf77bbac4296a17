"""Evidence for the methods: measured coverage of the intervals, reference cases, and registered forecasts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
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
            "the true one, and the share of data sets that had not enough data or in which a report was named as wrong."
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


def _measured(path: Path, **columns: type) -> pd.DataFrame:
    """The rows of a table of measured coverage, its `columns` of these types."""
    import pandas as pd

    try:
        rows = pd.read_csv(path, dtype={"truth": str, **columns}, keep_default_na=False)
        return rows[[*columns]].assign(truth=rows.get("truth", ""))
    except (ValueError, KeyError) as error:
        raise UserError(f"{relative(path)}: no table of measured coverage ({error}): restore it from git") from None


def _table(title: str, source: str, labels: Sequence[str], body: Iterable[Sequence[str]]) -> TableBlock:
    """A table whose first column heads its rows, the others being numbers; a row of one cell heads a group."""
    made = [
        (TableCell(words, heading=True, columns=1 if cells else len(labels), group=not cells),
         *(TableCell(cell, right=True) for cell in cells))
        for words, *cells in body
    ]  # fmt: skip
    head = tuple(TableCell(label, heading=True, right=n > 0) for n, label in enumerate(labels))
    note = f"Source: benchmarks/{source}, made by python benchmarks/bench_calibration.py --csv."
    return TableBlock((head,), tuple(made), title, (note,))


def _coverage(path: Path) -> TableBlock:
    """Measured coverage: one row per kind of quantity, one column per level, one group per truth."""
    rows = _measured(path, quantity=str, level=float, data_sets=int, covered=float)
    rows["kind"] = rows["quantity"].str.replace(r"\s*\d+", "", regex=True).str.strip()
    levels = sorted(rows["level"].unique(), reverse=True)
    body = []
    for truth, part in rows.groupby("truth", sort=False):
        body += [[f"{_TRUTHS.get(str(truth), truth)} ({part['data_sets'].max():,} data sets)"]] if truth else []
        for kind, own in part.groupby("kind", sort=False):
            held = (own.loc[own["level"].eq(level), "covered"] for level in levels)
            body.append([_QUANTITIES.get(str(kind), str(kind)), *map(_between, held)])
    labels = ["Quantity", *(f"nominal {100 * level:g} %" for level in levels)]
    return _table("Measured coverage of the composite model's intervals", path.name, labels, body)


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
#: End of a quantity whose interval is the band over the delay.
_BAND = " (band over the delay)"


def _on_schedule(path: Path) -> TableBlock:
    """Calibration on the real schedule: one row per truth, or per number of informative counts."""
    rows = _measured(path, quantity=str, measure=str, data_sets=int, value=float)
    rows["kind"] = rows["quantity"].str.split().str[0]
    shares = [(kind, level) for kind in ("total", "growth") for level in ("95", "80")]
    named = [("sets", "refused"), ("reports", "named"), ("reports", "true one named")]
    body = []
    rows["band"] = rows["quantity"].str.endswith(_BAND)
    for (truth, band), part in rows.groupby(["truth", "band"], sort=False):
        values = dict(list(part.groupby(["kind", "measure"])["value"]))
        phi = values.get(("phi", "ratio"))
        cells = [_between(values.get(key, ())) for key in (*shares, *named)]
        cells.insert(len(shares), "–" if phi is None else f"{phi.iloc[-1]:.2f}")
        body.append(
            [_ON_SCHEDULE.get(str(truth), str(truth)) + (_BAND if band else ""), f"{part['data_sets'].max():,}", *cells]
        )
    labels = ["Truth", "Data sets", "Totals, 95 %", "Totals, 80 %", "Growth, 95 %", "Growth, 80 %", "φ over its truth",
              "Not enough data", "Wrong report named", "True report named"]  # fmt: skip
    return _table("Calibration on the real schedule of reports", path.name, labels, body)


def _between(held: Collection[float]) -> str:
    """`94.1 %` or `93.0–95.2 %`."""
    if not len(held):
        return "–"
    low, high = (f"{100 * each:.1f}" for each in (min(held), max(held)))
    return f"{low} %" if low == high else f"{low}–{high} %"
