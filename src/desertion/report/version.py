"""Inputs of a report, identified by content: no clock and no path of the machine."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from desertion import __version__
from desertion import notebook as nb
from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import DATA, NOTEBOOKS, ROOT

#: Files that decide the content of every report; commits that touch none of them are not named.
_INPUTS = ("data/*.csv", "notebooks/*.ipynb", "src/desertion", "requirements.lock")


def about(edition: Edition, notebooks: Sequence[Path]) -> dict[str, str]:
    """Edition, parameters and hashes of the data, the lock and the notebooks of a report, label → words.

    The commit is the last one that touched these; it is left out where the project is no git clone.
    """
    parameters = json.dumps(edition.shared, default=str, sort_keys=True) if edition.shared else "the defaults"
    lock = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    rows = {
        "Edition": f"{edition.name} ({edition.title})",
        "Published up to": str(edition.as_of or "everything in data/"),
        "Parameters": parameters,
        "Data": f"SHA-256 {data_hash()[:16]}",
        "Packages": f"requirements.lock, SHA-256 {lock[:16]}",
        "Package desertion": __version__,
        "Commit": _commit(edition.name),
        "Notebooks run": "; ".join(f"{path.stem} {_source(path)}" for path in notebooks),
    }
    return {label: words for label, words in rows.items() if words}


def data_hash() -> str:
    """SHA-256 of the names and the content of all files of data/, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(DATA.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


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
        last = _git("log", "-1", "--format=%H", "--", *inputs)[:12]
        new = _git("ls-files", "--others", "--exclude-standard", "--", *inputs)
        names = _git("diff", "HEAD", "--name-only", "--no-renames", "--", *inputs).splitlines()
        changed = bool(new) or not all(map(_only_outputs, names))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{last}, with changes that are not committed" if last and changed else last


def _only_outputs(name: str) -> bool:
    """Whether a changed file is a notebook whose cells are those that were committed."""
    path = ROOT / name
    if path.suffix != ".ipynb" or not path.is_file():
        return False
    try:
        return nb.digest(nb.parse(_git("show", f"HEAD:{name}"), name)) == nb.digest(nb.read(path))
    except (UserError, subprocess.CalledProcessError):  # it is new
        return False


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
