"""The differences of two states as a page: one file, nothing from outside, no script, in the style of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby

from desertion.changes import terminal
from desertion.changes.compare import CellChange, Difference, PlotChange, SentenceChange
from desertion.changes.states import State
from desertion.changes.words import parts
from desertion.project import PHONE
from desertion.report import picture
from desertion.text import visible

_MOST = 2000  # groups of rows in a table; the CSV files have all


def page(difference: Difference, old: State, new: State) -> str:
    """The page as HTML; the pictures are those of the two states."""
    bodies = {
        "sentences": "".join(map(_sentence, difference.sentences)),
        "verdicts": _table(
            "Verdicts", ("Claim", "Before", "After"), ((each.row, each.old, each.new) for each in difference.verdicts)
        ),
        "statements": "".join(_statements(difference)),
        "tables": "".join(_tables(difference)),
        "plots": "".join(_plot(each, old, new) for each in difference.plots),
        "refusals": _table(
            "Refusals",
            ("Where", "What", "Now", "Reason"),
            ((each.where, each.what, each.how, each.reason) for each in difference.refusals),
        ),
        "others": f"<p>{_text(', '.join(difference.others))}</p>" if difference.others else "",
        "inputs": _table(
            "Inputs",
            ("What", "Name", "Before", "After"),
            ((each.kind, each.name, each.old, each.new) for each in difference.inputs),
        ),
    }
    titles = {name: "Other outputs" if name == "others" else name.capitalize() for name, body in bodies.items() if body}
    style = ""
    if bodies["plots"]:
        from desertion.plots import font  # imports what draws, which a build with nothing to do needs not

        style = font.face(bodies["plots"])
    values = {
        "title": _text(f"What changed from {difference.old} to {difference.new}"),
        "style": style
        + (files("desertion.report") / "page.css").read_text(encoding="utf-8")
        + (files("desertion.changes") / "page.css").read_text(encoding="utf-8"),
        "states": f"{_text(difference.old)} → {_text(difference.new)}",
        "summary": _text(terminal.summary(difference)),
        "notes": "".join(f"<p class='note'>{_text(note)}</p>" for note in difference.notes),
        "nav": "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in titles.items()),
        "body": "".join(
            f'<section id="{name}"><h2>{title}</h2>\n{bodies[name]}</section>\n' for name, title in titles.items()
        ),
    }
    template = (files("desertion.changes") / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\$(\w+)\$", lambda match: values[match[1]], template)


def _text(words: str) -> str:
    return escape(visible(words))


def _marked(old: str, new: str) -> str:
    """Both texts in one, what is gone and what is new marked."""
    out = []
    for part in parts(old, new):
        if part.same:
            out.append(_text(part.old))
        else:
            out.append(
                "".join(f"<{tag}>{_text(each)}</{tag}>" for tag, each in (("del", part.old), ("ins", part.new)) if each)
            )
    return "".join(out)


def _sentence(change: SentenceChange) -> str:
    old, new = terminal.plain(change.old), terminal.plain(change.new)
    how = "" if change.how == "changed" else f" · {change.how}"
    if change.how in ("withheld", "gone"):
        words = f"<del>{_text(old)}</del>"
    else:
        words = f"<ins>{_text(new)}</ins>" if change.how in ("sayable", "new") else _marked(old, new)
    why = f"<p class='note'>{_text(change.why)}</p>" if change.why else ""
    return f"<p class='name'>{_text(change.notebook)}, {_text(change.id)}{how}</p><p>{words}</p>{why}\n"


def _table(label: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, "" without rows; a first cell that several rows share stands once. `label` names it."""
    groups = [(first, list(group)) for first, group in groupby(rows, key=lambda row: row[0])]
    count = sum(len(group) for _, group in groups)
    body = []
    for first, group in groups:
        span = f' rowspan="{len(group)}"' if len(group) > 1 else ""
        lines = ["".join(f"<td>{_text(each)}</td>" for each in row[1:]) for row in group]
        body.append(f'<tbody><tr><th scope="rowgroup"{span}>{_text(first)}</th>{"</tr><tr>".join(lines)}</tr></tbody>')
        if len(body) == _MOST:
            break
    if not body:
        return ""
    more = (
        f"<p class='note'>cut here: of {count:,} rows the first {_MOST:,} groups are shown</p>"
        if len(groups) > _MOST
        else ""
    )
    heads = "".join(f'<th scope="col">{_text(each)}</th>' for each in head)
    return (
        f'<div class="table" role="region" aria-label="{_text(label)}" tabindex="0"><table class="cells">'
        f"<thead><tr>{heads}</tr></thead>{''.join(body)}</table></div>{more}"
    )


