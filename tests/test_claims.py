"""Claims recomputed, and the verdicts on them."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats
from support.data import claim, figure, identity, load, source

from desertion import claims, figures, vocabulary


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return claims.check_claims(figures.load())


def test_the_article_that_started_it_all(real: pd.DataFrame) -> None:
    """Its ninefold is overstated at 8.30, its fivefold holds read as five times and not as six."""
    rows = real.loc[["S01", "S02"]]
    assert rows["verdict"].tolist() == ["holds", "overstated"]
    assert rows["stated"].tolist() == [5, 9]
    assert rows["close"].tolist() == [False, True]
    assert rows["other_reading"].tolist() == [
        "read as 6 times, its words allow 5.5 to 6.5", "read as 10 times, its words allow 9.5 to 10"
    ]  # fmt: skip
    assert rows[["computed", "low", "high"]].round(2).loc["S02"].tolist() == [8.30, 7.58, 9.10]
    assert rows[["computed", "low", "high"]].round(2).loc["S01"].tolist() == [4.93, 4.59, 5.31]
    assert rows.loc["S02", ["admits_low", "admits_high"]].tolist() == [8.5, 9]
    assert rows["mixed_measures"].all(), "persons convicted over cases"
    assert {f"S{n:02d}" for n in range(1, 13)} <= set(real.index)


def test_each_claim_has_one_verdict(real: pd.DataFrame) -> None:
    assert real.index.is_unique
    assert len(real) == len(figures.load().claims) == 74
    verdicts = real["verdict"].value_counts()
    assert verdicts["not checkable"] == 74 - 66
    assert verdicts["holds"] + verdicts["holds by rounding"] == 50
    assert verdicts["overstated"] == 7


def test_at_least_25_claims_of_other_pages_are_recomputed(real: pd.DataFrame) -> None:
    others = real[(real["source"] != "newsmax-2024-03-20") & (real["verdict"] != "not checkable")]
    assert others["locator"].ne("").all()
    assert others.groupby(["source", "statement"]).ngroups >= 25
    assert set(real["verdict"]) == set(vocabulary.VERDICTS), "every verdict occurs in the real data"


def test_json_has_the_fields_of_the_command(real: pd.DataFrame) -> None:
    rows = json.loads(json.dumps(claims.as_json(real), allow_nan=False))
    assert all(
        list(row) == ["id", "source", "stated", "admits", "computed", "interval", "verdict", "close", "other_reading",
                      "mixed_measures"]
        for row in rows
    )  # fmt: skip
    by_id = {row["id"]: row for row in rows}
    assert by_id["S02"]["admits"] == [8.5, 9.0]
    assert by_id["S08"] == {
        "id": "S08",
        "source": "newsmax-2024-03-20",
        "stated": None,
        "admits": None,
        "computed": None,
        "interval": None,
        "verdict": "not checkable",
        "close": False,
        "other_reading": "",
        "mixed_measures": False,
    }


def test_an_edition_knows_neither_later_claims_nor_later_figures() -> None:
    then = claims.check_claims(figures.load(as_of=date(2023, 7, 31)))
    assert "S01" not in then.index
    assert then.loc["C05", "verdict"] == "not checkable", "the 615 of 2021 was printed in December 2023"
    assert "F085" in then.loc["C05", "reason"]
    assert then.loc["C04", "verdict"] == "holds"


# --- small cases -----------------------------------------------------------------------------------------------------

FIGURES = {
    "F001": (100, {}),
    "F002": (25, {}),
    "F003": (400, {"bound": "about", "hedge": "about"}),
    "F004": (30, {"measure": "persons_convicted"}),
    "F005": (70, {"period_start": "2022-09-21", "period_end": "2023-06-30", "cumulative": "true"}),
    "F006": (10, {"period_start": "2022-09-21", "period_end": "2023-05-31", "cumulative": "true"}),
    "F007": (0, {}),
    "F008": (5, {"status": "rejected"}),
    "F009": (62, {"period_start": "2023-07-01", "period_end": "2023-07-31"}),
}


def check(folder: Path, *made: dict[str, str], page: str = "other", **tables: Any) -> pd.DataFrame:
    rows = []
    for number, (value, cells) in FIGURES.items():
        end = cells.get("period_end", "2023-12-31")
        start = "mobilisation" if "cumulative" in cells else cells.get("period_start", "2023-01-01")
        fact = f"compiler/337/received-{number.lower()}/{start}..{end}"
        rows.append(figure(number, value, page, fact=fact, **cells))
    pages = [source("page", published="2024-02-01"), source("other")]
    data = load(folder, figures=rows, sources=pages, claims=made, **tables)
    return claims.check_claims(data)


@pytest.mark.parametrize(
    ("kind", "numerator", "denominator", "unit", "computed"),
    [
        ("ratio", "F001", "F002", "times", 4),
        ("ratio", "F001", "F002", "percent more", 300),
        ("ratio", "F001 F009", "F002", "times", 162 / 25),
        ("share", "F002", "F001", "percent", 25),
        ("sum", "F001 F002", "", "cases", 125),
        ("difference", "F001", "F002", "cases", 75),
        ("difference", "F005", "F006", "cases", 60),
        ("rate", "F009", "", "per day", 2),
        ("rate", "F009", "", "per week", 14),
        ("rate", "F009", "", "per working day", 62 / 21),
        ("rate", "F005", "F006", "per day", 2),
        ("rate", "F009", "F001", "times", 62 / 31 / (100 / 365)),
        ("mean", "F001 F002", "", "cases", 62.5),
        ("rank", "F002", "F001 F004", "highest", 3),
        ("rank", "F002", "F001 F004", "lowest", 1),
    ],
)
def test_each_kind_is_recomputed(
    tmp_path: Path, kind: str, numerator: str, denominator: str, unit: str, computed: float
) -> None:
    rows = check(tmp_path, claim("C1", kind, numerator, denominator, "1", unit=unit, hedge="exactly")).loc["C1"]
    assert rows["computed"] == pytest.approx(computed)


def test_intervals_are_exact_and_only_where_counts_are(tmp_path: Path) -> None:
    rows = check(
        tmp_path,
        claim("C1", "ratio", "F001", "F002", "4"),
        claim("C2", "share", "F002", "F001", "25", unit="percent", hedge="exactly"),
        claim("C3", "sum", "F001", "", "100", unit="cases", hedge="exactly"),
        claim("C4", "ratio", "F003", "F002", "16"),
        claim("C5", "difference", "F001", "F002", "75", unit="cases", hedge="exactly"),
        claim("C6", "difference", "F005", "F006", "60", unit="cases", hedge="exactly"),
    )
    ratio = stats.binomtest(100, 125).proportion_ci(0.95, "exact")
    share = stats.binomtest(25, 100).proportion_ci(0.95, "exact")
    expected = {
        "C1": [ratio.low / (1 - ratio.low), ratio.high / (1 - ratio.high)],
        "C2": [100 * share.low, 100 * share.high],
        "C3": [stats.chi2.ppf(0.025, 200) / 2, stats.chi2.ppf(0.975, 202) / 2],
        "C6": [stats.chi2.ppf(0.025, 120) / 2, stats.chi2.ppf(0.975, 122) / 2],
    }
    for number, ends in expected.items():
        assert rows.loc[number, ["low", "high"]].tolist() == pytest.approx(ends)
    assert rows.loc[["C4", "C5"], ["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("stated", "hedge", "verdict"),
    [
        ("4", "-fold", "holds"),
        ("4.4", "exactly", "overstated"),
        ("3", "almost", "understated"),
        ("4", "almost", "understated"),
        ("3", "more than", "understated"),
        ("4", "more than", "holds"),
        ("5", "up to", "overstated"),
    ],
)
def test_the_point_value_decides_and_the_interval_never(tmp_path: Path, stated: str, hedge: str, verdict: str) -> None:
    """100 over 25 is 4, whatever its interval (2.56 to 6.47), which admits most of these."""
    rows = check(tmp_path, claim("C1", "ratio", "F001", "F002", stated, hedge=hedge)).loc["C1"]
    assert rows["verdict"] == verdict


@pytest.mark.parametrize(
    ("stated", "verdict", "close", "read"),
    [
        ("4", "holds", False, 4),  # four times, or five
        ("3", "holds", False, 4),  # three times more is four times
        ("5", "overstated", False, 5),  # from 4.5, which is 11 % off
        ("2", "understated", False, 3),
    ],
)
def test_the_reading_that_fits_best_decides(
    tmp_path: Path, stated: str, verdict: str, close: bool, read: float
) -> None:
    row = check(tmp_path, claim("C1", "ratio", "F001", "F002", stated, hedge="-fold increase")).loc["C1"]
    assert (row["verdict"], row["close"], row["read_as"]) == (verdict, close, read)
    assert row["stated"] == float(stated)
    assert row["other_reading"].startswith(f"read as {2 * float(stated) + 1 - read:g} times")


def test_a_value_within_5_percent_of_what_the_words_admit_is_close(tmp_path: Path) -> None:
    rows = check(
        tmp_path,
        claim("C1", "sum", "F001", "", "104", unit="cases", hedge="exactly"),
        claim("C2", "sum", "F001", "", "110", unit="cases", hedge="exactly"),
        claim("C3", "sum", "F001", "", "97", unit="cases", hedge="exactly"),
        claim("C4", "rank", "F002", "F001", "1", unit="highest", hedge="exactly"),
    )
    assert rows["verdict"].tolist() == ["overstated", "overstated", "understated", "overstated"]
    assert rows["close"].tolist() == [True, False, True, False]


def test_the_rounding_of_inputs_widens_the_value(tmp_path: Path) -> None:
    """About 400 is 380 to 420: over 25 that is 15.2 to 16.8."""
    rows = check(
        tmp_path,
        claim("C1", "ratio", "F003", "F002", "15", hedge="exactly"),
        claim("C2", "ratio", "F003", "F002", "17", hedge="exactly"),
        claim("C3", "ratio", "F003", "F002", "18", hedge="exactly"),
    )
    assert rows[["computed_low", "computed_high"]].iloc[0].tolist() == pytest.approx([15.2, 16.8])
    assert rows["verdict"].tolist() == ["holds by rounding", "holds by rounding", "overstated"]


def test_a_rank_that_is_not_the_first_is_overstated(tmp_path: Path) -> None:
    made = claim("C1", "rank", "F002", "F001", "1", unit="highest", hedge="exactly")
    assert check(tmp_path, made).loc["C1", "verdict"] == "overstated"


def test_a_page_whose_parts_do_not_give_its_total_contradicts_itself(tmp_path: Path) -> None:
    made = claim("C1", "sum", "F001 F002", "", "130", unit="cases", hedge="exactly")
    assert check(tmp_path / "own", made, page="page").loc["C1", "verdict"] == "source contradicts itself"
    assert check(tmp_path / "others", made).loc["C1", "verdict"] == "overstated"


def test_mixed_measures_are_told_even_where_the_number_holds(tmp_path: Path) -> None:
    rows = check(tmp_path, claim("C1", "ratio", "F001", "F004", "3"), claim("C2", "ratio", "F001", "F002", "4"))
    assert rows["verdict"].tolist() == ["holds", "holds"]
    assert rows["mixed_measures"].tolist() == [True, False]
    assert "persons convicted" in rows.loc["C1", "measures"]


def test_a_page_that_calls_the_same_count_by_another_measure_mixes(tmp_path: Path) -> None:
    fact = "compiler/337/received/2023"
    rows = [
        figure("F001", 684, "other", fact=fact),
        figure("F002", 684, "page", measure="persons_convicted", fact=fact),
    ]
    made = claim("C1", "sum", "F001", "", "684", unit="persons", hedge="exactly")
    data = load(tmp_path, figures=rows, sources=[source("page"), source("other")], claims=[made])
    assert claims.check_claims(data)["mixed_measures"].tolist() == [True]


def test_what_cannot_be_recomputed_says_why(tmp_path: Path) -> None:
    rows = check(
        tmp_path,
        claim("C1", "ratio", "F001", "", "4"),
        claim("C2", "sum", "F008", "", "5", unit="cases", hedge="exactly"),
        claim("C3", "qualitative", "", "", "", unit="", hedge=""),
        claim("C4", "difference", "F005", "F001", "5", unit="cases", hedge="exactly"),
        claim("C5", "rate", "F005", "F001", "5", unit="per day", hedge="exactly"),
    )
    assert rows["verdict"].tolist()[:3] == ["not checkable"] * 3
    assert rows.loc["C5", "verdict"] == "not checkable"
    assert rows.loc["C1", "reason"] == "no known page gives the number that it is compared with"
    assert rows.loc["C2", "reason"].startswith("F008: rejected")
    assert "run on" in rows.loc["C5", "reason"]
    assert math.isnan(rows.loc["C1", "computed"])


def test_bad_rows_are_refused_by_check_with_file_and_line(tmp_path: Path) -> None:
    """Unknown ids, a zero denominator, an unknown hedge, a claim over percentages."""
    growth = figure("F010", 63, "other", kind="growth", unit="percent", fact="compiler/337/received-growth/2023")
    rows = [figure("F001", 5, "other"), figure("F002", 0, "other", fact="compiler/338/received/2023"), growth]
    data = {"figures": rows, "sources": [source("page"), source("other")]}
    made = [
        claim("C1", "ratio", "F001", "F999", "2"),
        claim("C2", "ratio", "F001", "F002", "2"),
        claim("C3", "ratio", "F001", "F001", "2", hedge="circa"),
        claim("C4", "ratio", "F010", "F001", "2"),
    ]
    with pytest.raises(figures.DataError) as raised:
        load(tmp_path, **data, claims=made, identities=[identity("I1", "F001", "equal", "F998")])
    faults = {(Path(fault.file).name, fault.line) for fault in raised.value.faults}
    assert faults >= {("claims.csv", 2), ("claims.csv", 3), ("claims.csv", 4), ("claims.csv", 5), ("identities.csv", 2)}
