"""The exact likelihood of coarsened counts against enumeration, closed forms and differences."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats
from support.likelihood import hessian as hessian_of
from support.likelihood import log_likelihood

from desertion.trends.composite import blocks, lattice, likelihood, nb1, windows
from desertion.trends.counts import Observations

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}


def reports(*rows: tuple[int, int, float, float], series: tuple[int, ...] | None = None) -> Observations:
    """Reports (start, stop, low, high) of days counted from 0."""
    at = np.array(rows, dtype=float)
    mine = np.zeros(len(rows), np.int64) if series is None else np.array(series)
    return Observations(
        tuple(f"r{i}" for i in range(len(rows))), mine, at[:, 0].astype(np.int64), at[:, 1].astype(np.int64),
        at[:, 2], at[:, 3], tuple(f"s{k}" for k in range(int(mine.max()) + 1)),
    )  # fmt: skip


def means(cells: lattice.Lattice, daily: np.ndarray) -> np.ndarray:
    return np.array([sum(daily[a:b].sum() for a, b in cell.spans) for cell in cells.cells])


def by_enumeration(obs: Observations, daily: np.ndarray, delta: float, largest: int) -> float:
    """Log of the sum over every table of daily counts up to `largest` that the reports allow."""
    one_day = [np.exp(nb1.evaluate(np.arange(largest + 1.0), np.full(largest + 1, m), delta)[0]) for m in daily]
    axes = np.meshgrid(*[np.arange(largest + 1)] * len(daily), indexing="ij", sparse=True)
    chance = np.ones([largest + 1] * len(daily))
    for t, axis in enumerate(axes):
        chance = chance * one_day[t][axis]
    for a, b, low, high in zip(obs.start, obs.stop, obs.low, obs.high, strict=True):
        total = sum(axes[t] for t in range(a, b))
        chance = chance * ((total >= low) & (total <= high))
    return float(np.log(chance.sum()))


def random_reports(rng: np.random.Generator, days: int, true: np.ndarray) -> Observations:
    """Overlapping reports that all hold of `true`, one of them covering every day."""
    rows = [(0, days, true.sum(), true.sum() + int(rng.integers(0, 3)))]
    for _ in range(int(rng.integers(1, 6))):
        a, b = sorted(rng.choice(days + 1, 2, replace=False))
        v = true[a:b].sum()
        spread = int(rng.integers(0, 3))
        rows.append((a, b, max(v - spread, 0), v + int(rng.integers(0, 3)) * (spread > 0)))
    return reports(*rows)


def test_equals_enumeration_of_every_table_for_overlapping_reports() -> None:
    rng = np.random.default_rng(20240320)
    sizes = set()
    for _ in range(120):
        true = rng.poisson(1.3, 5)
        obs = random_reports(rng, 5, true)
        cells = lattice.build(obs)
        if cells.held_out:
            continue
        daily, delta = rng.uniform(0.3, 3, 5), float(rng.choice([0.0, 0.4, 3.0]))
        got = log_likelihood(cells, means(cells, daily), delta)
        assert got == pytest.approx(by_enumeration(obs, daily, delta, int(obs.high.max())), abs=1e-12)
        sizes |= {b.size for b in cells.blocks}
    assert {1, 2, 3} <= sizes


def test_gradient_and_hessian_equal_central_differences() -> None:
    rng = np.random.default_rng(7)
    for delta in (0.0, 1.7):
        for _ in range(12):
            cells = lattice.build(random_reports(rng, 6, rng.poisson(3, 6)))
            m = means(cells, rng.uniform(1, 5, 6))
            value = likelihood.evaluate(cells, m, delta)
            gradient, hessian = np.empty(len(m)), np.empty((len(m), len(m)))
            for j in range(len(m)):
                step = np.zeros(len(m))
                step[j] = 1e-5 * m[j]
                up, down = (likelihood.evaluate(cells, m + s * step, delta) for s in (1, -1))
                gradient[j] = (up.loglik - down.loglik) / (2 * step[j])
                hessian[j] = (up.score - down.score) / (2 * step[j])
            np.testing.assert_allclose(value.score, gradient, atol=1e-8)
            np.testing.assert_allclose(hessian_of(value), hessian, atol=1e-8)
            jacobian = rng.standard_normal((len(m), 3))
            np.testing.assert_allclose(value.curvature(jacobian), jacobian.T @ hessian_of(value) @ jacobian, atol=1e-12)


def test_nb1_and_its_derivatives_equal_the_textbook_forms_down_to_the_poisson_limit() -> None:
    n, m = np.array([0.0, 1, 7, 60, 733, 14182]), np.array([0.2, 3.7, 9.0, 41.5, 700.0, 14000.0])
    for delta in (0.3, 4.0, 99.0):
        r = m / delta
        log_p, score, bend = nb1.evaluate(n, m, delta)
        np.testing.assert_allclose(log_p, stats.nbinom.logpmf(n, r, 1 / (1 + delta)), rtol=1e-10)
        exact = (special.psi(n + r) - special.psi(r) - np.log1p(delta)) / delta
        np.testing.assert_allclose(score, exact, atol=1e-11)
        exact = (special.polygamma(1, n + r) - special.polygamma(1, r)) / delta**2
        np.testing.assert_allclose(bend, exact, rtol=1e-9)
    near, poisson = nb1.evaluate(n, m, 1e-9), nb1.evaluate(n, m, 0.0)
    np.testing.assert_allclose(poisson[0], stats.poisson.logpmf(n, m), rtol=1e-12)
    for a, b in zip(near, poisson, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7)


def test_closed_forms_that_the_model_must_satisfy() -> None:
    case = CASES["R29-core-identities"]
    phi, (m1, m2), total = case["data"]["phi"], case["data"]["m"], case["data"]["n"]
    delta = phi - 1
    whole = lattice.build(reports((0, 2, total, total)))
    closure = log_likelihood(whole, np.array([m1 + m2]), delta)
    assert np.exp(closure) == pytest.approx(case["reference"]["closure"], rel=1e-10)
    by_hand = np.logaddexp.reduce(
        [nb1.evaluate(np.array([float(k), total - k]), np.array([m1, m2]), delta)[0].sum() for k in range(total + 1)]
    )
    assert closure == pytest.approx(by_hand, abs=1e-12)
    # the split given the total is beta-binomial (the case prints one log probability without its inputs)
    splits = []
    for k in range(total + 1):
        both = lattice.build(reports((0, 1, k, k), (0, 2, total, total)))
        splits.append(log_likelihood(both, np.array([m1, m2]), delta) - closure)
    beta = stats.betabinom.logpmf(np.arange(total + 1), total, m1 / delta, m2 / delta)
    np.testing.assert_allclose(splits, beta, atol=1e-11)
    rounded = lattice.build(reports((0, 1, 2250, 2299)))
    assert log_likelihood(rounded, np.array([2280.0]), 0.0) == pytest.approx(case["reference"]["interval"], abs=1e-10)
    assert log_likelihood(rounded, np.array([2280.0]), 2.0) == pytest.approx(-1.4376310922, abs=1e-9)
    score = likelihood.evaluate(rounded, np.array([2280.0]), 0.0).score[0]
    p = stats.poisson.pmf([2249, 2299], 2280)
    assert score == pytest.approx((p[0] - p[1]) / np.exp(case["reference"]["interval"]), rel=1e-9)


def test_two_counts_of_one_total_give_the_exact_conditional_test() -> None:
    split = lattice.build(reports((0, 1, 15, 15), (0, 2, 40, 40)))
    m = np.array([12.0, 31.0])
    conditional = log_likelihood(split, m, 0.0) - stats.poisson.logpmf(40, 43.0)
    assert conditional == pytest.approx(stats.binom.logpmf(15, 40, 12 / 43), abs=1e-12)


@pytest.mark.parametrize("delta", [0.0, 2.0])
def test_one_report_is_an_interval_censored_count(delta: float) -> None:
    law = stats.poisson(80.0) if delta == 0 else stats.nbinom(80.0 / delta, 1 / (1 + delta))
    for low, high in ((70, 79), (95, np.inf), (0, 60), (200, np.inf), (3, 9)):
        cells = lattice.build(reports((0, 1, low, high)))
        upper = 0.0 if np.isinf(high) else law.sf(high)
        exact = np.log(law.sf(low - 1) - upper) if low > 60 else np.log(law.cdf(high) - law.cdf(low - 1))
        assert log_likelihood(cells, np.array([80.0]), delta) == pytest.approx(exact, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("delta", [0.0, 1.5, 12.0])
def test_running_totals_that_cross_known_months_are_one_sum(delta: float) -> None:
    """Seven months of about 700 known, eight totals since a day inside the first: one number is free."""
    rng = np.random.default_rng(5)
    days = 210
    daily = rng.uniform(18, 28, days)
    counts = np.concatenate([[0], np.cumsum(nb1.sample(daily, delta, rng))])
    rows = [(30 * k, 30 * k + 30, counts[30 * k + 30] - counts[30 * k]) for k in range(7)]
    ends = [24, 45, 70, 110, 128, 160, 187, 209]
    rows += [(11, e, counts[e] - counts[11]) for e in ends]
    cells = lattice.build(reports(*[(a, b, v, v) for a, b, v in rows]))
    assert [b.size for b in cells.blocks] == [1]
    m = means(cells, daily)
    # by hand: x = cases of days 0 to 10 fixes every other count
    nodes = sorted({0, 11, *ends, *(30 * k for k in range(8))})
    x = np.arange(0, 700.0)
    level = {30 * k: np.full(len(x), counts[30 * k]) for k in range(8)}
    level |= {e: x + counts[e] - counts[11] for e in [11, *ends]}
    total = np.zeros(len(x))
    for a, b in itertools.pairwise(nodes):
        n = level[b] - level[a]
        mean = np.full(len(x), daily[a:b].sum())
        total += np.where(n >= 0, nb1.evaluate(np.maximum(n, 0), mean, delta)[0], -np.inf)
    assert log_likelihood(cells, m, delta) == pytest.approx(np.logaddexp.reduce(total), abs=1e-9)


WIDE = [(0, 12), (12, 24), (5, 14), (5, 20)]


@pytest.mark.parametrize("delta", [0.0, 2.0, 19.0])
@pytest.mark.parametrize("widths", [(99, 99), (5, 9), (999, 9)])
def test_sums_that_step_over_numbers_equal_full_sums(
    delta: float, widths: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wide and narrow bounds across interleaved exact totals of thousands."""
    rng = np.random.default_rng(11)
    daily = rng.uniform(300, 900, 24)
    c = np.concatenate([[0], np.cumsum(nb1.sample(daily, delta, rng))])
    rows = [(a, b, c[b] - c[a], c[b] - c[a]) for a, b in WIDE]
    for a, b, width in ((2, 12, widths[0]), (5, 22, widths[1])):
        low = (width + 1) * np.floor((c[b] - c[a]) / (width + 1))
        rows.append((a, b, low, low + width))
    cells = lattice.build(reports(*rows))
    assert not cells.held_out
    m = means(cells, daily)
    steps = [blocks.send(b, m[b.cells], delta) for b in cells.blocks]
    assert max(np.diff(g)[0] for message in steps for g in message.grid) > 3
    stepped = likelihood.evaluate(cells, m, delta)
    plain = windows.Steps
    monkeypatch.setattr(windows, "steps", lambda b, *_: plain(np.ones(b.size, np.int64), np.zeros(b.size, bool)))
    monkeypatch.setattr(windows, "LARGEST", 10**8)
    full = likelihood.evaluate(cells, m, delta)
    assert stepped.loglik == pytest.approx(full.loglik, abs=1e-8)
    np.testing.assert_allclose(stepped.score, full.score, atol=1e-10)
    np.testing.assert_allclose(hessian_of(stepped), hessian_of(full), atol=1e-10)


