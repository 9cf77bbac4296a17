"""A plot's SVG inside a page: in the colours of its theme, its ids its own."""

from __future__ import annotations

import re


def plain(svg: str) -> str:
    """The element alone, without its metadata and styles."""
    svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL).strip()
    return re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)


def themed(svg: str) -> str:
    """A picture that takes its size from the page and its colours from the theme."""
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    return re.sub(r"""\b(fill|stroke)(: |=")#([0-9a-f]{6})\b""", r"\1\2var(--\3,#\3)", svg)


def renamed(svg: str, old: str, new: str) -> str:
    """The picture with identifiers that begin with `new` where they began with the name `old`."""
    before = r'(\bid="|href="#|url\(#|aria-labelledby="|aria-describedby="|-title )'
    return re.sub(before + re.escape(old) + "-", rf"\g<1>{new}-", svg)
