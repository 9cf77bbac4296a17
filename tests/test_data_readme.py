"""The data dictionary tells the truth: its example passes, and it explains every column and every word."""

import re
import shutil
from pathlib import Path

import pytest

from desertion import figures, vocabulary
from desertion.figures.schema import SCHEMAS, CsvSchema
from desertion.project import DATA

TEXT = (DATA / "README.md").read_text(encoding="utf-8")
DICTIONARY = TEXT + (DATA / "CONTEXT.md").read_text(encoding="utf-8")


def test_the_example_of_how_to_add_a_figure_passes_validation(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    source, compiler, figure = re.findall(r"```\n\s*(.+)\n\s*```", TEXT)[:3]
    for name, row in (("sources.csv", source), ("compilers.csv", compiler), ("figures.csv", figure)):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    figures.fmt(folder)  # the rows go to their places
    assert figures.check(folder) == []
    assert len(figures.load(folder).figures) == len(figures.load().figures) + 1


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.file)
def test_the_table_of_columns_is_that_of_the_schema(schema: CsvSchema) -> None:
    assert f"| `{schema.file}` |" in TEXT
    assert schema.dictionary() in DICTIONARY, f"write:\n{schema.dictionary()}"
    assert all(field.meaning for field in schema.columns.values())


def test_every_file_has_a_schema_and_is_part_of_the_data() -> None:
    assert {path.name for path in DATA.glob("*.csv")} == {schema.file for schema in SCHEMAS}
    data = figures.load()
    for schema in SCHEMAS:
        frame = getattr(data, schema.file.removesuffix(".csv")).reset_index()
        assert set(schema.columns) <= {*frame.columns}


def test_every_series_of_the_context_is_explained() -> None:
    series = {f"| `{name}` | " for name in figures.load().context["series"]}
    assert [row for row in sorted(series) if row not in DICTIONARY] == []


TABLES = [
    "ARTICLES", "MEASURES", "SCOPES", "KINDS", "UNITS", "PERS", "BOUNDS", "STATUSES", "AUDITS", "SOURCE_KINDS",
    "COMPILER_KINDS", "WARNINGS", "EVENT_KINDS", "RELATIONS", "CLAIM_KINDS", "CLAIM_UNITS", "PLACE_KINDS",
    "QUALIFICATIONS", "SOLDIERS",
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_word_of_a_vocabulary_stands_there_with_its_meaning(name: str) -> None:
    rows = [f"| `{word}` | {meaning} |" for word, meaning in getattr(vocabulary, name).items()]
    assert [row for row in rows if row not in DICTIONARY] == []


def test_every_topic_rule_and_hedge_is_explained() -> None:
    words = [f"`{word}`" for word in figures.load().hedges.index if "-fold" not in word]
    topics = [f"### `{word}`: {meaning}" for word, meaning in vocabulary.TOPICS.items()]
    assert [heading for heading in topics if heading not in DICTIONARY] == []
    assert [word for word in (*vocabulary.RULES, *words) if word not in DICTIONARY] == []
