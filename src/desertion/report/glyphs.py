"""Characters that the fonts of the PDF lack. Typst refuses some of them; these are drawn as boxes, and named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from desertion.project import DATA, NOTEBOOKS, relative
from desertion.text import listed

BOX = "\u25a1"
_REFUSED = re.compile("could not be displayed|missing codepoints|contains the codepoint")


def lacking(refusal: Exception) -> bool:
    """Whether the compiler refused a document for a character that no font has."""
    return bool(_REFUSED.search(str(refusal)))


def boxed(inputs: Mapping[str, bytes], fonts: Sequence[Path]) -> tuple[dict[str, bytes], set[str]]:
    """The document and its drawings with a box for each character that `fonts` lack, and these characters."""
    known, missing = _known(*fonts), set[str]()
    out = dict(inputs)
    for name, content in inputs.items():
        if name.endswith((".typ", ".svg")):
            words = content.decode()
            missing |= (lacks := {each for each in {*words} - {*"\n\r\t"} if ord(each) not in known})
            out[name] = words.translate({ord(each): BOX for each in lacks}).encode()
    return out, missing


@cache
def _known(*folders: Path) -> frozenset[int]:
    """The characters that the font of the text has, without those of private use, which the archive forbids."""
    from fontTools.ttLib import TTFont

    paths = [path for folder in folders for path in folder.glob("DejaVu*.ttf")]
    codes = {code for path in paths for code in TTFont(path).getBestCmap()}
    return frozenset(code for code in codes if unicodedata.category(chr(code)) != "Co")


def note(missing: Iterable[str]) -> str:
    """One line that names each character drawn as a box and the rows and notebooks that have it."""
    return f"the PDF draws as a box: {'; '.join(map(_where, sorted(missing)))}"


def _where(character: str) -> str:
    places = list(_places(character))
    more = f" and {len(places) - 3} more places" if len(places) > 3 else ""
    return f"U+{ord(character):04X}" + (f" of {listed(places[:3])}{more}" if places else "")


def _places(character: str) -> Iterator[str]:
    for path in (*sorted(DATA.glob("*.csv")), *sorted(NOTEBOOKS.glob("*.ipynb"))):
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            if character in line:
                yield f"{relative(path)}:{number}"
