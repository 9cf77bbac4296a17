"""Counts that are made before all cases are posted: pairs, the law of the delay, and what a report then expects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from desertion import figures, reconcile
from desertion.errors import ModeError, UserError
from desertion.trends import Refused, completeness, composite
from desertion.trends.arrays import Floats, Ints
from desertion.trends.composite import Fit, Spec, delays, hyper, lattice, model, prior, truncation
from desertion.trends.counts import Observations


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def reports(*rows: tuple[str, str, float, str, str]) -> Observations:
    """Exact reports (first day, last day, count, day counted, day of the total that was subtracted or blank)."""
    n = np.array([row[2] for row in rows])
    return Observations(
        tuple(f"F{k + 1:03d}" for k in range(len(rows))), np.zeros(len(rows), np.int64),
        np.array([day(row[0]) for row in rows]), np.array([day(row[1]) + 1 for row in rows]), n, n, ("cases",),
        counted=np.array([[day(row[3]), day(row[4]) if row[4] else 0] for row in rows]),
    )  # fmt: skip


def months(first: str, last: str) -> Ints:
    return np.array([d.toordinal() for d in pd.date_range(first, last, freq="MS")])


#: A total of a year counted at its end, a part of it counted before, and three running totals counted on their last
#: days, as increments over an earlier one.
MIXED = [
    ("2023-01-01", "2023-12-29", 4000.0, "2023-12-29", ""),
    ("2023-01-01", "2023-05-07", 900.0, "2023-05-12", ""),
    ("2023-03-22", "2023-09-21", 2200.0, "2023-09-21", "2023-03-21"),
    ("2023-03-22", "2024-04-12", 5600.0, "2024-04-12", "2023-03-21"),
    ("2023-03-22", "2024-06-18", 7200.0, "2024-06-18", "2023-03-21"),
]


def test_the_share_that_is_posted_is_an_exponential_law_of_the_days_since() -> None:
    assert completeness.complete(np.array([-3.0, -1.0]), 10.0).tolist() == [0.0, 0.0]
    assert completeness.complete(np.array([9.5]), 10.0)[0] == pytest.approx(1 - np.exp(-1))
    assert completeness.complete(np.array([-1.0, 0.0, 5.0]), 0.0).tolist() == [0.0, 1.0, 1.0]
    assert (np.diff(completeness.complete(np.arange(50.0), 10.0)) > 0).all()


def test_the_pairs_of_the_data_are_those_that_identities_declare_with_their_ids() -> None:
    found = completeness.pairs(figures.load()).set_index("ids")
    assert found["share"].round(3).to_dict() == {"F083 F147": 0.986, "ctx516 ctx517": 0.887}
    assert found.loc["F083 F147", "counted"] == pd.Timestamp("2023-12-29")
    assert found.loc["F083 F147", "delay"] < 5 < 40 < found.loc["ctx516 ctx517", "delay"] < 90
    assert completeness.pairs(figures.load(as_of=date(2023, 12, 31))).empty


def test_without_pairs_the_mean_delay_is_that_of_the_prior() -> None:
    rng = np.random.default_rng(1)
    between = np.abs(rng.normal(0, completeness.BETWEEN_SD, 400_000))
    drawn = rng.normal(np.log(completeness.MEDIAN_DAYS), np.hypot(completeness.LEVEL_SD, between))
    quantiles = completeness.mean_delay(completeness.pairs(figures.load(as_of=date(2022, 6, 1))))
    assert np.log(quantiles) == pytest.approx(np.quantile(drawn, completeness.BAND), abs=0.06)


@pytest.mark.parametrize("true", [5.0, 25.0])
def test_many_pairs_of_one_delay_tell_it_although_the_cases_come_by_another_law_of_delays(true: float) -> None:
    rng = np.random.default_rng([2, int(true)])
    rows = []
    for k in range(12):
        received = rng.integers(0, 365, 6000)
        posted = received + rng.gamma(1.5, true / 1.5, len(received))
        counted = 365 + int(rng.integers(0, 20))
        first, later = (posted < counted).sum(), (posted < 700).sum()
        start = pd.Timestamp("2023-01-01")
        rows.append(
            {
                "period_start": start, "period_end": start + pd.Timedelta(days=364),
                "later_end": start + pd.Timedelta(days=364), "counted": start + pd.Timedelta(days=counted - 1),
                "recounted": start + pd.Timedelta(days=699), "count": first, "recount_low": later,
                "recount_high": later, "k": k,
            }
        )  # fmt: skip
    low, middle, high = completeness.mean_delay(pd.DataFrame(rows))
    assert middle == pytest.approx(true, rel=0.4)
    assert 1 < high / low < 12


def test_a_report_expects_each_day_as_complete_as_it_is_when_it_is_counted() -> None:
    obs, bounds = reports(*MIXED), months("2022-10-01", "2024-07-01")
    found = truncation.expected(obs, bounds, 20.0)
    for row, (start, stop) in enumerate(zip(obs.start, obs.stop, strict=True)):
        counted, before = obs.counted[row]  # type: ignore[index]
        for period in range(len(bounds) - 1):
            total = 0.0
            for t in range(bounds[period], bounds[period + 1]):
                if start <= t < stop:
                    total += 1 - np.exp(-(counted - t + 0.5) / 20)
                elif t < start and before:
                    total += np.exp(-(before - t + 0.5) / 20) - np.exp(-(counted - t + 0.5) / 20)
            assert found[row, period] == pytest.approx(total / (bounds[period + 1] - bounds[period]), abs=1e-12)


def test_an_increment_of_a_steady_process_lacks_nothing_and_a_count_of_a_year_lacks_a_delay_of_cases() -> None:
    obs = reports(
        ("2023-01-01", "2023-12-31", 1.0, "2023-12-31", ""),
        ("2023-06-01", "2023-06-30", 1.0, "2023-06-30", "2023-05-31"),
    )
    bounds = months("2020-01-01", "2024-01-01")
    year, increment = truncation.expected(obs, bounds, 10.0) @ np.diff(bounds)
    assert year == pytest.approx(365 - 10, abs=0.1)
    assert increment == pytest.approx(30, abs=0.02)


def covers(obs: Observations, cells: lattice.Lattice) -> Floats:
    inside = [[a <= c.spans[0][0] and c.spans[-1][1] <= b for c in cells.cells]
              for a, b in zip(obs.start, obs.stop, strict=True)]  # fmt: skip
    return np.array(inside, np.float64)


@pytest.mark.parametrize("delay", [1.0, 4.0, 15.0])
def test_the_cells_of_each_report_add_up_to_what_it_expects_and_none_is_negative(delay: float) -> None:
    obs, bounds = reports(*MIXED), months("2022-10-01", "2024-07-01")
    cells = lattice.build(obs)
    found = truncation.weights(cells, obs, bounds, delay)
    assert (found >= 0).all()
    assert (found.sum(axis=1) > 0).all()
    assert covers(obs, cells) @ found == pytest.approx(truncation.expected(obs, bounds, delay), abs=0.02)


def test_where_all_is_posted_at_once_or_no_day_is_known_nothing_changes() -> None:
    obs, bounds = reports(*MIXED), months("2022-10-01", "2024-07-01")
    cells = lattice.build(obs)
    assert np.array_equal(truncation.weights(cells, obs, bounds, 0.0), prior.weights(cells, bounds))
    blind = replace(obs, counted=None)
    assert np.array_equal(truncation.weights(cells, blind, bounds, 30.0), prior.weights(cells, bounds))
    assert truncation.weights(cells, obs, bounds, 1e-9) == pytest.approx(prior.weights(cells, bounds), abs=1e-9)


def late(rng: np.random.Generator, mean: float, *, halves: bool = False) -> tuple[Observations, float]:
    """Monthly counts, each made two days after its month, of a process with lognormal delays; and its true total.

    With `halves` the second half of each year is one count, made ten months later.
    """
    bounds = months("2023-01-01", "2025-01-01")
    days = np.arange(bounds[0], bounds[-1])
    received = np.repeat(days, rng.poisson(20 * np.exp(0.7 * np.arange(len(days)) / 365)))
    posted = received + rng.lognormal(np.log(mean) - 0.5, 1.0, len(received))
    spans = [(k, k + 1, 1) for k in range(24) if not halves or k % 12 < 6]
    spans += [(6, 12, 300), (18, 24, 300)] if halves else []
    first, after, counted = np.array([(bounds[a], bounds[b], bounds[b] + wait) for a, b, wait in spans]).T
    seen = [
        ((received >= a) & (received < b) & (posted < c + 1)).sum()
        for a, b, c in zip(first, after, counted, strict=True)
    ]
    count, ids = np.array(seen, np.float64), tuple(f"F{k:03d}" for k in range(len(seen)))
    day = np.column_stack([counted, np.zeros_like(counted)])
    return Observations(ids, np.zeros(len(ids), np.int64), first, after, count, count, ("s",), counted=day), len(
        received
    )


def test_a_fit_with_the_delay_recovers_cases_that_counts_lacked_although_delays_follow_another_law() -> None:
    obs, true = late(np.random.default_rng(4), 10.0)
    plain, corrected = (composite.fit(obs, Spec(reporting_delay=delay)) for delay in (0.0, 10.0))
    assert isinstance(plain, Fit)
    assert isinstance(corrected, Fit)
    spans = [(date(2023, 1, 1), date(2024, 12, 31))]
    lacking = 1 - plain.totals(spans)["mean"].iloc[0] / true
    row = corrected.totals(spans).iloc[0]
    assert lacking > 0.15
    assert abs(1 - row["mean"] / true) < lacking / 3


def test_reports_of_the_data_carry_the_days_on_which_they_were_counted() -> None:
    data = figures.load()
    facts = figures.select(
        reconcile.latest(reconcile.facts(data)), articles="337", measures="cases_received_by_court",
        compilers="Mediazona", status=None,
    )  # fmt: skip
    posed = composite.pose(facts, data.figures)
    assert not isinstance(posed, Refused)
    obs, _ = posed
    assert obs.counted is not None
    known = {name.split("-")[0]: tuple(days) for name, days in zip(obs.ids, obs.counted.tolist(), strict=True)}
    assert known["F097"] == (day("2024-04-12"), 0)  # counted_on
    assert known["F158"] == (day("2024-12-27"), day("2023-03-21"))  # a running total less the first one
    assert obs.take([0, 2]).counted.tolist() == obs.counted[[0, 2]].tolist()  # type: ignore[union-attr]


def test_a_delay_that_cannot_be_is_refused_in_words() -> None:
    with pytest.raises(UserError, match="reporting_delay -1 is no mean delay in days"):
        composite.fit(reports(*MIXED), Spec(reporting_delay=-1))


def test_the_last_report_adds_what_the_totals_before_it_do_not_hold() -> None:
    obs = reports(*MIXED)
    assert delays.last_report(obs) == (4, 7200.0 - 5600.0)
    assert delays.last_report(obs.take([1, 0])) == (1, 4000.0 - 900.0)


def test_a_last_report_that_is_short_raises_the_last_month_and_none_before_the_last_but_one_total() -> None:
    found = composite.fit(reports(*MIXED))
    assert isinstance(found, Fit)
    table = delays.if_short(found, [0.05, 0.15])
    assert isinstance(table, pd.DataFrame)
    assert table["share"].tolist() == [0.0, 0.05, 0.15]
    assert table["mean"].is_monotonic_increasing
    assert table["mean"].iloc[2] / table["mean"].iloc[0] == pytest.approx(1.15, abs=0.1)
    assert (table["id"] == "F005").all()
    assert (table["days"] == 0).all()


def test_the_band_over_the_delay_holds_fits_at_rising_delays_that_pairs_and_reports_allow() -> None:
    obs, _ = late(np.random.default_rng(8), 12.0, halves=True)
    found = composite.fit(obs, Spec(reporting_delay=3.0))
    assert isinstance(found, Fit)
    pairs = completeness.pairs(figures.load())
    fits = delays.by_delay(found, pairs)
    assert not isinstance(fits, Refused)
    low, middle, high = (one.spec.reporting_delay for one in fits)
    assert 5 < low < middle < high < 40
    alone = completeness.mean_delay(pairs)
    assert high / low < alone[2] / alone[0] / 4
    blind = composite.fit(replace(obs, counted=None))
    assert isinstance(blind, Fit)
    assert isinstance(delays.by_delay(blind, pairs), Refused)


def test_the_evidence_at_a_delay_is_that_of_a_whole_fit_there() -> None:
    obs, _ = late(np.random.default_rng(8), 12.0, halves=True)
    found = composite.fit(obs, Spec(reporting_delay=3.0))
    assert isinstance(found, Fit)
    for delay in (3.0, 20.0):
        there = composite.fit(obs, Spec(reporting_delay=delay))
        assert isinstance(there, Fit)
        best = there.posterior.hyper[int(np.argmax(there.posterior.weight))]
        prior = hyper.Axes(there.spec, there.design).log_prior(np.log([best.tau, best.delta]))
        assert model.log_evidence(found, delay) == pytest.approx(there.log_marginal + prior, abs=0.03)


def test_the_evidence_is_searched_anew_where_the_search_from_the_fit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = composite.fit(reports(*MIXED))
    assert isinstance(found, Fit)
    begun: list[bool] = []
    highest = hyper.highest

    def fails_from_a_fit(fit: Any, start: Floats, scale: Floats, sd: Floats | None = None) -> float:
        begun.append(sd is not None)
        if sd is not None:
            raise ModeError("no mode")
        return highest(fit, start, scale, sd)

    near = model.log_evidence(found, 9.0)
    monkeypatch.setattr(hyper, "highest", fails_from_a_fit)
    assert model.log_evidence(found, 9.0) == pytest.approx(near, abs=0.03)
    assert begun == [True, False]
