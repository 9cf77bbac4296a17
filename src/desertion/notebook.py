"""Notebook files: reads them, checks what a run would hand them, removes what a run leaves in them.

Works on the plain JSON of a notebook, since importing nbformat costs more than a build that has nothing to do.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

from desertion.errors import UserError
from desertion.project import DATA, ROOT, relative
from desertion.reads import NAME as READS
from desertion.text import hint

Notebook = dict[str, Any]

#: The tag of the cell that papermill adds.
INJECTED = "injected-parameters"

# What papermill, nbclient and editors write into a cell's metadata at each run.
_RUN_METADATA = {"papermill", "execution", "ExecuteTime"}
_PAPERMILL_MARKER = "papermill-error-cell-tag"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A cell's file name in a warning holds the number of the kernel's process.
_CELL_FILE = re.compile(r"\S{0,200}[/\\]ipykernel_\d+[/\\]\d+\.py")


def read(path: Path) -> Notebook:
    """The notebook at `path` as JSON of nbformat 4.5: each cell's source one string, each with an id of its own.

    Raises UserError where the file is missing, is not JSON or is not a notebook of nbformat 4.
    """
    name = relative(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{name}: there is no such notebook") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not UTF-8 at byte {error.start}: a notebook is JSON in UTF-8") from None
    return parse(text, name)


def parse(text: str, name: str) -> Notebook:
    """The notebook that `text` holds, as `read` gives it; `name` is for messages. Raises UserError as `read` does."""
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{name}:{error.lineno}: not JSON ({error.msg}): mend the line or take the file back from git"
        ) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise UserError(f"{name}: JSON, but not a notebook: it has no 'nbformat'")
    if notebook["nbformat"] != 4 or not isinstance(notebook.get("cells"), list):
        raise UserError(
            f"{name}: nbformat {notebook['nbformat']}, where 4 with 'cells' is needed: "
            "open it in JupyterLab and save it"
        )
    notebook["nbformat_minor"] = max(5, int(notebook.get("nbformat_minor", 0)))
    notebook.setdefault("metadata", {})
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            raise UserError(f"{name}: cell {number} has no 'cell_type' of code, markdown or raw")
        source = cell.get("source", "")
        cell["source"] = "".join(source) if isinstance(source, list) else str(source)
        cell.setdefault("metadata", {})
        identity = str(cell.get("id", ""))
        if not _ID.fullmatch(identity) or identity in seen:
            # nbformat would draw a random one, another at each run.
            identity = hashlib.sha256(f"{number}\n{cell['source']}".encode()).hexdigest()[:8]
        seen.add(identity)
        cell["id"] = identity
    return notebook


def is_injected(cell: dict[str, Any]) -> bool:
    """Whether `cell` is the one that papermill added."""
    return INJECTED in cell["metadata"].get("tags", ())


def code_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """The code cells as a reader counts them: without the one that papermill added."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and not is_injected(cell)]


def is_long(notebook: Notebook) -> bool:
    """Whether its author says, by `"desertion": {"long": true}` in its metadata, that it runs longer than others."""
    said = notebook["metadata"].get("desertion")
    return isinstance(said, dict) and said.get("long") is True


def first_line(cell: dict[str, Any], width: int = 60) -> str:
    """The first line of the cell's source that says something, cut at `width` characters."""
    line = next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


def defaults(notebook: Notebook, path: Path) -> dict[str, Any]:
    """The names in the cell tagged `parameters` and their values; `...` where a value is not a literal.

    Raises UserError where there is not exactly one such cell or where it is not Python.
    """
    cells = code_cells(notebook)
    tagged = [(i, cell) for i, cell in enumerate(cells, 1) if "parameters" in cell["metadata"].get("tags", ())]
    if len(tagged) != 1:
        found = ", ".join(f"code cell {i}" for i, _ in tagged) or "none"
        raise UserError(f"{relative(path)}: exactly one code cell must be tagged 'parameters' (found: {found})")
    number, cell = tagged[0]
    try:
        tree = ast.parse(cell["source"])
    except SyntaxError as error:
        raise UserError(
            f"{relative(path)}: code cell {number} (parameters), line {error.lineno}: {error.msg}: "
            "it holds assignments of values only"
        ) from None
    values: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    values[target.id] = ast.literal_eval(value)
                except ValueError:
                    values[target.id] = ...
    return values


def reads(notebook: Notebook, path: Path) -> tuple[str, ...]:
    """The files of data/ that the notebook declares in its parameters cell (`desertion.reads`), sorted.

    Raises UserError where `reads` is no list of names, or names a file that is not there.
    """
    declared = defaults(notebook, path).get(READS, [])
    if not isinstance(declared, list) or not all(isinstance(name, str) for name in declared):
        raise UserError(f"{relative(path)}: `{READS}` in the parameters cell: a list of names of files in data/")
    there = sorted(one.name for one in DATA.glob("*.csv"))
    for name in declared:
        if name not in there:
            raise UserError(f"{relative(path)}: `{READS}` names '{name}', which is not in data/: {hint(name, there)}")
    return tuple(sorted(set(declared)))


def check(notebook: Notebook, path: Path, parameters: dict[str, Any]) -> None:
    """Finds, without a kernel, what would make a run with `parameters` fail or silently ignore one of them.

    Raises UserError: a parameter that the parameters cell lacks (papermill would use the default), a value that
    is not JSON (papermill would hand over its text), an empty code cell (nothing would count it as run).
    """
    known = defaults(notebook, path)
    for name, value in parameters.items():
        if name not in known:
            raise UserError(f"{relative(path)}: no parameter '{name}' in the parameters cell: {hint(name, known)}")
        _check_json(value, f"{relative(path)}: parameter '{name}'")
    for number, cell in enumerate(code_cells(notebook), 1):
        if not cell["source"].strip():
            raise UserError(f"{relative(path)}: code cell {number} is empty: delete it")


