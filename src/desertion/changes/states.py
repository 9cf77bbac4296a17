"""A state of the project: the files of a git revision, of a built edition, or of the working tree, as they stand.

Nothing is checked out, and nothing of the working tree is touched. An edition is built only if it never was.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from desertion import git
from desertion.errors import UserError
from desertion.project import BUILD, EDITIONS, ROOT, files
from desertion.text import nearest, shown

if TYPE_CHECKING:
    from desertion.params import Edition

#: The name of the working tree, as an argument.
HERE = "."
_EDITION = "edition:"
_LOCK = "requirements.lock"
_PACKAGE = "src/desertion"
#: Files that are compared, by folder and ending.
_COMPARED = {"data": (".csv",), "notebooks": (".ipynb",), "plots": (".csv", ".json", ".svg"), "editions": (".yml",)}


@dataclass(frozen=True)
class State:
    """One of two states that are compared: `name` for messages, `files` by path, `package`: path → hash of content.

    `notes`: what a reader must know of it, one line each. `committed`: whether it is a revision.
    """

    name: str
    files: Mapping[str, bytes]
    package: Mapping[str, str]
    notes: tuple[str, ...] = ()
    committed: bool = False

    def text(self, path: str) -> str:
        """A file as text, "" where there is none; bytes outside UTF-8 are replaced."""
        return self.files.get(path, b"").decode("utf-8", "replace")


def load(name: str) -> State:
    """The state that `name` stands for: `.`, `edition:NAME`, or a git revision.

    Raises UserError, one line, where there is no such state, where the name is that of a revision and an edition, and
    where an edition cannot be built.
    """
    if name == HERE:
        from desertion.engine import merged

        old = ", ".join(merged.outdated())
        note = f"the outputs of {old} were stored with other data or cells: `make accept` renews them"
        return replace(working_tree(), notes=(note,) if old else ())
    if name.startswith(_EDITION):
        return _edition(name.removeprefix(_EDITION))
    return _revision(name)


def working_tree() -> State:
    """What is on disk: cells with the outputs stored last, plots, data."""
    contents = {path: (ROOT / path).read_bytes() for path in _on_disk()}
    return State("the working tree", contents, _package())


def built(name: str) -> State:
    """The outputs in build/NAME as they are, with the data on disk."""
    contents = {
        path: (ROOT / path).read_bytes() for path in _on_disk() if not path.startswith(("notebooks/", "plots/"))
    }
    for folder in ("notebooks", "plots"):
        for path in sorted((BUILD / name / folder).glob("*")):
            if path.suffix in _COMPARED[folder]:
                contents[f"{folder}/{path.name}"] = path.read_bytes()
    return State(f"edition {name}", contents, _package())


# --- editions and the disk -------------------------------------------------------------------------------------------


def _on_disk() -> Iterable[str]:
    for folder, endings in _COMPARED.items():
        for path in sorted((ROOT / folder).glob("*")):
            if path.suffix in endings and not path.name.startswith("."):
                yield f"{folder}/{path.name}"
    if (ROOT / _LOCK).is_file():
        yield _LOCK


def _package() -> dict[str, str]:
    """The files of the package with their hashes as git has them."""
    contents = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files(ROOT / _PACKAGE)}
    return {path: hashlib.sha1(b"blob %d\0" % len(each) + each).hexdigest() for path, each in contents.items()}


def _edition(name: str) -> State:
    """A built edition; one that was never built is built, one whose inputs changed since is used with a note."""
    from desertion import params
    from desertion.engine import build, receipt

    edition = params.edition(name)
    place, notes = BUILD / name, tuple[str, ...]()
    if not (place / "build.json").is_file() or not (place / "report.html").is_file():
        try:
            build.build(edition)
        except UserError as error:
            first = str(error).splitlines()[0]
            raise UserError(f"edition '{name}' was never built, and its build failed: {first}") from None
    elif not receipt.up_to_date(name):
        notes = (f"build/{name} is older than its inputs: `make EDITION={name}` renews it",)
    state = built(name)
    known = _known(edition, state.files) if edition.as_of else {}
    return replace(state, files={**state.files, **known}, notes=notes)


def _known(edition: Edition, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of data/ without the rows that are not public on the day of `edition`."""
    from desertion import figures

    data = figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)
    applied = {(str(row["figure_id"]), str(row["field"])) for _, row in data.corrections.iterrows()}
    kept = {
        name: set(map(str, getattr(data, name).index))
        for name in ("figures", "context", "events", "claims", "identities")
    }
    out = {}
    for name in [*kept, "corrections"]:
        path = f"data/{name}.csv"
        header, *rows = csv.reader(io.StringIO(contents.get(path, b"").decode("utf-8", "replace")))
        if name == "corrections":
            places = [header.index(column) for column in ("figure_id", "field")]
            rows = [row for row in rows if (row[places[0]], row[places[1]]) in applied]
        else:
            rows = [row for row in rows if row and row[0] in kept[name]]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header, *rows])
        out[path] = text.getvalue().encode()
    return out


# --- git -------------------------------------------------------------------------------------------------------------


def _revision(name: str) -> State:
    commit = _commit(name)
    is_edition = (EDITIONS / f"{name}.yml").is_file()
    if commit and is_edition:
        raise UserError(f"'{shown(name)}' is both a revision and an edition: write edition:{name}, or {commit[:12]}")
    if not commit:
        raise UserError(
            f"there is no revision '{shown(name)}'{f'; the edition is edition:{name}' if is_edition else _why(name)}"
        )
    compared, package = _listed(commit)
    contents = dict(zip(compared, _contents(compared.values()), strict=True))
    label = name if commit.startswith(name) else f"{name} ({commit[:8]})"
    return State(label, contents, package, committed=True)


def _commit(name: str) -> str:
    """The hash of the commit that a revision names, "" where there is none."""
    try:
        git.run("rev-parse", "--git-dir")
    except UserError as error:
        raise UserError(f"{error}: only editions (edition:NAME) and what is on disk (.) can be compared") from None
    try:
        return git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UserError:
        return ""


def _why(name: str) -> str:
    """What may be wrong with the name of a revision that there is not."""
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        return " in this shallow clone: `git fetch --unshallow` brings older ones"
    near = nearest(name, git.text("for-each-ref", "--format=%(refname:short)").split())
    return near or "; a state is a git revision, edition:NAME, or . for what is on disk"


def _listed(commit: str) -> tuple[dict[str, str], dict[str, str]]:
    """The files of a commit that are compared, and those of the package: path → hash."""
    compared, package = {}, {}
    for line in git.text("ls-tree", "-r", "-z", commit, "--", *_COMPARED, _LOCK, _PACKAGE).split("\0"):
        if not line:
            continue
        (_, kind, blob), path = line[: line.index("\t")].split(), Path(line[line.index("\t") + 1 :])
        folder = path.parts[0]
        if kind != "blob":
            continue
        if path.as_posix() == _LOCK or (len(path.parts) == 2 and path.suffix in _COMPARED.get(folder, ())):
            compared[path.as_posix()] = blob
        elif path.is_relative_to(_PACKAGE):
            package[path.as_posix()] = blob
    return compared, package


def _contents(blobs: Iterable[str]) -> list[bytes]:
    """The contents of these blobs, by one process."""
    answer = git.run("cat-file", "--batch", given="\n".join(blobs).encode() + b"\n")
    out, place = [], 0
    while place < len(answer):
        end = answer.index(b"\n", place)
        size = int(answer[place:end].split()[-1])
        out.append(answer[end + 1 : end + 1 + size])
        place = end + size + 2
    return out
