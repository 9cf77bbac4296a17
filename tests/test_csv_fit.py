"""The one entry of the command line: its keys, its numbers, its refusals, for every model."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desertion.csv_models import fit
from desertion.errors import UserError
from desertion.trends.grid import Grid

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}
KEYS = [
    *("model", "trend", "n", "df_resid", "coefficients", "loglik", "aic", "aicc", "deviance", "pearson_chi2"),
    *("dispersion", "growth", "warnings", "fitted", "totals", "forecast", "change_points", "refused"),
]


def write(folder: Path, first: date, months: int, counts: Any, exposure: Any = None) -> Path:
    grid = Grid(first, months, np.arange(1.0, len(counts) + 1), np.asarray(counts, float))
    lines = ["period_start,period_end,value" + (",force" if exposure is not None else "")]
    for i, count in enumerate(counts):
        more = f",{exposure[i]}" if exposure is not None else ""
        lines.append(f"{grid.start(i + 1)},{grid.end(i + 1)},{int(count)}{more}")
    path = folder / "counts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def coefficients(result: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {c["name"]: c for c in result["coefficients"]}


@pytest.mark.parametrize("model", [m for m in fit.MODELS if m != "composite"])
def test_every_model_gives_the_same_keys_in_plain_json(tmp_path: Path, model: str) -> None:
    rng = np.random.default_rng(1)
    path = write(tmp_path, date(2019, 1, 1), 1, rng.negative_binomial(5, 5 / 25, 48))
    result = fit.fit_file(path, model, steps=3)
    assert list(result) == KEYS
    assert result["refused"] is None
    assert (result["model"], result["n"]) == (model, 48)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert len(result["fitted"]) == 48
    assert [t["period_start"] for t in result["totals"]] == [f"{y}-01-01" for y in range(2019, 2023)]
    assert all(t["low"] <= t["mean"] <= t["high"] for t in result["totals"])
    if model == "quasi-poisson":
        assert result["forecast"] == []
        assert any("no forecast" in doubt for doubt in result["warnings"])
    else:
        assert [f["period_start"] for f in result["forecast"]] == ["2023-01-01", "2023-02-01", "2023-03-01"]
        assert list(result["forecast"][0]["intervals"]) == ["0.5", "0.8", "0.95"]
    assert fit.fit_file(path, model, steps=3) == result


def test_aids_cases_on_log_time(tmp_path: Path) -> None:
    case = CASES["R09-dobson-4.5"]
    result = fit.fit_file(write(tmp_path, date(1984, 1, 1), 3, case["data"]["y"]), "poisson", "log")
    made = coefficients(result)
    assert [made["constant"]["estimate"], made["log"]["estimate"]] == pytest.approx(case["recomputed"]["b"], abs=1e-8)
    assert result["growth"] is None
    assert result["deviance"] == pytest.approx(21.75511, abs=1e-5)
    assert sum(t["mean"] for t in result["totals"]) == pytest.approx(sum(case["data"]["y"]))


def test_polio_with_harmonics(tmp_path: Path) -> None:
    y = CASES["R15-polio-glarma"]["data"]["y"]
    result = fit.fit_file(write(tmp_path, date(1970, 1, 1), 1, y), "poisson", "linear", harmonics=2)
    assert coefficients(result)["linear"]["estimate"] == pytest.approx(-4.798661e-3, abs=1e-8)
    assert result["deviance"] == pytest.approx(288.85489, abs=1e-5)
    assert result["growth"]["estimate"] == pytest.approx(math.exp(12 * -4.798661e-3), rel=1e-6)
    assert result["growth"]["per"] == "year"


def test_discoveries_and_their_change_points(tmp_path: Path) -> None:
    case = CASES["R19-discoveries-pelt"]
    result = fit.fit_file(write(tmp_path, date(1860, 1, 1), 12, case["data"]["y"]), "changepoint")
    assert [c["date"] for c in result["change_points"]] == [f"{1860 + place}-01-01" for place in (24, 29, 73)]
    assert all(0 < c["probability"] <= 1 for c in result["change_points"])
    assert len(result["coefficients"]) == 4
    mean = np.mean(case["data"]["y"][24:29])
    assert coefficients(result)["rate:2"]["estimate"] == pytest.approx(mean + 0.1, rel=0.02)


def test_the_articles_three_counts(tmp_path: Path) -> None:
    path = write(tmp_path, date(2021, 1, 1), 12, [527, 887, 4373])
    result = fit.fit_file(path, "quasi-poisson", "linear", period_unit="year")
    assert result["df_resid"] == 1
    assert result["growth"]["low"] == pytest.approx(0.0755, rel=0.001)
    assert any("1 residual" in doubt for doubt in result["warnings"])
    assert (result["aic"], result["loglik"], result["aicc"]) == (None, None, None)
    for model, trend in (("nb2", "linear"), ("poisson", "quadratic"), ("poisson", "segmented:2022-01-01")):
        refused = fit.fit_file(path, model, trend)
        assert list(refused) == KEYS
        assert "no degree of freedom" in refused["refused"]["reason"]
        assert refused["refused"]["needs"]
        assert refused["coefficients"] == refused["forecast"] == []


def test_one_row_is_refused_by_every_model(tmp_path: Path) -> None:
    path = write(tmp_path, date(2023, 1, 1), 12, [4373])
    for model in fit.MODELS:
        if model != "composite":
            assert fit.fit_file(path, model)["refused"]["reason"]


def test_a_break_inside_a_year_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, date(2013, 1, 1), 12, [9, 8, 12, 7, 9, 11, 9, 10, 8, 15, 40, 60])
    result = fit.fit_file(path, "poisson", "linear+step:2022-09-21")
    assert "2022-09-21 falls inside the period 2022-01-01 to 2022-12-31" in result["refused"]["reason"]
    stepped = fit.fit_file(path, "poisson", "linear+step:2022-01-01")
    assert "step:2022-01-01" in coefficients(stepped)
    assert stepped["growth"] is None


def test_an_exposure_divides_and_is_kept_for_the_forecast(tmp_path: Path) -> None:
    force = np.linspace(1.0, 2.0, 36)
    path = write(tmp_path, date(2020, 1, 1), 1, np.random.default_rng(2).poisson(30 * force), force)
    for model in ("poisson", "changepoint"):
        result = fit.fit_file(path, model, "constant", exposure="force", steps=1)
        assert result["forecast"][0]["mean"] == pytest.approx(60, rel=0.15)
        assert any("last exposure" in doubt for doubt in result["warnings"])
    plain, scaled = fit.fit_file(path, "poisson"), fit.fit_file(path, "poisson", exposure="force")
    assert plain["growth"]["estimate"] > scaled["growth"]["estimate"]


def test_contradicting_and_rounded_rows(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(
        "period_start,period_end,value,bound\n2021-01-01,2021-12-31,527,exact\n2022-01-01,2022-12-31,900,about\n"
        "2023-01-01,2023-12-31,4373,exact\n"
    )
    assert any("lines 3 are rounded" in doubt for doubt in fit.fit_file(path)["warnings"])
    path.write_text(path.read_text() + "2023-01-01,2023-06-30,5000,exact\n")
    refused = fit.fit_file(path)["refused"]
    assert "counts.csv:4 (row 3)" in refused["reason"]
    assert "counts.csv:5 (row 4)" in refused["reason"]


def test_options_that_are_none_are_user_errors(tmp_path: Path) -> None:
    path = write(tmp_path, date(2021, 1, 1), 12, [5, 9, 12, 8])
    options: list[tuple[str, dict[str, Any]]] = [
        ("gamma", {"model": "gamma"}), ("cubic", {"trend": "cubic"}), ("level", {"level": 95}),
        ("forecast", {"steps": -1}), ("forecast", {"steps": 10**9}), ("seed", {"seed": -1}),
        ("force", {"exposure": "force"}),
        ("no trend", {"model": "changepoint", "trend": "linear"}), ("harmonics", {"harmonics": 2}),
        ("unit", {"period_unit": "month"}),
    ]  # fmt: skip
    for message, option in options:
        with pytest.raises(UserError, match=message):
            fit.fit_file(path, **option)


def test_counts_up_to_a_billion_stay_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, date(2013, 1, 1), 12, [10**9 - k * 10**7 for k in range(9)])
    for model in ("poisson", "quasi-poisson", "nb2", "nb1", "changepoint"):
        result = fit.fit_file(path, model, steps=2)
        json.dumps(result, allow_nan=False)
        if result["refused"] is None:
            assert sum(result["fitted"]) == pytest.approx(9 * 10**9 - 36 * 10**7, rel=0.02)
