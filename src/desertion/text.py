"""Text for messages and readers: invisible characters by their code, near words, natural order, numbers, periods."""

from __future__ import annotations

import calendar
import difflib
import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

#: Mean length of a month in days.
MONTH = 365.25 / 12
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WIDTH = 60  # characters of a value that a message shows
_URL = re.compile(r"https?://[^\s<>\"'`\\]+")


def visible(words: str) -> str:
    """`words` in one line, control and direction characters shown by their code: `[U+202E]`."""
    if words.isprintable():
        return words
    words = words.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(each if each.isprintable() else f"[U+{ord(each):04X}]" for each in words)


def visible_lines(words: str) -> str:
    """The same of a text whose lines are kept."""
    return "\n".join(visible(line) for line in words.replace("\r\n", "\n").split("\n"))


def uncoloured(words: str) -> str:
    """`words` without the escape sequences that colour them on a terminal."""
    return _COLOURS.sub("", words)


def escaped(text: str) -> str:
    """`text` with control, direction and other invisible characters as Python escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown(value: str) -> str:
    """`value` for a message: control, bidi and other invisible characters escaped, cut at 60 characters."""
    whole = escaped(value[: _WIDTH + 1])
    return whole if len(whole) <= _WIDTH and len(value) <= _WIDTH else whole[: _WIDTH - 1] + "…"


def link(url: str) -> str:
    """`url` if it is a plain web address, else "": a link must not run anything."""
    return url if _URL.fullmatch(url) and url.isprintable() else ""


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; each once, in the order given."""
    each = list(dict.fromkeys(words))
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} and {each[-1]}" if each else ""


def once(cells: Iterable[str]) -> str:
    """The ids in `cells`, each a text of ids with spaces between, once each in their order."""
    return " ".join(dict.fromkeys(" ".join(cells).split()))


def nearest(word: str, words: Collection[str]) -> str:
    """`; did you mean 'x'?` with the word of `words` most like `word`, or an empty text where none is near.

    A letter of another script that looks like one of it is named, for nobody can see it.
    """
    if len(words) > 2000:  # difflib compares with each: among tens of thousands only those that start alike
        words = [other for other in words if other[:3] == word[:3]][:2000]
    by_lower = {other.lower(): other for other in words}
    close = difflib.get_close_matches(word[:_WIDTH].strip().lower(), by_lower, 1, 0.6)
    if not close:
        return ""
    near = by_lower[close[0]]
    alien = next((c for c in word[:_WIDTH] if not c.isascii() and c.isprintable() and c not in near), "")
    letter = f" ('{alien}' is {unicodedata.name(alien, 'no letter')}, U+{ord(alien):04X})" if alien else ""
    return f"; did you mean '{shown(near)}'?{letter}"


def hint(word: str, known: Collection[str]) -> str:
    """`did you mean 'x'?` with the known name most like `word`, or what is known where none is near."""
    return nearest(word, known).removeprefix("; ") or f"it has {', '.join(known) or 'none'}"


def natural(text: str) -> tuple[str, str]:
    """A sort key that puts F2 before F10."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(20), text[:200]), text


def number(value: float, places: int = 10) -> str:
    """A number for readers, `4373.0` as `4,373`, `3.30` as `3.3`; of a rounded one `places` only cuts binary dust."""
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def day(then: date) -> str:
    """Name of a day, `24 Feb 2022`, in English whatever the locale."""
    return f"{then.day} {_MONTHS[then.month]} {then.year}"


_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def period(start: date, end: date) -> str:
    """Shortest name of a period, first to last day: `2021`, `2018–2022`, `Mar 2024`, `Jan–Jul 2025`, else its days."""
    whole = start.day == 1 and end.day == calendar.monthrange(end.year, end.month)[1]
    if not whole:
        if start == end:
            return day(start)
        first = day(start).removesuffix(f" {end.year}") if start.year == end.year else day(start)
        return f"{first} – {day(end)}"
    if start.month == 1 and end.month == 12:
        return str(start.year) if start.year == end.year else f"{start.year}–{end.year}"
    if start.year == end.year:
        months = _MONTHS[start.month] if start.month == end.month else f"{_MONTHS[start.month]}–{_MONTHS[end.month]}"
        return f"{months} {end.year}"
    return f"{_MONTHS[start.month]} {start.year} – {_MONTHS[end.month]} {end.year}"


def nothing(why: object = None) -> str:
    """The sentence in the place of a plot or table without rows; `why` is the reason, without its full stop."""
    return f"Nothing can be shown here: {why}." if why else "No published number of this edition can be shown here."


def print_json(value: Any) -> None:
    """Print `value` as JSON: read back it is the same; on a terminal nothing in it runs or turns the line."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    print("".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text))
