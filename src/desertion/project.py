"""Where the project is and how it writes: the root, the named folders, atomic files, digests."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from pathlib import Path

#: The clone this package was imported from; the project is always installed editable, so `src/` is inside it.
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
PLOTS = ROOT / "plots"
EDITIONS = ROOT / "editions"
BUILD = ROOT / "build"


def relative(path: Path) -> str:
    """`path` as a message names it: relative to the root, with `/`, where it lies inside, else as it was given."""
    whole = Path(path).resolve()
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


def code_digest() -> str:
    """Digest of what results depend on beside their inputs: the package, the lock, Python and the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = "".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))
    except OSError:  # not Linux
        processor = platform.processor()
    files = [path for path in (ROOT / "src" / "desertion").rglob("*") if path.suffix != ".pyc" and path.is_file()]
    content = {relative(path): file_digest(path) for path in sorted([ROOT / "requirements.lock", *files])}
    return digest(f"{sys.version}\n{platform.machine()} {processor}\n{content}")


def write_atomic(path: Path, content: bytes | str, *, durable: bool = True) -> bool:
    """Write `content` (text as UTF-8) to `path` so that a reader sees the old file or the new one, never half.

    Where it need not be `durable`, nothing waits for the disk, and a power cut may leave half of it.
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
            if durable:
                os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return True
