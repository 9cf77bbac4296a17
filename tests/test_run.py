"""Running one notebook: what is handed over, what counts as finished, what a failure says and leaves behind."""

import datetime
import errno
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.notebooks import text, write

from desertion import notebook as nb
from desertion.engine.run import RunRecord, run
from desertion.errors import RunError, UserError


@pytest.fixture
def execute(tmp_path: Path) -> Iterator[Callable[..., RunRecord]]:
    def execute(*sources: str, values: dict[str, Any] | None = None, timeout: int = 30, **kwargs: Any) -> RunRecord:
        notebook = write(tmp_path / "09-test.ipynb", *sources, **kwargs)
        return run(notebook, tmp_path / "out.ipynb", values or {}, timeout=timeout, failed=tmp_path / "failed.ipynb")

    yield execute
    assert not list(tmp_path.glob("*.part")), "a temporary file was left behind"


@pytest.mark.quick
def test_parameters_arrive_as_they_are_and_the_rest_keeps_its_default(
    execute: Callable[..., RunRecord], tmp_path: Path
) -> None:
    values = {"day": "2024-03-20", "words": ["Ж\"'\\\n{}", None, True, 1e-300, {"k": []}], "out": str(tmp_path)}
    record = execute("print((day, level, words))", "import os; print(os.getcwd())", values=values)
    assert record.notebook == "09-test"
    assert record.cells == 3
    first, second = nb.code_cells(nb.read(record.output))[1:]
    assert text(first) == f"{('2024-03-20', 0.95, values['words'])}\n"
    assert text(second) == f"{tmp_path.resolve()}\n", "a notebook works in its own folder, as in JupyterLab"


@pytest.mark.quick
def test_the_executed_copy_has_no_trace_of_when_and_where_it_ran(
    execute: Callable[..., RunRecord], tmp_path: Path
) -> None:
    sources = (
        "import sys, warnings; print('a', flush=True); print('b', file=sys.stderr); print('c')",
        "warnings.warn('old', stacklevel=1); level",
    )
    values = {"out": str(tmp_path / "fresh"), "level": 0.9}
    one = execute(*sources, values=values).output.read_bytes()
    other = execute(*sources, values=values).output.read_bytes()
    ids = re.compile(rb'"id": "\w+"')  # nbformat drew new ones when the test wrote the notebook again
    assert ids.sub(b"", one) == ids.sub(b"", other)
    for trace in (b"papermill", b"iopub", str(tmp_path).encode(), b"/ipykernel_", b'"tags": []', b"fresh"):
        assert trace not in one
    assert b"level = 0.9" in one
    executed = json.loads(one)
    assert [cell["execution_count"] for cell in executed["cells"] if cell["cell_type"] == "code"] == [1, 2, 3, 4]
    assert executed["metadata"]["language_info"] == {"name": "python"}
    assert one.endswith(b"}\n")


