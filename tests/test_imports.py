"""The rooms of the package: imports run one way, and the package itself costs nothing to import."""

import ast
import subprocess
import sys
from pathlib import Path

from desertion.project import ROOT

PACKAGE = ROOT / "src" / "desertion"
#: A module may import those before it.
ORDER = [
    "errors", "text", "arguments", "project", "git", "drawing", "reads", "memo", "vocabulary", "yaml_file", "notebook",
    "params", "figures", "hedges", "reconcile", "entries", "cards", "trends", "csv_models", "claims", "sentences",
    "plots", "publish", "tables", "trend_tables", "engine", "inline", "skeleton", "registered", "report", "changes",
    "release", "cli", "__main__",
]  # fmt: skip
APART = {"__init__"}
#: A build calls the page that it makes, and says what changed; the data show the cards of their statements.
EXCEPTIONS = {("engine", "report"), ("engine", "changes"), ("figures", "cards")}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Rooms that a module imports when it runs; imports for type checking alone are left out."""
    names: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    skipped = {id(node) for branch in typing for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("desertion.")}
        elif isinstance(node, ast.ImportFrom) and node.module == "desertion":
            names |= {alias.name for alias in node.names} & set(ORDER)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("desertion."):
            names.add((node.module or "").split(".")[1])
    return names


def test_every_module_has_its_place_in_the_order() -> None:
    assert {room(path) for path in PACKAGE.rglob("*.py")} == set(ORDER) | APART


def test_imports_run_one_way() -> None:
    backwards = {
        (room(path), other)
        for path in PACKAGE.rglob("*.py")
        for other in imported(path) - {room(path)}
        if room(path) in ORDER and ORDER.index(other) > ORDER.index(room(path))
    }
    assert backwards <= EXCEPTIONS


def test_the_package_imports_nothing_heavy() -> None:
    code = "import sys, desertion, desertion.cli, desertion.project; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "scipy", "matplotlib", "statsmodels", "seaborn", "pydantic"} & set(loaded)


def test_nothing_in_the_project_reads_outside_its_folder() -> None:
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tests").glob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]:
        assert ("../" + "shared") not in path.read_text(encoding="utf-8"), path
