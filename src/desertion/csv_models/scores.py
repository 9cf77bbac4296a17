"""Scores of the quantile or sample forecasts in a CSV: what `desertion score` prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from desertion.csv_models.reader import read_rows
from desertion.errors import CsvError
from desertion.text import nearest, shown
from desertion.trends.scores import TAILS, coverage, crps_sample, log_score_sample, wis

CONVENTION = (
    "wis: Bracher et al. (2021), median weight 1/2, divided by K + 1/2; crps of samples: empirical law; "
    "log score of samples: Gaussian kernel of Scott (1992), summed over whole numbers where all are whole"
)
MAX_ROWS = 200_000
_OLDER = {"true_value": "observed", "prediction": "predicted", "quantile": "quantile_level", "sample": "sample_id"}
_HUB = {"value": "predicted", "output_type_id": "quantile_level"}


def score_file(path: str | Path) -> dict[str, object]:
    """Score the quantile or sample forecasts in a CSV.

    The columns are `observed`, `predicted` and `quantile_level` or `sample_id`, or their older names in scoringutils
    (`true_value`, `prediction`, `quantile`, `sample`), or those of forecast hubs (`value`, `output_type_id`); all
    others name the forecast (the period, the model …). The result holds n, means over all forecasts (wis: Bracher et
    al., 2021; for samples also crps: Gneiting & Raftery, 2007, and log_score: kernel width of Scott, 1992), coverage,
    convention and warnings; with a column `model`, `models` holds the same for each model. Raises CsvError with the
    faults found (the first 20), one per line.
    """
    path = Path(path)
    name, kind, forecasts = _read(path)
    result = _scores(name, kind, list(forecasts.values()))
    models = {dict(unit).get("model", "") for unit in forecasts}
    if models != {""}:
        result["models"] = {
            model: _scores(name, kind, [f for unit, f in forecasts.items() if dict(unit).get("model") == model])
            for model in sorted(models)
        }
    return result


ScoredForecast = tuple[int, float, list[tuple[float, float]]]


def _scores(name: str, kind: str, forecasts: list[ScoredForecast]) -> dict[str, object]:
    observed = np.array([y for _, y, _ in forecasts])
    result: dict[str, object] = {"n": len(forecasts), "crps": None, "wis": None, "log_score": None}
    if kind == "sample":
        levels = TAILS
        draws = [np.array([value for _, value in parts]) for _, _, parts in forecasts]
        quantiles = np.array([np.quantile(x, levels) for x in draws])
        result["crps"] = float(np.mean([crps_sample(y, x) for y, x in zip(observed, draws, strict=True)]))
        result["log_score"] = float(np.mean([log_score_sample(y, x) for y, x in zip(observed, draws, strict=True)]))
    else:
        levels = np.array([level for level, _ in forecasts[0][2]])
        for line, _, parts in forecasts:
            if [level for level, _ in parts] != levels.tolist():
                raise CsvError(f"{name}:{line}: this forecast has other quantile levels than the first")
        quantiles = np.array([[value for _, value in parts] for _, _, parts in forecasts])
    result["wis"] = float(wis(observed, quantiles, levels).mean())
    result["coverage"] = coverage(observed, quantiles, levels)
    result["convention"] = CONVENTION
    few = f"{len(forecasts)} forecasts: below 8 the scores are shown and not ranked"
    result["warnings"] = [few] if len(forecasts) < 8 else []
    return result


def _read(path: Path) -> tuple[str, str, dict[tuple[tuple[str, str], ...], ScoredForecast]]:
    """Name and kind of the file, and its forecasts by the cells that name them."""
    forecasts: dict[tuple[tuple[str, str], ...], ScoredForecast] = {}
    seen = set()
    label = ""

    def columns(header: list[str]) -> list[str]:
        nonlocal label
        names = _OLDER | (_HUB if "output_type_id" in header else {})
        header = [names.get(column, column) for column in header]
        labels = [column for column in ("quantile_level", "sample_id") if column in header]
        if not {"observed", "predicted"} <= set(header) or len(labels) != 1 or len(set(header)) < len(header):
            known = ["observed", "predicted", "quantile_level", "sample_id"]
            odd = (
                f"; '{shown(one)}':{near[1:]}" for one in header if one not in known and (near := nearest(one, known))
            )
            raise ValueError(
                f"the header has {', '.join(map(shown, header)) or 'nothing'}; it needs observed, predicted and one of "
                f"quantile_level (quantiles) or sample_id (samples), each once{next(odd, '')}"
            )
        label = labels[0]
        return header

    def add(line: int, row: dict[str, str]) -> None:
        unit = tuple((column, cell) for column, cell in row.items() if column not in ("observed", "predicted", label))
        y, value = _number("observed", row), _number("predicted", row)
        level = _number(label, row) if label == "quantile_level" else float(line)
        if label == "quantile_level" and not 0 < level < 1:
            raise ValueError(f"quantile_level '{row[label]}' is not between 0 and 1")
        if (unit, row[label]) in seen:
            raise ValueError(f"{label} '{row[label]}' stands twice for one forecast")
        seen.add((unit, row[label]))
        _, known, parts = forecasts.setdefault(unit, (line, y, []))
        if known != y:
            raise ValueError(f"observed '{row['observed']}' is {known:g} above in the same forecast")
        parts.append((level, value))

    read_rows(path, columns, add, MAX_ROWS, ("observed", "predicted"), tuple(_OLDER)[:2], ("observed", *_HUB))
    for line, _, parts in forecasts.values():
        if label == "quantile_level":
            parts.sort()
            values = [value for _, value in parts]
            if values != sorted(values):
                raise CsvError(f"{path.name}:{line}: the quantiles of this forecast cross; they rise with the level")
        elif len(parts) < 2:
            raise CsvError(f"{path.name}:{line}: a sample of one; give at least 2 samples per forecast")
    return path.name, label.partition("_")[0], forecasts


def _number(column: str, row: dict[str, str]) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise ValueError(f"{column} '{row[column]}' is not a number")
    return number
