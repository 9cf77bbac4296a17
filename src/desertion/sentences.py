"""Sentences of our own whose words carry a condition: where the numbers no longer meet it, the sentence is withheld.

In a notebook the words and their condition stand side by side, and the numbers are computed:

    say("awol-2021-2023", "Cases under Art. 337 grew about eightfold from 2021 to 2023 (×{r.ratio:.1f}, {r.low:.1f} to "
        "{r.high:.1f}).", when="7.5 <= r.ratio < 8.5", ids="F083 F085", r=exact.rate_ratio(5024, 1, 615, 1))

Where the numbers of a sentence rest on different figures, `ids` says so by name: `ids={"old": "F085", "new": "F147"}`.

`when` is a comparison in Python over the same names. Only the condition decides: a number that merely changes is
printed as it is now. Each sentence leaves a record in the metadata of its output, so that a build can list those that
it withheld beside the values with which they were last accepted.
"""

from __future__ import annotations

import ast
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desertion.errors import UserError
from desertion.project import relative
from desertion.trends import Refused

_KEY = "sentence"
_FUNCTIONS = {"abs": abs, "min": min, "max": max, "round": round}


@dataclass(frozen=True)
class Sentence:
    """A sentence as it is shown: `text` is its words, or, where it is `withheld`, a notice in their place.

    `values`: what the names in the condition `when` stand for (None: there is no such number). `ids`: the statements
    that it rests on, `by`: those behind each named number, where they are told apart.
    """

    id: str
    text: str
    template: str
    when: str
    values: Mapping[str, float | None]
    withheld: bool
    ids: tuple[str, ...] = ()
    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The sentence as the metadata of its output keep it."""
        kept: dict[str, Any] = {
            "id": self.id,
            "template": self.template,
            "when": self.when,
            "values": dict(self.values),
            "withheld": self.withheld,
            "ids": list(self.ids),
        }
        return kept | ({"by": {name: list(ids) for name, ids in self.by.items()}} if self.by else {})


@dataclass(frozen=True)
class Withheld:
    """A sentence that a run withheld: where, its condition, the values when it was accepted (None: never) and now."""

    notebook: str
    cell: int
    id: str
    template: str
    when: str
    old: Mapping[str, float | None] | None
    new: Mapping[str, float | None]

    def __str__(self) -> str:
        changes = ", ".join(
            f"{name} was {_show(self.old.get(name))}, is {_show(value)}" if self.old else f"{name} is {_show(value)}"
            for name, value in self.new.items()
        )
        return f"{self.notebook}, cell {self.cell}: sentence '{self.id}' needs {self.when}; {changes}"


def sentence(name: str, template: str, /, *, when: str, ids: str | Mapping[str, str] = "", **values: Any) -> Sentence:
    """The sentence `name`: the format string `template` filled with `values` where the condition `when` holds for them.

    `ids`: the figures behind it, with spaces between, or those behind each value by its name. Where a value does not
    exist (None, NaN in the condition, or `Refused`) the sentence is withheld too. Raises UserError for a condition that
    is no comparison of the values given, for a template that they do not fill, and for ids of a value not given.
    """
    where = f"sentence '{name}'"
    by = {} if isinstance(ids, str) else {value: tuple(each.split()) for value, each in ids.items()}
    if unknown := sorted(by.keys() - values.keys()):
        raise UserError(f"{where}: ids are given for {', '.join(unknown)}, which is no value of it")
    behind = ids.split() if isinstance(ids, str) else [each for those in by.values() for each in those]
    tree = _parse(when, values, where)
    found = {ast.unparse(part): _value(part, values, where) for part in _parts(tree.body)}
    found |= {one: None for one, value in values.items() if value is None or isinstance(value, Refused)}
    holds = None not in found.values() and bool(_evaluate(tree, values, where))
    if holds:
        try:
            text = template.format(**values)
        except (KeyError, IndexError, AttributeError, ValueError, TypeError) as error:
            raise UserError(f"{where}: the template '{template}' cannot be filled: {error}") from None
    else:
        now = ", ".join(f"{one} is {_show(value)}" for one, value in found.items())
        text = f"*A sentence is withheld here: its words need `{when}`, and {now}.*"
    return Sentence(name, text, template, when, found, not holds, tuple(dict.fromkeys(behind)), by)


def say(name: str, template: str, /, *, when: str, ids: str | Mapping[str, str] = "", **values: Any) -> None:
    """Show the sentence in a notebook as a paragraph (see `sentence`), with its record in the output's metadata."""
    from IPython.display import publish_display_data

    one = sentence(name, template, when=when, ids=ids, **values)
    data = {"text/markdown": one.text, "text/plain": one.text}
    publish_display_data(data, metadata={"desertion": {_KEY: one.record()}})  # type: ignore[no-untyped-call]


