"""Sentences with a condition on their numbers: where the numbers no longer meet it, the sentence is withheld.

In a notebook the words and their condition stand side by side, and the numbers are computed:

    say("awol-2021-2023", "Cases under Art. 337 grew about eightfold from 2021 to 2023 (×{r.ratio:.1f}, {r.low:.1f} to "
        "{r.high:.1f}).", when="7.5 <= r.ratio < 8.5", ids="F083 F085", r=exact.rate_ratio(5024, 1, 615, 1))

Where numbers of a sentence rest on different figures, `ids` names those of each: `ids={"old": "F085", "new": "F147"}`.
`recipes` say in one line how a number was computed: `recipes={"r.ratio": "{r.to_count:,.0f} ÷ {r.from_count:,.0f}"}`.
A value that knows its `ids` and `recipes`, as those of `trends` do, brings them along.

`when` is a comparison in Python over the same names. Only the condition decides: a number that merely changes is
printed as it is now. Each sentence leaves a record in the metadata of its output, so that a build can list the withheld
ones with the values with which they were last accepted.
"""

from __future__ import annotations

import ast
import math
import numbers
import re
import string
from collections.abc import Mapping, Sequence
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
    """A sentence as shown: `text` is its words, or a notice where it is `withheld`.

    `values`: the numbers in the condition `when` (None: there is no such number). `ids`: the statements behind the
    sentence, `by`: those behind each named number, where they are given by name. `why`: the refusals among its values.
    `recipes`: how a number was computed, by the field of the template or by its value.
    """

    id: str
    text: str
    template: str
    when: str
    values: Mapping[str, float | None]
    withheld: bool
    ids: tuple[str, ...] = ()
    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: str = ""
    recipes: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The sentence as kept in the metadata of its output."""
        kept: dict[str, Any] = {
            "id": self.id, "template": self.template, "when": self.when, "values": dict(self.values),
            "withheld": self.withheld, "ids": list(self.ids),
        }  # fmt: skip
        kept |= {"why": self.why} if self.why else {}
        kept |= {"recipes": dict(self.recipes)} if self.recipes else {}
        return kept | ({"by": {name: list(ids) for name, ids in self.by.items()}} if self.by else {})


@dataclass(frozen=True)
class Withheld:
    """A sentence that a run withheld: its place, condition, and values as accepted (None: never accepted) and now.

    `why`: the refusals among its values, where there are any.
    """

    notebook: str
    cell: int
    id: str
    template: str
    when: str
    old: Mapping[str, float | None] | None
    new: Mapping[str, float | None]
    why: str = ""

    def __str__(self) -> str:
        if self.why:
            return f"{self.notebook}, cell {self.cell}: sentence '{self.id}' is withheld: {self.why}"
        changes = ", ".join(
            f"{name} was {_show(self.old.get(name))}, is {_show(value)}" if self.old else f"{name} is {_show(value)}"
            for name, value in self.new.items()
        )
        return f"{self.notebook}, cell {self.cell}: sentence '{self.id}' needs {self.when}; {changes}"


def sentence(
    name: str,
    template: str,
    /,
    *,
    when: str,
    ids: str | Mapping[str, str] = "",
    recipes: Mapping[str, str] | None = None,
    **values: Any,
) -> Sentence:
    """The sentence that `say` shows, with its record; parameters and errors are those of `say`."""
    where = f"sentence '{name}'"
    by = {} if isinstance(ids, str) else {value: tuple(each.split()) for value, each in ids.items()}
    if unknown := sorted(by.keys() - values.keys()):
        raise UserError(f"{where}: ids are given for {', '.join(unknown)}, which is no value of it")
    behind = ids.split() if isinstance(ids, str) else [each for those in by.values() for each in those]
    tree = _parse(when, values, where)
    known = {ast.unparse(part): _value(part, values, where) for part in _parts(tree.body)}
    known |= {one: None for one, value in values.items() if value is None or isinstance(value, Refused)}
    why = "; ".join(dict.fromkeys(str(value) for value in values.values() if isinstance(value, Refused)))
    recipes = recipes or {}
    holds = None not in known.values() and bool(_evaluate(tree, values, where))
    if holds:
        text = _filled(template, values, where)
        recipes = {each: _filled(recipe, values, where) for each, recipe in recipes.items()}
    else:
        recipes = {}
        now = ", ".join(f"{one} is {_show(value)}" for one, value in known.items())
        text = f"{lead(template)}*A sentence is withheld here: {why or f'its words need `{when}`, and {now}'}.*"
    return Sentence(name, text, template, when, known, not holds, tuple(dict.fromkeys(behind)), by, why, recipes)


def _filled(template: str, values: Mapping[str, Any], where: str) -> str:
    try:
        return _Words().vformat(template, (), values)
    except (KeyError, IndexError, AttributeError, ValueError, TypeError) as error:
        raise UserError(f"{where}: the template '{template}' cannot be filled: {error}") from None


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def _value_of(field: str) -> str:
    """The value that a field of a template shows: `a.ratio` is of the value `a`."""
    return re.split(r"[.\[]", field)[0]


def by_field(kept: Mapping[str, Any], field: str) -> Any:
    """What a record keeps for a field of its template, `a.ratio`, or for its value, `a`; None for neither."""
    return kept.get(field, kept.get(_value_of(field)))


def lead(template: str) -> str:
    """The bold words that a template begins with, as a heading of the notice in its place; blank without them."""
    lead = re.match(r"\*\*([^*{}]+?)([.?!]?)\*\*", template)
    return f"**{lead[1]}{lead[2] or '.'}** " if lead else ""


class _Words(string.Formatter):
    """Fills templates: `{n:page|pages}` is `page` where n is 1, else `pages`."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """One field in words."""
        one, bar, many = format_spec.partition("|")
        return (one if value == 1 else many) if bar else str(super().format_field(value, format_spec))


def first(
    name: str,
    versions: Sequence[tuple[str, str]],
    ids: str | Mapping[str, str] = "",
    recipes: Mapping[str, str] | None = None,
    **values: Any,
) -> Sentence:
    """The first of several versions of a sentence, each (template, condition), that holds; else the first, withheld.

    A version stands on the values that it names alone: one that does not exist withholds only the versions that use it.
    """
    made, left = [], dict(recipes or {})
    ids = ids or {name: own for name, value in values.items() if isinstance(own := getattr(value, "ids", None), str)}
    recipes = _brought(values) | left
    for template, when in versions:
        shown = {each for field in _fields(template) for each in (field, _value_of(field))}
        own_recipes = {field: recipe for field, recipe in recipes.items() if field in shown}
        left = {field: recipe for field, recipe in left.items() if field not in shown}
        named = shown | {_value_of(field) for recipe in own_recipes.values() for field in _fields(recipe)}
        tree = _parse(when, values, f"sentence '{name}'")
        named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        own = {key: value for key, value in values.items() if key in named or len(versions) == 1}
        behind = (
            ids if isinstance(ids, str) else {key: each for key, each in ids.items() if key in own or key not in values}
        )
        made.append(sentence(name, template, when=when, ids=behind, recipes=own_recipes, **own))
    if left:
        raise UserError(f"sentence '{name}': a recipe is given for {min(left)}, which no template names")
    return next((one for one in made if not one.withheld), made[0])


def _brought(values: Mapping[str, Any]) -> dict[str, str]:
    """The recipes that the values of a sentence bring along, by field of its template."""
    own = {
        name: recipes for name, value in values.items() if isinstance(recipes := getattr(value, "recipes", 0), Mapping)
    }
    return {f"{name}.{field}": recipe for name, recipes in own.items() for field, recipe in recipes.items()}


def say(
    name: str,
    template: str,
    /,
    *,
    when: str,
    otherwise: Sequence[tuple[str, str]] = (),
    ids: str | Mapping[str, str] = "",
    recipes: Mapping[str, str] | None = None,
    **values: Any,
) -> None:
    """Show a sentence as a paragraph; where its condition does not hold, the next version that does, or a notice.

    Parameters
    ----------
    name : str
        Identifier of the sentence, unique in its notebook.
    template : str
        Markdown with format fields, which `values` fill: `×{r.ratio:.1f}`; `{n:page|pages}` is the word for n of them.
    when : str
        Condition in Python: a comparison over the names of `values`, such as `7.5 <= r.ratio < 8.5`.
    otherwise : sequence of tuple of str and str, optional
        Other versions of the sentence, each a template and its condition, in the order in which they are tried.
    ids : str or mapping of str to str, optional
        Ids of the statements behind the sentence, joined by spaces, or those behind each value by its name; without
        them the attribute `ids` of each value.
    recipes : mapping of str to str, optional
        How numbers were computed, by field (`r.ratio`) or by value (`r`, for all of its fields): a template in one
        line over the same `values`, which the card of the number shows; those in the attribute `recipes` of a value,
        field → recipe, need not be repeated. Without one a number that a page prints leads to it, the quotient, sum
        or difference of two statements is told from them, and a value with the name of a parameter is an assumption.
    **values
        Numbers, or objects with numbers as attributes. If one does not exist (None, NaN in the condition, or
        `Refused`), the sentence is withheld; the notice in its place then shows why it was refused.

    Raises
    ------
    UserError
        If the condition compares none of the values, a template cannot be filled, `ids` names no value, or `recipes`
        no field.
    """
    from IPython.display import publish_display_data

    one = first(name, [(template, when), *otherwise], ids, recipes, **values)
    data = {"text/markdown": one.text, "text/plain": one.text}
    publish_display_data(data, metadata={"desertion": {_KEY: one.record()}})  # type: ignore[no-untyped-call]


def records(notebook: Path) -> list[tuple[int, dict[str, Any]]]:
    """The records of the sentences in the outputs of an executed notebook, each with the number of its code cell.

    Raises UserError where the file is no notebook, or where two sentences have one name.
    """
    from desertion import notebook as nb

    out: list[tuple[int, dict[str, Any]]] = []
    for number, cell in enumerate(nb.code_cells(nb.read(notebook)), 1):
        for output in cell.get("outputs", ()):
            record = output.get("metadata", {}).get("desertion", {}).get(_KEY)
            if record is None:
                continue
            if any(other["id"] == record["id"] for _, other in out):
                raise UserError(f"{relative(notebook)}: two sentences have the name '{record['id']}': rename one")
            out.append((number, record))
    return out


def filled(text: str, record: Mapping[str, Any]) -> dict[str, str] | None:
    """The fields of a sentence's template in order, `r.ratio:.1f` → `8.3`; a field that stands twice has (2) behind it.

    None where `text` is not of these words, and where the sentence is withheld.
    """
    fields = list(string.Formatter().parse(record["template"]))
    pattern = "".join(re.escape(words) + ("(.*?)" if name is not None else "") for words, name, _, _ in fields)
    match = re.fullmatch(pattern, text, flags=re.DOTALL)
    if match is None or record.get("withheld"):
        return None
    named = [(name, form) for _, name, form, _ in fields if name is not None]
    out: dict[str, str] = {}
    for (name, form), value in zip(named, match.groups(), strict=True):
        field = f"{name}:{form}" if form else str(name)
        count = sum(each == field or each.startswith(f"{field} (") for each in out)
        out[f"{field} ({count + 1})" if count else field] = value
    return out


def withheld(notebook: Path, accepted: Path | None = None) -> list[Withheld]:
    """The sentences that the run behind `notebook` withheld, with the values they had in the `accepted` notebook.

    Raises UserError as `records` does.
    """
    old = {record["id"]: record["values"] for _, record in records(accepted)} if accepted else {}
    out = []
    for cell, one in records(notebook):
        if one["withheld"]:
            before, why = old.get(one["id"]), one.get("why", "")
            out.append(
                Withheld(notebook.stem, cell, one["id"], one["template"], one["when"], before, one["values"], why)
            )
    return out


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
    """The numbers in a condition, each whole (`r.ratio`, not `r`), in order, once each."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return [] if isinstance(node, ast.Name) and node.id in _FUNCTIONS else [node]
    parts = [part for child in ast.iter_child_nodes(node) for part in _parts(child)]
    return list({ast.unparse(part): part for part in parts}.values())


def _evaluate(tree: ast.Expression, values: Mapping[str, Any], where: str) -> Any:
    # The expression is the notebook author's own, as the rest of the cell is; builtins are left out against slips.
    try:
        return eval(compile(tree, where, "eval"), {"__builtins__": _FUNCTIONS}, dict(values))
    except Exception as error:  # whatever the author's expression raises
        raise UserError(f"{where}: '{ast.unparse(tree)}' cannot be computed: {error}") from None


def _value(part: ast.expr, values: Mapping[str, Any], where: str) -> float | None:
    """A number of the condition to four digits, None where there is none; whole numbers stay exact."""
    root = next(node.id for node in ast.walk(part) if isinstance(node, ast.Name))
    if values[root] is None or isinstance(values[root], Refused):
        return None
    value = _evaluate(ast.Expression(part), values, where)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UserError(f"{where}: {ast.unparse(part)} is {value!r}, not a number")
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else float(f"{number:.4g}")


def _show(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
