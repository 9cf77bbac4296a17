"""Registered forecasts: what the report forecast, written once at a release and never changed afterwards.

forecasts/DAY.csv has the quantiles of the forecast that rests on pages published up to DAY, one row for each quantile
of each period, in the form of the forecast hubs. forecasts/forecasts.lock has the digest of each file.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from desertion.engine.receipt import REGISTERED
from desertion.errors import UserError
from desertion.project import ROOT, file_digest, relative, write_atomic

if TYPE_CHECKING:
    from desertion.figures import Fault

FOLDER = ROOT / REGISTERED
LOCK = "forecasts.lock"
COLUMNS = ("origin_date", "target", "target_start_date", "target_end_date", "output_type", "output_type_id", "value")
#: Column of plots/forecast.csv → probability of its quantile.
_LEVELS = {
    "low95": 0.025, "low80": 0.1, "low50": 0.25, "median": 0.5, "high50": 0.75, "high80": 0.9, "high95": 0.975,
}  # fmt: skip


def register(plots: Path, folder: Path = FOLDER) -> Path | None:
    """Write the forecast that the published plot in `plots` shows; the new file, None where there is none.

    None, too, where a forecast of that day is registered already: with a revised model, say, the first one counts.
    Raises UserError where a registered file has changed.
    """
    if faults := changed(folder):
        raise UserError("\n".join(map(str, faults)))
    if not (plots / "forecast.csv").is_file():
        return None
    day = json.loads((plots / "forecast.json").read_text(encoding="utf-8"))["edition"]["as_of"]
    text = _table((plots / "forecast.csv").read_text(encoding="utf-8"), day)
    path = folder / f"{day}.csv"
    if not text or path.is_file():
        return None
    write_atomic(path, text)
    names = sorted(one.name for one in folder.glob("*.csv"))
    write_atomic(folder / LOCK, "".join(f"{file_digest(folder / name)}  {name}\n" for name in names))
    return path


def _table(text: str, day: str) -> str:
    """The rows of the forecast in `text` (plots/forecast.csv) as quantiles; "" where it shows none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["kind"] == "forecast"]
    for row in rows:
        for column, level in _LEVELS.items():
            period = (row["period_start"], row["period_end"])
            writer.writerow((day, row["panel"], *period, "quantile", level, row[column]))
    return out.getvalue() if rows else ""


def changed(folder: Path = FOLDER) -> list[Fault]:
    """One fault for each registered forecast that was changed or removed, and for each file that is not registered."""
    from desertion.figures import Fault

    lock = folder / LOCK
    lines = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    kept = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    faults = []
    for name in sorted(kept.keys() | {path.name for path in folder.glob("*.csv")}):
        now = file_digest(folder / name)
        if now == kept.get(name):
            continue
        message = "a registered forecast is never changed: `git checkout` brings it back"
        if name not in kept:
            message = "only `make release` registers a forecast: remove it"
        faults.append(Fault(relative(folder / name), 1, "sha256", now, message))
    return faults
