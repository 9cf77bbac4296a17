"""The committed notebooks: nbval compares their outputs, these tests demand that there is something to compare."""

import ast
import inspect
import json
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from desertion import params
from desertion.project import NOTEBOOKS, ROOT

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def cells(path: Path, kind: str = "code") -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


#: What another tool leaves in a notebook that it executes in place → how it is recognised.
TRACES = {
    "the times of a run": r'"iopub\.|"start_time"|"shell\.execute',
    "parameters or times of papermill": "papermill",
    "a path of this machine": re.escape(str(ROOT)),
}


def traces(notebook: dict[str, Any]) -> list[str]:
    """Where a notebook carries a trace of a machine or a run, and which."""
    parts = {"its metadata": notebook["metadata"]}
    parts |= {f"cell {number}": cell for number, cell in enumerate(notebook["cells"], 1)}
    texts = {place: json.dumps(part, ensure_ascii=False) for place, part in parts.items()}
    return [f"{place}: {what}" for place, text in texts.items() for what in TRACES if re.search(TRACES[what], text)]


def order(notebook: dict[str, Any]) -> str:
    """The counts of the code cells, where these did not run once and in order."""
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return "" if counts == list(range(1, len(counts) + 1)) else ", ".join(map(str, counts))


def last_line(cell: Any) -> str:
    return cell.source.rstrip().splitlines()[-1].split("#")[0].rstrip()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestNotebook:
    def test_every_code_cell_ran_once_and_in_order(self, path: Path) -> None:
        ran = order(nbformat.read(path, as_version=4))
        assert not ran, f"notebooks/{path.name}: its code cells ran as number {ran}: `make accept` runs them in order"

    def test_no_cell_gives_the_name_of_a_parameter_to_something_else(self, path: Path) -> None:
        nodes = [node for cell in cells(path)[1:] for node in ast.walk(ast.parse(cell.source))]
        own = {name for node in nodes if isinstance(node, ast.comprehension) for name in ast.walk(node.target)}
        stored = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        names = {node.id for node in stored if node not in own}
        assert not names & set(params.of(path.stem).parameters), "a second run of the cells would take it for the value"

    def test_outputs_are_there_and_none_is_an_error(self, path: Path) -> None:
        outputs = [output for cell in cells(path) for output in cell.outputs]
        assert outputs
        assert {output.output_type for output in outputs} <= {"display_data", "execute_result", "stream"}
        kinds = [set(output.data) for output in outputs if "data" in output]
        for pictures in [{kind for kind in each if kind.startswith("image/")} for each in kinds]:
            assert not pictures or "image/svg+xml" in pictures, "no plot in SVG, which is what nbval compares"

    def test_a_notebook_that_shows_figures_imports_the_package_first(self, path: Path) -> None:
        # The runner sets up every kernel; under other tools the import does, and without it they draw PNG.
        sources = [cell.source for cell in cells(path)]
        drawn = [
            n for n, cell in enumerate(cells(path)) if any("image/svg+xml" in o.get("data", {}) for o in cell.outputs)
        ]
        imports = [
            n for n, source in enumerate(sources) if re.search(r"^(import|from) desertion\b", source, re.MULTILINE)
        ]
        assert not drawn or (imports and imports[0] <= drawn[0]), (
            "`import desertion` must stand before the first figure"
        )

    def test_every_cell_that_ends_in_an_expression_has_an_output(self, path: Path) -> None:
        for number, cell in enumerate(cells(path), 1):
            if isinstance(ast.parse(cell.source).body[-1], ast.Expr):
                assert cell.outputs, f"cell {number} was cleared"

    def test_no_cell_relies_on_a_final_semicolon(self, path: Path) -> None:
        assert not [cell.source for cell in cells(path) if last_line(cell).endswith(";")]

    def test_the_kernel_gets_from_the_parameters_cell_what_the_package_reads_in_it(self, path: Path) -> None:
        (tagged,) = [cell for cell in cells(path) if "parameters" in cell.metadata.get("tags", [])]
        namespace: dict[str, Any] = {}
        exec(compile(tagged.source, "cell", "exec", dont_inherit=True), namespace)
        declared = params.of(path.stem).parameters
        assert {name: namespace[name] for name in declared} == {name: one.default for name, one in declared.items()}
        assert vars(params.read(namespace)).keys() == declared.keys() - {"reads", "out"}

    def test_it_defines_no_function_but_those_that_draw_its_plots_and_stays_short(self, path: Path) -> None:
        everything = nbformat.read(path, as_version=4).cells
        assert len(everything) <= 24
        assert all(len(cell.source.splitlines()) <= 60 for cell in cells(path))
        nodes = [node for cell in cells(path) for node in ast.walk(ast.parse(cell.source))]
        calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "publish.figure"]
        drawing = {ast.unparse(call.args[1]) for call in calls}
        defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert defined <= drawing

    def test_question_first_and_then_parameters(self, path: Path) -> None:
        everything = nbformat.read(path, as_version=4).cells
        assert everything[0].cell_type == "markdown"
        assert re.match(r"# .+", everything[0].source)
        assert "parameters" in everything[1].metadata.get("tags", [])

    def test_its_prose_types_no_result(self, path: Path) -> None:
        # A number of three digits or more in a sentence is a result, unless it is a year, an article or a thousand.
        allowed = re.compile(r"\b(19|20)\d\d\b|Art\. [\d,\s and]+|(per|each) 1,000|chapters? 3[34]", re.IGNORECASE)
        for cell in cells(path, "markdown"):
            assert not re.findall(r"\d[\d,]{2,}", allowed.sub("", cell.source)), cell.source

    def test_it_carries_no_trace_of_a_machine_or_a_run(self, path: Path) -> None:
        left = traces(nbformat.read(path, as_version=4))
        assert not left, f"notebooks/{path.name} was saved by another tool: `make accept` removes what it left there"


