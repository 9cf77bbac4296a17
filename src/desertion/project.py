"""Where the project is and how it writes: the root, the named folders, atomic files, digests."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from desertion.errors import UserError

#: The clone that this package was imported from (see `demand_clone`).
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
PLOTS = ROOT / "plots"
EDITIONS = ROOT / "editions"
FORECASTS = ROOT / "forecasts"
BUILD = ROOT / "build"
PACKAGE = ROOT / "src" / "desertion"
#: The part of the package that makes the page. No notebook imports it, so a change of its style reruns none.
PAGE = PACKAGE / "report"
LOCK = ROOT / "requirements.lock"
#: Ending of the name of the single-column picture of a plot.
PHONE = "-single"
#: What results depend on beside their inputs.
CODE = ("src/desertion", "requirements.lock", "python", "processor")


def demand_clone() -> None:
    """Raise UserError where the package is installed without its clone, which has the data and the notebooks."""
    here = Path(__file__).resolve().parent
    if here != PACKAGE:
        raise UserError(
            f"desertion is installed in {here.parent}, without its data and notebooks: "
            f"run `{sys.executable} -m pip install -e '.[report]'` in a clone, for it must be installed editable"
        )


def resolved(path: Path) -> Path:
    """`path` without links; of one that leads in a circle as much as there is, where `Path.resolve` would raise."""
    return Path(os.path.realpath(path))


def relative(path: Path) -> str:
    """`path` as a message names it: relative to the root, with `/`, where it lies inside, else as it was given."""
    whole = resolved(path)
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(path)


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes, or of a text as UTF-8, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of the file's content, "" where there is no such file."""
    try:
        return digest(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""


def files(folder: Path) -> list[Path]:
    """The files below `folder`, sorted, without hidden ones and compiled Python."""
    visible = (path for path in folder.rglob("*") if not path.name.startswith(".") and "__pycache__" not in path.parts)
    return sorted(path for path in visible if path.is_file())


def files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 of the names and contents of files of the project, in hexadecimal."""
    return digest("\0".join(f"{path.relative_to(ROOT).as_posix()}\0{file_digest(path)}" for path in paths))


def code() -> dict[str, str]:
    """The content of each part of `CODE`; `PAGE` is left out of the package."""
    package = [path for path in files(PACKAGE) if not path.is_relative_to(PAGE)]
    return dict(zip(CODE, (files_digest(package), file_digest(LOCK), sys.version, _processor()), strict=True))


def code_digest() -> str:
    """Digest of what results depend on beside their inputs: the package, the lock, Python and the processor."""
    return digest("\0".join(code().values()))


def _processor() -> str:
    """The model of the processor and its instruction sets, on which the last digits of sums depend."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            first = file.read(8192).partition("\n\n")[0]
    except OSError:
        first = ""
    lines = (line for line in first.splitlines() if line.startswith(("model name", "flags", "Features", "CPU part")))
    return digest(" ".join([os.uname().machine, *lines]))


def write_atomic(path: Path, content: bytes | str) -> bool:
    """Write `content` (text as UTF-8) to `path` so that a reader sees the old file or the new one, never half.

    Returns True where the content differs from what was there; an equal file is not touched.
    Raises OSError where the folder cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # which writing to an open file does not name
        raise
    return True
