"""What words around a number admit, for claims and for counts."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desertion import figures, hedges, vocabulary
from desertion.errors import UserError
from desertion.figures.schema import BY_FILE

COUNTS = st.integers(0, 10**9)
TABLE = figures.table("hedges.csv")
WORDS = sorted(TABLE.index)
HEDGES = hedges.Hedges(TABLE)


@pytest.mark.parametrize(
    ("value", "unit"), [(700, 70), (7400, 100), (50_000, 5_000), (9, 1), (10, 1), (2300, 100), (0, 1), (2.5, 0.1)]
)
def test_the_unit_is_the_last_place_but_not_more_than_a_tenth_of_the_number(value: float, unit: float) -> None:
    assert float(hedges.unit(value)) == unit


def test_a_zero_printed_after_the_point_counts_as_a_printed_place() -> None:
    assert HEDGES.admits("5.0", "exactly").high == 5.05
    assert HEDGES.admits("5", "exactly").high == 5.5


@pytest.mark.parametrize(
    ("value", "bound", "word", "rounding", "one_sided"),
    [
        (700, "at_least", "more than", (700, 769), (701, math.inf)),
        (2300, "about", "nearly", (2250, 2299), (2250, 2299)),
        (2300, "at_most", "nearly", (2250, 2299), (0, 2299)),
        (400, "about", "", (380, 420), (380, 420)),
        (4373, "exact", "", (4373, 4373), (4373, 4373)),
        (18_341, "at_least", "", (18_341, 18_341), (18_341, math.inf)),
        (640_000, "at_most", "up to", (630_001, 640_000), (0, 640_000)),
        (10_025, "exact", "exactly", (10_025, 10_025), (10_025, 10_025)),
        (9, "at_most", "nearly", (8, 8), (0, 8)),
    ],
)
def test_a_count_is_read_by_its_word_or_to_its_open_side(
    value: float, bound: str, word: str, rounding: tuple[float, float], one_sided: tuple[float, float]
) -> None:
    assert HEDGES.interval(value, bound, word) == rounding
    assert HEDGES.interval(value, bound, word, "one-sided") == one_sided


def test_almost_ninefold_is_at_least_eight_and_a_half_and_under_nine() -> None:
    admitted = HEDGES.admits("9", "almost -fold increase")
    assert 8.5 in admitted
    assert 8.999 in admitted
    assert 8.49 not in admitted
    assert 9.0 not in admitted
    assert HEDGES.row("almost -fold increase").also == 1


def test_the_word_of_every_bound_has_a_row() -> None:
    assert set(vocabulary.BOUND_WORDS.values()) <= set(WORDS)


@given(COUNTS, st.sampled_from(sorted(vocabulary.BOUNDS)), st.sampled_from(["", *WORDS]))
@example(0, "at_most", "almost")  # no count lies below 0
@example(1, "at_most", "fewer than")
def test_the_one_sided_reading_never_admits_less_on_its_open_side(value: int, bound: str, word: str) -> None:
    low, high = HEDGES.interval(value, bound, word)
    wide_low, wide_high = HEDGES.interval(value, bound, word, "one-sided")
    assert 0 <= low <= high
    assert 0 <= wide_low <= wide_high
    assert low.is_integer()
    if bound == "at_least":
        assert wide_high == math.inf >= high
    if bound == "at_most":
        assert wide_low == 0
        assert wide_high == high or word
    if bound in ("exact", "about"):
        assert (low, high) == (wide_low, wide_high)


@given(st.integers(1, 10**9), st.sampled_from(WORDS))
def test_no_word_admits_what_is_more_than_a_unit_away(value: int, word: str) -> None:
    admitted, unit = HEDGES.admits(value, word), float(hedges.unit(value))
    assert value - unit <= admitted.low <= admitted.high <= value + unit
    assert admitted.meets(admitted.low, admitted.high)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.sampled_from(["", "low", "high"]))
def test_a_value_is_admitted_exactly_when_the_point_interval_meets_the_range(
    low: float, width: float, end: str
) -> None:
    admitted = hedges.Range(low, low + width + 1, end)
    assert ((low in admitted), (low + width + 1 in admitted)) == (end != "low", end != "high")
    assert low + width / 2 + 0.5 in admitted
    assert not admitted.meets(low - 9, low - 1)


def test_unknown_words_bounds_and_readings_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'many' has no row in hedges.csv.*about"):
        HEDGES.admits(9, "many")
    with pytest.raises(UserError, match="bound 'over' is unknown: exact"):
        HEDGES.interval(9, "over")
    with pytest.raises(UserError, match="reading 'loose' is unknown: rounding"):
        HEDGES.interval(9, "exact", "", "loose")


def test_an_edited_table_is_read_again_and_a_broken_one_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("desertion.figures.load", "desertion.reads"):
        monkeypatch.setattr(sys.modules[module], "DATA", tmp_path)
    header = ",".join(BY_FILE["hedges.csv"].columns)
    rows = [
        "about,about,-1,1,,,,x",
        "at least,at_least,0,1,,from,,x",
        "at most,at_most,-1,1,,to,,x",
        "exactly,exact,0,1,,,,x",
    ]

    def put(*lines: str) -> None:
        (tmp_path / "hedges.csv").write_text("\n".join([header, *lines]) + "\n")

    put(*rows)
    assert hedges.load().interval(100, "about") == (90, 110)
    put("about,about,-0.5,1,,,,x", *rows[1:])
    assert hedges.load().interval(100, "about") == (95, 110)
    put("about,about,wide,1,,,,x", *rows[1:])
    with pytest.raises(UserError, match=r"hedges\.csv:2: low 'wide': is not a number"):
        hedges.load()
    put(rows[0], *rows[2:])
    with pytest.raises(UserError, match=r"hedges\.csv:1: file .*: it lacks at least: bounds are read by these words"):
        hedges.load()
