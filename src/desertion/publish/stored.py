"""The lock of stored plots: versions of the libraries that drew them, and the sha256 of each file."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import matplotlib
import PIL
from matplotlib import ft2font

from desertion.project import write_atomic

LOCK = "plots.lock"
_FORMATS = (".csv", ".json", ".pdf", ".png", ".svg")


def versions() -> dict[str, str]:
    """Versions of the drawing and compression libraries, which decide the bytes of a picture besides this code."""
    return {
        "matplotlib": str(matplotlib.__version__),
        "freetype": str(ft2font.__freetype_version__),
        "pillow": str(PIL.__version__),
        "zlib": str(zlib.ZLIB_RUNTIME_VERSION),
    }


def lock(folder: Path | str) -> str:
    """Write `plots.lock` into the folder of the plots: the versions that drew them and the sha256 of each file.

    Returns what was written. `sha256sum -c plots.lock` reads it too.
    """
    folder = Path(folder)
    lines = [f"# {library} {version}" for library, version in versions().items()]
    lines += [f"{sha256((folder / name).read_bytes())}  {name}" for name in plot_files(folder)]
    text = "\n".join(lines) + "\n"
    write_atomic(folder / LOCK, text)
    return text


def plot_files(folder: Path) -> list[str]:
    """Names of the published files in a folder, sorted."""
    return sorted(path.name for path in folder.glob("*") if path.suffix in _FORMATS and not path.name.startswith("."))


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
