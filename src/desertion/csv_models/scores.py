"""Scores of the quantile or sample forecasts in a CSV: what `desertion score` prints."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from desertion.errors import UserError
from desertion.trends.scores import LEVELS, coverage, crps_sample, log_score_sample, wis

CONVENTION = (
    "wis: Bracher et al. (2021), median weight 1/2, divided by K + 1/2; crps of samples: empirical law; "
    "log score of samples: Gaussian kernel of Scott (1992), summed over whole numbers where all are whole"
)
MAX_ROWS = 200_000
_OLDER = {"true_value": "observed", "prediction": "predicted", "quantile": "quantile_level", "sample": "sample_id"}


def score_file(path: str | Path) -> dict[str, object]:
    """Scores of the forecasts in a CSV: `n, crps, wis, log_score, coverage, convention, warnings`, means over all.

    Columns `observed, predicted` and `quantile_level` or `sample_id` (or their older names in scoringutils,
    `true_value, prediction, quantile, sample`); all others name the forecast (the period, the model …). Quantiles
    leave CRPS and log score unknown (None). With a column `model`, `models` holds the same for each. Raises
    UserError naming the row for anything unreadable.
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
        levels = np.array(sorted({0.5, *((1 - v) / 2 for v in LEVELS), *((1 + v) / 2 for v in LEVELS)}))
        draws = [np.array([value for _, value in parts]) for _, _, parts in forecasts]
        quantiles = np.array([np.quantile(x, levels) for x in draws])
        result["crps"] = float(np.mean([crps_sample(y, x) for y, x in zip(observed, draws, strict=True)]))
        result["log_score"] = float(np.mean([log_score_sample(y, x) for y, x in zip(observed, draws, strict=True)]))
    else:
        levels = np.array([level for level, _ in forecasts[0][2]])
        for line, _, parts in forecasts:
            if [level for level, _ in parts] != levels.tolist():
                raise UserError(f"{name}:{line}: this forecast has other quantile levels than the first")
        quantiles = np.array([[value for _, value in parts] for _, _, parts in forecasts])
    result["wis"] = float(wis(observed, quantiles, levels).mean())
    result["coverage"] = coverage(observed, quantiles, levels)
    result["convention"] = CONVENTION
    few = f"{len(forecasts)} forecasts: below 8 the scores are shown and not ranked"
    result["warnings"] = [few] if len(forecasts) < 8 else []
    return result


def _read(path: Path) -> tuple[str, str, dict[tuple[tuple[str, str], ...], ScoredForecast]]:
    name = path.name
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = [_OLDER.get(column.strip(), column.strip()) for column in next(lines, [])]
            kind = _kind(name, header)
            label = "quantile_level" if kind == "quantile" else "sample_id"
            forecasts: dict[tuple[tuple[str, str], ...], ScoredForecast] = {}
            seen = set()
            for number, cells in enumerate(lines, start=1):
                where = f"{name}:{number + 1} (row {number})"
                if number > MAX_ROWS:
                    raise UserError(f"{where}: is one too many; at most {MAX_ROWS:,} rows are scored at once")
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise UserError(f"{where}: {len(cells)} cells where the header has {len(header)}")
                row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
                unit = tuple((c, row[c]) for c in header if c not in ("observed", "predicted", label))
                y, value = _number(where, "observed", row), _number(where, "predicted", row)
                level = _number(where, label, row) if kind == "quantile" else float(number)
                if kind == "quantile" and not 0 < level < 1:
                    raise UserError(f"{where}: quantile_level '{row[label]}' is not between 0 and 1")
                if (unit, row[label]) in seen:
                    raise UserError(f"{where}: {label} '{row[label]}' stands twice for one forecast")
                seen.add((unit, row[label]))
                _, known, parts = forecasts.setdefault(unit, (number + 1, y, []))
                if known != y:
                    raise UserError(f"{where}: observed '{row['observed']}' is {known:g} above in the same forecast")
                parts.append((level, value))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{name}: is not CSV in UTF-8 ({error})") from None
    if not forecasts:
        raise UserError(f"{name}: has no rows; each row is one quantile or sample of a forecast")
    for line, _, parts in forecasts.values():
        if kind == "quantile":
            parts.sort()
            values = [value for _, value in parts]
            if values != sorted(values):
                raise UserError(f"{name}:{line}: the quantiles of this forecast cross; they rise with the level")
        elif len(parts) < 2:
            raise UserError(f"{name}:{line}: a sample of one; give at least 2 samples a forecast")
    return name, kind, forecasts


def _kind(name: str, header: list[str]) -> str:
    missing = [column for column in ("observed", "predicted") if column not in header]
    labels = [column for column in ("quantile_level", "sample_id") if column in header]
    if missing or len(labels) != 1 or len(set(header)) < len(header):
        raise UserError(
            f"{name}:1: the header has {', '.join(header) or 'nothing'}; it needs observed, predicted and one of "
            "quantile_level (quantiles) or sample_id (samples), each once"
        )
    return "quantile" if labels[0] == "quantile_level" else "sample"


def _number(where: str, column: str, row: dict[str, str]) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise UserError(f"{where}: {column} '{row[column]}' is not a number")
    return number
