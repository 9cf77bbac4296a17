"""The receipt of an edition, `build/EDITION/build.json`: its inputs and its outputs, by content.

Every question whether something is up to date is answered here. A file's date plays no part. To hash all inputs and
outputs takes some 20 ms, so that nothing is cached.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desertion import notebook as nb
from desertion import reads
from desertion.errors import UserError
from desertion.project import (
    BUILD,
    CODE,
    DATA,
    EDITIONS,
    FORECASTS,
    PAGE,
    ROOT,
    code,
    digest,
    file_digest,
    files,
    files_digest,
    relative,
    write_atomic,
)  # fmt: skip

#: Files behind the page's section on verification: measured coverage on made-up reports and on the real schedule,
#: published reference cases.
VERIFIED = ("benchmarks/calibration.csv", "benchmarks/schedule.csv", "tests/reference_cases.json")
#: Holds the digest of the data that passed validation last.
PASSED = BUILD / "data.passed"
_VERSIONS = ("ipykernel", "matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_SHOWN = 20  # faults of the data in a message

if TYPE_CHECKING:
    from desertion.params import ParametersCell

#: Name of a part of the input → digest of its content.
Key = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A notebook's last good run: its key, its outputs (path in the edition's folder → digest), its code cells.

    `seconds` of wall time and the `peak` of its kernel's memory in MiB are its cost.
    """

    key: Key
    outputs: dict[str, str]
    cells: int
    seconds: float
    peak: int


@dataclass
class Receipt:
    """Content of the folder `place`: the runs, the page's inputs and files, and the last build's steps with reasons.

    `notes`: what an author should know of the page, one line each. Steps stand here and on the terminal only: the page
    of an incremental build is that of a clean one.
    """

    place: Path
    notebooks: dict[str, Entry] = field(default_factory=dict)
    inputs: Key = field(default_factory=dict)
    report: dict[str, str] = field(default_factory=dict)
    rebuilt: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, place: Path) -> Receipt:
        """The receipt in `place`; an empty one if there is none that this version can read."""
        try:
            stored = json.loads((place / "build.json").read_text(encoding="utf-8"))
            del stored["versions"]
            stored["notebooks"] = {stem: Entry(**entry) for stem, entry in stored["notebooks"].items()}
            read = cls(place, **stored)
            return read if read._is_right() else cls(place)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(place)

    def _is_right(self) -> bool:
        """Whether each part is of its type, and each file in the folder `place`, where builds remove old ones."""
        entries = list(self.notebooks.values())
        texts = [self.inputs, self.report, self.rebuilt, *(each for one in entries for each in (one.key, one.outputs))]
        numbers = [number for one in entries for number in (one.cells, one.seconds, one.peak)]
        names = [Path(name) for outputs in (self.report, *(one.outputs for one in entries)) for name in outputs]
        return (
            all(isinstance(word, str) for each in texts for word in each.values())
            and all(type(number) in (int, float) and 0 <= number < 1e9 for number in numbers)
            and isinstance(self.notes, list)
            and all(isinstance(note, str) for note in self.notes)
            and not any(name.is_absolute() or ".." in name.parts or "\0" in str(name) for name in names)
        )

    def write(self) -> None:
        """Replace the stored receipt; the files that it describes must be in their place already."""
        from importlib.metadata import version

        stored: dict[str, Any] = asdict(self)
        del stored["place"]
        stored["versions"] = {"python": sys.version.split()[0]} | {name: version(name) for name in _VERSIONS}
        write_atomic(self.place / "build.json", json.dumps(stored, indent=1, sort_keys=True) + "\n")

    def damaged(self, outputs: dict[str, str]) -> list[str]:
        """Those of `outputs` (path → digest) that are missing or have another content."""
        return [name for name, content in outputs.items() if file_digest(self.place / name) != content]

    def whole(self) -> bool:
        """Whether every file that the receipt names is there with its content."""
        return not any(map(self.damaged, [self.report, *(entry.outputs for entry in self.notebooks.values())]))


