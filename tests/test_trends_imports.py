"""The modules of the models import each other one way, also inside functions."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from desertion.project import ROOT

SRC = ROOT / "src"


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


def test_no_module_of_the_models_imports_back() -> None:
    paths = [path for folder in ("trends", "csv_models") for path in (SRC / "desertion" / folder).rglob("*.py")]
    modules = {name_of(path) for path in paths}
    imports: dict[str, set[str]] = {}
    for path in paths:
        own = imports.setdefault(name_of(path), set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                inner = {f"{module}.{alias.name}" for alias in node.names} & modules
                # a package is imported for what it holds, where only modules of it are named
                own |= inner if len(inner) == len(node.names) else inner | ({module} & modules)
            elif isinstance(node, ast.Import):
                own |= {alias.name for alias in node.names} & modules
    order = list(TopologicalSorter(imports).static_order())
    assert set(order) == modules