def test_the_answer_does_not_depend_on_how_finely_time_is_cut() -> None:
    """Reports that say nothing only add cells: NB1 is closed under adding periods."""
    rng = np.random.default_rng(3)
    daily = rng.uniform(2, 9, 12)
    base = [(0, 12, 70, 70), (3, 8, 20, 29), (5, 12, 35, 35)]
    coarse = lattice.build(reports(*base))
    fine = lattice.build(reports(*base, *[(k, k + 1, 0, np.inf) for k in range(0, 12, 3)]))
    assert len(fine.cells) > len(coarse.cells)
    for delta in (0.0, 3.0):
        a = log_likelihood(coarse, means(coarse, daily), delta)
        b = log_likelihood(fine, means(fine, daily), delta)
        assert a == pytest.approx(b, abs=1e-9)


def test_repeated_and_implied_reports_change_nothing() -> None:
    daily = np.array([4.0, 6.0, 5.0, 7.0])
    base = reports((0, 4, 21, 21), (0, 2, 9, 9))
    more = reports((0, 4, 21, 21), (0, 2, 9, 9), (2, 4, 12, 12), (0, 4, 21, 21), (0, 4, 20, 29))
    a, b = lattice.build(base), lattice.build(more)
    assert log_likelihood(a, means(a, daily), 0.7) == log_likelihood(b, means(b, daily), 0.7)
    assert a.informative == b.informative == 2


