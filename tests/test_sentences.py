"""Sentences whose words carry a condition, and what a build reads of them in a notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import sentences
from desertion.errors import UserError
from desertion.trends import Refused, exact

WORDS = "Cases grew about eightfold (×{r.ratio:.1f}, {r.low:.1f} to {r.high:.1f})."
WHEN = "7.5 <= r.ratio < 8.5"


def notebook(folder: Path, name: str, *printed: sentences.Sentence) -> Path:
    """A notebook as a run leaves it: one code cell a sentence, after a cell that papermill added."""

    def cell(number: int, outputs: list[dict[str, Any]], **metadata: Any) -> dict[str, Any]:
        code = {"cell_type": "code", "source": "", "execution_count": number, "id": f"cell-{number}"}
        return {**code, "metadata": metadata, "outputs": outputs}

    cells = [cell(1, [], tags=["injected-parameters"])]
    for number, one in enumerate(printed, 2):
        output = {"output_type": "display_data", "data": {"text/markdown": one.text}}
        cells.append(cell(number, [{**output, "metadata": {"desertion": {"sentence": one.record()}}}]))
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    return path


def test_a_sentence_is_filled_while_its_condition_holds() -> None:
    one = sentences.sentence("growth", WORDS, when=WHEN, ids="F083 F085", r=exact.rate_ratio(5024, 1, 615, 1))
    assert one.text == "Cases grew about eightfold (×8.2, 7.5 to 8.9)."
    assert (one.withheld, one.ids, dict(one.values)) == (False, ("F083", "F085"), {"r.ratio": 8.169})


def test_a_changed_figure_withholds_the_right_sentence(tmp_path: Path) -> None:
    """The one whose words no longer fit, with the value it was accepted with beside the new one."""

    def both(count: int) -> list[sentences.Sentence]:
        r = exact.rate_ratio(count, 1, 615, 1)
        return [
            sentences.sentence("growth", WORDS, when=WHEN, r=r),
            sentences.sentence("rise", "More cases than before ({n}).", when="n > 615", n=count),
        ]

    accepted = notebook(tmp_path, "stored", *both(5024))
    changed = notebook(tmp_path, "03-trends", *both(5424))
    assert sentences.withheld(accepted) == []
    (sentence,) = sentences.withheld(changed, accepted)
    assert str(sentence) == (
        "03-trends, cell 1: sentence 'growth' needs 7.5 <= r.ratio < 8.5; r.ratio was 8.169, is 8.82"
    )
    (new,) = sentences.withheld(changed)
    assert str(new).endswith("r.ratio is 8.82")


def test_a_withheld_sentence_says_so_in_its_place() -> None:
    one = sentences.sentence("growth", WORDS, when=WHEN, r=exact.rate_ratio(9000, 1, 615, 1))
    assert one.withheld
    assert one.text == ("*A sentence is withheld here: its words need `7.5 <= r.ratio < 8.5`, and r.ratio is 14.63.*")


@pytest.mark.parametrize("missing", [None, Refused("too few counts", "more")])
def test_a_number_that_does_not_exist_withholds_the_sentence(missing: Any) -> None:
    assert sentences.sentence("growth", WORDS, when=WHEN, r=missing).withheld
    assert sentences.sentence("rise", "{n} of {total}", when="n > 1", n=5, total=missing).withheld
    nan = sentences.sentence("rise", "{n}", when="n > 1", n=float("nan"))
    assert (nan.withheld, dict(nan.values)) == (True, {"n": None})


@pytest.mark.parametrize(
    ("template", "when", "message"),
    [
        ("{n}", "n > ", "cannot be read"),
        ("{n}", "m > 1", "names m, which is not given"),
        ("{n}", "2 > 1", "could never fail"),
        ("{n}", "n", "could never fail"),
        ("{m}", "n > 1", "cannot be filled"),
        ("{n:%Q}", "n > 1", "cannot be filled"),
        ("{n}", "n.ratio > 1", "cannot be computed"),
        ("{n}", "n > 'a'", "cannot be computed"),
        ("{n}", "__import__('os') > n", "names __import__"),
    ],
)
def test_a_slip_in_a_sentence_is_told_with_its_name(template: str, when: str, message: str) -> None:
    with pytest.raises(UserError, match=f"sentence 'slip': .*{message}"):
        sentences.sentence("slip", template, when=when, n=5)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_sentence_is_withheld_exactly_when_its_condition_is_false(a: float, b: float) -> None:
    one = sentences.sentence("order", "{a} {b}", when="a < b and abs(a) >= 0", a=a, b=b)
    assert one.withheld == (not a < b)
    assert json.loads(json.dumps(one.record())) == one.record()


def test_the_ids_of_each_number_are_kept_apart_where_they_are_told_apart() -> None:
    one = sentences.sentence("s", "{a} of {b}", when="a < b", a=1, b=2, ids={"a": "F1", "b": "F1 F2"})
    assert one.ids == ("F1", "F2")
    assert one.record()["by"] == {"a": ["F1"], "b": ["F1", "F2"]}
    assert "by" not in sentences.sentence("s", "{a} of {b}", when="a < b", a=1, b=2, ids="F1 F2").record()
    with pytest.raises(UserError, match="sentence 's': ids are given for c, which is no value of it"):
        sentences.sentence("s", "{a} of {b}", when="a < b", a=1, b=2, ids={"c": "F1"})


def test_two_sentences_of_one_name_are_refused(tmp_path: Path) -> None:
    one = sentences.sentence("rise", "{n}", when="n > 1", n=5)
    with pytest.raises(UserError, match="two sentences have the name 'rise'"):
        sentences.records(notebook(tmp_path, "twice", one, one))


def test_say_shows_a_paragraph_with_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda data, metadata: shown.append((data, metadata)))
    sentences.say("rise", "More than before: {n}.", when="n > 1", n=5, ids="F001")
    ((data, metadata),) = shown
    assert data == {"text/markdown": "More than before: 5.", "text/plain": "More than before: 5."}
    assert metadata["desertion"]["sentence"]["ids"] == ["F001"]


def test_a_refused_value_withholds_the_sentence_and_gives_its_reason_under_its_heading() -> None:
    refused = Refused("no count of 2021 is known", "that count")
    one = sentences.sentence(
        "growth", "**How fast.** It grew {r.ratio:.1f}-fold.", when="r.ratio > 1", r=refused, ids=refused.ids
    )
    assert one.withheld
    assert one.text == ("**How fast.** *A sentence is withheld here: no count of 2021 is known (needs: that count).*")
    assert one.record()["why"] == "no count of 2021 is known (needs: that count)"
    withheld = sentences.Withheld("03-trends", 7, one.id, one.template, one.when, None, one.values, one.why)
    assert str(withheld) == f"03-trends, cell 7: sentence 'growth' is withheld: {one.why}"


def test_the_lead_of_a_withheld_sentence_ends_like_a_heading() -> None:
    assert sentences.sentence("next", "**What comes next** is {n}.", when="n > 1", n=0).text.startswith(
        "**What comes next.** *A "
    )
    assert sentences.sentence("next", "**{n}** is much.", when="n > 1", n=0).text.startswith("*A sentence is withheld")


def test_a_word_for_one_and_a_word_for_many() -> None:
    words = "{n} {n:place|places}, {x:.1f}"
    assert [sentences.sentence("s", words, when="x > 1", n=n, x=2.0).text for n in (0, 1, 2)] == [
        "0 places, 2.0", "1 place, 2.0", "2 places, 2.0",
    ]  # fmt: skip


VERSIONS = [("Cases rose from {a} to {b}.", "b > a"), ("Cases fell to {b}.", "b < a"), ("At least {c} cases.", "c > 0")]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"a": 1, "b": 2, "c": 3}, "Cases rose from 1 to 2."),
        ({"a": 2, "b": 1, "c": 3}, "Cases fell to 1."),
        ({"a": 2, "b": 2, "c": 3}, "At least 3 cases."),
        ({"a": Refused("too few", "more"), "b": 2, "c": 3}, "At least 3 cases."),
    ],
)
def test_the_first_version_that_holds_is_shown_on_its_own_values(values: dict[str, Any], text: str) -> None:
    one = sentences.first("s", VERSIONS, {"a": "F1", "c": "F3"}, **values)
    assert (one.text, one.withheld, one.why) == (text, False, "")
    assert one.ids == (("F3",) if "least" in text else ("F1",) if "rose" in text or "fell" in text else ())
    assert sentences.filled(one.text, one.record()) is not None


def test_where_no_version_holds_the_first_is_withheld_with_its_reason() -> None:
    one = sentences.first("s", VERSIONS, a=2, b=2, c=Refused("nothing was counted", "a count"))
    assert one.withheld
    assert one.text == "*A sentence is withheld here: its words need `b > a`, and b is 2, a is 2.*"


def test_a_version_that_names_no_value_or_ids_of_none_is_a_mistake() -> None:
    with pytest.raises(UserError, match="names d, which is not given"):
        sentences.first("s", [*VERSIONS, ("{c}", "d > 0")], a=1, b=2, c=3)
    with pytest.raises(UserError, match="ids are given for d, which is no value of it"):
        sentences.first("s", VERSIONS, {"d": "F1"}, a=1, b=2, c=3)


def test_a_recipe_says_how_a_number_was_computed_by_field_or_by_value() -> None:
    r = exact.rate_ratio(5024, 1, 615, 1)
    how = {"r.ratio": "{new:,} ÷ {old}", "r": "exact, at 95 %"}
    one = sentences.sentence("growth", WORDS, when=WHEN, recipes=how, r=r, new=5024, old=615)
    kept = one.record()["recipes"]
    assert kept == {"r.ratio": "5,024 ÷ 615", "r": "exact, at 95 %"}
    assert [sentences.by_field(kept, field) for field in ("r.ratio", "r.low", "n")] == [
        "5,024 ÷ 615", "exact, at 95 %", None,
    ]  # fmt: skip
    assert "recipes" not in sentences.sentence("growth", WORDS, when="r.ratio > 99", recipes=how, r=r).record()
    with pytest.raises(UserError, match=r"'growth': the template '\{new\} ÷ \{gone\}' cannot be filled"):
        sentences.sentence("growth", WORDS, when=WHEN, recipes={"r": "{new} ÷ {gone}"}, r=r, new=1)


def test_each_version_of_a_sentence_takes_its_own_recipes_and_one_of_none_is_named() -> None:
    versions = [("{a} rose", "a > 9"), ("{b} in all", "b > 0")]
    one = sentences.first("sum", versions, recipes={"b": "{c} + {d}", "a": "{e}"}, a=1, b=5, c=2, d=3, e=1)
    assert (one.text, dict(one.recipes)) == ("5 in all", {"b": "2 + 3"})
    with pytest.raises(UserError, match="'sum': a recipe is given for z, which no template names"):
        sentences.first("sum", versions, recipes={"z": "1"}, a=1, b=5)


def test_a_value_brings_its_statements_and_recipes_along_and_the_sentence_may_give_others() -> None:
    class Known(NamedTuple):
        ratio: float
        ids: str
        recipes: dict[str, str]

    r, other = Known(8.3, "F1 F2", {"ratio": "5 ÷ 3", "low": "not shown"}), Known(2.0, "F3", {"ratio": "4 ÷ 2"})
    one = sentences.first("s", [("{r.ratio} {other.ratio} {n}", "r.ratio > 1")], r=r, other=other, n=1)
    assert one.by == {"r": ("F1", "F2"), "other": ("F3",)}
    assert one.recipes == {"r.ratio": "5 ÷ 3", "other.ratio": "4 ÷ 2"}
    own = sentences.first("s", [("{r.ratio}", "r.ratio > 1")], ids="F9", recipes={"r.ratio": "mine"}, r=r)
    assert (own.ids, own.by, own.recipes) == (("F9",), {}, {"r.ratio": "mine"})
