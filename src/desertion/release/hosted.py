"""A built page as it stands on the web: metadata in its head, links to its files, and at each plot how to use it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import escape

from desertion import __version__
from desertion.report.escape import to_json
from desertion.report.layout import MAIN_PLOTS, TITLE

_FIGURE = re.compile(r'(<figure id="plot-([\w-]+)">.*?)(</figcaption></figure>)', re.DOTALL)
_EDITION = re.compile(r'(<p class="edition">.*?</p>)', re.DOTALL)


@dataclass(frozen=True)
class Hosting:
    """Where a page stands: `address` of its folder ("" where it is not known), its `folder` on disk.

    `description`: one sentence on it. `links`: (words, relative address) in its header. `data`: JSON-LD. `repository`:
    its address, whose form for errors the cards of numbers then open.
    """

    address: str
    folder: Path
    description: str
    edition: str
    links: Sequence[tuple[str, str]]
    data: Mapping[str, Any]
    repository: str = ""


@cache
def parts() -> Any:
    """The macros of parts.html, which escape what they are given."""
    how = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return how.from_string((files("desertion.release") / "parts.html").read_text(encoding="utf-8")).module


def page(html: str, hosting: Hosting) -> str:
    """The page `html` of a build with all of this. Raises RuntimeError where it is not such a page."""
    html = _once(re.compile(r"(<title>[^<]*)"), html, str(escape(f". {hosting.edition}")))
    html = linked(_once(re.compile(r"(</title>)"), html, _head(hosting)), hosting.links)
    return _FIGURE.sub(lambda match: match[1] + _use(match[2], hosting) + match[3], html)


def linked(html: str, links: Sequence[tuple[str, str]]) -> str:
    """A page with `links`, (words, relative address), in its header. Raises RuntimeError where it has none."""
    return _once(_EDITION, html, str(parts().linked(links)))


def _once(place: re.Pattern[str], html: str, more: str) -> str:
    """`html` with `more` after the one match of `place`."""
    html, count = place.subn(lambda match: match[1] + more, html, count=1)
    if not count:
        raise RuntimeError(f"the page has no {place.pattern}")
    return html


def _head(hosting: Hosting) -> str:
    """Description, preview and dataset for search engines and for whoever shows a link."""
    named = {"description": hosting.description}
    if hosting.repository:
        named["error-form"] = f"{hosting.repository}/issues/new?template=number-wrong.yml&figure_id="
    cover = f"plots/{MAIN_PLOTS[0]}"
    properties = {"og:type": "article", "og:title": f"{TITLE}. {hosting.edition}"}
    properties["og:description"] = hosting.description
    if hosting.address:
        properties["og:url"] = hosting.address
        if (hosting.folder / f"{cover}.png").is_file():
            properties |= {"og:image": f"{hosting.address}{cover}.png", "og:image:alt": _title(hosting, MAIN_PLOTS[0])}
            named["twitter:card"] = "summary_large_image"
    return str(parts().head(named, properties, hosting.address, to_json(hosting.data)))


def _about(hosting: Hosting, name: str) -> dict[str, Any]:
    path = hosting.folder / "plots" / f"{name}.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return known


def _title(hosting: Hosting, name: str) -> str:
    return str(_about(hosting, name).get("title", TITLE))


def _use(figure: str, hosting: Hosting) -> str:
    """The files of a plot, its address, a snippet that embeds it and its citation; "" for one without files."""
    name = figure
    while not (known := _about(hosting, name)) and name.endswith("-again"):  # shown a second time
        name = name.removesuffix("-again")
    if not known:
        return ""
    kinds = {".svg": "SVG", ".png": "PNG", ".pdf": "PDF", ".csv": "numbers (CSV)", ".json": "sources (JSON)"}
    compilers = ", ".join(known.get("compilers", ()))
    at = f"{hosting.address}#plot-{figure}. " if hosting.address else ""
    cite = f"“{known['title']}”, in: {TITLE}, edition “{hosting.edition}”, version {__version__}. {at}"
    cite += f"Counted by {compilers}. CC BY 4.0." if compilers else "CC BY 4.0."
    its = f"plots/{name}"
    to = [(f"{its}{ending}", kind) for ending, kind in kinds.items() if (hosting.folder / f"{its}{ending}").is_file()]
    return str(parts().use(figure, known["title"], to, hosting.address, f"{its}.svg", cite))
