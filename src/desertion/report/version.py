"""Inputs of a report, identified by content: no clock and no path of the machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from desertion import __version__, git
from desertion import notebook as nb
from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import DATA, EDITIONS, LOCK, NOTEBOOKS, PACKAGE, ROOT, digest, file_digest, files, files_digest

#: Files that decide the content of every report; commits that touch none of them are not named.
_INPUTS = ("data/*.csv", "notebooks/*.ipynb", "src/desertion", "requirements.lock")


def about(edition: Edition, notebooks: Sequence[Path]) -> dict[str, str]:
    """Edition, parameters and hashes of the data, the lock and the notebooks of a report, label → words.

    "Inputs" is one hash of all of them. The commit is the last one that touched them; it is left out where git does not
    know it: outside a clone of its own, and in a shallow clone that does not reach back to it.
    """
    parameters = json.dumps(edition.shared, default=str, sort_keys=True) if edition.shared else "the defaults"
    rows = {
        "Edition": f"{edition.name} ({edition.title.rstrip('.')}): {edition.description}",
        "Published up to": str(edition.as_of or "everything in data/"),
        "Parameters": parameters,
        "Data": f"SHA-256 {data_hash()[:16]}",
        "Packages": f"requirements.lock, SHA-256 {file_digest(LOCK)[:16]}",
        "Package desertion": __version__,
        "Inputs": f"SHA-256 {_inputs(edition.name)[:16]}",
        "Commit": _commit(edition.name),
        "Notebooks run": "; ".join(f"{path.stem} {_source(path)}" for path in notebooks),
    }
    return {label: words for label, words in rows.items() if words}


def data_hash() -> str:
    """SHA-256 of the names and the content of all files of data/, in hexadecimal."""
    content = hashlib.sha256()
    for path in sorted(DATA.glob("*.csv")):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def _inputs(edition: str) -> str:
    """SHA-256 of all that decides the content of a report, in hexadecimal: of equal files it is equal."""
    cells = {path.name: nb.digest(nb.read(path)) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    code = files_digest([*files(PACKAGE), LOCK, EDITIONS / f"{edition}.yml"])
    return digest(json.dumps([data_hash(), cells, code]))


def _source(executed: Path) -> str:
    """The first digits of the hash of a notebook's cells, as the build's own receipt has them."""
    source = NOTEBOOKS / executed.name
    return nb.digest(nb.read(source))[:8] if source.is_file() else ""


def _commit(edition: str) -> str:
    """The last commit of the inputs, and whether they were changed since; stored outputs of notebooks do not count.

    The words are the same for the same inputs and HEAD.
    """
    inputs = (*_INPUTS, f"editions/{edition}.yml")
    try:
        last = _git("log", "-1", "--format=%H", "--", *inputs)
        new = _git("ls-files", "--others", "--exclude-standard", "--", *inputs)
        names = _git("diff", "HEAD", "--name-only", "--no-renames", "--", *inputs).splitlines()
        changed = bool(new) or not all(map(_only_outputs, names))
        shallow = ROOT / _git("rev-parse", "--git-path", "shallow")
        if shallow.is_file() and last in shallow.read_text(encoding="ascii").split():
            return ""  # git knows nothing before this commit, which seems to have touched everything
    except (OSError, UserError):
        return ""
    return f"{last[:12]}, with changes that are not committed" if last and changed else last[:12]


def _only_outputs(name: str) -> bool:
    """Whether a changed file is a notebook whose cells are those that were committed."""
    path = ROOT / name
    if path.suffix != ".ipynb" or not path.is_file():
        return False
    try:
        return nb.digest(nb.parse(_git("show", f"HEAD:{name}"), name)) == nb.digest(nb.read(path))
    except UserError:  # it is new
        return False


def _git(*arguments: str) -> str:
    return git.text(*arguments, timeout=10)
