"""Facts, identities and the ledger: the real data, and small cases that show each rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data import correction, detail, figure, identity, load, source

from desertion import figures, reconcile, vocabulary
from desertion.errors import UserError

SIX_YEARS = {"period_start": "2018-01-01"}


@pytest.fixture(scope="module")
def real() -> figures.Data:
    return figures.load()


@pytest.fixture(scope="module")
def real_ledger(real: figures.Data) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in reconcile.ledger(real)}


# --- what is chosen --------------------------------------------------------------------------------------------------


def chosen(data: figures.Data, rule: str = "own-page-first") -> str:
    facts = reconcile.facts(data, rule)
    assert len(facts) == 1
    return str(facts["chosen"].iloc[0])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"source": "form"}, {"source": "own"}),
        ({"source": "own"}, {"source": "late"}),
        ({"source": "late"}, {"source": "early"}),
        ({"source": "early"}, {"source": "late", "status": "low"}),
        ({"source": "early"}, {"source": "late", "bound": "about", "hedge": "about"}),
        ({"source": "early", "status": "low"}, {"source": "own", "status": "rejected"}),
        ({"source": "late"}, {"source": "undated"}),
    ],
    ids=["form-own", "own-relay", "late-early", "ok-low", "exact-rounded", "rejected", "undated"],
)
def test_own_page_first_takes_the_page_nearest_to_the_count(
    tmp_path: Path, better: dict[str, str], worse: dict[str, str]
) -> None:
    pages = [
        source("form", "official_form"),
        source("own", "newsroom"),
        source("late"),
        source("early", published="2024-01-02"),
        source("undated", published=""),
    ]
    rows = [
        figure(number, value, cells["source"], **{key: text for key, text in cells.items() if key != "source"})
        for number, value, cells in (("F001", 900, worse), ("F002", 1000, better))
    ]
    assert chosen(load(tmp_path, figures=rows, sources=pages)) == "F002"


def test_a_reading_that_breaks_an_identity_yields_to_one_that_keeps_it(tmp_path: Path) -> None:
    """4,373 of one year and 887 of the year before are 5,260 of both; 4,373 of six years are not."""
    pages = [source("early", published="2024-01-02"), source("late")]
    rows = [
        figure("F001", 4373, "early", fact="proekt/337/tried/2023"),
        figure("F002", 4373, "late", fact="proekt/337/tried/2023", **SIX_YEARS),
        figure("F003", 887, "early", period_start="2022-01-01", period_end="2022-12-31"),
        figure("F004", 5260, "early", period_start="2022-01-01", fact="proekt/337/tried/2022-2023"),
    ]
    data = load(tmp_path, figures=rows, sources=pages, identities=[identity("I1", "F001 F003", "sum", "F004")])
    row = reconcile.ledger(data)[0]
    assert (row["chosen"], row["because"]) == ("F001", "it fits a sum or share of other numbers, the other does not")
    assert row["evidence"] == [
        "4373 of 2023-01-01 to 2023-12-31 keeps I1",
        "4373 of 2018-01-01 to 2023-12-31 breaks I1",
    ]
    assert reconcile.ledger(data, "latest-first")[0]["chosen"] == "F002"


def test_most_sources_counts_copies_and_relays_of_one_page_once(tmp_path: Path) -> None:
    pages = [
        source("a", "newsroom"),
        source("b"),
        source("copy-1", "mirror", copy_of="a"),
        source("copy-2", "mirror", copy_of="copy-1"),
        source("copy-3", copy_of="a"),
        source("c"),
    ]
    wrong = [figure(f"F00{n}", 10, page) for n, page in enumerate(("a", "copy-1", "copy-2", "copy-3"), 1)]
    right = [figure("F005", 12, "b"), figure("F006", 12, "c")]
    data = load(tmp_path, figures=wrong + right, sources=pages)
    assert chosen(data, "most-sources") == "F005"
    assert chosen(data) == "F001"
    readings = reconcile.ledger(data, "most-sources")[0]["readings"]
    assert [(one["value"], one["sources"]) for one in readings] == [(12, 2), (10, 1)]


def test_a_correction_leaves_its_page_the_reading_that_we_hold_right(tmp_path: Path) -> None:
    pages = [source("own", "newsroom"), source("relay")]
    rows = [
        figure("F001", 10, "own", fact="compiler/337/received/2023", **SIX_YEARS),
        figure("F002", 10, "relay", measure="persons_charged", fact="compiler/337/received/2023"),
    ]
    corrections = [correction("F001", "period_start", "2018-01-01", "2023-01-01")]
    data = load(tmp_path, figures=rows, sources=pages, corrections=corrections)
    fact = reconcile.facts(data).iloc[0]
    assert (fact["chosen"], fact["period_start"]) == ("F001", pd.Timestamp("2023-01-01"))
    printed = reconcile.ledger(data)[0]["readings"][0]
    assert (printed["period_start"], printed["standing"]) == ("2018-01-01", False)


def test_a_weak_row_with_the_right_period_beats_a_usable_one_with_the_slip_of_a_relay(tmp_path: Path) -> None:
    half = {"fact": "compiler/337/received/2023-h1", "period_end": "2023-06-30"}
    rows = [
        figure("F001", 1270, "first", **half, status="low"),
        figure("F002", 1270, "second", **half | {"period_end": "2023-07-31"}),
    ]
    pages = [source("first"), source("second")]
    slip = [correction("F002", "period_end", "2023-07-31", "2023-06-30")]
    chosen = {
        rule: reconcile.facts(load(tmp_path, figures=rows, sources=pages, corrections=slip), rule)["chosen"].item()
        for rule in ("own-page-first", "most-sources")
    }
    assert chosen == {"own-page-first": "F001", "most-sources": "F001"}
    own = [source("first"), source("second", publisher="Compiler")]  # those who counted read their own count
    data = load(tmp_path, figures=rows, sources=own, corrections=slip)
    only = reconcile.facts(data).iloc[0]
    assert (only["chosen"], f"{only['period_end']:%Y-%m-%d}") == ("F002", "2023-06-30")


def test_a_scraper_comes_last_and_a_copy_is_named_with_its_host(tmp_path: Path) -> None:
    rows = [figure("F001", 10, "copy"), figure("F002", 11, "relay")]
    pages = [source("copy", "scraper", url="https://www.host.test/a", publisher="Compiler"), source("relay")]
    data = load(tmp_path, figures=rows, sources=pages)
    assert reconcile.facts(data)["chosen"].tolist() == ["F002"]
    [row] = reconcile.ledger(data)
    assert [one["publishers"] for one in row["readings"]] == [["Relay"], ["Compiler (copy on host.test)"]]
    assert data.figures["printed_by"].tolist() == ["Compiler (copy on host.test)", "Relay"]


def test_a_printed_range_stands_for_its_ends_and_a_place_for_itself(tmp_path: Path) -> None:
    rows = [
        figure("F001", 750, "page", bound="about"),
        figure("F002", 790, "page", fact="other/337/received/2023"),
        figure("F003", 40, "page", fact="other/337/received-region/2023", scope="subset"),
    ]
    details = [detail("F001", low="700", high="800"), detail("F003", place="A region")]
    data = load(
        tmp_path,
        figures=rows,
        sources=[source("page")],
        details=details,
        places=[{"name": "A region", "kind": "region", "note": ""}],
        identities=[identity("I1", "F002", "equal", "F001")],
    )
    facts = reconcile.facts(data)
    assert facts["printed_low"].fillna(0).tolist() == [700, 0, 0]
    assert facts["place"].tolist() == ["", "", "A region"]
    assert reconcile.identities(data)["state"].tolist() == ["holds"]  # about 750 alone is 745 to 755
    assert reconcile.national(facts)["chosen"].tolist() == ["F001", "F002"]


def test_states_say_who_agrees(tmp_path: Path) -> None:
    pages = [source("a"), source("b"), source("copy", "mirror", copy_of="a")]
    facts = {
        state: f"compiler/337/received-{state}/2023" for state in ("alone", "agreed", "conflict", "mended", "gone")
    }
    rows = [
        figure("F001", 1, "a", fact=facts["alone"]),
        figure("F002", 1, "copy", fact=facts["alone"]),
        figure("F003", 1, "a", fact=facts["agreed"]),
        figure("F004", 1, "b", fact=facts["agreed"]),
        figure("F005", 1, "a", fact=facts["conflict"]),
        figure("F006", 2, "b", fact=facts["conflict"]),
        figure("F007", 1, "a", fact=facts["mended"]),
        figure("F008", 2, "b", fact=facts["mended"]),
        figure("F009", 1, "a", fact=facts["gone"], status="rejected"),
    ]
    data = load(tmp_path, figures=rows, sources=pages, corrections=[correction("F008", "value", "2", "1")])
    states = reconcile.facts(data)["state"]
    assert states.to_dict() == {
        facts["alone"]: "one source",
        facts["agreed"]: "agreed",
        facts["conflict"]: "conflicting",
        facts["mended"]: "corrected",
    }


def test_a_rounded_number_goes_with_the_exact_one_that_it_stands_for(tmp_path: Path) -> None:
    pages = [source("a"), source("b"), source("c")]
    rows = [
        figure("F001", 17_721, "a"),
        figure("F002", 17_700, "b", bound="about", hedge="about"),
        figure("F003", 17_500, "c", bound="at_least", hedge="more than"),
    ]
    data = load(tmp_path, figures=rows, sources=pages)
    groups = [one["figure_ids"] for one in reconcile.ledger(data)[0]["readings"]]
    assert groups == [["F001", "F002"], ["F003"]]


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> figures.Data:
    pages = [source("a"), source("b", published=""), source("own", "newsroom"), source("m", "mirror", copy_of="own")]
    values = [(10, "a"), (12, "a"), (12, "b"), (10, "own"), (11, "own"), (11, "m")]
    rows = [figure(f"F{n:03d}", value, page) for n, (value, page) in enumerate(values)]
    return load(tmp_path_factory.mktemp("data"), figures=rows, sources=pages)


@given(order=st.permutations(range(6)), rule=st.sampled_from(sorted(vocabulary.RULES)))
def test_the_choice_does_not_hang_on_the_order_of_rows(six: figures.Data, order: Sequence[int], rule: str) -> None:
    shuffled = replace(six, figures=six.figures.iloc[list(order)])
    assert chosen(shuffled, rule) == chosen(six, rule)


def test_an_unknown_rule_is_refused_with_the_known_ones(real: figures.Data) -> None:
    with pytest.raises(UserError, match="rule 'loudest' is unknown: own-page-first, latest-first, most-sources"):
        reconcile.facts(real, "loudest")


# --- identities ------------------------------------------------------------------------------------------------------


def year(number: str, value: float, when: int, **cells: str) -> dict[str, str]:
    periods = {"period_start": f"{when}-01-01", "period_end": f"{when}-12-31"}
    return figure(number, value, "page", **{**periods, **cells})


def total(number: str, value: float, end: str, **cells: str) -> dict[str, str]:
    periods = {"period_start": "2022-09-21", "period_end": end, "cumulative": "true"}
    return figure(number, value, "page", **{**periods, **cells}, fact=f"compiler/337/received/mobilisation..{end}")


TO_2023 = {"period_end": "2023-12-31"}
PERCENT = {"kind": "growth", "unit": "percent", "fact": "compiler/337/received-growth/2022"}
SHARE = {"kind": "share", "unit": "percent", "per": "verdicts", "fact": "compiler/337/received-share/2022"}


@pytest.mark.parametrize(
    ("rows", "relation", "state", "reason"),
    [
        ([year("L1", 4, 2022), year("L2", 6, 2023), year("R1", 10, 2022, **TO_2023)], "sum", "holds", ""),
        ([year("L1", 4, 2022), year("L2", 6, 2023), year("R1", 11, 2022, **TO_2023)], "sum", "broken", "11"),
        ([year("L1", 4, 2021), year("L2", 6, 2023), year("R1", 10, 2021, **TO_2023)], "sum", "broken", "follow"),
        ([year("L1", 4, 2022), year("L2", 6, 2022, articles="338"), year("R1", 10, 2022)], "sum", "holds", ""),
        ([year("L1", 4, 2022), year("L2", 6, 2023, articles="338"), year("R1", 10, 2022)], "sum", "broken", "run from"),
        ([year("L1", 4, 2022), year("L2", 5_400, 2022, bound="about"), year("R1", 5_440, 2022)], "sum", "holds", ""),
        ([year("L1", 10, 2022), year("R1", 10, 2022, articles="338")], "equal", "holds", ""),
        ([year("L1", 10, 2022), year("R1", 9, 2022)], "at_most", "broken", "more than"),
        ([year("L1", 10, 2022), year("R1", 9, 2022, bound="at_least")], "at_most", "holds", ""),
        ([year("L1", 9, 2023), year("R1", 10, 2022)], "at_most", "broken", "not inside"),
        ([total("L1", 5, "2023-03-31"), total("L2", 9, "2023-06-30")], "rises", "holds", ""),
        ([total("L1", 9, "2023-03-31"), total("L2", 5, "2023-06-30")], "rises", "broken", "5 follows 9"),
        ([total("L1", 5, "2023-06-30"), total("L2", 9, "2023-03-31")], "rises", "broken", "follows that to"),
        ([year("L1", 63, 2022, **PERCENT), year("R1", 1001, 2022), year("R2", 615, 2021)], "growth", "holds", ""),
        ([year("L1", 62, 2022, **PERCENT), year("R1", 1001, 2022), year("R2", 615, 2021)], "growth", "broken", "62.76"),
        ([year("L1", 33.3, 2022, **SHARE), year("R1", 1, 2022), year("R2", 3, 2022)], "share", "holds", ""),
        ([year("L1", 33.4, 2022, **SHARE), year("R1", 1, 2022), year("R2", 3, 2022)], "share", "broken", "33.33"),
        ([year("L1", 103, 2022), year("R1", 100, 2022)], "revises", "broken", "3.0 %"),
    ],
)  # fmt: skip
def test_identities_hold_break_and_say_why(
    tmp_path: Path, rows: list[dict[str, str]], relation: str, state: str, reason: str
) -> None:
    if relation == "revises":  # two totals of one count are two facts
        rows = [row | {"fact": f"compiler/337/received-{row['id'].lower()}/2022"} for row in rows]
    left, right = (" ".join(row["id"] for row in rows if row["id"][0] == side) for side in "LR")
    data = load(
        tmp_path,
        figures=rows,
        sources=[source("page", published="2024-12-31")],
        identities=[identity("I1", left, relation, right)],
        details=[detail(row["id"], base="2021") for row in rows if row.get("kind") == "growth"],
    )
    checked = reconcile.identities(data).loc["I1"]
    assert (checked["state"], reason in checked["reason"]) == (state, True), checked["reason"]


def test_an_identity_is_not_checkable_before_its_statements_and_absent_before_its_evidence(tmp_path: Path) -> None:
    rows = [year("F001", 1, 2022), figure("F002", 1, "late", fact="other/337/received/2023")]
    tables = {
        "figures": rows,
        "sources": [source("page", published="2023-06-01"), source("late", published="2024-06-01")],
        "identities": [
            identity("I1", "F001", "equal", "F002", known_from="2023-06-01"),
            identity("I2", "F001", "equal", "F002", known_from="2024-06-01"),
        ],
    }
    data = load(tmp_path, date(2024, 1, 1), **tables)
    checked = reconcile.identities(data)
    assert checked["state"].to_dict() == {"I1": "not checkable"}
    assert "F002" in checked.loc["I1", "reason"]


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_what_was_learnt_later_decides_no_earlier_edition(tmp_path: Path) -> None:
    """A correction and an identity that became known after the day change neither the choice nor the evidence."""
    pages = [source("early", published="2024-01-02"), source("late", published="2024-01-31")]
    rows = [
        figure("F001", 10, "early", fact="compiler/337/received/2023"),
        figure("F002", 10, "late", fact="compiler/337/received/2023", **SIX_YEARS),
        figure("F003", 10, "early", fact="compiler/337/received/2023/whole"),
    ]
    later = {
        "corrections": [correction("F002", "period_start", "2018-01-01", "2023-01-01", "2024-06-01")],
        "identities": [identity("I1", "F001", "equal", "F003", known_from="2024-06-01")],
    }
    then = load(tmp_path, date(2024, 3, 20), figures=rows, sources=pages, **later)
    now = figures.load(tmp_path)
    assert reconcile.ledger(then)[0]["chosen"] == "F002"
    assert reconcile.ledger(now)[0]["chosen"] == "F001"
    assert reconcile.ledger(then)[0]["evidence"] == []


def test_the_article_that_started_it_all(real_ledger: dict[str, dict[str, Any]]) -> None:
    """4,373 in three periods: calendar 2023 is chosen, and the others would make the rise far smaller."""
    row = real_ledger["K211"]
    readings = [(one["value"], one["period_start"], one["period_end"], one["effect"]) for one in row["readings"]]
    assert readings == [
        (4373, "2023-01-01", "2023-12-31", 8.30),
        (4373, "2022-02-24", "2024-02-22", 4.15),
        (4373, "2018-01-01", "2023-12-31", 1.38),
    ]
    assert (row["chosen"], row["effect"], row["kind"]) == ("F381", 4.15, "period")
    assert [one["sources"] for one in row["readings"]] == [1, 1, 1], "copies do not count twice"


def test_every_conflict_of_the_research_has_a_row(real_ledger: dict[str, dict[str, Any]]) -> None:
    rows = [
        "K211 K212", "R03", "R04", "R05a R05b R05c", "R06a R06b", "R07", "K024", "K113 K166",
        "K130 K096 K176 K167", "R11", "K244", "K040", "K229 K157 R14", "K274 K269", "I019", "K153", "R18",
    ]  # fmt: skip
    assert [number for group in rows for number in group.split() if number not in real_ledger] == []


def test_what_the_evidence_closed_is_an_identity_that_holds(real: figures.Data) -> None:
    """Proekt's two totals are two measures; 2021's counters are stages; the coincidences bear a question mark."""
    rows = reconcile.identities(real)
    assert "R02" not in {row["id"] for row in reconcile.ledger(real)}
    assert rows.loc[["I216", "I217", "I218", "I219", "I222"], "state"].tolist() == ["holds"] * 5
    assert rows.loc["I217", "left_value"] == 4822
    assert (rows.loc["I218", "left_value"], rows.loc["I219", "right_value"]) == (588, 629)
    questions = rows[rows["why"].str.contains("question mark")]
    assert questions["left_value"].tolist() == [5517, 15901]
    shares = reconcile.facts(real).filter(like="settlement-colony-share", axis=0)
    assert (shares["value"].tolist(), shares["measure"].nunique()) == ([35, 28], 1)


def test_what_a_first_print_missed_is_a_table_of_pairs(real: figures.Data) -> None:
    pairs = reconcile.prints(real)
    assert pairs.loc["V01", ["first", "later", "after_first"]].tolist() == [5024, 5096, 0]
    assert pairs.loc["V01", "missed"] == pytest.approx(100 * 72 / 5096)
    petitions = pairs.loc["V02"]
    assert (petitions["first"], petitions["later"], petitions["after_first"]) == (20040, 22600, 34)
    assert petitions["missed"] == pytest.approx(11.3, abs=0.05)
    assert reconcile.identities(real).filter(like="V", axis=0)["state"].eq("holds").all()


def test_the_effect_is_none_where_the_headline_is_not_touched(real_ledger: dict[str, dict[str, Any]]) -> None:
    touched = {number for number, row in real_ledger.items() if row["effect"] is not None}
    assert touched == {"K211", "K212", "R05a", "R05c"}
    assert real_ledger["R05a"]["effect"] == pytest.approx(4373 / 565, abs=0.005)


def test_rows_of_the_ledger_are_plain_and_complete(real_ledger: dict[str, dict[str, Any]]) -> None:
    import json

    assert json.loads(json.dumps(list(real_ledger.values()))) == list(real_ledger.values())
    for row in real_ledger.values():
        assert {"id", "fact", "readings", "chosen", "rule", "effect", "because", "evidence"} <= row.keys()
        assert len(row["readings"]) > 1
        for reading in row["readings"]:
            assert reading.keys() >= {"value", "measure", "period_start", "period_end", "figure_ids", "sources"}
            assert reading["sources"] >= 1


def test_only_two_identities_of_the_real_data_are_broken(real: figures.Data) -> None:
    """Five districts that miss 600 of their total, and verdicts by article that exceed the persons by 101."""
    checked = reconcile.identities(real)
    broken = checked[checked["state"] == "broken"]
    assert broken["gap"].to_dict() == {"I012": -101.0, "I019": 600.0}
    assert not checked["state"].eq("not checkable").any()


def test_the_headline_falls_back_on_what_was_known() -> None:
    before, after = (figures.load(as_of=day) for day in (date(2023, 12, 31), date(2024, 3, 20)))
    first, second = (reconcile.headline(reconcile.Reconciler(each)) for each in (before, after))
    assert first is not None
    assert second is not None
    assert (round(first.factor, 2), first.fact) == (8.17, "mediazona/337/received/2023")
    assert (round(second.factor, 2), second.fact) == (8.30, "proekt/337/tried/2023")


def test_rules_can_be_flipped_on_the_real_data(real: figures.Data) -> None:
    choices = {rule: reconcile.facts(real, rule)["chosen"] for rule in vocabulary.RULES}
    assert not choices["own-page-first"].equals(choices["latest-first"])
    assert not choices["own-page-first"].equals(choices["most-sources"])


def test_a_revised_count_stands_once_and_as_revised() -> None:
    facts = reconcile.facts(figures.load())
    once = reconcile.latest(facts)
    assert "mediazona/337/received/2023/as-of-2024-08" in once.index
    assert "mediazona/337/received/2023" not in once.index
    other = "mediazona/332+337+338/received/2023"  # its later count is of the new parts alone: no revision
    assert {other, f"{other}/as-of-2024-12"} <= set(once.index)
    assert list(once.index) == [fact for fact in facts.index if fact in once.index]
    before = reconcile.latest(reconcile.facts(figures.load(as_of=date(2023, 12, 31))))
    assert "mediazona/337/received/2023" in before.index


def test_a_fact_has_a_label_its_year_its_days_and_its_statements_in_text(tmp_path: Path) -> None:
    part = {"period_start": "2023-01-01", "period_end": "2023-07-31", "measure": "persons_convicted"}
    part["fact"] = "compiler/337+338+339/convicted/2023-01..2023-07"
    data = load(
        tmp_path,
        sources=[source("one"), source("two")],
        figures=[
            figure("F1", 5, "one", period_start="2022-01-01", period_end="2022-12-29"),
            figure("F2", 5, "two", period_start="2022-01-01", period_end="2022-12-29"),
            figure("F3", 7, "one", articles="337+338+339", **part),
        ],
    )
    facts = reconcile.facts(data)
    assert facts[["label", "year", "days", "incomplete", "ids"]].values.tolist() == [
        ["Criminal cases received by a court, Art. 337, Compiler", 2022, 363, False, "F1 F2"],
        ["Persons convicted, Art. 337, 338 and 339, Compiler", 2023, 212, True, "F3"],
    ]


def test_every_real_fact_has_a_label_and_names_statements_that_are_known(real: figures.Data) -> None:
    facts = reconcile.facts(real)
    assert facts["label"].str.match(r"[A-Z].*, .*(Art\.|chapter|offences|article).*, \S").all()
    assert {each for cell in facts["ids"] for each in cell.split()} <= set(real.figures.index)
    assert all(chosen in cell.split() for chosen, cell in zip(facts["chosen"], facts["ids"], strict=True))
    assert (facts["incomplete"] == facts["days"].lt(360)).all()
