"""Reads and checks a notebook's parameters cell, the one source of its parameters and their defaults.

Each line is `name: annotation = value  # what it is, with its unit`, as papermill's help reads it. The cell stands
before the imports, so an annotation that needs one is quoted: `"Optional[date]"`.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion import yaml_file
from desertion.errors import UserError
from desertion.params import known, types
from desertion.params.types import Annotation, Json
from desertion.project import DATA, NOTEBOOKS, relative
from desertion.reads import NAME as READS
from desertion.text import hint, shown, visible


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: its name, type and default, and what it is, in words."""

    name: str
    annotation: Annotation
    default: Json
    meaning: str


@dataclass(frozen=True)
class ParametersCell:
    """The parameters of the notebook at `path`, name → parameter, in the order of the cell."""

    path: Path
    parameters: dict[str, Parameter]

    @property
    def names(self) -> list[str]:
        """The parameters that an edition or a command line may set."""
        return [name for name in self.parameters if name not in (known.OUT, READS)]

    @property
    def publishes(self) -> bool:
        """Whether the notebook takes a folder to publish plots in."""
        return known.OUT in self.parameters

    @property
    def reads(self) -> tuple[str, ...]:
        """The files of data/ that the notebook declares, sorted. Raises UserError where one of them is not there."""
        there = sorted(one.name for one in DATA.glob("*.csv"))
        declared: Any = self.parameters[READS].default if READS in self.parameters else []
        for name in declared:
            if name not in there:
                raise UserError(
                    f"{relative(self.path)}: `reads` names '{shown(name)}', which is not in data/: {hint(name, there)}"
                )
        return tuple(sorted(set(declared)))

    def check(self, values: Mapping[str, object], where: str = "", *, runner: bool = False) -> dict[str, Json]:
        """`values` that override defaults, in the types of JSON. `runner`: it alone may set `out`.

        Raises UserError with one line for each value that does not fit, after `where` (the notebook).
        """
        where = where or relative(self.path)
        names = [*self.names, known.OUT] if runner and self.publishes else self.names
        checked: dict[str, Json] = {}
        faults = []
        for name, value in values.items():
            if name not in names:
                there = f"no parameter '{shown(str(name))}' in the parameters cell"
                faults.append(f"{where}: {there}: {hint(str(name), names)}")
                continue
            one = self.parameters[name]
            try:
                checked[name] = known.check(name, one.annotation, value)
            except ValueError as error:
                meaning = f" ({visible(one.meaning)[:100]})" if one.meaning else ""
                faults.append(f"{where}: {name} = {types.text(value)}: {error}{meaning}")
        if not faults:
            try:
                known.check_together({name: one.default for name, one in self.parameters.items()} | checked)
            except ValueError as error:
                faults.append(f"{where}: {error}")
        if faults:
            raise UserError("\n".join(faults))
        return checked

    def parse(self, assignments: Iterable[str]) -> dict[str, object]:
        """The values of `["level=0.9", "articles=[337]"]`; each right side is YAML, its words text where text is due.

        Raises UserError on a missing `=` and on damaged YAML.
        """
        values: dict[str, object] = {}
        for text in assignments:
            name, equals, value = text.partition("=")
            if not equals:
                raise UserError(f"{shown(text)} is not NAME=VALUE")
            if name in values:
                raise UserError(f"{self.path.stem}: {shown(name)} is given twice")
            texts = name in self.parameters and self.parameters[name].annotation.is_text
            values[name] = yaml_file.parse(value, f"{self.path.stem}: {shown(name)}", plain_text=texts)
        return values


def of(stem: str, where: str = "") -> ParametersCell:
    """The parameters cell of the project's notebook `stem`. Raises UserError where there is none, or a wrong one."""
    there = [path.stem for path in nb.paths()]
    if stem not in there:
        raise UserError(f"{where or 'notebooks'}: there is no notebook '{shown(stem)}': {hint(stem, there)}")
    path = NOTEBOOKS / f"{stem}.ipynb"
    return read(nb.read(path, validate=False), path)