def said(notebook: Path) -> list[tuple[int, dict[str, Any]]]:
    """The records of the sentences in the outputs of an executed notebook, each with the number of its code cell.

    Raises UserError where the file is no notebook, or where two sentences have one name.
    """
    from desertion import notebook as nb

    out: list[tuple[int, dict[str, Any]]] = []
    code = [cell for cell in nb.read(notebook)["cells"] if cell["cell_type"] == "code" and not nb.is_injected(cell)]
    for number, cell in enumerate(code, 1):
        for output in cell.get("outputs", ()):
            record = output.get("metadata", {}).get("desertion", {}).get(_KEY)
            if record is None:
                continue
            if any(other["id"] == record["id"] for _, other in out):
                raise UserError(f"{relative(notebook)}: two sentences have the name '{record['id']}': rename one")
            out.append((number, record))
    return out


def withheld(notebook: Path, accepted: Path | None = None) -> list[Withheld]:
    """The sentences that the run behind `notebook` withheld, with the values they had in the `accepted` notebook.

    Raises UserError as `said` does.
    """
    old = {record["id"]: record["values"] for _, record in said(accepted)} if accepted else {}
    return [
        Withheld(
            notebook=notebook.stem,
            cell=cell,
            id=record["id"],
            template=record["template"],
            when=record["when"],
            old=old.get(record["id"]),
            new=record["values"],
        )
        for cell, record in said(notebook)
        if record["withheld"]
    ]


# --- conditions ------------------------------------------------------------------------------------------------------


def _parse(when: str, values: Mapping[str, Any], where: str) -> ast.Expression:
    try:
        tree = ast.parse(when.strip(), mode="eval")
    except SyntaxError as error:
        raise UserError(f"{where}: the condition '{when}' cannot be read: {error.msg}") from None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - _FUNCTIONS.keys()
    if unknown := sorted(names - values.keys()):
        raise UserError(f"{where}: the condition '{when}' names {', '.join(unknown)}, which is not given")
    if not names or not any(isinstance(node, ast.Compare) for node in ast.walk(tree)):
        raise UserError(f"{where}: the condition '{when}' compares no number: it could never fail")
    return tree


def _parts(node: ast.AST) -> list[ast.expr]:
    """The numbers that a condition names, each whole (`r.ratio`, not `r`), in their order, once each."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return [] if isinstance(node, ast.Name) and node.id in _FUNCTIONS else [node]
    found = [part for child in ast.iter_child_nodes(node) for part in _parts(child)]
    return list({ast.unparse(part): part for part in found}.values())


def _evaluate(tree: ast.Expression, values: Mapping[str, Any], where: str) -> Any:
    # The expression is the notebook author's own, as the rest of the cell is; builtins are left out against slips.
    try:
        return eval(compile(tree, where, "eval"), {"__builtins__": _FUNCTIONS}, dict(values))
    except Exception as error:  # whatever the author's expression raises
        raise UserError(f"{where}: '{ast.unparse(tree)}' cannot be computed: {error}") from None


def _value(part: ast.expr, values: Mapping[str, Any], where: str) -> float | None:
    """A number of the condition to six digits, None where there is none; whole numbers stay exact."""
    root = next(node.id for node in ast.walk(part) if isinstance(node, ast.Name))
    if values[root] is None or isinstance(values[root], Refused):
        return None
    found = _evaluate(ast.Expression(part), values, where)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, numbers.Real):
        raise UserError(f"{where}: {ast.unparse(part)} is {found!r}, not a number")
    number = float(found)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else float(f"{number:.6g}")


def _show(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
