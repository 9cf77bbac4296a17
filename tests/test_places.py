"""Counts by place: which place, what of, and how much of all Russia a list of places covers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.data import detail, figure, load, source

from desertion import figures, plots, reconcile
from desertion.errors import UserError

PLACES = {"Komi": 75, "Karelia": 136, "Murmansk Oblast": 152}


def counted(folder: Path, whole: float | None = 1000, **cells: str) -> tuple[pd.DataFrame, figures.Data]:
    """Facts of three regions in 2023, and of all Russia where `whole` is given."""
    rows = [
        figure(f"F{n}", value, "page", fact=f"newsroom/337/received-{n}/2023", scope="subset", **cells)
        for n, value in enumerate(PLACES.values(), 1)
    ]
    if whole is not None:
        rows.append(figure("F9", whole, "page", fact="newsroom/337/received/2023", bound="about", hedge="almost"))
    places = [{"name": name, "kind": "region", "note": ""} for name in PLACES]
    details = [detail(f"F{n}", place=name) for n, name in enumerate(PLACES, 1)]
    data = load(folder, figures=rows, sources=[source("page")], places=places, details=details)
    return reconcile.facts(data), data


def test_each_place_stands_beside_the_count_of_all_russia_that_it_is_a_part_of(tmp_path: Path) -> None:
    table = reconcile.by_place(*counted(tmp_path))
    assert table["place"].tolist() == ["Murmansk Oblast", "Karelia", "Komi"]
    assert table["share"].tolist() == [15.2, 13.6, 7.5]
    assert table["ids"].tolist() == ["F3 F9", "F2 F9", "F1 F9"]
    assert reconcile.leading(table) == (
        "Murmansk Oblast", 152, "Newsroom", "31 Dec 2023", 3, "about 1,000", 15.2, pytest.approx(36.3), "F3 F9 F2 F1",
    )  # fmt: skip


def test_without_a_count_of_all_russia_there_is_no_share_and_the_caption_says_so(tmp_path: Path) -> None:
    table = reconcile.by_place(*counted(tmp_path, None))
    assert table["share"].isna().all()
    assert reconcile.leading(table) is None
    (caption,) = reconcile.listed_together(table)["caption"].unique()
    assert caption.endswith("2023: 3 places; no count for all of Russia by the same counter is known.")


def test_a_weak_list_says_that_it_is_weak(tmp_path: Path) -> None:
    (caption,) = reconcile.listed_together(reconcile.by_place(*counted(tmp_path, None, status="low")))[
        "caption"
    ].unique()
    assert caption.endswith("Weak: see the published numbers.")


def test_a_list_says_how_much_of_the_whole_it_covers(tmp_path: Path) -> None:
    table = reconcile.listed_together(reconcile.by_place(*counted(tmp_path)))
    assert set(plots.places.columns) == set(table.columns)
    assert table["caption"].unique().tolist() == [
        "Criminal cases received by a court, Art. 337, 2023: 3 places, 363 of about 1,000 in all of Russia."
    ]


def test_two_places_are_no_list(tmp_path: Path) -> None:
    facts, data = counted(tmp_path)
    table = reconcile.by_place(facts, data, ["Komi", "Karelia"])
    assert table["place"].tolist() == ["Karelia", "Komi"]
    assert reconcile.listed_together(table).empty
    assert reconcile.leading(table) is None


def test_a_place_that_the_vocabulary_does_not_have_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        reconcile.by_place(*counted(tmp_path), ["Kommi"])
    assert str(caught.value) == "'Kommi' is no place of data/places.csv; did you mean 'Komi'?"


def test_a_part_of_an_article_has_no_share_of_all_parts(tmp_path: Path) -> None:
    rows = [
        figure("F1", 120, "page", fact="newsroom/337/received-perm/2023", scope="subset"),
        figure("F2", 4000, "page", fact="newsroom/337/received/2023"),
    ]
    places = [{"name": "Perm garrison court", "kind": "court", "note": ""}]
    details = [detail("F1", place="Perm garrison court", part="5")]
    data = load(tmp_path, figures=rows, sources=[source("page")], places=places, details=details)
    (row,) = reconcile.by_place(reconcile.facts(data), data).itertuples()
    assert pd.isna(row.share)
    assert row.what == "Criminal cases received by a court, Art. 337, part 5"


@pytest.mark.parametrize("day", ["2022-12-31", "2023-06-30", "2024-03-20", None])
def test_an_edition_knows_the_places_that_were_published_by_then(day: str | None) -> None:
    data = figures.load(as_of=day)
    table = reconcile.by_place(reconcile.facts(data), data)
    assert (table["period_end"] <= pd.Timestamp(day or "2026-12-31")).all()
    lists = reconcile.listed_together(table)
    assert lists["panel"].nunique() == {"2022-12-31": 0, "2023-06-30": 0, "2024-03-20": 2, None: 5}[day]
    assert set(plots.places.columns) == set(lists.columns)


def test_bars_are_as_long_as_their_counts_and_stand_under_their_counter() -> None:
    data = figures.load()
    lists = reconcile.listed_together(reconcile.by_place(reconcile.facts(data), data))
    for size in ("double", "single"):
        fig = plots.places(lists, size)
        assert len(fig.axes) == 5
        for axes, (_, part) in zip(fig.axes, lists.groupby(["panel", "caption"], sort=False), strict=True):
            assert [bar.get_width() for bar in axes.patches] == part["value"].tolist()
            assert axes.get_xlim()[0] == 0
