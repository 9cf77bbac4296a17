"""The silence after the last published count."""

import pandas as pd

from desertion.trends import Refused, searches

SEARCHES = pd.DataFrame({"until": [pd.Timestamp("2025-07-31")], "day": ["2026-11"]}, index=["art-337"])
COUNTS = pd.DataFrame(
    {"period_end": pd.to_datetime(["2024-12-31", "2025-07-01", "2025-07-01"]), "ids": ["F1", "F2", "F3 F4"]}
)


def test_the_last_counts_stand_behind_it_and_it_says_how_far_they_fall_short() -> None:
    silence = searches.silence(SEARCHES, "art-337", COUNTS)
    assert silence == (pd.Timestamp("2025-07-31"), "Nov 2026", 30, "F2 F3 F4")


def test_a_count_that_came_after_the_search_and_runs_further_is_the_end_of_what_is_known() -> None:
    later = COUNTS.assign(period_end=pd.Timestamp("2025-08-31"))
    silence = searches.silence(SEARCHES, "art-337", later)
    assert not isinstance(silence, Refused)
    assert (silence.until, silence.beyond) == (pd.Timestamp("2025-08-31"), 0)


def test_without_a_search_or_a_count_it_is_refused() -> None:
    assert str(searches.silence(SEARCHES.iloc[:0], "art-337", COUNTS)).startswith("nobody had looked")
    assert str(searches.silence(SEARCHES, "art-337", COUNTS.iloc[:0])).startswith("no such count")


def test_a_search_of_a_single_day_names_the_day() -> None:
    silence = searches.silence(SEARCHES.assign(day="2026-11-03"), "art-337", COUNTS)
    assert not isinstance(silence, Refused)
    assert silence.day == "3 Nov 2026"
