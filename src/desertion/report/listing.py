"""All published numbers of an edition as rows of one table, from which the cards of the page are made too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from desertion import vocabulary
from desertion.entries import Entry
from desertion.report.escape import short

COLUMNS = (
    *("No.", "Published number", "What was counted", "Offence or topic", "Period", "Counted by", "Published by"),
    *("Published", "Use", "Second reader", "Details"),
)
_USES = {"ok": "used", "low": "weak", "rejected": "not used"}
_READERS = {"unchecked": "not yet", "confirmed": "confirmed", "mended": "corrected", "not retrievable": "not possible"}
#: What readers may search for, besides the words of a row.
SYNONYMS = {number: words for number, words in vocabulary.ARTICLES.items() if number.isdigit()}
SYNONYMS["337"] += " AWOL"


@dataclass(frozen=True)
class Page:
    """A web page that prints numbers: `place` is its id in the report."""

    place: str
    publisher: str
    url: str
    title: str
    published: str
    archived: str
    retrieved: str


@dataclass(frozen=True)
class Row:
    """A published number, or an event, as a row: the texts of its cells, and what the script reads besides them.

    `details`: names and words. `data`: attributes of the row.
    """

    id: str
    cells: tuple[str, ...]
    page: Page
    published: str
    use: str
    reader: str
    details: tuple[tuple[str, str], ...]
    data: dict[str, str]


def rows(entries: Iterable[Entry]) -> list[Row]:
    """The rows of statements and events, those of one web page with the same `page`."""
    pages: dict[str, Page] = {}
    return [_row(entry, pages) for entry in entries]


def pages(listed: Iterable[Row]) -> list[Page]:
    """The web pages of the rows, each once."""
    return list(dict.fromkeys(row.page for row in listed))


def _row(entry: Entry, known: dict[str, Page]) -> Row:
    source = str(entry.get("source") or (entry.get("publisher"), entry.get("url")))
    if source not in known:
        names = ("publisher", "url", "title", "published", "archived", "retrieved")
        known[source] = Page(f"p{len(known) + 1}", *(short(str(entry.get(name, ""))) for name in names))
    cells = (
        str(entry["printed"]),
        str(entry["measure"]),
        str(entry.get("articles") or entry.get("topic", "")),
        entry["period"] + (" (running total)" if entry.get("cumulative") else ""),
        short(str(entry.get("compiler", ""))),
    )
    data = {
        "value": f"{entry['value']:.10g}" if "value" in entry else "",
        "bound": entry.get("bound", "exact").removeprefix("exact"),
        "articles": "+".join(entry.get("numbers", ())),
        "days": f"{entry['start']} {entry['end']}" if "start" in entry else "",
        "what": "" if entry.get("what", entry["measure"]) == entry["measure"] else entry["what"],
    }
    return Row(
        str(entry["id"]),
        cells,
        known[source],
        entry.get("published", "" if entry["kind"] == "event" else "no date shown"),
        _USES.get(entry.get("status", ""), ""),
        _READERS.get(str(entry.get("audit", "")), str(entry.get("audit", ""))),
        tuple(_details(entry)),
        {name: value for name, value in data.items() if value},
    )


def _details(entry: Entry) -> Iterator[tuple[str, str]]:
    covers = "; ".join(filter(None, (entry.get("scope"), entry.get("courts"))))
    named = {
        "Covers": covers,
        "Counted on": entry.get("counted"),
        "Where": entry.get("locator"),
        "Note": entry.get("note"),
        "Why": entry.get("reason"),
    }
    yield from ((name, str(words)) for name, words in named.items() if words)
    yield from (("Corrected", words) for words in entry.get("corrections", ()))
    if entry.get("same"):
        yield "Also published", ", ".join(entry["same"])
    for conflict in entry.get("rivals", ()):
        others = "; ".join(f"{each['text']} ({', '.join(each['ids'])})" for each in conflict["others"])
        chosen = f"used here is {', '.join(conflict['chosen'].split())}" if conflict["chosen"] else "none is used"
        yield "Other versions", f"{conflict['about']}: {others}; {chosen}: {conflict['because']}"
