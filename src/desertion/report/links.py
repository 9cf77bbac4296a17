"""What a reader may ask of a number: who printed it, or how it was computed, or whose assumption it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import permutations

from desertion.entries import Entry
from desertion.report.blocks import FilledNumber
from desertion.text import number

#: Letters of a number at most, such as those of a month beside its year.
_LETTERS = 12
#: A year, month, day or period, which nobody computes.
_DAY = re.compile(
    r"(?:[A-Z][a-z]{2,8} |[A-Z][a-z]{2}(?: ?– ?)|\d{1,2} )*(?:19|20)\d\d(?:-\d\d){0,2}(?: ?– ?[\w ]*(?:19|20)\d\d)?"
)
_PLAIN = re.compile(r"[≈≥≤]?\s?(\d[\d,]*(?:\.\d+)?)(?: ?%)?")


class Links:
    """Links from numbers to the statements of an edition; each number has one place on the page."""

    def __init__(self, statements: Iterable[Entry]) -> None:
        self._rows = {str(row["id"]): row for row in statements}
        self._places: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def attributes(self, one: FilledNumber) -> dict[str, str]:
        """Attributes of the link of a number: printed, `computed` or `assumed`; none for other words."""
        if not re.search(r"\d", one.words) or sum(map(str.isalpha, one.words)) > _LETTERS or _DAY.fullmatch(one.words):
            return {}
        ids = [each for each in one.ids if each in self._rows]
        printed = [] if one.recipe or one.assumed else self._printing(one.words, ids, one.own)
        if one.assumed:
            link = {"class": "n assumed", "href": "#version", "data-how": one.assumed}
        elif printed:
            link = {"class": "n", "href": f"#{printed[0]}", "data-ids": " ".join(printed)}
        else:
            link = {"class": "n computed", "href": "#methods", "data-ids": " ".join(ids)}
            link["data-how"] = one.recipe or self._recipe(one.words, ids)
        place = self._place(one.name) if one.name else ""
        return {name: value for name, value in (link | {"id": place, "data-was": "\n".join(one.was)}).items() if value}

    def _place(self, name: str) -> str:
        slug = "number-" + "-".join(re.findall(r"\w+", name))
        self._places[slug] = self._places.get(slug, 0) + 1
        return slug if self._places[slug] == 1 else f"{slug}-{self._places[slug]}"

    def _printing(self, words: str, ids: Sequence[str], own: bool) -> list[str]:
        """Those of `ids` that print the number.

        One of fewer than three digits may be so by chance: none where it has ids of its `own` of other counts, too.
        """
        same = [each for each in ids if self._prints(self._rows[each], words)]
        if not own or not same or len(re.sub(r"\D", "", words)) > 2:
            return same
        others = {other for each in same for other in self._of_one_count(self._rows[each])}
        return same if set(ids) <= {*same, *others} else []

    @staticmethod
    def _of_one_count(row: Entry) -> Iterable[str]:
        yield from row.get("same", ())
        for conflict in row.get("rivals", ()):
            for other in conflict["others"]:
                yield from other["ids"]

    @staticmethod
    def _prints(row: Entry, words: str) -> bool:
        before = str(row["printed"]).removesuffix(words)
        if before != row["printed"] and (not before or before.endswith(" ")):
            return True
        value = _PLAIN.fullmatch(re.sub(r" \(.*\)$", "", words))
        return bool(value) and row.get("value") == float(value[1].replace(",", ""))  # type: ignore[index]

    def _recipe(self, words: str, ids: Sequence[str]) -> str:
        """The quotient, sum or difference of the only two values behind a number, where it is one; else blank."""
        values = sorted({float(self._rows[each]["value"]) for each in ids if "value" in self._rows[each]})
        match = _PLAIN.fullmatch(words)
        if match is None or len(values) != 2 or len(re.sub(r"\D", "", words).strip("0")) < 2:
            return ""
        places = len(match[1].partition(".")[2])
        for first, second in permutations(values):
            ways = (("−", first - second), ("+", first + second), ("÷", first / second if second else 0.0))
            for sign, value in ways:
                if f"{value:,.{places}f}" == match[1]:
                    return f"{number(first)} {sign} {number(second)}"
        return ""
