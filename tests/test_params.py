"""Parameters: what each may be, what a notebook's cell declares, and what a wrong one says before anything runs."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.notebooks import write as write_notebook

from desertion import notebook as nb
from desertion import params
from desertion.errors import UserError
from desertion.params import known, types
from desertion.project import NOTEBOOKS, ROOT

NAN, INF = float("nan"), float("inf")
#: Of no type that a well-known parameter has.
NEVER = [
    {},
    {"a": 1},
    ("337",),
    date(2024, 3, 20),
    b"337",
    NAN,
    INF,
    -INF,
    10**400,
    [None],
    [True],
    [["337"]],
    "\ud800",
]
WHOLE = [True, False, 60.0, "60", None, [], 10**40, -1]
LISTS = [[], ["337", "337"], [337], "337", 337, True, None]
DAYS = ["2024-03-20", "0001-01-01", "2024-02-29"]
NO_DAYS = ["2024-3-20", "20240320", "2024-W12-3", "2024-02-30", "2023-02-29", " 2024-03-20", "2024-03-20T00:00:00", "",
           "86400", "٢٠٢٤-٠٣-٢٠", 0, 20240320, True, [], "today"]  # fmt: skip
#: Well-known parameter → what it may be, and what not; of lists that may be None, None is among the first.
VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "as_of": ([None, *DAYS], NO_DAYS),
    "start": (DAYS, [*NO_DAYS, None]),
    "end": (["2030-01-01", "9999-12-31"], [*NO_DAYS, None]),
    "undated_lag_days": ([0, 1, 60, 3650], [*WHOLE, 3651]),
    "rule": (["own-page-first", "latest-first", "most-sources"], ["newest", "Latest-first", "", None, 1, []]),
    "bound_reading": (["rounding", "one-sided"], ["rounded", "", None, True]),
    "level": ([0.50001, 0.9, 0.999999], [0.5, 1.0, 1, 0, 95, "0.95", True, None, []]),
    "seed": ([0, 1, 20240320, 2**32 - 1], [*WHOLE, 2**32]),
    "assumed_dispersion": ([1, 1.0, 50.0, 1000], [0, 0.99, 1000.5, "50", True, None]),
    "incomplete": ([True, False], [0, 1, "true", "yes", None]),
    "minimum_df": ([1, 5, 100], [*WHOLE, 0, 101]),
    "running_totals": (["totals", "rebased", "differences", "drop"], ["Drop", "first", "", None]),
    "reporting_delay": ([0, 0.0, 5.5, 365], [-0.1, 365.5, "5", True, None]),
    "forecast_months": ([1, 12, 60], [*WHOLE, 0, 61]),
    "other_offences": ([None, 0, 3137, 4000], [True, False, 60.0, "60", [], 10**40, -1, 4001]),
    "specifications": ([1, 600, 20_000], [*WHOLE, 0, 20_001]),
    "articles": (
        [["337"], ["337", "338"], ["337+338+339"], ["ch33"], ["ch33+34"], ["all"], ["none"], ["351"]],
        [*LISTS, ["373"], ["360"], ["337.1"], ["338+337"], ["337+337"], [""], ["verdicts"]],
    ),
    "measures": (
        [["verdicts"], ["verdicts", "persons_convicted"], ["wanted"]],
        [*LISTS, ["verdict"], ["Verdicts"], ["verdicts", "verdicts"], [""]],
    ),
    "places": ([None, ["Komi"], ["Komi", "Moscow Oblast"]], [["Kommi"], *(each for each in LISTS if each is not None)]),
    "compilers": ([None, ["Mediazona"], ["Mediazona", "Proekt"]], [each for each in LISTS if each is not None]),
}


def holders(name: str) -> list[params.ParametersCell]:
    cells = [params.of(path.stem) for path in nb.paths()]
    return [cell for cell in cells if name in cell.names]


def fits(cell: params.ParametersCell, name: str, value: object) -> bool:
    try:
        cell.check({name: value})
    except UserError:
        return False
    return True


@pytest.mark.parametrize("name", VALUES)
def test_a_well_known_parameter_accepts_and_refuses_the_same_values_in_every_notebook(name: str) -> None:
    accepted, refused = VALUES[name]
    cells = holders(name)
    assert cells, "no notebook has it"
    for cell in cells:
        for value in accepted:
            handed = cell.check({name: value})[name]
            assert handed == value
            assert json.loads(json.dumps(handed, allow_nan=False)) == value
        for value in [*refused, *NEVER]:
            optional = cell.parameters[name].annotation.optional
            assert fits(cell, name, value) == (optional and value is None), f"{name} = {value!r}"


def test_the_table_of_values_has_every_well_known_parameter() -> None:
    assert VALUES.keys() | {known.READS, known.OUT} == known.REGISTRY.keys()


def test_a_whole_number_arrives_as_a_float_where_one_is_due() -> None:
    handed = params.of("03-trends").check({"assumed_dispersion": 10})["assumed_dispersion"]
    assert (handed, type(handed)) == (10.0, float)


def test_start_is_not_after_end_whichever_of_the_two_is_set() -> None:
    cell = params.of("05-sensitivity")
    assert cell.check({"start": "2025-12-31"})
    for values in ({"start": "2026-01-01"}, {"end": "2020-12-31"}, {"start": "2023-01-02", "end": "2023-01-01"}):
        with pytest.raises(UserError, match=r"start 20\S+ is after end 20"):
            cell.check(values)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        ("str", ["", "a"], [1, None, []]),
        ("int", [0, -5, 10**30], [1.0, True, "1", None]),
        ("float", [1.5, 2], [NAN, INF, True, "1.5", None, 10**400]),
        ("bool", [True, False], [0, 1, "yes", None]),
        ("date", ["2024-03-20"], ["20.3.2024", 2024, None]),
        ("list[str]", [[], ["a"]], [["a", 1], "a", None]),
        ("list[int]", [[], [1]], [[1.5], ["1"]]),
        ("list[date]", [["2024-03-20"]], [["2024-13-20"]]),
        ("list", [[1, "a", None, {"k": []}]], [{}, "a", [NAN], [{1: 2}], [date(2024, 1, 1)]]),
        ("dict", [{}, {"a": [1]}], [[], {1: 2}]),
        ("Optional[int]", [None, 3], ["3"]),
        ("Optional[ list[str] ]", [None, ["a"]], [["a", None]]),
    ],
)
def test_any_other_parameter_is_checked_by_its_annotation(annotation: str, good: list[Any], bad: list[Any]) -> None:
    kind = types.parse(annotation)
    for value in good:
        assert kind.fit(value) == value
    for value in bad:
        with pytest.raises(ValueError, match=r"no such day|must|JSON|finite|handed|key"):
            kind.fit(value)


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    """What papermill lists of the parameters of each notebook, in one process for all."""
    code = (
        "import json, sys; from papermill import inspect_notebook as f; print(json.dumps([f(p) for p in sys.argv[1:]]))"
    )
    paths = [str(path) for path in nb.paths()]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Unable to parse" not in done.stderr
    return dict(zip(paths, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("path", nb.paths(), ids=lambda path: path.stem)
def test_papermill_lists_every_parameter_of_a_notebook_with_its_type_and_meaning(
    path: Path, listed: dict[str, Any]
) -> None:
    of_papermill = listed[str(path)]
    declared = params.of(path.stem).parameters
    assert of_papermill.keys() == declared.keys()
    for name, one in declared.items():
        assert of_papermill[name]["inferred_type_name"] == str(one.annotation)
        assert of_papermill[name]["help"] == one.meaning
        assert one.meaning, f"{name}: write what it is, in words, behind it"


def declared(tmp_path: Path, *lines: str, **how: Any) -> params.ParametersCell:
    path = write_notebook(tmp_path / "09-test.ipynb", "1", parameters="\n".join(lines), **how)
    return params.read_cell(nb.read(path), path)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("x: int = = 5", "line 2: invalid syntax: it holds assignments of values only"),
        ("x: int = 5)", "line 2: unmatched ')'"),
        ("x: int = 5; y: str = '", "line 2: unterminated string literal"),
        ("x: int = '5'", "line 2: x = '5': must be a whole number"),
        ("x: int = True", "line 2: x = True: must be a whole number"),
        ("x: int = [1]", "line 2: x = [1]: must be a whole number"),
        ("x: list[str] = ['a', 1]", "line 2: x = ['a', 1]: item 2, 1, must be a text"),
        ("x: float = 1e999", "line 2: x = 1e999: must be a finite number"),
        ("x: int = 2 + 3 * len('a')", "line 2: x = 2 + 3 * len('a'): not a plain value: compute it in a later cell"),
        ("x: int", "line 2: x has no value: write `x: int = …`"),
        ("x: itn = 5", "line 2: itn is no type of a parameter: write str, int, float"),
        ("x: int | None = 5", "line 2: int | None is no type of a parameter"),
        ('x: "Literal[\'a\']" = "a"', "Literal['a'] is no type of a parameter"),
        (
            "x: Optional[int] = 5",
            'line 2: quote the type, since the cell stands before the imports: `x: "Optional[int]"`',
        ),
        ("x = 5", "line 2: x has no type: write `x: int = …  # what it is`"),
        ("x = ['a']", "write `x: list[str] = …"),
        ("as_of = None", 'as_of has no type: write `as_of: "Optional[date]" = …'),
        ("x = y = 5", "line 2: not an assignment of a value: write `name: int = 5"),
        ("import os", "line 2: not an assignment of a value"),
        ("level: str = '0.95'", "line 2: level is float in every notebook, not str"),
        ('level: "Optional[float]" = None', "level is float in every notebook, not Optional[float]"),
        ("articles: str = '337'", 'articles is "Optional[list[str]]" in every notebook, not str'),
        ("level: float = 95.0", "line 2: level = 95.0: must be more than 0.5 and less than 1, such as 0.95"),
        ("rule: str = 'newest'", "line 2: rule = 'newest': 'newest' is not one of the known words (own-page-first"),
        ('start: "date" = "2024-02-30"', 'line 2: start = "2024-02-30": there is no such day'),
        (
            'start: "date" = "2025-01-01"\nend: "date" = "2024-01-01"',
            "line 2: start 2025-01-01 is after end 2024-01-01",
        ),
        ("out: 'Optional[str]' = 'plots'", "line 2: out must be None: the runner sets it"),
        ("reads: str = 'figures.csv'", "line 2: reads is list[str] in every notebook, not str"),
        ("first: int = 6", "line 2: first stands twice"),
    ],
)
def test_a_fault_of_the_parameters_cell_is_one_line_with_notebook_cell_line_and_what_would_be_right(
    line: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        declared(tmp_path, "first: int = 5  # a number", line)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/09-test.ipynb: code cell 1 (parameters), line ")
    assert what in message
    assert len(message.splitlines()) == 1
    assert len(message) < 400


def test_all_faults_of_a_cell_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        declared(tmp_path, "a: int = 'x'", "level: float = 2.0", "b = 5")
    assert [re.findall(r"line (\d)", line)[0] for line in str(error.value).splitlines()] == ["1", "2", "3"]


def test_exactly_one_code_cell_is_tagged_parameters(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "09-test.ipynb", "1", "2", parameters=None)
    with pytest.raises(UserError, match=r"exactly one code cell must be tagged 'parameters' \(found: none\)"):
        params.read_cell(nb.read(path), path)
    content = json.loads(path.read_text())
    for cell in content["cells"][1:]:
        cell["metadata"]["tags"] = ["parameters"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"found: code cell 1 and code cell 2"):
        params.read_cell(nb.read(path), path)


def test_comments_blank_lines_and_lists_over_several_lines_are_read(tmp_path: Path) -> None:
    cell = declared(
        tmp_path,
        "# What is looked at.",
        "",
        "words: list[str] = [",
        '    "a",  # one',
        "]  # words = texts",
        "n: int = -5",
    )
    assert cell.parameters["words"] == params.cell.Parameter("words", types.parse("list[str]"), ["a"], "words = texts")
    assert cell.parameters["n"].default == -5
    assert cell.parameters["n"].meaning == ""


def test_nothing_but_the_runner_sets_reads_and_out() -> None:
    cell = params.of("03-trends")
    for name in ("out", "reads"):
        assert name in cell.parameters
        with pytest.raises(UserError, match=f"no parameter '{name}' in the parameters cell"):
            cell.check({name: None})
    assert cell.check({"out": "plots"}, runner=True) == {"out": "plots"}


def test_all_faults_of_a_set_of_values_are_told_at_once() -> None:
    with pytest.raises(UserError) as error:
        params.of("03-trends").check({"level": 2, "seed": -1, "colour": "red"})
    lines = str(error.value).splitlines()
    assert lines[0].endswith(
        "level = 2: must be more than 0.5 and less than 1, such as 0.95 (coverage of the intervals, as a share)"
    )
    assert len(lines) == 3


def test_command_line_assignments_are_yaml_and_words_where_text_is_due() -> None:
    cell = params.of("03-trends")
    given = cell.parse(["level=0.9", "articles=[337, 338]", "as_of=2024-03-20", "compilers=null", "incomplete=true"])
    assert cell.check(given) == {
        "level": 0.9, "articles": ["337", "338"], "as_of": "2024-03-20", "compilers": None, "incomplete": True,
    }  # fmt: skip
    for wrong, what in [
        (["level"], "level is not NAME=VALUE"),
        (["level=[0.9"], r"03-trends: level:1: not YAML"),
        (["level=0.9", "level=0.8"], "level is given twice"),
        (["articles=&a [*a]"], "anchors and aliases are not read"),
    ]:
        with pytest.raises(UserError, match=what):
            cell.parse(wrong)
    with pytest.raises(UserError, match="incomplete = 'yes': must be true or false"):
        cell.check(cell.parse(["incomplete=yes"]))


class TestInANotebook:
    SOURCE = """