def test_series_do_not_constrain_each_other() -> None:
    both = reports((0, 2, 5, 5), (0, 2, 9, 9), series=(0, 1))
    cells = lattice.build(both)
    assert cells.counts.tolist() == [5, 9]
    assert not cells.blocks


@pytest.mark.parametrize(
    ("rows", "guilty"),
    [
        ([(0, 4, 10, 10), (0, 2, 6, 6), (2, 4, 5, 5), (0, 1, 2, 2)], [0, 1, 2]),
        ([(0, 4, 10, 19), (1, 3, 25, 29), (0, 9, 90, 90)], [0, 1]),
        ([(0, 2, 6, 6), (0, 2, 7, 7), (3, 4, 1, 1)], [0, 1]),
        ([(0, 5, 50, 50), (0, 2, 20, 24), (2, 4, 20, 24), (4, 5, 0, 1)], [0, 1, 2, 3]),
    ],
)
def test_contradicting_reports_are_named(rows: list[tuple[int, int, float, float]], guilty: list[int]) -> None:
    with pytest.raises(lattice.ContradictionError) as error:
        lattice.build(reports(*rows))
    assert error.value.reports == guilty


def test_reports_that_agree_are_never_called_contradictory() -> None:
    rng = np.random.default_rng(9)
    for _ in range(60):
        lattice.build(random_reports(rng, 9, rng.poisson(20, 9)))


