"""Escapes text of the data for the page and the PDF, so that any cell is shown as text."""

from __future__ import annotations

import json
import re

_LONGEST = 400


def short(words: str, most: int = _LONGEST) -> str:
    """`words` cut at `most` characters."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def to_json(value: object) -> str:
    """JSON for a script element: nothing in it ends the element or a line of script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def in_markdown(words: str) -> str:
    """`words` in Markdown, with all punctuation escaped."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", words)


def in_typst(words: str) -> str:
    """`words` as a string literal of Typst."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
