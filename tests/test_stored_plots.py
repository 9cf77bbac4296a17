"""What is committed in plots/: whole by its lock, and the same pictures that the stored notebooks show."""

from pathlib import Path

import nbformat
import pytest
from support.stored import verify

from desertion.project import NOTEBOOKS, PLOTS
from desertion.publish.show import PHONE

STORED = sorted(path for path in PLOTS.glob("*.svg") if not path.stem.endswith(PHONE))


def shown() -> set[str]:
    cells = [cell for path in NOTEBOOKS.glob("*.ipynb") for cell in nbformat.read(path, as_version=4).cells]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {each["image/svg+xml"] for each in data if "image/svg+xml" in each}


def test_the_lock_fits_the_files() -> None:
    assert verify(PLOTS, PLOTS) == []
    assert len(STORED) >= 10


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plot_is_the_one_of_its_notebook_and_has_its_companions(path: Path) -> None:
    assert path.read_text(encoding="utf-8") in shown()
    endings = (".png", ".pdf", ".csv", ".json", f"{PHONE}.svg")
    assert [ending for ending in endings if not (PLOTS / f"{path.stem}{ending}").is_file()] == []