def test_a_notebook_that_another_tool_ran_in_place_is_recognised_by_what_it_left() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", execution_count=n) for n in (1, 2)])
    assert traces(notebook) == []
    assert order(notebook) == ""
    notebook["cells"][1]["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T10:00:00.1Z"}  # nbconvert
    notebook["metadata"]["papermill"] = {"start_time": "2026-01-01T10:00:00.1Z"}
    notebook["cells"][0]["source"] = f"'{ROOT}/data'"
    notebook["cells"][0]["execution_count"] = 7
    assert traces(notebook) == [
        "its metadata: the times of a run",
        "its metadata: parameters or times of papermill",
        "cell 1: a path of this machine",
        "cell 2: the times of a run",
    ]
    assert order(notebook) == "7, 2"


def called(path: Path) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The functions of the package that the code cells of a notebook name, each as the cells write it."""
    nodes = [node for cell in cells(path) for node in ast.walk(ast.parse(cell.source))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and str(node.module).startswith("desertion")]
    modules = {one.asname or one.name: f"{node.module}.{one.name}" for node in imports for one in node.names}
    for words in {ast.unparse(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)}:
        name, dot, rest = words.partition(".")
        if name in modules and re.fullmatch(r"[\w.]*", rest):
            with suppress(AttributeError):  # a variable may have the name of a module
                value = pkgutil.resolve_name(f"{modules[name]}{dot}{rest}")
                if inspect.isfunction(value):
                    yield words, value


def undocumented(function: Callable[..., Any]) -> list[str]:
    """The parameters that the docstring of a function does not name, and the sections of numpydoc that it lacks."""
    parts = re.split(r"^(\w+)\n-+\n", inspect.getdoc(function) or "", flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    lines = re.findall(r"^([\w*, ]+?)(?: :.*)?$", sections.get("Parameters", ""), re.MULTILINE)
    named = {name.strip("*") for line in lines for name in line.split(", ")}
    signature, source = inspect.signature(function), textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(source)))
    needed = {"Returns": signature.return_annotation not in (None, "None"), "Raises": raises}
    lacking = [section for section in needed if needed[section] and section not in sections]
    return [name for name in signature.parameters if name not in named] + lacking


def test_every_function_that_a_notebook_calls_describes_its_parameters_its_result_and_its_errors() -> None:
    functions = dict(pair for path in PATHS for pair in called(path))
    assert len(functions) > 50
    lacking = {name: undocumented(function) for name, function in functions.items()}
    assert not {name: parts for name, parts in lacking.items() if parts}


def test_a_docstring_without_its_sections_is_recognised_by_what_it_lacks() -> None:
    def half(a: int, *, b: int) -> int:
        """Add.

        Parameters
        ----------
        a : int
            One number.
        """
        if b < 0:
            raise ValueError
        return a + b

    assert undocumented(half) == ["b", "Returns", "Raises"]
