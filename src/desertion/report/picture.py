"""A plot's SVG inside a page: in the colours of its theme, its ids its own, its styles those of the page."""

from __future__ import annotations

import re


def plain(svg: str) -> str:
    """The element alone, without its metadata and styles."""
    svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL).strip()
    return re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)


def themed(svg: str, classes: dict[str, str] | None = None) -> str:
    """A picture that takes its size from the page and its colours from the theme.

    Styles become `classes` of the page, style → name, to which those of this picture are added: each is stored once.
    """
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"""\b(fill|stroke)(: |=")#([0-9a-f]{6})\b""", r"\1\2var(--\3,#\3)", svg)
    if classes is None:
        return svg

    def one(match: re.Match[str]) -> str:
        return f'{match[1]} class="{classes.setdefault(match[2], f"s{len(classes)}")}"'

    # A style of other characters, or of an element with a class, stays where it is.
    return re.sub(r"""(<(?![^>]* class=)[^>]*?) style="([\w\s:#.,;()'%-]*)\"""", one, svg)


def rules(classes: dict[str, str]) -> str:
    """The classes as a style sheet, in lines."""
    return "\n".join(f".{name} {{ {style} }}" for style, name in classes.items())


def described(svg: str, place: str) -> str:
    """The picture without its own words, which stand at `place` in the page."""
    svg = re.sub(r"<desc\b[^>]*>.*?</desc>\s*", "", svg, count=1, flags=re.DOTALL)
    return re.sub(r'(aria-labelledby="[\w-]+) [\w-]+-desc"', rf'\1" aria-describedby="{place}"', svg, count=1)


def renamed(svg: str, old: str, new: str) -> str:
    """The picture with identifiers that begin with `new` where they began with the name `old`."""
    before = r'(\bid="|href="#|url\(#|aria-labelledby="|aria-describedby="|-title )'
    return re.sub(before + re.escape(old) + "-", rf"\g<1>{new}-", svg)