def read(notebook: nb.Notebook, path: Path) -> ParametersCell:
    """The parameters cell of `notebook`, which was read from `path`.

    Raises UserError with notebook, cell and line of each fault: not one such cell, not Python, a type that there is
    not, a default that does not fit its type, a well-known name with another type.
    """
    number, cell = _tagged(notebook, path)
    where = f"{relative(path)}: code cell {number} (parameters), line"
    source = cell["source"]
    try:
        tree = ast.parse(source)
        meanings = _meanings(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        line = getattr(error, "lineno", None) or 1
        what = error.msg if isinstance(error, SyntaxError) else "not Python"
        raise UserError(f"{where} {line}: {what}: it holds assignments of values only") from None
    parameters: dict[str, Parameter] = {}
    faults = []
    for node in tree.body:
        try:
            name, annotation, default = _declaration(node, source)
            if name in parameters:
                raise ValueError(f"{shown(name)} stands twice")
            parameters[name] = Parameter(name, annotation, default, meanings.get(node.end_lineno or 0, ""))
        except ValueError as error:
            faults.append(f"{where} {node.lineno}: {error}")
    if not faults:
        try:
            known.check_together({name: one.default for name, one in parameters.items()})
        except ValueError as error:
            faults.append(f"{where} {_line(tree, 'start')}: {error}")
    if faults:
        raise UserError("\n".join(faults))
    return ParametersCell(path, parameters)


def check(notebook: nb.Notebook, path: Path, values: Mapping[str, object]) -> None:
    """Find, without a kernel, what would make a run with `values` fail or ignore one of them.

    Raises UserError as `read` and `ParametersCell.check` do, and for an empty code cell: nothing would count it as run.
    """
    read(notebook, path).check(values, runner=True)
    for number, cell in enumerate(nb.code_cells(notebook), 1):
        if not cell["source"].strip():
            raise UserError(f"{relative(path)}: code cell {number} is empty: delete it")


def _tagged(notebook: nb.Notebook, path: Path) -> tuple[int, nb.Notebook]:
    """The code cell tagged `parameters`, and its number."""
    tagged = [
        (number, cell)
        for number, cell in enumerate(nb.code_cells(notebook), 1)
        if "parameters" in cell["metadata"].get("tags", ())
    ]
    if len(tagged) != 1:
        cells = " and ".join(f"code cell {number}" for number, _ in tagged) or "none"
        raise UserError(
            f"{relative(path)}: exactly one code cell must be tagged 'parameters' (found: {cells}); "
            "JupyterLab shows and sets tags under Property Inspector"
        )
    return tagged[0]


def _meanings(source: str) -> dict[int, str]:
    """The comment at the end of each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def _declaration(node: ast.stmt, source: str) -> tuple[str, Annotation, Json]:
    """The name, type and default of one line. Raises ValueError with what would be right."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        kind = known.REGISTRY[name].annotation if name in known.REGISTRY else None
        written = types.inferred(_literal(name, node.value, source)) if kind is None else _written(kind)
        raise ValueError(f"{shown(name)} has no type: write `{shown(name)}: {written} = …  # what it is`")
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
        raise ValueError("not an assignment of a value: write `name: int = 5  # what it is`")
    name, hinted = node.target.id, node.annotation
    quoted = isinstance(hinted, ast.Constant) and isinstance(hinted.value, str)
    text = str(ast.literal_eval(hinted)) if quoted else ast.get_source_segment(source, hinted) or ""
    annotation = types.parse(text)
    if not quoted and str(annotation) != _written(annotation):
        raise ValueError(f"quote the type, since the cell stands before the imports: `{name}: {_written(annotation)}`")
    if name in known.REGISTRY:
        try:
            known.REGISTRY[name].demand_type(annotation)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    if node.value is None:
        raise ValueError(f"{shown(name)} has no value: write `{shown(name)}: {_written(annotation)} = …`")
    value = _literal(name, node.value, source)
    if name == known.OUT and value is not None:
        raise ValueError("out must be None: the runner sets it, and elsewhere a notebook writes nothing")
    try:
        return name, annotation, known.check(name, annotation, value)
    except ValueError as error:
        raise ValueError(f"{shown(name)} = {_text(node.value, source)}: {error}") from None


def _literal(name: str, node: ast.expr, source: str) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        what = "not a plain value: compute it in a later cell"
        raise ValueError(f"{shown(name)} = {_text(node, source)}: {what}") from None


def _text(node: ast.AST, source: str) -> str:
    """The text of `node` for a message."""
    return shown(" ".join((ast.get_source_segment(source, node) or "").split()))


def _written(annotation: Annotation) -> str:
    """An annotation as it stands in a cell: quoted where Python would look a name up."""
    return f'"{annotation}"' if annotation.optional or "date" in str(annotation) else str(annotation)


def _line(tree: ast.Module, name: str) -> int:
    targets = (node for node in tree.body if isinstance(node, ast.AnnAssign))
    return next(node.lineno for node in targets if isinstance(node.target, ast.Name) and node.target.id == name)
