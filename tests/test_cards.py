"""The card of a statement: everything about it, by its id, as text and as HTML in which no cell can run anything."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.pages import BAD, bad_data

from desertion import figures
from desertion.cards import card
from desertion.errors import ArgumentError


@pytest.fixture
def tiny(tiny_data: Path) -> figures.Data:
    return figures.load(tiny_data)


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_it_shows_the_number_as_printed_what_is_counted_and_who_printed_it(tiny: figures.Data) -> None:
    one = tiny.cards["F4"]
    assert one.printed == "4,373"
    *rows, (name, disagrees, _) = one.rows
    assert rows == [
        ("What was counted", "persons convicted", ""),
        ("Offence", "Art. 337", ""),
        ("Period", "2023", ""),
        ("Bound", "printed as an exact number", ""),
        ("Counted by", "Proekt", ""),
        ("Published by", "The Times of N", "https://times.example/2024/03/20"),
        ("Published", "2024-03-20", ""),
        ("Where", "fifth paragraph", ""),
        ("Note", 'the page prints "wartime"; the study covers 2023', ""),
        ("Second reader", "the page itself is held to be wrong, see corrections.csv", ""),
        (
            "Corrected",
            "start of the period: printed 2022-02-24, read as 2023-01-01, since the study covers 2023 alone",
            "",
        ),
        ("Also published", "F5", ""),
    ]
    assert name == "Other versions"
    assert disagrees.startswith("Proekt, persons convicted, Art. 337, 2023: value")
    assert "4,300 persons convicted, 2023, Proekt (F5); used: F5, since: the other page only passes" in disagrees
    lines = repr(one).splitlines()
    assert lines[:2] == ["F4: 4,373", "  What was counted persons convicted"]
    assert all(len(line) <= 100 for line in lines)


def test_a_page_that_copies_another_says_which_and_a_weak_statement_says_why(tiny: figures.Data) -> None:
    text = repr(tiny.cards["F5"])
    assert "A copy of        The Times of N <https://times.example/2024/03/20>" in text
    assert "Published        no date shown" in text
    assert "Use              low: rounded by the relay" in text
    assert "Hedge            about" in text


def test_every_statement_has_a_card_and_a_conflict_names_the_other_readings_and_the_reason() -> None:
    data = figures.load()
    assert len(data.cards) == len(list(data.cards)) == len(data.figures) + len(data.context)
    for name in [*list(data.cards)[::200], "ctx001"]:
        assert repr(data.cards[name]).startswith(f"{name}: ")
    conflict = {name: words for name, words, _ in data.cards["F085"].rows}["Other versions"]
    assert "527 criminal cases received by a court, 2021, Proekt (F383)" in conflict
    assert "used: F333, since: the page nearest to the count" in conflict
    latest = {name: words for name, words, _ in card(data, "F085", "latest-first").rows}["Other versions"]
    assert "since: the page published later" in latest


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("F37", "no statement 'F37' is known; did you mean 'F037'?"),
        ("f037", "no statement 'f037' is known; did you mean 'F037'?"),
        ("Ф037", "no statement 'Ф037' is known; did you mean"),
        ("", "no statement '' is known; ids are such as F012"),
        (3, "no statement 3 is known; ids are such as F012"),
    ],
)
def test_an_unknown_id_is_refused_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(message)):
        figures.load().cards[name]


def test_a_statement_that_was_not_known_on_the_day_has_no_card() -> None:
    with pytest.raises(ArgumentError, match="no statement 'F147' is known on 2019-01-01"):
        figures.load(as_of="2019-01-01").cards["F147"]


def test_cells_with_markup_are_shown_as_text_and_unsafe_addresses_are_no_links() -> None:
    data = bad_data()
    for n, name in enumerate(["F085", "F147", "F293", "F313", "F333", "F192"][: len(BAD)]):
        shown = _Tags(data.cards[name]._repr_html_())
        assert {tag for tag, _ in shown.tags} <= {"p", "b", "table", "tr", "th", "td", "a"}, BAD[n]
        assert all(set(attrs) <= {"style", "href"} for _, attrs in shown.tags)
        assert not [attrs for tag, attrs in shown.tags if tag == "a" and not str(attrs["href"]).startswith("https://")]
        assert all(c.isprintable() or c == "\n" for c in repr(data.cards[name]))