reads: list[str] = []
day: "Optional[date]" = "2024-03-20"
level: float = 0.95
n: int = 5
out: "Optional[str]" = None
"""

    def namespace(self, *cells: str) -> dict[str, Any]:
        """What `globals()` is after a kernel ran the parameters cell and `cells`."""
        variables: dict[str, Any] = {"In": [""]}
        for source in (self.SOURCE, *cells):
            variables["In"].append(source)
            exec(compile(source, "cell", "exec", dont_inherit=True), variables)
        return variables

    def test_it_gets_an_object_with_days_as_dates(self) -> None:
        p = params.read(self.namespace())
        assert (p.day, p.level, p.n) == (date(2024, 3, 20), 0.95, 5)
        assert repr(p) == "day = datetime.date(2024, 3, 20)\nlevel = 0.95\nn = 5"
        with pytest.raises(AttributeError, match="no parameter 'levle' in the parameters cell: did you mean 'level'"):
            _ = p.levle
        with pytest.raises(AttributeError, match="set it in the parameters cell"):
            p.level = 0.9

    def test_postponed_annotations_are_read_as_the_others(self) -> None:
        variables: dict[str, Any] = {}
        exec(f"from __future__ import annotations\n{self.SOURCE}", variables)
        assert params.read(variables).day == date(2024, 3, 20)

    def test_it_gets_what_papermill_injected(self) -> None:
        p = params.read(self.namespace('# Parameters\nlevel = 0.9\nday = None\nout = "plots"\n'))
        assert (p.day, p.level) == (None, 0.9)

    def test_an_unknown_name_that_papermill_injected_is_refused(self) -> None:
        with pytest.raises(
            UserError, match=r"no parameter 'levle', which papermill was told to set: did you mean 'level'"
        ):
            params.read(self.namespace("# Parameters\nlevle = 0.9\n"))

    def test_variables_of_other_cells_are_none_of_its_business(self) -> None:
        p = params.read(self.namespace("import json\nshown = ['a']\ntable: 'pd.DataFrame' = None\nlevle = 3"))
        assert not hasattr(p, "shown")

    @pytest.mark.parametrize(
        ("source", "what"),
        [
            ("level = 2", "level = 2: must be more than 0.5"),
            ("n = '5'", "n = '5': must be a whole number"),
            ("day = '2024-13-01'", "day = '2024-13-01': there is no such day"),
            ("level: str = 'x'", "level is float in every notebook, not str|level = 'x'"),
        ],
    )
    def test_a_value_that_does_not_fit_is_refused_however_it_came(self, source: str, what: str) -> None:
        with pytest.raises(UserError, match=what):
            params.read(self.namespace(source))

    def test_without_a_parameters_cell_it_says_what_to_do(self) -> None:
        with pytest.raises(UserError, match="run the cell tagged 'parameters' first"):
            params.read({"level": 0.95})


KINDS = st.sampled_from(
    ["str", "int", "float", "bool", "date", "list", "dict", "list[str]", "list[date]", "Optional[int]"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=6,
)


@given(KINDS, JSON)
def test_a_value_that_fits_can_be_written_as_json_and_read_back(kind: str, value: object) -> None:
    annotation = types.parse(kind)
    try:
        handed = annotation.fit(value)
    except ValueError:
        return
    assert json.loads(json.dumps(handed, allow_nan=False)) == handed == value
    assert annotation.fit(handed) == handed


@given(st.text(max_size=30))
def test_any_text_as_an_annotation_is_a_type_or_refused(text: str) -> None:
    try:
        annotation = types.parse(text)
    except ValueError:
        return
    assert types.parse(str(annotation)) == annotation


def test_no_notebook_is_named_in_the_parameters_package() -> None:
    stems = [path.stem for path in NOTEBOOKS.glob("*.ipynb")]
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "desertion" / "params").glob("*.py")]
    assert not [stem for stem in stems for text in texts if stem in text]
