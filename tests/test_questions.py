"""How far each choice moves a growth factor: its options, the gates of the report, and what a sentence says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from desertion import figures, plots, reconcile
from desertion.trends import Refused, composite, questions, sensitivity
from desertion.trends.counts import Observations

YEARS = [(2021, 2022), (2022, 2023)]


def monthly(growth: float = 1.05, months: int = 36) -> Observations:
    start = [date(2021 + k // 12, k % 12 + 1, 1).toordinal() for k in range(months + 1)]
    counts = np.round(100 * growth ** np.arange(months))
    ids = tuple(f"F{k:03d}" for k in range(months))
    return Observations(
        ids, np.zeros(months, np.int64), np.array(start[:-1]), np.array(start[1:]), counts, counts, ("cases",)
    )


SPEC = composite.Spec(tau=0.1, phi=2.0)
OWN = questions.Option("", "as in the report", monthly(), SPEC)


@pytest.fixture(scope="module")
def fits() -> pd.DataFrame:
    few = monthly(months=36).take(range(0, 36, 6))
    options = [
        questions.Option("How much do counts scatter?", "50", OWN.reports, replace(SPEC, phi=50.0)),
        questions.Option("Which reports?", "steeper", monthly(1.1), SPEC),
        questions.Option("Which reports?", "few", few, SPEC),
        questions.Option("Which reports?", "none", Refused("nothing was printed", "a number"), SPEC),
        questions.Option("Did it jump?", "in 2021", OWN.reports, replace(SPEC, trend="smooth+step:2021-06-01")),
    ]
    return questions.fitted(options, YEARS, OWN)


def test_each_question_begins_with_the_choice_of_the_report_and_gives_the_growth_of_each_fit(
    fits: pd.DataFrame,
) -> None:
    first = fits.groupby("question", sort=False).head(1)
    assert first["option"].eq("as in the report").all()
    assert first["own"].all()
    assert list(dict.fromkeys(fits["question"])) == ["How much do counts scatter?", "Which reports?", "Did it jump?"]
    fit = composite.fit(OWN.reports, SPEC)
    assert isinstance(fit, composite.Fit)
    for row in fits[fits["own"]].itertuples():
        assert (row.ratio, row.low, row.high) == tuple(fit.growth(row.from_year, row.to_year).values())  # type: ignore[union-attr]
    steeper = fits[fits["option"].eq("steeper")]["ratio"]
    assert steeper.tolist() == pytest.approx([1.1**12] * 2, rel=0.03)


def test_the_gates_of_the_report_bind(fits: pd.DataFrame) -> None:
    reasons = fits.set_index("option")["refused"].groupby(level=0).first()
    assert reasons["few"].startswith("6 informative counts")
    assert reasons["none"] == "nothing was printed"
    assert reasons["in 2021"] == "5 counts before and 31 after 2021-06-01"
    assert fits.loc[fits["refused"].ne(""), "ratio"].isna().all()


def test_equal_sets_of_reports_have_one_number(fits: pd.DataFrame) -> None:
    numbers = fits.groupby("option")["reports"].first()
    assert numbers["as in the report"] == numbers["50"] == numbers["in 2021"]
    assert numbers["steeper"] != numbers["50"]
    assert np.isnan(numbers["none"])


def answers(**ratios: list[float]) -> pd.DataFrame:
    """Answers of 2022 to 2023: a question each, its first option the report's own; `counted` is of published counts."""
    parts = []
    for question, values in ratios.items():
        kind = questions.COUNTS if question == "counted" else questions.FITS
        parts.append(
            pd.DataFrame(
                {
                    "question": question,
                    "option": [f"{question} {k}" for k in range(len(values))],
                    "from_year": 2022,
                    "to_year": 2023,
                    "ratio": values,
                    "own": [k == 0 for k in range(len(values))],
                    "kind": kind,
                    "reports": 1.0,
                    "refused": ["" if v == v else "no" for v in values],
                    "needs": "",
                    "ids": "F1",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_the_question_that_moves_the_answer_most_is_named_and_how_little_the_others_do() -> None:
    moved = sensitivity.moved(answers(counted=[5.0, 2.0], smooth=[5.0, 4.0], scatter=[5.0, 4.5, np.nan]), (2022, 2023))
    assert not isinstance(moved, Refused)
    assert (moved.most.question, moved.most.least, moved.most.most, moved.most.n) == ("counted", 2.0, 5.0, 2)
    assert moved.most.percent == pytest.approx(150)
    assert moved.next.question == "smooth"
    assert moved.other == pytest.approx(100 * (5 / 4.5 - 1))
    assert (moved.least, moved.greatest, moved.refused, moved.sets) == (2.0, 5.0, 1, 1)
    assert moved.fits == 3, "the report's own choice, which two questions share, and one option of each"


def test_fewer_than_three_questions_with_options_say_nothing() -> None:
    refused = sensitivity.moved(answers(counted=[5.0, 2.0], smooth=[5.0, 4.0], scatter=[5.0]), (2022, 2023))
    assert isinstance(refused, Refused)
    assert isinstance(sensitivity.moved(answers(counted=[5.0, 2.0]), (2023, 2024)), Refused)


def test_a_question_of_one_answer_is_not_shown_and_refusals_stand_with_their_years() -> None:
    table = answers(counted=[5.0, 2.0], scatter=[5.0, np.nan])
    assert sensitivity.several(table)["question"].unique().tolist() == ["counted"]
    (row,) = sensitivity.in_words(sensitivity.reaches(sensitivity.several(table))).to_dict("records")
    assert (row["years"], row["range"], row["lowest"]) == ("2022 → 2023", "×2.00 to ×5.00", "counted 1")
    (refusal,) = sensitivity.refusals(table).to_dict("records")
    assert (refusal["option"], refusal["years"]) == ("scatter 1", "2022 → 2023")


def test_published_counts_answer_by_stage_and_counter() -> None:
    data = figures.load()
    facts = reconcile.latest(reconcile.facts(data)).join(data.figures["hedge"], on="chosen")
    known = figures.select(facts, start=date(2021, 1, 1), status=None)
    own = {"stage": "received by courts", "articles": "337", "compiler": "Mediazona"}
    found = questions.counted({"Whose count?": {"articles": "337", "stage": own["stage"]}}, known, [(2021, 2022)], own)
    assert found["option"].iloc[0] == "received by courts, Art. 337, Mediazona"
    assert found["ratio"].iloc[0] == pytest.approx(1001 / 615)
    assert set(found["kind"]) == {questions.COUNTS}
    assert len(found) >= 3
    two = questions.counted({"Whose count?": own}, known, [(2021, 2023)], own)
    assert two["ratio"].tolist() == pytest.approx([5096 / 615])


def test_the_plot_titles_what_moves_the_answer_only_where_it_is_what_is_counted() -> None:
    moves = sensitivity.several(answers(counted=[5.0, 2.0], smooth=[5.0, 4.0]))
    assert plots.questions.describe(moves).startswith("How fast absence grew depends on what is counted, hardly on")
    model = sensitivity.several(answers(counted=[5.0, 4.9], smooth=[5.0, 2.0]))
    assert plots.questions.describe(model).startswith("How far each choice moves the growth of absence")
    assert plots.questions(moves)


def test_an_option_changes_the_facts_the_reading_or_the_model_and_keeps_the_rest() -> None:
    data = figures.load()
    facts = reconcile.latest(reconcile.facts(data)).join(data.figures["hedge"], on="chosen")
    cases = figures.select(
        facts, articles="337", measures="cases_received_by_court", compilers="Mediazona", status=None
    )
    asked = {
        "Which reports?": {"whole alone": {"facts": cases[cases["scope"].eq("whole")]}},
        "How are running totals read?": {"left out": {"running": "drop"}},
        "How much do counts scatter?": {"50": {"phi": 50.0}},
    }
    table = questions.answered(asked, [(2022, 2023)], cases, data.figures, composite.Spec())
    own = table[table["own"]]
    assert own["option"].tolist() == ["as in the report"] * 3
    assert own["ratio"].nunique() == 1
    others = table[~table["own"].astype(bool)].set_index("option")
    assert others.index.tolist() == ["whole alone", "left out", "50"]
    assert others["refused"].iloc[0].endswith("do not carry levels")
    assert others.at["50", "reports"] == own["reports"].iloc[0]
    assert others.at["50", "ratio"] != own["ratio"].iloc[0]


def test_a_fit_that_is_there_is_not_made_again_and_another_model_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    data = figures.load()
    facts = reconcile.latest(reconcile.facts(data)).join(data.figures["hedge"], on="chosen")
    cases = figures.select(
        facts, articles="337", measures="cases_received_by_court", compilers="Mediazona", status=None
    )
    spec = composite.Spec(tau=0.3, phi=12.0)
    asked = {"Are counts complete?": {"late": {"reporting_delay": 9.0}}, "How smooth?": {"rough": {"tau": 0.6}}}
    arguments: Any = (asked, [(2022, 2023)], cases, data.figures, spec)
    there = [composite.fit_statements(cases, data.figures, replace(spec, reporting_delay=d)) for d in (0.0, 9.0)]
    made: list[composite.Spec] = []
    fit = composite.fit

    def spy(reports: Any, model: composite.Spec, near: Any = None) -> Any:
        made.append(model)
        return fit(reports, model, near)

    monkeypatch.setattr(composite, "fit", spy)
    table = questions.answered(*arguments, fits=[*there, Refused("none", "any")])
    assert [one.tau for one in made] == [0.6]
    again = questions.answered(*arguments)
    assert len(made) == 1 + 3
    pd.testing.assert_frame_equal(table, again, rtol=1e-9)


def test_official_totals_answer_by_the_number_of_others_or_not_at_all() -> None:
    known = reconcile.latest(reconcile.facts(figures.load()))
    table = questions.official("Whose?", known, (2023, 2024))
    assert table["option"].tolist() == ["others as in 2022", "no others", "most others"]
    assert table["ratio"].gt(1).all()
    assert set(table["kind"]) == {questions.COUNTS}
    assert questions.official("Whose?", known[:0], (2023, 2024)).empty
