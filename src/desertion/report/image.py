"""Pictures that a notebook shows without having published them: read, measured, and refused where they are damaged."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from desertion.report.blocks import PictureBlock, Unshown

#: Media types that the page and the PDF can show, the best first.
KINDS = ("image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif")
_SVG = "http://www.w3.org/2000/svg"
#: Pixels of a page in each unit of length.
_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}
# What a picture inside the page could do beside being seen: a picture of its own kind is shown as an image instead.
_ACTIVE = re.compile(
    r"<\s*(?:script|foreignobject|iframe|embed|object|animate|set|handler|style|link|meta|base)\b|<!entity|javascript:"
    r"""|["'\s/]on\w+\s*=|\b(?:href|src)\s*=\s*["']?(?!["']?(?:#|data:image/(?:png|jpeg);))|url\(\s*["']?(?!#)|@import""",
    re.IGNORECASE,
)


def is_published(svg: str) -> bool:
    """Whether `svg` carries the name of a published plot and can stand in the page itself.

    Such a one is whole, runs nothing, restyles nothing but itself and fetches nothing.
    """
    if not re.search(r'<title id="[\w-]+-title"', svg):
        return False
    with contextlib.suppress(ET.ParseError):
        ET.fromstring(svg)
        return not _ACTIVE.search(re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL))
    return False


def read(kind: str, text: str, words: str, where: str, size: Mapping[str, Any] | None = None) -> PictureBlock | Unshown:
    """The picture that a notebook keeps as `text`: SVG, or base64 of a bitmap, which may be set to a `size` in pixels.

    `words` stand for it where it is not seen; `where` is its notebook and cell. One that is damaged cannot be shown.
    """
    try:
        content = text.encode() if "<" in text else base64.b64decode(text)
        kind, content, width, height = _svg(content) if kind == KINDS[0] else _bitmap(content)
    except Exception:  # whatever a decoder raises at bytes that are no such picture
        return Unshown(f"a damaged picture ({kind})", where)
    chosen = [value for name in ("width", "height") if isinstance(value := (size or {}).get(name), int | float)]
    if len(chosen) == 2 and all(0 < value < 1e5 for value in chosen):
        width, height = chosen
    return PictureBlock(kind, content, words, width, height, where)


def _svg(content: bytes) -> tuple[str, bytes, float, float]:
    if b"<!ENTITY" in content:
        raise ValueError("entities may stand for anything")
    root = ET.fromstring(content)
    if root.tag == "svg":  # a notebook shows it, an image needs its namespace
        content = re.sub(rb"<svg\b", f'<svg xmlns="{_SVG}"'.encode(), content, count=1)
    elif root.tag != f"{{{_SVG}}}svg":
        raise ValueError("not SVG")
    width, height = (_length(root.get(name, "")) for name in ("width", "height"))
    box = [float(one) for one in re.split(r"[\s,]+", root.get("viewBox", "").strip()) if one]
    if not (width and height) and len(box) == 4:
        width, height = box[2:]
    width, height = width or 300.0, height or 150.0  # as browsers do
    if not 0 < width < 1e5 or not 0 < height < 1e5:
        raise ValueError("no size")
    return KINDS[0], content, width, height


def _length(text: str) -> float:
    match = re.fullmatch(r"\s*([\d.]+)\s*([a-z]*)\s*", text)
    return float(match[1]) * _PIXELS.get(match[2], 0.0) if match else 0.0


def _bitmap(content: bytes) -> tuple[str, bytes, float, float]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=(formats := ["PNG", "JPEG", "WEBP", "GIF"])) as picture:
            picture.verify()  # its checksums
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            picture.load()
            kind = f"image/{str(picture.format).lower()}"
            if picture.mode == "CMYK":  # for print only: neither the page nor an archival PDF has its colours
                out = io.BytesIO()
                picture.convert("RGB").save(out, "PNG")
                kind, content = "image/png", out.getvalue()
            return kind, content, *picture.size
