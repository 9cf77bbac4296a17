"""Kept results: found by content alone, never by halves, and only while the package is what it was."""

import dataclasses
import os
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clone import Clone

from desertion import memo, plots
from desertion.trends import composite
from desertion.trends.counts import Observations


@dataclasses.dataclass(frozen=True)
class Pair:
    left: Any
    right: Any


plain = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=2) | st.dates()
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=1), inner, max_size=2)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=6,
)


def told(value: Any) -> str:
    """The content with its types, which == does not tell (1 == True, 0.0 == -0.0)."""
    if isinstance(value, Pair):
        return f"Pair({told(value.left)}, {told(value.right)})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{told(k)}: {told(v)}' for k, v in value.items())})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(told, value))})"
    return repr(value)


@given(one=nested, other=nested)
def test_two_contents_have_one_digest_only_where_they_are_the_same(one: Any, other: Any) -> None:
    assert (memo.digest(one) == memo.digest(other)) == (told(one) == told(other))


def test_arrays_differ_by_type_shape_and_every_bit() -> None:
    base = np.arange(6.0)
    others = [base.astype(np.float32), base.reshape(2, 3), np.nextafter(base, 9), base.tolist(), base[0], np.zeros(0)]
    assert len({memo.digest(one) for one in [base, *others]}) == 7
    assert memo.digest(np.arange(12.0)[::2] / 2) == memo.digest(base), "how it lies in memory is no content"
    assert memo.digest(base, base) != memo.digest(np.concatenate([base, base]))


def test_frames_differ_by_names_types_and_cells() -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-03-20", None]), "value": [1.0, 2.0], "word": ["a", "b"]})
    others = [
        frame.rename(columns={"word": "words"}),
        frame.set_index("word"),
        frame.astype({"value": int}),
        frame[::-1],
    ]
    others += [frame.assign(value=[1.0, 2.5]), frame.assign(day=frame["day"] + pd.Timedelta(days=1))]
    assert len({memo.digest(one) for one in [frame, *others]}) == 7
    assert memo.digest(frame.copy()) == memo.digest(frame)


def test_every_plot_can_be_told_from_the_others() -> None:
    assert len({memo.digest(plot) for plot in plots.PLOTS.values()}) == len(plots.PLOTS)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), lambda: 1, told, Path("/")])
def test_what_has_no_content_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no content that can be told"):
        memo.digest([value])


calls: list[Any] = []


def square(x: float) -> Any:
    calls.append(x)
    if x == 13:
        raise ValueError("thirteen")
    if x == 7:
        warnings.warn("seven", stacklevel=1)
    return np.array([x * x, np.nan]), date(2024, 3, 20)


def outer(x: float) -> Any:
    return memo.recall(square, x)[0][0] + 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    calls.clear()
    monkeypatch.setattr(memo, "_folder", None)
    monkeypatch.setattr(memo, "_names", [])
    monkeypatch.setattr(memo, "_tables", [])
    memo.begin(tmp_path / "memo")
    yield tmp_path / "memo"
    assert not list(tmp_path.rglob("*.part"))


def test_a_result_is_found_once_for_each_content(folder: Path) -> None:
    first, again, other = (memo.recall(square, x) for x in (3.0, 3.0, 4.0))
    assert calls == [3.0, 4.0]
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[1], other[0][0]) == (again[1], 16)
    assert memo.recall(outer, 3.0) == 10
    assert memo.recall(outer, 5.0) == memo.recall(outer, 5.0) == 26
    assert calls == [3.0, 4.0, 3.0, 5.0], "what is inside of a kept result is not kept beside it"


def test_outside_of_a_warm_kernel_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "_folder", None)
    for _ in range(2):
        memo.recall(square, 3.0)
    assert calls == [3.0, 3.0]
    assert not folder.exists()


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_half_a_file_is_found_anew_and_mended(folder: Path, cut: int) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    assert memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0]
    assert path.read_bytes() == whole


def test_where_nothing_can_be_written_the_result_is_still_given(folder: Path) -> None:
    folder.write_text("a file where the folder would be")
    assert memo.recall(square, 3.0)[0][0] == memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0]


