"""Cached results: by content alone, whole, from a safe folder, and only while the package is what its files say."""

import dataclasses
import os
import pickle
import shutil
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clone import Clone

from desertion import memo, plots, project
from desertion.engine.run import run
from desertion.plots.plot import Plot
from desertion.project import NOTEBOOKS, ROOT
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


def spelled(value: Any) -> str:
    """The content with its types, which == does not compare (1 == True, 0.0 == -0.0)."""
    if isinstance(value, Pair):
        return f"Pair({spelled(value.left)}, {spelled(value.right)})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{spelled(k)}: {spelled(v)}' for k, v in value.items())})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(spelled, value))})"
    return repr(value)


@given(one=nested, other=nested)
def test_two_contents_have_one_digest_only_where_they_are_the_same(one: Any, other: Any) -> None:
    assert (memo.digest(one) == memo.digest(other)) == (spelled(one) == spelled(other))


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


def test_every_plot_differs_from_the_others() -> None:
    assert len({memo.digest(plot) for plot in plots.PLOTS.values()}) == len(plots.PLOTS)


def test_what_is_one_object_and_how_it_lies_in_memory_is_no_content() -> None:
    word = "".join(["a", "b"])
    assert memo.digest([word, word]) == memo.digest([word, "".join(["a", "b"])])
    array = np.arange(6.0).reshape(2, 3)
    assert memo.digest(array) == memo.digest(np.asfortranarray(array)) == memo.digest(array.T.copy().T)
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    grown = pd.DataFrame({"a": [1.0, 2.0]})
    grown["b"] = [3.0, 4.0]
    assert memo.digest(frame) == memo.digest(grown) == memo.digest(pickle.loads(pickle.dumps(grown)))


@given(value=nested)
def test_content_survives_the_cache(value: Any) -> None:
    assert memo.digest(pickle.loads(pickle.dumps(value))) == memo.digest(value)


def test_what_an_object_has_computed_of_itself_is_no_content() -> None:
    fresh, used = Pair(1, 2), Pair(1, 2)
    object.__setattr__(used, "total", 3)
    assert memo.digest(fresh) == memo.digest(used)


@pytest.mark.parametrize("value", [object(), (n for n in "a"), Path("/")])
def test_a_value_without_comparable_content_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be a key"):
        memo.digest([value])


def test_a_function_is_known_by_what_it_does() -> None:
    assert len({memo.digest(one) for one in (lambda: 1, lambda: 2, lambda x=1: 1, lambda: len, lambda: sum)}) == 5


def test_plots_are_pickled_by_name_and_only_those_of_the_package() -> None:
    for plot in plots.PLOTS.values():
        assert pickle.loads(pickle.dumps(plot)) is plot
    changed: Plot = dataclasses.replace(plots.growth, topic="Another")
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(changed)
    assert memo.digest(changed) != memo.digest(plots.growth)


calls: list[Any] = []


def square(x: float) -> Any:
    calls.append(x)
    if x == 13:
        raise ValueError("thirteen")
    if x == 7:
        warnings.warn("seven", stacklevel=1)
    if x == 8:
        warnings.warn("eight", DeprecationWarning, stacklevel=1)
    return np.array([x * x, np.nan]), date(2024, 3, 20)


