"""Progress without a terminal."""

import re
import time

import pytest

from desertion.engine import display


def test_without_a_terminal_a_line_says_what_runs_while_nothing_else_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert display._EVERY <= 15
    monkeypatch.setattr(display, "_EVERY", 0.3)
    with display.Display(3) as progress:
        progress.cell("01-a", 1, 4)
        progress.step("02-b")
        time.sleep(0.75)
        progress.end("01-a", "ran in 1.0 s")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for line in lines[:2]:
        assert re.fullmatch(r"\.\.\. 1 of 3 done after \d s \(01-a cell 1/4\)", line)
    assert lines[2] == "01-a  ran in 1.0 s"
    time.sleep(0.5)
    assert capsys.readouterr().err == "", "nothing is printed afterwards"


def test_the_page_is_named_while_it_is_made(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_EVERY", 0.2)
    with display.Display(1, "making the page") as progress:
        progress.cell("report.html", 0, 1)
        time.sleep(0.3)
    assert re.fullmatch(r"\.\.\. 0 of 1 done after \d s \(report\.html\)\n", capsys.readouterr().err)
