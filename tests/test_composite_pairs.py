"""The sums over a pair of free numbers: as correlations they are those of the matrix that is never made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion.trends.composite import pairs
from desertion.trends.composite.windows import Span


@st.composite
def problems(draw: st.DrawFn) -> tuple[pairs.LinkTable, Span, np.ndarray, np.ndarray, np.ndarray, bool, int]:
    """Table, span, the values of parent and child, the child's belief, whether each difference leads to one, its step.

    Either both lie on the lattice of the differences, the child on every point of it, or the child on a coarser one.
    """
    step, stride, coarse = (draw(st.sampled_from(each)) for each in ([1, 2, 4], [1, 2, 8, 64], [1, 1, 4]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first, count = draw(st.integers(-20, 20)), draw(st.integers(1, 30))
    above = 5.0 + step * stride * np.sort(rng.choice(12, draw(st.integers(1, 12)), replace=False))
    # on the lattice that parents and differences lead to, in part outside of what they reach, with holes
    start = above[0] + first + step * draw(st.integers(-8, 8))
    length = int((above[-1] - above[0]) / step) + count + draw(st.integers(-4, 8))
    places = coarse * np.arange(max(length // coarse, 3))
    below = start + step * places[rng.random(len(places)) < draw(st.sampled_from([0.4, 1.0]))]
    if not len(below):
        below = start + step * places[:1].astype(float)
    spread = draw(st.sampled_from([1, 30, 300]))
    belief = np.where(rng.random(len(below)) < 0.1, -np.inf, spread * rng.standard_normal(len(below)))
    score, bend = rng.standard_normal((2, 2, count + 1))
    log = np.append(spread * rng.standard_normal(count), -np.inf)
    span = Span(first, first + step * (count - 1), step)
    return pairs.LinkTable(log, score, bend), span, above, below, belief, coarse == 1, step * coarse


@settings(max_examples=200)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_correlations_give_what_the_matrix_gives(problem, seed: int) -> None:  # type: ignore[no-untyped-def]
    table, span, above, below, belief, few, grain = problem
    matrix, slow = pairs._matrix(table, span, above, below, belief, few, grain)
    law = pairs._sliding(table, span, above, below, belief, few)
    if law is None:
        far = above[-1] - above[0] > pairs._SPARSE * span.step * len(above)
        small = slow[np.isfinite(slow)] - table.log.max() - belief.max()
        assert far or np.isneginf(belief).all() or small.min() < np.log(pairs._LEAST) + 1e-6
        return
    sliding, fast = law
    np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-12)
    rng = np.random.default_rng(seed)
    chance, rows = rng.dirichlet(np.ones(len(above))), rng.standard_normal((3, len(below)))
    differences = rng.standard_normal((2, len(table.log)))
    close = {"rtol": 1e-11, "atol": 1e-14}
    # what no difference reaches has probability 0 in the matrix's last column
    expected = matrix.chance(chance)[: len(table.log) - 1]
    np.testing.assert_allclose(sliding.chance(chance), expected, **close)
    np.testing.assert_allclose(sliding.down(chance), matrix.down(chance), **close)
    np.testing.assert_allclose(sliding.lift(rows), matrix.lift(rows), **close)
    parents = rng.integers(0, len(above), 5)
    np.testing.assert_allclose(sliding.laws(parents), matrix.laws(parents), **close)
    same = differences[:, : len(matrix.table.log)]
    np.testing.assert_allclose(sliding.expect(differences[:, :-1]), matrix.expect(same), **close)
    np.testing.assert_allclose(sliding.side(differences[:, :-1], chance), matrix.side(same, chance), **close)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), step=st.sampled_from([2, 3, 8]), count=st.integers(1, 20), every=st.booleans())
def test_values_between_the_differences_lattice_are_summed_on_a_finer_one(
    seed: int, step: int, count: int, every: bool
) -> None:
    rng = np.random.default_rng(seed)
    above = np.arange(6.0) if every else np.sort(rng.choice(60, 6, replace=False)).astype(float)
    below = np.arange(-3.0, above[-1] + step * count)
    score, bend = rng.standard_normal((2, 2, count + 1))
    table = pairs.LinkTable(np.append(rng.standard_normal(count), -np.inf), score, bend)
    span = Span(1, 1 + step * (count - 1), step)
    problem = table, span, above, below, rng.standard_normal(len(below))
    law = pairs._sliding(*problem, few=True)
    matrix, slow = pairs._matrix(*problem, few=True, grain=1)
    assert law is not None
    sliding, fast = law
    np.testing.assert_allclose(fast, slow, rtol=1e-12)
    chance, rows = rng.dirichlet(np.ones(len(above))), rng.standard_normal((3, len(below)))
    values = sliding.table.score, matrix.table.score
    np.testing.assert_allclose(sliding.down(chance), matrix.down(chance), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(sliding.lift(rows), matrix.lift(rows), rtol=1e-12, atol=1e-15)
    for one, other in (
        (sliding.laws(np.arange(6)), matrix.laws(np.arange(6))),
        (sliding.expect(values[0]), matrix.expect(values[1])),
        (sliding.side(values[0], chance), matrix.side(values[1], chance)),
        (values[0] @ sliding.chance(chance), values[1] @ matrix.chance(chance)),
    ):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)


def test_logarithms_that_span_too_much_are_summed_as_logarithms() -> None:
    table = pairs.LinkTable(np.array([0.0, -900.0, -np.inf]), np.zeros((1, 3)), np.zeros((1, 3)))
    above, below = np.arange(3.0), np.arange(4.0)
    law, message = pairs.pair(table, Span(0, 1, 1), above, below, np.array([-np.inf, -np.inf, 0.0, 0.0]), True, 1)
    assert isinstance(law, pairs.Matrix)
    assert message.tolist() == [-np.inf, -900.0, 0.0]
    assert law.down(np.array([0.0, 1.0, 0.0])).tolist() == pytest.approx([0, 0, 1, 0])
