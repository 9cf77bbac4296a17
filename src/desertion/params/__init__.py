"""The parameters of the notebooks and of the editions; an unknown or impossible one is an error.

`types`    the types that a parameter can have
`known`    the well-known names, with their ranges and closed sets
`cell`     a notebook's parameters cell, the one source of its defaults
`edition`  a named set of overrides, in editions/
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from desertion.errors import ParameterError, UserError
from desertion.params import known, types
from desertion.params.cell import ParametersCell, check, of
from desertion.params.cell import read as read_cell
from desertion.params.edition import Edition, edition, names
from desertion.reads import NAME as READS
from desertion.text import hint, shown

__all__ = ["Edition", "Parameters", "ParametersCell", "check", "edition", "names", "of", "read", "read_cell"]


class Parameters:
    """The checked parameters of a notebook as attributes: `p.level`; days are of type `datetime.date`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise ParameterError(f"no parameter '{name}' in the parameters cell: {hint(name, list(self.__dict__))}")

    def __setattr__(self, name: str, value: object) -> None:
        raise ParameterError(f"{name}: set it in the parameters cell and run that cell again")

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {value!r}" for name, value in self.__dict__.items())


def read(namespace: Mapping[str, Any]) -> Parameters:
    """Check the parameters that stand in a notebook, as its parameters cell and papermill set them.

    It uses only what is in the kernel, so it does the same under the runner, in JupyterLab before the file is saved,
    under nbval and under plain papermill.

    Parameters
    ----------
    namespace
        The notebook's `globals()`. The names that its parameters cell declares are those with an annotation.

    Returns
    -------
    Parameters
        An object with an attribute for each parameter but `reads` and `out`.

    Raises
    ------
    UserError
        One line for each value that does not fit, and for each name that papermill set and the cell does not declare.
    """
    annotated = ((name, types.of(each)) for name, each in namespace.get("__annotations__", {}).items())
    declared = {name: annotation for name, annotation in annotated if annotation and name in namespace}
    if not declared:
        raise UserError("no parameters: run the cell tagged 'parameters' first; its lines are `name: int = 5  # …`")
    where = "parameters cell"
    faults = [
        f"{where}: no parameter '{shown(name)}', which papermill was told to set: {hint(name, list(declared))}"
        for name in _injected(namespace.get("In", ()))
        if name not in declared
    ]
    values: dict[str, types.Json] = {}
    for name, annotation in declared.items():
        try:
            if name in known.REGISTRY:
                known.REGISTRY[name].demand_type(annotation)
            values[name] = known.check(name, annotation, namespace[name])
        except ValueError as error:
            faults.append(f"{where}: {name} = {types.text(namespace[name])}: {error}")
    if not faults:
        try:
            known.check_together(values)
        except ValueError as error:
            faults.append(f"{where}: {error}")
    if faults:
        raise UserError("\n".join(faults))
    kept = {name: value for name, value in values.items() if name not in (known.OUT, READS)}
    return Parameters({name: declared[name].python(value) for name, value in kept.items()})


def _injected(cells: Iterable[str]) -> list[str]:
    """The names that papermill assigned: among the `cells` that the kernel ran its own begins with `# Parameters`."""
    trees = [ast.parse(source) for source in cells if source.startswith("# Parameters\n")]
    nodes = [node for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    return [target.id for node in nodes for target in node.targets if isinstance(target, ast.Name)]
