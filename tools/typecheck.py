"""Checks the types of the package, and of the code cells of the notebooks against it.

mypy reads modules: each notebook is laid out as one in build/types/cells/, with its parameters as they are declared.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "types" / "cells"
#: What the cells of the parameters name before the imports.
HEAD = "from datetime import date\nfrom typing import Optional\n\nfrom IPython.display import display\n"
#: `name: type = value`, whose value papermill gives as JSON: of a "date" it is a text.
_PARAMETER = re.compile(r'^(\w+): "(.+?)" = .*$', re.M)


def module(notebook: Path) -> str:
    """The code cells of a notebook as one module."""
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    parts = [HEAD]
    for number, cell in enumerate(cells, 1):
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", []):
            source = _PARAMETER.sub(r"\1: \2", source)
        parts.append(f"# code cell {number}\n{source}\n")
    return "\n".join(parts)


def place(module: Path, line: int) -> str:
    """The code cell of a notebook, and the line in it, that a line of its module stands for."""
    before = module.read_text(encoding="utf-8").splitlines()[:line]
    first = max(at for at, text in enumerate(before, 1) if text.startswith("# code cell "))
    return f"notebooks/{module.stem}.ipynb, {before[first - 1].removeprefix('# ')}, line {line - first}"


def main() -> int:
    """Check the package, then the notebooks; 0 where nothing is wrong."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    modules = [PLACE / "__init__.py", *(PLACE / f"{path.stem}.py" for path in (ROOT / "notebooks").glob("*.ipynb"))]
    modules[0].touch()
    for path in modules[1:]:
        path.write_text(module(ROOT / "notebooks" / f"{path.stem}.ipynb"), encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--no-error-summary"]
    package = subprocess.run(mypy, cwd=ROOT).returncode
    cells = subprocess.run([*mypy, *map(str, sorted(modules))], cwd=ROOT, capture_output=True, text=True)
    named = re.sub(
        rf"^{re.escape(str(PLACE.relative_to(ROOT)))}/(.*?\.py):(\d+)",
        lambda match: place(PLACE / match[1], int(match[2])), cells.stdout, flags=re.M,
    )  # fmt: skip
    print(named + cells.stderr, end="")
    return package or cells.returncode


if __name__ == "__main__":
    sys.exit(main())
