"""Saving in JupyterLab changes no line of a notebook that was run unchanged, and keeps what an analyst changed."""

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbclient
import nbformat
import pytest

from desertion import notebook as nb
from desertion.project import NOTEBOOKS, ROOT

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
#: What JupyterLab knows of the kernel when it saves.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.11.9",
}
TIMING = {"iopub.execute_input": "2026-01-01T10:00:00.1Z", "shell.execute_reply": "2026-01-01T10:00:00.2Z"}


def run_again(content: dict[str, Any], first: int = 8) -> dict[str, Any]:
    """A notebook as JupyterLab has it after Run All in a kernel that had run cells before, with timing recorded."""
    made = copy.deepcopy(content)
    made["metadata"]["language_info"] = dict(LANGUAGE)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = first
            cell["metadata"] |= {"execution": TIMING, "trusted": True}
            for output in cell["outputs"]:
                if "execution_count" in output:
                    output["execution_count"] = first
            first += 1
    empty = {"cell_type": "code", "id": "added", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    made["cells"].append(empty)
    return made


def save(content: dict[str, Any], path: str = "notebooks/02-claims.ipynb") -> str:
    """The text of the file after the hook."""
    model = {"type": "notebook", "content": nbformat.from_dict(content)}
    nb.before_save(model=model, path=path, contents_manager=SimpleNamespace(root_dir=str(ROOT)))
    return nbformat.writes(nbformat.from_dict(model["content"])).rstrip("\n") + "\n"


def stored(path: Path) -> dict[str, Any]:
    return dict(nbformat.read(path, as_version=4))


class TestSaving:
    @pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
    def test_a_second_run_of_an_unchanged_notebook_leaves_its_file_as_it_was(self, path: Path) -> None:
        assert save(run_again(stored(path)), f"notebooks/{path.name}") == path.read_text(encoding="utf-8")

    def test_an_edit_and_its_output_are_kept(self) -> None:
        content = run_again(stored(NOTEBOOKS / "02-claims.ipynb"))
        cell = content["cells"][3]
        cell["source"] = "1 + 1"
        cell["metadata"]["tags"] = ["working"]
        cell["outputs"] = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=10)]
        saved = json.loads(save(content))["cells"][3]
        assert "".join(saved["source"]) == "1 + 1"
        assert saved["metadata"] == {"tags": ["working"]}
        assert saved["outputs"][0]["data"] == {"text/plain": ["2"]}

    def test_counts_of_cells_that_ran_out_of_order_are_kept_so_that_a_test_sees_them(self) -> None:
        content = run_again(stored(NOTEBOOKS / "02-claims.ipynb"))
        code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        code[0]["execution_count"], code[1]["execution_count"] = 9, 8
        code[1]["outputs"][0]["execution_count"] = 8
        counts = [cell["execution_count"] for cell in json.loads(save(content))["cells"] if cell["cell_type"] == "code"]
        assert counts[:3] == [9, 8, 10]

    @pytest.mark.parametrize("path", ["data/x.ipynb", "x.ipynb", "notebooks/sub/x.ipynb"])
    def test_another_notebook_is_saved_as_it_is(self, path: str) -> None:
        content = run_again(stored(NOTEBOOKS / "02-claims.ipynb"))
        assert json.loads(save(content, path))["metadata"]["language_info"] == LANGUAGE

    def test_what_is_no_notebook_is_left_to_the_server(self) -> None:
        content = {"cells": [{"cell_type": "odd"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        model: dict[str, Any] = {"type": "notebook", "content": content}
        for one in (model, {"type": "file", "content": "a"}):
            before = copy.deepcopy(one)
            nb.before_save(model=one, path="notebooks/a.ipynb", contents_manager=SimpleNamespace(root_dir=str(ROOT)))
            assert one == before


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_an_ordinary_kernel_makes_the_very_bytes_that_are_stored(path: Path) -> None:
    content = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(content, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute(env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert save(content, f"notebooks/{path.name}") == path.read_text(encoding="utf-8")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, Callable[..., Any]]]:
    """`make lab` on a copy of the project, and a function that sends a request to its server."""
    project = tmp_path / "project"
    for name in ("src", "data", "notebooks"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, project)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"ServerApp": {"allow_root": True, "open_browser": False, "port": port, "port_retries": 0}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(settings | {"IdentityProvider": {"token": "t"}}))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["make", "lab", f"PYTHON={sys.executable}"], cwd=project, start_new_session=True, stdout=log, stderr=log,
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "share")},
        )  # fmt: skip

    def send(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/{path}", method=method, headers={"Authorization": "token t"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    try:
        end = time.monotonic() + 60
        while True:
            try:
                send("GET", "status")
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()  # noqa: PT018
                time.sleep(0.2)
        yield project, send
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


@pytest.mark.slow
def test_the_server_of_make_lab_saves_a_notebook_that_ran_again_as_it_was(
    server: tuple[Path, Callable[..., Any]],
) -> None:
    project, send = server
    path = "contents/notebooks/02-claims.ipynb"
    model = send("GET", path)
    send("PUT", path, {"type": "notebook", "format": "json", "content": run_again(model["content"])})
    assert (project / "notebooks" / "02-claims.ipynb").read_bytes() == (NOTEBOOKS / "02-claims.ipynb").read_bytes()
    model["content"]["cells"][0]["source"] = "# Another question?"
    send("PUT", path, {"type": "notebook", "format": "json", "content": model["content"]})
    assert '"# Another question?"' in (project / "notebooks" / "02-claims.ipynb").read_text(encoding="utf-8")
