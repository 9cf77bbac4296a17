"""Person-years of the deployed force: interpolation, decrees, and periods nobody has numbers for."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import figures
from desertion.trends import Refused
from desertion.trends.exposure import Exposure, person_years


def stocks(*points: tuple[str, float], kind: str = "stock") -> pd.DataFrame:
    dates = pd.to_datetime([date for date, _ in points])
    return pd.DataFrame(
        {"period_start": dates, "period_end": dates, "value": [value for _, value in points], "kind": kind},
        index=[f"c{i}" for i in range(len(points))],
    )


def exposure(table: pd.DataFrame, start: str, end: str) -> Exposure:
    result = person_years(table, pd.Timestamp(start), pd.Timestamp(end))
    assert isinstance(result, Exposure)
    return result


def test_a_force_that_grows_evenly_counts_with_its_mean() -> None:
    grown = exposure(stocks(("2023-01-01", 100_000), ("2023-12-31", 300_000)), "2023-01-01", "2023-12-31")
    assert grown.mean_strength == pytest.approx(200_000)
    assert grown.person_years == pytest.approx(200_000 * 365 / 365.25)
    assert grown.ids == ("c0", "c1")


def test_a_decree_holds_from_its_date() -> None:
    table = stocks(("2023-01-01", 1_000_000), ("2023-07-02", 2_000_000), kind="decree")
    assert exposure(table, "2023-07-01", "2023-07-02").mean_strength == pytest.approx(1_500_000)
    assert exposure(table, "2030-01-01", "2030-12-31").mean_strength == pytest.approx(2_000_000)


def test_two_numbers_of_one_day_are_averaged_and_only_the_numbers_around_the_period_are_named() -> None:
    table = stocks(("2023-01-01", 1), ("2024-01-01", 700), ("2024-01-01", 720), ("2025-01-01", 710), ("2026-01-01", 9))
    half = exposure(table, "2024-02-01", "2024-12-31")
    assert half.mean_strength == pytest.approx(710)
    assert half.ids == ("c1", "c2", "c3")


def test_a_period_beyond_the_numbers_is_refused_in_words() -> None:
    refused = person_years(stocks(("2023-12-14", 617_000)), pd.Timestamp("2023-01-01"), pd.Timestamp("2023-12-31"))
    assert isinstance(refused, Refused)
    assert "2023-01-01 to 2023-12-31" in refused.reason
    assert isinstance(person_years(stocks(), pd.Timestamp("2023-01-01"), pd.Timestamp("2023-12-31")), Refused)


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=6), st.floats(0.1, 100))
def test_exposure_scales_with_the_force(values: list[float], scale: float) -> None:
    dates = pd.date_range("2023-01-01", periods=len(values), freq="90D").strftime("%Y-%m-%d")
    one = exposure(stocks(*zip(dates, values, strict=True)), "2023-01-10", "2023-03-10")
    other = exposure(stocks(*zip(dates, [scale * v for v in values], strict=True)), "2023-01-10", "2023-03-10")
    assert other.person_years == pytest.approx(scale * one.person_years)


def test_the_real_series_cover_the_years_that_the_report_divides_by_them() -> None:
    context = figures.load().context
    series = context[context["series"].eq("deployed/ukraine-estimate") & context["status"].ne("rejected")]
    for year in (2023, 2024, 2025):
        result = person_years(series, pd.Timestamp(year, 1, 1), pd.Timestamp(year, 12, 31))
        assert isinstance(result, Exposure)
        assert 300_000 < result.mean_strength < 750_000
