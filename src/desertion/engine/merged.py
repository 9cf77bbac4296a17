"""What a git merge can leave behind in stored outputs: markers of a conflict, and mixtures of two sides.

Stored outputs are made by `accept`, and never merged by hand. `notebooks/outputs.lock` names the cells, the data and
the outputs of each notebook as they were accepted together, `plots/plots.lock` the plots: a committed file that does
not fit is a mixture. Files that were edited since the last commit are work in progress, and are not judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from desertion import git, params, reads
from desertion import notebook as nb
from desertion.engine import private
from desertion.errors import UserError
from desertion.project import DATA, NOTEBOOKS, PLOTS, ROOT, digest, file_digest, relative, write_atomic

if TYPE_CHECKING:
    from desertion.figures import Fault

LOCK = NOTEBOOKS / "outputs.lock"
_PLOTS = PLOTS / "plots.lock"
_ACCEPT = "`make accept` renews it"


def lock() -> str:
    """Write the lock of the notebooks on disk, whose outputs are those of their cells and of the data; its text."""
    lines = [f"{content}  {path.name} {part}" for path in nb.paths() for part, content in _parts(path).items()]
    text = "\n".join(["# What the stored outputs belong to, as SHA-256: written by `make accept`.", *lines]) + "\n"
    write_atomic(LOCK, text)
    return text


def _parts(path: Path) -> dict[str, str]:
    """The digests of a notebook's cells, of the data that it reads, and of its outputs."""
    notebook = nb.read(path, validate=False)
    names = sorted({*params.read_cell(notebook, path).reads, *reads.ALWAYS})
    return {
        "cells": nb.digest(notebook),
        "data": digest(json.dumps({name: file_digest(DATA / name) for name in names})),
        "outputs": digest(json.dumps([nb.outputs(cell) for cell in nb.code_cells(notebook)], sort_keys=True)),
    }


def faults() -> list[Fault]:
    """One fault for each stored file with markers of a conflict; where there is none, for each that is a mixture."""
    return list(_markers()) or list(_mixtures())


def _markers() -> Iterator[Fault]:
    from desertion.figures import Fault

    for path in sorted([*NOTEBOOKS.glob("*"), *PLOTS.glob("*")]):
        if path.suffix not in (".ipynb", ".lock", ".csv", ".json", ".svg"):
            continue
        if marker := git.CONFLICT.search(path.read_text(encoding="utf-8", errors="replace")):
            cells = "takes the cells of both sides and " if path.suffix == ".ipynb" else ""
            message = f"a merge left both sides here: `make accept` {cells}makes the outputs anew"
            yield Fault(
                relative(path), marker.string.count("\n", 0, marker.start()) + 1, "conflict", marker[0], message
            )


def _mixtures() -> Iterator[Fault]:
    """Committed files that do not fit their lock; during a merge every file is judged."""
    from desertion.figures import Fault

    try:
        status = git.run("status", "--porcelain", "-z", "--untracked-files=no", "--", "data", "notebooks", "plots")
        merging = (ROOT / git.text("rev-parse", "--git-path", "MERGE_HEAD")).exists()
    except UserError:
        return  # no repository, no merge
    edited = set() if merging else {each[3:] for each in status.decode("utf-8", "replace").split("\0")}
    accepted, files = _read(LOCK), _read(_PLOTS)
    for path in nb.paths() if accepted else []:
        name = relative(path)
        if name in edited or relative(LOCK) in edited:
            continue
        other = {part for part, content in _parts(path).items() if accepted.get(f"{path.name} {part}") != content}
        if any(each.startswith("data/") for each in edited):
            other.discard("data")
        if "outputs" in other:
            yield Fault(name, 1, "outputs", path.stem, f"they are not those that were accepted: {_ACCEPT}")
        elif other:
            what = " and ".join(sorted(other))
            yield Fault(name, 1, "outputs", path.stem, f"they were accepted with other {what}: {_ACCEPT}")
    for file, content in files.items():
        name = relative(PLOTS / file)
        if name not in edited and relative(_PLOTS) not in edited and file_digest(PLOTS / file) != content:
            yield Fault(name, 1, "file", file, f"it is not the one that was accepted: {_ACCEPT}")


def outdated() -> list[str]:
    """The notebooks whose stored outputs were accepted with other cells or data than those on disk."""
    accepted, names = _read(LOCK), []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")) if accepted else []:
        try:
            parts = _parts(path)
        except UserError:
            continue  # whatever is wrong with it has its own message
        if any(accepted.get(f"{path.name} {part}") != parts[part] for part in ("cells", "data")):
            names.append(path.stem)
    return names


def _read(path: Path) -> dict[str, str]:
    """The lines of a lock: name → digest."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return {name: content for content, name in re.findall(r"^([0-9a-f]{64})  (.+)$", text, re.MULTILINE)}


def settle() -> list[str]:
    """Take the cells of both sides in the notebooks with markers of a conflict, without outputs; their names.

    Raises UserError where both sides edited the same lines of a cell, before anything is written.
    """
    marked = [path for path in NOTEBOOKS.glob("*.ipynb") if git.CONFLICT.search(path.read_text(errors="replace"))]
    texts = {path: _both(relative(path)) for path in sorted(marked)}
    for path, text in texts.items():
        write_atomic(path, text)
    return [relative(path) for path in texts]


def _both(name: str) -> str:
    """The notebook `name` with the cells of both sides of the merge in progress."""
    with private.folder() as folder:
        sides = {side: folder / side for side in ("this side", "before", "the other side")}
        for stage, side in zip("213", sides.values(), strict=True):
            try:
                content = git.run("show", f":{stage}:./{name}").decode("utf-8", "replace")
            except UserError:
                what = "has markers of a conflict, but git no longer knows both sides: take it back from a commit"
                raise UserError(f"{name}: {what}, then `make accept`") from None
            side.write_text(nb.dumps(nb.bare(nb.parse(content, name))), encoding="utf-8")
        labels = [word for side in sides for word in ("-L", side)]
        text = git.run("merge-file", "-p", *labels, *map(str, sides.values()), allowed=127).decode()
    if marker := git.CONFLICT.search(text):
        around = text[: marker.start()].rpartition('"id": "')[2].partition('"')[0]
        raise UserError(
            f"{name}: both sides of the merge edited cell '{around}' or the one before it: take one side by "
            f"`git checkout --ours {name}` (or --theirs), put in what the other one changed, then `make accept`"
        )
    return text
