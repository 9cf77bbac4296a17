"""data/ as a Data Package: valid by the published profile, and true of the files."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from desertion.figures import datapackage
from desertion.figures.schema import BY_FILE
from desertion.project import DATA, file_digest
from desertion.release import about

PROFILE = json.loads((Path(__file__).parent / "schemas" / "datapackage-2.0.json").read_text(encoding="utf-8"))
PACKAGE = datapackage.descriptor(about.of_package("https://example.org/"))
RESOURCES = {each["name"]: each for each in PACKAGE["resources"]}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / RESOURCES[name]["path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fits(cell: str, field: dict[str, Any]) -> bool:
    """Whether a cell that is not blank has the type and keeps the constraints of its field."""
    constraints = field.get("constraints", {})
    form = {
        "number": r"-?[0-9]+(\.[0-9]+)?",
        "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "boolean": "|".join(field.get("trueValues", []) + field.get("falseValues", [])),
    }.get(field["type"], constraints.get("pattern", ".*"))
    return bool(re.fullmatch(form, cell)) and cell in constraints.get("enum", [cell])


def test_the_descriptor_is_valid_by_the_profile() -> None:
    assert [error.message for error in jsonschema.Draft7Validator(PROFILE).iter_errors(PACKAGE)] == []


def test_the_profile_refuses_a_descriptor_without_resources() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(PROFILE).validate(PACKAGE | {"resources": []})


SLIPS = {
    "nothing": ("figures.csv", "", ""),
    "constraint-error": ("figures.csv", ",cases_received_by_court,", ",cases_recieved_by_court,"),
    "type-error": ("figures.csv", ",2022-09-21,", ",21.09.2022,"),
    "foreign-key": ("figures.csv", ",re-russia-en-2023-03-23,", ",nowhere-2023-03-23,"),
    "primary-key": ("figures.csv", "\nF002,", "\nF001,"),
    "hash-count": ("events.csv", "\n", "\r\n"),
}


@pytest.fixture
def cell_size() -> Iterator[None]:
    """The largest cell that the csv module reads, as it was before: frictionless changes it for the whole process."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)


@pytest.mark.usefixtures("cell_size")
@pytest.mark.parametrize("error", SLIPS)
def test_the_frictionless_library_finds_the_package_valid_and_names_each_kind_of_slip(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frictionless = pytest.importorskip("frictionless", reason="skipped: the group test of the lock is not installed")
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    (folder / "datapackage.json").write_text(json.dumps(PACKAGE), encoding="utf-8")
    name, old, new = SLIPS[error]
    if old:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
    monkeypatch.chdir(folder)
    report = frictionless.validate("datapackage.json")
    kinds = {each.type for task in report.tasks for each in task.errors}
    assert (error in kinds, report.valid) == ((False, True) if error == "nothing" else (True, False)), kinds


@pytest.mark.parametrize("name", RESOURCES)
def test_every_cell_has_the_type_and_the_word_that_its_field_declares(name: str) -> None:
    fields = {each["name"]: each for each in RESOURCES[name]["schema"]["fields"]}
    for row in rows(name):
        assert list(row) == list(fields)
        for column, cell in row.items():
            required = fields[column].get("constraints", {}).get("required", False)
            assert fits(cell, fields[column]) if cell else not required, (column, cell)


@pytest.mark.parametrize("name", RESOURCES)
def test_keys_are_unique_and_foreign_keys_lead_to_a_row(name: str) -> None:
    schema = RESOURCES[name]["schema"]
    keys = [tuple(row[column] for column in schema["primaryKey"]) for row in rows(name)]
    assert len(keys) == len(set(keys))
    for key in schema.get("foreignKeys", []):
        (column,), (other,) = key["fields"], key["reference"]["fields"]
        known = {row[other] for row in rows(key["reference"].get("resource", name))}
        assert {row[column] for row in rows(name) if row[column]} <= known, key


def test_every_file_is_described_with_its_size_and_hash() -> None:
    assert {each["path"] for each in PACKAGE["resources"]} == {path.name for path in DATA.glob("*.csv")} <= set(BY_FILE)
    for each in PACKAGE["resources"]:
        assert each["bytes"] == (DATA / each["path"]).stat().st_size
        assert each["hash"] == f"sha256:{file_digest(DATA / each['path'])}"


def test_words_come_with_their_meanings() -> None:
    unit = next(each for each in RESOURCES["figures"]["schema"]["fields"] if each["name"] == "unit")
    assert {each["value"] for each in unit["categories"]} == set(unit["constraints"]["enum"])
    assert all(each["label"] for each in unit["categories"])
