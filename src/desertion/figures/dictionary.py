"""The generated parts of the data dictionary, data/README.md and data/CONTEXT.md: tables of columns and of words.

A table stands between `<!-- table NAME -->` and `<!-- end of table -->`, where NAME is a file of data/ or a dictionary
of `vocabulary`; everything outside is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from desertion import vocabulary
from desertion.errors import UserError
from desertion.figures.schema import BY_FILE
from desertion.text import nearest, shown

FILES = ("README.md", "CONTEXT.md")
_TABLE = re.compile(r"(?<=<!-- table )([\w.-]+)( -->\n).*?(?=\n<!-- end of table -->)", re.DOTALL)


def table(name: str) -> str:
    """The columns of a file of data/, or the words of a vocabulary, as a Markdown table. Raises KeyError."""
    if name in BY_FILE:
        return BY_FILE[name].dictionary()
    words = vars(vocabulary)[name]
    return "\n".join(["| word | meaning |", "|---|---|", *(f"| `{word}` | {words[word]} |" for word in words)])


def generated(path: Path) -> str:
    """The text of `path` with every generated table as it is now. Raises UserError for a table that is unknown."""

    def replace(match: re.Match[str]) -> str:
        try:
            return f"{match[1]}{match[2]}\n{table(match[1])}\n"
        except KeyError:
            known = [*BY_FILE, *(name for name in vars(vocabulary) if name.isupper() and name[0] != "_")]
            raise UserError(f"{path.name}: no table '{shown(match[1])}'{nearest(match[1], known)}") from None

    return _TABLE.sub(replace, path.read_text(encoding="utf-8"))
