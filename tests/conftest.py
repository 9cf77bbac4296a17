"""Fixtures that all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

TINY = Path(__file__).parent / "tiny_data"


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A copy of a small valid data folder: ten figures, with a correction, a copied page and an undated one."""
    return Path(shutil.copytree(TINY, tmp_path / "data"))