def outer(x: float) -> Any:
    return memo.recall(square, x)[0][0] + 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of results, in a process that looks like a kernel."""
    calls.clear()
    for name in ("CI", "PYTEST_VERSION", "DESERTION_MEMO"):
        monkeypatch.delenv(name, raising=False)
    shell = types.SimpleNamespace(kernel=True)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    monkeypatch.setattr(memo, "FOLDER", tmp_path / "memo")
    memo._folder.cache_clear()
    yield tmp_path / "memo" / project.code_digest()[:16]
    memo._folder.cache_clear()
    assert not list(tmp_path.rglob("*.part"))


def test_a_result_is_computed_once_for_each_content(folder: Path) -> None:
    first, again, other = (memo.recall(square, x) for x in (3.0, 3.0, 4.0))
    assert calls == [3.0, 4.0]
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[1], other[0][0]) == (again[1], 16)
    assert memo.recall(outer, 3.0) == 10
    assert memo.recall(outer, 5.0) == memo.recall(outer, 5.0) == 26
    assert calls == [3.0, 4.0, 3.0, 5.0], "what is inside a cached call is not cached beside it"
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(
    ("name", "value", "on"),
    [("CI", "true", 0), ("CI", "", 1), ("PYTEST_VERSION", "8.3", 0), ("DESERTION_MEMO", "off", 0), ("A", "b", 1)],
)
def test_it_is_off_in_ci_under_pytest_and_on_demand(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, on: bool
) -> None:
    monkeypatch.setenv(name, value)
    for _ in range(2):
        memo.recall(square, 3.0)
    assert calls == [3.0] * (1 if on else 2)
    assert folder.exists() == bool(on)


def test_it_is_off_outside_kernels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for stand_in in (lambda: None, lambda: types.SimpleNamespace()):  # no shell; IPython in a terminal
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=stand_in))  # type: ignore[arg-type]
        memo._folder.cache_clear()
        memo.recall(square, 3.0)
    monkeypatch.delitem(sys.modules, "IPython")
    memo._folder.cache_clear()
    memo.recall(square, 3.0)
    assert calls == [3.0] * 3
    assert not folder.exists()


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_half_a_file_is_computed_again_and_mended(folder: Path, cut: int) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    assert memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"text", b"cnowhere\nname\n.", pickle.dumps(1)[:-1]])
def test_a_whole_file_that_cannot_be_loaded_is_computed_again_and_mended(folder: Path, content: bytes) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(sha256(content).digest() + content)
    assert memo.recall(square, 3.0)[0][0] == 9
    assert path.read_bytes() == whole


def plant(path: Path, mark: Path) -> None:
    """A whole file that runs a command where it is loaded."""

    class Command:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {mark}",)

    content = pickle.dumps(Command())
    path.write_bytes(sha256(content).digest() + content)


@pytest.mark.parametrize("place", ["folder", "parent"])
@pytest.mark.parametrize("way", ["mode", "link", "owner"])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, tmp_path: Path, place: str, way: str) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    plant(path, tmp_path / "ran")
    unsafe = folder if place == "folder" else folder.parent
    if way == "mode":
        unsafe.chmod(0o770)
    elif way == "link":
        unsafe.rename(tmp_path / "elsewhere")
        unsafe.symlink_to(tmp_path / "elsewhere")
    elif os.getuid():
        pytest.skip("only root can give a folder to somebody else")
    else:
        os.chown(unsafe, 12345, 12345)
    memo._folder.cache_clear()
    assert memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("way", ["mode", "owner"])
def test_a_file_that_others_may_write_to_is_not_loaded(folder: Path, tmp_path: Path, way: str) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    plant(path, tmp_path / "ran")
    if way == "mode":
        path.chmod(0o666)
    elif os.getuid():
        pytest.skip("only root can give a file to somebody else")
    else:
        os.chown(path, 12345, 12345)
    assert memo.recall(square, 3.0)[0][0] == memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0], "it was put right"
    assert not (tmp_path / "ran").exists()


def test_nobody_else_may_write_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        memo.recall(square, 3.0)
    finally:
        os.umask(before)
    for path in (folder.parent, folder, *folder.iterdir()):
        assert not path.stat().st_mode & 0o022


def test_where_nothing_can_be_written_the_result_is_still_given(folder: Path) -> None:
    folder.parent.write_text("a file where the folder would be")
    assert memo.recall(square, 3.0)[0][0] == memo.recall(square, 3.0)[0][0] == 9
    assert calls == [3.0, 3.0]


def test_a_folder_removed_meanwhile_costs_time_only(folder: Path) -> None:
    memo.recall(square, 3.0)
    (path,) = folder.iterdir()
    path.unlink()
    folder.rmdir()
    assert memo.recall(square, 3.0)[0][0] == 9


def test_a_call_that_warns_warns_each_time_and_one_that_fails_fails_each_time(folder: Path) -> None:
    for _ in range(2):
        with pytest.warns(UserWarning, match="seven"):
            memo.recall(square, 7.0)
        with pytest.raises(ValueError, match="thirteen"):
            memo.recall(square, 13.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            memo.recall(square, 8.0)
    with pytest.warns(DeprecationWarning, match="eight"):
        memo.recall(square, 8.0)
    memo.recall(square, 3.0)
    assert len(list(folder.iterdir())) == 1


def test_the_oldest_goes_first_and_what_is_of_other_code_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder.parent / "of other code"
    for path in (folder, other):
        path.mkdir(parents=True)
        path.chmod(0o700)
    folder.parent.chmod(0o700)
    (other / "a").write_bytes(b"x")
    for number in range(4):
        (folder / f"{number}").write_bytes(b"x" * 100)
        os.utime(folder / f"{number}", (number, number))
    (folder / ".3.new.part").write_bytes(b"x")
    monkeypatch.setattr(memo, "MOST", 250)
    assert memo._folder() == folder
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]
    assert not (other / "a").exists()


def test_code_digest_changes_with_package_lock_and_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"ROOT": "", "PACKAGE": "src/desertion", "PAGE": "src/desertion/report", "LOCK": "requirements.lock"}
    for name, place in places.items():
        monkeypatch.setattr(project, name, tmp_path / place)
    (tmp_path / "src" / "desertion" / "__pycache__").mkdir(parents=True)
    seen = [project.code_digest()]
    for name, content in (
        ("requirements.lock", "a"),
        ("requirements.lock", "b"),
        ("src/desertion/a.py", ""),
        ("src/desertion/page.css", "a"),
    ):
        (tmp_path / name).write_text(content)
        seen.append(project.code_digest())
    assert len(set(seen)) == 5
    (tmp_path / "src" / "desertion" / "__pycache__" / "a.pyc").write_bytes(b"a")
    assert project.code_digest() == seen[-1]
    for name, other in (("_processor", lambda: "another"), ("sys", types.SimpleNamespace(version="another"))):
        monkeypatch.setattr(project, name, other)
        seen.append(project.code_digest())
    assert len(set(seen)) == 7


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
import numpy as np

from desertion import memo
from desertion.project import ROOT

LIMIT = 1
TABLE = {"a": [0]}
NUMBERS = np.zeros(3)
WORDS = {"one", "two", "three", "four"}  # in another order in each process

class Model:
    factor = 1

    def times(self, x):
        return x * self.factor

def square(x):
    assert x not in {"five", "six", "seven", "eight"}
    with (ROOT / "calls").open("a") as file:
        file.write(f"{x}\\n")
    return int(Model().times(x * x * LIMIT) + TABLE["a"][-1] + NUMBERS[1])

def cached(x):
    return memo.recall(square, x)
"""
#: What a kernel has and a plain process has not.
KERNEL = """
import sys, types, os, importlib
from pathlib import Path
from unittest.mock import MagicMock
shell = MagicMock()
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
FILE = Path("src/desertion/slow.py")

def edit(old, new):
    FILE.write_text(FILE.read_text().replace(old, new))
"""


