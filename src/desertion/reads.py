"""The data files that a notebook may read: those it declares, and in a run no others.

A notebook declares them in its parameters cell: `reads: list[str] = ["figures.csv", …]`. They are part of what its last
run is compared with, so a run that read another one could be out of date without anybody noticing. The runner hands
each kernel the declared names with the digests of the content that passed validation; `guard` holds the kernel to
them, and `figures.load` need not validate that content again. In JupyterLab and under nbval nothing is handed, and all
is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desertion.errors import UserError
from desertion.project import DATA, relative

#: The name in a parameters cell.
NAME = "reads"
#: In a kernel's environment: JSON, name of a declared file → SHA-256 of its content.
VARIABLE = "DESERTION_READS"


def variable(files: Mapping[str, str] | None) -> dict[str, str]:
    """What a kernel's environment gets for the declared `files`, name → digest; nothing where there is no rule."""
    return {} if files is None else {VARIABLE: json.dumps(files, sort_keys=True)}


def handed() -> dict[str, str] | None:
    """The declared files of this run, name → digest; None outside a run."""
    text = os.environ.get(VARIABLE)
    return None if text is None else dict(json.loads(text))


def content(path: Path, files: Mapping[str, str]) -> bytes:
    """The bytes of a data file that is among the declared `files`, name → digest of what passed validation.

    Raises UserError where it is not declared, and where its content is another now.
    """
    if path.name not in files:
        raise _undeclared(path.name)
    found = path.read_bytes()
    if hashlib.sha256(found).hexdigest() != files[path.name]:
        raise UserError(f"{relative(path)} was changed while the notebook ran: run it again")
    return found


def _undeclared(name: str) -> UserError:
    return UserError(
        f"data/{name} is not declared, so a change in it would not rerun this notebook: "
        f"add {json.dumps(name)} to `{NAME} = […]` in the parameters cell"
    )


def guard() -> None:
    """Refuse, from now on and in this process, to open a file of data/ that was not declared; outside a run nothing.

    The refusal is a UserError that says where to declare the file.
    """
    files = handed()
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