def up_to_date(edition: str) -> bool:
    """Whether the page of `edition` is there and none of its inputs and outputs has changed since."""
    receipt = Receipt.read(BUILD / edition)
    try:
        return receipt.inputs == inputs(edition, nb.paths()) and receipt.whole()
    except UserError:
        return False  # building shows the error


def inputs(edition: str, notebooks: Sequence[Path]) -> Key:
    """All content that the page of `edition` is made from."""
    parts = {f"notebooks/{path.name}": nb.digest(nb.read(path, validate=False)) for path in notebooks}
    parts |= {f"editions/{edition}.yml": file_digest(EDITIONS / f"{edition}.yml")}
    parts |= {f"data/{path.name}": file_digest(path) for path in sorted(DATA.glob("*.csv"))}
    registered = [relative(path) for path in sorted(FORECASTS.glob("*.csv"))]
    parts |= {name: file_digest(ROOT / name) for name in (*VERIFIED, *registered, "editions/history.json")}
    return parts | code() | {relative(PAGE): files_digest(files(PAGE)), "commit": head()}


def run_key(inputs: Key, source: nb.Notebook, parameters: dict[str, Any], data: dict[str, str]) -> Key:
    """All that a run of notebook `source` depends on: cells, overridden `parameters`, code and declared `data`."""
    shared = {f"data/{name}": content for name, content in data.items()} | {name: inputs[name] for name in CODE}
    return shared | {"notebook": nb.digest(source), "parameters": digest(json.dumps(parameters, sort_keys=True))}


def function_key(inputs: Key) -> Key:
    """All that a function of the package depends on beside its arguments: the data, which it may read, and the code."""
    return {name: content for name, content in inputs.items() if name.startswith("data/") or name in CODE}


def declared(inputs: Key, cell: ParametersCell) -> dict[str, str]:
    """The files of data/ that the notebook declares, and those of `reads.ALWAYS`, name → digest.

    Raises UserError as `cell.reads` does.
    """
    names = {*cell.reads, *(name for name in reads.ALWAYS if f"data/{name}" in inputs)}
    return {name: inputs[f"data/{name}"] for name in sorted(names)}


def check_data(inputs: Key) -> None:
    """Validate the data of these `inputs`, unless they passed last time. Raises UserError with their faults."""
    content = digest(json.dumps(function_key(inputs)))
    if PASSED.is_file() and PASSED.read_text(encoding="utf-8") == content:
        return
    from desertion import figures

    faults = [str(fault) for fault in figures.check(DATA)]
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more (`desertion check`)"] if len(faults) > _SHOWN else []
        raise UserError("\n".join([*faults[:_SHOWN], *more]))
    now = {f"data/{path.name}": file_digest(path) for path in DATA.glob("*.csv")}
    if now.items() <= inputs.items():  # else a file was saved meanwhile: the kernels that read it refuse it
        with contextlib.suppress(OSError):  # the build's own writing there raises it with a message
            write_atomic(PASSED, content)


def differences(one: Key, other: Key) -> str:
    """The names of the parts in which two keys differ, for a reader."""
    return ", ".join(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)))


def head() -> str:
    """The commit that is checked out, which the page names; "" without git, and where git's files are damaged.

    Read from git's files, since to start git takes longer than all other steps of a build with nothing to do.
    """
    git = ROOT / ".git"
    try:
        if git.is_file():  # a worktree
            git = ROOT / _text(git).removeprefix("gitdir:").strip()
        commit = _text(git / "HEAD")
        if commit.startswith("ref:"):
            name = commit.removeprefix("ref:").strip()
            common = git / _text(git / "commondir") if (git / "commondir").exists() else git
            if (common / name).exists():
                commit = _text(common / name)
            else:
                packed = (line.split() for line in _text(common / "packed-refs").splitlines())
                commit = next((words[0] for words in packed if words[1:] == [name]), "")
        return commit if _COMMIT.fullmatch(commit) else ""
    except (OSError, ValueError):
        return ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
