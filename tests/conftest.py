"""Fixtures that all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

#: Tests of the engine's processes take minutes together and guard what an analyst does not edit.
ENGINE = {"test_build", "test_crash", "test_forks", "test_new_notebook", "test_run", "test_sweep"}
TINY = Path(__file__).parent / "tiny_data"


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A copy of a small valid data folder: ten figures, with a correction, a copied page and an undated one."""
    return Path(shutil.copytree(TINY, tmp_path / "data"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of the engine to `make test-slow`, but for those marked `quick`."""
    for item in items:
        if item.path.stem in ENGINE and item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.slow)