def test_what_warned_is_said_each_time_and_what_failed_fails_each_time(folder: Path) -> None:
    for _ in range(2):
        with pytest.warns(UserWarning, match="seven"):
            memo.recall(square, 7.0)
        with pytest.raises(ValueError, match="thirteen"):
            memo.recall(square, 13.0)
    assert calls == [7.0, 13.0] * 2
    memo.recall(square, 3.0)
    assert len(list(folder.iterdir())) == 1


def test_a_package_that_was_changed_in_this_process_keeps_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo.recall(square, 3.0)
    with monkeypatch.context() as changed:
        changed.setattr(composite.model, "MOST_REPORTS", 3)
        memo.recall(square, 3.0)
        memo.recall(square, 4.0)
    memo.recall(square, 3.0)
    assert calls == [3.0, 3.0, 4.0]
    assert len(list(folder.iterdir())) == 1


def test_a_table_of_the_package_that_was_changed_in_place_keeps_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo.recall(square, 3.0)
    for change in (
        lambda to: to.setitem(composite.hyper.SPACING, 1, 0.5),
        lambda to: to.setitem(composite.hyper.SPACING, 9, 0.5),
        lambda to: to.delitem(plots.PLOTS, "growth"),
    ):
        with monkeypatch.context() as changed:
            change(changed)
            memo.recall(square, 3.0)
    assert calls == [3.0] * 4


def test_of_what_is_kept_the_oldest_goes_first_and_what_is_of_another_package_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "FOLDER", tmp_path / "memo")
    source = tmp_path / "a.py"
    source.write_text("1")
    folder = memo.prepare([source])
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"{number}").write_bytes(b"x" * 100)
        os.utime(folder / f"{number}", (number, number))
    (folder / ".3.new.part").write_bytes(b"x")
    monkeypatch.setattr(memo, "MOST", 250)
    assert memo.prepare([source]) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]
    source.write_text("2")
    assert memo.prepare([source]) != folder
    assert not folder.exists()


def test_a_kept_fit_is_the_fit_at_any_level(folder: Path) -> None:
    days = [date(2023, month, 1).toordinal() for month in range(1, 13)] + [date(2024, 1, 1).toordinal()]
    counts = np.array([40.0, 43, 39, 51, 48, 60, 57, 66, 71, 69, 80, 85])
    start, stop = np.array(days[:-1], np.int64), np.array(days[1:], np.int64)
    ids = tuple(f"r{n}" for n in range(12))
    obs = Observations(ids, np.zeros(12, np.int64), start, stop, counts, counts, ("cases",))
    for spec in (composite.Spec(tau=0.1, phi=2.0), composite.Spec(tau=0.1, phi=2.0, level=0.5, seed=3, draws=9)):
        kept, fresh = composite.fit(obs, spec), composite.model._fit(obs, spec, None)
        assert isinstance(kept, composite.Fit)
        assert isinstance(fresh, composite.Fit)
        assert kept.spec == fresh.spec
        assert kept.totals().equals(fresh.totals())
        np.testing.assert_array_equal(kept.drawn[0], fresh.drawn[0])
    assert len(list(folder.iterdir())) == 1


SLOW = """
from desertion import memo
from desertion.project import ROOT

def square(x):
    with (ROOT / "calls").open("a") as file:
        file.write(f"{x}\\n")
    return x * x

def kept(x):
    return memo.recall(square, x)
"""


def test_runs_share_what_they_found_and_cold_ones_and_changed_packages_find_it_again(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone")
    clone.write("src/desertion/slow.py", SLOW)
    (clone.root / "notebooks" / "02-b.ipynb").unlink()

    def count(cell: str, *code: str) -> int:
        clone.notebook("01-a", "from desertion import slow", cell)
        clone.build(*code)
        return len((clone.root / "calls").read_text().split())

    assert count("slow.kept(3)") == 1
    assert count("slow.kept(3) + 0") == 1
    page = clone.report.read_bytes()
    (clone.place / "build.json").unlink()
    assert count("slow.kept(3) + 0", "-m", "desertion", "build", "--cold") == 2
    assert clone.report.read_bytes() == page, "the same, found or kept"
    assert count("slow.square = lambda x: 0\nslow.kept(3)") == 2, "its own function was called"
    assert count("slow.kept(3) + 1") == 2
    assert '"9"' not in clone.report.read_text()
    assert '"10"' in clone.report.read_text(), "what another notebook did to the package was not kept"
    clone.write("src/desertion/slow.py", SLOW + "# changed\n")
    assert count("slow.kept(3)") == 3
