"""Loading: types, corrections, the cut at a date, selection."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion import figures, reads
from desertion.errors import UserError
from desertion.figures import Data, load, table, vintages
from desertion.figures.schema import BY_FILE

TINY = Path(__file__).parent / "tiny_data"
FRAMES = [file.removesuffix(".csv") for file in BY_FILE]


@pytest.fixture(scope="module")
def tiny() -> Data:
    return figures.load(TINY)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8", newline="\n")


def test_columns_have_their_types(tiny: Data) -> None:
    for frame in (tiny.figures, tiny.context):
        assert frame.index.name == "id"
        kinds = frame.dtypes.astype("str").to_dict()
        for column in ("period_start", "period_end", "published", "known", "counted_on"):
            assert kinds.pop(column).startswith("datetime64"), column
        assert [kinds.pop(column) for column in ("value", "low", "high", "courts_share")] == ["float64"] * 4
        assert [kinds.pop(column) for column in ("cumulative", "dated", "corrected")] == ["bool"] * 3
        assert set(kinds.values()) == {"str"}
    narrowing = ["place", "part", "soldiers", "base"]
    assert tiny.figures.loc["F8", narrowing].tolist() == ["Moscow Oblast", "5", "contract", ""]
    assert tiny.figures.loc["F1", narrowing].tolist() == [""] * 4
    assert tiny.figures.loc["F5", ["low", "high"]].tolist() == [4250, 4350]
    assert tiny.corrections["known_from"].dtype.kind == "M"
    assert tiny.events["date"].dtype.kind == "M"
    assert tiny.events.index.name == tiny.sources.index.name == "id"
    assert not any(frame.isna().any().any() for frame in (tiny.events, tiny.corrections))


@pytest.fixture
def in_a_run(monkeypatch: pytest.MonkeyPatch, tiny_data: Path) -> Callable[..., None]:
    """Makes this process one that runs a notebook which declares all files but some of the tiny data."""

    def start(*undeclared: str) -> None:
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tiny_data.glob("*.csv")}
        for name in undeclared:
            del files[name]
            (tiny_data / name).write_text("not read")
        monkeypatch.setattr(sys.modules["desertion.figures.load"], "DATA", tiny_data)
        monkeypatch.setenv(reads.VARIABLE, json.dumps(files))

    return start


def test_in_a_run_the_same_frames_come_without_a_second_validation(
    tiny: Data, tiny_data: Path, in_a_run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_run()
    monkeypatch.setattr(sys.modules["desertion.figures.load"], "examine", None)
    loaded = figures.load(tiny_data)
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(tiny, name))
    pd.testing.assert_frame_equal(table("hedges.csv"), tiny.hedges)


def test_in_a_run_the_context_is_read_where_it_is_asked_for(
    tiny: Data, tiny_data: Path, in_a_run: Callable[..., None]
) -> None:
    in_a_run("context.csv")
    loaded = figures.load(tiny_data)
    pd.testing.assert_frame_equal(loaded.figures, tiny.figures)
    pd.testing.assert_frame_equal(loaded.corrections, tiny.corrections)
    with pytest.raises(UserError, match=r"context.csv is not declared.*add \"context.csv\" to `reads"):
        _ = loaded.context


def test_a_search_is_known_once_it_was_made(tiny_data: Path) -> None:
    day = {when: len(figures.load(tiny_data, as_of=when).searches) for when in (date(2024, 3, 30), date(2024, 3, 31))}
    assert list(day.values()) == [0, 1]


@pytest.mark.parametrize("name", ["claims", "identities", "hedges", "events", "searches"])
def test_in_a_run_every_other_file_is_read_when_it_is_first_used(
    tiny: Data, in_a_run: Callable[..., None], tiny_data: Path, name: str
) -> None:
    in_a_run(f"{name}.csv")
    loaded = figures.load(tiny_data)
    for other in set(FRAMES) - {name}:
        pd.testing.assert_frame_equal(getattr(loaded, other), getattr(tiny, other))
    with pytest.raises(UserError, match=rf"{name}.csv is not declared.*add \"{name}.csv\" to `reads"):
        getattr(loaded, name)
    with pytest.raises(UserError, match=f"{name}.csv is not declared"):
        table(f"{name}.csv")


def test_claims_and_identities_have_their_types_and_are_cut_at_a_date(tiny: Data) -> None:
    assert tiny.claims.loc["C2", "numerator"] == ("F4", "F6")
    assert tiny.claims.loc["C2", ["denominator", "stated"]].tolist() == [(), "4600"]
    assert tiny.identities["tolerance"].fillna(0).tolist() == [0, 5000, 0]
    assert tiny.hedges.loc["-fold increase", ["low", "also"]].tolist() == [-0.5, 1]
    assert tiny.compilers.loc["US Army", "slug"] == ""
    then = figures.load(TINY, as_of=date(2024, 3, 19))
    assert len(then.claims) == 0
    assert len(figures.load(TINY, as_of=date(2024, 3, 20)).claims) == 4
    assert list(figures.load(TINY, as_of=date(2024, 6, 17)).identities.index) == ["H1"]


def test_a_claim_on_an_undated_page_is_known_once_a_statement_of_that_page_is(tiny_data: Path) -> None:
    replace(tiny_data / "claims.csv", "C3,times-2024-03-20,", "C3,relay-undated,")
    assert "C3" in figures.load(tiny_data, as_of=date(2024, 3, 20)).claims.index
    assert "C3" not in figures.load(tiny_data, as_of=date(2023, 11, 28)).claims.index
    assert "C3" in figures.load(tiny_data).claims.index


def test_data_show_themselves_in_one_line_and_read_nothing_for_it(tiny_data: Path) -> None:
    data = load(tiny_data, as_of=date(2024, 3, 20))
    assert repr(data) == "Data(8 figures and 8 sources as of 2024-03-20)"
    assert callable(data.__dict__["context"])
    assert repr(load(tiny_data)) == "Data(10 figures and 8 sources)"


def test_a_name_that_is_no_file_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"'hedge.csv' is no file of data/: did you mean 'hedges.csv'"):
        table("hedge.csv")


def test_data_made_by_hand_have_empty_frames_for_what_is_not_given(tiny: Data) -> None:
    made = Data(figures=tiny.figures, sources=tiny.sources, as_of=None)
    for name in set(FRAMES) - {"figures", "sources"}:
        frame = getattr(made, name)
        assert len(frame) == 0
        assert set(frame.columns) <= set(getattr(tiny, name).columns)


def test_a_file_that_changes_while_a_notebook_runs_stops_it(tiny_data: Path, in_a_run: Callable[..., None]) -> None:
    in_a_run()
    (tiny_data / "figures.csv").write_bytes((tiny_data / "figures.csv").read_bytes() + b"\n")
    with pytest.raises(UserError, match=r"figures.csv was changed while the notebook ran: run it again"):
        figures.load(tiny_data)


def test_a_blank_cell_is_an_empty_text_never_nan(tiny: Data) -> None:
    text = tiny.figures.select_dtypes("str")
    assert not text.isna().any().any()
    assert tiny.figures.loc["F1", "per"] == ""


def test_the_source_stands_beside_the_statement(tiny: Data) -> None:
    row = tiny.figures.loc["F5"]
    assert (row["publisher"], row["source_kind"], row["copy_of"]) == ("A relay", "mirror", "times-2024-03-20")
    assert tiny.figures.loc["F4", "url"] == "https://times.example/2024/03/20"


def test_a_month_counts_as_known_on_its_last_day(tiny: Data) -> None:
    assert tiny.figures.loc["F3", "known"] == tiny.figures.loc["F3", "published"] == pd.Timestamp("2024-01-31")
    assert tiny.sources.loc["mediazona-2024-01", "published_text"] == "2024-01"
    assert "F3" not in figures.load(TINY, as_of=date(2024, 1, 30)).figures.index
    assert "F3" in figures.load(TINY, as_of=date(2024, 1, 31)).figures.index


def test_an_undated_statement_is_known_a_lag_after_its_period_and_marked(tiny: Data) -> None:
    assert tiny.context.loc["ctx3", "known"] == pd.Timestamp("1970-12-31") + pd.Timedelta(days=60)
    assert pd.isna(tiny.context.loc["ctx3", "published"])
    assert not tiny.context.loc["ctx3", "dated"]
    later = figures.load(TINY, undated_lag_days=200)
    assert later.context.loc["ctx3", "known"] == pd.Timestamp("1971-07-19")


def test_as_of_cuts_statements_corrections_and_events_but_not_sources(tiny: Data) -> None:
    then = figures.load(TINY, as_of=date(2024, 3, 20))
    assert list(then.figures.index) == ["F1", "F2", "F3", "F4", "F5", "F6", "F8", "F10"]
    assert list(then.context.index) == ["ctx1", "ctx2", "ctx3"]
    assert list(then.events.index) == ["invasion", "mobilisation"]
    assert then.corrections.empty
    assert then.sources.equals(tiny.sources)
    assert then.as_of == date(2024, 3, 20)


def test_vintages_are_what_loading_on_each_day_gives(tiny_data: Path) -> None:
    days = [date(2023, 12, 31), date(2024, 6, 30), date(2026, 1, 1)]
    for day, loaded in zip(days, vintages(days, tiny_data, undated_lag_days=30), strict=True):
        expected = load(tiny_data, as_of=day, undated_lag_days=30)
        assert loaded.as_of == day
        for name in FRAMES:
            pd.testing.assert_frame_equal(getattr(loaded, name), getattr(expected, name))


def test_a_part_of_the_figures_leaves_unread_what_is_unread(tiny_data: Path) -> None:
    whole = load(tiny_data)
    part = whole.of(whole.figures.head(1))
    assert callable(part.__dict__["context"])
    assert len(part.figures) == 1
    pd.testing.assert_frame_equal(part.context, load(tiny_data).context)


def test_a_correction_holds_from_the_day_of_its_evidence(tiny: Data) -> None:
    before = figures.load(TINY, as_of=date(2024, 3, 31)).figures.loc["F4"]
    after = figures.load(TINY, as_of=date(2024, 4, 1)).figures.loc["F4"]
    assert (before["period_start"], before["corrected"]) == (pd.Timestamp("2022-02-24"), False)
    assert (after["period_start"], after["corrected"]) == (pd.Timestamp("2023-01-01"), True)
    assert tiny.corrections[["figure_id", "field", "printed", "corrected"]].to_numpy().tolist() == [
        ["F4", "period_start", "2022-02-24", "2023-01-01"]
    ]
    assert list(tiny.figures.index[tiny.figures["corrected"]]) == ["F4"]


def test_a_stale_correction_stops_the_loading_even_where_the_cut_would_hide_it(tiny_data: Path) -> None:
    replace(tiny_data / "figures.csv", ",2022-02-24,", ",2022-02-25,")
    with pytest.raises(figures.DataError, match="the correction of F4 period_start is stale"):
        figures.load(tiny_data, as_of=date(2023, 1, 1))


def test_a_correction_of_context_is_applied_too(tiny_data: Path) -> None:
    with (tiny_data / "corrections.csv").open("a") as file:
        file.write("ctx2,value,420000,421000,made up,2024-04-01\n")
    assert figures.check(tiny_data) == []
    assert figures.load(tiny_data).context.loc["ctx2", "value"] == 421000


def test_when_a_statement_was_known_does_not_depend_on_the_correction_of_its_period(tiny_data: Path) -> None:
    replace(tiny_data / "sources.csv", ",2024-03-20,,en,relay", ",,,en,relay")
    replace(
        tiny_data / "corrections.csv", "F4,period_start,2022-02-24,2023-01-01", "F4,period_end,2023-12-31,2023-06-30"
    )
    known = pd.Timestamp("2023-12-31") + pd.Timedelta(days=60)
    assert figures.load(tiny_data).figures.loc["F4", "known"] == known


def test_an_undated_copy_is_not_known_before_its_original(tiny_data: Path) -> None:
    assert figures.load(TINY).figures.loc["F5", "known"] == pd.Timestamp("2024-03-20")
    assert "F5" not in figures.load(TINY, as_of=date(2024, 3, 19)).figures.index


def test_as_of_before_the_first_figure_names_the_first_date() -> None:
    with pytest.raises(UserError, match="as_of 2022-04-14 is before the first figure was known: 2022-04-15"):
        figures.load(TINY, as_of=date(2022, 4, 14))
    assert list(figures.load(TINY, as_of=date(2022, 4, 15)).figures.index) == ["F1"]


@pytest.mark.parametrize("lag", [-1, 10**12])
def test_an_impossible_lag_is_refused(lag: int) -> None:
    with pytest.raises(UserError, match="undated_lag_days"):
        figures.load(TINY, undated_lag_days=lag)


def test_data_with_a_fault_are_never_loaded(tiny_data: Path) -> None:
    replace(tiny_data / "events.csv", ",war,", ",wars,")
    with pytest.raises(figures.DataError, match=r"events\.csv:2: kind 'wars'"):
        figures.load(tiny_data)


@settings(max_examples=25)
@given(
    days=st.lists(st.dates(date(2022, 4, 15), date(2026, 1, 1)), min_size=2, max_size=2).map(sorted),
    lag=st.integers(0, 400),
)
def test_what_was_known_stays_known_and_the_same(days: list[date], lag: int) -> None:
    early, late = (figures.load(TINY, as_of=day, undated_lag_days=lag) for day in days)
    for one, two in ((early.figures, late.figures), (early.context, late.context)):
        assert set(one.index) <= set(two.index)
        assert one["known"].equals(two.loc[one.index, "known"])
        assert (one["known"] <= pd.Timestamp(days[0])).all()
    assert set(early.events.index) <= set(late.events.index)


def as_text(frame: pd.DataFrame, columns: list[str]) -> list[list[str]]:
    """What a data file would hold of `frame`."""
    frame = frame.reset_index()
    for column in columns:
        if frame[column].dtype.kind == "M":
            frame[column] = frame[column].dt.strftime("%Y-%m-%d")
        elif frame[column].dtype.kind == "b":
            frame[column] = np.where(frame[column], "true", "false")
        elif frame[column].dtype.kind == "f":
            frame[column] = [f"{value:.6f}".rstrip("0").rstrip(".") for value in frame[column]]
    return frame[columns].to_numpy().tolist()


@settings(max_examples=25)
@given(
    value=st.integers(0, 10**12 - 1),
    share=st.integers(0, 10**8).map(lambda n: n / 10**6),
    note=st.text(
        st.characters(
            exclude_categories=["Cs", "Co", "Cn"], exclude_characters=["\r", *map(chr, range(0x1F1E6, 0x1F200))]
        ),
        max_size=40,
    ).map(str.strip),
    end=st.dates(date(2022, 12, 1), date(2023, 1, 31)),
)
def test_what_is_written_is_what_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, value: int, share: float, note: str, end: date
) -> None:
    folder = tmp_path_factory.mktemp("data")
    for path in TINY.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "corrections.csv").write_text((TINY / "corrections.csv").read_text().splitlines()[0] + "\n")
    with (TINY / "figures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[1] |= {"value": str(value), "note": note, "period_end": str(end)}
    rows[7]["value"] = f"{share:.6f}".rstrip("0").rstrip(".")
    with (folder / "figures.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    columns = list(BY_FILE["figures.csv"].columns)
    assert as_text(figures.load(folder).figures, columns) == [[row[column] for column in columns] for row in rows]


def ids(frame: pd.DataFrame) -> list[str]:
    return list(frame.index)


def test_select_takes_counts_that_are_ok_unless_told_otherwise(tiny: Data) -> None:
    assert ids(figures.select(tiny.figures)) == ["F1", "F2", "F3", "F4", "F6", "F7"]
    assert ids(figures.select(tiny.figures, status=None, kind=None)) == ids(tiny.figures)
    assert ids(figures.select(tiny.figures, status=("ok", "low"))) == ["F1", "F2", "F3", "F4", "F5", "F6", "F7"]
    assert ids(figures.select(tiny.figures, kind="share")) == ["F8"]


def test_select_by_articles_takes_whole_sets(tiny: Data) -> None:
    assert ids(figures.select(tiny.figures, articles="337")) == ["F1", "F2", "F3", "F4"]
    assert ids(figures.select(tiny.figures, articles=["332", "332+337+338"])) == ["F6", "F7"]
    assert ids(figures.select(tiny.figures, articles="339")) == []


def test_select_by_measure_compiler_scope_and_period(tiny: Data) -> None:
    assert ids(figures.select(tiny.figures, measures="persons_convicted")) == ["F1", "F4"]
    assert ids(figures.select(tiny.figures, compilers=["Proekt"])) == ["F4", "F6"]
    assert ids(figures.select(tiny.figures, compilers="BBC Russian")) == [], "known, and absent here"
    assert ids(figures.select(tiny.figures, scope="mobilisation_parts")) == ["F7"]
    inside = figures.select(tiny.figures, start=date(2022, 1, 1), end=date(2023, 12, 31))
    assert ids(inside) == ["F2", "F3", "F4", "F6"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"measures": "person_convicted"}, "measure 'person_convicted' is unknown; did you mean 'persons_convicted'"),
        ({"articles": "399"}, "articles '399': "),
        ({"status": "good"}, "status 'good' is unknown; known are low, ok, rejected"),
        ({"scope": "hole"}, "did you mean 'whole'"),
        ({"compilers": "mediazona"}, "compiler 'mediazona': no such compiler; did you mean 'Mediazona'?"),
        ({"compilers": ["Proekt", "Мediazona"]}, "did you mean 'Mediazona'. .'М' is CYRILLIC CAPITAL LETTER EM"),
    ],
)
def test_select_refuses_a_mistyped_word(tiny: Data, words: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        figures.select(tiny.figures, **words)  # type: ignore[arg-type]


def test_select_works_on_context_and_refuses_a_column_that_it_lacks(tiny: Data) -> None:
    assert ids(figures.select(tiny.context)) == ["ctx2"]
    assert ids(figures.select(tiny.context, measures="desertions for each 1000 soldiers", kind="rate")) == ["ctx3"]
    with pytest.raises(UserError, match="no column articles"):
        figures.select(tiny.context, articles="337")


def test_an_old_number_on_an_undated_page_is_not_known_before_the_page_can_have_been_written() -> None:
    figures_ = figures.load().figures
    page = figures_[figures_["source_id"].eq(figures_.loc["F059", "source_id"])]
    assert not page["dated"].any()
    assert page["known"].nunique() == 1
    assert page["known"].iloc[0] == page["period_end"].max() + pd.Timedelta(days=60)
