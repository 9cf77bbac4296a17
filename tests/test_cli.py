"""The command line as a user meets it: what it prints, where, and with which status."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from desertion import cli, figures
from desertion.project import ROOT


def desertion(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "desertion", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    path = tmp_path / "three.csv"
    rows = [f"{year}-01-01,{year}-12-31,{count}" for year, count in ((2021, 527), (2022, 887), (2023, 4373))]
    path.write_text("\n".join(["period_start,period_end,value", *rows]) + "\n", encoding="utf-8")
    return path


def test_check_of_the_projects_data_ends_well_and_says_in_one_line_what_sources_lack() -> None:
    done = desertion("check")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert re.fullmatch(
        r"no faults; sources.csv has \d+ pages, of which lack \d+ a title, \d+ a copy in an archive, \d+ the day .*",
        line,
    )


def test_check_prints_one_line_a_fault_with_file_line_column_and_value(tiny_data: Path) -> None:
    path = tiny_data / "figures.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("exact", "exactly", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = desertion("check", "--data", tiny_data)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{path}:2: bound 'exactly': ")
    assert "exact" in line.split("'exactly'")[1]
    (fault,) = json.loads(desertion("check", "--data", tiny_data, "--json").stdout)
    assert (fault["line"], fault["column"], fault["value"]) == (2, "bound", "exactly")


def test_check_names_every_fault_where_few_files_may_be_open(tiny_data: Path) -> None:
    for name in ("claims.csv", "events.csv", "hedges.csv", "identities.csv"):
        with (tiny_data / name).open("a", encoding="utf-8") as file:
            file.write("odd\n")
    command = f'ulimit -n 8; exec "{sys.executable}" -m desertion check --data "{tiny_data}"'
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == desertion("check", "--data", tiny_data).stdout
    assert {line.split("/")[-1].split(":")[0] for line in done.stdout.splitlines()} >= {
        "claims.csv", "events.csv", "hedges.csv", "identities.csv",
    }  # fmt: skip


def test_check_of_a_folder_that_is_not_there_names_it() -> None:
    done = desertion("check", "--data", "no/such/folder")
    assert done.returncode == 1
    assert "no/such/folder" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_fmt_mends_what_a_spreadsheet_left_and_check_then_passes(tiny_data: Path) -> None:
    path = tiny_data / "figures.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert desertion("check", "--data", tiny_data).returncode == 1
    assert "figures.csv" in desertion("fmt", "--data", tiny_data).stdout
    assert desertion("check", "--data", tiny_data).returncode == 0
    assert desertion("fmt", "--data", tiny_data).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--edition", "defalt"], "did you mean 'default'"),
        (["run", "03-trends", "-p", "levl=0.9"], "did you mean 'level'"),
        (["run", "03-trends", "-p", "as_of=2024-24-20"], "there is no such day"),
        (["run", "03-trendz"], "03-trendz"),
        (["claims", "--edition", "nope"], "no edition 'nope'"),
        (["rate-ratio", "5", "0", "3", "1"], "greater than 0"),
        (["interval", "-3"], "0 or more"),
        (["fit", "nowhere.csv"], "nowhere.csv"),
        (["score", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_users_mistake_gets_one_message_and_no_traceback(arguments: list[str], message: str) -> None:
    done = desertion(*arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_rate_ratio_and_interval_speak_json() -> None:
    ratio = json.loads(desertion("rate-ratio", "4373", "1", "527", "1", "--json").stdout)
    assert [round(ratio[name], 2) for name in ("ratio", "low", "high")] == [8.3, 7.58, 9.1]
    assert ratio.keys() == {"ratio", "low", "high", "p_value"}
    interval = json.loads(desertion("interval", "25", "--json").stdout)
    assert desertion("interval", "--", "-0.0").stdout.split()[:2] == ["rate", "0"]
    assert {name: round(value, 2) for name, value in interval.items()} == {"rate": 25, "low": 16.18, "high": 36.9}


def test_a_ratio_over_zero_is_null_in_json_and_not_a_number_that_looks_fine() -> None:
    assert json.loads(desertion("rate-ratio", "3", "1", "0", "1", "--json").stdout)["high"] is None


def test_fit_prints_the_trend_and_refuses_with_status_2(three: Path) -> None:
    assert "growth a year" in desertion("fit", three).stdout
    refused = desertion("fit", three, "--model", "nb2", "--json")
    assert refused.returncode == 2
    assert "3 counts for 3 parameters" in refused.stderr
    assert json.loads(refused.stdout)["refused"]["needs"]


def test_fit_refuses_a_negative_count_naming_its_row(three: Path) -> None:
    three.write_text(three.read_text().replace("887", "-887"), encoding="utf-8")
    done = desertion("fit", three, "--json")
    assert done.returncode == 2
    assert "three.csv:3" in done.stderr
    assert json.loads(done.stdout)["refused"]["reason"]


def test_the_ledger_and_the_claims_are_json_with_the_promised_fields() -> None:
    rows = json.loads(desertion("conflicts", "--json").stdout)
    assert {"id", "fact", "readings", "chosen", "rule", "effect"} <= rows[0].keys()
    reading = {"value", "measure", "period_start", "period_end", "figure_ids", "sources"}
    assert all(reading <= one.keys() for row in rows for one in row["readings"])
    claims = json.loads(desertion("claims", "--json").stdout)
    assert claims[0].keys() == {
        "id", "source", "stated", "admits", "computed", "interval", "verdict", "close", "other_reading",
        "mixed_measures",
    }  # fmt: skip
    ninefold = next(row for row in claims if row["id"] == "S02")
    assert (round(ninefold["computed"], 2), ninefold["verdict"], ninefold["admits"]) == (8.3, "overstated", [8.5, 9])
    assert ninefold["mixed_measures"] is True


def test_an_earlier_edition_knows_less() -> None:
    now = json.loads(desertion("conflicts", "--json").stdout)
    then = json.loads(desertion("conflicts", "--edition", "2023-12-31", "--json").stdout)
    assert 0 < len(then) < len(now)


#: What a terminal would run, turn or hide, and what a spreadsheet would run.
NASTY = "=cmd()|'x'!A0\x1b[31m\u202eturned\x07\x9b2J<script>"


def is_plain(text: str) -> bool:
    return all(each.isprintable() or each == "\n" for each in text)


def test_a_terminal_is_shown_bad_text_of_the_data_and_runs_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = figures.load()
    table, sources = known.figures.copy(), known.sources.copy()
    table[["publisher", "compiler"]] += NASTY
    sources["publisher"] += NASTY
    monkeypatch.setattr(figures, "load", lambda **_: replace(known, figures=table, sources=sources))
    assert cli.main(["conflicts"]) == 0
    plain = capsys.readouterr().out
    assert cli.main(["conflicts", "--json"]) == 0
    as_json = capsys.readouterr().out
    assert is_plain(plain)
    assert is_plain(as_json)
    assert "[U+001B][31m[U+202E]turned[U+0007][U+009B]2J<script>" in plain
    assert any(NASTY in row["title"] for row in json.loads(as_json))


def test_a_message_shows_bad_text_of_a_file_and_runs_none(tiny_data: Path, tmp_path: Path) -> None:
    path = tiny_data / "figures.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    rows[0] = rows[0].replace("exact", NASTY, 1)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    checked = desertion("check", "--data", tiny_data)
    assert checked.returncode == 1
    assert is_plain(checked.stdout)
    nasty = tmp_path / "x\x1b[31m.csv"
    nasty.write_text(f"period_start,period_end,value\n2021-01-01,2021-12-31,{NASTY}\n", encoding="utf-8")
    for command in ("fit", "score"):
        done = desertion(command, nasty)
        assert done.returncode in (1, 2)
        assert done.stderr
        assert is_plain(done.stdout + done.stderr)
    assert is_plain(desertion("run", f"x{NASTY}").stderr)
