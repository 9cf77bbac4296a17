"""Fixtures that all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that does other work, too, is slow now and then.
settings.register_profile("desertion", deadline=None)
settings.load_profile("desertion")

#: Tests of the engine's processes take minutes together and guard what an analyst does not edit.
ENGINE = {"test_build", "test_crash", "test_forks", "test_new_notebook", "test_run", "test_sweep"}
TINY = Path(__file__).parent / "tiny_data"


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A copy of a small valid data folder: ten figures, with a correction, a copied page and an undated one."""
    return Path(shutil.copytree(TINY, tmp_path / "data"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say under the failures of nbval what renews a stored output."""
    failed = {report.nodeid.partition("::")[0] for report in terminalreporter.getreports("failed")}
    if notebooks := sorted(name for name in failed if name.endswith(".ipynb")):
        terminalreporter.write_line(
            f"{', '.join(notebooks)}: what the cells above put out now is not what is stored; where the new output is "
            "right, `make accept` stores it and lists the cells"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of the engine to `make test-slow`, but for those marked `quick`."""
    for item in items:
        if item.path.stem in ENGINE and item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.slow)
