"""Runs a notebook and lists the numbers that it rounds close to an edge, where another processor may print another.

Each place in the package and in the notebook that rounds (f-strings, `format`, `round` and `.round`) looks at the
number first. `python tests/support/edges.py notebooks/03-trends.ipynb` prints one line for each number within `NEAR` of
an edge, with its cell; what is printed exactly, as counts are, has no edge, nor have halves, which are means of two
counts. Plots are drawn from tables that were rounded before, so the modules that draw are left as they are.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import string
import sys
import traceback
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

#: Relative distance from an edge. Processors were seen to differ by 5e-12. Of the thousands of numbers behind a dense
#: plot some would always lie within the first distance: columns of more than `_DENSE` numbers have the second.
NEAR, NEAR_IN_PLOTS, _DENSE = 1e-6, 1e-8, 100
#: Decimals from which on rounding makes keys of numbers and no print.
_KEYS = 9
_DRAWING = ("desertion.plots.", "desertion.publish.files")
near: dict[str, None] = {}
_cell = ["the package"]


def look(value: Any, rounded: Callable[[float], Any], how: str, distance: float = NEAR) -> None:
    """Note a number that `rounded` does not print exactly, and that it gives another text a little further on."""
    if not isinstance(value, float) or not math.isfinite(value) or (2 * value).is_integer():
        return
    text = rounded(float(value))
    if text == rounded(value * (1 + distance)) == rounded(value * (1 - distance)):
        return
    plain = str(text).replace(",", "").replace("−", "-")
    exact = Decimal(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    if exact != Decimal(repr(float(value))):
        frames = (frame for frame, _ in traceback.walk_stack(sys._getframe(1)))
        code = next(frame for frame in frames if frame.f_code.co_filename not in (__file__, string.__file__))
        where = "" if code.f_code.co_filename == _cell[0] else f", {code.f_globals['__name__']} line {code.f_lineno}"
        near[f"{_cell[0]}{where}: {float(value)!r} is printed as {text} ({how})"] = None


def seen_format(value: Any, form: str = "") -> str:
    """`format`, with a look at the number."""
    if form and form[-1] in "feg%":
        look(value, lambda number: format(number, form), form)
    return format(value, form)


class _Formatter(string.Formatter):
    def format_field(self, value: Any, form: str) -> str:
        return seen_format(value, form)


def seen_template(template: Any) -> Callable[..., Any]:
    """The method `format` of a text, with a look at its numbers; of anything else, that method."""
    return (lambda *a, **k: _Formatter().vformat(template, a, k)) if isinstance(template, str) else template.format


def seen_round(value: Any, places: Any = None) -> Any:
    """`round`, with a look at the number."""
    if (places or 0) < _KEYS:
        look(value, lambda number: float(round(number, places or 0)), f"{places or 0} decimals")
    return round(value) if places is None else round(value, places)


def seen_method(holder: Any) -> Callable[..., Any]:
    """The method `round` of a frame, column or array, with a look at its numbers."""
    if isinstance(holder, ModuleType):  # numpy.round
        return lambda values, places=0: seen_method(values)(places) if hasattr(values, "round") else seen_round(values)

    def rounded(places: Any = 0, **more: Any) -> Any:
        columns = [holder[name] for name in holder] if hasattr(holder, "columns") else [holder]
        for column in columns:
            one = places.get(column.name, _KEYS) if isinstance(places, dict) else places
            if str(getattr(column, "dtype", "")).startswith("float") and one < _KEYS:
                values = column.tolist() if column.ndim else [float(column)]
                distance = NEAR if len(values) <= _DENSE else NEAR_IN_PLOTS
                for value in values:
                    look(value, lambda number, one=one: float(round(number, one)), f"{one} decimals", distance)
        return holder.round(places, **more)

    return rounded


class _Rewriter(ast.NodeTransformer):
    """Sends each place that rounds through one of the functions above."""

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        self.generic_visit(node)
        if node.format_spec is not None and node.conversion == -1:
            node.value, node.format_spec = _call("seen_format", node.value, node.format_spec), None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and node.attr in ("format", "round"):
            return _call("seen_template" if node.attr == "format" else "seen_method", node.value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in ("format", "round"):
            return ast.copy_location(_attribute(f"seen_{node.id}"), node)
        return node


def _attribute(name: str) -> ast.expr:
    module = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("edges")], [])
    return ast.Attribute(module, name, ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(_attribute(name), list(arguments), []), arguments[0])


def rewritten(source: str | bytes, name: str) -> ast.Module:
    """The tree of a source with each rounding looked at."""
    return ast.fix_missing_locations(_Rewriter().visit(ast.parse(source, name)))


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compile(rewritten(self.get_data(path), path), path, "exec", dont_inherit=True)


class _Finder(PathFinder):
    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        drawn = fullname.startswith(_DRAWING) or fullname.partition(".")[0] != "desertion"
        spec = None if drawn else super().find_spec(fullname, path, target)
        if spec is None or not spec.origin:
            return None
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=_Loader(fullname, spec.origin),
            submodule_search_locations=spec.submodule_search_locations,
        )  # fmt: skip


def run(notebook: Path) -> list[str]:
    """Run the code cells of a notebook in this process; one line for each number near an edge."""
    sys.meta_path.insert(0, _Finder)
    import IPython.display

    from desertion import tables

    IPython.display.publish_display_data = lambda *a, **k: None
    cells = [cell for cell in json.loads(notebook.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    space: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells, 1):
        _cell[0] = f"{notebook.stem}, code cell {number}"
        tree = rewritten("".join(cell["source"]), _cell[0])
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, _cell[0], "exec"), space)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), _cell[0], "eval"), space)
            if hasattr(shown, "columns"):  # as the page shows it
                tables.of_frame(shown)
    return list(near)


if __name__ == "__main__":
    sys.modules["edges"] = sys.modules["__main__"]
    for line in run(Path(sys.argv[1])):
        print(line)
