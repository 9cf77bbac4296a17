"""The font of the plots, Source Sans Pro (SIL Open Font License): for matplotlib, for SVG, for the page, for Typst."""

from __future__ import annotations

import base64
import io
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
from matplotlib import font_manager

FAMILY = "Source Sans Pro"
#: The family for CSS and SVG; DejaVu Sans, which comes with matplotlib, has what Source Sans Pro lacks.
CSS_FAMILY = f"'{FAMILY}', 'DejaVu Sans', sans-serif"
FOLDER = Path(__file__).with_name("fonts")
#: The folders of all fonts that a plot may use, for Typst.
FOLDERS = (FOLDER, Path(matplotlib.get_data_path()) / "fonts" / "ttf")
_FILES = {400: FOLDER / "SourceSansPro-Regular.ttf", 700: FOLDER / "SourceSansPro-Bold.ttf"}
#: What every subset holds, so that it stays the same while the words of a plot change.
_COMMON = frozenset(map(chr, range(32, 127))) | frozenset("\u00a0“”‘’–—…·×÷±−≈≠≤≥→▲▼§½éèüöäç")

#: Tables for kerning, ligatures and signatures.
_LAYOUT = frozenset({"GSUB", "GPOS", "GDEF", "BASE", "DSIG"})


@cache
def register() -> None:
    """Let matplotlib know the font, ahead of a copy that the machine may have."""
    known = font_manager.fontManager
    for path in _FILES.values():
        known.addfont(path)
        known.ttflist.insert(0, known.ttflist.pop())


def face(words: str) -> str:
    """CSS rules that embed the letters of `words`, beside the common ones, in both weights."""
    return _face("".join(sorted(set(words) - _COMMON)))


@lru_cache(maxsize=32)
def _face(more: str) -> str:
    return "".join(
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{base64.b64encode(_subset(path, more)).decode()})}}"
        for weight, path in _FILES.items()
    )


def _subset(path: Path, more: str) -> bytes:
    """The font with the common letters and `more` alone, without hints and kerning, which matplotlib does not use."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(
        hinting=False, layout_features=[], name_IDs=[1, 2], glyph_names=False, recalc_timestamp=False
    )
    with TTFont(path, recalcTimestamp=False) as font:
        for table in _LAYOUT.intersection(font.keys()):
            del font[table]  # left to the subsetter they would be read first, ten times as long as all the rest
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(sorted(_COMMON)) + more)
        subsetter.subset(font)
        saved = io.BytesIO()
        font.save(saved)
    return saved.getvalue()
