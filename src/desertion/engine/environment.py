"""Compares the packages of this interpreter with requirements.lock. A script; needs the standard library only.

`make PYTHON=…` runs it first; the project's own .venv is made from the lock and needs no check.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOCK = Path(__file__).resolve().parents[3] / "requirements.lock"
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$")


def pins(lock: str) -> dict[str, tuple[str, str]]:
    """Name → (version, marker or "") of each package that the text of a lock file pins."""
    matches = (_PIN.match(line) for line in lock.splitlines())
    return {match["name"]: (match["version"], match["marker"] or "") for match in matches if match}


def differences(lock: str, groups: Sequence[str] = ()) -> list[str]:
    """One line for each package that is installed in another version, one line for all missing packages.

    Packages with a marker such as `extra == 'test'` count where that is among `groups`.
    """
    try:
        from packaging.markers import Marker
    except ImportError:  # pip carries a copy
        from pip._vendor.packaging.markers import Marker  # type: ignore[assignment]
    lines, missing = [], []
    for name, (pinned, marker) in pins(lock).items():
        if marker and not any(Marker(marker).evaluate({"extra": group}) for group in ("", *groups)):
            continue
        try:
            installed = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if installed != pinned:
            lines.append(f"{name}: {installed} (the lock has {pinned})")
    return lines + ([f"missing: {', '.join(missing)}"] if missing else [])


def main(groups: Sequence[str]) -> int:
    """Print the differences and the command that removes them; 0 if there are none."""
    if sys.version_info < (3, 11):  # noqa: UP036 — this script also meets interpreters that are too old
        print(f"{sys.executable} is Python {sys.version.split()[0]}; 3.11 or newer is needed", file=sys.stderr)
        return 1
    lines = differences(LOCK.read_text(encoding="utf-8"), groups)
    if lines:
        print(f"{sys.executable} does not match requirements.lock:", *lines, sep="\n  ", file=sys.stderr)
        command = f"{sys.executable} -m pip install --require-hashes -r requirements.lock"
        if groups:
            command += f", then {sys.executable} -m pip install -e '.[{','.join(groups)}]'"
        print(f"mend it with: {command}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
