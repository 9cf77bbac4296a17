"""The text of a published plot: its table as CSV and its picture as SVG, the same on every run; their lock."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import ft2font
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from desertion.plots import font
from desertion.plots.frame import gid, style
from desertion.plots.own import OwnPlot
from desertion.plots.plot import Plot
from desertion.project import file_digest, write_atomic

#: Versions of the libraries that drew the stored plots, and the sha256 of each file; what is a published file.
LOCK = "plots.lock"
_FORMATS = (".csv", ".json", ".svg")
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


def to_svg(figure: Figure, title: str, name: str, alt: str, ids: Iterable[str], box: Bbox | None = None) -> str:
    """matplotlib's SVG prepared for a page: words for screen readers, ids unique on any page, its font inside.

    `box`: the part of the figure that is saved, in inches; all of it unless given.

    The group of a mark has `class="mark"`, its statements in `data-ids` and the id NAME-IDS, with -2 and so on where
    several shapes make one mark. A mark is one line, as is a group without marks (an axis, a label and what is behind
    it), so that a diff of two versions shows which of them moved.
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
    shapes = _shapes(root, name)
    seen: dict[str, int] = {}
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in marks:
            seen[old] = seen.get(old, 0) + 1
            again = f"-{seen[old]}" if seen[old] > 1 else ""
            element.attrib |= {"id": f"{name}-{old}{again}", "class": "mark", "data-ids": marks[old]}
        elif old in shapes:  # other groups are not referred to
            element.set("id", shapes[old])
        _make_plain(element, shapes)
    _unwrap(root)
    mark = f"{{{_SVG}}}g[@class='mark']"
    for group in root.iter(f"{{{_SVG}}}g"):
        if group.find(f".//{mark}") is None:
            for inner in [each for each in group.iter() if each is not group]:
                inner.tail = None
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": f"font-family: {font.CSS_FAMILY}; stroke-linejoin: round; stroke-linecap: butt",
    }
    faces = ET.Element(f"{{{_SVG}}}style")
    faces.text, faces.tail = font.face("".join(root.itertext())), "\n"
    root.insert(0, faces)
    for place, (tag, words) in enumerate((("title", title), ("desc", alt))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text, element.tail = words, "\n"
        root.insert(place, element)
    return ET.tostring(root, encoding="unicode") + "\n"


#: The id of a shape that another element uses.
_USED = re.compile(r"(?:^|url\()#([^)]+)")
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)


def _shapes(root: ET.Element, name: str) -> dict[str, str]:
    """The ids of shapes that are used again, and stable ones for the page: hashes are numbered in order by kind."""
    used = {each for element in root.iter() for value in element.attrib.values() for each in _USED.findall(value)}
    numbers: dict[str, int] = {}
    shapes: dict[str, str] = {}
    for old in (element.get("id", "") for element in root.iter()):
        if old in used:
            kind = re.fullmatch("([a-z]+)[0-9a-f]{10}", old)
            if kind:
                numbers[kind[1]] = numbers.get(kind[1], 0) + 1
            shapes[old] = f"{name}-{kind[1]}{numbers[kind[1]]}" if kind else f"{name}-{old}"
    return shapes


#: Attributes that hold coordinates.
_PLACES = ("d", "x", "y", "transform", "points", "width", "height")


def _make_plain(element: ET.Element, shapes: Mapping[str, str]) -> None:
    """Point to shapes by their new ids; round coordinates to 0.01 pt; drop repeated fonts and white space."""
    for key, value in element.attrib.items():
        if key == f"{{{_XLINK}}}href":
            element.set(key, f"#{shapes[value[1:]]}")
        elif key in ("style", "clip-path"):
            value = re.sub(r"url\(#([^)]*)\)", lambda match: f"url(#{shapes[match[1]]})", value)
            element.set(key, re.sub(r"font-family: [^;]*; ", "", value))
        elif key in _PLACES:
            element.set(key, re.sub(r"-?\d+\.\d+", _rounded, " ".join(value.split())))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.tag != f"{{{_SVG}}}text" and not (element.text or "").strip():
        element.text = None
    element.tail = "\n"


def _rounded(number: re.Match[str]) -> str:
    value = round(float(number[0]), 2) + 0.0  # + 0.0: no -0
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _unwrap(element: ET.Element) -> None:
    """Replace groups below `element` that have no attributes and hold one element, or none, by what they hold."""
    children: list[ET.Element] = []
    for child in element:
        _unwrap(child)
        bare = child.tag == f"{{{_SVG}}}g" and not child.attrib and len(child) < 2
        children += list(child) if bare else [child]
    element[:] = children


def lock(folder: Path | str) -> str:
    """Write `plots.lock` into the folder of the plots: the versions that drew them and the sha256 of each file.

    Returns what was written. `sha256sum -c plots.lock` reads it too.
    """
    folder = Path(folder)
    lines = [f"# matplotlib {matplotlib.__version__}", f"# freetype {ft2font.__freetype_version__}"]
    lines += [f"{file_digest(folder / name)}  {name}" for name in plot_files(folder)]
    text = "\n".join(lines) + "\n"
    write_atomic(folder / LOCK, text)
    return text


def plot_files(folder: Path) -> list[str]:
    """Names of the published files in a folder, sorted."""
    return sorted(path.name for path in folder.glob("*") if path.suffix in _FORMATS and not path.name.startswith("."))