def _check_json(value: object, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: {value} is not a finite number")
    if type(value) is list:
        for item in value:
            _check_json(item, where)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise UserError(f"{where}: the key {key!r} of a table must be a string")
            _check_json(item, where)
    elif type(value) not in (str, int, float, bool, type(None)):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise UserError(
            f"{where}: {value!r} is a {kind}: only JSON values are handed to a notebook (a string, "
            "number, true, false, null, list or table; a date as 'YYYY-MM-DD')"
        )


def bare(notebook: Notebook) -> Notebook:
    """What the author wrote: no outputs, no counts, nothing that a run adds."""
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if is_injected(cell) or _PAPERMILL_MARKER in tags:
            continue
        kept: dict[str, Any] = {key: value for key, value in cell.items() if key not in ("outputs", "execution_count")}
        kept["metadata"] = _cell_metadata(cell)
        if cell["cell_type"] == "code":
            kept |= {"outputs": [], "execution_count": None}
        cells.append(kept)
    metadata = {key: value for key, value in notebook["metadata"].items() if key not in ("papermill", "widgets")}
    metadata["language_info"] = {"name": "python"}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": notebook["nbformat_minor"]}


def digest(notebook: Notebook) -> str:
    """SHA-256 of what the author wrote, in hexadecimal: stored outputs do not change it."""
    return hashlib.sha256(json.dumps(bare(notebook), sort_keys=True).encode()).hexdigest()


def scrub(notebook: Notebook, *, injected: bool = False) -> Notebook:
    """The executed `notebook` without traces of when and where it ran; outputs stay, counts run 1…n.

    With `injected` the cell that papermill added stays (the parameters of the edition), without `out`, which is
    a path of this machine. Without it the notebook is the author's, with outputs.
    """
    clean = bare(notebook)
    written = {cell["id"]: cell for cell in clean["cells"]}
    cells: list[dict[str, Any]] = []
    count = 0
    kept: dict[str, Any]
    for cell in notebook["cells"]:
        if is_injected(cell):
            if not injected:
                continue
            lines = [line for line in cell["source"].splitlines() if not line.startswith("out = ")]
            kept = {"cell_type": "code", "id": INJECTED, "source": "\n".join(lines), "metadata": _cell_metadata(cell)}
        elif cell["id"] in written:
            kept = written[cell["id"]]
        else:
            continue
        if cell["cell_type"] == "code":
            ran = cell.get("execution_count") is not None
            count += ran
            kept["execution_count"] = count if ran else None
            kept["outputs"] = [_clean_output(output, count) for output in _joined(cell.get("outputs", []))]
        cells.append(kept)
    return clean | {"cells": cells}


def dumps(notebook: Notebook) -> str:
    """The text of `notebook` as Jupyter writes it: sorted keys, indent 1, a final newline.

    Raises UserError where it is not valid nbformat.
    """
    import nbformat

    node: Any = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    try:
        nbformat.validate(node)
    except nbformat.ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        raise UserError(f"not a valid notebook at {where or 'the top'}: {error.message[:200]}") from None
    text: str = nbformat.writes(node)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def _cell_metadata(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in cell["metadata"].items()
        if key not in _RUN_METADATA and not (key == "tags" and not value)
    }


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`outputs` with one of stdout and one of stderr, in this order where they meet: how often they flush is chance.

    nbclient does as much, in a time that grows with the square of the longest line.
    """
    joined: list[dict[str, Any]] = []
    streams: dict[str, dict[str, Any]] = {}
    for output in outputs:
        name = output.get("name", "")
        if output["output_type"] != "stream":
            joined.append(output)
        elif name in streams:
            streams[name]["text"].append(_text(output))
        else:
            streams[name] = output | {"text": [_text(output)]}
            joined.append(streams[name])
    for stream in streams.values():
        lines = "".join(stream["text"]).replace("\r\n", "\n").split("\n")
        stream["text"] = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)  # as a terminal shows it
    for place, (one, other) in enumerate(itertools.pairwise(joined)):
        if (one.get("name"), other.get("name")) == ("stderr", "stdout"):
            joined[place : place + 2] = [other, one]
            break
    return joined


def _text(output: dict[str, Any]) -> str:
    text = output["text"]
    return "".join(text) if isinstance(text, list) else text


def _clean_output(output: dict[str, Any], count: int) -> dict[str, Any]:
    kept = {key: value for key, value in output.items() if key != "transient"}
    if "execution_count" in kept:
        kept["execution_count"] = count
    if "data" in kept:
        kept["data"] = {
            kind: value if kind.startswith("image/") and kind != "image/svg+xml" else _clean(value)
            for kind, value in kept["data"].items()
        }
    for key in ("text", "evalue", "traceback"):
        if key in kept:
            kept[key] = _clean(kept[key])
    return kept


def _clean(value: Any) -> Any:
    """`value` with the paths of this machine cut to those inside the project, in all its strings."""
    if isinstance(value, str):
        for place in (str(ROOT), sys.prefix):
            value = value.replace(place + "/", "")
        return _CELL_FILE.sub("<cell>", value) if "ipykernel_" in value else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