def test_the_kernel_has_fixed_surroundings(execute: Callable[..., RunRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("IPYTHONDIR", "/nonexistent")
    names = ["OPENBLAS_NUM_THREADS", "PYTHONHASHSEED", "TZ", "LC_ALL", "MPLBACKEND"]
    record = execute(f"import os, sys; print([os.environ.get(name) for name in {names}]); print(sys.executable)")
    printed = text(nb.code_cells(nb.read(record.output))[1]).splitlines()
    assert printed[0] == str(["1", "0", "UTC", "C.UTF-8", "module://matplotlib_inline.backend_inline"])
    assert printed[1].endswith(sys.executable.removeprefix(sys.prefix + "/"))


FAILURES = {
    "error in the package": (
        "from desertion import project\nproject.ROOT / 'x'\nproject.write_atomic(project.Path('/dev/null/x'), '')",
        ["code cell 3 of 4 failed (`from desertion import project`)", "code cell 3, line 3:",
         "src/desertion/project.py, line ", "in write_atomic", "FileExistsError"],
    ),
    "sys.exit(0)": ("import sys\nsys.exit(0)", ["code cell 3 of 4", "SystemExit: 0", "must not end the notebook"]),
    "killed kernel": ("import os; os.kill(os.getpid(), 9)", ["code cell 3 of 4", "the kernel was killed by SIGKILL"]),
    "ended kernel": ("import os; os._exit(0)", ["code cell 3 of 4", "the kernel ended with status 0"]),
    "time": ("while True:\n    pass", ["code cell 3 of 4", "it ran longer than 2 s and was stopped"]),
    "input": ("input('really? ')", ["code cell 3 of 4", "StdinNotImplementedError"]),
    "syntax": ("x = 1\ny = = 2", ["code cell 3 of 4", "line 2: y = = 2", "SyntaxError: invalid syntax"]),
    "tolerated error": ("1 / 0", ["code cell 3 of 4", "code cell 3, line 1: 1 / 0", "ZeroDivisionError"]),
    "recursion": ("def f():\n    f()\nf()", ["code cell 3, line 3: f()", "code cell 3, line 2, in f: f()",
                                            "RecursionError"]),
    "error under %%time": ("%%time\nx = 1\n1 / 0", ["code cell 3 of 4 failed (`%%time`)", "code cell 3, line 1: %%time",
                                                   "code cell 3, line 3: 1 / 0", "ZeroDivisionError"]),
    "error under %%bash": ("%%bash\nls nowhere\nexit 3", [
        "code cell 3, line 1: %%bash\n  the program returned non-zero exit status 3.\n  ls: ", "nowhere"]),
    "no program of a magic": ("%%script nowhere\n1", ["code cell 3 of 4", "Couldn't find program: 'nowhere'"]),
    "error in a file beside": ("from pathlib import Path\nPath('mine.py').write_text('x = 1\\n1 / 0')\n%run mine.py",
                               ["code cell 3 of 4", "mine.py, line 2: 1 / 0", "ZeroDivisionError"]),
    "group of errors": ("raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])",
                        ["code cell 3 of 4", "ExceptionGroup: two (2 sub-exceptions)\n  ValueError: a\n  KeyError:"]),
    "group of errors under %%capture": (
        "%%capture\nraise ExceptionGroup('two', [ValueError('a'), KeyError('b')])",
        ["code cell 3, line 2: raise", "ExceptionGroup: two (2 sub-exceptions)\n  ValueError: a\n  KeyError: 'b'\n"]),
    "error after a group": ("try: raise ExceptionGroup('two', [OSError()])\nexcept ExceptionGroup: {}['k']",
                            ["code cell 3, line 2: except ExceptionGroup: {}['k']\n  KeyError: 'k'\n"]),
    "error without words": ("class E(Exception):\n    def __str__(self): return 1\nraise E", ["line 3: raise E"]),
    "error without words under %%capture": (
        "%%capture\nclass Mute(Exception):\n    def _render_traceback_(self): 1 / 0\nraise Mute('b')",
        ["code cell 3, line 4: raise Mute('b')\n  Mute: b"]),
    "half of a character in an error": ("raise ValueError('a \\ud800')", ["line 1: raise", "ValueError: a \ud800\n"]),
    "half of a character under %%capture": ("%%capture\nraise OSError('\\ud800')", ["line 2: raise", "OSError: "]),
    "quit()": ("quit()", ["code cell 3 of 4 failed (`quit()`)", "must not end the notebook"]),
    "error of a line magic": ("x = 1\n%time 1 / 0", ["code cell 3, line 2: %time 1 / 0", "ZeroDivisionError"]),
    "syntax under %%prun": ("%%prun\nx = = 3", ["code cell 3, line 2: x = = 3", "SyntaxError: invalid syntax\n"]),
    "syntax under %%time": ("%%time\nx = = 3", ["code cell 3, line 2: x = = 3", "SyntaxError: invalid syntax\n"]),
    "unknown cell magic": ("%%tiem\n1", ["code cell 3 of 4 failed (`%%tiem`)", "Cell magic `%%tiem` not found"]),
    "unknown magic in %%capture": ("%%capture\n%tiem 1", ["code cell 3 of 4", "function `%tiem` not found"]),
    "unknown line magic": ("x = 1\n%tiem 1", ["code cell 3 of 4", "Line magic function `%tiem` not found"]),
    "long error": ("raise ValueError('a\\n' * 100)", ["code cell 3, line 1", "ValueError: a"]),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_a_run_that_did_not_reach_its_end_fails_and_leaves_the_last_output(
    what: str, execute: Callable[..., RunRecord], tmp_path: Path
) -> None:
    source, expected = FAILURES[what]
    (tmp_path / "out.ipynb").write_text("the last good one")
    with pytest.raises(RunError) as caught:
        execute("a = 1", source, "never", values={"day": "2024-03-20"}, timeout=2 if what == "time" else 30)
    message = str(caught.value)
    assert "09-test.ipynb" in message
    for part in expected:
        assert part in message
    assert "\x1b" not in message
    assert str(tmp_path / "failed.ipynb") in message
    assert len(message.splitlines()) <= 10
    assert (tmp_path / "out.ipynb").read_text() == "the last good one"
    kept = nb.code_cells(nb.read(tmp_path / "failed.ipynb"))
    assert [cell["execution_count"] is not None for cell in kept][:2] == [True, True]
    assert kept[3]["execution_count"] is None


def test_an_error_under_capture_has_the_number_and_lines_of_its_cell(execute: Callable[..., RunRecord]) -> None:
    with pytest.raises(RunError, match=r"cell 3 of 3 .*\n  code cell 3, line 4: f\(\)\n.* line 3, in f: 1 / 0\n"):
        execute("a = 1", "%%capture\ndef f():\n    1 / 0\nf()")


@pytest.mark.parametrize(
    "source",
    [
        "print('one')\nprint('two \\ud800')",
        "import sys\nprint('two \\ud800', file=sys.stderr)",
        "import warnings\nwarnings.warn('two \\ud800')",
        "type('A', (), {'__repr__': lambda self: 'two \\ud800'})()",
        "import pandas as pd\npd.DataFrame({'a': ['two \\ud800']})",
        "from IPython.display import HTML, display\ndisplay(HTML('two \\ud800'))",
        "display({'text/plain': 'x'}, raw=True, metadata={'a': 'two \\ud800'})",
        "get_ipython().set_next_input('\\ud800')\nprint('two \\ud800')",
    ],
)
def test_half_of_a_character_in_an_output_is_named(source: str, execute: Callable[..., RunRecord]) -> None:
    with pytest.raises(
        RunError, match=r"code cell 2 of 2 .*\n  its output holds half of a character, .*two \\ud800'\n"
    ):
        execute(source)


def test_half_of_a_character_in_a_notebook_is_named_with_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", "x = 'HALF'")
    path.write_text(path.read_text().replace("HALF", "\\ud800"))
    with pytest.raises(UserError, match=r"t\.ipynb: cell 3 holds half of a character"):
        run(path, tmp_path / "out.ipynb", {})


def test_a_bash_cell_runs_and_a_thread_of_the_cells_own_is_refused(execute: Callable[..., RunRecord]) -> None:
    record = execute("%%bash\necho hello", "%%bash\necho again")
    assert [text(cell) for cell in nb.code_cells(nb.read(record.output))[1:]] == ["hello\n", "again\n"]
    loop = "import asyncio, threading\nt = threading.Thread(target=asyncio.new_event_loop().run_forever)\nt.start()"
    with pytest.raises(RunError, match=r"left threads running, .*: Thread-\d+ \(run_forever\)"):
        execute("%%bash\necho hello", loop)


def test_what_libraries_of_the_kernel_log_is_no_output_of_a_cell(execute: Callable[..., RunRecord]) -> None:
    names = ("ipykernel", "IPython", "comm", "tornado.application", "traitlets", "zmq", "own")
    record = execute(f"import logging\nfor name in {names}:\n    logging.getLogger(name).error('from ' + name)")
    assert text(nb.code_cells(nb.read(record.output))[1]) == "from own\n"


def test_a_file_that_grows_too_large_and_a_kernel_that_cannot_start_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "09-test.ipynb", "print('x' * 100_000)")
    code = (
        "import resource, sys; from pathlib import Path; from desertion.engine.build import run_one; "
        "from desertion.errors import UserError; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try: run_one(Path(sys.argv[1]), Path(sys.argv[2]))\nexcept UserError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "out.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{path}: {tmp_path / 'out.ipynb'}: File too large\n"

    monkeypatch.setattr("desertion.engine.kernel._START", "open('/nowhere/x')")
    with pytest.raises(RunError, match=r"did not start: .*\n  No such file or directory: '/nowhere/x'$"):
        run(path, tmp_path / "out.ipynb", {})


def test_a_full_runtime_folder_is_named(execute: Callable[..., RunRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # as writing to an open file does: without its name

    monkeypatch.setattr("desertion.engine.run._execute", full)
    with pytest.raises(UserError, match=r"09-test\.ipynb: .*/desertion-\d+-\w+: No space left on device"):
        execute("1")


def test_a_tag_that_lets_errors_pass_is_no_way_around(execute: Callable[..., RunRecord], tmp_path: Path) -> None:
    path = write(tmp_path / "t.ipynb", "1 / 0", "2")
    content = json.loads(path.read_text())
    content["cells"][2]["metadata"]["tags"] = ["raises-exception"]
    path.write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"code cell 2 of 3 failed"):
        run(path, tmp_path / "out.ipynb", {}, failed=tmp_path / "failed.ipynb")
    content["cells"][2]["metadata"]["tags"] = ["skip-execution"]
    path.write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"code cell 2 of 3 failed .*\n  it did not run"):
        run(path, tmp_path / "out.ipynb", {}, failed=tmp_path / "failed.ipynb")


def test_success_removes_the_notebook_of_the_failure_before(execute: Callable[..., RunRecord], tmp_path: Path) -> None:
    (tmp_path / "failed.ipynb").write_text("{}")
    seen: list[tuple[int, int]] = []
    path = write(tmp_path / "t.ipynb", "1", "2")
    run(path, tmp_path / "out.ipynb", {"level": 0.9}, failed=tmp_path / "failed.ipynb",
        progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert not (tmp_path / "failed.ipynb").exists()
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("papermill was called")

    monkeypatch.setattr("desertion.engine.run._execute", fail)


@pytest.mark.usefixtures("no_kernel")
class TestBeforeAKernelStarts:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"levle": 0.9}, "no parameter 'levle' in the parameters cell: did you mean 'level'?"),
            ({"zzz": 1}, "no parameter 'zzz' in the parameters cell: it has day, level, words"),
            ({"day": datetime.date(2024, 3, 20)}, "must be a day as 'YYYY-MM-DD', or None"),
            ({"level": np.float64(0.9)}, "must be a number"),
            ({"level": float("nan")}, "must be a finite number"),
            ({"words": ("a",)}, "must be a list"),
            ({"words": [{"a": {1: 2}}]}, "the key 1"),
        ],
    )
    def test_a_parameter_that_papermill_would_bend_is_refused(
        self, values: dict[str, Any], expected: str, execute: Callable[..., RunRecord]
    ) -> None:
        with pytest.raises(UserError, match=expected):
            execute("1", values=values)

    def test_the_parameters_cell_is_there_once_and_is_python(self, execute: Callable[..., RunRecord]) -> None:
        with pytest.raises(UserError, match=r"09-test.ipynb: exactly one code cell must be tagged 'parameters'.*none"):
            execute("1", parameters=None)
        with pytest.raises(UserError, match=r"code cell 1 \(parameters\), line 2: "):
            execute("1", parameters="a: int = 1\nb = = 2")

    def test_an_empty_cell_is_refused_since_nothing_would_count_it(self, execute: Callable[..., RunRecord]) -> None:
        with pytest.raises(UserError, match="code cell 3 is empty"):
            execute("1", " \n")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b'{"cells": [\n', r"t.ipynb:2: not JSON"),
            (b"\xff\xfe", r"t.ipynb: not UTF-8 at byte 0"),
            (b"[]", "not a notebook"),
            (b'{"nbformat": 3, "worksheets": []}', "nbformat 3, where 4"),
            (b'{"nbformat": 4, "cells": [{"cell_type": "heading"}]}', "cell 1 has no 'cell_type'"),
        ],
    )
    def test_a_file_that_is_no_notebook_is_named(self, content: bytes, expected: str, tmp_path: Path) -> None:
        (tmp_path / "t.ipynb").write_bytes(content)
        with pytest.raises(UserError, match=expected):
            run(tmp_path / "t.ipynb", tmp_path / "out.ipynb", {})

    def test_invalid_nbformat_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.ipynb", "1")
        content = json.loads(path.read_text())
        content["cells"][2]["outputs"] = [{"output_type": "nothing"}]
        path.write_text(json.dumps(content))
        with pytest.raises(UserError, match=r"t.ipynb: not a valid notebook at cells.2.outputs.0"):
            run(path, tmp_path / "out.ipynb", {})

    def test_a_missing_notebook_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"t.ipynb: there is no such notebook"):
            run(tmp_path / "t.ipynb", tmp_path / "out.ipynb", {})


