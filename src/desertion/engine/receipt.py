"""What an edition was built from and what it made, by content: the keys and `build/EDITION/build.json`.

A file's date plays no part. Hashing all inputs and outputs takes some 10 ms, so nothing is cached.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desertion import notebook as nb
from desertion.engine import fresh
from desertion.errors import UserError
from desertion.project import BUILD, DATA, EDITIONS, ROOT, digest, file_digest, write_atomic

LOCK = "requirements.lock"
PACKAGE = "src/desertion"
#: Notebooks may not import the page's module, so that a change of its style reruns none.
PAGE = "src/desertion/report"
#: What the page tells of the methods' verification: measured coverage, published reference cases.
VERIFIED = ("benchmarks/calibration.csv", "tests/reference_cases.json")
_VERSIONS = ("ipykernel", "matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")

if TYPE_CHECKING:
    from desertion.params import ParametersCell

#: Name of a part of the input → digest of its content.
Key = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A notebook's last good run: its key, the files it made (path in the edition's folder → digest), its size.

    `seconds` of wall time and the `peak` of its kernel's memory in MiB say what it cost.
    """

    key: Key
    outputs: dict[str, str]
    cells: int
    seconds: float
    peak: int


@dataclass
class Receipt:
    """What lies in `place`: the runs, the page with the inputs it was made from, and what the last build made and why.

    What was rebuilt stands here and on the terminal only: the page of an incremental build is that of a clean one.
    """

    place: Path
    notebooks: dict[str, Entry] = field(default_factory=dict)
    inputs: Key = field(default_factory=dict)
    report: dict[str, str] = field(default_factory=dict)
    rebuilt: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path) -> Receipt:
        """The receipt in `place`; an empty one where there is none that this version can read."""
        try:
            stored = json.loads((place / "build.json").read_text(encoding="utf-8"))
            del stored["versions"]
            stored["notebooks"] = {stem: Entry(**entry) for stem, entry in stored["notebooks"].items()}
            return cls(place, **stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(place)

    def write(self) -> None:
        """Replace the stored receipt, which may describe only what is already in its place."""
        from importlib.metadata import version

        stored: dict[str, Any] = asdict(self)
        del stored["place"]
        stored["versions"] = {"python": sys.version.split()[0]} | {name: version(name) for name in _VERSIONS}
        write_atomic(self.place / "build.json", json.dumps(stored, indent=1, sort_keys=True) + "\n")

    def damaged(self, files: dict[str, str]) -> list[str]:
        """Those of `files` (path → digest) that are missing or were changed by somebody else."""
        return [name for name, content in files.items() if file_digest(self.place / name) != content]

    def whole(self) -> bool:
        """Whether everything that the receipt names is there as it was made."""
        return not any(map(self.damaged, [self.report, *(entry.outputs for entry in self.notebooks.values())]))


def up_to_date(edition: str) -> bool:
    """Whether the page of `edition` is there and nothing that it is made from has changed since."""
    receipt = Receipt.read(BUILD / edition)
    try:
        return receipt.inputs == inputs(edition, nb.paths()) and receipt.whole()
    except UserError:
        return False  # building says what is wrong


def inputs(edition: str, notebooks: Sequence[Path]) -> Key:
    """All content that the page of `edition` is made from."""
    parts = {f"notebooks/{path.name}": nb.digest(nb.read(path, validate=False)) for path in notebooks}
    parts |= {f"editions/{edition}.yml": file_digest(EDITIONS / f"{edition}.yml")}
    parts |= {f"data/{path.name}": file_digest(path) for path in sorted(DATA.glob("*.csv"))}
    package = sorted(
        path
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )
    page = [path for path in package if path.is_relative_to(ROOT / PAGE)]
    parts[PACKAGE] = _folder_digest(path for path in package if path not in page)
    parts[PAGE] = _folder_digest(page)
    parts |= {name: file_digest(ROOT / name) for name in (LOCK, *VERIFIED)}
    parts["commit"] = fresh.head()
    # Another Python has another standard library.
    return parts | {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}


def run_key(inputs: Key, source: nb.Notebook, parameters: dict[str, Any], data: dict[str, str]) -> Key:
    """What a run of notebook `source` depends on: its cells, its overridden `parameters`, the `data` that it declares.

    The rest is the same for all: the package, the lock and the Python.
    """
    shared = {f"data/{name}": content for name, content in data.items()}
    shared |= {name: inputs[name] for name in (LOCK, PACKAGE, "python")}
    return shared | {"notebook": nb.digest(source), "parameters": digest(json.dumps(parameters, sort_keys=True))}


def declared(inputs: Key, cell: ParametersCell) -> dict[str, str]:
    """The files of data/ that the notebook declares, name → digest. Raises UserError as `cell.reads` does."""
    return {name: inputs[f"data/{name}"] for name in cell.reads}


def data_key(inputs: Key) -> str:
    """What the validation of the data depends on."""
    return digest(json.dumps({name: inputs[name] for name in inputs if name.startswith(("data/", PACKAGE, LOCK))}))


def differences(one: Key, other: Key) -> str:
    """The names of the parts in which two keys differ, for a reader."""
    return ", ".join(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)))


def _folder_digest(paths: Iterable[Path]) -> str:
    return digest("\0".join(f"{path.relative_to(ROOT).as_posix()}\0{file_digest(path)}" for path in paths))
