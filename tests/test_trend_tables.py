"""Tables of trends: each says how its computed numbers come about, and gives a reason where it is empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from desertion import figures, reconcile, trend_tables
from desertion.figures import Data
from desertion.tables import TableRecord
from desertion.trends import Refused, completeness, composite, growth, hindsight, posting, questions, rounded, years
from desertion.trends import statement_checks as checks
from desertion.trends.counts import Observations

NONE = Refused("no report is left", "reports")
LITTLE = hindsight.HeldOut((), (), NONE)


def table(show: Callable[[], None]) -> TableRecord:
    """The record of the one table that `show` shows."""
    with mock.patch("IPython.display.publish_display_data") as publish:
        show()
    (call,) = publish.call_args_list
    record = TableRecord.of(call.kwargs)
    assert record is not None
    return record


@pytest.fixture(scope="module")
def data() -> Data:
    return figures.load()


@pytest.fixture(scope="module")
def facts(data: Data) -> pd.DataFrame:
    return reconcile.latest(reconcile.facts(data)).join(data.figures["hedge"], on="chosen")


@pytest.fixture(scope="module")
def fit() -> composite.Fit:
    start = np.array([date(2021 + k // 12, k % 12 + 1, 1).toordinal() for k in range(31)])
    counts, series = np.round(20 * 1.05 ** np.arange(30)), np.zeros(30, np.int64)
    ids = tuple(f"F{k:03d}" for k in range(1, 31))
    made = composite.fit(Observations(ids, series, start[:-1], start[1:], counts, counts, ("cases",)), SPEC)
    assert isinstance(made, composite.Fit)
    return made


SPEC = composite.Spec(tau=0.1, phi=2.0)


def test_a_table_names_how_each_of_its_computed_columns_comes_about(
    data: Data, facts: pd.DataFrame, fit: composite.Fit
) -> None:
    proekt = figures.select(facts, articles="337", compilers="Proekt", measures="cases_received_by_court", status=None)
    rows = growth.factors(growth.growth_table(proekt, phi=50), phi=50, level=0.9)
    three = [f"proekt/337/tried/{year}" for year in (2021, 2022, 2023)]
    shown = [
        table(lambda: trend_tables.factors(rows, data, 0.9, years.Scatter(50, "as assumed"))),
        table(lambda: trend_tables.levels({"cases": rounded.Panel(fit)}, data, 0.9)),
        table(lambda: trend_tables.dispersions(facts, three, [1, 50], data, 0.9)),
        table(lambda: trend_tables.yearly_trends(proekt, 0.9, 5)),
        table(lambda: trend_tables.ratios({"one fit": (fit, {"phi": "variance over mean"})}, 0.9)),
        table(lambda: trend_tables.vintages(completeness.pairs(data), data)),
    ]
    printed = {"counted", "count", "recounted", "recount", "assumed", "label", "period", "scope"}
    for one in shown:
        right = [column for column in one.columns if column.right and column.name not in printed]
        assert [column.name for column in right if not column.recipe] == [], one.title
        assert one.rows
        assert any(one.ids)
    labels = [column.label for one in shown[:2] for column in one.columns]
    assert {"90% interval of the rate", "90% interval of the level"} <= set(labels)
    assert "–" in [row[-1] for row in shown[1].rows], "the first year has no growth"


def test_a_table_without_rows_gives_its_reason(data: Data, facts: pd.DataFrame) -> None:
    nothing = facts[:0]
    factors = growth.factors(growth.growth_table(nothing), phi=1, level=0.95)
    checked = checks.check(NONE, data, nothing)
    empty = [
        (lambda: trend_tables.factors(factors, data, 0.95, years.Scatter(1, "")), "no two yearly counts of one thing"),
        (lambda: trend_tables.dispersions(facts, ["a", "b", "c"], [1], data, 0.95), "not all of the three counts"),
        (lambda: trend_tables.yearly_trends(nothing, 0.95, 5), "no counter has counted one thing in two years"),
        (lambda: trend_tables.contradictions(checked, NONE, data, 0.95), "no report is left"),
        (lambda: trend_tables.noticeable(checked, NONE, data), "no report is left"),
        (lambda: trend_tables.vintages(completeness.pairs(data)[:0], data), "no count of one period at two dates"),
        (lambda: trend_tables.delays(NONE), "no report is left"),
        (lambda: trend_tables.scores(LITTLE, NONE), "no report is left"),
        (lambda: trend_tables.reaches(questions.counted({}, nothing, [(2021, 2022)], {}), data), "no option gives"),
        (lambda: trend_tables.unanswered(questions.counted({}, nothing, [(2021, 2022)], {})), "every option has"),
    ]
    for show, why in empty:
        one = table(show)
        assert not one.rows
        assert one.notes[0].startswith("Nothing can be shown here: ")
        assert why in one.notes[0]
    (row,) = table(lambda: trend_tables.levels({"cases": rounded.Panel(NONE)}, data, 0.95)).rows
    assert row == ["all", "–", "–", "–", "not enough data", str(NONE), "–"]
    (row,) = table(lambda: trend_tables.ratios({"one fit": (NONE, {})}, 0.95)).rows
    assert row[1:] == ["not enough data", str(NONE)]
    (line,) = table(lambda: trend_tables.claims({"cases": NONE}, {})).rows
    assert line[1:] == ["not enough data", "no report is left", "reports"]
    assert posting.ways(NONE) == {}
