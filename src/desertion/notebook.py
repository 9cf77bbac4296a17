"""Notebook files: reads and validates them, removes what a run leaves in them.

Works on the plain JSON of a notebook, since importing nbformat costs more than a build that has nothing to do.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desertion import project
from desertion.errors import UserError
from desertion.project import NOTEBOOKS, ROOT, relative
from desertion.text import shown

Notebook = dict[str, Any]

#: The tag of the cell that papermill adds.
INJECTED = "injected-parameters"

# What papermill, nbclient and editors write into a cell's metadata at each run.
_RUN_METADATA = {"papermill", "execution", "ExecuteTime"}
_PAPERMILL_MARKER = "papermill-error-cell-tag"
# Half of a character beyond U+FFFF, or a number that is none: Python reads them, and cannot write them.
_DOUBTFUL = re.compile(r"\\u[dD]|NaN|Infinity|[0-9][eE]\+?[0-9]{3}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A cell's file name in a warning holds the number of the kernel's process.
_CELL_FILE = re.compile(r"\S{0,200}[/\\]ipykernel_\d+[/\\]\d+\.py")


def paths() -> list[Path]:
    """The project's notebooks, in order. Raises UserError where there are none."""
    notebooks = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if not path.name.startswith("."))
    if not notebooks:
        raise UserError(f"{relative(NOTEBOOKS)}: there are no notebooks")
    return notebooks


def read(path: Path, *, validate: bool = True) -> Notebook:
    """The notebook at `path` as JSON of nbformat 4.5: each cell's source one string, each with an id of its own.

    Without `validate` only what the package itself touches is checked, and nbformat, which takes long to import, does
    not look at the rest: for digests. Raises UserError where the file is missing, is not JSON or is no such notebook.
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
    notebook = parse(text, name)
    if validate:
        _validate(notebook, name)
    return notebook


def parse(text: str, name: str) -> Notebook:
    """The notebook that `text` holds, as `read` gives it without `validate`; `name` is for messages."""
    notebook = _json(text, name)
    if not isinstance(notebook, dict) or type(notebook.get("nbformat")) is not int:
        raise UserError(f"{name}: JSON, but not a notebook: it has no 'nbformat'")
    if notebook["nbformat"] != 4 or not isinstance(notebook.get("cells"), list):
        raise UserError(
            f"{name}: nbformat {shown(str(notebook['nbformat']))}, where 4 with 'cells' is needed: "
            "open it in JupyterLab and save it"
        )
    minor = notebook.get("nbformat_minor", 0)
    if type(minor) is not int or not 0 <= minor < 100 or not isinstance(notebook.setdefault("metadata", {}), dict):
        raise UserError(f"{name}: 'nbformat_minor' must be a number and 'metadata' a table: save it in JupyterLab")
    notebook["nbformat_minor"] = max(5, minor)
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], 1):
        if fault := _cell_fault(cell):
            raise UserError(f"{name}: cell {number} {fault}")
        source = cell.get("source", "")
        cell["source"] = "".join(source) if isinstance(source, list) else source
        cell.setdefault("metadata", {})
        identity = str(cell.get("id", ""))
        if not _ID.fullmatch(identity) or identity in seen:
            # nbformat would draw a random one, another at each run.
            identity = project.digest(f"{number}\n{cell['source']}")[:8]
        seen.add(identity)
        cell["id"] = identity
    return notebook


def _json(text: str, name: str) -> Any:
    """The value of a JSON text that can be written again."""
    place = ""
    try:
        value = json.loads(text)
        if _DOUBTFUL.search(text):
            cells = value.get("cells") if isinstance(value, dict) else None
            for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
                place = f" cell {number}"
                json.dumps(cell, ensure_ascii=False, allow_nan=False).encode()
            place = ""
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return value
    except json.JSONDecodeError as error:
        what = f"not JSON ({error.msg}): mend the line or take the file back from git"
        raise UserError(f"{name}:{error.lineno}: {what}") from None
    except RecursionError:
        raise UserError(f"{name}: nested too deeply for a notebook") from None
    except ValueError:  # a number of thousands of digits, NaN, half of a character
        raise UserError(
            f"{name}:{place} holds half of a character, NaN or another number that JSON does not have: delete it"
        ) from None


def _cell_fault(cell: Any) -> str:
    """What the package cannot work with in `cell`, for a message; "" where there is nothing."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return "has no 'cell_type' of code, markdown or raw"
    source, metadata = cell.get("source", ""), cell.get("metadata", {})
    if not _is_text(source):
        return "has a 'source' that is no text"
    if not isinstance(metadata, dict) or not _are_texts(metadata.get("tags", [])):
        return "has 'metadata' that are no table, or 'tags' that are no list of texts"
    return ""


