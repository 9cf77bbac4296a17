"""Writes small notebooks and reads what they put out."""

from pathlib import Path
from typing import Any

import nbformat

PARAMETERS = """
day: "Optional[date]" = None
level: float = 0.95
words: list = ["a", "b"]
out: "Optional[str]" = None
""".strip()


def write(path: Path, *sources: str, parameters: str | None = PARAMETERS) -> Path:
    """A notebook at `path`: a heading, the parameters cell, one code cell for each source."""
    cells: list[Any] = [nbformat.v4.new_markdown_cell("# A question")]
    if parameters is not None:
        cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    # The kernel that it names exists nowhere: the runner's own interpreter is used.
    kernelspec = {"name": "julia-9", "display_name": "Julia 9", "language": "julia"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), path)
    return path


def text(cell: dict[str, Any]) -> str:
    """All that a cell of an executed notebook put out as text."""
    parts = [output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell["outputs"]]
    return "".join("".join(part) for part in parts)
