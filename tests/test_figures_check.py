# ruff: noqa: E501 (tables of cases)
"""Every kind of bad input gives a fault with file, line, column, value and what would be right; nothing raises."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desertion import figures, reconcile, vocabulary
from desertion.errors import UserError
from desertion.figures.fault import Fault
from desertion.figures.rows import FORMS, MEASURE_UNITS, SIDES
from desertion.figures.schema import BY_FILE
from desertion.project import DATA, ROOT
from desertion.text import nearest

FILES = sorted(path.name for path in (Path(__file__).parent / "tiny_data").glob("*.csv"))


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def write(path: Path, rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))


def put(folder: Path, file: str, key: str, column: str, value: str) -> None:
    """Put `value` into `column` of the first row that starts with `key`."""
    rows = table(folder / file)
    row = next(row for row in rows[1:] if row[0] == key)
    row[rows[0].index(column)] = value
    write(folder / file, rows)


def printed(folder: Path) -> list[str]:
    """The faults as printed, without the folder."""
    return [str(fault).removeprefix(f"{folder}/") for fault in figures.check(folder)]


def test_the_tiny_data_are_valid(tiny_data: Path) -> None:
    assert printed(tiny_data) == []


def test_the_data_of_the_project_have_no_faults() -> None:
    assert [str(fault) for fault in figures.check(DATA)] == []


# (file, key, column, value put there, line, what the message must say)
CELLS = [
    ("figures.csv", "F1", "id", "", 2, "id '': is blank: write an id"),
    ("figures.csv", "F1", "id", "F 1", 2, "id 'F 1': is malformed: write an id"),
    ("figures.csv", "F1", "id", "F1\u202e", 2, r"id 'F1\u202e': is malformed"),
    ("figures.csv", "F2", "id", "F1", 3, "id 'F1': this id already stands on line 2"),
    ("figures.csv", "F1", "fact", "", 2, "fact '': is blank: write compiler/articles/measure/period"),
    ("figures.csv", "F1", "fact", "Mediazona/337/received/2023", 2, "fact 'Mediazona/337/received/2023': is malformed"),
    ("figures.csv", "F1", "note", "see \U0001f1f7\U0001f1fa", 2, "character 5, U+1F1F7, cannot be drawn"),
    ("figures.csv", "F1", "note", "\ue000", 2, "character 1, U+E000, cannot be drawn"),
    ("figures.csv", "F1", "fact", "judicial-department/337/convictd/2021", 2, "counts 'convictd', no known word; did you mean 'convicted'?"),
    ("figures.csv", "F1", "measure", "persons_acquitted", 2, "does not fit the fact's 'convicted', which is persons_convicted or verdicts"),
    ("figures.csv", "F1", "cumulative", "true", 2, "does not run on: write false"),
    ("figures.csv", "F1", "hedge", "nearly", 2, "bound 'exact': stands beside the hedge 'nearly'"),
    ("figures.csv", "F8", "kind", "rate", 10, "does not fit the fact's 'suspended-share', a share"),
    ("figures.csv", "F1", "fact", "mediazona/337", 2, "is malformed: write compiler/articles/measure/period"),
    ("figures.csv", "F1", "articles", "338+337", 2, "articles '338+337': articles stand once each and in ascending"),
    ("figures.csv", "F1", "articles", "all_refusal", 2, "'all_refusal' is not an article of chapter 33"),
    ("figures.csv", "F1", "articles", "33７", 2, "write with plain digits: 337"),
    ("figures.csv", "F1", "articles", "", 2, "articles '': is blank"),
    ("figures.csv", "F1", "measure", "person_convicted", 2, "did you mean 'persons_convicted'?"),
    ("figures.csv", "F1", "measure", "persons\u200b_convicted", 2, r"measure 'persons\u200b_convicted': is none of"),
    ("figures.csv", "F1", "scope", "hole", 2, "did you mean 'whole'?"),
    ("figures.csv", "F1", "kind", "counts", 2, "did you mean 'count'?"),
    ("figures.csv", "F1", "unit", "person", 2, "did you mean 'persons'?"),
    ("figures.csv", "F1", "unit", "percent", 2, "unit 'percent': does not fit the kind count"),
    ("figures.csv", "F1", "unit", "cases", 2, "unit 'cases': does not fit the measure persons_convicted"),
    ("figures.csv", "F1", "per", "month", 2, "per 'month': does not fit the kind count: its per is blank"),
    ("figures.csv", "F8", "per", "", 10, "per '': does not fit the kind share: its per is cases_received_by_court or"),
    ("figures.csv", "F8", "unit", "cases", 10, "unit 'cases': does not fit the kind share: its unit is percent"),
    ("figures.csv", "F10", "per", "", 12, "per '': does not fit the kind rate: its per is day or"),
    ("figures.csv", "F1", "period_start", "2024-24-20", 2, "there is no month 24: months run from 01 to 12"),
    ("figures.csv", "F1", "period_start", "2021-02-29", 2, "there is no day 29 in 2021-02"),
    ("figures.csv", "F1", "period_start", "0221-01-01", 2, "the year 0221 is outside 1900–2100"),
    ("figures.csv", "F1", "period_start", "20.01.2021", 2, "1 cell is a date as 20.01.2021, not YYYY-MM-DD; `desertion fmt` mends it"),
    ("figures.csv", "F1", "period_start", "2021/1/5", 2, "1 cell is a date as 2021/1/5, not YYYY-MM-DD; `desertion fmt` mends it"),
    ("figures.csv", "F1", "period_start", "03/04/2021", 2, "is not a date of the form YYYY-MM-DD"),
    ("figures.csv", "F1", "period_start", "2021-01-01T00:00:00", 2, "1 cell is a date as 2021-01-01T00:00:00, not YYYY-MM-DD; `desertion fmt` mends it"),
    ("figures.csv", "F1", "period_start", "2021-01", 2, "is not a date of the form YYYY-MM-DD"),
    ("figures.csv", "F1", "period_start", "", 2, "is blank: write the date as YYYY-MM-DD"),
    ("figures.csv", "F1", "period_start", "２０21-01-01", 2, "is not a date of the form"),
    ("figures.csv", "F1", "period_end", "2020-12-31", 2, "period_end '2020-12-31': is before the period's start 2021-01-01"),
    ("figures.csv", "F2", "period_end", "2023-04-12", 3, "is after the source was published (2023-04-11)"),
    ("figures.csv", "F3", "period_end", "2024-02-01", 4, "is after the source was published (2024-01)"),
    ("context.csv", "ctx2", "kind", "count", 3, ""),
    ("context.csv", "ctx1", "kind", "count", 2, "is after the source was published (2022-08-25)"),
    ("figures.csv", "F1", "cumulative", "FALSE", 2, "1 cell is FALSE, not true or false; `desertion fmt` mends it"),
    ("figures.csv", "F1", "cumulative", "maybe", 2, "is neither true nor false"),
    ("figures.csv", "F1", "value", "", 2, "value '': is blank: write the number"),
    ("figures.csv", "F1", "value", "-5", 2, "value '-5': is too low for the kind count: no number of this kind is negative"),
    ("figures.csv", "F1", "value", "many", 2, "is not a number: write digits only"),
    ("figures.csv", "F1", "value", "4,373", 2, "value '4,373': has separators between thousands: write 4373"),
    ("figures.csv", "F1", "value", "4 373", 2, "has separators between thousands: write 4373"),
    ("figures.csv", "F1", "value", "4\xa0373", 2, r"value '4\xa0373': has separators between thousands: write 4373"),
    ("figures.csv", "F1", "value", "4\u202f373", 2, "has separators between thousands: write 4373"),
    ("figures.csv", "F1", "value", "1.234.567", 2, "has separators between thousands: write 1234567"),
    ("figures.csv", "F1", "value", "4.373e3", 2, "is not written plainly: write 4373"),
    ("figures.csv", "F1", "value", "１２", 2, "value '１２': is not written plainly: write 12"),
    ("figures.csv", "F1", "value", "+12", 2, "write 12"),
    ("figures.csv", "F1", "value", "012", 2, "write 12"),
    ("figures.csv", "F1", "value", "12²", 2, "has a superscript"),
    ("figures.csv", "F1", "value", "nan", 2, "is not a number"),
    ("figures.csv", "F1", "value", "inf", 2, "is not a number"),
    ("figures.csv", "F1", "value", "9" * 400, 2, "is not a number that a page could print"),
    ("figures.csv", "F1", "value", ">700", 2, "write 700: '>' belongs in the columns bound and hedge"),
    ("figures.csv", "F1", "value", "4.5", 2, "is a fraction of one of the persons: a count is a whole number"),
    ("figures.csv", "F1", "value", "4.373", 2, "or 4373 if the point parts thousands"),
    ("figures.csv", "F8", "value", "133.3", 10, "is too high for the kind share: at most 100 percent"),
    ("figures.csv", "F8", "value", "33,3", 10, "has a decimal comma: write 33.3"),
    ("figures.csv", "F8", "value", "33 %", 10, "write 33 and the unit percent"),
    ("figures.csv", "F1", "bound", "exactly", 2, "did you mean 'exact'?"),
    ("figures.csv", "F5", "hedge", "abuot", 7, "did you mean 'about'?"),
    ("figures.csv", "F1", "source_id", "mediazona-2023-04-12", 2, "is not in sources.csv; did you mean 'mediazona-2023-04-11'?"),
    ("figures.csv", "F1", "source_id", "", 2, "source_id '': is blank"),
    ("figures.csv", "F1", "compiler", "", 2, "compiler '': is blank"),
    ("figures.csv", "F1", "compiler", "Media\u200bzona", 2, r"has the invisible character \u200b"),
    ("figures.csv", "F1", "audit", "checked", 2, "did you mean 'unchecked'?"),
    ("figures.csv", "F1", "status", "OK", 2, "did you mean 'ok'?"),
    ("figures.csv", "F1", "status", "low", 2, "status_reason '': is blank, but the status is low: say why"),
    ("figures.csv", "F9", "status_reason", "", 11, "is blank, but the status is rejected"),
    ("figures.csv", "F1", "status_reason", "odd", 2, "stands beside the status ok"),
    ("figures.csv", "F1", "note", "at the end ", 2, "note 'at the end ': has spaces around it; `desertion fmt` mends it"),
    ("context.csv", "ctx1", "id", "F1", 2, "this id already stands in figures.csv, line 2"),
    ("context.csv", "ctx1", "series", "", 2, "series '': is blank"),
    ("context.csv", "ctx3", "per", "", 4, "per '': does not fit the kind rate"),
    ("sources.csv", "official-2022-04-15", "id", "Official", 7, "id 'Official': is malformed"),
    ("sources.csv", "official-2022-04-15", "url", "cdep.example/10a", 7, "it starts with https:// or http://"),
    ("sources.csv", "official-2022-04-15", "url", "https:///10a", 7, "it names no host"),
    ("sources.csv", "official-2022-04-15", "url", "https://cdep.example/1 0a", 7, "has a space or an invisible character"),
    ("sources.csv", "official-2022-04-15", "url", "https://[x/10a", 7, "is not a web address"),
    ("sources.csv", "official-2022-04-15", "url", "javascript:alert(1)", 7, "it starts with https:// or http://"),
    ("sources.csv", "official-2022-04-15", "url", "http://www.army.example/table/", 7, "this address already stands on line 2"),
    ("sources.csv", "official-2022-04-15", "archived", "archive.example/1", 7, "it starts with https:// or http://"),
    ("sources.csv", "official-2022-04-15", "retrieved", "2022-04-14", 7, "is before the page was published, 2022-04-15"),
    ("sources.csv", "official-2022-04-15", "published", "2022-13", 7, "there is no month 13"),
    ("sources.csv", "official-2022-04-15", "published", "2022", 7, "YYYY-MM-DD (or YYYY-MM, or blank"),
    ("sources.csv", "official-2022-04-15", "language", "English", 7, "write the two-letter code of the language"),
    ("sources.csv", "official-2022-04-15", "kind", "news", 7, "kind 'news': is none of the known words"),
    ("sources.csv", "official-2022-04-15", "copy_of", "times", 7, "copy_of 'times': is not in sources.csv"),
    ("sources.csv", "official-2022-04-15", "copy_of", "official-2022-04-15", 7, "the copies run in a circle"),
    ("sources.csv", "times-2024-03-20", "copy_of", "relay-undated", 9, "in a circle: relay-undated → times-2024-03-20 → relay"),
    ("corrections.csv", "F4", "figure_id", "F44", 2, "figure_id 'F44': is not in figures.csv or context.csv"),
    ("corrections.csv", "F4", "field", "periodstart", 2, "did you mean 'period_start'?"),
    ("corrections.csv", "F4", "field", "source_id", 2, "is not a field of figures.csv that can be corrected"),
    ("corrections.csv", "F4", "printed", "2022-02-25", 2, "the correction of F4 period_start is stale: figures.csv:5 holds '2022-02-24'"),
    ("figures.csv", "F4", "period_start", "2023-01-01", 2, "holds '2023-01-01', which is the corrected value: delete"),
    ("corrections.csv", "F4", "corrected", "2022-02-24", 2, "there is nothing to correct"),
    ("corrections.csv", "F4", "corrected", "2023-13-01", 2, "makes figures.csv:5 wrong: period_start '2023-13-01' there is no month 13"),
    ("corrections.csv", "F4", "corrected", "2024-01-01", 2, "makes figures.csv:5 wrong: period_end '2023-12-31' is before the period"),
    ("corrections.csv", "F4", "reason", "", 2, "reason '': is blank"),
    ("corrections.csv", "F4", "known_from", "2024-24-20", 2, "there is no month 24"),
    ("events.csv", "mobilisation", "date", "2022-09-31", 3, "there is no day 31 in 2022-09"),
    ("events.csv", "mobilisation", "kind", "laws", 3, "did you mean 'law'?"),
    ("events.csv", "mobilisation", "source_id", "nobody", 3, "source_id 'nobody': is not in sources.csv"),
    ("events.csv", "mobilisation", "title", "", 3, "title '': is blank"),
    ("figures.csv", "F1", "fact", "judicial-department/3370/convicted/2021", 2, "articles '3370': '3370' is not an article"),
    ("figures.csv", "F1", "fact", "judicial-department/337/convicted/2021-13", 2, "period '2021-13' cannot be read: write 2023, 2023-h1"),
    ("figures.csv", "F1", "fact", "judicial-department/337/convicted/2022", 2, "no statement of it, corrected, has the articles 337 and the period 2022-01-01 to 2022-12-31"),
    ("figures.csv", "F1", "period_start", "2020-01-01", 2, "fact 'judicial-department/337/convicted/2021': no statement of it"),
    ("figures.csv", "F5", "compiler", "Project", 7, "the compiler of the fact 'proekt/337/convicted/2023' is 'Proekt' on line 5"),
    ("figures.csv", "F1", "compiler", "Judicial department", 2, "compiler 'Judicial department': is not in compilers.csv; did you mean 'Judicial Department'?"),
    ("figures.csv", "F6", "compiler", "Рroekt", 8, "did you mean 'Proekt'? ('Р' is CYRILLIC CAPITAL LETTER ER, U+0420)"),
    ("figures.csv", "F6", "compiler", "Proekt\u0301", 8, "did you mean 'Proekt'? ('\u0301' is COMBINING ACUTE ACCENT, U+0301)"),
    ("figures.csv", "F6", "compiler", "Zeitung", 8, "compiler 'Zeitung': is not in compilers.csv: mend it, or add a row there"),
    ("figures.csv", "F6", "compiler", "Mediazona", 8, "the facts of Mediazona begin with 'mediazona', this one begins with 'proekt', the slug of Proekt: mend one of them"),
    ("figures.csv", "F6", "compiler", "US Army", 8, "the facts of US Army have no slug in compilers.csv, this one begins with 'proekt'"),
    ("context.csv", "ctx3", "compiler", "US army", 4, "compiler 'US army': is not in compilers.csv; did you mean 'US Army'?"),
    ("compilers.csv", "Proekt", "slug", "mediazona", 5, "slug 'mediazona': this slug already stands on line 3"),
    ("compilers.csv", "Proekt", "slug", "Proekt", 5, "slug 'Proekt': is malformed: write a readable id"),
    ("compilers.csv", "Proekt", "kind", "paper", 5, "kind 'paper': is none of the known words"),
    ("compilers.csv", "Proekt", "name", "Mediazona", 5, "name 'Mediazona': this name already stands on line 3"),
    ("compilers.csv", "Proekt", "who", "", 5, "who '': is blank"),
    ("context.csv", "ctx3", "series", "Ukrainian estimate", 4, "the unit of the series 'Ukrainian estimate' is 'persons' on line 3"),
    ("sources.csv", "official-2022-04-15", "published", "2021-04-15", 7, "is not the date at the end of the id official-2022-04-15"),
    ("figures.csv", "F5", "hedge", "almost", 7, "hedge 'almost': is not in hedges.csv; did you mean"),
    ("figures.csv", "F1", "articles", "337.5", 2, "articles '337.5': '337.5' is not an article of chapter 33 nor one of all, ch33, ch33+34, none: the part of Art. 337 stands in details.csv"),
    ("figures.csv", "F1", "scope", "subset", 2, "scope 'subset': of F1 leaves open of what: write place, part, qualification, soldiers in a row of details.csv"),
    ("figures.csv", "F8", "kind", "growth", 10, "kind 'growth': of F8 needs a period that it is taken over: write it in the column base of details.csv"),
    ("details.csv", "F8", "id", "F44", 4, "id 'F44': is not in figures.csv or context.csv"),
    ("details.csv", "F8", "id", "F3", 4, "id 'F3': this id already stands on line 2"),
    ("details.csv", "F8", "id", "F1", 4, "place 'Moscow Oblast': makes F1 a subset, its scope is whole: write subset or sample there"),
    ("details.csv", "F8", "id", "F7", 4, "part '5': is a part of one article, the articles of F7 are 332+337+338"),
    ("details.csv", "F8", "id", "ctx1", 4, "part '5': is of an article, ctx1 of context.csv has none"),
    ("details.csv", "F8", "place", "Moskow Oblast", 4, "place 'Moskow Oblast': is not in places.csv; did you mean 'Moscow Oblast'?"),
    ("details.csv", "F8", "part", "five", 4, "part 'five': is malformed: write the number of the part, such as 4, or several as 1+3"),
    ("details.csv", "F8", "qualification", "aditional", 4, "did you mean 'additional'?"),
    ("details.csv", "F8", "soldiers", "conscripts", 4, "did you mean 'conscript'?"),
    ("details.csv", "F8", "base", "2022-h3", 4, "base '2022-h3': cannot be read as a period: write 2023, 2023-h1"),
    ("details.csv", "F8", "base", "2022", 4, "base '2022': stands beside the kind share of F8: only a growth or a multiple has a base"),
    ("details.csv", "F5", "high", "", 3, "high '': is blank beside 4250: a range has both ends"),
    ("details.csv", "F5", "low", "", 3, "is blank beside 4350: a range has both ends"),
    ("details.csv", "F5", "high", "4250", 3, "high '4250': is not above low, 4250: a range runs from low to high"),
    ("details.csv", "F5", "low", "4310", 3, "low '4310': to 4350 does not contain the value of F5, 4300"),
    ("details.csv", "F5", "id", "F4", 3, "low '4250': makes F4 a range, its bound is exact: write about there, or two rows (/low, /high)"),
    ("details.csv", "F3", "counted_on", "2022-12-31", 2, "counted_on '2022-12-31': is before the period of F3 starts, 2023-01-01"),
    ("details.csv", "F3", "counted_on", "2024-02-01", 2, "counted_on '2024-02-01': is after the page of F3 was published, 2024-01"),
    ("details.csv", "F3", "courts_share", "160", 2, "courts_share '160': is no percentage of the courts: 1 to 100"),
    ("searches.csv", "art-337", "until", "2024-06", 2, "until '2024-06': is not a date of the form YYYY-MM-DD"),
    ("searches.csv", "art-337", "day", "", 2, "day '': is blank: write the date as YYYY-MM-DD"),
    ("searches.csv", "art-337", "what", "", 2, "what '': is blank: write a text"),
    ("places.csv", "Moscow Oblast", "kind", "town", 2, "kind 'town': is none of the known words"),
    ("places.csv", "Moscow Oblast", "name", "Moscow", -1, "details.csv:4: place 'Moscow Oblast': is not in places.csv; did you mean 'Moscow'?"),
    ("hedges.csv", "about", "low", "x", 4, "low 'x': is not a number"),
    ("hedges.csv", "about", "high", "-1", 4, "high '-1': is below low, -0.5"),
    ("hedges.csv", "about", "beyond", "above", 4, "does not fit the bound about: write blank"),
    ("hedges.csv", "nearly", "beyond", "", 9, "does not fit the bound at_most: write below or to"),
    ("hedges.csv", "nearly", "open", "top", 9, "open 'top': is none of the known words (low, high)"),
    ("identities.csv", "I1", "left", "F2 F33", 3, "left 'F2 F33': 'F33' is not in figures.csv or context.csv; did you mean"),
    ("identities.csv", "I1", "left", "F2,F3", 3, "'F2,F3' is malformed: write an id"),
    ("identities.csv", "I1", "left", "F2  F3", 3, "has more than one space between two words"),
    ("identities.csv", "I1", "left", "F2 F2", 3, "lists 'F2' twice"),
    ("identities.csv", "I1", "right", "F3", 3, "F3 stands on both sides"),
    ("identities.csv", "I1", "right", "ctx2", 3, "right 'ctx2': is not in figures.csv: only revises takes rows of context.csv"),
    ("identities.csv", "I1", "relation", "sums", 3, "did you mean 'sum'?"),
    ("identities.csv", "I1", "relation", "share", 3, "left 'F2 F3': the relation share takes 1 ids here"),
    ("identities.csv", "I2", "right", "F7", 4, "right 'F7': the relation rises takes 0 ids here"),
    ("identities.csv", "I1", "tolerance", "-1", 3, "tolerance '-1': is negative"),
    ("identities.csv", "I1", "why", "", 3, "why '': is blank"),
    ("identities.csv", "I1", "known_from", "2024-24-20", 3, "there is no month 24"),
    ("figures.csv", "F1", "value", "0", -2, "identities.csv:2: right 'F1': is 0: the relation headline cannot divide by it"),
    ("figures.csv", "F1", "value", "0", -2, "claims.csv:2: denominator 'F1': is 0 in all: a ratio cannot divide by it"),
    ("claims.csv", "C1", "numerator", "F44", 2, "numerator 'F44': is not in figures.csv or context.csv"),
    ("claims.csv", "C1", "source_id", "nobody", 2, "source_id 'nobody': is not in sources.csv"),
    ("claims.csv", "C1", "statement", "", 2, "statement '': is blank"),
    ("claims.csv", "C1", "kind", "ration", 2, "did you mean 'ratio'?"),
    ("claims.csv", "C1", "stated", "", 2, "is blank, but a ratio is claimed"),
    ("claims.csv", "C1", "stated", "eight", 2, "stated 'eight': is not a number"),
    ("claims.csv", "C1", "unit", "percent", 2, "does not fit the kind ratio: its unit is times or percent more"),
    ("claims.csv", "C1", "unit", "fold", 2, "unit 'fold': is none of the known words"),
    ("claims.csv", "C1", "hedge", "almost", 2, "hedge 'almost': is not in hedges.csv"),
    ("claims.csv", "C1", "hedge", "", 2, "is blank beside 8: write exactly where"),
    ("claims.csv", "C3", "hedge", "about", 4, "hedge 'about': stands beside no number"),
    ("claims.csv", "C4", "hedge", "-fold", 5, "does not fit the unit: only times are -fold"),
    ("claims.csv", "C1", "denominator", "F4", 2, "F4 stands on both sides"),
    ("claims.csv", "C2", "denominator", "F1", 3, "a sum takes no denominator"),
    ("claims.csv", "C4", "numerator", "", 5, "denominator 'ctx2': stands without a numerator"),
    ("claims.csv", "C1", "numerator", "F8", 2, "numerator 'F8': F8 is a percentage: a ratio is taken of counts"),
    ("claims.csv", "C2", "numerator", "F4 ctx3", 3, "ctx3 is a percentage: a sum is taken of counts"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "key", "column", "value", "line", "message"), CELLS)
def test_a_bad_cell_is_named(
    tiny_data: Path, file: str, key: str, column: str, value: str, line: int, message: str
) -> None:
    put(tiny_data, file, key, column, value)
    lines = printed(tiny_data)
    if not message:
        assert lines == []
        return
    where = "" if line < 0 else f"{'corrections.csv' if key == 'F4' else file}:{line}: "
    assert any(each.startswith(where) and message in each for each in lines), lines


def test_details_of_one_fact_agree_and_a_row_says_something(tiny_data: Path) -> None:
    write(
        tiny_data / "details.csv", [table(tiny_data / "details.csv")[0], ["F4", *[""] * 9], ["F5", "", "5", *[""] * 7]]
    )
    put(tiny_data, "figures.csv", "F5", "scope", "subset")
    put(tiny_data, "figures.csv", "F4", "scope", "subset")
    lines = printed(tiny_data)
    assert "details.csv:2: id 'F4': has no detail beside it: fill in a column, or delete the row" in lines
    assert "details.csv:3: part '5': the part of F4, of the same fact, is '': one of them is wrong" in lines


def test_a_range_in_two_rows_has_both_ends_in_order(tiny_data: Path) -> None:
    rows = table(tiny_data / "figures.csv")
    fact, value = rows[0].index("fact"), rows[0].index("value")
    low, high = [*rows[3]], [*rows[3]]
    low[0], low[fact], low[value] = "F11", "mediazona/337/received/2023/low", "900"
    high[0], high[fact], high[value] = "F12", "mediazona/337/received/2023/high", "600"
    write(tiny_data / "figures.csv", [*rows, low])
    message = "fact 'mediazona/337/received/2023/low': is one end of a range: no statement has the fact"
    assert any(message in line for line in printed(tiny_data))
    write(tiny_data / "figures.csv", [*rows, low, high])
    assert any("value '900': is above the upper end of the range, 600" in line for line in printed(tiny_data))
    high[value] = "1200"
    write(tiny_data / "figures.csv", [*rows, low, high])
    assert printed(tiny_data) == []


def test_without_a_file_of_places_no_place_is_known(tiny_data: Path) -> None:
    (tiny_data / "places.csv").unlink()
    assert any("place 'Moscow Oblast': is not in places.csv" in line for line in printed(tiny_data))


def mend(folder: Path) -> list[str]:
    """The faults that stay after `fmt`."""
    figures.fmt(folder)
    return printed(folder)


def edit(change: Callable[[bytes], bytes], file: str = "events.csv") -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


SPREADSHEET = {
    "byte-order mark": (lambda raw: b"\xef\xbb\xbf" + raw, r"events.csv:1: encoding '\ufeff': the file starts with a byte-order"),
    "UTF-16": (lambda raw: raw.decode().encode("utf-16"), r"events.csv:1: encoding '\ufeff': the file starts with UTF-16, not UTF-8"),
    "UTF-32": (lambda raw: raw.decode().encode("utf-32"), "starts with UTF-32, not UTF-8"),
    "CRLF": (lambda raw: raw.replace(b"\n", b"\r\n"), r"events.csv:1: line end '\r\n': 4 lines end in CR or CRLF"),
    "CR": (lambda raw: raw.replace(b"\n", b"\r"), r"events.csv:1: line end '\r': 4 lines end in CR"),
    "one CRLF": (lambda raw: raw.replace(b"Mobilisation,law,mediazona-2023-04-11,\n", b"Mobilisation,law,mediazona-2023-04-11,\r\n"), "events.csv:3: line end"),
    "needless quotes": (lambda raw: raw.replace(b",war,", b',"war",'), "events.csv:2: line 'invasion,"),
    "blank line": (lambda raw: raw.replace(b"mobilisation,2", b"\nmobilisation,2"), "events.csv:3: line '': needless"),
    "blank lines at the end": (lambda raw: raw + b"\n\n", "events.csv:6: line '': needless"),
    "row of commas": (lambda raw: raw + b",,,,,\n", "events.csv:5: line ',,,,,'"),
    "no line end": (lambda raw: raw.rstrip(b"\n"), "events.csv:4: line 'release-law"),
    "order of rows": (lambda raw: b"\n".join([*raw.split(b"\n")[:1], *raw.split(b"\n")[:0:-1]]).replace(b"kind,source_id,note\n\n", b"kind,source_id,note\n") + b"\n", "events.csv:3: id 'mobilisation': is out of order"),
    "spaces": (lambda raw: raw.replace(b",law,", b", law ,"), "events.csv:3: kind ' law ': has spaces around it"),
}  # fmt: skip


@pytest.mark.parametrize("form", SPREADSHEET)
def test_what_a_spreadsheet_leaves_is_reported_and_mended(tiny_data: Path, form: str) -> None:
    change, message = SPREADSHEET[form]
    before = (tiny_data / "events.csv").read_bytes()
    edit(change)(tiny_data)
    lines = printed(tiny_data)
    assert any(message in line for line in lines), lines
    assert all("`desertion fmt` mends it" in line for line in lines), lines
    assert mend(tiny_data) == []
    assert (tiny_data / "events.csv").read_bytes() == before


def test_moved_columns_are_reported_and_mended(tiny_data: Path) -> None:
    path = tiny_data / "sources.csv"
    before = path.read_bytes()
    write(path, [row[::-1] for row in table(path)])
    assert printed(tiny_data)[0].startswith("sources.csv:1: header 'note,copy_of,kind,")
    assert mend(tiny_data) == []
    assert path.read_bytes() == before


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (edit(lambda raw: b""), "events.csv:1: file 'events.csv': the file is empty: its columns are id,date,"),
    "blank": (edit(lambda raw: b" \n\n"), "events.csv:1: file 'events.csv': the file is empty"),
    "no rows": (edit(lambda raw: raw.split(b"\n")[0] + b"\n", "figures.csv"), "figures.csv:1: file 'figures.csv': the file has no"),
    "missing": (lambda d: (d / "events.csv").unlink(), "events.csv:1: file 'events.csv': the file is missing"),
    "a folder": (lambda d: [(d / "events.csv").unlink(), (d / "events.csv").mkdir()], "events.csv:1: file 'events.csv': the file cannot be read"),
    "cp1251": (edit(lambda raw: raw.replace(b"Mobilisation", "Мобилизация".encode("cp1251"))), "the file is in Windows-1251, not UTF-8; `desertion fmt` mends it"),
    "odd byte": (edit(lambda raw: raw.replace(b"Mobilisation", b"Mobili\x81ation")), r"events.csv:3: encoding '\x81': byte 31 of the line is not UTF-8"),
    "semicolons": (edit(lambda raw: raw.replace(b",", b";")), "the cells are separated by semicolons; `desertion fmt` mends it"),
    "open quote": (edit(lambda raw: raw.replace(b"Mobilisation", b'"Mobilisation')), "events.csv:3: row 'mobilisation,2022-09-21"),
    "stray quote": (edit(lambda raw: raw.replace(b"Mobilisation", b'"Mobil"isation')), "look for a stray or missing quote"),
    "column missing": (edit(lambda raw: raw.replace(b",kind,", b",sort,")), "events.csv:1: header 'kind': this column is missing"),
    "column surplus": (edit(lambda raw: raw.replace(b",note\n", b",note,extra\n").replace(b",\n", b",,\n")), "events.csv:1: header 'extra': is not a column of this file"),
    "column misspelt": (edit(lambda raw: raw.replace(b",source_id,", b",source-id,")), "header 'source-id': is not a column of this file; did you mean 'source_id'?"),
    "column twice": (edit(lambda raw: raw.replace(b",note\n", b",note,note\n").replace(b",\n", b",,\n")), "header 'note': this column stands twice"),
    "too few cells": (edit(lambda raw: raw.replace(b",Mobilisation", b"")), "events.csv:3: row 'mobilisation': has 5 cells, the header 6"),
    "too many cells": (edit(lambda raw: raw.replace(b"Mobilisation", b"Mobilisation, partial")), "a cell with a comma in it stands in double quotes"),
    "unquoted 4,373": (edit(lambda raw: raw.replace(b",4373,", b",4,373,"), "figures.csv"), "figures.csv:5: row 'F4': has 22 cells, the header 21: 4,373 is written 4373"),
    "cell too large": (edit(lambda raw: raw.replace(b"Mobilisation", b"M" * 200_000)), "events.csv:3: row "),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named(tiny_data: Path, name: str) -> None:
    harm, message = BROKEN[name]
    harm(tiny_data)
    lines = printed(tiny_data)
    assert any(message in line for line in lines), lines


def test_a_missing_folder_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        figures.check(tmp_path / "nowhere")


def test_all_faults_come_at_once_sorted_by_file_and_line(tiny_data: Path) -> None:
    put(tiny_data, "sources.csv", "times-2024-03-20", "kind", "paper")
    put(tiny_data, "figures.csv", "F10", "value", "x")
    put(tiny_data, "figures.csv", "F2", "value", "x")
    put(tiny_data, "figures.csv", "F2", "bound", "x")
    put(tiny_data, "figures.csv", "F2", "period_end", "2021-12-31")
    places = [(Path(fault.file).name, fault.line, fault.column) for fault in figures.check(tiny_data)]
    assert places == [
        ("figures.csv", 3, "bound"),
        ("figures.csv", 3, "period_end"),
        ("figures.csv", 3, "value"),
        ("figures.csv", 12, "value"),
        ("sources.csv", 9, "kind"),
    ]


def test_a_broken_file_of_sources_does_not_make_every_source_unknown(tiny_data: Path) -> None:
    path = tiny_data / "sources.csv"
    path.write_bytes(path.read_bytes().replace(b"Mediazona", b'"Mediazona', 1))
    assert [line.split(":")[0] for line in printed(tiny_data)] == ["sources.csv"]


def test_a_row_with_too_many_cells_still_has_its_id(tiny_data: Path) -> None:
    path = tiny_data / "figures.csv"
    path.write_bytes(path.read_bytes().replace(b"F4,", b"F4,,"))
    assert [line[:40] for line in printed(tiny_data)] == ["figures.csv:5: row 'F4': has 22 cells, t"]


def test_part_of_the_corrections_of_a_figure_must_leave_it_valid_too(tiny_data: Path) -> None:
    path = tiny_data / "corrections.csv"
    head, first = path.read_text().splitlines()
    later = "F4,period_end,2023-12-31,2024-03-01,made up,{}"
    first = first.replace("2023-01-01", "2024-02-01")
    path.write_text("\n".join([head, later.format("2024-04-01"), first]) + "\n")
    assert printed(tiny_data) == []
    path.write_text("\n".join([head, later.format("2024-05-01"), first]) + "\n")
    [line] = printed(tiny_data)
    assert line.startswith(
        "corrections.csv:3: corrected '2024-02-01': makes figures.csv:5 wrong: period_end '2023-12-31'"
    )


def test_claims_and_identities_may_be_absent_and_hedges_not(tiny_data: Path) -> None:
    for name in ("claims.csv", "identities.csv"):
        (tiny_data / name).unlink()
    assert printed(tiny_data) == []
    path = tiny_data / "hedges.csv"
    path.write_text(path.read_text().replace("at least,", "at last,").replace("exactly,", "exact,"))
    message = "it lacks exactly, at least: bounds are read by these words"
    assert f"hedges.csv:1: file 'hedges.csv': {message}" in printed(tiny_data)
    path.unlink()
    [line] = printed(tiny_data)
    assert line.startswith("hedges.csv:1: file 'hedges.csv': the file is missing: its columns are hedge,")


def test_a_denominator_that_a_correction_makes_0_is_refused(tiny_data: Path) -> None:
    path = tiny_data / "corrections.csv"
    head, first = path.read_text().splitlines()
    path.write_text("\n".join([head, "F1,value,565,0,made up,2024-04-01", first]) + "\n")
    assert [line.split(":")[0] for line in printed(tiny_data)] == ["claims.csv", "identities.csv"]


@pytest.mark.parametrize(
    ("field", "corrected", "message"),
    [
        ("compiler", "Project", "corrected 'Project': is not in compilers.csv; did you mean 'Proekt'?"),
        ("compiler", "Mediazona", "compiler 'Proekt': the facts of Mediazona begin with 'mediazona'"),
        ("hedge", "almost", "corrected 'almost': is not in hedges.csv"),
    ],
)
def test_a_correction_writes_only_what_a_row_may_hold(
    tiny_data: Path, field: str, corrected: str, message: str
) -> None:
    path = tiny_data / "corrections.csv"
    head, first = path.read_text().splitlines()
    before = "Proekt" if field == "compiler" else ""
    path.write_text("\n".join([head, f"F4,{field},{before},{corrected},made up,2024-04-01", first]) + "\n")
    assert any(message in line for line in printed(tiny_data)), printed(tiny_data)


def test_two_corrections_of_one_field_are_refused(tiny_data: Path) -> None:
    path = tiny_data / "corrections.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    assert "this figure_id and field already stands on line 2" in printed(tiny_data)[0]


def test_a_fault_inside_the_project_is_named_from_its_root() -> None:
    fault = next(iter(figures.check(ROOT / "tests")))
    assert str(fault).startswith("tests/compilers.csv:1: file 'compilers.csv': the file is missing")


def test_a_message_is_safe_for_a_terminal_and_short(tiny_data: Path) -> None:
    put(tiny_data, "figures.csv", "F1", "measure", "\x1b[31m\x07\u202e\n" + "x" * 10_000)
    [line] = printed(tiny_data)
    assert line.isprintable()
    assert line.startswith(r"figures.csv:2: measure '\x1b[31m\x07\u202e\nxxx")
    assert "…': is none of the known words" in line
    assert len(line) < 600
    [fault] = figures.check(tiny_data)
    assert len(fault.value) > 10_000
    as_json = json.dumps(fault.as_dict(), ensure_ascii=False)
    assert json.loads(as_json)["line"] == 2
    assert as_json.isprintable()


def test_data_error_shows_fifty_lines_and_says_how_many_more(tiny_data: Path) -> None:
    rows = table(tiny_data / "figures.csv")
    rows += [[f"G{number}", *rows[1][1:3], f"x{number}", *rows[1][4:]] for number in range(70)]
    write(tiny_data / "figures.csv", rows)
    with pytest.raises(figures.DataError) as error:
        figures.load(tiny_data)
    lines = str(error.value).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "… and 20 more: `desertion check` prints them all"
    assert len(error.value.faults) == 70


def test_the_nearest_word_is_found_whatever_the_case() -> None:
    assert nearest("Percent", ["persons", "percent"]) == "; did you mean 'percent'?"
    assert nearest("zzzz", ["persons", "percent"]) == ""


def test_every_word_of_the_vocabulary_has_its_rule() -> None:
    assert set(FORMS) == set(vocabulary.KINDS)
    assert set(MEASURE_UNITS) == set(vocabulary.MEASURES)
    assert set(SIDES) == set(vocabulary.RELATIONS)


def test_faults_sort_by_file_and_line() -> None:
    assert sorted([Fault("b", 1, "x", "", ""), Fault("a", 10, "x", "", ""), Fault("a", 2, "x", "", "")])[0].line == 2


NASTY = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Nd", "No", "Zs", "Zl"]), max_size=8),
    st.from_regex(r"[0-9., +-]{1,12}%?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}[-/.][0-9]{1,3}[-/.][0-9]{1,5}", fullmatch=True),
    st.sampled_from(
        [
            "nan",
            "`desertion fmt` mends it5",
            "1e400",
            "9" * 5000,
            "F1",
            "337+" * 50,
            "http://[",
            "a" * 100_000,
            "1_000",
            "²",
            "½",
        ]
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=NASTY)
def test_any_corrupted_cell_gives_faults_and_never_an_exception(
    tiny_data: Path, data: st.DataObject, value: str
) -> None:
    file = data.draw(st.sampled_from(FILES))
    before = (tiny_data / file).read_bytes()
    try:
        rows = table(tiny_data / file)
        row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows[0]) - 1))
        rows[row][column] = value
        write(tiny_data / file, rows)
        for fault in figures.check(tiny_data):
            assert str(fault).isprintable()
            assert 1 <= fault.line <= len(re.split(rb"\r\n|\r|\n", Path(fault.file).read_bytes()))
    finally:
        (tiny_data / file).write_bytes(before)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), junk=st.binary(min_size=1, max_size=6))
def test_any_corrupted_bytes_give_faults_and_never_an_exception(
    tiny_data: Path, data: st.DataObject, junk: bytes
) -> None:
    file = data.draw(st.sampled_from(FILES))
    before = (tiny_data / file).read_bytes()
    at = data.draw(st.integers(0, len(before)))
    try:
        (tiny_data / file).write_bytes(before[:at] + junk + before[at:])
        assert all(str(fault).isprintable() for fault in figures.check(tiny_data))
    finally:
        (tiny_data / file).write_bytes(before)


@settings(max_examples=300)
@given(value=NASTY)
def test_every_rule_answers_whatever_the_text(value: str) -> None:
    for spec in BY_FILE.values():
        for column in spec.columns.values():
            message = column.rule(value)
            assert message == "" or message.isprintable()


def test_the_data_of_the_project_draw_no_warning_that_is_not_acknowledged() -> None:
    examined = figures.examine(DATA)
    assert [str(one) for one in examined.warnings(reconcile.broken(figures.typed(examined)))] == []
