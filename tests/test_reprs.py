"""What a cell shows that ends in an object of the package: a few lines, no arrays, and HTML that is escaped."""

import re
from typing import Any

import pytest

from desertion import figures, plots, reconcile
from desertion.trends import Refused, composite, regression, terms
from desertion.trends.counts import Observations, observations
from desertion.trends.grid import annual


@pytest.fixture(scope="module")
def data() -> figures.Data:
    return figures.load()


@pytest.fixture(scope="module")
def facts(data: figures.Data) -> Any:
    scope = ["whole", "mobilisation_parts"]
    return figures.select(
        reconcile.latest(reconcile.facts(data)), articles="337", measures="cases_received_by_court",
        compilers="Mediazona", scope=scope, status=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reports(data: figures.Data, facts: Any) -> Observations:
    return observations(facts, data.figures)


def test_a_refusal_gives_its_reason_and_what_it_needs() -> None:
    assert repr(Refused("too few counts", "eight")) == "Refused: too few counts (needs: eight)"
    assert f"{Refused('too few counts', '')}" == "too few counts"


def test_reports_give_their_number_days_and_series(reports: Observations) -> None:
    few = reports.take([0, 1])
    assert re.fullmatch(r"Observations: 2 reports, 20\d\d-\d\d-\d\d to 20\d\d-\d\d-\d\d( \(.*\))?", repr(few))
    assert repr(reports.take([])).startswith("Observations: 0 reports")
    assert reports.take(range(20))._repr_html_().count("<tr") == 21
    assert reports._repr_html_().count("<tr") == 22, "of many the first and the last ten, and a row of dots"


def test_a_fit_says_what_was_fitted_and_shows_its_summary(reports: Observations) -> None:
    fit = composite.fit(reports)
    assert isinstance(fit, composite.Fit)
    assert re.match(rf"Fit of \d+ months \(trend smooth, 95% intervals\) to {len(reports)} reports, 20", repr(fit))
    html = fit._repr_html_()
    assert "<th>quantity</th>" in html
    assert "array(" not in html
    checks = composite.diagnose(fit)
    assert repr(checks).startswith(f"Diagnosis of {len(reports)} reports: p_uniform 0.")
    assert "<th>residual</th>" in checks._repr_html_()


def test_a_regression_gives_each_coefficient_with_its_interval() -> None:
    grid = annual([2018, 2019, 2020, 2021], [100, 120, 150, 160])
    one = regression.fit_trend(grid, terms.parse("linear"), "poisson")
    assert isinstance(one, regression.Regression)
    first, *lines = repr(one).splitlines()
    assert first == "Regression: poisson, 4 counts, dispersion 1, log scale"
    assert all(re.fullmatch(r"  [\w ()]+: -?[\d.]+ \(-?[\d.]+ to -?[\d.]+\)", line) for line in lines[: len(one.names)])


def test_a_plot_gives_its_title_and_what_its_table_needs() -> None:
    assert repr(plots.growth).startswith("plots.growth: ")
    assert "period_start" in repr(plots.long_view)
    assert all(len(repr(plot)) < 700 for plot in plots.PLOTS.values())
