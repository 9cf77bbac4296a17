"""The multiverse: combinations drawn fairly, each fitted as it would be alone, refusals among them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import figures, reconcile
from desertion.errors import UserError
from desertion.trends import Refused, composite, multiverse
from desertion.trends.counts import Observations

OPTIONS = {"reading": ["rounding", "one-sided"], "phi": ["1", "5", "20"], "walk": ["1", "2"]}


def monthly(counts: list[float], name: str = "cases") -> Observations:
    start = [date(2021 + k // 12, k % 12 + 1, 1).toordinal() for k in range(len(counts) + 1)]
    n = np.array(counts)
    ids = tuple(f"F{k:03d}" for k in range(len(counts)))
    return Observations(ids, np.zeros(len(n), np.int64), np.array(start[:-1]), np.array(start[1:]), n, n, (name,))


TWO_YEARS = monthly([20, 22, 19, 25, 27, 24, 30, 33, 31, 36, 35, 40, 44, 43, 49, 52, 50, 58, 61, 66, 64, 70, 77, 75])


@given(st.integers(1, 20), st.integers(0, 5))
def test_combinations_are_distinct_in_order_and_the_same_each_time(n: int, seed: int) -> None:
    drawn = multiverse.combinations(OPTIONS, n, seed)
    assert len(drawn) == min(n, 12)
    assert len({tuple(c.values()) for c in drawn}) == len(drawn)
    whole = multiverse.combinations(OPTIONS, 12, 0)
    assert [whole.index(c) for c in drawn] == sorted(whole.index(c) for c in drawn)
    assert drawn == multiverse.combinations(OPTIONS, n, seed)


def test_no_combination_or_no_option_is_an_error() -> None:
    with pytest.raises(UserError, match="at least 1"):
        multiverse.combinations(OPTIONS, 0, 1)
    with pytest.raises(UserError, match="option"):
        multiverse.combinations(OPTIONS | {"none": []}, 3, 1)


def test_each_factor_is_that_of_its_own_fit_wherever_the_batch_began() -> None:
    specs = [composite.Spec(tau=tau, phi=phi) for tau in (0.1, 0.3) for phi in (1.0, 2.0, 5.0)]
    chosen = [multiverse.Specification({"k": str(k)}, TWO_YEARS, spec) for k, spec in enumerate(specs)]
    table = multiverse.growth(chosen, 2021, 2022)
    for row, spec in zip(table.itertuples(), specs, strict=True):
        alone = composite.fit(TWO_YEARS, spec)
        assert isinstance(alone, composite.Fit)
        growth = alone.growth(2021, 2022)
        assert isinstance(growth, dict)
        expected = growth["ratio"], growth["low"], growth["high"]
        assert (row.ratio, row.low, row.high) == pytest.approx(expected, rel=1e-4)


def test_a_combination_becomes_the_reports_and_the_model_that_it_names() -> None:
    data = figures.load()
    facts = {rule: reconcile.latest(reconcile.facts(data, rule=rule)) for rule in ("own-page-first", "latest-first")}
    own = {
        "counted": "cases", "running totals": "less the first", "bounds": "rounding", "statement": "own-page-first",
        "window": "all", "break": "none", "dispersion": multiverse.ESTIMATED, "smoothness": multiverse.ESTIMATED,
    }  # fmt: skip
    others = [own | {"dispersion": "20", "smoothness": "rough"}, own | {"running totals": "whole", "counted": "later"}]
    one, fixed, later = multiverse.specifications(
        [own, *others],
        {rule: part[part["articles"].eq("337")] for rule, part in facts.items()},
        data.figures,
        counted={
            "cases": (["cases_received_by_court"], ["Mediazona"], None),
            "later": (["cases_received_by_court", "verdicts"], ["Mediazona"], 1.0),
        },
        totals={"less the first": ("rebased", None), "whole": ("drop", "whole")},
        windows={"all": date(2025, 12, 31)},
        breaks={"none": "smooth"},
        smooth={"rough": (2, 0.6)},
        level=0.8,
    )
    assert one.reports is fixed.reports
    assert (one.model.phi, one.model.tau, one.model.order, one.model.level) == (None, None, 1, 0.8)
    assert (fixed.model.phi, fixed.model.tau, fixed.model.order) == (20.0, 0.6, 2)
    assert isinstance(one.reports, Observations)
    assert isinstance(later.reports, Observations)
    assert later.model.delay == 1.0
    assert later.model.delayed == ("verdicts",)
    assert not any("-" in name for name in later.reports.ids)


def test_the_curve_is_rounded_and_leaves_out_what_has_no_reports() -> None:
    rows = [
        multiverse.Specification({"k": "fits"}, TWO_YEARS, composite.Spec(tau=0.1, phi=1.0)),
        multiverse.Specification({"k": "none"}, Refused("nothing printed", "a statement"), composite.Spec()),
    ]
    table = multiverse.growth(rows, 2021, 2022)
    (row,) = multiverse.curve(table, ["k"], 0.9).to_dict("records")
    assert row["factor"] == round(table["ratio"][0], 2)
    assert (row["choices"], row["main"], row["refused"], row["level"]) == ("k: fits", True, False, 90)
    (refusal,) = multiverse.refusals(table).to_dict("records")
    assert refusal == {"refused": "nothing printed", "needs": "a statement", "specifications": 1}


def test_factors_that_all_combinations_refuse_are_neither_drawn_nor_summed_up() -> None:
    refused = multiverse.Specification({"k": "none"}, Refused("nothing printed", "a statement"), composite.Spec())
    one = multiverse.Specification({"k": "fits"}, TWO_YEARS, composite.Spec(tau=0.1, phi=1.0))
    few = multiverse.Specification({"k": "few"}, monthly([20.0, 22.0, 19.0]), composite.Spec(tau=0.1, phi=1.0))
    nothing = multiverse.growth([few, refused, refused], 2021, 2022)
    assert multiverse.curve(nothing, ["k"], 0.9).empty
    lacking = multiverse.spread(nothing, ["k"])
    assert str(lacking) == (
        "none of the 3 combinations of choices gives a factor; mostly, nothing printed (needs: a statement)"
    )
    assert len(multiverse.curve(multiverse.growth([few, one], 2021, 2022), ["k"], 0.9)) == 2


def test_the_spread_of_the_factors_names_the_choice_that_moves_them_most() -> None:
    columns = ["a", "b", "ratio", "low", "high", "refused", "needs", "ids"]
    rows = [
        ("x", "1", 8.0, 5.0, 9.0, "", "", "F1 F2"), ("x", "2", 8.2, 5.5, 9.0, "", "", "F2"),
        ("y", "1", 6.0, 4.0, 9.0, "", "", "F3"), ("y", "2", np.nan, np.nan, np.nan, "few", "more", "F3"),
    ]  # fmt: skip
    spread = multiverse.spread(pd.DataFrame(rows, columns=columns), ["a", "b"])
    assert not isinstance(spread, Refused)
    assert spread[:7] == (3, 1, 6.0, 8.2, 4.0, "a", 6.0)
    assert (spread.b, spread.other) == (pytest.approx(8.1), pytest.approx(100 * (8.2 / 7 - 1)))
    assert spread.ids == "F1 F2 F3"


def test_windows_are_named_by_their_days_and_those_that_end_outside_are_left_out() -> None:
    earlier = {"to mid-2024": date(2024, 6, 30)}
    assert multiverse.windows(date(2021, 1, 1), date(2025, 12, 31), earlier) == {
        "2021–2025": date(2025, 12, 31), "to mid-2024": date(2024, 6, 30),
    }  # fmt: skip
    assert list(multiverse.windows(date(2021, 1, 1), date(2023, 6, 30), earlier)) == ["Jan 2021 – Jun 2023"]
    assert list(multiverse.windows(date(2024, 7, 1), date(2025, 6, 30), earlier)) == ["Jul 2024 – Jun 2025"]


def test_refusals_are_rows_with_their_reason() -> None:
    few = monthly([20.0, 22.0, 19.0, 25.0])
    table = multiverse.growth(
        [
            multiverse.Specification({"k": "none"}, Refused("nothing printed", "a statement"), composite.Spec()),
            multiverse.Specification({"k": "few"}, few, composite.Spec(tau=0.1, phi=1.0)),
            multiverse.Specification({"k": "outside"}, TWO_YEARS, composite.Spec(tau=0.1, phi=1.0)),
        ],
        2021,
        2024,
    )
    assert table["ratio"].isna().all()
    assert table["refused"].tolist()[:2] == ["nothing printed", "4 informative counts do not carry levels"]
    assert "is not inside" in table["refused"].iloc[2]
    assert list(multiverse.middles(table[:0], ["k"])) == list(multiverse.middles(table, ["k"]))
    middles = multiverse.middles(table, ["k"])
    assert middles["refused"].tolist() == [1, 1, 1]
