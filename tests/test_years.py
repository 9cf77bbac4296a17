"""Numbers by year: cases beside the level, and one interval for each growth factor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from test_composite_fit import Row, fitted, months, reports
from test_composite_fit import years as yearly
from test_rounded import NO_FORECAST, monthly

from desertion.project import NOTEBOOKS, ROOT
from desertion.trends import Refused, composite, growth, rounded, years
from desertion.trends.counts import Observations


@pytest.fixture(scope="module")
def fit() -> composite.Fit:
    return fitted(monthly(30), composite.Spec(tau=0.1, phi=2.0))


@pytest.fixture(scope="module")
def thin() -> composite.Fit:
    return fitted(monthly(6), composite.Spec(tau=0.1, phi=2.0))


def test_levels_give_cases_years_growth_and_the_refusal(fit: composite.Fit, thin: composite.Fit) -> None:
    numbers = years.totals({"a": rounded.Panel(fit), "b": rounded.Panel(thin)})
    assert numbers["mean"].tolist()[:3] == fit.totals("year")["mean"].tolist()
    assert numbers["ratio"].isna().tolist() == [True, False, True, True]
    table = years.levels(numbers)
    assert table["period"].tolist() == ["2021", "2022", "2023, Jan to Jun", "all"]
    assert table["count"].tolist()[0] == f"{fit.obs.low[:12].sum():,.0f}"
    assert table["count_interval"].tolist() == ["exact", "exact", "exact", ""]
    assert table["growth"].tolist()[0] == table["growth"].tolist()[2] == ""
    assert table["growth"].iloc[1].startswith("×1.7")
    assert table["expected"].iloc[3] == "not enough data"
    assert "6 informative counts" in table["interval"].iloc[3]


def test_a_series_that_nobody_published_yet_is_refused_by_name(fit: composite.Fit) -> None:
    panel = {"later": rounded.Panel(fit, "persons")}
    assert "no number of persons was published" in years.levels(years.totals(panel))["interval"].iloc[0]


PARTLY: list[Row] = [
    *months(2022, *[40.0] * 12),
    ("2023-01-01", "2024-02-29", 900, 900),
    *months(2024, *[70.0] * 12)[2:],
]


def scoped(obs: Observations) -> Observations:
    scopes = tuple("whole" if obs.first(i).year == 2022 else "mobilisation_parts" for i in range(len(obs)))
    why = tuple("5 of the whole, less 0 to 2 of its other parts" if i == 3 else "" for i in range(len(obs)))
    left = replace(obs, why=("counted again in F002",) * len(obs)).take([0])
    return replace(obs, scopes=scopes, omitted=left, why=why)


def test_a_table_and_a_sentence_say_of_which_parts_the_cases_are_and_which_reports_do_not_stand_as_printed() -> None:
    fit = fitted(scoped(reports(*PARTLY)), composite.Spec(tau=0.1, phi=3.0))
    table = years.levels(years.totals({"a": rounded.Panel(fit)}))
    assert table["scope"].tolist() == ["all parts", "newer parts", "newer parts"]
    assert table["count_interval"].tolist()[0] == "exact"
    low, high = (float(end.replace(",", "")) for end in table["count_interval"].iloc[1].split(" to "))
    number = years.cases(fit, 2023)
    assert not isinstance(number, Refused)
    assert (number.low, number.high, number.scope) == (round(low, -1), round(high, -1), "newer parts")
    assert number.low <= number.number <= number.high <= 900
    assert "not over all of 2025" in str(years.cases(fit, 2025))
    assert years.cases(NO_FORECAST, 2023) is NO_FORECAST
    read, left = years.readings(fit)
    words = "Counts of all parts, read as limits of the newer ones: F004"
    assert read == f"{words}, 5 of the whole, less 0 to 2 of its other parts."
    assert left == "Left out, since each case counts once: F001, counted again in F002."
    assert years.readings(NO_FORECAST) == []


def test_counts_scatter_as_assumed_or_as_fitted_or_as_the_official_ones(
    fit: composite.Fit, thin: composite.Fit
) -> None:
    assert years.scatter(fit, 20.0) == (20, "as assumed here")
    assert years.scatter(fit, None) == (2, "as the reports of these cases show")
    for nothing in (thin, NO_FORECAST):
        assert years.scatter(nothing, None) == (growth.OFFICIAL, "as official counts of 2013 to 2021 do")


def test_a_pair_of_years_that_a_fit_covers_has_the_interval_of_the_fit() -> None:
    fit = fitted(reports(*yearly(2021, 600, 1000, 5000), *months(2024, *[300.0] * 12)), composite.Spec(phi=5.0))
    row = {"compiler": "Mediazona", "articles": "337", "measure": "verdicts", "refused": "", "incomplete": False}
    pairs = pd.DataFrame(
        [row | {"from_year": 2021, "to_year": b, "ratio": 8.3, "low": 1.0, "high": 99.0} | more
         for b, more in ((2023, {}), (2025, {}), (2022, {"incomplete": True}), (2022, {"compiler": "Proekt"}))]
    )  # fmt: skip
    key = ("Mediazona", "337", "verdicts")
    made = years.rates(pairs, {key: rounded.Panel(fit)})
    grown = fit.growth(2021, 2023)
    assert isinstance(grown, dict)
    assert made[["low", "high"]].to_numpy()[0].tolist() == [grown["low"], grown["high"]]
    assert made["ratio"].eq(8.3).all()
    assert made["low"].tolist()[1:] == [1.0] * 3
    pd.testing.assert_frame_equal(years.rates(pairs, {key: rounded.Panel(NO_FORECAST)}), pairs)


# --- one number, one interval, over all stored outputs -------------------------------------------------------------

NUMBER = r"[\d,]+(?:\.\d+)?"
INTERVAL = re.compile(rf"({NUMBER}) to ({NUMBER})")
COUNTERS = {
    "Criminal cases received by a court, Art. 337, Mediazona": "cases",
    "Cases received by courts, Art. 337, Mediazona": "cases",
    "Persons convicted, Art. 337, 338 and 339, The Insider": "persons",
}
Printed = tuple[tuple[str, int, int], str, str, str]


def outputs(name: str) -> Iterator[tuple[str, str]]:
    """Text and HTML of each stored output of a notebook."""
    for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            part = output.get("data", {})
            yield "".join(part.get("text/markdown", part.get("text/plain", ""))), "".join(part.get("text/html", ""))


def table(name: str, html_id: str) -> list[list[str]]:
    """Cells of the rows of a stored table."""
    (html,) = [html for _, html in outputs(name) if f'id="table-{html_id}"' in html]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.S)
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.S)]
            for row in rows]  # fmt: skip


def printed() -> Iterator[Printed]:
    """Every growth factor that the stored outputs print with an interval: what and years, its ends, and the place."""
    drawn = pd.read_csv(ROOT / "plots" / "growth.csv", dtype=str)
    for row in drawn.to_dict("records"):
        a, b = map(int, re.findall(r"\d{4}", row["label"]))
        yield (COUNTERS.get(row["series"], row["series"]), a, b), row["low"], row["high"], "plots/growth.csv"
    of = {(row["compiler"], row["articles"], row["measure"]): row["series"] for row in drawn.to_dict("records")}
    by_stage = pd.read_csv(ROOT / "plots" / "stages.csv", dtype=str, keep_default_na=False)
    for row in by_stage[by_stage["from_part"].eq("") & by_stage["to_part"].eq("")].to_dict("records"):
        one, b = (row["compiler"], row["articles"], row["measure"]), int(float(row["to_year"]))
        series = of.get(one, " ".join(one))
        yield (COUNTERS.get(series, series), b - 1, b), row["low"], row["high"], "plots/stages.csv"
    group = ""
    for cells in table("03-trends.ipynb", "factors"):
        if len(cells) == 1:
            group = cells[0]
        elif len(cells) > 2 and "→" in cells[0]:
            a, b = map(int, re.findall(r"\d{4}", cells[0]))
            yield (COUNTERS.get(group, group), a, b), *INTERVAL.search(cells[2]).groups(), "table factors"  # type: ignore[union-attr]
    for cells in table("03-trends.ipynb", "levels"):
        if len(cells) == 1:
            group = cells[0]
        elif len(cells) > 2 and cells[-1].startswith("×"):
            year = int(cells[0])
            yield (COUNTERS[group], year - 1, year), *INTERVAL.search(cells[-1]).groups(), "table levels"  # type: ignore[union-attr]
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for text, _ in outputs(path.name):
            for years_, low, high in re.findall(
                rf"from (\d{{4}} to \d{{4}}).{{0,200}}?(?:as a rate|grew between|a factor of {NUMBER} \()\s*"
                rf"({NUMBER}) (?:to|and) ({NUMBER})", text, re.S,
            ):  # fmt: skip
                a, b = map(int, years_.split(" to "))
                what = "persons" if "Persons convicted" in text else "cases"
                yield (what, a, b), low, high, f"a sentence of {path.name}"
            for a, b, low, high in re.findall(
                rf"cases rose first: from (\d{{4}}) to (\d{{4}}) .*? the rate behind them {NUMBER} times "
                rf"\(({NUMBER}) to ({NUMBER})\)", text, re.S,
            ):  # fmt: skip
                yield ("cases", int(a), int(b)), low, high, f"a sentence of {path.name}"
            for b, low, high in re.findall(
                rf"In (\d{{4}}) Ukraine's rose .*? Russia's {NUMBER} times \(({NUMBER}) to ({NUMBER})\)", text
            ):
                yield ("cases", int(b) - 1, int(b)), low, high, f"a sentence of {path.name}"


def test_every_growth_factor_is_printed_with_one_interval() -> None:
    found: dict[tuple[str, int, int], list[tuple[str, str, str]]] = {}
    for key, low, high, place in printed():
        found.setdefault(key, []).append((low.replace(",", ""), high.replace(",", ""), place))
    assert {place for _, _, place in found["cases", 2021, 2023]} == {
        "plots/growth.csv", "table factors", "a sentence of 03-trends.ipynb",
    }  # fmt: skip
    assert {place for _, _, place in found["cases", 2022, 2023]} == {
        "plots/growth.csv", "table factors", "table levels", "a sentence of 04-comparisons.ipynb", "plots/stages.csv",
    }  # fmt: skip
    assert {place for _, _, place in found["cases", 2023, 2024]} == {
        "table levels",
        "a sentence of 04-comparisons.ipynb",
    }
    assert {place for _, _, place in found["persons", 2023, 2024]} >= {
        "table levels",
        "table factors",
        "plots/stages.csv",
    }
    for key, every in found.items():
        for side in (0, 1):
            ends = [one[side] for one in every]
            places = [len(end.partition(".")[2]) for end in ends]
            finest = float(ends[int(np.argmax(places))])
            for end, digits, one in zip(ends, places, every, strict=True):
                assert abs(float(end) - finest) <= 0.5 * 10**-digits + 1e-9, (key, one, every)


def test_every_total_of_a_year_is_printed_with_one_interval() -> None:
    """The number of cases of 2024 in the sentence is that of the table, to tens; the level is in the table alone."""
    (row,) = [cells for cells in table("03-trends.ipynb", "levels") if cells[0] == "2024" and "newer parts" in cells]
    number, interval = row[2], row[3]
    (text,) = [text for text, _ in outputs("03-trends.ipynb") if "What happened" in text]
    said = re.search(rf"about ({NUMBER}) in 2024 \(.*? interval ({NUMBER}) to ({NUMBER})\)", text, re.S)
    assert said is not None
    low, high = INTERVAL.search(interval).groups()  # type: ignore[union-attr]
    for words, exactly in zip(said.groups(), (number, low, high), strict=True):
        assert float(words.replace(",", "")) == round(float(exactly.replace(",", "")), -1)
    level = next(cells for cells in table("03-trends.ipynb", "levels") if cells[0] == "2024")[5]
    elsewhere = [text for path in NOTEBOOKS.glob("*.ipynb") for text, _ in outputs(path.name) if level in text]
    assert elsewhere == []


def test_the_cases_after_a_year_are_compared_with_it_by_the_month(fit: composite.Fit, thin: composite.Fit) -> None:
    since, year = years.after(fit, 2022), years.cases(fit, 2022)
    assert not isinstance(since, Refused)
    assert not isinstance(year, Refused)
    assert since.last == fit.ends[-1]
    assert since.number == pytest.approx(fit.obs.low[24:30].sum(), abs=5)
    assert since.monthly == pytest.approx(since.number / 6, rel=0.02)
    assert since.recipes["monthly"] == f"{since.number:,.0f} ÷ 181 days × 30.4 days"
    assert since.monthly == pytest.approx(since.number / 181 * 30.4, rel=0.002)
    assert year.hundreds == round(year.number, -2)
    assert year.monthly == pytest.approx(year.number / 12, rel=0.01)
    assert "6 informative counts" in str(years.after(thin, 2020))
    assert "the reports end on 2023-06-30" in str(years.after(fit, 2023))
