"""Writes requirements.lock: every package with version and hashes, and the group that needs it.

Packages without a group are what `make` and `make lab` need; pip and uv install these alone. The others have a marker
such as `extra == 'test'`: tools/install takes those of a group along. A direct package stands in pyproject.toml with
its version.

    python tools/lock.py            # after an edit of pyproject.toml; the other versions stay
    python tools/lock.py --renew    # newest versions, into pyproject.toml too; a line with a comment is held back

uv, the version of tools/uv.lock, finds the versions. Nothing is written unless all of it was found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"
#: Extras of pyproject.toml whose packages everybody gets, and those of which each is a group.
BASE, GROUPS = ("report", "lab"), ("test", "cluster", "nuts")
_DIRECT = re.compile(r'(?m)^(\s*"|[a-z]+ = \[")([A-Za-z0-9_.-]+)==([^"]+)"(?=[,\]]\s*$)')
UV = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv") or ""
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?$")
Pins = dict[tuple[str, str], str]  # (name, version) -> marker


def compile_(project: str, known: str, *options: str) -> str:
    """What uv locks for the text of a pyproject.toml; versions of `known`, a lock, are kept where they may."""
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name) / "pyproject.toml", Path(name) / "lock"
        path.write_text(project, encoding="utf-8")
        out.write_text(known, encoding="utf-8")
        command = [UV, "pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"]
        command += ["--fork-strategy", "fewest", "--python-version", "3.11", *options, str(path), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"uv found no versions, nothing was written:\n{done.stderr.strip()}")
        return out.read_text(encoding="utf-8")


def pins(lock: str) -> Pins:
    """The pins of the text of a lock."""
    found = (_PIN.match(line) for line in lock.splitlines())
    return {(match["name"], match["version"]): match["marker"] or "" for match in found if match}


def marker(base: str | None, groups: dict[str, str]) -> str:
    """The marker of a package that the base needs under the marker `base` (None: never), each group under its own."""
    if base == "":
        return ""
    parts = [] if base is None else [base]
    parts += [f"extra == '{group}'" + (f" and ({own})" if own else "") for group, own in groups.items() if own != base]
    return " or ".join(f"({part})" if " and " in part and len(parts) > 1 else part for part in parts)


def locked(project: str, known: str, *options: str) -> str:
    """The lock of the text of a pyproject.toml."""
    plain = "\n".join(f"{name}=={version}" for name, version in pins(known))
    whole = compile_(project, plain, "--all-extras", "--generate-hashes", *options)
    fixed = "\n".join(
        f"{name}=={version}" + (f" ; {mark}" if mark else "") for (name, version), mark in pins(whole).items()
    )
    base_options = [word for extra in BASE for word in ("--extra", extra)]
    base = pins(compile_(project, fixed, *base_options))
    groups = {group: pins(compile_(project, fixed, *base_options, "--extra", group)) for group in GROUPS}
    lines = []
    for line in whole.splitlines():
        if match := _PIN.match(line):
            pin = match["name"], match["version"]
            words = marker(base.get(pin), {group: own[pin] for group, own in groups.items() if pin in own})
            line = f"{pin[0]}=={pin[1]}{f' ; {words}' if words else ''} \\"
        lines.append(line)
    return "\n".join(lines) + "\n"


def renewed(project: str, known: str) -> tuple[str, str]:
    """The project and its lock with the newest versions."""
    relaxed = _DIRECT.sub(lambda match: f'{match[1]}{match[2]}>={match[3]}"', project)
    newest = {re.sub(r"[-_.]+", "-", name).lower(): version
              for name, version in pins(compile_(relaxed, "", "--all-extras"))}  # fmt: skip
    project = _DIRECT.sub(
        lambda match: f'{match[1]}{match[2]}=={newest.get(re.sub(r"[-_.]+", "-", match[2]).lower(), match[3])}"',
        project,
    )
    return project, locked(project, known, "--upgrade")


def main(renew: bool) -> None:
    """Write the lock, and pyproject.toml where `renew` moved its versions; print the versions that changed."""
    if not UV:
        sys.exit("there is no uv: `python -m pip install -r tools/uv.lock` installs it")
    project, known = PROJECT.read_text(encoding="utf-8"), LOCK.read_text(encoding="utf-8")
    new, lock = renewed(project, known) if renew else (project, locked(project, known))
    for path, text in ((PROJECT, new), (LOCK, lock)):
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    before, after = (dict(pins(text).keys()) for text in (known, lock))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            print(f"{name} {before.get(name, 'was not there')} -> {after.get(name, 'is gone')}")


if __name__ == "__main__":
    main("--renew" in sys.argv[1:])