class Session:
    """Runs cells in processes of a small project and counts the calls of its slow function."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clone = Clone(root)
        self.clone.write("src/desertion/slow.py", SLOW)

    def environment(self) -> dict[str, str]:
        off = ("CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST", "DESERTION_MEMO")
        kept = {name: value for name, value in os.environ.items() if name not in off}
        return kept | {"PYTHONPATH": str(self.root / "src")}

    def start(self, *cells: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "\n".join([KERNEL, *cells])]
        return subprocess.Popen(command, cwd=self.root, env=self.environment(), text=True, stdout=subprocess.PIPE)

    def run(self, *cells: str) -> str:
        """What the cells print."""
        process = self.start(*cells)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return output.strip()

    def calls(self) -> int:
        path = self.root / "calls"
        return len(path.read_text().split()) if path.exists() else 0


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "clone")


IMPORT = "from desertion import slow"
CALL = "print(slow.cached(3))"


def test_a_second_kernel_finds_what_the_first_one_kept(session: Session) -> None:
    assert session.run(IMPORT, CALL) == session.run(IMPORT, CALL) == "9"
    assert session.calls() == 1


def test_what_else_a_kernel_has_loaded_and_how_it_loaded_the_package_does_not_matter(session: Session) -> None:
    session.clone.write("src/desertion/other.py", "LIMIT = 7")
    assert session.run(IMPORT, CALL) == "9"
    assert session.run("from desertion import other", IMPORT, CALL) == "9"
    by_extension = "del sys.modules['IPython']; import desertion; import desertion.text"
    assert session.run(
        "ipython = sys.modules['IPython']", by_extension, "sys.modules['IPython'] = ipython", IMPORT, CALL
    )
    assert session.calls() == 1


def test_a_changed_module_that_the_function_loads_only_when_it_is_called_counts(session: Session) -> None:
    session.clone.write("src/desertion/late.py", "LIMIT = 1")
    late = SLOW.replace("x * x * LIMIT", "x * x * late.LIMIT").replace(
        "def square(x):", "def square(x):\n    from desertion import late"
    )
    session.clone.write("src/desertion/slow.py", late)
    assert session.run(IMPORT, CALL) == "9"
    assert session.run(IMPORT, "from desertion import late; late.LIMIT = 2", CALL) == "18"
    assert session.run(IMPORT, CALL) == "9"
    assert session.calls() == 2


@pytest.mark.parametrize("when", ["before the first call", "after it"])
@pytest.mark.parametrize(
    ("change", "result"),
    [
        ("slow.LIMIT = 2", "18"),
        ("slow.square = lambda x: 5", "5"),
        ("slow.TABLE['a'].append(1)", "10"),
        ("slow.NUMBERS[1] = 2", "11"),
        ("slow.Model.factor = 2", "18"),
        ("slow.Model.times = lambda self, x: x + 4", "13"),
        ("slow.square.__code__ = (lambda x: 6).__code__", "6"),
        ("edit('LIMIT = 1', 'LIMIT = 3'); importlib.reload(slow)", "27"),
        ("edit('LIMIT = 1', 'LIMIT = 3'); importlib.reload(slow); edit('LIMIT = 3', 'LIMIT = 1')", "27"),
        (
            "edit('LIMIT = 1', 'LIMIT = 3'); del sys.modules['desertion.slow']; import desertion.slow as slow",
            "27",
        ),
    ],
)
@pytest.mark.slow
def test_a_changed_package_gets_and_leaves_no_result(session: Session, change: str, result: str, when: str) -> None:
    assert session.run(IMPORT, CALL) == "9"
    first = [CALL] if when == "after it" else []
    assert session.run(IMPORT, *first, change, CALL, CALL).split()[len(first) :] == [result, result]
    edited = "LIMIT = 3" in (session.root / "src/desertion/slow.py").read_text()
    assert session.run(IMPORT, CALL) == ("27" if edited else "9"), "nothing of the changed kernel was kept"


def test_an_old_module_in_a_living_kernel_leaves_nothing_for_its_edited_file(session: Session) -> None:
    assert session.run(IMPORT, "edit('LIMIT = 1', 'LIMIT = 4')", CALL) == "9"
    assert session.run(IMPORT, CALL) == "36"
    assert session.run(IMPORT, CALL, "edit('LIMIT = 4', 'LIMIT = 5')", CALL).split() == ["36", "36"]
    assert session.run(IMPORT, CALL) == "45"


def test_a_module_edited_between_two_imports_is_imported_as_it_is(session: Session) -> None:
    session.clone.write(
        "src/desertion/other.py", "from desertion import slow\n\ndef get(x):\n    return slow.cached(x)\n"
    )
    late = "import desertion.other as other"
    assert session.run(IMPORT, CALL, "FILE.with_name('other.py').touch()", late, "print(other.get(4))").split() == [
        "9",
        "16",
    ]
    assert session.run(IMPORT, CALL, "edit('LIMIT = 1', 'LIMIT = 2')", late, "print(other.get(5))").split() == [
        "9",
        "25",
    ]
    assert session.run(IMPORT, late, "print(other.get(5))") == "50"


def test_two_processes_at_once_share_one_cache(session: Session) -> None:
    cells = [IMPORT, "print([slow.cached(x % 20) for x in range(300)] == [(x % 20) ** 2 for x in range(300)])"]
    for process in [session.start(*cells) for _ in range(2)]:
        output, _ = process.communicate(timeout=60)
        assert (process.returncode, output.strip()) == (0, "True")
    assert 20 <= session.calls() <= 40
    assert session.run(*cells) == "True"
    assert session.calls() <= 40
    assert not list(session.root.rglob("*.part"))


@pytest.mark.slow
def test_builds_share_results_and_changed_packages_compute_them_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    clone = session.clone
    (clone.root / "notebooks" / "02-b.ipynb").unlink()

    def count(cell: str) -> int:
        clone.notebook("01-a", "from desertion import slow", cell)
        clone.build()
        return session.calls()

    assert count("slow.cached(3)") == 1
    assert count("slow.cached(3) + 0") == 1
    page = clone.report.read_bytes()
    (clone.place / "build.json").unlink()
    with monkeypatch.context() as cold:
        cold.setenv("DESERTION_MEMO", "off")
        assert count("slow.cached(3) + 0") == 2
    assert clone.report.read_bytes() == page, "the same, computed or cached"
    assert count("slow.square = lambda x: 0\nslow.cached(3)") == 2, "its own function was called"
    assert count("slow.cached(3) + 1") == 2
    assert '"10"' in clone.report.read_text(), "what another cell did to the package was not kept"
    clone.write("src/desertion/slow.py", SLOW + "# changed\n")
    assert count("slow.cached(3)") == 3


def test_an_ordinary_kernel_finds_what_a_build_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    cells = ("from desertion import reads, slow", CALL)
    session.clone.notebook("02-b", *cells)
    session.clone.build()
    assert session.calls() == 1
    assert session.run(*cells) == "9"
    assert session.calls() == 1


@pytest.mark.slow
@pytest.mark.parametrize(("stem", "fits"), [("03-trends", 15), ("05-sensitivity", 40), ("08-checks", 40)])
def test_a_second_run_finds_every_fit_and_gives_the_same_bytes(
    stem: str, fits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "PYTEST_VERSION"):
        monkeypatch.delenv(name, raising=False)
    kept = []
    for name in ("first", "second", "off"):
        if name == "off":
            monkeypatch.setenv("DESERTION_MEMO", "off")
        run(NOTEBOOKS / f"{stem}.ipynb", tmp_path / f"{name}.ipynb", {})
        kept.append({path.name for path in (memo.FOLDER / memo.code_digest()[:16]).glob("*")})
    assert len(kept[0]) > fits
    assert kept[0] == kept[1], "the second run had nothing to add"
    assert len({(tmp_path / f"{name}.ipynb").read_bytes() for name in ("first", "second", "off")}) == 1


def test_unchanged_data_are_validated_once_and_a_fault_is_reported_all_the_same(session: Session) -> None:
    for folder in ("src/desertion", "data"):
        shutil.rmtree(session.root / folder)
        shutil.copytree(ROOT / folder, session.root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    note = """
import sys
from desertion import figures
sys.setprofile(lambda frame, event, _: event == "call" and frame.f_code.co_name == "examine" and print("validates"))
"""
    load = """
try:
    print(figures.load())
except Exception as error:
    print(error)
"""
    first, second = (session.run(note, load) for _ in range(2))
    assert first == f"validates\n{second}"
    assert second.startswith("Data(")
    file = session.root / "data/figures.csv"
    file.write_text(file.read_text().replace("F001,", "F001x,"))
    for _ in range(2):
        assert "'F001': is not in figures.csv" in session.run(note, load)


@pytest.mark.slow
def test_a_run_that_publishes_nothing_finds_the_plots_of_one_that_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "PYTEST_VERSION"):
        monkeypatch.delenv(name, raising=False)
    kept = []
    for parameters in ({"out": str(tmp_path)}, {}):
        run(NOTEBOOKS / "01-figures.ipynb", tmp_path / "01.ipynb", parameters)
        kept.append({path.name for path in (memo.FOLDER / memo.code_digest()[:16]).glob("*")})
    assert len(list(tmp_path.glob("*.csv"))) > 1
    assert kept[0] == kept[1]
