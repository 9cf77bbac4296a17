"""The composite model on any CSV, through the entry that the command line uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desertion.csv_models.fit import fit_file
from desertion.errors import UserError

MIXED = """\
period_start,period_end,value,bound,measure,compiler
2021-01-01,2021-12-31,615,,cases,M
2022-01-01,2022-12-31,1001,,cases,M
2023-01-01,2023-06-30,2076,,cases,M
2023-01-01,2023-12-31,5096,,cases,M
2024-02-01,2024-02-29,718,,cases,M
2024-05-01,2024-05-31,844,,cases,M
2024-01-01,2024-12-31,9000,at_least,cases,M
2022-01-01,2022-12-31,884,,convicted,I
2023-01-01,2023-12-31,4346,,convicted,I
2024-01-01,2024-12-31,8561,,convicted,I
"""


@pytest.fixture
def csv(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "counts.csv"
        path.write_text(text)
        return path

    return write


def yearly(*counts: int, first: int = 2001) -> str:
    rows = [f"{first + k}-01-01,{first + k}-12-31,{n}" for k, n in enumerate(counts)]
    return "\n".join(["period_start,period_end,value", *rows, ""])


def test_mixed_bounded_overlapping_rows_give_every_key(csv) -> None:
    result = fit_file(csv(MIXED), "composite", "smooth", steps=3)
    json.dumps(result)
    assert result["refused"] is None
    assert result["n"] == 10
    assert len(result["fitted"]) == 10
    assert [total["period_start"][:4] for total in result["totals"]] == ["2021", "2022", "2023", "2024"]
    assert result["totals"][2]["low"] < 5096 < result["totals"][2]["high"]
    names = [row["name"] for row in result["coefficients"]]
    assert names == ["constant", "factor:convicted / I", "tau", "phi"]
    assert -0.3 < result["coefficients"][1]["estimate"] < 0
    assert [step["period_start"] for step in result["forecast"]] == ["2025-01-01", "2025-02-01", "2025-03-01"]
    low, high = result["forecast"][0]["intervals"]["0.95"]
    assert low < result["forecast"][0]["median"] < high
    assert result["growth"] is None
    assert any("informative" in doubt for doubt in result["warnings"])


def test_the_unit_is_the_longest_that_every_row_is_made_of(csv) -> None:
    result = fit_file(csv(yearly(90, 110, 100, 130, 120, 140, 150, 160, 140, 170)), "composite", "linear", steps=1)
    assert (result["forecast"][0]["period_start"], result["forecast"][0]["period_end"]) == ("2011-01-01", "2011-12-31")


def test_a_linear_trend_agrees_with_the_nb1_regression(csv) -> None:
    rng = np.random.default_rng(4)
    counts = rng.negative_binomial(np.exp(4 + 0.05 * np.arange(30)) / 2, 1 / 3)
    path = csv(yearly(*counts))
    mine, theirs = fit_file(path, "composite", "linear"), fit_file(path, "nb1", "linear")
    for a, b in zip(mine["coefficients"][:2], theirs["coefficients"][:2], strict=True):
        assert a["name"] == b["name"]
        assert a["estimate"] == pytest.approx(b["estimate"], abs=0.2 * b["se"])
        assert a["se"] == pytest.approx(b["se"], rel=0.15)
    assert mine["growth"]["estimate"] == pytest.approx(theirs["growth"]["estimate"], rel=0.01)
    assert mine["loglik"] == pytest.approx(theirs["loglik"], abs=1.0)


def test_a_bound_is_not_taken_for_a_count(csv) -> None:
    exact = fit_file(csv(MIXED.replace("9000,at_least", "9000,")), "composite", "smooth")
    bound = fit_file(csv(MIXED), "composite", "smooth")
    assert bound["totals"][3]["mean"] > exact["totals"][3]["mean"] + 100


@pytest.mark.parametrize(
    ("text", "trend", "reason"),
    [
        (MIXED + "2023-07-01,2023-12-31,2900,,cases,M\n", "smooth", "contradict"),
        (MIXED, "smooth+step:2022-09-21", "inside a count"),
        (yearly(527), "smooth", "informative"),
        (yearly(527, 887), "linear", "informative"),
        ("period_start,period_end,value,measure\n2015-01-01,2015-12-31,9,a\n2016-01-01,2016-12-31,9,a\n"
         "2017-01-01,2017-12-31,9,a\n2023-01-01,2023-12-31,289,b\n", "smooth", "overlaps"),
        ("period_start,period_end,value\n1001-01-01,1001-01-31,3\n2021-01-01,2021-01-31,3\n2022-01-01,2022-01-31,3\n",
         "constant", "periods"),
    ],
)  # fmt: skip
def test_refusals_come_back_as_data_and_name_the_rows(csv, text: str, trend: str, reason: str) -> None:
    refused = fit_file(csv(text), "composite", trend)["refused"]
    assert reason in refused["reason"]
    assert refused["needs"]
    if reason == "contradict":
        assert "counts.csv:12 (row 11)" in refused["reason"]
        assert "counts.csv:4 (row 3)" in refused["reason"]


def test_exposure_is_taken_by_period_and_asked_for_where_it_is_missing(csv) -> None:
    header, *rows = yearly(100, 210, 290, 410, 480, 610).split()
    lines = [f"{header},strength", *(f"{row},{k + 1}" for k, row in enumerate(rows))]
    result = fit_file(csv("\n".join(lines)), "composite", "constant", exposure="strength")
    assert result["coefficients"][0]["estimate"] == pytest.approx(np.log(100), abs=0.1)
    refused = fit_file(csv("\n".join(lines[:3] + lines[4:])), "composite", "constant", exposure="strength")["refused"]
    assert "2003-01-01" in refused["reason"]


def test_an_option_that_the_model_has_not_is_an_error(csv) -> None:
    with pytest.raises(UserError, match="harmonics"):
        fit_file(csv(MIXED), "composite", "smooth", harmonics=2)
    with pytest.raises(UserError, match="week"):
        fit_file(csv(MIXED), "composite", "smooth", period_unit="week")


@pytest.mark.parametrize("trend", ["constant", "linear", "quadratic", "log", "segmented:2005-01-01", "smooth"])
def test_zeros_and_large_counts_are_fitted(csv, trend: str) -> None:
    zeros = fit_file(csv(yearly(0, 1, 0, 0, 2, 0, 1, 0, 0, 1)), "composite", trend)
    assert zeros["refused"] is None
    assert sum(total["mean"] for total in zeros["totals"]) == pytest.approx(5, abs=3)
    large = fit_file(csv(yearly(*[10**8 + 10**6 * k for k in range(10)])), "composite", trend)
    assert large["refused"] is None or large["refused"]["reason"]