def _is_text(value: object) -> bool:
    return isinstance(value, str) or _are_texts(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_record(own: Any) -> bool:
    """Whether `own` is what `desertion.sentences.say` puts into an output's metadata, or nothing of ours."""
    if not isinstance(own, dict) or "sentence" not in own:
        return isinstance(own, dict)
    one, by = own["sentence"], own["sentence"].get("by", {}) if isinstance(own["sentence"], dict) else None
    if not isinstance(one, dict) or not isinstance(by, dict) or not all(map(_are_texts, by.values())):
        return False
    recipes = one.get("recipes", {})
    if not isinstance(recipes, dict):
        return False
    texts = [*(one.get(name) for name in ("id", "template", "when")), one.get("why", ""), *recipes.values()]
    if (
        not all(isinstance(text, str) for text in texts)
        or not _are_texts(one.get("ids", []))
        or not isinstance(one.get("withheld"), bool)
    ):
        return False
    try:
        list(string.Formatter().parse(one["template"]))
    except ValueError:
        return False
    numbers = one["values"].values() if isinstance(one.get("values"), dict) else [""]
    return all(number is None or type(number) in (int, float) for number in numbers)


def _validate(notebook: Notebook, name: str) -> None:
    """Raises UserError where `notebook` is not valid nbformat, or where a sentence's record in it is damaged."""
    with without_grammars():
        import nbformat
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        raise UserError(f"{name}: not a valid notebook at {where or 'the top'}: {shown(error.message)}") from None
    for number, cell in enumerate(notebook["cells"], 1):
        if not all(_is_record(output.get("metadata", {}).get("desertion", {})) for output in cell.get("outputs", ())):
            raise UserError(f"{name}: cell {number} has a damaged record of its sentence: run the notebook again")


@contextlib.contextmanager
def without_grammars() -> Iterator[None]:
    """Import nbformat or papermill without a package that builds grammars: 0.3–0.4 s, not 1.7–2.2 s, measured."""
    name = "rfc3987_syntax"
    blocked = name not in sys.modules and "jsonschema" not in sys.modules
    if blocked:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if blocked:
            del sys.modules[name]


def is_injected(cell: dict[str, Any]) -> bool:
    """Whether `cell` is the one that papermill added."""
    return INJECTED in cell["metadata"].get("tags", ())


def code_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """The code cells as a reader counts them: without the one that papermill added."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and not is_injected(cell)]


def is_long(notebook: Notebook) -> bool:
    """Whether its author says, by `"desertion": {"long": true}` in its metadata, that it runs longer than others."""
    marks = notebook["metadata"].get("desertion")
    return isinstance(marks, dict) and marks.get("long") is True


def first_line(cell: dict[str, Any], width: int = 60) -> str:
    """The first line of the cell's source that says something, cut at `width` characters."""
    line = next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


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
    return project.digest(json.dumps(bare(notebook), sort_keys=True))


def joined(value: Any) -> Any:
    """`value` with each text one string, however an editor splits it into lines."""
    if isinstance(value, list):
        return "".join(value) if _are_texts(value) else [joined(each) for each in value]
    return {key: joined(each) for key, each in value.items()} if isinstance(value, dict) else value


def outputs(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a cell without counts, each text one string."""
    return [{key: joined(each) for key, each in one.items() if key != "execution_count"} for one in cell["outputs"]]


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
            if all(line.startswith("#") for line in lines):
                continue  # nothing but `out` was set
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


def before_save(*, model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Save a notebook from JupyterLab as `accept` writes it, so that running it unchanged changes no line of its file.

    A hook of jupyter_server, which `make lab` sets. Counts are numbered 1…n only where all cells ran in
    order. The empty cell that JupyterLab adds after the last one is left out.
    """
    if model["type"] != "notebook" or Path(contents_manager.root_dir, path).resolve().parent != NOTEBOOKS:
        return
    with contextlib.suppress(UserError):  # what is no notebook of ours is saved as it is
        notebook = parse(json.dumps(model["content"]), path)
        cells = notebook["cells"]
        while cells and not cells[-1]["source"].strip() and not cells[-1].get("outputs"):
            cells.pop()
        counts = {cell["id"]: cell.get("execution_count") for cell in cells if cell["cell_type"] == "code"}
        first, *rest = counts.values() or [None]
        in_order = first is not None and rest == list(range(first + 1, first + 1 + len(rest)))
        clean = scrub(notebook)
        for cell in clean["cells"] if not in_order else ():
            if cell["cell_type"] == "code":
                cell["execution_count"] = counts[cell["id"]]
                for output in cell["outputs"]:
                    if "execution_count" in output:
                        output["execution_count"] = counts[cell["id"]]
        import nbformat

        model["content"] = nbformat.from_dict(clean)  # type: ignore[no-untyped-call]


def dumps(notebook: Notebook, name: str = "a notebook") -> str:
    """The text of `notebook` as Jupyter writes it: sorted keys, indent 1, a final newline.

    Raises UserError where it is not valid nbformat; `name` is for the message.
    """
    _validate(notebook, name)
    import nbformat

    text: str = nbformat.writes(nbformat.from_dict(notebook))  # type: ignore[no-untyped-call]
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
        own = (f"{ROOT}/", f"{sys.prefix}/") if sys.prefix != sys.base_prefix else (f"{ROOT}/",)
        for place in own:
            value = value.replace(place, "")
        # Of a Python of the system, below /usr, no more than its own library: other paths are the author's words.
        value = value.replace(f"{sys.base_prefix}/lib/python", "lib/python")
        return _CELL_FILE.sub("<cell>", value) if "ipykernel_" in value else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
