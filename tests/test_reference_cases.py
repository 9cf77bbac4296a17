"""Every published reference case is tested somewhere, or it says here why no model covers it."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
CASES = [case["id"] for case in json.loads((HERE / "reference_cases.json").read_text(encoding="utf-8"))["cases"]]
#: Cases whose method is none of the project's.
NOT_COVERED = {
    "R17-seatbelts-arima": "a Gaussian regression with seasonal ARIMA errors; counts here have no such model",
    "R26-kobak-2025": "ordinary least squares on ratios of deaths, not a model of counts",
}


def test_every_case_is_tested_or_has_its_reason() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py") if path != Path(__file__))
    untested = {case for case in CASES if f'"{case}"' not in tests}
    assert untested == set(NOT_COVERED)
