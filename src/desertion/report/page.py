"""The HTML page: one file, nothing from outside, readable without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from desertion import vocabulary
from desertion.entries import Entry
from desertion.plots import font
from desertion.report.blocks import PictureBlock, PlotBlock, SentenceBlock, TableBlock, TableCell
from desertion.report.escape import in_markdown, short, to_json
from desertion.report.layout import TITLE, Report, file
from desertion.report.markup import SAFE, convert
from desertion.report.picture import themed
from desertion.report.writer import UNSOURCED, Writer

#: Characters that stay unescaped in the address of a table, besides letters and digits.
_PLAIN = " ,;:()/=+-*!?@$"
_ID = re.compile(r"\b(?:F\d{3,}|ctx\d{3,})\b")


def page(report: Report) -> str:
    """The page as HTML: sections, all statements (and events of plots), methods and the inputs of this version."""
    edition, writer = report.edition, PageWriter(report.statements, report.events)
    parts = [*writer.opening(report), "# All statements {#statements}", writer.raw(_all(report.statements))]
    parts += [*writer.blocks(report.methods), "# About this version {#version}", writer.raw(_about(report.about))]
    words = convert("\n\n".join(parts), "html5", "--section-divs", "--mathml")
    body = writer.fill(re.sub(rf'<a href="(?!{SAFE})[^"]*"', "<a", words), "<p>{}</p>")
    script = file("page.js")
    names = {"answer": "Answer"} | {
        one.stem: one.stem.split("-", 1)[-1].replace("-", " ").capitalize() for one in report.sections
    }
    names |= {"statements": "All statements", "methods": "Methods", "version": "About this version"}
    values = {
        "title": escape(TITLE),
        "edition": escape(edition.title.rstrip(".")),
        "description": escape(edition.description),
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src "
        f"'{_hash(script)}'; base-uri 'none'; form-action 'none'",
        "style": font.face(body) + file("page.css"),
        "nav": "".join(f'<li><a href="#{target}">{escape(name)}</a></li>' for target, name in names.items()),
        "body": body,
        "data": to_json(_compact(report.statements, report.events) | {"was": writer.was}),
        "script": script,
    }
    # One pass: what is put in is not searched again.
    return re.sub(r"\$(\w+)\$", lambda match: values[match[1]], file("page.html"))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _compact(statements: Iterable[Entry], events: Iterable[Entry]) -> dict[str, Any]:
    """Statements for the script, with each source once, which halves their size."""
    sources: dict[str, Entry] = {}
    rows = []
    for row in statements:
        sources[row["source"]] = {key: row[key] for key in _OF_A_SOURCE if key in row}
        kept = {key: value for key, value in row.items() if key not in _OF_A_SOURCE}
        rows.append({key: value for key, value in kept.items() if key != "what" or value != row["measure"]})
    labels = {"bound": vocabulary.BOUNDS, "audit": vocabulary.AUDITS}
    return {"statements": rows, "events": list(events), "sources": sources, "labels": labels}


_OF_A_SOURCE = ("publisher", "url", "published")


class PageWriter(Writer):
    """Writes blocks for the page."""

    def __init__(self, statements: Iterable[Entry], events: Iterable[Entry]) -> None:
        super().__init__()
        #: For each number with a history its lines, by the place that the link names.
        self.was: list[list[str]] = []
        self._printed = {str(row["id"]): str(row["printed"]) for row in (*statements, *events)}

    def sentence(self, sentence: SentenceBlock) -> str:
        """Markdown of a computed sentence, its numbers as links."""
        return "".join(
            self._number(part, sentence.behind[n // 2], sentence.apart, sentence.was[n // 2]) if n % 2 else part
            for n, part in enumerate(sentence.parts)
        )

    def verbatim(self, text: str) -> str:
        """HTML of plain text."""
        return f"<pre tabindex='0'>{escape(text)}</pre>"

    def plot(self, plot: PlotBlock) -> str:
        """HTML of a plot: the picture, its words, and the numbers behind it as a download."""
        named = f"Plot {plot.number}. {plot.title}"
        caption = [escape(named)]
        if plot.table is not None:
            # Spaces stay, as browsers allow: a quarter less than base64, a fifth less than %20 for each.
            address = f"data:text/csv;charset=utf-8,{quote(plot.table, safe=_PLAIN)}"
            caption.append(f'<a download="{plot.name}.csv" href="{address}">numbers of this plot (CSV)</a>')
        words = f"<details><summary>In words</summary><p>{escape(plot.alt)}</p></details>"
        # The style shows one of the two, by the width of the screen.
        pictures = f'<div class="wide">{themed(plot.svg)}</div><div class="narrow">{themed(plot.narrow)}</div>'
        return (
            f'<figure id="plot-{plot.name}"><div class="plot" role="region" tabindex="0" '
            f'aria-label="{escape(named, quote=True)}">{pictures if plot.narrow else themed(plot.svg)}</div>'
            f"<figcaption>{' · '.join(caption)}{words}</figcaption></figure>"
        )

    def picture(self, picture: PictureBlock) -> str:
        """HTML of a picture: as an image, in which nothing runs and nothing is fetched."""
        alt = escape(picture.alt, quote=True)
        address = f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}"
        size = f'width="{picture.width:.0f}" height="{picture.height:.0f}"'
        least = f"min-width:{picture.width / 2:.0f}px"  # below half of its size its letters cannot be read
        caption = f"<figcaption>{UNSOURCED} ({escape(picture.where)}).</figcaption>" if picture.where else ""
        return (
            f'<figure><div class="plot" role="region" tabindex="0" aria-label="{alt}">'
            f'<img src="{address}" alt="{alt}" {size} style="{least}"></div>{caption}</figure>'
        )

    def _number(self, words: str, ids: Sequence[str], apart: bool, was: Sequence[str]) -> str:
        """A number of a sentence as a link to its statements: all of `ids` if they are its own (`apart`).

        `was` is what it is in other editions.

        Otherwise it links to the statement that prints the number, if there is one, else to all of the sentence.
        """
        known = [each for each in ids if each in self._printed]
        text = in_markdown(words)
        if not any(sign.isdigit() for sign in words):
            return text
        if not known:
            return f"[{text}](#statements)"
        same = [each for each in known if self._printed[each].endswith(words) and self._is_number(each, words)]
        linked = known if apart or not same else same
        earlier = ""
        if was:
            earlier = f' data-was="{len(self.was)}"'
            self.was.append(list(was))
        return f'[{text}](#{linked[0]}){{.n data-ids="{" ".join(linked)}"{earlier}}}'

    def _is_number(self, statement: str, words: str) -> bool:
        before = self._printed[statement].removesuffix(words)
        return not before or before.endswith(" ")

    def table(self, table: TableBlock) -> str:
        """HTML of a table with its notes."""
        head = "".join(f"<tr>{''.join(self._cell(cell, 'col') for cell in row)}</tr>" for row in table.head)
        body = "".join(
            # A heading of a group is of the rows in one body with it.
            ("</tbody><tbody>" if n and row[0].group else "")
            + f"<tr>{''.join(self._cell(cell, 'row') for cell in row)}</tr>"
            for n, row in enumerate(table.body)
        )
        head = f"<thead>{head}</thead>" if head else ""
        named = f"Table {table.number}. {table.title}" if table.number else table.title
        words = (
            named or f"Table: {', '.join(filter(None, (cell.text for cell in table.head[-1])) if table.head else ())}"
        )
        caption = f'<caption><span class="stay">{escape(named)}</span></caption>' if named else ""
        notes = "".join(f"<p class='note'>{_linked(escape(note), self._printed)}</p>" for note in table.notes)
        return (
            f'<div class="table" role="region" aria-label="{escape(short(words, 120), quote=True)}" tabindex="0">'
            f"<table>{caption}{head}<tbody>{body}</tbody></table></div>{notes}"
        )

    def _cell(self, cell: TableCell, scope: str) -> str:
        tag = "th" if cell.heading and cell.text else "td"  # an empty heading heads nothing
        spans = "".join(
            f' {name}="{count}"' for name, count in (("rowspan", cell.rows), ("colspan", cell.columns)) if count > 1
        )
        if tag == "th":
            wide = cell.columns > 1 or cell.group
            spans += f' scope="{"rowgroup" if cell.group else f"{scope}group" if wide else scope}"'
        names = " ".join(name for name, here in (("number", cell.right), ("group", cell.group)) if here)
        kind = f' class="{names}"' if names else ""
        colours = (("background", cell.fill), ("color", cell.ink))
        if style := ";".join(f"{name}:{colour}" for name, colour in colours if colour):
            kind += f' style="{style}"'
        text = _linked(escape(cell.text), self._printed)
        if known := [each for each in cell.ids if each in self._printed]:
            text = f'<a class="n" href="#{known[0]}" data-ids="{" ".join(known)}">{escape(cell.text)}</a>'
        if cell.group:
            text = f'<span class="stay">{text}</span>'
        return f"<{tag}{spans}{kind}>{text}</{tag}>"


def _linked(html: str, known: Collection[str]) -> str:
    def one(match: re.Match[str]) -> str:
        name = match[0]
        return f'<a class="n" href="#{name}" data-ids="{name}">{name}</a>' if name in known else name

    return _ID.sub(one, html)


# --- the table of all statements -------------------------------------------------------------------------------------

#: Columns of the table for readers without scripts; the script makes the same table from the data.
COLUMNS = (
    *("Statement", "As printed", "Counted", "Offence or topic", "Period", "Counted by", "Printed by", "Published"),
    "Status",
)


def _all(statements: Iterable[Entry]) -> str:
    # Inside `noscript`, since a thousand rows as elements would take half of the time to open the page.
    head = "".join(f'<th scope="col">{label}</th>' for label in COLUMNS)
    body = "".join(_row(row) for row in statements)
    return (
        '<div id="filters"></div><div class="table" id="all" role="region" aria-label="All statements" tabindex="0">'
        f"<noscript><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></noscript></div>"
    )


def _row(row: Entry) -> str:
    name = str(row["id"])
    publisher = escape(short(row.get("publisher", "")))
    if row.get("url"):
        publisher = f'<a href="{escape(row["url"], quote=True)}" rel="noreferrer">{publisher}</a>'
    notes = "; ".join(
        filter(None, (row.get("locator", ""), row.get("note", ""), row.get("reason", ""), *row.get("corrections", ())))
    )
    small = f"<small>{escape(notes)}</small>" if notes else ""
    total = " (running total)" if row.get("cumulative") else ""
    cells = (
        escape(row["printed"]),
        escape(row["measure"]),
        escape(row.get("articles") or row.get("topic", "")),
        f"{escape(row['period'])}{total}",
        escape(short(row.get("compiler", ""))),
        publisher + small,
        escape(row.get("published", "")),
        escape(row["status"]),
    )
    return f'<tr id="{name}"><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _about(about: Entry) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>' for key, value in about.items()
    )
    return f'<div class="table" role="region" aria-label="About this version" tabindex="0"><table>{body}</table></div>'
