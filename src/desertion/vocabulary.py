"""The closed vocabularies of the data, each word with its meaning; nothing outside them passes validation."""

from __future__ import annotations

import re

#: Articles of the Criminal Code of Russia that the figures count, by number, and the wholes that contain them.
ARTICLES = {
    "332": "refusing an order",
    "333": "resisting a superior",
    "334": "violence against a superior",
    "337": "absence without leave",
    "338": "desertion",
    "339": "malingering and other evasion",
    "ch33": "all crimes against military service (chapter 33)",
    "ch33+34": "chapters 33 and 34 together",
    "all": "all offences tried by garrison courts",
    "none": "not defined by an article",
}

MEASURES = {
    "cases_opened": "criminal cases opened, or crimes registered",
    "crimes_cleared": "registered crimes recognised as committed",
    "persons_charged": "persons charged, tried or prosecuted",
    "cases_received_by_court": "criminal cases received by a court",
    "verdicts": "verdicts (cases decided)",
    "persons_convicted": "persons convicted",
    "persons_imprisoned": "persons given a real prison term",
    "sentences_suspended": "suspended sentences",
    "sentences_restriction": "sentences to restriction in service",
    "sentences_fine": "fines",
    "sentence_length": "length of the sentence",
    "texts_examined": "texts of verdicts that a newsroom could read",
    "deserters_estimate": "soldiers said to have left, from lists and estimates",
    "wanted": "soldiers declared wanted",
    "requests_for_help": "requests to a group that helps deserters",
    "persons_helped": "soldiers such a group says it helped",
}

SCOPES = {
    "whole": "the whole of what the articles and the period say",
    "mobilisation_parts": "only the parts of the articles added in September 2022",
    "sample": "a sample the compiler looked at",
    "subset": "a part by place, unit or kind of soldier",
}

KINDS = {
    "count": "a number of cases, verdicts or persons in the period",
    "rate": "a number for each day, week or month (column per), said of the period",
    "share": "percent of the base named in column per",
    "growth": "percent by which a count rose over the period before",
    "mean": "an average",
    "maximum": "the largest value seen",
    "projection": "what its maker expects",
    "decree": "a number set by law from a date on",
}

UNITS = {
    "cases": "cases",
    "verdicts": "verdicts",
    "persons": "persons",
    "requests": "requests",
    "texts": "published texts of verdicts",
    "percent": "percent",
    "months": "months",
    "per_1000": "for each 1,000",
}

PERS = {
    "day": "for each calendar day",
    "working_day": "for each working day",
    "week": "for each week",
    "month": "for each month",
    "year": "for each year",
    "cases_received_by_court": "of the cases received",
    "verdicts": "of the verdicts",
    "persons_convicted": "of the persons convicted",
    "persons_charged": "of the persons charged",
    "texts_examined": "of the texts examined",
    "strength": "of the force",
}

BOUNDS = {
    "exact": "printed as an exact number",
    "about": "printed as a rounded number",
    "at_least": "the number is a lower bound",
    "at_most": "the number is an upper bound",
}

#: The printed qualifier in plain English, kept apart from `bound`.
HEDGES = (
    "about", "almost", "approximately", "around", "as many as", "at least", "at most", "exactly", "fewer than",
    "just under", "less than", "more than", "nearly", "no fewer than", "over", "roughly", "some", "up to",
)

STATUSES = {
    "ok": "usable",
    "low": "usable where nothing better is, with its reason",
    "rejected": "kept for the record, never used, with its reason",
}

AUDITS = {
    "confirmed": "seen again by a second reader",
    "mended": "our transcription was corrected on second reading",
    "see corrections": "the page itself is held to be wrong, see corrections.csv",
    "not retrievable": "the stored page could not be read a second time",
    "unchecked": "read once",
}

SOURCE_KINDS = {
    "official_form": "a table or reply of a state body",
    "newsroom": "the newsroom or group that counted, on its own page",
    "relay": "a page that reports another's count",
    "mirror": "a copy of a page on another host",
    "leak": "leaked documents or lists",
    "belligerent": "a party to the war speaking of the other side",
}

EVENT_KINDS = {
    "war": "the war itself",
    "law": "a law or decree",
    "publication": "a change in what is published",
    "courts": "a change at the courts",
}

#: Where the terms come from that a bound is read by (data/hedges.csv).
BOUND_READINGS = {
    "rounding": "a rounded number stands for what rounds to it, a bound for the rest of its last printed unit",
    "one-sided": "a bound is open to one side",
}

RULES = {
    "own-page-first": "official form within its period, the compiler's own page, other pages; then the later page",
    "latest-first": "the page published last, whoever printed it",
    "most-sources": "the reading that most independent sources print, then as own-page-first",
}

_WHOLES = {"ch33", "ch33+34", "all", "none"}
_NUMBER = re.compile(r"3[3-5]\d(\.\d)?")


def parse_articles(text: str) -> tuple[str, ...]:
    """The set of articles in `text` (`332+337+338`, `ch33+34`), in ascending order.

    Raises ValueError with what is wrong: an unknown word, a repeated or unordered number.
    """
    if text in _WHOLES:
        return (text,)
    parts = tuple(text.split("+"))
    for part in parts:
        if not _NUMBER.fullmatch(part):
            raise ValueError(f"{part!r} is not an article of chapter 33 nor one of {', '.join(sorted(_WHOLES))}")
    if list(parts) != sorted(set(parts), key=float):
        raise ValueError(f"articles stand once each and in ascending order: {'+'.join(sorted(set(parts), key=float))}")
    return parts
