"""Person-years of the deployed force: interpolation, decrees, and periods nobody has numbers for."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import figures, plots, reconcile
from desertion.trends import Refused
from desertion.trends import exposure as rated
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
    assert "no size is known for all of 2023" in refused.reason
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


# --- rates -----------------------------------------------------------------------------------------------------------

FORCES = {"first": "a", "second": "b", "unknown": "c"}


def counts(*rows: tuple[str, float]) -> pd.DataFrame:
    """Counts of whole years of one compiler: year and number."""
    return pd.DataFrame(
        {
            "label": "Verdicts, Art. 337, Compiler", "articles": "337", "measure": "verdicts", "compiler": "Compiler",
            "period_start": pd.to_datetime([f"{year}-01-01" for year, _ in rows]),
            "period_end": pd.to_datetime([f"{year}-12-31" for year, _ in rows]),
            "value": [value for _, value in rows], "incomplete": False, "ids": [f"F{year}" for year, _ in rows],
        }
    )  # fmt: skip


def context() -> pd.DataFrame:
    first = stocks(("2023-01-01", 500_000), ("2024-12-31", 500_000)).assign(series="a")
    second = stocks(("2023-01-01", 250_000), ("2023-12-31", 250_000)).assign(series="b")
    return pd.concat([first, second.rename(index={"c0": "d0", "c1": "d1"})])


def test_a_count_is_divided_by_each_force_and_refused_where_none_is_known() -> None:
    table = rated.rates(counts(("2023", 1000.0), ("2024", 3000.0)), context(), FORCES)
    assert list(zip(table["period"], table["denominator"], strict=True)) == [
        (year, force) for year in ("2023", "2024") for force in FORCES
    ]
    assert table["rate"].fillna(-1).tolist() == [2.0, 4.0, -1, 6.0, -1, -1]
    assert table["strength"].fillna(0).tolist() == [500_000, 250_000, 0, 500_000, 0, 0]
    assert table["ids"].tolist() == ["F2023 c0 c1", "F2023 d0 d1", "F2023", "F2024 c0 c1", "F2024", "F2024"]
    assert table["refused"].eq("").tolist() == table["rate"].notna().tolist()
    assert table["refused"][4].startswith("second: no size is known for all of 2024")


def test_rates_are_whole_from_10_up_and_have_one_decimal_below() -> None:
    table = rated.rates(counts(("2023", 4974.0), ("2024", 5010.0)), context(), {"first": "a"})
    assert table["rate"].tolist() == [10.0, 10.0]  # 9.95 and 9.993: neither is printed as 9.9 or 10.0
    table = rated.rates(counts(("2023", 4970.0), ("2024", 8261.0)), context(), {"first": "a"})
    assert table["rate"].tolist() == [9.9, 16.0]


def test_the_plot_gets_each_size_of_the_army_of_a_count_that_has_a_rate() -> None:
    table = rated.rates(counts(("2023", 1000.0), ("2030", 3000.0)), context(), FORCES)
    drawn = rated.drawn(table)
    assert set(plots.deployed_rate.columns) <= set(drawn.columns)
    assert drawn["denominator"].tolist() == list(FORCES)  # no size is known for 2030
    assert drawn["value"].fillna(-1).tolist() == [2.0, 4.0, -1]
    assert "Missing: first for 2030, since none is known within 45 days of both ends." in rated.lacking(table)
    assert "Missing: unknown for 2023 and 2030, since none is known within 45 days of both ends." in rated.lacking(
        table
    )


def test_one_row_of_the_table_holds_the_rates_of_a_count_by_every_force() -> None:
    wide = rated.by_denominator(rated.rates(counts(("2024", 3000.0), ("2023", 1000.0)), context(), FORCES), FORCES)
    assert wide["period"].tolist() == ["2024", "2023"]
    assert wide["rate first"].tolist() == [6.0, 2.0]
    assert wide["strength second"].fillna(0).tolist() == [0, 250_000]
    assert wide["rate unknown"].isna().all()
    assert wide["ids"].tolist() == ["F2024 c0 c1 F2024 F2024", "F2023 c0 c1 F2023 d0 d1 F2023"]


def test_an_edition_that_knows_no_count_has_tables_without_rows() -> None:
    table = rated.rates(counts(), context(), FORCES)
    assert table.empty
    wide = rated.by_denominator(table, FORCES)
    assert {f"{what} {force}" for what in ("strength", "rate") for force in FORCES} < set(wide.columns)
    for nothing in (wide, rated.drawn(table), rated.grown(table, "Compiler", 2023, 2024)):
        assert nothing.empty
    assert rated.lacking(table) == ""
    assert set(plots.deployed_rate.columns) <= set(rated.drawn(table).columns)


def test_a_sentence_gets_the_rates_of_the_latest_whole_year_that_two_forces_divide() -> None:
    table = rated.rates(counts(("2023", 1000.0), ("2024", 3000.0)), context(), FORCES)
    one = rated.latest(table)  # in 2024 only the first force is known
    assert not isinstance(one, Refused)
    assert (one.low, one.low_by, one.high, one.high_by) == (2.0, "first", 4.0, "second")
    assert (one.what, one.period, one.ids) == ("Verdicts (cases decided) under Art. 337", "2023", "F2023 c0 c1 d0 d1")
    persons = table[table["period"].eq("2023")].assign(measure="persons_convicted", compiler="Other", series="Other")
    more = rated.rates(counts(("2023", 1000.0)), context(), FORCES).assign(period_end=pd.Timestamp("2024-06-30"))
    chosen = rated.latest(pd.concat([persons, more]))
    assert not isinstance(chosen, Refused)
    assert chosen.compiler == "Other"


def test_a_sentence_gets_the_reason_where_no_year_has_two_rates() -> None:
    part = rated.rates(counts(("2023", 1000.0)).assign(incomplete=True), context(), FORCES)
    for nothing in (part, part[:0], rated.rates(counts(("2024", 3000.0)), context(), FORCES)):
        assert "no count of a whole year is divided by two sizes of the force" in str(rated.latest(nothing))


def test_the_growth_of_a_rate_is_that_of_the_count_over_that_of_the_force() -> None:
    table = rated.rates(counts(("2023", 1000.0), ("2024", 3000.0)), context(), FORCES)
    grown = rated.grown(table, "Compiler", 2023, 2024)
    assert grown["denominator"].tolist() == ["first"]  # the second force is not known in 2024
    assert grown["times"].item() == pytest.approx(3 * 365 / 366)
    assert grown["ids"].item() == "F2024 c0 c1 F2023 c0 c1"


def test_the_rates_of_the_real_counts_rest_on_known_statements() -> None:
    data = figures.load()
    facts = reconcile.facts(data)
    table = rated.rates(
        facts[facts["compiler"].eq("The Insider")], data.context, {"force": "deployed/ukraine-estimate"}
    )
    known = {*data.figures.index, *data.context.index}
    assert {each for cell in table["ids"] for each in cell.split()} <= known
    assert (1000 * table["count"] / table["strength"] / table["rate"]).dropna().between(0.02, 2).all()
