"""The closed vocabularies of the data, each word with its meaning; nothing outside them passes validation."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

from desertion.arguments import frame_with
from desertion.errors import UserError
from desertion.project import DATA
from desertion.text import nearest, number, shown

#: Articles of the Criminal Code of Russia that the figures count, by number, and the wholes that contain them.
ARTICLES = {
    "332": "refusing an order",
    "333": "resisting a superior",
    "334": "violence against a superior",
    "335": "breach of the rules on relations between servicemen (hazing)",
    "336": "insult to a serviceman",
    "337": "absence without leave",
    "338": "desertion",
    "339": "malingering and other evasion",
    "340": "breach of the rules of combat duty",
    "341": "breach of the rules of border service",
    "342": "breach of the rules of guard duty",
    "343": "breach of the rules of keeping public order",
    "344": "breach of the rules of internal service",
    "345": "abandoning a sinking warship",
    "346": "wilful destruction of military property",
    "347": "careless destruction of military property",
    "348": "loss of military property",
    "349": "breach of the rules on weapons and dangerous objects",
    "350": "breach of the rules of driving",
    "351": "breach of the rules of flight",
    "352": "breach of the rules of navigation",
    "352.1": "voluntary surrender",
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
    "imprisoned_up_to_1y": "persons given a real prison term of up to one year",
    "imprisoned_1_2y": "persons given a real prison term of over one to two years",
    "imprisoned_2_3y": "persons given a real prison term of over two to three years",
    "imprisoned_3_5y": "persons given a real prison term of over three to five years",
    "imprisoned_5_8y": "persons given a real prison term of over five to eight years",
    "imprisoned_8_10y": "persons given a real prison term of over eight to ten years",
    "imprisoned_10_15y": "persons given a real prison term of over ten to fifteen years",
    "imprisoned_15_20y": "persons given a real prison term of over fifteen to twenty years",
    "imprisoned_20_25y": "persons given a real prison term of over twenty to 25 years",
    "imprisoned_over_25y": "persons given a real prison term of over 25 years",
    "persons_acquitted": "persons acquitted",
    "persons_dismissed": "persons whose case was dismissed on grounds that do not clear them",
    "persons_judicial_fine": "persons let off with a judicial fine, which is a dismissal (in law since July 2016)",
    "appeals": "appeals against verdicts",
    "sentences_suspended": "suspended sentences",
    "sentences_suspended_other": "suspended sentences other than of prison, mostly of a disciplinary unit",
    "sentences_disciplinary_unit": "sentences to a disciplinary unit",
    "sentences_settlement_colony": "prison terms in a settlement colony",
    "sentences_penal_colony": "prison terms in a penal colony",
    "sentences_restriction": "sentences to restriction in service",
    "sentences_fine": "fines",
    "sentence_length": "length of the sentence",
    "texts_examined": "texts of verdicts that a newsroom could read",
    "outcomes_known": "verdicts whose outcome a newsroom could learn, from texts or press releases",
    "deserters_estimate": "soldiers said to have left, from lists and estimates",
    "wanted": "soldiers declared wanted",
    "requests_for_help": "requests to a group that helps deserters",
    "persons_helped": "soldiers such a group says it helped",
}

SCOPES = {
    "whole": "the whole of what the articles and the period say",
    "mobilisation_parts": "only the parts of the articles added in September 2022",
    "sample": "a sample the compiler looked at",
    "subset": "a part by place, part of the article, qualification or kind of soldier (details.csv)",
}

KINDS = {
    "count": "a number of cases, verdicts or persons in the period",
    "stock": "a number of persons or cases at a date, or on some day of the period, not counted over it",
    "rate": "a number for each day, week or month, or for each 1,000 of the force (column per), said of the period",
    "share": "percent of the base named in column per",
    "growth": "percent by which a count rose over that of the period in column base (details.csv)",
    "multiple": "how many times the count of the period in column base (details.csv) it is",
    "mean": "an average",
    "maximum": "the largest value seen",
    "projection": "what its maker expects",
    "decree": "a number set by law from a date on",
}

UNITS = {
    "cases": "cases",
    "crimes": "registered crimes; a case may be of several",
    "episodes": "episodes of absence; a person may have several",
    "verdicts": "verdicts",
    "persons": "persons",
    "requests": "requests",
    "texts": "published texts of verdicts",
    "percent": "percent",
    "times": "times the count of another period",
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
    "deserters_estimate": "of the soldiers who left",
    "requests_for_help": "of the requests for help",
    "strength": "of the force",
}

#: What details.csv says of a statement, where it is no count of all of Russia, all parts and all soldiers.
PLACE_KINDS = {
    "district": "a military district",
    "region": "a region of Russia, or several",
    "court": "a garrison court",
    "unit": "an army, corps, division or brigade",
}

QUALIFICATIONS = {
    "main": "persons whose gravest crime is the one of the article",
    "additional": "persons convicted of it beside a graver crime, under which they are counted",
}

SOLDIERS = {
    "mobilised": "mobilised men",
    "contract": "contract soldiers",
    "conscript": "conscripts",
}

#: Scopes whose rows may stand in one national series; a subset never does.
NATIONAL = ("whole", "mobilisation_parts", "sample")

BOUNDS = {
    "exact": "printed as an exact number",
    "about": "printed as a rounded number",
    "at_least": "the number is a lower bound",
    "at_most": "the number is an upper bound",
}

#: The word by which a bound without a printed one is read.
BOUND_WORDS = {"exact": "exactly", "about": "about", "at_least": "at least", "at_most": "at most"}

#: What `desertion check` warns of, as acknowledged.csv names it.
WARNINGS = {
    "differs": "the number is not that of another statement of the same fact",
    "period": "the period is not that of the fact, to a month",
    "neighbours": "the number is over three times that before or after it in its series, or under a third",
    "falls": "a running total is lower than an earlier one",
    "subset": "the number is above one of which it is a part",
    "page": "the page is of other compilers, or of a day long after the total",
    "word": "a word in the name of the fact is almost one of other facts",
    "twin": "the page may be an earlier one under another address",
    "identity": "a relation of identities.csv breaks",
}

STATUSES = {
    "ok": "usable",
    "low": "usable where nothing better is, with its reason",
    "rejected": "kept for the record, never used, with its reason",
}

AUDITS = {
    "confirmed": "seen again by a second reader",
    "disputed": "a second reader typed another value or period (`desertion confirm`): look again",
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
    "scraper": "a copy on a host that copies pages at large or names nobody; chosen last",
    "leak": "leaked documents or lists",
    "belligerent": "a party to the war speaking of the other side",
}

COMPILER_KINDS = {
    "court": "a court, or the administration of courts",
    "prosecutor": "a prosecutor's office",
    "military": "armed forces, a ministry of defence, military intelligence, and who speaks for them",
    "government": "a head of state or another state body, and who speaks for it",
    "newsroom": "a newsroom",
    "group": "a group of volunteers or another organisation outside the state",
    "expert": "an analyst or author",
    "international": "an international organisation",
    "unknown": "the page does not say",
}

EVENT_KINDS = {
    "war": "the war itself",
    "law": "a law or decree",
    "publication": "a change in what is published",
    "courts": "a change at the courts",
}

#: Subjects of the rows of context.csv.
TOPICS = {
    "strength_authorised": "posts of the Russian forces set by decree",
    "strength_actual": "people in the Russian forces, by estimate",
    "troops_deployed": "Russian troops in or against Ukraine",
    "mobilised": "men called up in Russia in autumn 2022",
    "contracts_signed": "recruits of the Russian forces on contract, volunteers and plans",
    "wagner": "personnel of Wagner",
    "deaths_confirmed": "Russian deaths admitted or known by name",
    "deaths_estimated": "Russian deaths by statistical estimate",
    "losses_claimed": "Russian killed and wounded as claimed by Ukraine",
    "deserters_estimate": "Russian soldiers said to have left, from lists and estimates",
    "russia_courts": "Russian court counts held as a cross-check of figures.csv",
    "russia_before_2022": "absence and desertion in the Russian forces before the invasion",
    "ukraine_art_407": "AWOL cases in Ukraine (Art. 407 of its code)",
    "ukraine_art_408": "desertion cases in Ukraine (Art. 408 of its code)",
    "ukraine_art_407_408": "AWOL and desertion cases in Ukraine together",
    "ukraine_convictions": "verdicts and convictions for AWOL and desertion in Ukraine",
    "ukraine_absentees": "Ukrainian soldiers absent, by headcount",
    "ukraine_strength": "strength of the Ukrainian forces",
    "us_army_desertion": "deserters of the US Army, and its strength",
    "us_rates": "deserters of the US Army for each 1,000 soldiers",
    "us_other_services": "deserters of the US Navy, Marine Corps and services together",
    "uk_awol": "absence without leave in the British services",
    "uk_convictions": "convictions of desertion in the British services",
    "history": "other armies and wars before 1992",
}

#: Ways to read a bound (data/hedges.csv).
BOUND_READINGS = {
    "rounding": "a rounded number stands for what rounds to it, a bound for the rest of its last printed unit",
    "one-sided": "a bound is open to one side",
}

RULES = {
    "own-page-first": "official form within its period, the counter's own page, other pages; then the later page",
    "latest-first": "the page published last, whoever printed it",
    "most-sources": "the reading that most independent sources print, then as own-page-first",
}

#: Relations between the numbers of an identity (data/identities.csv): the left ids, the relation, the right ids.
RELATIONS = {
    "sum": "the left numbers add up to the right one: parts of one period, or periods that follow each other",
    "equal": "the left number is the right one, of the same period",
    "at_most": "the left numbers together do not exceed the right ones together, in whose period they lie",
    "rises": "each left number is at least the one before it: totals that run on from one date (right is blank)",
    "growth": "the left percentage is the growth of the first right number over the second",
    "share": "the left percentage is the first right number's share of the second",
    "revises": "the left number is a later page's total of what the right one counts: no contradiction",
    "rivals": "each left number, and the right ones added up, are taken for one another: a conflict, not a check",
    "headline": "the left number over the right one is the growth factor that the report leads with",
}

CLAIM_KINDS = {
    "ratio": "the numerator's sum over the denominator's",
    "share": "the numerator's sum as percent of the denominator's",
    "sum": "the numerator's sum (of one number: that number, as another page prints it)",
    "difference": "the numerator's sum less the denominator's",
    "rate": "the numerator over its time; of a running total since the denominator; over the denominator's own rate",
    "mean": "the mean of the numerator's numbers",
    "rank": "the place of the numerator among itself and the denominator's numbers",
    "qualitative": "nothing that the figures can recompute",
}

CLAIM_UNITS = {
    "times": "the denominator taken so many times",
    "percent": "percent of the denominator",
    "percent more": "percent above the denominator",
    "per day": "for each calendar day",
    "per working day": "for each weekday, holidays not taken out",
    "per week": "for each seven days",
    "per month": "for each twelfth of a year",
    "highest": "place counted from the highest number",
    "lowest": "place counted from the lowest number",
    "months": "months of a sentence",
    "cases": "cases",
    "verdicts": "verdicts",
    "persons": "persons",
}

VERDICTS = {
    "holds": "the recomputed value lies in what the words allow",
    "holds by rounding": "not by the numbers as printed, but by others that round to them",
    "overstated": "the words say more than the numbers give",
    "understated": "the words say less than the numbers give",
    "source contradicts itself": "the page's own parts do not give the page's own total",
    "not checkable": "no number published by the edition's date gives the value",
}

_WHOLES = {"ch33", "ch33+34", "all", "none"}


def parse_articles(text: str) -> tuple[str, ...]:
    """The set of articles in `text` (`332+337+338`, `ch33+34`), in ascending order.

    Raises ValueError with the fault: an unknown word, a repeated or unordered number.
    """
    if text in _WHOLES:
        return (text,)
    parts = tuple(text.split("+"))
    for part in parts:
        if part not in ARTICLES or part in _WHOLES:
            whole = part.split(".")[0]
            aside = f": the part of Art. {whole} stands in details.csv" if whole in ARTICLES and whole != part else ""
            raise ValueError(f"{part!r} is not an article of chapter 33 nor one of {', '.join(sorted(_WHOLES))}{aside}")
    if list(parts) != sorted(set(parts), key=float):
        ordered = "+".join(sorted(set(parts), key=float))
        raise ValueError(f"articles stand once each and in ascending order: {ordered}")
    return parts


def label(rows: pd.DataFrame, *columns: str) -> pd.Series[Any]:
    """Name the rows of a table by their cells in `columns`: `Persons convicted, Art. 337, Proekt`.

    Parameters
    ----------
    rows : DataFrame
        A table with these columns, such as that of `reconcile.facts`.
    *columns : str
        The columns, in the order in which they are read. `articles` and `measure` are replaced by their meaning.

    Returns
    -------
    Series
        One label per row: the words of the columns, joined by commas, with a capital first.
    """
    frame_with("rows", rows, columns, "reconcile.facts(data)")
    words = {"articles": articles_label, "measure": lambda measure: MEASURES.get(measure, measure)}
    first, *rest = (rows[column].map(words.get(column, str)).astype(str) for column in columns)
    for more in rest:
        first = first + ", " + more
    return first.str[:1].str.upper() + first.str[1:]


def articles_label(articles: str) -> str:
    """Articles for a title: `337+338+339` as `Art. 337, 338 and 339`, a whole as `chapter 33` or `all offences`."""
    wholes = {"ch33": "chapter 33", "ch33+34": "chapters 33 and 34", "all": "all offences", "none": "no article"}
    if articles in wholes:
        return wholes[articles]
    *first, last = articles.split("+")
    return "Art. " + (f"{', '.join(first)} and {last}" if first else last)


def bounded(value: float, bound: str) -> str:
    """A number with the words for how it is meant: `at least 3,000`; an exact one alone."""
    return ("" if bound == "exact" else f"{BOUND_WORDS[bound]} ") + number(value)


def compilers() -> dict[str, str]:
    """Who counted: every name in data/compilers.csv with who that is. Raises UserError where that cannot be read."""
    return _named("compilers.csv", "who")


def compiler(name: str) -> str:
    """`name`, where data/compilers.csv has it. Raises ValueError, with the nearest name, where it does not."""
    if name not in (known := compilers()):
        raise ValueError(f"no such compiler{nearest(name, known)}")
    return name


def places() -> dict[str, str]:
    """Every place in data/places.csv with its kind, one of `PLACE_KINDS`. Raises UserError as `compilers` does."""
    return _named("places.csv", "kind")


def place(name: str) -> str:
    """`name`, where data/places.csv has it. Raises ValueError, with the nearest name, where it does not."""
    if name not in (known := places()):
        raise ValueError(f"{shown(repr(name))} is no place of data/places.csv{nearest(name, known)}")
    return name


def _named(file: str, column: str) -> dict[str, str]:
    try:
        with (DATA / file).open(encoding="utf-8", newline="") as rows:
            return {row["name"]: row[column] for row in csv.DictReader(rows)}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise UserError(f"data/{file} cannot be read ({error}): `desertion check` says more") from None
