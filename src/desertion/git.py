"""Runs git in the project's folder, without locks, so that nothing of the user's is touched."""

from __future__ import annotations

import os
import re
import subprocess

from desertion.errors import UserError
from desertion.project import ROOT
from desertion.text import visible

#: A line that git leaves where both sides of a merge edited the same lines.
CONFLICT = re.compile(r"^(<{7}|>{7})(?= )|^={7}$", re.MULTILINE)
# A hook of another repository sets these; they would lead git there.
_ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"}


def run(*arguments: str, given: bytes = b"", allowed: int = 0, timeout: float = 60) -> bytes:
    """What git prints, in at most `timeout` seconds.

    A repository around the project's folder is not its own. Raises UserError where there is no git, no repository, or
    the status is above `allowed`.
    """
    command = ["git", "--no-optional-locks", "-C", str(ROOT), *arguments]
    own = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    own["GIT_CEILING_DIRECTORIES"] = str(ROOT.parent)
    try:
        done = subprocess.run(command, input=given, capture_output=True, env=own, timeout=timeout)
    except FileNotFoundError:
        raise UserError("git is not installed") from None
    except OSError as error:
        raise UserError(f"git cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"git {arguments[0]} took longer than {timeout:g} s") from None
    if done.returncode and b"not a git repository" in done.stderr:
        raise UserError("this is not a git repository")
    if done.returncode > allowed:
        raise UserError(f"git {arguments[0]}: {visible(done.stderr.decode('utf-8', 'replace').strip())}")
    return done.stdout


def text(*arguments: str, timeout: float = 60) -> str:
    """The same as text, without the white space at its ends."""
    return run(*arguments, timeout=timeout).decode("utf-8", "replace").strip()
