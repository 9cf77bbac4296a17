"""The data dictionary tells the truth: its example passes, and it explains every column and every word."""

import re
import shutil
from pathlib import Path

import pytest

from desertion import figures, vocabulary
from desertion.project import DATA

TEXT = (DATA / "README.md").read_text(encoding="utf-8")
DICTIONARY = TEXT + (DATA / "CONTEXT.md").read_text(encoding="utf-8")


def test_the_example_of_how_to_add_a_figure_passes_validation(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    source, figure = re.findall(r"```\n\s*(.+)\n\s*```", TEXT)[:2]
    for name, row in (("sources.csv", source), ("figures.csv", figure)):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    figures.fmt(folder)  # the rows go to their places
    assert figures.check(folder) == []
    assert len(figures.load(folder).figures) == len(figures.load().figures) + 1


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.stem)
def test_every_column_is_explained(path: Path) -> None:
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert f"`{path.name}`" in TEXT
    assert [column for column in header if f"`{column}`" not in DICTIONARY] == []


@pytest.mark.parametrize("words", ["MEASURES", "SCOPES", "KINDS", "UNITS", "PERS", "BOUNDS", "STATUSES", "AUDITS",
                                   "SOURCE_KINDS", "EVENT_KINDS", "TOPICS", "RULES", "RELATIONS"])  # fmt: skip
def test_every_word_of_a_vocabulary_is_explained(words: str) -> None:
    vocabulary_words = getattr(vocabulary, words)
    assert [word for word in vocabulary_words if word not in DICTIONARY] == []
