"""Parameters: defaults, overrides, and what a wrong one says before anything runs."""

import contextlib
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import params
from desertion.errors import UserError


def write(folder: Path, text: str) -> Path:
    (folder / "mine.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", params.names())
def test_every_edition_of_the_project_is_valid_for_every_notebook(name: str) -> None:
    edition = params.edition(name)
    for stem in params.NOTEBOOKS:
        assert edition.for_notebook(stem).keys() == params.NOTEBOOKS[stem].model_fields.keys()


def test_an_edition_reaches_the_notebooks_that_have_the_parameter_and_only_those(tmp_path: Path) -> None:
    write(tmp_path, "title: T\nparameters: {as_of: 2024-03-20, seed: 7}\nnotebooks: {03-trends: {level: 0.9}}\n")
    edition = params.edition("mine", tmp_path)
    assert edition.as_of == date(2024, 3, 20)
    assert edition.for_notebook("03-trends") | {"as_of": "2024-03-20", "seed": 7, "level": 0.9} == (
        edition.for_notebook("03-trends")
    )
    assert "seed" not in edition.for_notebook("01-figures")
    assert edition.for_notebook("05-sensitivity")["level"] == 0.95


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("parameters: {as_off: 2024-03-20}", ["as_off", "unknown parameter", "did you mean 'as_of'"]),
        ("parameters: {as_of: 2024-24-20}", ["mine.yml", "month must be in 1..12"]),
        ("parameters: {start: 2025-01-01, end: 2024-01-01}", ["start 2025-01-01 is after end 2024-01-01"]),
        ("parameters: {articles: ['373']}", ["articles.0 = '373'", "not an article"]),
        ("parameters: {articles: [338+337]}", ["ascending order"]),
        ("parameters: {measures: [verdict]}", ["'verdict'", "did you mean 'verdicts'"]),
        ("parameters: {level: 95}", ["level = 95", "less than 1"]),
        ("parameters: {level: '0.95'}", ["level = '0.95'", "valid number"]),
        ("parameters: {undated_lag_days: 60.5}", ["undated_lag_days = 60.5", "valid integer"]),
        ("parameters: {undated_lag_days: true}", ["undated_lag_days = True"]),
        ("parameters: {rule: newest}", ["rule = 'newest'", "own-page-first"]),
        ("parameters: {compilers: []}", ["an empty list selects nothing"]),
        ("parameters: {bound_reading: rounded}", ["did you mean 'rounding'"]),
        ("notebooks: {03-trend: {level: 0.9}}", ["'03-trend'", "did you mean '03-trends'"]),
        ("notebooks: {03-trends: {assumed_dispersion: 0}}", ["03-trends: assumed_dispersion = 0"]),
        ("notebook: {}", ["notebook: unknown parameter", "did you mean 'notebooks'"]),
        ("parameters: [1", ["not a YAML file"]),
    ],
)
def test_a_wrong_edition_names_the_parameter_the_value_and_what_is_allowed(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    write(tmp_path, f"title: T\n{text}\n")
    with pytest.raises(UserError) as error:
        params.edition("mine", tmp_path)
    for part in parts:
        assert part in str(error.value)


def test_an_edition_without_title_and_an_unknown_edition_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "parameters: {}")
    with pytest.raises(UserError, match="title: missing"):
        params.edition("mine", tmp_path)
    with pytest.raises(UserError, match="no edition 'main'; did you mean 'mine'"):
        params.edition("main", tmp_path)
    with pytest.raises(UserError, match="no edition"):
        params.edition("../mine", tmp_path)


def test_all_faults_of_an_edition_are_told_at_once() -> None:
    with pytest.raises(UserError) as error:
        params.check_overrides("03-trends", {"level": 2, "seed": -1, "colour": "red"})
    assert len(str(error.value).splitlines()) == 3


def test_command_line_assignments_are_read_as_yaml() -> None:
    values = params.parse_assignments("03-trends", ["level=0.9", "articles=[337, 338]", "as_of=2024-03-20"])
    checked = params.check_overrides("03-trends", values)
    assert (checked["level"], checked["articles"], checked["as_of"]) == (0.9, ["337", "338"], "2024-03-20")
    with pytest.raises(UserError, match="NAME=VALUE"):
        params.parse_assignments("03-trends", ["level"])


def test_a_notebook_that_lacks_a_parameter_is_told_which() -> None:
    with pytest.raises(UserError, match="lacks as_of"):
        params.read("02-claims", {"undated_lag_days": 60, "level": 0.95})


NAMES = st.text(max_size=8) | st.sampled_from(sorted(params.TrendsNotebook.model_fields))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=4))


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_nothing_but_a_user_error_comes_of_arbitrary_overrides(values: dict[str, object]) -> None:
    with contextlib.suppress(UserError):
        checked = params.check_overrides("03-trends", values)
        assert checked.keys() == params.TrendsNotebook.model_fields.keys()
        json.dumps(checked, allow_nan=False)
