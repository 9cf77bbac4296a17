"""The descriptor of data/ as a Data Package (version 2), for programs that know nothing of this one.

It is generated from `schema`, which validates the same files. Types, closed vocabularies with their meanings, primary
and foreign keys are in it; the rules between the cells of one row are not, since the standard has no words for them.

References: Data Package, https://datapackage.org/standard/data-package/; Table Schema,
https://datapackage.org/standard/table-schema/.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desertion.figures.schema import BY_FILE, CsvSchema, Field
from desertion.project import DATA, digest

_STANDARD = "https://datapackage.org/profiles/2.0"
#: What the standard calls our types, where it does not call them a string.
_TYPES = {"number": "number", "printed": "number", "date": "date", "boolean": "boolean"}
_FORMS = {
    "id": "[A-Za-z][A-Za-z0-9_-]*",
    "ids": "[A-Za-z][A-Za-z0-9_-]*( [A-Za-z][A-Za-z0-9_-]*)*",
    "language": "[a-z]{2}",
    "month": "[0-9]{4}-[0-9]{2}(-[0-9]{2})?",
}


def descriptor(about: Mapping[str, Any], folder: Path = DATA) -> dict[str, Any]:
    """The content of datapackage.json for the files of `folder`.

    `about` holds the properties of the package that the schema does not know: name, title, version, contributors …
    """
    resources = [_resource(schema, folder) for schema in BY_FILE.values() if (folder / schema.file).is_file()]
    licence = {"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}
    return {"$schema": f"{_STANDARD}/datapackage.json", **about, "licenses": [licence], "resources": resources}


def _resource(schema: CsvSchema, folder: Path) -> dict[str, Any]:
    content = (folder / schema.file).read_bytes()
    # In the order of the file, which need not be that of the schema.
    header = next(csv.reader(io.StringIO(content.decode("utf-8"))), list(schema.columns))
    table: dict[str, Any] = {
        "$schema": f"{_STANDARD}/tableschema.json",
        "fields": [_field(name, schema.columns[name]) for name in header],
        "missingValues": [""],
        "primaryKey": list(schema.key),
    }
    if keys := [_foreign_key(name, field, schema) for name, field in schema.columns.items() if _is_foreign_key(field)]:
        table["foreignKeys"] = keys
    return {
        "name": Path(schema.file).stem, "type": "table", "path": schema.file, "format": "csv", "mediatype": "text/csv",
        "encoding": "utf-8", "bytes": len(content), "hash": f"sha256:{digest(content)}", "schema": table,
    }  # fmt: skip


def _field(name: str, field: Field) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if field.blank else {"required": True}
    if field.unique:
        constraints["unique"] = True
    if field.words:
        constraints["enum"] = list(field.words)
    elif field.type in _FORMS:
        constraints["pattern"] = _FORMS[field.type]
    out: dict[str, Any] = {
        "name": name,
        "type": _TYPES.get(field.type, "string"),
        "description": field.meaning.replace(" (below)", ""),
    }
    if field.type == "boolean":
        out |= {"trueValues": ["true"], "falseValues": ["false"]}
    if field.type == "address":
        out["format"] = "uri"
    if isinstance(field.words, Mapping):
        out["categories"] = [{"value": word, "label": meaning} for word, meaning in field.words.items()]
    if len(field.refers) > 1 or field.type == "ids":
        files = " or ".join(field.refers)
        out["description"] += f" ({'ids' if field.type == 'ids' else 'an id'} of {files})"
    return out | ({"constraints": constraints} if constraints else {})


def _is_foreign_key(field: Field) -> bool:
    """Whether each cell holds one key of one file: the standard has keys of no other kind."""
    return len(field.refers) == 1 and field.type != "ids"


def _foreign_key(name: str, field: Field, schema: CsvSchema) -> dict[str, Any]:
    (file,) = field.refers
    other = "" if file == schema.file else Path(file).stem  # "": the table itself
    reference = {"resource": other, "fields": list(BY_FILE[file].key)} if other else {"fields": list(schema.key)}
    return {"fields": [name], "reference": reference}
