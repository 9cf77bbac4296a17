"""The site, build/site/: the default report at its root, every other edition below its own lasting address.

It is made beside its place and put there whole. Nothing in it comes from elsewhere, and nothing is fetched to make it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from desertion import changes, params, publish
from desertion.engine.build import build
from desertion.figures import datapackage
from desertion.params import Edition
from desertion.project import BUILD, DATA, relative
from desertion.release import about, hosted
from desertion.report.layout import MAIN_PLOTS, TITLE, file

SITE = BUILD / "site"
DEFAULT = "default"


def make(address: str = "", repository: str = "", *, jobs: int | None = None) -> list[str]:
    """Build every edition and make the site from them; what to print.

    `address` of the site and `repository` are those of CITATION.cff unless given.

    Raises UserError as `build` does, and for an address that is none; the last site is then untouched.
    """
    known = about.citation()
    address = about.address(address) or known.address
    repository = about.address(repository).rstrip("/") or known.repository
    built = {name: build(params.edition(name), jobs=jobs).report.parent for name in params.names()}
    dated = [name for name in built if name != DEFAULT]
    diffs = {name: changes.difference(f"edition:{name}", f"edition:{DEFAULT}")[1] for name in dated}
    with whole(SITE) as place:
        write(place, built, diffs, address, repository)
    lines = [f"{relative(SITE)}/index.html is new; `python3 -m http.server -d {relative(SITE)}` shows it"]
    if not address:
        lines.append("no address is known: embed snippets and the preview picture are left out (make site ADDRESS=…)")
    return lines


@contextlib.contextmanager
def whole(place: Path) -> Iterator[Path]:
    """A new folder that takes the place of `place` where nothing was raised, and is removed otherwise."""
    part, old = (place.with_name(f".{place.name}-{os.getpid()}-{what}") for what in ("new", "old"))
    try:
        part.mkdir(parents=True)
        yield part
        if place.exists():
            place.rename(old)
        part.rename(place)
    finally:
        for each in (part, old):
            shutil.rmtree(each, ignore_errors=True)


def write(place: Path, built: dict[str, Path], diffs: dict[str, str], address: str, repository: str = "") -> None:
    """Write the site into `place` from the folders of the built editions and the pages of what changed since each."""
    data_files = _data(place / "data", address)
    for name, folder in built.items():
        edition = params.edition(name)
        here = place if name == DEFAULT else place / name
        home = address if name == DEFAULT else address and f"{address}{name}/"
        if name == DEFAULT:
            list(publish.printed(folder / "plots", here / "plots"))
        else:  # the cover alone is printed, as the preview picture: to print all takes 20 s
            shutil.copytree(folder / "plots", here / "plots")
            cover = here / "plots" / f"{MAIN_PLOTS[0]}.svg"
            if cover.is_file():
                cover.with_suffix(".png").write_bytes(publish.to_print(cover.read_bytes())[0])
        shutil.copy(folder / "report.pdf", here / "report.pdf")
        up = "" if name == DEFAULT else "../"
        links = [("PDF", "report.pdf"), ("Data", f"{up}data/index.html")]
        if name in diffs:
            back = [(edition.title.rstrip("."), "index.html"), ("Newest edition", f"{up}index.html")]
            (here / "changes.html").write_text(hosted.linked(diffs[name], back), encoding="utf-8")
            links.append(("What changed since", "changes.html"))
        links += [
            ("Newest edition", f"{up}index.html")
            if each == DEFAULT
            else (params.edition(each).title.rstrip("."), f"{up}{each}/index.html")
            for each in built
            if each != name
        ]
        links += [("Code", repository)] if repository else []
        hosting = hosted.Hosting(
            home,
            here,
            about.finding(edition),
            edition.title.rstrip("."),
            links,
            _dataset(edition, home, address, data_files),
            repository,
        )
        html = hosted.page((folder / "report.html").read_text(encoding="utf-8"), hosting)
        (here / "index.html").write_text(html, encoding="utf-8")


def _dataset(edition: Edition, home: str, root: str, files: Sequence[str]) -> dict[str, Any]:
    """The dataset behind the root, the report of another edition, in the words of schema.org."""
    known = about.of_package(root)
    its = {"@context": "https://schema.org", "description": known["description"], "version": known["version"]}
    its |= {"license": about.LICENCE, "keywords": known["keywords"], "isAccessibleForFree": True}
    its["creator"] = [{"@type": "Organization", "name": each["title"]} for each in known["contributors"]]
    if home:
        its["url"] = home
    if edition.name != DEFAULT:
        return its | {"@type": "Report", "name": f"{TITLE}. {edition.title}"} | ({"isBasedOn": root} if root else {})
    downloads = [
        {"@type": "DataDownload", "name": name, "encodingFormat": "text/csv", "contentUrl": f"{root}data/{name}"}
        for name in files
    ]
    place = {"@type": "Place", "name": "Russia"}
    return its | {"@type": "Dataset", "name": known["title"], "spatialCoverage": place, "distribution": downloads}


def _data(folder: Path, address: str) -> list[str]:
    """Write the files of data/ with their descriptor and a page that lists them; the names of the tables."""
    package = write_data(folder, address)
    html = hosted.parts().data(package, _marked, file("page.css"))
    (folder / "index.html").write_text(html, encoding="utf-8")
    return [each["path"] for each in package["resources"]]


def _marked(words: str) -> Markup:
    """`words` as HTML, with code and stress where Markdown marks them."""
    return Markup(re.sub(r"\*(\w+)\*", r"<em>\1</em>", re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(words)))))


def write_data(folder: Path, home: str) -> dict[str, Any]:
    """Copy the files of data/ into `folder` and write datapackage.json; its content."""
    package = datapackage.descriptor(about.of_package(home))
    folder.mkdir(parents=True)
    for path in sorted(DATA.glob("*")):
        if path.suffix in (".csv", ".md"):
            shutil.copy(path, folder / path.name)
    text = json.dumps(package, ensure_ascii=False, indent=1) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    return package
