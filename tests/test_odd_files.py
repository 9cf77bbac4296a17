"""Odd files and options for `fit` and `score`, drawn with a seed: each is answered or refused in words, and soon."""

import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from desertion import cli
from desertion.csv_models import fit

COUNTS = (
    "0",
    "1",
    "7",
    "250000",
    "1e9",
    "29.0",
    "4503599627370496",
    "-1",
    "",
    "NaN",
    "1,029",
    "\u0661\u0662",
    "5e-324",
)
EXPOSURES = ("1", "1", "10.5", "1e-300", "1e300", "1e-30", "1e30", "0", "-2", "", "inf")
TRENDS = ("constant", "linear", "log", "quadratic", "linear+step:2016-01-01", "step:2023-02-29", "smooth", "zig", "")
LEVELS = ("0.95", "0.5", "0.999999", "1e-9", "0", "1", "nan")
#: Names of classes of Python and its libraries, and what their messages look like.
FOREIGN = re.compile(r"Traceback|\b[A-Z]\w*(Error|Exception|Warning)\b|\[Errno|<class|object at 0x|site-packages")


def odd_file(draw: random.Random) -> str:
    """A CSV of counts that differs from a good one in zero to three ways."""
    count = draw.choice((0, 1, 2, 3, 5, 8, 12, 24, 24, 36))
    kind = draw.choice(("any", "zeros", "huge", "outlier", "one", "growing"))
    outlier = draw.choice(("100", "250000", "999999999"))
    picked = {
        "any": lambda k: str(draw.randrange(400)), "zeros": lambda k: "0", "huge": lambda k: str(10**9 - k % 2),
        "outlier": lambda k: outlier if k == count // 2 else str(5 * k % 11),
        "one": lambda k: "7", "growing": lambda k: str(2**k),
    }[kind]  # fmt: skip
    rows = [[f"{2000 + k}-01-01", f"{2000 + k}-12-31", picked(k), "1"] for k in range(count)]
    exposure = draw.choice(EXPOSURES)
    for row in rows:
        row[3] = exposure
    for _ in range(draw.choice((0, 0, 1, 2, 3)) if rows else 0):
        row = draw.choice(rows)
        row[draw.randrange(4)] = draw.choice(
            (*COUNTS, *EXPOSURES, "2023-02-29", "9999-12-31", "45323", '"', "a\nb", "\0")
        )
    if draw.random() < 0.1:
        draw.shuffle(rows)
    header = ["period_start", "period_end", "value", "force"]
    if draw.random() < 0.1:
        header[draw.randrange(4)] = draw.choice(("v\u0430lue", "value", "", "Value", "\u202evalue"))
    ends, mark = draw.choice(("\n", "\n", "\r\n", "\r")), draw.choice((",", ",", ",", ",", ";", "\t"))
    text = ends.join(mark.join(row) for row in (header, *rows)) + ends
    return draw.choice(("", "", "", "\ufeff", "sep=,\n")) + text


def odd_options(draw: random.Random) -> list[str]:
    """Options of `fit`; the composite model is drawn less often, since it takes seconds."""
    options = ["--model", draw.choice((*fit.MODELS[:-1], *fit.MODELS[:-1], "composite", "zip"))]
    for name, values in (
        ("--trend", TRENDS), ("--level", LEVELS), ("--forecast", ("0", "3", "500", "-1", "10000000")),
        ("--harmonics", ("0", "1", "9", "-1", "100000")), ("--period-unit", ("year", "month", "quarter")),
        ("--seed", ("1", "-1", "99999999999999999999")), ("--exposure", ("force", "force", "nothing")),
    ):  # fmt: skip
        if draw.random() < 0.3:
            options.append(f"{name}={draw.choice(values)}")
    return options


