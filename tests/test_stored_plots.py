"""What is committed in plots/: whole by its lock, and the same pictures that the stored notebooks show."""

import functools
import json
from pathlib import Path

import nbformat
import pytest
from support import overlaps
from support.stored import verify

from desertion.project import NOTEBOOKS, PLOTS, file_digest

STORED = sorted(PLOTS.glob("*.svg"))


@functools.cache
def shown() -> set[str]:
    cells = [cell for path in NOTEBOOKS.glob("*.ipynb") for cell in nbformat.read(path, as_version=4).cells]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {each["image/svg+xml"] for each in data if "image/svg+xml" in each}


def test_the_lock_fits_the_files() -> None:
    assert verify(PLOTS) == []
    assert len(STORED) >= 10


def test_no_other_file_is_committed() -> None:
    endings = (".csv", ".json", ".svg")
    files = {f"{path.stem}{ending}" for path in STORED for ending in endings}
    assert {path.name for path in PLOTS.iterdir()} == files | {"README.md", "plots.lock"}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plot_is_the_one_of_its_notebook_and_its_record_is_of_its_table(path: Path) -> None:
    assert path.read_text(encoding="utf-8") in shown()
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["csv_sha256"] == file_digest(path.with_suffix(".csv"))
    assert f'<desc id="{path.stem}-desc">' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plot_says_what_its_numbers_say_and_nothing_in_it_lies_over_anything(path: Path) -> None:
    assert overlaps.published(path.with_suffix(".csv")) == []
