"""The rows of data/claims.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from desertion.errors import UserError
from desertion.project import DATA, relative

FILE = "claims.csv"
_TEXTS = ("id", "source_id", "locator", "statement", "kind", "stated", "unit", "hedge", "note")


@dataclass(frozen=True)
class Claim:
    """A row of claims.csv; `stated` is the text of the number, blank where none is stated."""

    id: str
    source_id: str
    locator: str
    statement: str
    kind: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    stated: str
    unit: str
    hedge: str
    note: str


def load(folder: Path = DATA) -> list[Claim]:
    """The claims of `folder`, in the order of the file; none where there is no file.

    `figures.check` validates the file; what it would refuse raises UserError here too, without its explanation.
    """
    path = folder / FILE
    if not path.exists():
        return []
    out = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            try:
                claim = Claim(
                    **{name: row[name].strip() for name in _TEXTS},
                    numerator=tuple(row["numerator"].split()),
                    denominator=tuple(row["denominator"].split()),
                )
            except (KeyError, AttributeError) as error:
                raise UserError(f"{relative(path)}:{reader.line_num}: {error}: `desertion check` says more") from error
            out.append(claim)
    return out
