"""Compares freshly drawn plots with the stored ones and their lock."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from desertion.errors import UserError
from desertion.project import relative
from desertion.publish.stored import LOCK, plot_files, sha256, versions

#: Tolerated difference between two pictures of one plot drawn by different versions of the libraries: root mean square
#: of the differences in grey, 0 to 255, after shrinking both 24 times, so that edges of letters hardly count.
#: Measured: another hinting of letters gives 2 to 5, an empty picture or another plot 17 and more.
TOLERANCE = 6.0
#: The same for equal versions, where processors may differ in the last digit.
SAME_TOLERANCE = 0.2
_SHRINK = 24
#: Pictures whose sizes differ by more than this share have different layouts.
_SIZE_SHARE = 0.03


def verify(folder: Path | str, against: Path | str) -> list[str]:
    """Differences between freshly drawn plots in `folder` and the stored ones in `against` with their lock.

    With the versions of the lock every file has the same bytes, but for a PNG whose SVG is the same: there processors
    may differ in a last digit and the pictures are compared. With other versions tables and side records have the
    same bytes and the PNG are within `TOLERANCE`; SVG and PDF are not compared. Each line names the file, what differs
    and what was compared; no line, no difference. Raises UserError where `against` has no readable lock.
    """
    folder, against = Path(folder), Path(against)
    locked, hashes = _read_lock(against)
    here = versions()
    changed = [
        f"{library} {here.get(library, '?')} instead of {locked.get(library, '?')}"
        for library in here
        if here[library] != locked.get(library)
    ]
    basis = f"pictures compared, since this is {', '.join(changed)}" if changed else "bytes compared"
    stored, fresh = set(plot_files(against)), set(plot_files(folder))
    faults = [f"{name}: stored but not in the lock; `make accept` renews both" for name in sorted(stored - set(hashes))]
    faults += [f"{name}: in the lock but not stored" for name in sorted(set(hashes) - stored)]
    faults += [
        f"{name}: the stored file was changed by hand: it is not what the lock says"
        for name in sorted(stored & set(hashes))
        if sha256((against / name).read_bytes()) != hashes[name]
    ]
    faults += [f"{name}: stored but no longer drawn" for name in sorted(stored - fresh)]
    faults += [f"{name}: drawn but not stored" for name in sorted(fresh - stored)]
    for name in sorted(stored & fresh):
        one, other = (place / name for place in (folder, against))
        if one.read_bytes() == other.read_bytes():
            continue
        if name.endswith((".csv", ".json")):
            faults.append(f"{name}: differs from the stored one (bytes compared)")
        elif name.endswith(".png") and (changed or _same(folder, against, Path(name).with_suffix(".svg").name)):
            why = basis if changed else "pictures compared, since the SVG is the same"
            most = TOLERANCE if changed else SAME_TOLERANCE
            far = difference(one, other)
            if far > most:
                faults.append(f"{name}: differs from the stored one by {far:.2f}, over {most:g} ({why})")
        elif not changed:
            faults.append(f"{name}: differs from the stored one ({basis})")
    return faults


def _same(folder: Path, against: Path, name: str) -> bool:
    one, other = folder / name, against / name
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def difference(one: Path, other: Path) -> float:
    """The root mean square difference of two pictures in grey, shrunk; infinite where their sizes differ much."""
    with Image.open(one) as a, Image.open(other) as b:
        if any(abs(mine - theirs) > _SIZE_SHARE * theirs for mine, theirs in zip(a.size, b.size, strict=True)):
            return float("inf")
        pictures = (a.convert("L").resize(b.size), b.convert("L"))
        first, second = (np.asarray(picture.reduce(_SHRINK), dtype=float) for picture in pictures)
    return float(np.sqrt(np.mean((first - second) ** 2)))


def _read_lock(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    path = folder / LOCK
    if not path.is_file():
        raise UserError(f"{relative(path)}: missing; `make accept` writes it")
    versions: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := re.fullmatch(r"# (\S+) (\S+)", line):
            versions[match[1]] = match[2]
        elif match := re.fullmatch(r"([0-9a-f]{64})  (\S+)", line):
            hashes[match[2]] = match[1]
        else:
            raise UserError(
                f"{relative(path)}:{number}: {line[:80]!r} is neither `# LIBRARY VERSION` nor `SHA256  FILE`"
            )
    return versions, hashes
