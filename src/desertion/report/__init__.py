"""The HTML page of an edition: executed notebooks in, one file without outside references out.

Each notebook is a section. Code is left out; its outputs (Markdown, tables, SVG plots) are kept. The outputs of cells
tagged `answer` open the page. pandoc makes the page from one Markdown text by the project's own template.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat

from desertion import __version__
from desertion.params import Edition
from desertion.project import DATA, ROOT, UserError, relative, write_atomic

TITLE = "AWOL and desertion convictions in the Russian military"
#: The notebook whose answer comes first; the others follow in their order.
LEAD = "03-trends"
_REPORT = files("desertion.report")


def render(edition: Edition, notebooks: list[Path], out: Path, *, plots: Path | None = None) -> None:
    """Write the page of `edition` to `out` from its executed `notebooks`, in the order given.

    `plots` is the folder with what the notebooks published; the CSV behind each plot is put into the page.
    Raises UserError where a notebook cannot be read or has no heading. An equal page is not touched.
    """
    import pypandoc

    read = [(path.stem, _read(path)) for path in notebooks]
    lead_first = sorted(read, key=lambda pair: pair[0] != LEAD)
    cells = [cell for _, notebook in lead_first for cell in _tagged(notebook, "answer")]
    answer = [part for cell in cells for part in _outputs(cell, None)]
    sections = [part for stem, notebook in read for part in _section(stem, notebook, plots)]
    methods = (_REPORT / "methods.md").read_text(encoding="utf-8")
    text = "\n\n".join([*_heading("The answer", "answer"), *answer, *sections, methods, _receipt(edition)])
    page = pypandoc.convert_text(
        text,
        "html5",
        format="markdown-implicit_figures-smart+raw_html",
        extra_args=[
            "--template=" + str(_REPORT / "template.html"),
            "--standalone",
            "--section-divs",
            "--mathml",
            "--wrap=none",
            "--eol=lf",
            "--metadata=title:" + TITLE,
            "--metadata=lang:en",
            "--variable=nav:" + _nav([stem for stem, _ in read]),
            "--variable=edition:" + escape(edition.title),
            "--variable=edition-description:" + escape(edition.description),
        ],
    )
    write_atomic(out, page)


def _nav(stems: list[str]) -> str:
    """Links to the sections, in one word each: a notebook's file is named after what it is about."""
    names = {"answer": "Answer"} | {stem: stem.split("-", 1)[-1].replace("-", " ").capitalize() for stem in stems}
    names |= {"methods": "Methods", "receipt": "Receipt"}
    return "".join(f'<li><a href="#{target}">{escape(name)}</a></li>' for target, name in names.items())


def _read(path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise UserError(f"{relative(path)}: not a notebook: {error}") from None


def _tagged(notebook: Any, tag: str) -> list[Any]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def _heading(title: str, identifier: str) -> list[str]:
    return [f"# {title} {{#{identifier}}}"]


def _section(stem: str, notebook: Any, plots: Path | None) -> Iterator[str]:
    """The Markdown of one notebook: its own text, and what its cells put out."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # A notebook's own heading names the section; the number in front of it orders the files only.
            yield re.sub(r"^# (.+)$", rf"# \1 {{#{stem}}}", cell.source, count=1, flags=re.MULTILINE)
        elif cell.cell_type == "code" and "answer" not in cell.metadata.get("tags", []):
            yield from _outputs(cell, plots)


def _outputs(cell: Any, plots: Path | None) -> Iterator[str]:
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        metadata = output.get("metadata", {})
        if "image/svg+xml" in data:
            yield _plot(data["image/svg+xml"], metadata.get("desertion", {}), plots)
        elif "text/markdown" in data:
            yield data["text/markdown"]
        elif "text/html" in data:
            yield _raw(_table(data["text/html"]))
        elif "text/plain" in data:
            yield _raw(f"<pre>{escape(data['text/plain'])}</pre>")
        elif output.output_type == "stream" and output.name == "stdout":
            yield _raw(f"<pre>{escape(output.text)}</pre>")


def _raw(html: str) -> str:
    return f"\n```{{=html}}\n{html}\n```\n"


def _table(html: str) -> str:
    """pandas' table without its style, in a frame that scrolls by itself on a narrow screen."""
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    html = re.sub(r'<table border="1" class="dataframe">', "<table>", html).replace(' style="text-align: right;"', "")
    return f'<div class="table" role="region" aria-label="Table" tabindex="0">{html}</div>'


def _plot(svg: str, record: dict[str, Any], plots: Path | None) -> str:
    """An SVG as part of the page: identifiers made unique to the plot, its size left to the style sheet."""
    name = record.get("name") or "plot-" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}--\1"', svg)
    svg = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{name}--\2"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}--\1)", svg)
    svg = re.sub(r'\baria-(labelledby|describedby)="([^"]+)"', lambda m: _prefixed(m, name), svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"|(<svg[^>]*?) height="[^"]*"', r"\1\2", svg, count=1)
    caption = ""
    table = plots / f"{name}.csv" if plots is not None else None
    if table is not None and table.is_file():
        content = base64.b64encode(table.read_bytes()).decode("ascii")
        address = f"data:text/csv;charset=utf-8;base64,{content}"
        link = f'<a download="{name}.csv" href="{address}">numbers behind it (CSV)</a>'
        caption = f"<figcaption>{escape(record.get('title', ''))} · {link}</figcaption>"
    frame = f'<div class="plot" role="region" aria-label="Plot {name}" tabindex="0">{svg}</div>'
    return _raw(f'<figure id="plot-{name}">{frame}{caption}</figure>')


def _prefixed(match: re.Match[str], name: str) -> str:
    return f'aria-{match[1]}="{" ".join(f"{name}--{part}" for part in match[2].split())}"'


def _receipt(edition: Edition) -> str:
    """What the page was made from, by content; no clock and no path of the machine."""
    data = hashlib.sha256()
    for path in sorted(DATA.glob("*.csv")):
        data.update(path.name.encode() + b"\0" + path.read_bytes())
    lock = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    parameters = json.dumps(edition.shared, default=str, sort_keys=True) if edition.shared else "the defaults"
    rows = {
        "edition": f"{edition.name} ({edition.title})",
        "published up to": str(edition.as_of or "everything in data/"),
        "parameters": parameters,
        "data": f"SHA-256 {data.hexdigest()[:16]}",
        "packages": f"requirements.lock, SHA-256 {lock[:16]}",
        "package desertion": __version__,
    }
    cells = (f"<tr><th scope='row'>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in rows.items())
    body = "".join(cells)
    return "\n\n".join([*_heading("Receipt", "receipt"), _raw(f'<div class="table"><table>{body}</table></div>')])
