"""Ukraine beside Russia: growth through one model, and nothing where either is not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from desertion import figures, plots
from desertion.trends import Refused, abroad, composite

SERIES = "ukraine/407-registered-open-data-monthly"


def context(counts: list[float], first: str = "2022-01-01") -> pd.DataFrame:
    """Counts of consecutive months, as rows of context.csv."""
    start = pd.date_range(first, periods=len(counts), freq="MS")
    return pd.DataFrame(
        {
            "series": SERIES, "measure": "proceedings", "kind": "count", "per": "", "compiler": "Prosecutor",
            "period_start": start, "period_end": start + pd.offsets.MonthEnd(0), "cumulative": False,
            "value": counts, "bound": "exact", "hedge": "", "low": np.nan, "high": np.nan,
        },
        index=[f"ctx{n}" for n in range(len(counts))],
    )  # fmt: skip


def country(counts: list[float], first: str = "2022-01-01") -> abroad.Country:
    rows = context(counts, first)
    return abroad.Country(
        composite.fit_statements(abroad.as_facts(rows, SERIES, "407"), rows), "proceedings", "Prosecutor"
    )


def days(year: int) -> list[int]:
    return [pd.Timestamp(year, month, 1).days_in_month for month in range(1, 13)]


@pytest.fixture(scope="module")
def steady() -> abroad.Country:
    """2,000 a day in 2022, twice that in 2023, eight times in 2024."""
    return country([2000.0 * times * n for times, year in ((1, 2022), (2, 2023), (8, 2024)) for n in days(year)])


def test_growth_is_that_of_the_counts(steady: abroad.Country) -> None:
    table = abroad.growth({"Ukraine": steady}, [2022, 2023, 2024])
    assert table["years"].tolist() == ["2022 → 2023", "2023 → 2024"]
    assert table["ratio"].tolist() == pytest.approx([2, 4], rel=0.01)
    assert ((table["low"] < table["ratio"]) & (table["ratio"] < table["high"])).all()
    row = abroad.pair(table, "Ukraine", 2023, 2024)
    assert not isinstance(row, Refused)
    assert row.ratio == table["ratio"][1]
    assert isinstance(abroad.pair(table, "Ukraine", 2024, 2025), Refused)


def test_months_are_divided_by_the_average_month_of_the_first_year(steady: abroad.Country) -> None:
    table = abroad.indexed({"Ukraine": steady}, 2022)
    assert {*plots.ukraine.columns} == {*table.columns}
    for kind in ("level", "count"):
        part = table[table["kind"].eq(kind)]
        assert len(part) == 36
        average = part.groupby(part["period_start"].dt.year)["value"].mean()
        assert average.tolist() == pytest.approx([1, 2, 8], rel=0.03)
    counts = table[table["kind"].eq("count")]
    assert counts["ids"].tolist() == [f"ctx{n}" for n in range(36)]
    assert counts["low"].isna().all()
    (last,) = table[table["kind"].eq("latest")].itertuples()
    assert (str(last.period_start.date()), str(last.period_end.date())) == ("2024-01-01", "2024-12-31")


def test_a_month_that_no_report_covers_has_no_level(steady: abroad.Country) -> None:
    rows = context([2000.0 * n for n in days(2022) + days(2023)])
    gap = rows.drop([f"ctx{n}" for n in range(14, 18)])
    fit = composite.fit_statements(abroad.as_facts(gap, SERIES, "407"), gap)
    table = abroad.indexed({"Ukraine": abroad.Country(fit, "proceedings", "Prosecutor")}, 2022)
    levels = table[table["kind"].eq("level")]["period_start"].dt.strftime("%Y-%m").tolist()
    assert len(levels) == 20
    assert not {"2023-03", "2023-04", "2023-05", "2023-06"} & {*levels}
    assert abroad.gaps(table) == "Ukraine: no month of Mar–Jun 2023 was counted."
    assert abroad.gaps(abroad.indexed({"Ukraine": steady}, 2022)) == ""


def test_nothing_is_compared_where_one_country_is_not_known(steady: abroad.Country) -> None:
    late = country([100.0] * 24, "2023-01-01")
    none = country([])
    for other, reason in ((late, "no count covers 2022"), (none, "no statement is left")):
        both = {"Ukraine": steady, "Russia": other}
        lacking = abroad.lacking(both, 2022)
        assert lacking is not None
        assert lacking.reason.startswith("Russia: ")
        assert reason in lacking.reason
        assert abroad.indexed(both, 2022).empty
    assert abroad.growth({"Russia": none}, [2022, 2023]).empty


def test_the_real_months_of_ukraine_add_up_to_the_years_that_are_compared() -> None:
    data = figures.load()
    own = figures.select(data.context, status="ok")
    facts = abroad.as_facts(own, SERIES, "407")
    fit = composite.fit_statements(facts, data.context)
    year = facts.groupby(facts["period_start"].dt.year)["value"].sum()
    table = abroad.growth({"Ukraine": abroad.Country(fit, "proceedings registered", "Office")}, [2022, 2023, 2024])
    for row in table.itertuples():
        assert row.low < year[row.last] / year[row.first] * (1 if row.last != 2024 else 365 / 366) < row.high


@pytest.mark.parametrize(
    ("change", "message"),
    [({"kind": "fit"}, "none of level, count, latest"), ({"value": 0.0}, "0.0 is not above zero")],
)
def test_the_plot_refuses_what_it_cannot_show(steady: abroad.Country, change: dict[str, object], message: str) -> None:
    table = abroad.indexed({"Ukraine": steady}, 2022).assign(**change)
    with pytest.raises(ValueError, match=message):
        plots.ukraine(table)
