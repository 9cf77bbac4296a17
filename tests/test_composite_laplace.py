"""Newton, Laplace and the hyper-parameters' grid against published results and statsmodels."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import interpolate, stats

from desertion.trends.composite import hyper, laplace, lattice
from desertion.trends.counts import Observations

CASES = {c["id"]: c for c in json.loads((Path(__file__).parent / "reference_cases.json").read_text())["cases"]}


def disjoint(counts: np.ndarray, edges: np.ndarray) -> lattice.Lattice:
    """One exact count from each edge to the next."""
    n, at = np.asarray(counts, dtype=float), np.asarray(edges)
    ids = tuple(map(str, range(len(n))))
    return lattice.build(Observations(ids, np.zeros(len(n), np.int64), at[:-1], at[1:], n, n, ("s",)))


def problem(cells: lattice.Lattice, weights: np.ndarray, path: np.ndarray, precision: np.ndarray, delta: float = 0.0):
    rows, p = path.shape
    return laplace.Problem(
        cells, weights, path, np.zeros(rows), np.zeros((len(cells.cells), 0)), np.zeros(p), precision, delta
    )


def series(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    t = np.arange(1.0, n + 1)
    X = np.column_stack([np.ones(n), t, t > n / 2])
    return X, stats.nbinom(5, 0.1).rvs(n, random_state=rng) + rng.poisson(np.exp(1 + 0.03 * t))


def test_without_a_walk_it_is_the_poisson_regression_of_statsmodels() -> None:
    import statsmodels.api as sm

    X, y = series()
    glm = sm.GLM(y, X, family=sm.families.Poisson()).fit(tol=1e-14, maxiter=200)
    fitted = laplace.mode(problem(disjoint(y, np.arange(41)), np.eye(40), X, np.zeros(3)), np.array([3.0, 0, 0]))
    np.testing.assert_allclose(fitted.theta, glm.params, atol=1e-10)
    np.testing.assert_allclose(fitted.covariance(), glm.cov_params(), rtol=1e-8)
    assert fitted.loglik == pytest.approx(glm.llf, abs=1e-10)


def test_without_a_walk_it_is_the_nb1_regression_of_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    X, y = series()
    model = NegativeBinomial(y, X, loglike_method="nb1")
    rough = model.fit(start_params=[3.0, 0.0, 0.0, 4.0], method="bfgs", disp=0, maxiter=5000, gtol=1e-7)
    delta = float(rough.params[-1])
    cells = disjoint(y, np.arange(41))
    fitted = laplace.mode(problem(cells, np.eye(40), X, np.zeros(3), delta), np.array([3.0, 0, 0]))
    np.testing.assert_allclose(fitted.theta, rough.params[:-1], atol=1e-5)  # as far as its optimiser goes
    exact = model.fit(start_params=rough.params, method="newton", disp=0, maxiter=100, tol=1e-12)
    same = laplace.mode(problem(cells, np.eye(40), X, np.zeros(3), float(exact.params[-1])), fitted.theta)
    np.testing.assert_allclose(same.theta, exact.params[:-1], atol=1e-9)
    mine = np.array([*fitted.theta, delta])
    assert fitted.loglik == pytest.approx(model.loglike(mine), abs=1e-10)
    np.testing.assert_allclose(model.score(mine)[:-1], 0.0, atol=1e-3)  # differences, in statsmodels
    np.testing.assert_allclose(fitted.factor @ fitted.factor.T, -model.hessian(mine)[:-1, :-1], rtol=1e-6)


def test_derivatives_by_the_parameters_equal_differences() -> None:
    rng = np.random.default_rng(8)
    rows = [(0, 6, 40, 40), (4, 9, 30, 30), (2, 3, 3, 7), (4, 6, 5, 14), (0, 5, 30, 60)]
    at = np.array(rows, dtype=float)
    obs = Observations(
        tuple("abcde"), np.array([0, 0, 0, 0, 1]), at[:, 0].astype(int), at[:, 1].astype(int), at[:, 2], at[:, 3],
        ("s", "t"),
    )  # fmt: skip
    cells = lattice.build(obs)
    share = np.zeros((len(cells.cells), 3))
    for row, cell in zip(share, cells.cells, strict=True):
        for a, b in cell.spans:
            row += np.array([max(0, min(b, 3 * k + 3) - max(a, 3 * k)) for k in range(3)])
    factors = np.array([[float(c.series)] for c in cells.cells])
    posed = laplace.Problem(
        cells, share, np.tri(3), np.zeros(3), factors, np.zeros(4), np.array([0.1, 4.0, 4.0, 4.0]), 0.8
    )
    theta = np.array([1.5, 0.2, -0.3, 0.1]) + 0.1 * rng.standard_normal(4)
    _, gradient, hessian, _ = laplace.derivatives(posed, theta)
    by_difference, bend = np.empty(4), np.empty((4, 4))
    for j in range(4):
        step = 1e-5 * np.eye(4)[j]
        up, down = laplace.derivatives(posed, theta + step), laplace.derivatives(posed, theta - step)
        by_difference[j] = (up[0].loglik - down[0].loglik) / 2e-5
        bend[j] = (up[1] - down[1]) / 2e-5
    np.testing.assert_allclose(gradient, by_difference, atol=2e-8)
    np.testing.assert_allclose(hessian, bend, atol=2e-7)


@pytest.mark.parametrize("level", [-6.0, 0.0, 6.0, 14.0])
def test_newton_finds_the_mode_from_far_away(level: float) -> None:
    rows = [(0, 6, 400, 400), (4, 9, 300, 300), (2, 3, 60, 69), (7, 8, 70, np.inf)]
    at = np.array(rows, dtype=float)
    obs = Observations(
        tuple("abcd"), np.zeros(4, np.int64), at[:, 0].astype(int), at[:, 1].astype(int), at[:, 2], at[:, 3], ("s",)
    )
    cells = lattice.build(obs)
    share = np.array([[sum(a <= t < b for a, b in c.spans) for t in range(9)] for c in cells.cells], dtype=float)
    posed = problem(cells, share, np.tri(9), np.array([0.01, *[25.0] * 8]), 1.0)
    best = laplace.mode(posed, np.array([level, *[0.0] * 8]))
    near = laplace.mode(posed, np.array([4.2, *[0.0] * 8]))
    np.testing.assert_allclose(best.theta, near.theta, atol=1e-11)
    np.testing.assert_allclose(best.factor, near.factor, rtol=1e-9, atol=1e-9)


def test_a_penalty_alone_on_exact_disjoint_sums_is_the_pclm_of_eilers() -> None:
    """R package ungroup, vignette: P-splines on single years of age behind 19 age groups."""
    case = CASES["R25-pclm-ungroup"]
    last = case["data"]["x"][-1] + case["data"]["nlast"]
    edges = np.array([*case["data"]["x"], last, last + 1], dtype=int)  # the package adds a group with one count
    y = np.array([*case["data"]["y"], 1.0])
    ages = np.arange(edges[-1])
    width = ages[-1] - ages[0]
    low, high, pieces = -0.01 * width, ages[-1] + 0.01 * width, len(ages) // 2
    step = (high - low) / pieces
    knots = low + step * np.arange(-3, pieces + 4)
    basis = interpolate.BSpline.design_matrix(ages.astype(float), knots, 3).toarray()
    difference = np.diff(np.eye(basis.shape[1]), n=2, axis=0)
    share = np.array([(ages >= a) & (ages < b) for a, b in itertools.pairwise(edges)], dtype=float)
    posed = problem(disjoint(y, edges), share, basis, np.sqrt(0.1) * difference.T @ difference)
    best = laplace.mode(posed, np.full(basis.shape[1], np.log(y.sum() / len(ages))))
    fit = np.exp(basis @ best.theta)
    inner = fit[:-1] + (fit[-1] - 1) * fit[:-1] / fit[:-1].sum()
    np.testing.assert_allclose(inner[:6], case["reference"]["fit6"], atol=2e-5)
    grouped = share @ fit
    deviance = 2 * float((y * np.log(y / grouped)).sum())
    jacobian = (share * fit) @ basis
    weighted = jacobian.T @ (jacobian / grouped[:, None])
    spent = float(np.trace(np.linalg.solve(weighted + posed.precision, weighted)))
    assert deviance + 2 * spent == pytest.approx(case["reference"]["aic"], abs=case["atol"])
    assert deviance + np.log(len(y)) * spent == pytest.approx(case["reference"]["bic"], abs=case["atol"])


def test_a_gaussian_process_instead_of_the_walk_reproduces_the_gold_draws() -> None:
    """posteriordb gp_pois_regr: within 0.15 posterior sd is asked of Laplace, its mean to the next order is nearer."""
    case = CASES["R24-posteriordb-gp-poisson"]
    x, k = np.array(case["data"]["x"], dtype=float), np.array(case["data"]["k"], dtype=float)
    cells = disjoint(k, np.arange(12))

    def posed(psi: np.ndarray) -> laplace.Problem:
        rho, alpha = np.exp(psi)
        kernel = alpha**2 * np.exp(-((x[:, None] - x) ** 2) / (2 * rho**2)) + 1e-10 * np.eye(11)
        return problem(cells, np.eye(11), np.linalg.cholesky(kernel), np.ones(11))

    def fit(psi: np.ndarray, start: np.ndarray | None) -> tuple[laplace.Mode, float]:
        best = laplace.mode(posed(psi), np.zeros(11))
        prior = stats.gamma.logpdf(np.exp(psi[0]), 25, scale=1 / 4) + stats.norm.logpdf(np.exp(psi[1]), 0, 2)
        return best, best.log_marginal + float(prior + psi.sum())

    nodes = hyper.integrate(fit, np.log([6.0, 2.5]), np.array([0.2, 0.5]))
    weight = np.array([n.weight for n in nodes])
    mode = weight @ np.array([posed(n.psi).path @ n.mode.theta for n in nodes])
    mean = weight @ np.array([posed(n.psi).path @ laplace.posterior_mean(posed(n.psi), n.mode) for n in nodes])
    gold = np.array(case["reference"]["mean"])
    sd = {0: 0.152, 5: 0.266, 10: 0.163}  # f1, f6, f11, as the case's note gives them
    for place, spread in sd.items():
        assert abs(mode[place] - gold[2 + place]) < 0.15 * spread
        assert abs(mean[place] - gold[2 + place]) < 0.03 * spread
    assert np.abs(mean - gold[2:]).max() < 0.01
    for got, want, spread in zip(weight @ np.exp([n.psi for n in nodes]), gold[:2], (0.679, 0.793), strict=True):
        assert abs(got - want) < 0.15 * spread


def test_the_posterior_mean_to_the_next_order_equals_differences_of_the_gradient() -> None:
    rng = np.random.default_rng(6)
    y = rng.poisson(60, 5).astype(float)
    share = np.kron(np.eye(5), np.ones(3)) / 3
    for delta, tolerance in ((0.0, 1e-5), (4.0, 1e-5)):
        precision = np.array([0.01, *[12.0] * 14])
        posed = problem(disjoint(y, np.arange(6)), share, np.tri(15), precision, delta)
        best = laplace.mode(posed, np.array([4.0, *[0.0] * 14]))
        root, turn = best.root(), np.zeros(15)
        for axis in root.T:
            up, down = (laplace.derivatives(posed, best.theta + s * 0.01 * axis)[1] for s in (1, -1))
            turn += (up + down - 2 * laplace.derivatives(posed, best.theta)[1]) / 1e-4
        by_difference = 0.5 * best.covariance() @ turn
        assert np.abs(by_difference).max() > 1e-3
        np.testing.assert_allclose(laplace.posterior_mean(posed, best) - best.theta, by_difference, atol=tolerance)


def test_the_grid_integrates_a_known_surface() -> None:
    """A skewed log density in two dimensions: mean and variance from the nodes."""
    covariance = np.array([[0.3, -0.2], [-0.2, 0.5]])
    inverse = np.linalg.inv(covariance)

    def fit(psi: np.ndarray, start: np.ndarray | None) -> tuple[laplace.Mode, float]:
        mode = laplace.Mode(psi, 0.0, np.eye(2), 0.0)
        return mode, float(-0.5 * (psi - 1) @ inverse @ (psi - 1))

    nodes = hyper.integrate(fit, np.array([-1.0, 2.5]), np.ones(2))
    weight, psi = np.array([n.weight for n in nodes]), np.array([n.psi for n in nodes])
    mean = weight @ psi
    np.testing.assert_allclose(mean, 1.0, atol=0.02)
    np.testing.assert_allclose((psi - mean).T @ ((psi - mean) * weight[:, None]), covariance, rtol=0.06)


@given(
    shape=st.lists(st.floats(6, 40), min_size=1, max_size=3),
    lean=st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3),
    turn=st.floats(-0.6, 0.6),
)
def test_points_left_out_unseen_lie_outside_the_grid(shape: list[float], lean: list[float], turn: float) -> None:
    """Skewed densities (log gamma along each axis, which lean either way, correlated): the nodes are the same."""
    d = len(shape)
    mix = np.eye(d) + turn * np.eye(d, k=1)
    calls: list[int] = []

    def fit(psi: np.ndarray, start: np.ndarray | None) -> tuple[laplace.Mode, float]:
        calls.append(1)
        x = mix @ psi * np.where(np.array(lean[:d]) < 0, -1, 1)
        return laplace.Mode(psi, 0.0, np.eye(d), 0.0), float((np.array(shape) * (x - np.exp(x))).sum())

    def nodes() -> list[hyper.Node]:
        calls.clear()
        return hyper.integrate(fit, np.array(lean[:d]), np.ones(d))

    spared, few = nodes(), len(calls)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hyper, "_expected", lambda reached, place: np.inf)
        every, all_ = nodes(), len(calls)
    assert few <= all_
    np.testing.assert_array_equal([n.psi for n in spared], [n.psi for n in every])
    np.testing.assert_allclose([n.weight for n in spared], [n.weight for n in every], rtol=1e-12)
