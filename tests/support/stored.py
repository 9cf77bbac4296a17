"""Compares the stored plots with their lock."""

from __future__ import annotations

import re
from pathlib import Path

from desertion.errors import UserError
from desertion.project import file_digest, relative
from desertion.publish.files import LOCK, plot_files


def verify(folder: Path) -> list[str]:
    """Differences between the stored plots and their lock, one line each. Raises UserError for an unreadable lock."""
    locked, stored = _read_lock(folder), set(plot_files(folder))
    faults = [f"{name}: stored but not in the lock; `make accept` renews both" for name in sorted(stored - set(locked))]
    faults += [f"{name}: in the lock but not stored" for name in sorted(set(locked) - stored)]
    changed = [name for name in sorted(stored & set(locked)) if file_digest(folder / name) != locked[name]]
    return faults + [f"{name}: the stored file was changed by hand: it is not what the lock says" for name in changed]


def _read_lock(folder: Path) -> dict[str, str]:
    path = folder / LOCK
    if not path.is_file():
        raise UserError(f"{relative(path)}: missing; `make accept` writes it")
    hashes: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := re.fullmatch(r"([0-9a-f]{64})  (\S+)", line):
            hashes[match[2]] = match[1]
        elif not re.fullmatch(r"# \S+ \S+", line):
            raise UserError(
                f"{relative(path)}:{number}: {line[:80]!r} is neither `# LIBRARY VERSION` nor `SHA256  FILE`"
            )
    return hashes
