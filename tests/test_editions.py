"""Editions: what their files may say, and that every one builds and shows nothing that was learnt later."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from support import overlaps

from desertion import figures, params
from desertion import notebook as nb
from desertion.engine import accept
from desertion.errors import UserError
from desertion.project import BUILD, ROOT


def write(folder: Path, text: str) -> Path:
    (folder / "mine.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", params.names())
def test_every_edition_of_the_project_is_valid_for_every_notebook(name: str) -> None:
    edition = params.edition(name)
    for path in nb.paths():
        cell = params.of(path.stem)
        assert edition.overrides(cell).keys() <= set(cell.names)


def test_the_default_edition_overrides_nothing_so_a_notebook_s_own_defaults_stand() -> None:
    edition = params.edition("default")
    assert [edition.overrides(params.of(path.stem)) for path in nb.paths()] == [{}] * len(nb.paths())
    assert (edition.as_of, edition.undated_lag_days, edition.rule) == (None, 60, "own-page-first")


def test_an_edition_reaches_the_notebooks_that_have_the_parameter_and_only_those(tmp_path: Path) -> None:
    write(tmp_path, "title: T\nparameters: {as_of: 2024-03-20, seed: 7}\nnotebooks: {03-trends: {level: 0.9}}\n")
    edition = params.edition("mine", tmp_path)
    assert edition.as_of == date(2024, 3, 20)
    assert edition.overrides(params.of("03-trends")) == {"as_of": "2024-03-20", "seed": 7, "level": 0.9}
    assert edition.overrides(params.of("01-figures")) == {"as_of": "2024-03-20"}
    assert edition.overrides(params.of("05-sensitivity")) == {"as_of": "2024-03-20", "seed": 7}


def test_an_edition_may_set_any_parameter_that_a_notebook_has(tmp_path: Path) -> None:
    write(tmp_path, "title: T\nparameters: {places: [Komi]}\n")
    edition = params.edition("mine", tmp_path)
    assert edition.overrides(params.of("07-people")) == {"places": ["Komi"]}
    assert edition.overrides(params.of("03-trends")) == {}


def test_a_title_that_looks_like_a_number_or_a_day_is_a_text(tmp_path: Path) -> None:
    assert params.edition("mine", write(tmp_path, "title: 2024\ndescription: 2024-03-20")).title == "2024"
    assert params.edition("mine", tmp_path).description == "2024-03-20"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("parameters: {as_off: 2024-03-20}", ["parameters: as_off: no notebook has this", "did you mean 'as_of'"]),
        ("parameters: {as_of: 2024-24-20}", ["mine.yml", "as_of = '2024-24-20': there is no such day"]),
        ("parameters: {as_of: 20240320}", ["as_of = 20240320", "a day as 'YYYY-MM-DD'"]),
        ("parameters: {start: 2025-01-01, end: 2024-01-01}", ["start 2025-01-01 is after end 2024-01-01"]),
        ("parameters: {end: 2020-01-01}", ["05-sensitivity: start 2021-01-01 is after end 2020-01-01"]),
        ("parameters: {articles: ['373']}", ["articles = ['373']", "not an article"]),
        ("parameters: {articles: [338+337]}", ["ascending order"]),
        ("parameters: {articles: [337]}", ["articles = [337]: item 1, 337, must be a text (in quotes)"]),
        ("parameters: {articles: null}", ["03-trends: articles = None: must be a list"]),
        ("parameters: {measures: [verdict]}", ["'verdict'", "did you mean 'verdicts'"]),
        ("parameters: {level: 95}", ["level = 95", "less than 1, such as 0.95"]),
        ("parameters: {level: '0.95'}", ["level = '0.95'", "a number"]),
        ("parameters: {undated_lag_days: 60.5}", ["undated_lag_days = 60.5", "a whole number"]),
        ("parameters: {undated_lag_days: true}", ["undated_lag_days = True"]),
        ("parameters: {incomplete: yes}", ["incomplete = 'yes': must be true or false"]),
        ("parameters: {rule: newest}", ["rule = 'newest'", "own-page-first"]),
        ("parameters: {compilers: []}", ["an empty list selects nothing"]),
        ("parameters: {bound_reading: rounded}", ["did you mean 'rounding'"]),
        ("parameters: {out: plots}", ["out: no notebook has this parameter"]),
        ("parameters: [1]", ["parameters = [1]: must be a mapping"]),
        ("notebooks: {03-trend: {level: 0.9}}", ["'03-trend'", "did you mean '03-trends'"]),
        ("notebooks: {03-trend: false}", ["'03-trend'", "did you mean '03-trends'"]),
        ("notebooks: {03-trends: no}", ["03-trends = 'no'", "or false to leave the notebook out"]),
        ("notebooks: {03-trends: {assumed_dispersion: 0}}", ["03-trends: assumed_dispersion = 0"]),
        ("notebooks: {03-trends: {reads: []}}", ["no parameter 'reads'"]),
        ("notebook: {}", ["unknown key 'notebook'", "did you mean 'notebooks'"]),
        ("parameters: [1", ["mine.yml:3: not YAML"]),
        ("title: U", ["mine.yml:2: title stands twice"]),
        ("description: \"a\\u202Eb\"", ["description: the invisible character U+202E"]),
        ("description: [a]", ["description: must be a text"]),
        ("parameters: &a {level: 0.9}\nnotebooks: {03-trends: *a}", ["mine.yml:2: not YAML: anchors and aliases"]),
        (f"parameters: {{rule: {'x' * 5000}}}", ["rule = 'xxx"]),
    ],
)  # fmt: skip
def test_a_wrong_edition_names_the_parameter_the_value_and_what_is_allowed(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    write(tmp_path, f"title: T\n{text}\n")
    with pytest.raises(UserError) as error:
        params.edition("mine", tmp_path)
    for part in parts:
        assert part in str(error.value)
    assert all(len(line) < 400 for line in str(error.value).splitlines())


def test_an_edition_without_title_and_an_unknown_edition_are_refused(tmp_path: Path) -> None:
    for title in ("", "title:", "title: ' '", 'title: "a\\nb"', 'title: "a\\u200Bb"', "title: [a]"):
        write(tmp_path, f"{title}\nparameters: {{}}")
        with pytest.raises(UserError, match="title: "):
            params.edition("mine", tmp_path)
    with pytest.raises(UserError, match="no edition 'main': did you mean 'mine'"):
        params.edition("main", tmp_path)
    with pytest.raises(UserError, match="no edition"):
        params.edition("../mine", tmp_path)


def test_an_edition_may_leave_a_notebook_out_but_not_all(tmp_path: Path) -> None:
    write(tmp_path, "title: T\nnotebooks: {04-comparisons: false}")
    assert params.edition("mine", tmp_path).left_out == {"04-comparisons"}
    write(tmp_path, f"title: T\nnotebooks: {{{', '.join(f'{path.stem}: false' for path in nb.paths())}}}")
    with pytest.raises(UserError, match="all are left out"):
        params.edition("mine", tmp_path)


@pytest.mark.parametrize(
    "text", ["parameters: {seed: 7}", "notebooks: {03-trends: {seed: 7}}", "notebooks: {03-trends: false}"]
)
def test_outputs_are_accepted_of_an_edition_that_overrides_nothing_only(tmp_path: Path, text: str) -> None:
    edition = params.edition("mine", write(tmp_path, f"title: T\n{text}"))
    with pytest.raises(
        UserError, match="edition 'mine' overrides parameters, and stored outputs are those of the defaults"
    ):
        accept.accept(edition)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in params.names() if name != "default"])
def test_an_earlier_edition_builds_from_what_was_known(name: str) -> None:
    command = [sys.executable, "-m", "desertion", "build", "--edition", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = figures.load(as_of=params.edition(name).as_of)
    known = {*data.figures.index, *data.context.index, *data.events.index}
    for path in (BUILD / name / "plots").glob("*.json"):
        assert set(json.loads(path.read_text(encoding="utf-8"))["ids"]) <= known
    for path in (BUILD / name / "plots").glob("*.csv"):
        assert overlaps.published(path) == []
