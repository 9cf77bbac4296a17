"""Published plots for print: PNG at 300 dots per inch and PDF, made of their SVG by Typst."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desertion.errors import UserError
from desertion.project import relative, write_atomic

_DPI = 300
#: Typst draws a PNG so many times as large, since it leaves out a row of pixels here and there.
_FINER = 2
#: A page of whole pixels.
_PAGE = b"""
#let (title, alt, wide, high) = sys.inputs
#let (wide, high) = (float(wide) * 1pt, float(high) * 1pt)
#set document(title: title, description: alt, date: none)
#set page(width: wide, height: high, margin: 0pt)
#set text(lang: "en")
#image("plot.svg", width: wide, height: high, fit: "stretch", alt: alt)
"""


def printed(plots: Path, folder: Path) -> Iterator[Path]:
    """Copy the published files of `plots` into `folder`, with a PNG and a PDF of each SVG; their paths, in turn.

    Raises UserError where the folder cannot be written, and for a picture that `publish` did not draw.
    """
    try:
        for path in sorted(plots.iterdir()):
            files = {path.suffix: path.read_bytes()}
            if path.suffix == ".svg":
                try:
                    files[".png"], files[".pdf"] = to_print(files[".svg"])
                except (ET.ParseError, LookupError, ValueError):
                    raise UserError(f"{relative(path)}: publish.show and publish.figure did not draw it") from None
            for ending, content in files.items():
                write_atomic(folder / f"{path.stem}{ending}", content)
                yield folder / f"{path.stem}{ending}"
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from error


def to_print(svg: bytes) -> tuple[bytes, bytes]:
    """An SVG of `publish.show` as PNG and as PDF, both with its title and the words for it."""
    import typst
    from PIL import Image, PngImagePlugin

    from desertion.plots import font

    root = ET.fromstring(svg)
    pixels = [round(float(root.attrib[side].removesuffix("pt")) * _DPI / 72) for side in ("width", "height")]
    words = {element.tag.rpartition("}")[2]: element.text or "" for element in root}
    title, alt = words["title"], words["desc"]
    wide, high = (str(count * 72 / _DPI) for count in pixels)
    how: dict[str, Any] = {
        "font_paths": [str(folder) for folder in font.FOLDERS],
        "ignore_system_fonts": True,
        "sys_inputs": {"title": title, "alt": alt, "wide": wide, "high": high},
    }
    files: Any = {"main.typ": _PAGE, "plot.svg": svg}  # typst's stub knows of one file only
    pdf = typst.compile(files, format="pdf", pdf_standards="ua-1", **how)
    about = PngImagePlugin.PngInfo()
    for key, value in (("Title", title), ("Description", alt)):
        about.add_itxt(key, value)
    png = io.BytesIO()
    large = typst.compile(files, format="png", ppi=float(_FINER * _DPI), **how)
    with Image.open(io.BytesIO(large)) as picture:
        picture.convert("RGB").reduce(_FINER).save(png, "png", dpi=(_DPI, _DPI), pnginfo=about)
    return png.getvalue(), pdf
