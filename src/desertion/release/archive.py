"""A release, build/release/VERSION/: one archive with all that a reader needs, the same bytes from the same commit.

What a release adds to the repository (its section of CHANGELOG.md, a registered forecast) is written first and has to
be committed; only then is the archive made.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from desertion import __version__, changes, figures, git, params, publish, registered
from desertion.changes import terminal
from desertion.engine import merged
from desertion.engine.build import build
from desertion.engine.receipt import Receipt
from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import (
    BUILD,
    DATA,
    EDITIONS,
    FORECASTS,
    LOCK,
    NOTEBOOKS,
    ROOT,
    digest,
    file_digest,
    files,
    relative,
    write_atomic,
)  # fmt: skip
from desertion.release import about, crate
from desertion.release.site import whole, write_data

RELEASES = BUILD / "release"
CHANGELOG = ROOT / "CHANGELOG.md"
SUMS = "SHA256SUMS"


def make(*, jobs: int | None = None) -> list[str]:
    """Make the release of this version; what to print.

    Raises UserError, before anything is written, where its tag or folder exists, where anything is not committed, where
    a check fails or stored outputs are not those of the build; and after it has written what has to be committed.
    """
    place = RELEASES / __version__
    _demand_ready(place)
    edition = params.edition("default")
    built = build(edition, jobs=jobs).report.parent
    if lines := changes.unaccepted(edition.name):
        raise UserError(f"{lines[0]}: `make accept`, commit, then make the release")
    last = last_tag()
    compared = changes.difference(last, "HEAD") if last else None
    lines = terminal.lines(compared[0], "changes.html") if compared else []
    if new := [
        path for path in (registered.register(built / "plots", figures.load().figures), _note(lines, last)) if path
    ]:
        names = ", ".join(map(relative, new))
        raise UserError(f"{names}: written for this release: look at it, commit it, and run `make release` again")
    if subprocess.run([sys.executable, "tools/test.py"], cwd=ROOT).returncode:
        raise UserError("a check failed: nothing was released")
    name = f"desertion-{__version__}"
    with whole(place) as folder:
        content = folder / name
        write(content, built, edition, compared[1] if compared else "")
        archive = folder / f"{name}.zip"
        pack(content, archive)
        shutil.rmtree(content)
        (folder / f"{archive.name}.sha256").write_text(f"{file_digest(archive)}  {archive.name}\n", encoding="utf-8")
    lines = [
        f"{relative(place / archive.name)} is new",
        f"`git tag -a {about.TAG} -m {about.TAG}` and `git push origin {about.TAG}`, then attach the archive to it",
    ]
    if not about.citation().repository:
        lines.append(f"{relative(about.FILE)} names no repository-code: nothing in the archive leads to the repository")
    return lines


def _demand_ready(place: Path) -> None:
    if git.text("tag", "--list", about.TAG):
        raise UserError(f"the tag {about.TAG} exists: raise __version__ in src/desertion/__init__.py")
    if changed := git.text("status", "--porcelain").splitlines():
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UserError(f"{changed[0][2:].strip()}{more}: commit it or put it away: a release is of a commit")
    if place.exists():
        raise UserError(f"{relative(place)} exists: remove it, or raise __version__ in src/desertion/__init__.py")
    if faults := [*map(str, figures.check(DATA)), *map(str, merged.faults()), *registered.changed()]:
        raise UserError(f"{len(faults)} faults, the first: {faults[0]} (`make check` names them all)")


def last_tag() -> str:
    """The tag of the last release before this commit, "" where there is none."""
    tags = git.text("tag", "--merged", "HEAD", "--sort=-creatordate", "--list", "v[0-9]*").split()
    return tags[0] if tags else ""


def _note(lines: list[str], last: str) -> Path | None:
    """Write what changed since the release `last` into CHANGELOG.md, where this version has no section; the file.

    Raises UserError where CHANGELOG.md has older releases and `last` is "".
    """
    text = CHANGELOG.read_text(encoding="utf-8") if CHANGELOG.is_file() else "# Releases\n"
    if re.search(rf"^## {re.escape(__version__)}$", text, re.MULTILINE):
        return None
    if not last and (older := re.search(r"^## (.+)$", text, re.MULTILINE)):
        raise UserError(
            f"{relative(CHANGELOG)} has the release {older[1]}, but no tag of it is here: `git fetch --tags` brings it "
            f"(with --unshallow in a shallow clone), `git tag v{older[1]} COMMIT` makes it"
        )
    body = f"Since {last}:\n\n```text\n{chr(10).join(lines)}\n```\n" if last else "The first release.\n"
    before, heading, after = text.partition("\n## ")
    write_atomic(CHANGELOG, f"{before.rstrip()}\n\n## {__version__}\n\n{body}{heading}{after}")
    return CHANGELOG


def write(folder: Path, built: Path, edition: Edition, diff: str) -> None:
    """Write all files of the release into `folder`, from those `built`; `diff`: the page of what changed, if any."""
    day = git.text("log", "-1", "--format=%cs")
    folder.mkdir(parents=True)
    for name in ("report.html", "report.pdf"):
        shutil.copy(built / name, folder / name)
    list(publish.printed(built / "plots", folder / "plots"))
    write_data(folder / "data", about.citation().address)
    for place, paths in {
        "": [ROOT / name for name in ("README.md", "LICENSE", "CHANGELOG.md")] + [LOCK],
        "notebooks": sorted(NOTEBOOKS.glob("*.ipynb")),
        "editions": [EDITIONS / f"{edition.name}.yml"],
        "forecasts": sorted(FORECASTS.glob("*")),
    }.items():
        for path in paths:
            (folder / place).mkdir(exist_ok=True)
            shutil.copy(path, folder / place / path.name)
    (folder / "CITATION.cff").write_text(about.cff(day), encoding="utf-8")
    if diff:
        (folder / "changes.html").write_text(diff, encoding="utf-8")
    metadata = crate.metadata(folder, edition, Receipt.read(built), day)
    (folder / crate.FILE).write_text(json.dumps(metadata, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sums = [f"{file_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files(folder)]
    (folder / SUMS).write_text("".join(sums), encoding="utf-8")


def pack(folder: Path, archive: Path) -> str:
    """Put `folder` into the ZIP file `archive`, the same bytes from the same files; its SHA-256."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            out.writestr(entry, path.read_bytes())
    return digest(archive.read_bytes())