def check_answers(seeds: Sequence[int], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in seeds:
        draw = random.Random(seed)
        path = folder / "counts.csv"
        path.write_bytes(odd_file(draw).encode("utf-8" if draw.random() < 0.95 else "utf-16"))
        command = ["fit", str(path), *odd_options(draw)] if draw.random() < 0.9 else ["score", str(path)]
        began = time.process_time()
        plain = cli.main(command)
        seconds = time.process_time() - began
        assert plain in (0, 2), f"seed {seed}: {command}"
        words = capsys.readouterr()
        assert not FOREIGN.search(words.out + words.err), f"seed {seed}: {command}"
        status = cli.main([*command, "--json"])
        done = capsys.readouterr()
        assert status == plain, f"seed {seed}: {command}"
        case = f"seed {seed}: {command}\n{done.err}"
        assert status in (0, 2), case
        assert seconds < 60, case
        assert not FOREIGN.search(done.err), case
        assert all(each.isprintable() or each == "\n" for each in done.out + done.err), case
        assert status == 0 or done.err.strip(), case
        if command[0] == "fit":
            result = json.loads(done.out)
            assert (status == 2) == bool(result["refused"]), case
            assert result["deviance"] is None or result["deviance"] >= 0, case


def test_odd_files_are_answered_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_answers(range(60), tmp_path, capsys)


@pytest.mark.slow
def test_eight_hundred_odd_files_are_answered_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_answers(range(1000, 1800), tmp_path, capsys)


@pytest.mark.parametrize("model", fit.MODELS)
@pytest.mark.parametrize("exposure", ["1e-300", "1e300"])
def test_an_exposure_in_no_usual_unit_is_refused(
    model: str, exposure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counts.csv"
    rows = [f"{year}-01-01,{year}-12-31,{year - 2000},{exposure}" for year in range(2001, 2011)]
    path.write_text("\n".join(["period_start,period_end,value,force", *rows]) + "\n")
    assert cli.main(["fit", str(path), "--model", model, "--exposure", "force"]) == 2
    assert f"counts.csv:2 (row 1): force '{exposure}' is no exposure in a usual unit" in capsys.readouterr().err


@pytest.mark.parametrize("model", fit.MODELS)
def test_exposures_in_no_one_unit_are_refused_with_both_lines(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.csv"
    rows = [f"{2000 + k}-01-01,{2000 + k}-12-31,{k + 7},{'2' if k == 4 else '1e20'}" for k in range(12)]
    path.write_text("\n".join(["period_start,period_end,value,force", *rows]))
    assert cli.main(["fit", str(path), "--model", model, "--exposure", "force"]) == 2
    refusal = r"c\.csv:6 \(row 5\): force 2 and the 1e\+20 of line \d+ are in no one unit"
    assert re.search(refusal, capsys.readouterr().err)


@pytest.mark.parametrize("model", fit.MODELS)
def test_counts_that_are_all_zero_are_refused_for_that_reason(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counts.csv"
    rows = [f"{year}-01-01,{year}-12-31,0" for year in range(2001, 2011)]
    path.write_text("\n".join(["period_start,period_end,value", *rows]) + "\n")
    assert cli.main(["fit", str(path), "--model", model]) == 2
    assert "all counts are 0" in capsys.readouterr().err


@pytest.mark.parametrize("trend", ["linear", "quadratic", "linear+step:2020-07-01", "smooth"])
@pytest.mark.parametrize("others", ["0", "7", "some"])
@pytest.mark.parametrize("model", fit.MODELS[:-1])
def test_one_huge_count_is_answered_with_a_doubt_or_refused_and_its_line_is_named(
    model: str, others: str, trend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counts.csv"
    counts = [(str((3 + 5 * k) % 11) if others == "some" else others) for k in range(24)]
    counts[13] = "250000"
    rows = [
        f"{2019 + k // 12}-{k % 12 + 1:02}-01,{2019 + k // 12}-{k % 12 + 1:02}-28,{n}" for k, n in enumerate(counts)
    ]
    path.write_text("\n".join(["period_start,period_end,value", *rows]) + "\n")
    options = ["--period-unit", "month", *([] if model == "changepoint" else ["--trend", trend, "--forecast", "6"])]
    status = cli.main(["fit", str(path), "--model", model, *options])
    done = capsys.readouterr()
    words = done.out + done.err
    assert status in (0, 2)
    assert not FOREIGN.search(words)
    assert status == 2 or "counts.csv:15 (row 14): 250,000 is " in words


def test_counts_of_every_size_are_answered_or_refused_without_a_warning_of_a_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counts.csv"
    counts = (
        "169 0 53 238 1 342 100000 0 71 192 10000 1000 0 10 100000 10000 32 1 0 0 100000000 1 384 317 0 9 0 0 12 12"
    )
    months = pd.period_range("2021-01", periods=30, freq="M")
    rows = [
        f"{month.start_time:%F},{month.end_time:%F},{n},{100_000 if month.month == 6 and month.year == 2021 else 1000}"
        for month, n in zip(months, counts.split(), strict=True)
    ]
    path.write_text("\n".join(["period_start,period_end,value,force", *rows]))
    options = ["--trend=smooth", "--period-unit=month", "--exposure=force", "--level=.8"]
    assert cli.main(["fit", str(path), "--model", "composite", *options]) in (0, 2)
    done = capsys.readouterr()
    assert not FOREIGN.search(done.out + done.err)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("\u043ebserved,predicted,quantile_level", "'\u043ebserved': did you mean 'observed'? ('\u043e' is CYRILLIC"),
        ("observed,predicted,quantile\u200b_level", "did you mean 'quantile_level'?"),
        ("observed,Predicted,sample_id", "'Predicted': did you mean 'predicted'?"),
    ],
)
def test_a_header_of_forecasts_that_looks_right_is_told_apart(
    header: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "forecasts.csv"
    path.write_text(f"{header}\n1,2,0.5\n", encoding="utf-8")
    assert cli.main(["score", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("form", ["{2}/{1}/{0}", "{1}/{2}/{0}", "{2}.{1}.{0}", "{0}-{1}-{2} 00:00:00"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_counts_of_a_spreadsheet_are_read_as_the_data_are(
    mark: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(form: str, mark: str) -> list[str]:
        days = [[f"{year}-{one}".split("-") for one in ("01-01", "12-31")] for year in range(2001, 2013)]
        rows = [mark.join([form.format(*a), form.format(*b), str(n)]) for n, (a, b) in enumerate(days)]
        (tmp_path / "counts.csv").write_text("\n".join([f"period_start{mark}period_end{mark}value", *rows]) + "\n")
        assert cli.main(["fit", str(tmp_path / "counts.csv"), "--json"]) == 0
        return capsys.readouterr().out.splitlines()

    assert write(form, mark) == write("{0}-{1}-{2}", ",")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("period_start,period_end,v\u0430lue\n", "did you mean 'value'? ('\u0430' is CYRILLIC SMALL LETTER A, U+0430)"),
        ("period_start,period_end,value\n2021-01-01,2021-12-31,5\n\"a\n", "look for a stray or missing quote"),
        ('period_start,period_end,value,note\n2021-01-01,2021-12-31,5,"a\nb"\n2022-01-01,x,5,\n', "csv:4 (row 2)"),
    ],
)  # fmt: skip
def test_a_fault_of_the_file_has_its_line_and_what_would_be_right(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(content)
    assert cli.main(["fit", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [["interval", "5", "1e-200"], ["rate-ratio", "4373", "1e-200", "527", "1e200"], ["interval", "1", "1e300"]],
)
def test_an_exposure_beyond_quotients_is_refused_by_name(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(command) == 2
    assert re.search(r"exposure is 1e[-+]\d+: give it in a unit", capsys.readouterr().err)


def test_odd_counts_and_exposures_are_answered_without_a_nan_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    counts = ("0", "1", "5", "4373", "1e9", "1e15", "9007199254740993", "1e18", "1e300", "-1", "nan", "inf", "0.5", "")
    exposures = ("1", "0.5", "1e9", "1e-300", "1e300", "1e-99", "1e99", "0", "nan", "\u0663")
    draw = random.Random(5)
    for number in range(300):
        x1, t1, x2, t2 = draw.choice(counts), draw.choice(exposures), draw.choice(counts), draw.choice(exposures)
        level = draw.choice(("0.95", "0.5", "1e-9", "0.9999999", "1", "nan"))
        midp = ["--midp"] if number % 3 == 0 else []
        for command in (["interval", x1, t1], ["rate-ratio", x1, t1, x2, t2, *midp]):
            try:
                status = cli.main([*command, "--level", level])
            except SystemExit as ended:  # what argparse refuses
                status = int(ended.code or 0)
            done = capsys.readouterr()
            assert status in (0, 2), command
            assert not re.search(rf"\bnan$|{FOREIGN.pattern}", done.out, re.MULTILINE), (command, done.out)
            assert (status == 2) == bool(done.err.strip()), command