def test_a_report_that_no_tree_can_hold_is_held_out_and_the_rest_keeps_its_value() -> None:
    """Two interleaved exact totals and two rounded ones across them leave three numbers that all meet."""
    rows = [(0, 6, 40, 40), (2, 9, 44, 48), (4, 9, 30, 30), (0, 3, 15, 24)]
    cells = lattice.build(reports(*rows))
    assert cells.held_out == (1,)
    again = lattice.build(reports(*rows).take([0, 2, 3]))
    assert not again.held_out
    m = means(cells, np.full(9, 6.0))
    assert log_likelihood(cells, m, 0.5) == log_likelihood(again, m, 0.5)


def test_draws_satisfy_the_reports_and_have_the_conditional_means() -> None:
    rng = np.random.default_rng(4)
    obs = reports((0, 6, 40, 40), (4, 9, 30, 30), (2, 3, 3, 7), (4, 6, 5, 14))
    cells = lattice.build(obs)
    daily = np.full(9, 6.0)
    m = means(cells, daily)
    counts = likelihood.sample(cells, m, 1.0, 40_000, rng)
    for i in range(len(obs)):
        inside = [j for j, cell in enumerate(cells.cells) if obs.start[i] <= cell.spans[0][0] < obs.stop[i]]
        total = counts[:, inside].sum(axis=1)
        assert (total >= obs.low[i]).all()
        assert (total <= obs.high[i]).all()
    assert (counts >= 0).all()
    # E[n | reports] from the derivative of the likelihood by a tilt of the mean: d log L / d log m = m E[s]
    value = likelihood.evaluate(cells, m, 1.0)
    tilted = np.array([nb1.evaluate(counts[:, j], np.full(len(counts), m[j]), 1.0)[1].mean() for j in range(len(m))])
    np.testing.assert_allclose(tilted, value.score, atol=0.01)


def test_draws_of_the_blocks_that_are_wanted_do_not_depend_on_the_others() -> None:
    obs = reports((0, 3, 8, 9), (0, 6, 40, 40), (6, 7, 3, 8), (6, 9, 20, 20))
    cells = lattice.build(obs)
    assert len(cells.blocks) == 2
    m = means(cells, np.full(9, 6.0))
    every = likelihood.sample(cells, m, 1.0, 30, np.random.default_rng(5))
    for block, other in (cells.blocks, cells.blocks[::-1]):
        wanted = np.zeros(len(m), bool)
        wanted[block.cells[0]] = True
        drawn = likelihood.sample(cells, m, 1.0, 30, np.random.default_rng(5), wanted)
        np.testing.assert_array_equal(drawn[:, block.cells], every[:, block.cells])
        assert np.isnan(drawn[:, other.cells]).all()
