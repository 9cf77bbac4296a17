"""Whether a finished build still stands, by the bytes of all that goes in and of all that came out.

Asked before anything else is imported: to read these files takes some 10 ms, to import what a build needs 60. Where a
byte differs `desertion.engine.receipt` decides, which knows what depends on what.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator

_ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
_INPUTS = ("data", "notebooks", "src/desertion", "requirements.lock")


def stands(arguments: list[str]) -> bool:
    """Whether `arguments` ask for a build that was finished before and is as it was; what it said is printed then."""
    if arguments[:1] != ["build"] or len(arguments) not in (1, 3) or arguments[1:2] not in ([], ["--edition"]):
        return False
    edition = arguments[2] if arguments[1:] else "default"
    try:
        with open(_record(edition), encoding="utf-8") as file:
            stored, _, said = file.read().partition("\n")
        found = stored == digest(edition)
    except (OSError, UnicodeError, ValueError):
        return False
    if found:
        print(said, end="")
    return found


def record(edition: str, content: str, lines: Iterable[str]) -> None:
    """Keep that a build of `edition` with the digest `content` is finished, and what it says when it is asked again."""
    from pathlib import Path

    from desertion.project import write_atomic

    write_atomic(Path(_record(edition)), "\n".join([content, *lines, ""]))


def digest(edition: str) -> str:
    """SHA-256 of names and bytes of the inputs, the commit and the Python, and of what lies in build/EDITION/.

    Raises OSError where a file cannot be read.
    """
    found = hashlib.sha256(f"{sys.version}\0{head()}".encode())
    place = os.path.join("build", edition)
    for name in sorted(_files([*_INPUTS, f"editions/{edition}.yml", place])):
        with open(os.path.join(_ROOT, name), "rb") as file:
            content = file.read()
        found.update(f"\0{name}\0{len(content)}\0".encode(errors="surrogateescape"))
        found.update(content)
    return found.hexdigest()


def _files(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        path = os.path.join(_ROOT, name)
        if not os.path.isdir(path):
            yield name
            continue
        inside = [one for one in os.listdir(path) if not one.startswith(".") and one != "__pycache__"]
        yield from _files(os.path.join(name, one) for one in inside)


def head() -> str:
    """The commit that is checked out, which the page names; "" without git. Starting git takes longer than all this."""
    try:
        place = os.path.join(_ROOT, ".git")
        if os.path.isfile(place):  # a worktree
            place = os.path.join(_ROOT, _text(place).removeprefix("gitdir:").strip())
        now = _text(os.path.join(place, "HEAD"))
        name = now.removeprefix("ref:").strip()
        if name == now:
            return now
        shared = os.path.join(place, "commondir")
        common = os.path.join(place, _text(shared)) if os.path.exists(shared) else place
        if os.path.exists(os.path.join(common, name)):
            return _text(os.path.join(common, name))
        packed = _text(os.path.join(common, "packed-refs")).splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def _record(edition: str) -> str:
    return os.path.join(_ROOT, "build", f"{edition}.finished")
