"""Rules for one cell: functions from the text of the cell to the message of its fault, empty where there is none.

A rule raises nothing, whatever the text.
"""

from __future__ import annotations

import calendar
import datetime
import difflib
import re
import unicodedata
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from desertion import vocabulary
from desertion.text import nearest, shown

Rule = Callable[[str], str]
_MANY, _SHOWN = 30, 6  # words of a vocabulary: from how many on, and how many of them, a message has

_YEARS = range(1900, 2101)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_OTHER_DATE = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})|([0-9]{4})[./-]([0-9]{1,2})[./-]([0-9]{1,2})")
_NUMBER = re.compile(r"(?!-0$)-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?")
_GROUPED = re.compile(r"-?[0-9]{1,3}([ ,'’._][0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_SLUG = r"[a-z0-9]+(?:[.-][a-z0-9]+)*"


def text(cell: str) -> str:
    """Any text that is not blank, of characters that the report's fonts can draw."""
    if not cell.isascii() and (place := next((n for n, c in enumerate(cell, 1) if _undrawable(c)), 0)):
        code = f"U+{ord(cell[place - 1]):04X}"
        return f"character {place}, {code}, cannot be drawn (a flag, or no public character): delete it, or describe it"
    return "" if cell else "is blank: write a text"


def _undrawable(character: str) -> bool:
    """Whether PDF has no glyph of it: halves of flags, private use, unassigned code points and surrogates."""
    return "\U0001f1e6" <= character <= "\U0001f1ff" or unicodedata.category(character) in ("Co", "Cn", "Cs")


def name(cell: str) -> str:
    """Any text that is not blank and has no invisible characters: rows are grouped by it."""
    if hidden := next((c for c in cell if not c.isprintable()), ""):
        return f"has the invisible character {shown(hidden)}: delete it, or write a plain space"
    return text(cell)


def optional(rule: Rule) -> Rule:
    """`rule`, or a blank cell."""
    return lambda cell: rule(cell) if cell else ""


def word(words: Collection[str]) -> Rule:
    """One of a closed vocabulary; of a long one the message has the nearest words alone."""

    def explain(cell: str) -> str:
        if cell in words:
            return ""
        shortlist = ", ".join(words)
        if len(words) > _MANY:
            close = difflib.get_close_matches(cell[:60], words, _SHOWN, 0)
            shortlist = f"nearest of {len(words)}, all of them in data/README.md: {', '.join(close)}"
        return f"is none of the known words ({shortlist}){nearest(cell, words)}"

    return explain


def pattern(regex: str, form: str) -> Rule:
    """Text that `regex` matches as a whole; `form` describes it in words."""
    compiled = re.compile(regex)

    def explain(cell: str) -> str:
        if compiled.fullmatch(cell):
            return ""
        return f"{'is malformed' if cell else 'is blank'}: write {form}"

    return explain


def each(rule: Rule) -> Rule:
    """A list of words between single spaces, each of which keeps `rule`, none of them twice."""

    def explain(cell: str) -> str:
        words = cell.split(" ")
        for one in words:
            if not one and cell:
                return "has more than one space between two words of the list: write one"
            if message := rule(one):
                return f"'{shown(one)}' {message}" if cell else message
        repeated = next((one for one in words if words.count(one) > 1), "") if len(words) < 1000 else ""
        return f"lists '{shown(repeated)}' twice" if repeated else ""

    return explain


ident = pattern(r"[A-Za-z][A-Za-z0-9_-]*", "an id of letters, digits, - and _ (such as F001)")
slug = pattern(_SLUG, "a readable id of a-z, 0-9, - and . (such as mediazona-2024-03-20)")
language = pattern(r"[a-z]{2}", "the two-letter code of the language (such as en, ru, uk)")
hedge = pattern(r"-?[a-z]+([ -]+[a-z]+)*", "the qualifier in lower-case words (such as more than, -fold)")
part = pattern(r"[1-9](\.[1-9])?(\+[1-9](\.[1-9])?)*", "the number of the part, such as 4, or several as 1+3")
qualifier = pattern(r"[a-z]+( [a-z]+)*", "the qualifier in lower-case words (such as more than)")


def truth(cell: str) -> str:
    """`true` or `false`."""
    if cell in ("true", "false"):
        return ""
    if cell.lower() in ("true", "yes", "y", "1"):
        return "is not spelt as here: write true"
    if cell.lower() in ("false", "no", "n", "0"):
        return "is not spelt as here: write false"
    return "is neither true nor false"


def articles(cell: str) -> str:
    """A set of articles, as `vocabulary.parse_articles` reads it."""
    if not cell:
        return "is blank: write article numbers joined by + (337, 332+337+338), or ch33, ch33+34, all, none"
    if not cell.isascii():
        return f"write with plain digits: {shown(unicodedata.normalize('NFKC', cell))}"
    try:
        vocabulary.parse_articles(cell[:100])
    except ValueError as error:
        return str(error)
    return "" if len(cell) <= 100 else "is too long for a set of articles"


def _calendar_fault(year: int, month: int, day: int) -> str:
    if year not in _YEARS:
        return f"the year {year:04} is outside {_YEARS[0]}–{_YEARS[-1]}"
    if not 1 <= month <= 12:
        return f"there is no month {month:02}: months run from 01 to 12"
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        return f"there is no day {day:02} in {year:04}-{month:02}: its days run from 01 to {last}"
    return ""


def date(cell: str) -> str:
    """A date of the calendar, YYYY-MM-DD."""
    if not cell:
        return "is blank: write the date as YYYY-MM-DD"
    if match := _DATE.fullmatch(cell):
        return _calendar_fault(*map(int, match.groups()))
    form = "is not a date of the form YYYY-MM-DD"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]+", cell):
        return f"{form}: write the date alone, {cell[:10]}"
    if re.fullmatch(r"[345][0-9]{4}(\.0)?", cell):
        day_of = datetime.date(1899, 12, 30) + datetime.timedelta(int(float(cell)))
        return f"{form}: a spreadsheet's count of days, {day_of} if it counts from 1900"
    if match := _OTHER_DATE.fullmatch(cell):
        day, month, year, *iso = match.groups()
        parts = [int(part) for part in (iso if year is None else (year, month, day))]
        # 03/04/2024 is April to some and March to others: suggest only what has one reading.
        alike = year is not None and "/" in cell and parts[1] <= 12 and parts[2] <= 12
        if not alike and not _calendar_fault(*parts):
            return f"{form}: write {parts[0]:04}-{parts[1]:02}-{parts[2]:02}"
    return form


