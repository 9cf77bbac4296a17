"""Text of others on its way out: what could turn, hide or colour what follows it is shown by its code."""

from __future__ import annotations


def visible(words: str) -> str:
    """`words` in one line, control and direction characters shown by their code: `[U+202E]`."""
    if words.isprintable():
        return words
    words = words.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(each if each.isprintable() else f"[U+{ord(each):04X}]" for each in words)


def visible_lines(words: str) -> str:
    """The same of a text whose lines are kept."""
    return "\n".join(visible(line) for line in words.replace("\r\n", "\n").split("\n"))
