"""No number that is printed lies so near a rounding edge that another processor could print another one."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.notebooks import write

from desertion.project import NOTEBOOKS, PLOTS, ROOT

EDGES = ROOT / "tests" / "support" / "edges.py"


def near(notebook: Path) -> list[str]:
    """The numbers of a notebook that lie within 1e-6 of a rounding edge, with their cells."""
    command = [sys.executable, str(EDGES), str(notebook)]
    done = subprocess.run(command, cwd=NOTEBOOKS, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_printed_number_is_near_a_rounding_edge(path: Path) -> None:
    found = near(path)
    assert not found, "\n".join([*found, "another processor may print another number: print one digit fewer there"])


def test_a_number_near_an_edge_is_named_with_its_cell(tmp_path: Path) -> None:
    path = write(
        tmp_path / "09-edges.ipynb",
        "import pandas as pd\nx = 8.2500004\nf'{x:.2f} {x:.1f} {971.0:,.0f} {0.25:.2f}'",
        "pd.DataFrame({'a': [2.4999999, 2.4], 'b': ['c', 'd']}).round(0)",
        "'{:.0%}'.format(0.125 + 1e-9), round(7.5 - 1e-9), round(7.4)",
    )
    assert near(path) == [
        "09-edges, code cell 2: 8.2500004 is printed as 8.3 (.1f)",
        "09-edges, code cell 3: 2.4999999 is printed as 2.0 (0 decimals)",
        "09-edges, code cell 4: 0.125000001 is printed as 13% (.0%)",
        "09-edges, code cell 4: 7.499999999 is printed as 7.0 (0 decimals)",
    ]


@pytest.mark.parametrize("path", sorted(PLOTS.glob("*.csv")), ids=lambda path: path.stem)
def test_the_numbers_of_a_plot_are_rounded_for_print(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        cells = [(row, cell) for row in csv.DictReader(file) for cell in row.values()]
    long = [cell for _, cell in cells if re.fullmatch(r"-?\d+\.\d+", cell) and len(cell.strip("-0").lstrip(".0")) > 8]
    assert not long, f"{long[:3]}: digits that a processor may change"
