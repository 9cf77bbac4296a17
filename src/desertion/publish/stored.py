"""The lock of stored plots: versions of the libraries that drew them, and the sha256 of each file."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib import ft2font

from desertion.project import file_digest, write_atomic

LOCK = "plots.lock"
_FORMATS = (".csv", ".json", ".svg")


def lock(folder: Path | str) -> str:
    """Write `plots.lock` into the folder of the plots: the versions that drew them and the sha256 of each file.

    Returns what was written. `sha256sum -c plots.lock` reads it too.
    """
    folder = Path(folder)
    lines = [f"# matplotlib {matplotlib.__version__}", f"# freetype {ft2font.__freetype_version__}"]
    lines += [f"{file_digest(folder / name)}  {name}" for name in plot_files(folder)]
    text = "\n".join(lines) + "\n"
    write_atomic(folder / LOCK, text)
    return text


def plot_files(folder: Path) -> list[str]:
    """Names of the published files in a folder, sorted."""
    return sorted(path.name for path in folder.glob("*") if path.suffix in _FORMATS and not path.name.startswith("."))
