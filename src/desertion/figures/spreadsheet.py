"""What a spreadsheet leaves in a CSV file and what has one reading: encodings, separators, TRUE, local dates."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time
from typing import NamedTuple

_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_LOCAL = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
)  # fmt: skip
_ISO = re.compile("[0-9]{4}(-[0-9]{2}){0,2}")
#: What spreadsheets write for true and false, in English, German, French, Spanish, Polish, Russian and Ukrainian.
_TRUTHS = {
    **dict.fromkeys(("true", "wahr", "vrai", "verdadero", "prawda", "истина", "істина"), "true"),
    **dict.fromkeys(("false", "falsch", "faux", "falso", "fałsz", "ложь", "хибність"), "false"),
}


def utf16(raw: bytes) -> tuple[str, str] | None:
    """(text, encoding) of UTF-16 without its mark, which is known by the zero bytes of the header, else None."""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(raw) > 8 and not any(raw[first:40:2]) and all(raw[1 - first : 40 : 2]):
            try:
                return raw.decode(encoding), encoding.upper()
            except UnicodeDecodeError:
                return None
    return None


def windows(raw: bytes) -> tuple[str, str] | None:
    """(text, encoding) of bytes that are Windows-1251 or Windows-1252, where one of them reads right, else None.

    The first has words of Cyrillic letters alone, the second single accented letters within words of Latin ones.
    """
    read = {}
    for encoding, alphabet in (("cp1251", "[Ѐ-ӿ]"), ("cp1252", "[À-ÿŠšŽžŒœŸ]")):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
        whole = [word for word in words if re.fullmatch(f"{alphabet}+", word)]
        long = any(len(word) > 2 for word in whole)
        fits = len(whole) == len(words) and long if encoding == "cp1251" else len(whole) < len(words) and not long
        if fits or not words:
            read[f"Windows-{encoding[2:]}"] = text
    return next(((text, name) for name, text in read.items()), None) if len({*read.values()}) == 1 else None


def separator(text: str, columns: Collection[str]) -> str:
    """What parts the cells: a semicolon or a tab where the header then has all of `columns`, else a comma."""
    first = text.lstrip("\n").partition("\n")[0]
    for mark in _SEPARATORS:
        if (
            mark in first
            and columns
            and {*columns} <= {cell.strip() for cell in next(csv.reader([first], delimiter=mark))}
        ):
            return mark
    return ","


def declared(text: str) -> tuple[str, str]:
    """The text with a blank first line where that declares the separator, as spreadsheets write it, and this line."""
    first, _, rest = text.partition("\n")
    return (f"\n{rest}", first) if re.fullmatch('"?sep=[,;\t]"?', first) else (text, "")


def separated(mark: str) -> str:
    """The name of a separator."""
    return _SEPARATORS[mark]


class Mend(NamedTuple):
    """A column that a spreadsheet rewrote: in how many cells, how to say so, and the function that mends a cell."""

    column: str
    cells: int
    first: int
    what: str
    mend: Callable[[str], str]


def mends(types: Mapping[str, str], header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> list[Mend]:
    """The columns of type boolean and date whose cells have one reading; `types`: the type of each column."""
    odd: dict[str, list[tuple[int, str]]] = {}
    for place, column in enumerate(header):
        if (kind := types.get(column)) in ("boolean", "date", "month"):
            fits = (lambda cell: _truth(cell) == cell) if kind == "boolean" else _ISO.fullmatch
            filled = ((line, row[place].strip()) for line, row in rows if len(row) == len(header))
            odd[column] = [(line, cell) for line, cell in filled if cell and not fits(cell)]
    forms = {column: {form for form in _LOCAL if all(_day(cell, form) for _, cell in cells)}
             for column, cells in odd.items() if cells and types[column] != "boolean"}  # fmt: skip
    made = []
    for column, cells in odd.items():
        if column in forms:
            # 01/02/2020 is in January where another column of the file has 02/29/2020
            one = forms[column] if len(forms[column]) == 1 else set.intersection(*forms.values())
            if len(one) == 1:
                what = f"{'dates' if len(cells) > 1 else 'a date'} as {cells[0][1]}, not YYYY-MM-DD"
                made.append(Mend(column, len(cells), cells[0][0], what, _dated(*one)))
        elif cells and types[column] == "boolean":
            seen = sorted({cell for _, cell in cells}, reverse=True)[:2]
            made.append(Mend(column, len(cells), cells[0][0], f"{' or '.join(seen)}, not true or false", _truth))
    return made


def _truth(cell: str) -> str:
    return _TRUTHS.get(cell.strip().lower(), cell)


def _dated(form: str) -> Callable[[str], str]:
    return lambda cell: _day(cell.strip(), form) or cell


def _day(cell: str, form: str) -> str:
    """The date as YYYY-MM-DD, empty where it is not of the form, and where it has a time of day."""
    try:
        day = datetime.strptime(cell.removesuffix("Z"), form)
    except ValueError:
        return ""
    return "" if day.time() != time.min else f"{day:%Y-%m-%d}" if day.year > 999 else ""
