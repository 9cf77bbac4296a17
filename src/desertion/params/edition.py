"""An edition: a named set of overrides of the notebooks' defaults, a small YAML file in editions/.

A parameter under `parameters:` reaches every notebook that has it, one under `notebooks: {NAME: …}` that notebook
alone; `notebooks: {NAME: false}` leaves the notebook out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import yaml_file
from desertion.errors import UserError
from desertion.params import cell, known, types
from desertion.params.cell import ParametersCell
from desertion.params.types import Json
from desertion.project import EDITIONS, relative
from desertion.text import hint, shown

_KEYS = ("title", "description", "parameters", "notebooks")


@dataclass(frozen=True)
class Edition:
    """A named set of parameters: `name`, the YAML file's `title` and `description`, and what it overrides."""

    name: str
    title: str
    description: str
    shared: dict[str, Json]
    own: dict[str, dict[str, Json]]
    left_out: frozenset[str] = frozenset()

    def overrides(self, cell: ParametersCell) -> dict[str, Json]:
        """What this edition sets of the notebook with the parameters `cell`. Raises UserError where it does not fit."""
        stem = cell.path.stem
        shared = {name: value for name, value in self.shared.items() if name in cell.names}
        return cell.check(shared | self.own.get(stem, {}), f"editions/{self.name}.yml: {stem}")

    @property
    def as_of(self) -> date | None:
        """The last day of publication that counts, or None for everything."""
        day = self.shared.get("as_of")
        return date.fromisoformat(day) if isinstance(day, str) else None

    @property
    def undated_lag_days(self) -> int:
        """Days after its period's end that an undated statement counts as published."""
        days = self.shared.get("undated_lag_days", 60)
        return days if isinstance(days, int) else 60

    @property
    def rule(self) -> str:
        """How one of several statements of a count is chosen."""
        return str(self.shared.get("rule", "own-page-first"))


def names(folder: Path = EDITIONS) -> list[str]:
    """The editions that exist, by name."""
    return sorted(path.stem for path in folder.glob("*.yml"))


def edition(name: str, folder: Path = EDITIONS) -> Edition:
    """Read and check `editions/NAME.yml`, with the notebooks whose parameters it overrides.

    Raises UserError naming the parameter, its value and what is allowed.
    """
    if name not in names(folder):
        raise UserError(f"no edition '{shown(name)}': {hint(name, names(folder))}")
    path = folder / f"{name}.yml"
    where = relative(path)
    content = yaml_file.read(path, ("title", "description"))
    if not isinstance(content, dict):
        raise UserError(f"{where}: an edition is a mapping with {', '.join(_KEYS)}")
    for key in content:
        if key not in _KEYS:
            raise UserError(f"{where}: unknown key '{shown(key)}': {hint(key, _KEYS)}")
    title, description = _words(content, "title", where), _words(content, "description", where)
    if not title:
        raise UserError(f"{where}: title: missing: one line that names the edition")
    shared, notebooks = _mapping(content, "parameters", where), _mapping(content, "notebooks", where)
    left_out = frozenset(stem for stem, own in notebooks.items() if own is False)
    own = {stem: _mapping(notebooks, stem, f"{where}: notebooks") for stem in notebooks if stem not in left_out}
    result = Edition(name, title, description, shared, own, left_out)
    if shared or notebooks:
        _check(result, where)
    return result


def _check(edition: Edition, where: str) -> None:
    """Raises UserError where the edition names a notebook or parameter that there is not, or a value does not fit."""
    stems = [path.stem for path in nb.paths()]
    for stem in [*edition.own, *edition.left_out]:
        if stem not in stems:
            raise UserError(f"{where}: notebooks: there is no notebook '{shown(stem)}': {hint(stem, stems)}")
    if edition.left_out == set(stems):
        raise UserError(f"{where}: notebooks: all are left out")
    cells = [cell.of(stem) for stem in stems]
    there = list(dict.fromkeys(name for each in cells for name in each.names))
    faults: dict[str, None] = {}
    for name, value in edition.shared.items():
        if name not in there:
            faults[f"{where}: parameters: {shown(name)}: no notebook has this parameter: {hint(name, there)}"] = None
        elif name in known.REGISTRY and value is not None:
            # The page and the commands that run no notebook take these, too.
            try:
                known.check(name, known.REGISTRY[name].annotation, value)
            except ValueError as error:
                faults[f"{where}: parameters: {name} = {types.text(value)}: {error}"] = None
    if not faults:
        for each in cells:
            try:
                edition.overrides(each)
            except UserError as error:
                faults |= dict.fromkeys(str(error).splitlines())
    if faults:
        raise UserError("\n".join(faults))


def _mapping(content: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        also = ", or false to leave the notebook out" if where.endswith("notebooks") else ""
        raise UserError(f"{where}: {shown(key)} = {types.text(value)}: must be a mapping of names and values{also}")
    return value


def _words(content: dict[str, Any], key: str, where: str) -> str:
    """A title or description: text that a page can show."""
    text = content.get(key, "") if content.get(key) is not None else ""
    if not isinstance(text, str):
        raise UserError(f"{where}: {key}: must be a text")
    allowed = "\n" if key == "description" else ""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character not in allowed:
            raise UserError(f"{where}: {key}: the invisible character U+{ord(character):04X} must not stand there")
    return text.strip()
