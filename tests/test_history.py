"""The card of a number: what it is in other editions and was at each release, from stored records."""

import json
from pathlib import Path

import pytest

from desertion import params, sentences
from desertion.changes import history as stored
from desertion.changes.states import State
from desertion.entries import Entry
from desertion.errors import UserError
from desertion.report import content, history
from desertion.report.page import PageWriter

TEMPLATE = "From {n:,.0f} to {r.high:.1f}, {n:,.0f} again."
RECORD = {"id": "grew", "template": TEMPLATE, "withheld": False, "ids": ["F1"], "when": "n > 0", "values": {"n": 1}}


def test_the_fields_of_a_sentence_have_the_numbers_that_stand_in_it() -> None:
    assert sentences.filled("From 1,000 to 8.2, 1,000 again.", RECORD) == {
        "n:,.0f": "1,000", "r.high:.1f": "8.2", "n:,.0f (2)": "1,000",
    }  # fmt: skip
    assert sentences.filled("Other words.", RECORD) is None
    assert sentences.filled("From 1 to 2, 1 again.", RECORD | {"withheld": True}) is None


def write(path: Path, **numbers: dict[str, dict[str, str]]) -> None:
    editions = {name: {"title": f"Of {name}", "data": "d1", "numbers": each} for name, each in numbers.items()}
    path.write_text(json.dumps({"editions": editions, "releases": {"v1": {"numbers": {"03 grew": {"x": "7"}}}}}))


def test_each_state_with_the_sentence_is_a_line_and_the_edition_itself_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FILE", tmp_path / "history.json")
    assert history.load("default", "d1").of("03", "grew", "x") == ()
    write(history.FILE, default={"03 grew": {"x": "9"}}, early={"03 grew": {"x": "8"}}, bare={"03 grew": {}}, none={})
    assert history.load("default", "d1").of("03", "grew", "x") == (
        "Of early: 8", "Of bare: not enough data", "Release v1: 7",
    )  # fmt: skip
    assert history.load("early", "d2").of("03", "grew", "x")[0] == "Of default (before the last change of the data): 9"
    assert history.load("default", "d1").of("03", "grew", "y") == ("Of bare: not enough data",)


@pytest.mark.parametrize("text", ["{", "[]", '{"editions": {"a": {}}, "releases": {}}', '{"editions": {}}', "1"])
def test_a_damaged_file_is_named_with_the_command_that_writes_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FILE", tmp_path / "history.json")
    history.FILE.write_text(text)
    with pytest.raises(UserError, match=r"history\.json: damaged: `desertion accept --editions` writes it anew"):
        history.load("default", "d1")


def test_the_link_of_a_number_refers_to_its_lines_and_one_without_lines_to_none() -> None:
    earlier = history.History({"Of early": {"03 grew": {"r.high:.1f": '8"2'}}})
    block = content.sentence("From 1 to 2.0, 1 again.", RECORD, earlier, "03")
    assert isinstance(block, content.SentenceBlock)
    statement: Entry = {"id": "F1", "printed": "1"}
    writer = PageWriter([statement])
    html = writer.fill(writer.sentence(block))
    assert html.count("data-was") == 1
    assert 'data-was="Of early: 8&#34;2"' in html


def test_the_numbers_of_every_edition_and_of_each_tag_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state(number: str) -> State:
        output = {
            "output_type": "display_data", "data": {"text/markdown": f"From {number} to 2.0, {number} again."},
            "metadata": {"desertion": {"sentence": RECORD}},
        }  # fmt: skip
        cell = {"cell_type": "code", "id": "a", "source": "", "metadata": {}, "outputs": [output]}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        return State(number, {"notebooks/03.ipynb": json.dumps(notebook).encode()}, {}, committed=True)

    def load(name: str) -> State:
        if name == "refs/tags/old":
            return State("old", {}, {}, committed=True)  # from before there were records
        return state("5")

    built: list[str] = []
    monkeypatch.setattr(history, "FILE", tmp_path / "history.json")
    monkeypatch.setattr(stored, "build", lambda edition, **_: built.append(edition.name))
    monkeypatch.setattr(stored.states, "built", lambda _: state("6"))
    monkeypatch.setattr(stored.states, "load", load)
    monkeypatch.setattr(stored.git, "text", lambda *_: "old\nv1")
    assert stored.store()
    assert not stored.store(), "the same content is not written again"
    assert built[: len(params.names())] == params.names()
    kept = json.loads(history.FILE.read_text())
    assert list(kept["editions"]) == params.names()
    assert kept["editions"]["default"]["numbers"]["03 grew"]["n:,.0f"] == "6"
    assert list(kept["releases"]) == ["v1"]
    assert history.load("default", "").of("03", "grew", "r.high:.1f")[-1] == "Release v1: 2.0"
