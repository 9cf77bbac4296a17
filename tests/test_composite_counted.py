"""The number of cases of a period: what the reports fix, what they leave open, and the law of the rest."""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pytest
from test_composite_fit import Row, fitted, months, reports, years

from desertion.errors import UserError
from desertion.trends import chain, composite
from desertion.trends.arrays import Floats
from desertion.trends.composite import Spec, counted, nb1, posterior


def pmf(n: Floats, m: float, delta: float) -> Floats:
    return np.asarray(np.exp(nb1.evaluate(n, np.full(len(n), m), delta)[0]))


def test_a_period_that_a_report_counts_is_that_number_and_others_lie_between_limits() -> None:
    rows: list[Row] = [*years(2021, 615, 1001), ("2023-01-01", "2023-12-29", 1306, 1306)]
    rows += [("2023-11-22", "2024-04-12", 600, 649), *months(2024, *[120.0] * 12)[4:]]
    table = composite.counts(fitted(reports(*rows), Spec(tau=0.1, phi=3.0)))
    assert table["exact"].tolist() == [True, True, False, False]
    assert table.loc[table["exact"], ["least", "low", "median", "high", "most"]].nunique(axis=1).eq(1).all()
    assert table["median"].tolist()[:2] == [615, 1001]
    year = table.iloc[2]
    # two days more than the report, in which there are no more cases than in the report around them
    assert (year["least"], year["most"]) == (1306, 1306 + 649)
    assert 1306 <= year["low"] < year["high"] < 1340
    assert table["scope"].eq("").all()


def test_the_law_of_a_count_is_that_of_all_counts_that_the_reports_allow() -> None:
    """January to March had 9 cases, the first two months 4 to 6: February, and its first half, by brute force."""
    rows: list[Row] = [("2023-01-01", "2023-03-31", 9, 9), ("2023-01-01", "2023-02-28", 4, 6)]
    rows += [("2023-04-01", "2023-04-30", 5, 5)]
    fit = fitted(reports(*rows), Spec(phi=2.5, tau=0.3))
    theta, nodes = fit.posterior.draw(400, np.random.default_rng(7))
    means, half = fit.means(0, theta, nodes), 14 / 28
    whole, first = np.zeros(7), np.zeros(7)
    for m in means:
        own = [pmf(np.arange(10.0), mean, 1.5) for mean in m[:3]]
        parts = [pmf(np.arange(10.0), m[1] * share, 1.5) for share in (half, 1 - half)]
        law, begun = np.zeros(7), np.zeros(7)
        for january, february in product(range(7), range(7)):
            if 4 <= january + february <= 6:
                chance = own[0][january] * own[2][9 - january - february]
                law[february] += chance * own[1][february]
                for k in range(february + 1):
                    begun[k] += chance * parts[0][k] * parts[1][february - k]
        whole += law / law.sum() / len(means)
        first += begun / begun.sum() / len(means)
    spans = [(date(2023, 2, 1), date(2023, 2, 28)), (date(2023, 2, 1), date(2023, 2, 14))]
    table = composite.counts(fit, spans)
    for row, law in zip(table.itertuples(), (whole, first), strict=True):
        assert row.mean == pytest.approx(law @ np.arange(7), abs=0.06)
        assert (row.least, row.most) == (0, 6)
        reached = np.cumsum(law)
        for end, chance in zip((row.low, row.median, row.high), posterior.tails(0.95, "cases"), strict=True):
            assert reached[int(end)] >= chance - 0.015
            assert reached[int(end)] - law[int(end)] <= chance + 0.015


def test_counts_of_days_that_no_report_reaches_and_of_an_unknown_series_are_errors() -> None:
    fit = fitted(reports(*months(2023, *[40.0] * 6), *years(2023, 500, series="persons")))
    with pytest.raises(UserError, match="which reports reach"):
        composite.counts(fit, [2024])
    with pytest.raises(UserError, match="'verdicts' is not in the fit"):
        composite.counts(fit, series="verdicts")
    assert composite.counts(fit, [2023], "persons")["median"].tolist() == [500]


