"""Runs git in the project's folder, without locks, so that nothing of the user's is touched."""

from __future__ import annotations

import re
import subprocess

from desertion.errors import UserError
from desertion.project import ROOT
from desertion.text import visible

#: A line that git leaves where both sides of a merge edited the same lines.
CONFLICT = re.compile(r"^(<{7}|>{7})(?= )|^={7}$", re.MULTILINE)


def run(*arguments: str, given: bytes = b"", allowed: int = 0) -> bytes:
    """What git prints. Raises UserError where there is no git, no repository, or the status is above `allowed`."""
    command = ["git", "--no-optional-locks", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True)
    except FileNotFoundError:
        raise UserError("git is not installed") from None
    if done.returncode and b"not a git repository" in done.stderr:
        raise UserError("this is not a git repository")
    if done.returncode > allowed:
        raise UserError(f"git {arguments[0]}: {visible(done.stderr.decode('utf-8', 'replace').strip())}")
    return done.stdout


def text(*arguments: str) -> str:
    """The same as text, without the white space at its ends."""
    return run(*arguments).decode("utf-8", "replace").strip()
