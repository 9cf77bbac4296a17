"""The text of a published plot: its table as CSV and its picture as SVG, the same on every run."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from desertion.plots.frame import gid, style
from desertion.plots.own import OwnPlot
from desertion.plots.plot import Plot

#: First characters of a cell that a spreadsheet would run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(table: pd.DataFrame, plot: Plot | OwnPlot) -> str:
    """The table as CSV: plain numbers, ISO days, and no cell that a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(str(label)) for label in table.columns])
    for row in table.itertuples(index=False, name=None):
        writer.writerow(
            [
                _cell(value, plot.columns[label].kind if label in plot.columns else "")
                for label, value in zip(table.columns, row, strict=True)
            ]
        )
    return out.getvalue()


def _cell(value: object, kind: str = "text") -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, float, np.integer, np.floating)):
        # Shortest digits that give the number back, never with an exponent.
        plain = format(Decimal(repr(value.item() if isinstance(value, np.generic) else value)), "f")
        return plain.removesuffix(".0")
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    words = str(value)
    return f"'{words}" if kind in ("text", "") and words.startswith(_FORMULA) else words


def to_svg(
    figure: Figure, plot: Plot | OwnPlot, name: str, alt: str, ids: Iterable[str], box: Bbox | None = None
) -> str:
    """matplotlib's SVG prepared for a page: words for screen readers, ids unique on any page, nothing from outside.

    `box`: the part of the figure that is saved, in inches; all of it unless given.

    The group of a mark has `class="mark"`, its statements in `data-ids` and the id NAME-IDS, with -2 and so on where
    several shapes make one mark.
    """
    saved = io.BytesIO()
    with style():  # which sets fonts and ids
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(saved, format="svg", metadata=nothing, bbox_inches=box)
    root = ET.fromstring(saved.getvalue())
    for child in list(root):
        if child.tag == f"{{{_SVG}}}metadata" or child.find(f"{{{_SVG}}}style") is not None:
            root.remove(child)
    marks = {gid(cell): " ".join(cell.split()) for cell in ids}
    used = {each for element in root.iter() for value in element.attrib.values() for each in _USED.findall(value)}
    seen: dict[str, int] = {}
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in marks:
            seen[old] = seen.get(old, 0) + 1
            again = f"-{seen[old]}" if seen[old] > 1 else ""
            element.attrib |= {"id": f"{name}-{old}{again}", "class": "mark", "data-ids": marks[old]}
        elif old in used:
            element.set("id", f"{name}-{old}")
        _make_plain(element, name)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": f"{_FONT}; stroke-linejoin: round; stroke-linecap: butt",
    }
    for place, (tag, words) in enumerate((("title", plot.title), ("desc", alt))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text, element.tail = words, "\n"
        root.insert(place, element)
    return ET.tostring(root, encoding="unicode") + "\n"


#: The id of a shape that another element uses.
_USED = re.compile(r"(?:^|url\()#([^)]+)")
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)
#: DejaVu Sans, or a typeface of the same width, so that words keep their space.
_FONT = "font-family: 'DejaVu Sans', Verdana, sans-serif"


def _make_plain(element: ET.Element, name: str) -> None:
    """Make references point to this plot's own shapes; drop repeated fonts, empty rotations and white space."""
    for key, value in element.attrib.items():
        if key == f"{{{_XLINK}}}href":
            element.set(key, value.replace("#", f"#{name}-", 1))
        elif key in ("style", "clip-path"):
            value = value.replace("url(#", f"url(#{name}-")
            element.set(key, re.sub(r"font-family: [^;]*; ", "", value))
        elif key == "d":
            element.set(key, value.replace("\n", " ").strip())
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.tag != f"{{{_SVG}}}text" and not (element.text or "").strip():
        element.text = None
    element.tail = "\n"
