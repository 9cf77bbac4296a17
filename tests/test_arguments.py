"""Arguments of public functions: what fits is taken, anything else is one message with the value."""

import contextlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import arguments, claims, figures, plots, reconcile, vocabulary
from desertion.errors import ArgumentError, UserError
from desertion.trends import abroad, composite, exposure, growth, suspended

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.lists(st.integers(), max_size=2)
)


@given(st.dates())
def test_a_day_is_taken_as_a_date_a_timestamp_or_a_text(day: date) -> None:
    assert arguments.day("as_of", day) == arguments.day("as_of", day.isoformat()) == day
    assert arguments.day("as_of", datetime(day.year, day.month, day.day, 12)) == day


@pytest.mark.parametrize(
    "value", ["2024-13-01", "20240320", "2024-W01-1", "2024", "", 2024, None, pd.NaT, 5.0, "２０２４-01-01"]
)
def test_what_is_no_day_is_refused_with_its_value(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^as_of .*: (must be a day|there is no such day)"):
        arguments.day("as_of", value)


@given(ANYTHING)
def test_whatever_is_given_for_a_day_a_number_or_a_word_is_taken_or_refused(value: Any) -> None:
    for check in (arguments.day, arguments.words, lambda *given: arguments.whole(*given, 0, 10)):
        with contextlib.suppress(ArgumentError):
            check("name", value)


def test_a_text_stands_for_a_list_of_one_and_a_number_is_to_be_quoted() -> None:
    assert arguments.words("articles", "337") == ["337"]
    assert arguments.words("articles", ("337", "338")) == ["337", "338"]
    with pytest.raises(ArgumentError, match=r"^articles 337: must be a text, '337' in quotes,"):
        arguments.words("articles", [337])


def test_a_frame_without_a_column_is_refused_with_the_column_and_what_to_give() -> None:
    frame = pd.DataFrame({"measur": [1]})
    with pytest.raises(
        ArgumentError, match=r"facts has no column 'measure' \(did you mean 'measur'\?\): give reconcile.facts"
    ):
        arguments.frame_with("facts", frame, ["measur", "measure"], "reconcile.facts")
    with pytest.raises(ArgumentError, match="facts is a list: must be a data frame"):
        arguments.frame_with("facts", [1], [], "reconcile.facts")


def test_a_percentage_is_told_apart_from_a_share() -> None:
    assert arguments.share("level", 0.9) == 0.9
    with pytest.raises(ArgumentError, match=r"^level 95: must be a number between 0 and 1: write 0.95$"):
        arguments.share("level", 95)


DATA = figures.load()
FACTS = reconcile.facts(DATA)
OTHER = DATA.sources


@pytest.mark.parametrize(
    "call",
    [
        lambda: reconcile.facts(DATA.figures),  # type: ignore[arg-type]
        lambda: reconcile.ledger(FACTS),  # type: ignore[arg-type]
        lambda: reconcile.by_year(DATA.figures),
        lambda: reconcile.latest(OTHER),
        lambda: reconcile.together(OTHER, ["337"]),
        lambda: reconcile.revised(FACTS, OTHER),
        lambda: claims.check_claims(DATA, level=95),
        lambda: claims.check_claims(DATA.claims),  # type: ignore[arg-type]
        lambda: claims.in_words(OTHER),
        lambda: vocabulary.label(OTHER, "articles"),
        lambda: growth.growth_table(OTHER),
        lambda: growth.growth_table(FACTS, level="0.95"),  # type: ignore[arg-type]
        lambda: growth.factors(OTHER, phi=50, level=0.95),
        lambda: exposure.rates(OTHER, DATA.context, {}),
        lambda: exposure.drawn(OTHER),
        lambda: reconcile.by_place(OTHER, DATA),
        lambda: suspended.shares(OTHER, DATA.figures),
        lambda: abroad.as_facts(OTHER, "ukraine", "407"),
        lambda: exposure.by_denominator(OTHER, ["x"]),
        lambda: composite.fit_statements(OTHER, DATA.figures),
        lambda: plots.growth(OTHER),
        lambda: plots.growth([1]),  # type: ignore[arg-type]
        lambda: figures.table("figurs.csv"),
    ],
)
def test_what_a_notebook_calls_with_a_wrong_frame_or_level_is_one_message(call: Callable[[], Any]) -> None:
    with pytest.raises(UserError) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


def test_a_checked_function_keeps_its_name_words_and_pythons_own_errors() -> None:
    assert reconcile.by_year.__name__ == "by_year"
    result, _, errors = (reconcile.by_year.__doc__ or "").partition("Raises\n------\n")
    assert "Returns" in result
    assert errors.startswith(
        "ArgumentError\n    If `facts` is not a frame such as reconcile.facts(data), with cumulative"
    )
    with pytest.raises(TypeError, match=r"by_year\(\) got an unexpected keyword argument 'level'"):
        reconcile.by_year(FACTS, level=1)  # type: ignore[call-arg]


class TestFigures:
    @pytest.mark.parametrize(
        "arguments", [{"as_of": "2024-13-01"}, {"as_of": "1990-01-01"}, {"as_of": 5}, {"undated_lag_days": -1},
                      {"undated_lag_days": "3"}, {"undated_lag_days": 3.5}, {"data": "nowhere"}],
    )  # fmt: skip
    def test_loading_refuses_an_impossible_argument(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(UserError):
            figures.load(**arguments)

    @pytest.mark.parametrize(
        "arguments", [{"start": "2023"}, {"end": 2023}, {"articles": [337]}, {"articles": 337}, {"measures": [None]},
                      {"compilers": "MediaZona"}, {"status": "OK"}, {"kind": 1.5}, {"scope": "hole"}],
    )  # fmt: skip
    def test_a_selection_refuses_an_impossible_argument(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(ArgumentError):
            figures.select(figures.load().figures, **arguments)

    def test_a_day_may_be_given_as_text(self) -> None:
        data = figures.load(as_of="2024-03-20")
        assert data.as_of == date(2024, 3, 20)
        some = figures.select(data.figures, start="2023-01-01", end=date(2023, 12, 31))
        pd.testing.assert_frame_equal(some, figures.select(data.figures, start=date(2023, 1, 1), end="2023-12-31"))
        assert 0 < len(some) < len(data.figures)
