"""The project as others cite it: CITATION.cff, and the version, which stands in `desertion.__version__` alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from desertion import __version__, yaml_file
from desertion import notebook as nb
from desertion.changes import findings, states
from desertion.errors import UserError
from desertion.params import Edition
from desertion.project import ROOT, relative
from desertion.report.layout import LEADS, TITLE
from desertion.text import shown

FILE = ROOT / "CITATION.cff"
TAG = f"v{__version__}"
#: Address of the licence of data, plots and report.
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


@dataclass(frozen=True)
class Citation:
    """What CITATION.cff says: `repository` and `address` (of the site) are "" where it names none."""

    title: str
    authors: tuple[str, ...]
    keywords: tuple[str, ...]
    repository: str
    address: str


def citation() -> Citation:
    """Read CITATION.cff. Raises UserError where it lacks the title or the authors, and for an address that is none."""
    content = yaml_file.read(FILE, ("title", "version", "date-released"))
    if not isinstance(content, dict) or not content.get("title") or not content.get("authors"):
        raise UserError(f"{relative(FILE)}: must have a title and authors")
    if "version" in content or "date-released" in content:
        raise UserError(f"{relative(FILE)}: remove version and date-released: `make release` writes them into its copy")
    names = [
        " ".join(filter(None, map(each.get, ("given-names", "family-names", "name")))) for each in _people(content)
    ]
    return Citation(
        content["title"],
        tuple(names),
        tuple(content.get("keywords", ())),
        address(content.get("repository-code", "")).rstrip("/"),
        address(content.get("url", "")),
    )


def _people(content: dict[str, Any]) -> list[dict[str, str]]:
    people: list[dict[str, str]] = content["authors"]
    return people


def address(text: str) -> str:
    """`text` as the address of a folder, with a slash at its end; "" stays. Raises UserError where it is none."""
    match = re.fullmatch(r"https?://[A-Za-z0-9.-]+(?::([0-9]{1,5}))?(/[A-Za-z0-9._~%-]+)*/?", text)
    if text and not (match and int(match[1] or 443) < 65_536):
        raise UserError(f"'{shown(text)}' is not the address of a site: it looks like https://example.org/folder/")
    return text and text.rstrip("/") + "/"


def cff(day: str) -> str:
    """CITATION.cff of this version, released on `day`."""
    return f"{FILE.read_text(encoding='utf-8').rstrip()}\nversion: {__version__}\ndate-released: {day}\n"


def finding(edition: Edition) -> str:
    """The first sentence of the report of the built `edition`, its description where that sentence is withheld."""
    return _first(states.built(edition.name)) or edition.description


def stored_finding() -> str:
    """The same of the outputs stored in notebooks/; "" where the sentence is withheld."""
    return _first(states.working_tree())


def _first(state: states.State) -> str:
    lead = next((stem for stem in LEADS if stem in {path.stem for path in nb.paths()}), "")
    shown_there = [each for (stem, _), each in findings.read(state).sentences.items() if stem == lead]
    if not shown_there or shown_there[0].withheld:
        return ""
    return re.sub(r"\*+|`", "", re.sub(r"^\*\*[^*]*\*\*\s*(?=\S)", "", shown_there[0].text))


def of_package(home: str) -> dict[str, Any]:
    """The properties of the Data Package and of the site's metadata that are not those of its files."""
    known = citation()
    about = {
        "name": "awol-and-desertion-convictions",
        "title": f"{TITLE}: published figures",
        "description": "Published counts of cases, verdicts and persons convicted for absence without leave and "
        "desertion in the Russian military, each with the page that printed it, and what is known against it.",
        "version": __version__,
        "keywords": list(known.keywords),
        "contributors": [{"title": name, "roles": ["creator"]} for name in known.authors],
    }
    return about | ({"homepage": home} if home else {})