def test_the_number_of_a_period_is_the_same_whatever_else_is_counted() -> None:
    rows: list[Row] = [("2023-01-01", "2023-07-15", 300, 349), ("2023-06-01", "2024-06-30", 900, 900)]
    fit = fitted(reports(*rows, *months(2022, *[40.0] * 12)), Spec(tau=0.1, phi=3.0))
    several, alone = composite.counts(fit, [2022, 2023]), composite.counts(fit, [2023])
    assert several.iloc[1].drop("period_start").equals(alone.iloc[0].drop("period_start"))


@pytest.mark.slow
def test_intervals_of_counts_cover_the_cases_that_there_were() -> None:
    rng, held, n = np.random.default_rng(3), 0, 24
    days = [date(2023, 1, 1).toordinal() + 30 * k for k in range(25)]
    for _ in range(n):
        level = 60 * np.exp(np.cumsum(0.2 * rng.standard_normal(24)))
        cases = rng.poisson(rng.gamma(level / 4.0, 4.0))
        total, rows = np.concatenate([[0], np.cumsum(cases)]), []
        for a, b in ((0, 24), (0, 7), (3, 13), (5, 18), (13, 20)):
            low = total[b] - total[a] if b % 2 else (total[b] - total[a]) // 20 * 20
            high = low if b % 2 else low + 19
            first, last = date.fromordinal(days[a]), date.fromordinal(days[b] - 1)
            rows.append((str(first), str(last), float(low), float(high)))
        fit = fitted(reports(*rows), Spec(tau=0.2, phi=5.0))
        span = (date.fromordinal(days[8]), date.fromordinal(days[16] - 1))
        row = composite.counts(fit, [span]).iloc[0]
        held += bool(row["low"] <= total[16] - total[8] <= row["high"])
    assert held >= 20  # of 24 at 95 %: fewer in 6 of 1,000 such tests


def test_the_limits_of_a_period_are_those_that_some_chain_of_counts_reaches() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        ends = np.sort(rng.choice(5, (4, 2)), axis=1)
        ends = ends[ends[:, 0] < ends[:, 1]]
        cells = rng.integers(0, 4, 4)
        true = np.array([cells[a:b].sum() for a, b in ends], float)
        low, high = true, true + rng.integers(0, 2, len(true))
        asked = np.array([[0, 4], [1, 3], [2, 3]])
        found = chain.limits(ends[:, 0], ends[:, 1], low, high, asked[:, 0], asked[:, 1])
        assert found is not None
        every = np.array(list(product(range(14), repeat=4)))[:, :4] if len(ends) else np.empty((0, 4))
        sums = np.stack([every[:, a:b].sum(axis=1) for a, b in ends], axis=1) if len(ends) else every
        allowed = every[((sums >= low) & (sums <= high)).all(axis=1)] if len(ends) else every
        for k, (a, b) in enumerate(asked):
            covered = np.isfinite(found[1][k])
            if len(allowed):
                assert found[0][k] == allowed[:, a:b].sum(axis=1).min()
                if covered:
                    assert found[1][k] == allowed[:, a:b].sum(axis=1).max()


def test_months_inside_a_count_that_no_report_divides_are_marked() -> None:
    rows: list[Row] = [*months(2022, *[40.0] * 12), ("2023-01-01", "2023-12-31", 600, 600)]
    rows += [("2023-01-01", "2023-06-30", 250, 349), ("2023-11-01", "2023-11-30", 55, 55), *months(2024, *[60.0] * 6)]
    fit = fitted(reports(*rows), Spec(tau=0.1, phi=2.0))
    marked = [str(day) for day, loose in zip(fit.starts, counted.undivided(fit), strict=True) if loose]
    # the first half of 2023 had 250 to 349 cases, the rest but for November 196 to 295
    assert marked == [f"2023-{k:02}-01" for k in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12)]
    divided = [("2023-01-01", "2023-06-30", 300.0, 300.0), *rows[:13], *rows[14:]]
    assert not counted.undivided(fitted(reports(*divided), Spec(tau=0.1, phi=2.0))).any()
