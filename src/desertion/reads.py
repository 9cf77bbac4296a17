"""The data files that a notebook may read: those it declares and the closed words (`ALWAYS`), in a run no others.

A notebook declares them in its parameters cell: `reads: list[str] = ["figures.csv", …]`. Its last run is compared with
them, so that a run which read another file could be out of date unnoticed. The environment of each kernel has the
declared names with the digests of their validated content: `guard` refuses other files, and `figures.load` need not
validate that content again. In JupyterLab and under nbval the variable is not set, and every file can be read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from desertion.errors import UserError
from desertion.project import DATA, digest, file_digest, relative

#: The name in a parameters cell.
NAME = "reads"
#: Files of closed words, which every run may read and depends on without declaring them.
ALWAYS = ("compilers.csv",)
#: In a kernel's environment: JSON, name of a declared file → SHA-256 of its content.
VARIABLE = "DESERTION_READS"


def variable(files: Mapping[str, str] | None) -> dict[str, str]:
    """The variable for a kernel's environment with the declared `files`, name → digest; none if every file is free."""
    return {} if files is None else {VARIABLE: json.dumps(files, sort_keys=True)}


def declared() -> dict[str, str] | None:
    """The declared files of this run, name → digest; None outside a run."""
    text = os.environ.get(VARIABLE)
    return None if text is None else dict(json.loads(text))


def digests(names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of the content of these files of data/, in a run of the content that passed validation."""
    passed = declared() or {}
    return {name: passed.get(name) or file_digest(DATA / name) for name in names}


def content(path: Path, files: Mapping[str, str]) -> bytes:
    """The bytes of a data file that is among the declared `files`, name → digest of validated content.

    Raises UserError if it is not declared, or if its content has changed since.
    """
    if path.name not in files:
        raise _undeclared(path.name)
    data = path.read_bytes()
    if digest(data) != files[path.name]:
        raise UserError(f"{relative(path)} was changed while the notebook ran: run it again")
    return data


def _undeclared(name: str) -> UserError:
    return UserError(
        f"data/{name} is not declared, so a change in it would not rerun this notebook: "
        f"add {json.dumps(name)} to `{NAME} = […]` in the parameters cell"
    )


def guard() -> None:
    """Refuse from now on to open a file of data/ that was not declared; do nothing outside a run.

    The refusal is a UserError that shows where to declare the file.
    """
    files = declared()
    if files is None:
        return
    data = os.path.realpath(DATA) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path.startswith(data) and (name := path[len(data) :]) not in files:
            raise _undeclared(name)

    sys.addaudithook(hook)