def _cells(label: str, cells: Iterable[CellChange]) -> str:
    rows = ((each.row, each.column, each.old, each.new) for each in cells)
    return _table(label, ("Row", "Column", "Before", "After"), rows)


def _statements(difference: Difference) -> Iterator[str]:
    for change in difference.statements:
        what = f"{change.how}: {change.file.removesuffix('.csv')} {change.id}"
        yield f"<p class='name'>{_text(what)}</p><p>{_text(change.label)}</p>"
        yield _cells(f"{change.file} {change.id}", change.cells)


def _rows(come: Sequence[str], gone: Sequence[str]) -> str:
    marked = [f"<li><ins>{_text(each)}</ins></li>" for each in come] + [
        f"<li><del>{_text(each)}</del></li>" for each in gone
    ]
    return f"<ul class='rows'>{''.join(marked)}</ul>" if marked else ""


def _tables(difference: Difference) -> Iterator[str]:
    for change in difference.tables:
        working = ", for the notebook's author" if change.working else ""
        yield f"<h3>{_text(change.title)}</h3><p class='name'>{_text(change.notebook)}{working}</p>"
        yield _cells(f"{change.notebook}: {change.title}", change.cells) + _rows(change.come, change.gone)


def _plot(change: PlotChange, old: State, new: State) -> str:
    numbers = sorted(change.moved, key=lambda each: -each.by)
    others = [each for each in change.cells if each.column != "ids"]
    rows = [
        f"{terminal.count(len(each), 'row')} {how}"
        for each, how in ((change.come, "new"), (change.gone, "gone"))
        if each
    ]
    folded = {
        f"{terminal.count(len(numbers), 'number')} moved, the largest change first": _cells(
            f"{change.name}: numbers", numbers
        ),
        terminal.count(len(others), "other cell"): _cells(f"{change.name}: other cells", others),
        ", ".join(rows): _rows(change.come, change.gone),
    }
    below = "".join(f"<details><summary>{label}</summary>{body}</details>" for label, body in folded.items() if body)
    how = "" if change.how == "changed" else f" ({change.how})"
    return f"<h3>{_text(change.title)}{how}</h3>{_pictures(change, old, new)}{below}\n"


def _pictures(change: PlotChange, old: State, new: State) -> str:
    """The pictures before, after and over each other; the one that there is where the plot is new or gone."""
    if not change.picture:
        return ""
    name = change.name
    sides = {side: _svg(state, name, side) for side, state in (("old", old), ("new", new))}
    there = {side: svg for side, svg in sides.items() if svg}
    pictures = "".join(f'<div class="{side}">{svg}</div>' for side, svg in there.items())
    shown = f'<div class="plot" role="region" tabindex="0" aria-label="{_text(change.title)}">{pictures}</div>'
    if len(there) < 2:
        return f"<figure>{shown}</figure>"
    choices = (("both", "both, before in grey", " checked"), ("only-old", "before", ""), ("only-new", "after", ""))
    inputs = "".join(
        f'<input type="radio" name="{name}" id="{name}-{kind}" class="{kind}"{checked}>'
        f'<label for="{name}-{kind}">{words}</label>'
        for kind, words, checked in choices
    )
    return f'<figure class="pair">{inputs}{shown}</figure>'


def _svg(state: State, name: str, side: str) -> str:
    """The picture of a plot, and the one for phones where it has one; the style of the report shows one of the two."""
    svgs = {each: state.text(f"plots/{each}.svg") for each in (name, f"{name}{PHONE}")}
    wide, narrow = (
        picture.themed(picture.renamed(picture.plain(svg), each, f"{each}-{side}")) for each, svg in svgs.items()
    )
    return f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>' if wide and narrow else wide
