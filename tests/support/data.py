"""Writes small valid data folders for tests: a row says only what matters, the rest is filled in."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from desertion import figures
from desertion.figures.facts import COUNTED
from desertion.figures.schema import BY_FILE
from desertion.project import DATA
from desertion.text import natural

Row = Mapping[str, Any]

_FIGURE = {
    "articles": "337",
    "measure": "cases_received_by_court",
    "scope": "whole",
    "kind": "count",
    "unit": "cases",
    "per": "",
    "period_start": "2023-01-01",
    "period_end": "2023-12-31",
    "cumulative": "false",
    "bound": "exact",
    "hedge": "",
    "locator": "",
    "note": "",
    "audit": "unchecked",
    "status": "ok",
    "status_reason": "",
}
_UNITS = {"persons_convicted": "persons", "persons_charged": "persons", "verdicts": "verdicts"}


def figure(number: str, value: float, source: str, **cells: str) -> dict[str, str]:
    """A row of figures.csv: cases under Art. 337 in 2023 unless `cells` say otherwise."""
    row = {"id": number, "source_id": source, "value": f"{value:g}", **_FIGURE, **cells}
    row["unit"] = cells.get("unit", _UNITS.get(row["measure"], row["unit"]))
    if row["status"] != "ok":
        row["status_reason"] = "a test"
    word = next(word for word, measures in COUNTED.items() if measures[0] == row["measure"])
    kind = f"-{row['kind']}" if row["kind"] in ("share", "rate", "growth", "multiple") else ""
    row.setdefault("fact", f"compiler/{row['articles']}/{word}{kind}/{row['period_start'][:4]}")
    period = row["fact"].split("/")[3]
    if ".." in period and period[0].isalpha():
        row["cumulative"] = cells.get("cumulative", "true")
        row["scope"] = cells.get("scope", "mobilisation_parts" if period.startswith("mobilisation") else "whole")
    row.setdefault("compiler", row["fact"].split("/")[0].title())
    return row


def source(name: str, kind: str = "relay", **cells: str) -> dict[str, str]:
    """A row of sources.csv, published on 2024-01-31."""
    row = {"publisher": name.title(), "url": f"https://{name}.test/", "published": "2024-01-31", "language": "en"}
    return {
        "id": name,
        "kind": kind,
        **dict.fromkeys(("title", "archived", "retrieved", "copy_of", "note"), ""),
        **row,
        **cells,
    }


def detail(number: str, **cells: str) -> dict[str, str]:
    """A row of details.csv."""
    return dict.fromkeys(BY_FILE["details.csv"].columns, "") | {"id": number, **cells}


def correction(number: str, field: str, printed: str, corrected: str, known_from: str = "2024-02-01") -> dict[str, str]:
    """A row of corrections.csv."""
    row = {"figure_id": number, "field": field, "printed": printed, "corrected": corrected}
    return {**row, "reason": "a test", "known_from": known_from}


def identity(name: str, left: str, relation: str, right: str, **cells: str) -> dict[str, str]:
    """A row of identities.csv, known since 2024-02-01."""
    row = {"id": name, "left": left, "relation": relation, "right": right, "tolerance": ""}
    return {**row, "why": "a test", "known_from": "2024-02-01", **cells}


def claim(name: str, kind: str, numerator: str, denominator: str, stated: str, **cells: str) -> dict[str, str]:
    """A row of claims.csv made by the page `page`, a bare multiple unless `cells` say otherwise."""
    row = {"id": name, "source_id": "page", "locator": "", "statement": "a test", "kind": kind, "note": ""}
    row |= {"numerator": numerator, "denominator": denominator, "stated": stated, "unit": "times", "hedge": "-fold"}
    return {**row, **cells}


def write(folder: Path, **tables: Iterable[Row]) -> Path:
    """Write a data folder: `figures`, `sources` and any other table.

    Hedges are the project's own, compilers those of the figures unless they are given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slugs = {row["compiler"]: row["fact"].split("/")[0] for row in tables.get("figures", ())}
    known = [{"name": name, "slug": slug, "kind": "newsroom", "who": "a test"} for name, slug in slugs.items()]
    tables.setdefault("compilers", known)
    for name, table in BY_FILE.items():
        if name == "hedges.csv":
            shutil.copy(DATA / name, folder / name)
            continue
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table.columns), lineterminator="\n")
            writer.writeheader()
            rows = tables.get(name.removesuffix(".csv"), ())
            writer.writerows(sorted(rows, key=lambda row: [natural(row[column]) for column in table.key]))
    return folder


def load(folder: Path, as_of: Any = None, **tables: Iterable[Row]) -> figures.Data:
    """Write a data folder and load it."""
    return figures.load(write(folder, **tables), as_of=as_of)
