"""Registered forecasts: what the report forecast, written once at a release, never changed, and scored afterwards.

forecasts/DAY.csv has the quantiles of the forecast that rests on pages published up to DAY, one row for each quantile
of each period, in the form of the forecast hubs. forecasts/forecasts.lock has the digest of each file.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desertion.errors import UserError
from desertion.project import FORECASTS, file_digest, relative, write_atomic
from desertion.vocabulary import MEASURES, articles_label

if TYPE_CHECKING:
    import pandas as pd

    from desertion.figures import Fault

LOCK = "forecasts.lock"
#: What is counted, as in data/figures.csv; blank where the statements behind the forecast differ in it.
_COUNTED = ("compiler", "articles", "measure")
COLUMNS = (
    *("origin_date", "target", *_COUNTED, "target_start_date", "target_end_date"),
    *("output_type", "output_type_id", "value"),
)
#: Column of plots/forecast.csv → probability of its quantile.
_LEVELS = {
    "low95": 0.025, "low80": 0.1, "low50": 0.25, "median": 0.5, "high50": 0.75, "high80": 0.9, "high95": 0.975,
}  # fmt: skip


def register(plots: Path, figures: pd.DataFrame, folder: Path = FORECASTS) -> Path | None:
    """Write the forecast that the published plot in `plots` shows; the new file, None where there is none.

    `figures` are those of the data, by id.

    None, too, where a forecast of that day is registered already: with a revised model, say, the first one counts.
    Raises UserError where a registered file has changed.
    """
    if faults := changed(folder):
        raise UserError("\n".join(map(str, faults)))
    if not (plots / "forecast.csv").is_file():
        return None
    day = json.loads((plots / "forecast.json").read_text(encoding="utf-8"))["edition"]["as_of"]
    text = _table((plots / "forecast.csv").read_text(encoding="utf-8"), day, figures)
    path = folder / f"{day}.csv"
    if not text or path.is_file():
        return None
    write_atomic(path, text)
    names = sorted(one.name for one in folder.glob("*.csv"))
    write_atomic(folder / LOCK, "".join(f"{file_digest(folder / name)}  {name}\n" for name in names))
    return path


def _table(text: str, day: str, figures: pd.DataFrame) -> str:
    """The rows of the forecast in `text` (plots/forecast.csv) as quantiles; "" where it shows none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["kind"] == "forecast"]
    for row in rows:
        behind = figures.loc[row["ids"].split(), list(_COUNTED)].drop_duplicates()
        counted = tuple(behind.iloc[0]) if len(behind) == 1 else ("",) * len(_COUNTED)
        compiler, articles, measure = counted
        target = f"{MEASURES.get(measure, measure)}, {articles_label(articles)}, {compiler}" if measure else "several"
        for column, level in _LEVELS.items():
            period = (row["period_start"], row["period_end"])
            writer.writerow((day, target, *counted, *period, "quantile", level, row[column]))
    return out.getvalue() if rows else ""


def changed(folder: Path = FORECASTS) -> list[Fault]:
    """One fault for each registered forecast that was changed or removed, and for each file that is not registered."""
    from desertion.figures import Fault

    lock = folder / LOCK
    lines = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    kept = {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}
    faults = [Fault(relative(lock), n, "line", line, "is not a digest and a name: `git checkout` brings the file back")
              for n, line in enumerate(lines, 1) if "  " not in line]  # fmt: skip
    for name in sorted(kept.keys() | {path.name for path in folder.glob("*.csv")}):
        now = file_digest(folder / name)
        if now == kept.get(name):
            continue
        message = "a registered forecast is never changed: `git checkout` brings it back"
        if name not in kept:
            message = "only `make release` registers a forecast: remove it"
        faults.append(Fault(relative(folder / name), 1, "sha256", now, message))
    return faults


class Registered(NamedTuple):
    """A registered forecast and how it did: `day` of its newest page, its `targets`, first and last day forecast.

    `periods` were forecast; `counted` of them by pages that came later, of which `inside` fell into the 95 % interval,
    with `wis`, the mean weighted interval score (Bracher et al., 2021), NaN where none was counted.
    """

    day: str
    targets: tuple[str, ...]
    first: str
    last: str
    periods: int
    counted: int
    inside: int
    wis: float


def scored(figures: pd.DataFrame, folder: Path = FORECASTS) -> list[Registered]:
    """The registered forecasts, each scored against the counts among `figures` that were public after its day.

    A period is scored where the compiler counted exactly it; of several counts the one published last is taken. Raises
    UserError for a file that `register` did not write.
    """
    return [_scored(path, figures) for path in sorted(folder.glob("*.csv"))]


def _scored(path: Path, figures: pd.DataFrame) -> Registered:
    import numpy as np
    import pandas as pd

    from desertion.trends.scores import wis

    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys(("target", *_COUNTED), str))
        grouped = list(table.groupby(["target", *_COUNTED, "target_start_date", "target_end_date"], sort=False))
        errors, inside = [], 0
        for (_, compiler, articles, measure, start, end), rows in grouped:
            later = figures[
                (figures["compiler"] == compiler) & (figures["articles"] == articles) & (figures["measure"] == measure)
                & (figures["kind"] == "count") & (figures["scope"] == "whole") & (figures["place"].fillna("") == "")
                & (figures["status"] != "rejected") & (figures["known"] > pd.Timestamp(path.stem))
                & (figures["period_start"] == start) & (figures["period_end"] == end)
            ].sort_values("known", kind="stable")  # fmt: skip
            if len(later):
                observed, values = float(later["value"].iloc[-1]), rows["value"].to_numpy()
                errors.append(float(wis(observed, values, rows["output_type_id"])))
                inside += int(values[0] <= observed <= values[-1])
        first, last = str(table["target_start_date"].min()), str(table["target_end_date"].max())
        targets = tuple(dict.fromkeys(table["target"]))
    except (KeyError, ValueError, TypeError):
        raise UserError(f"{relative(path)}: no table of a registered forecast") from None
    mean = float(np.mean(errors)) if errors else float("nan")
    return Registered(path.stem, targets, first, last, len(grouped), len(errors), inside, mean)