class TestScrub:
    def test_it_gives_back_the_author_s_notebook_with_outputs(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.ipynb", "level", "level + 1")
        source = nb.read(path)
        run(path, tmp_path / "out.ipynb", {"level": 0.9})
        stored = nb.scrub(nb.read(tmp_path / "out.ipynb"))
        assert nb.bare(stored) == nb.bare(source)
        assert nb.digest(stored) == nb.digest(source)
        assert [cell["execution_count"] for cell in nb.code_cells(stored)] == [1, 2, 3]
        assert [output["execution_count"] for cell in nb.code_cells(stored) for output in cell["outputs"]] == [2, 3]
        assert nb.scrub(stored) == stored

    def test_of_a_python_of_the_system_only_its_own_library_is_cut(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notebook = nb.read(write(tmp_path / "t.ipynb", "1"))
        words = "https://example.org/usr/x /usr/share/y /usr/lib/python3.11/json/decoder.py"
        nb.code_cells(notebook)[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": words}]
        for name in ("prefix", "base_prefix"):
            monkeypatch.setattr(sys, name, "/usr")
        kept = "https://example.org/usr/x /usr/share/y lib/python3.11/json/decoder.py"
        assert text(nb.code_cells(nb.scrub(notebook))[-1]) == kept

    def test_a_notebook_without_cell_ids_gets_the_same_ones_each_time(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.ipynb", "1", "1")
        content = json.loads(path.read_text())
        for cell in content["cells"]:
            del cell["id"]
        path.write_text(json.dumps(content | {"nbformat_minor": 4}))
        ids = [cell["id"] for cell in nb.read(path)["cells"]]
        assert len(set(ids)) == 4
        assert ids == [cell["id"] for cell in nb.read(path)["cells"]]

    def test_stored_outputs_do_not_change_the_digest_and_a_tag_does(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.ipynb", "1")
        before = nb.digest(nb.read(path))
        content = json.loads(path.read_text())
        content["cells"][2] |= {
            "execution_count": 7,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
        }
        content["cells"][2]["metadata"] = {"papermill": {"start_time": "now"}, "tags": []}
        content["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
        path.write_text(json.dumps(content))
        assert nb.digest(nb.read(path)) == before
        content["cells"][2]["metadata"] = {"tags": ["answer"]}
        path.write_text(json.dumps(content))
        assert nb.digest(nb.read(path)) != before
