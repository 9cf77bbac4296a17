"""What `desertion fit` must not answer: bad files, bad calls, and what the counts do not identify, for every model."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from desertion import cli
from desertion.csv_models import fit

COUNTS = ("poisson", "quasi-poisson", "nb2", "nb1", "changepoint")
REGRESSIONS = ("poisson", "quasi-poisson", "nb2", "nb1")
HEADER = "period_start,period_end,value"
Answer = Callable[..., tuple[int, dict[str, Any], str]]


def years(*values: object, first: int = 2010, header: str = HEADER) -> str:
    """A file of calendar years; the parts of a value that is a tuple fill further columns."""
    rows = [
        f"{first + k}-01-01,{first + k}-12-31,{','.join(map(str, v if isinstance(v, tuple) else (v,)))}"
        for k, v in enumerate(values)
    ]
    return "\n".join([header, *rows, ""])


def rows(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines, ""])


@pytest.fixture
def answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    """The status, JSON and message of `desertion fit` of a text or bytes; a traceback would fail the test."""

    def ask(content: str | bytes, *options: str) -> tuple[int, dict[str, Any], str]:
        path = tmp_path / "counts.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        status = cli.main(["fit", str(path), *options, "--json"])
        output = capsys.readouterr()
        return status, json.loads(output.out), output.err

    return ask


def refused(answer: Answer, content: str | bytes, *options: str) -> str:
    """Why the call was refused; every key is there and holds no number."""
    status, result, message = answer(content, *options)
    assert status == 2
    assert result["refused"]["needs"]
    assert result["refused"]["reason"] in message
    assert list(result) == list(fit.refusal("poisson", None, "", ""))
    empty = {key for key, value in result.items() if value in (None, [])}
    assert set(result) - empty <= {"model", "trend", "n", "refused"}
    return str(result["refused"]["reason"])


BAD_FILES: list[tuple[str | bytes, str]] = [
    (years(100, -5, 130, 140, 150), r"counts.csv:3 (row 2): value '-5' is negative"),
    (years(10, 12, "NaN", 14, 15), "counts.csv:4 (row 3): value 'NaN' is not a number"),
    (years(10, 12, "inf", 14, 15), "counts.csv:4 (row 3): value 'inf' is not a number"),
    (years(10, 12, "", 14, 15), "counts.csv:4 (row 3): value '' is blank"),
    (years(10, 12, "12.5", 14, 15), "counts.csv:4 (row 3): value '12.5' is not whole"),
    (years(10, 10**12, 13, 14, 15), "counts.csv:3 (row 2): value '1000000000000' is larger"),
    (years(10, "1e12", 13, 14, 15), "counts.csv:3 (row 2): value '1e12' is larger"),
    (rows("2021-12-31,2021-01-01,5"), "counts.csv:2 (row 1): period_end '2021-01-01' is before period_start"),
    (rows("2021-02-30,2021-12-31,5"), "period_start '2021-02-30': there is no day 30"),
    (rows("0001-01-01,9999-12-31,5", "0001-01-01,0001-12-31,2"), "counts.csv:2 (row 1): period_start '0001-01-01'"),
    (
        years((30, "", ""), (40, 45, 35), (50, "", ""), header=f"{HEADER},low,high"),
        "counts.csv:3 (row 2): low '45' is above high '35'",
    ),
    (
        years((30, "exact"), (40, "more than"), (50, ""), header=f"{HEADER},bound"),
        "counts.csv:3 (row 2): bound 'more than' is unknown",
    ),
    ("", "no column period_start, period_end, value"),
    (HEADER + "\n", "has no rows"),
    ("period_start,value\n2021-01-01,5\n", "no column period_end"),
    (years(5, 6, 7).replace("value", "число").encode("cp1251"), "no column value"),
    (bytes(range(256)) * 20, "is not UTF-8"),
    (f'{HEADER}\n"2021-01-01,2021-12-31,5\n', "counts.csv:2: row"),
    (years(*[7] * 8_000, first=1_000) + years(*[7] * 8_000, first=1_000).partition("\n")[2], "row 10001 is one too"),
]


@pytest.mark.parametrize("model", ["poisson", "changepoint", "composite"])
@pytest.mark.parametrize(("content", "message"), BAD_FILES, ids=[message[-40:] for _, message in BAD_FILES])
def test_a_bad_file_is_refused_naming_its_row(answer: Answer, model: str, content: str | bytes, message: str) -> None:
    assert message in refused(answer, content, "--model", model)


@pytest.mark.parametrize("model", ["poisson", "changepoint", "composite"])
@pytest.mark.parametrize("exposure", ["0", "-2", "", "many"])
def test_a_zero_or_missing_exposure_is_refused_naming_its_row(answer: Answer, model: str, exposure: str) -> None:
    force = [10, exposure, 10, 11, 12]
    content = years(*zip([3, 4, 5, 6, 7], force, strict=True), header=f"{HEADER},force")
    assert f"counts.csv:3 (row 2): force '{exposure}'" in refused(
        answer, content, "--model", model, "--exposure", "force"
    )


@pytest.mark.parametrize("model", fit.MODELS)
def test_contradicting_rows_are_named(answer: Answer, model: str) -> None:
    halves = rows(
        "2021-01-01,2021-12-31,100", "2021-01-01,2021-06-30,80", "2021-07-01,2021-12-31,40",
        *years(3, 4, 5, 6, first=2022).splitlines()[1:],
    )  # fmt: skip
    message = refused(answer, halves, "--model", model)
    assert all(f"counts.csv:{line} (row {line - 1})" in message for line in (2, 3, 4))
    assert "counts.csv:5" not in message
    twice = years(100, 120, 130, 140) + "2011-01-01,2011-12-31,121\n"
    message = refused(answer, twice, "--model", model)
    assert "counts.csv:3 (row 2)" in message
    assert "counts.csv:6 (row 5)" in message


@pytest.mark.parametrize("model", COUNTS)
def test_a_count_that_stands_twice_is_refused_where_it_would_count_twice(answer: Answer, model: str) -> None:
    content = years(100, 120, 130, 140, 150) + "2014-01-01,2014-12-31,150\n"
    assert "counts.csv:7 (row 6)" in refused(answer, content, "--model", model)


def test_a_count_that_stands_twice_changes_nothing_in_the_composite_model(answer: Answer) -> None:
    once = answer(years(100, 120, 130, 140, 150), "--model", "composite")[1]
    twice = answer(years(100, 120, 130, 140, 150) + "2014-01-01,2014-12-31,150\n", "--model", "composite")[1]
    for key, parts in (("coefficients", ("estimate", "se", "low", "high")), ("totals", ("mean", "low", "high"))):
        for a, b in zip(once[key], twice[key], strict=True):
            assert [b[p] for p in parts] == pytest.approx([a[p] for p in parts], rel=1e-6)


@pytest.mark.parametrize("model", COUNTS)
def test_dates_out_of_order_are_refused_naming_the_row(answer: Answer, model: str) -> None:
    content = rows("2022-01-01,2022-12-31,7", "2021-01-01,2021-12-31,5", "2023-01-01,2023-12-31,9")
    assert "counts.csv:3 (row 2): period_start '2021-01-01'" in refused(answer, content, "--model", model)


@pytest.mark.parametrize("model", COUNTS)
@pytest.mark.parametrize(
    ("header", "second"), [("low,high", (40, 35, 45)), ("low,high", ("", 35, 45)), ("bound,note", (40, "at_least", ""))]
)
def test_a_bound_is_not_taken_for_a_count(answer: Answer, model: str, header: str, second: tuple[object, ...]) -> None:
    content = years((30, "", ""), second, *((n, "", "") for n in (50, 60, 70, 80)), header=f"{HEADER},{header}")
    message = refused(answer, content, "--model", model)
    assert "counts.csv:3 (row 2)" in message
    assert "is a bound, not a count" in message


@pytest.mark.parametrize("model", fit.MODELS)
@pytest.mark.parametrize("column", ["measure", "compiler"])
def test_mixed_measures_and_compilers_are_refused(answer: Answer, model: str, column: str) -> None:
    mixed = years((30, "a"), (40, "a"), (50, "b"), (60, "a"), (70, "a"), (80, "a"), header=f"{HEADER},{column}")
    message = refused(answer, mixed, "--model", model)
    assert "'a'" in message
    assert "'b'" in message


@pytest.mark.parametrize("model", fit.MODELS)
def test_no_model_takes_more_parameters_than_counts(answer: Answer, model: str) -> None:
    for counts in ((4373,), (527, 4373), (527, 887, 4373)):
        trend = ["--trend", "quadratic"] if model in (*REGRESSIONS, "composite") else []
        assert refused(answer, years(*counts), "--model", model, *trend)
    if model in ("nb1", "nb2", "composite"):
        assert "and the dispersion" in refused(answer, years(527, 887, 4373), "--model", model, "--trend", "linear")


def test_as_many_rates_as_counts_are_refused_and_not_warned_of(answer: Answer) -> None:
    jumps = [n for n, _ in zip(cycle([1, 1000]), range(8), strict=False)]
    assert "no degree of freedom" in refused(answer, years(*jumps), "--model", "changepoint")
    assert "no degree of freedom" in refused(answer, years(*(2**k for k in range(10))), "--model", "changepoint")


@pytest.mark.parametrize(
    ("model", "trend"), [(m, t) for m in (*REGRESSIONS, "composite") for t in ("linear+step", "segmented")]
)
def test_a_break_inside_a_cell_or_beside_all_of_them_is_refused(answer: Answer, model: str, trend: str) -> None:
    content = years(9, 8, 12, 7, 9, 11, 9, 10, 8, 15, 40, 60)
    assert "2015-09-21 falls inside" in refused(answer, content, "--model", model, "--trend", f"{trend}:2015-09-21")
    assert "2009-01-01" in refused(answer, content, "--model", model, "--trend", f"{trend}:2009-01-01")


@pytest.mark.parametrize("model", ["nb1", "nb2", "quasi-poisson"])
def test_a_dispersion_at_its_boundary_is_refused(answer: Answer, model: str) -> None:
    assert "boundary" in refused(answer, years(*[10] * 25), "--model", model)


@pytest.mark.parametrize("model", fit.MODELS)
def test_zeros_alone_are_refused(answer: Answer, model: str) -> None:
    assert refused(answer, years(*[0] * 8), "--model", model)


def test_counts_on_a_smooth_exactly_are_refused(answer: Answer) -> None:
    assert "exactly" in refused(answer, years(*[10] * 25), "--model", "poisson", "--trend", "smooth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trend", "cubic"], "'cubic'"),
        (["--trend", "step:2022-13-01"], "'2022-13-01' is not a date"),
        (["--trend", "linear+linear"], "stands twice"),
        (["--model", "gamma"], "'gamma'"),
        (["--level", "95"], "between 0 and 1"),
        (["--forecast", "-1"], "forecast of -1"),
        (["--forecast", "1000000000"], "forecast of 1000000000"),
        (["--harmonics", "-1"], "harmonics"),
        (["--exposure", "force"], "no column force"),
        (["--seed", "-1"], "seed -1"),
        (["--model", "composite", "--harmonics", "2"], "harmonics"),
    ],
)
def test_a_call_that_cannot_be_answered_is_refused_too(answer: Answer, options: list[str], message: str) -> None:
    assert message in refused(answer, years(5, 9, 12, 8, 14), *options)


def test_a_year_that_no_report_meets_has_no_number(answer: Answer) -> None:
    content = years(500, 520, first=2001) + years(510, 530, 540, first=2012).partition("\n")[2]
    status, result, _ = answer(content, "--model", "composite", "--trend", "smooth")
    assert status == 0
    means = {t["period_start"][:4]: t["mean"] for t in result["totals"]}
    assert means["2007"] is None
    assert means["2002"] == pytest.approx(520, rel=0.1)
    assert any("prior-driven" in doubt for doubt in result["warnings"])


@pytest.mark.parametrize("arguments", [["interval", "-5"], ["interval", "5", "0"], ["rate-ratio", "0", "1", "0", "1"]])
def test_exact_methods_refuse_with_status_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main([*arguments, "--json"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1


def test_a_p_value_too_small_to_write_is_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rate-ratio", "4373", "1", "527", "1"]) == 0
    assert "p_value  < 1e-300" in capsys.readouterr().out
