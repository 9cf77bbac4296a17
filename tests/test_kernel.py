"""What an analyst sees in an ordinary kernel, as JupyterLab, papermill and nbconvert start it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_core.utils import run_sync

from desertion.project import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """An ordinary kernel that imported the package, in the folder of the notebooks."""

    def __init__(self) -> None:
        self.notebook = nbformat.v4.new_notebook()
        self.client = nbclient.NotebookClient(
            self.notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT / "notebooks")}}
        )

    def run(self, source: str) -> list[dict[str, Any]]:
        cell = nbformat.v4.new_code_cell(source)
        self.notebook.cells.append(cell)
        try:
            self.client.execute_cell(cell, len(self.notebook.cells) - 1)
        except nbclient.exceptions.CellExecutionError as error:
            self.raised = _ANSI.sub("", str(error))
        return [dict(output) for output in cell.outputs]

    def error(self, source: str) -> str:
        (output,) = self.run(source)
        assert output["output_type"] == "error", output
        return _ANSI.sub("", "\n".join(output["traceback"]))

    def shown(self, source: str) -> dict[str, str]:
        (output,) = self.run(source)
        assert "data" in output, output
        return dict(output["data"])

    def completed(self, code: str) -> list[str]:
        """What the Tab key offers at the end of `code`."""
        request = self.client.kc.complete(code)
        while True:
            reply = run_sync(self.client.kc.get_shell_msg)(timeout=60)
            if reply["parent_header"]["msg_id"] == request:
                return list(reply["content"]["matches"])


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    one = Kernel()
    with one.client.setup_kernel(env=ENVIRONMENT):
        one.run("from desertion import figures, params, plots, reconcile, vocabulary\ndata = figures.load()")
        yield one


class TestAMistakeIsOneMessage:
    def test_it_has_the_line_of_the_cell_and_no_line_of_the_package(self, kernel: Kernel) -> None:
        number = len(kernel.notebook.cells) + 1
        assert kernel.error('1 + 1\nfigures.load(as_of="2024-13-01")') == (
            f'Cell In[{number}], line 2\n----> 2 figures.load(as_of="2024-13-01")\n\n'
            "ArgumentError: as_of '2024-13-01': there is no such day"
        )
        assert "ArgumentError: as_of '2024-13-01': there is no such day" in kernel.raised  # as nbconvert prints it
        assert "load.py" not in kernel.raised

    def test_a_function_of_another_cell_is_named_with_its_line(self, kernel: Kernel) -> None:
        kernel.run("def chosen(word):\n    return figures.select(data.figures, measures=word)")
        first = len(kernel.notebook.cells)
        assert kernel.error('chosen("verdits")').splitlines() == [
            f"Cell In[{first + 1}], line 1",
            '----> 1 chosen("verdits")',
            "",
            f"Cell In[{first}], line 2, in chosen",
            "----> 2 return figures.select(data.figures, measures=word)",
            "",
            "ArgumentError: measure 'verdits' is unknown; did you mean 'verdicts'?",
        ]

    def test_a_parameter_that_is_not_there(self, kernel: Kernel) -> None:
        kernel.run("level: float = 0.9\np = params.read(globals())")
        assert kernel.error("p.levle").endswith("did you mean 'level'?")
        assert "params/" not in kernel.error("p.level = 0.8")
        assert kernel.shown('(hasattr(p, "levle"), getattr(p, "levle", 1))')["text/plain"] == "(False, 1)"

    def test_an_error_that_is_no_mistake_of_an_argument_keeps_its_traceback(self, kernel: Kernel) -> None:
        assert kernel.error("{}['x']").startswith("-----")


class TestCompletion:
    @pytest.mark.parametrize(
        ("code", "offered"),
        [
            ('data.cards["F01', "F012"),
            ("data.cards['ctx00", "ctx001"),
            ('plots.PLOTS["long', "long_view"),
            ('vocabulary.MEASURES["persons_c', "persons_convicted"),
            ('vocabulary.RULES["la', "latest-first"),
            ("p.undat", "undated_lag_days"),
            ("data.fig", "figures"),
            ("figures.sel", "select"),
        ],
    )
    def test_the_tab_key_completes_ids_words_and_parameters(self, code: str, offered: str, kernel: Kernel) -> None:
        kernel.run("undated_lag_days: int = 60\np = params.read(globals())")
        assert [each for each in kernel.completed(code) if offered in each], kernel.completed(code)[:9]


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["papermill", "nbconvert"])
def test_plain_tools_print_the_mistake_and_no_line_of_the_package(tool: str, tmp_path: Path) -> None:
    source = "from desertion import figures\nfigures.load(as_of='2024-13-01')"
    path = tmp_path / "a.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id="a")]
    path.write_text(json.dumps(nbformat.v4.new_notebook(cells=cells)))
    commands = {
        "papermill": [str(path), str(tmp_path / "b.ipynb"), "-k", "python3"],
        "nbconvert": ["--to", "notebook", "--execute", str(path)],
    }
    command = [sys.executable, "-m", tool, *commands[tool]]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ArgumentError: as_of '2024-13-01': there is no such day" in _ANSI.sub("", done.stderr)
    assert "load.py" not in done.stderr
