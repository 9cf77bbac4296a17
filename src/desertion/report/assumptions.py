"""Parameters of an executed notebook as readers see them: the value in words, and what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion.errors import UserError
from desertion.params import cell
from desertion.plots import wording
from desertion.report.blocks import FilledNumber
from desertion.text import number


@dataclass(frozen=True)
class Assumption:
    """A parameter in a run: its `value` in words, and `about`, its meaning, name and default."""

    value: str
    about: str


def of(notebook: nb.Notebook, path: Path) -> dict[str, Assumption]:
    """The parameters of an executed notebook, name → assumption; none where it has no parameters cell."""
    try:
        there = cell.read(nb.bare(notebook), path)
    except UserError:
        return {}
    values = {name: there.parameters[name].default for name in there.names} | _injected(notebook)
    return {
        name: Assumption(_words(values[name]), _about(there.parameters[name], path.stem, values[name]))
        for name in there.names
    }


def _injected(notebook: nb.Notebook) -> dict[str, Any]:
    """What the runner set, from the cell that it added."""
    values = {}
    for source in (each["source"] for each in notebook["cells"] if nb.is_injected(each)):
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values[node.targets[0].id] = ast.literal_eval(node.value)
    return values


def _about(parameter: cell.Parameter, stem: str, value: object) -> str:
    default = "its default" if value == parameter.default else f"its default is {_words(parameter.default)}"
    meaning = parameter.meaning or parameter.name.replace("_", " ")
    return f"{wording.capital(meaning)}. It is the parameter {parameter.name} of {stem} ({default})."


def _words(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, int | float):
        return number(value)
    return ", ".join(map(_words, value)) if isinstance(value, list) else wording.spoken(str(value))


def assumed(words: str, name: str, assumptions: Mapping[str, Assumption]) -> str:
    """What readers should know of a number with the name of a parameter; "" where it is none, or has another value."""
    one = assumptions.get(name)
    return one.about if one and one.value == words.replace(",", "").removesuffix(".0") else ""


def in_prose(text: str, assumptions: Mapping[str, Assumption]) -> Iterator[str | FilledNumber]:
    """Markdown cut at the names of parameters in it, `` `level` ``, each replaced by its value."""
    for n, part in enumerate(re.split(r"`(\w+)`", text)):
        if n % 2 == 0:
            yield part
        elif part in assumptions:
            yield FilledNumber(assumptions[part].value, assumed=assumptions[part].about)
        else:
            yield f"`{part}`"