def month_or_date(cell: str) -> str:
    """A date, or YYYY-MM where only the month is known."""
    if match := _MONTH.fullmatch(cell):
        return _calendar_fault(int(match[1]), int(match[2]), 1)
    return date(cell).replace("YYYY-MM-DD", "YYYY-MM-DD (or YYYY-MM, or blank where the page shows no date)")


def number(cell: str) -> str:
    """A plain decimal number: digits, and a point before decimals; no separators, exponent or sign of plus."""
    if _NUMBER.fullmatch(cell):
        return ""
    if not cell:
        return "is blank: write the number that the page prints"
    if any(c.isdigit() and not c.isdecimal() for c in cell):
        return "has a superscript or a circled digit: write the number without it"
    # Spreadsheets and pages leave no-break and thin spaces, full-width digits, typographic minus signs.
    plain = unicodedata.normalize("NFKC", cell[:100]).replace("−", "-").strip()
    if _GROUPED.fullmatch(plain) and not re.fullmatch(r"-?[0-9]+\.[0-9]{3}", plain):
        return f"has separators between thousands: write {re.sub(r'[^0-9-]', '', plain)}"
    if _DECIMAL_COMMA.fullmatch(plain):
        return f"has a decimal comma: write {plain.replace(',', '.')}"
    if re.fullmatch(r"[0-9.,]+ ?%", plain):
        return f"write {plain.rstrip(' %').replace(',', '.')} and the unit percent"
    if match := re.fullmatch(r"([^0-9-]{1,30})([0-9]+(\.[0-9]+)?)", plain):
        return f"write {match[2]}: '{shown(match[1].strip())}' belongs in the columns bound and hedge"
    try:
        value = float(plain)
    except ValueError:
        return "is not a number: write digits only, with a point before decimals"
    if not abs(value) < 1e12:
        return "is not a number that a page could print: at most 12 digits before the point"
    return f"is not written plainly: write {value + 0.0:.6f}".rstrip("0").rstrip(".")  # + 0.0: no -0


def address(cell: str) -> str:
    """A web address: http or https, a host, no spaces or invisible characters."""
    if not cell:
        return "is blank: write the address of the page"
    if " " in cell or not cell.isprintable():
        return "has a space or an invisible character in the address: write %20 or mend it"
    try:
        parts = urlsplit(cell)
        host = parts.hostname or ""
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        return f"is not a web address: {shown(str(error))}"
    if parts.scheme not in ("http", "https"):
        return "is not a web address: it starts with https:// or http://"
    if parts.username is not None:
        return "has a name or password before the host: delete all up to the @"
    return "" if re.fullmatch(r"[^.\s]+(\.[^.\s]+)+\.?", host) else "is not a web address: it names no host"
