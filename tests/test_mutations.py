"""How many slips of the hand the checks catch: single cells of the real figures are spoilt, one at a time.

Each spoilt row stands in one folder of its own copies of everything that could show the slip (the statements of its
fact, the identities that name one of these, the statements that those name), so that one run of the checks sees all.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.data import write

from desertion import figures, reconcile, vocabulary
from desertion.project import DATA

SLIPS = 200
SEED = 20240320
Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FIGURES, DETAILS, PLACES, SOURCES, COMPILERS, CORRECTIONS, IDENTITIES = map(
    read,
    ("figures.csv", "details.csv", "places.csv", "sources.csv", "compilers.csv", "corrections.csv", "identities.csv"),
)


def swap_digits(row: Row, rng: random.Random) -> dict[str, str] | None:
    """Two neighbouring digits of the value change places."""
    text = row["value"]
    places = [n for n in range(len(text) - 1) if text[n : n + 2].isdigit() and text[n] != text[n + 1]]
    if not places:
        return None
    n = rng.choice(places)
    swapped = text[:n] + text[n + 1] + text[n] + text[n + 2 :]
    return {"value": f"{float(swapped):g}" if float(swapped) < 1e6 else swapped.lstrip("0")}


def shift_year(row: Row, rng: random.Random) -> dict[str, str] | None:
    """The year of one end of the period is off by one."""
    end = rng.choice(("period_start", "period_end"))
    year, day = int(row[end][:4]) + rng.choice((-1, 1)), row[end][4:]
    return {end: f"{year}{'-02-28' if day == '-02-29' else day}"}


def change_unit(row: Row, rng: random.Random) -> dict[str, str] | None:
    """Another unit of the vocabulary."""
    return {"unit": rng.choice([unit for unit in vocabulary.UNITS if unit != row["unit"]])}


def change_source(row: Row, rng: random.Random) -> dict[str, str] | None:
    """Another page of those that print figures."""
    pages = sorted({other["source_id"] for other in FIGURES} - {row["source_id"]})
    return {"source_id": rng.choice(pages)}


KINDS = (swap_digits, shift_year, change_unit, change_source)


def slips() -> list[tuple[str, str, dict[str, str]]]:
    """(kind, figure, changed cell), as many of each kind."""
    rng = random.Random(SEED)
    made: list[tuple[str, str, dict[str, str]]] = []
    while len(made) < SLIPS:
        kind, row = KINDS[len(made) % len(KINDS)], rng.choice(FIGURES)
        if row["status"] != "rejected" and (cell := kind(row, rng)):
            made.append((kind.__name__, row["id"], cell))
    return made


def surroundings(number: str) -> tuple[list[Row], list[Row], list[Row]]:
    """The figures, corrections and identities that can show a slip in figure `number`."""
    fact = next(row["fact"] for row in FIGURES if row["id"] == number)
    mates = {row["id"] for row in FIGURES if row["fact"] == fact}
    named = [row for row in IDENTITIES if mates & {*row["left"].split(), *row["right"].split()}]
    ids = mates.union(*({*row["left"].split(), *row["right"].split()} for row in named))
    return (
        [row for row in FIGURES if row["id"] in ids],
        [row for row in CORRECTIONS if row["figure_id"] in ids],
        named,
    )


def renamed(fact: str, n: int) -> str:
    """A fact of copy n: its measure ends in xn."""
    compiler, articles, measure, *rest = fact.split("/")
    return "/".join([compiler, articles, f"{measure}-x{n}", *rest])


def copies(made: list[tuple[str, str, dict[str, str]]], spoilt: bool) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {"figures": [], "details": [], "corrections": [], "identities": []}
    tables |= {"places": PLACES, "sources": SOURCES, "compilers": COMPILERS}
    for n, (_, number, cell) in enumerate(made):
        rows, corrections, identities = surroundings(number)
        for row in rows:
            changed = cell if spoilt and row["id"] == number else {}
            tables["figures"].append({**row, **changed, "id": f"{row['id']}x{n}", "fact": renamed(row["fact"], n)})
        ids = {row["id"] for row in rows}
        tables["details"] += [{**row, "id": f"{row['id']}x{n}"} for row in DETAILS if row["id"] in ids]
        tables["corrections"] += [{**row, "figure_id": f"{row['figure_id']}x{n}"} for row in corrections]
        for row in identities:
            sides = {side: " ".join(f"{one}x{n}" for one in row[side].split()) for side in ("left", "right")}
            tables["identities"].append({**row, **sides, "id": f"{row['id']}x{n}"})
    return tables


def faulty(folder: Path, tables: dict[str, list[Row]]) -> set[int]:
    """The slips with a fault in one of their rows."""
    write(folder, **tables)
    numbers = set()
    for fault in figures.check(folder):
        line = (folder / Path(fault.file).name).read_text(encoding="utf-8").splitlines()[fault.line - 1]
        numbers.add(int(line.split(",")[0].rsplit("x", 1)[1]))
    return numbers


def shown(folder: Path, tables: dict[str, list[Row]]) -> tuple[dict[str, str], dict[str, Any]]:
    """The state of each identity, and the readings of each fact that has several."""
    data = figures.load(write(folder, **tables))
    rows = [row for row in reconcile.ledger(data) if row["fact"] and row["kind"] != "identity"]
    fields = ("value", "measure", "period_start", "period_end")
    readings = {row["fact"]: sorted([str(one[name]) for name in fields] for one in row["readings"]) for row in rows}
    return reconcile.identities(data)["state"].to_dict(), readings


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """(kind of slip, what caught it first, or nothing) for every slip."""
    made = slips()
    invalid = faulty(tmp_path_factory.mktemp("all"), copies(made, spoilt=True))
    valid = [n for n in range(len(made)) if n not in invalid]
    kept = [made[n] for n in valid]
    before = shown(tmp_path_factory.mktemp("before"), copies(kept, spoilt=False))
    after = shown(tmp_path_factory.mktemp("after"), copies(kept, spoilt=True))
    by: dict[int, str] = dict.fromkeys(invalid, "validation")
    for what, old, new in zip(("identities", "conflicts"), before, after, strict=True):
        for key in old.keys() | new.keys():
            if old.get(key) != new.get(key):
                n = int(key.split("/")[2 if what == "conflicts" else 0].rsplit("x", 1)[1])
                by.setdefault(valid[n], what)
    return [(kind, by.get(n, "nothing")) for n, (kind, _, _) in enumerate(made)]


def test_most_slips_are_caught(caught: list[tuple[str, str]]) -> None:
    """At least 60 of 100, by validation, identities and conflicts together."""
    print(sorted(Counter(caught).items()))
    assert sum(by != "nothing" for _, by in caught) >= 0.6 * len(caught)


@pytest.mark.parametrize("by", ["validation", "identities", "conflicts"])
def test_each_kind_of_check_catches_something(caught: list[tuple[str, str]], by: str) -> None:
    assert by in {catcher for _, catcher in caught}


def test_the_unspoilt_copies_pass(tmp_path: Path) -> None:
    """Else a catch would be an artefact of the copying."""
    assert faulty(tmp_path, copies(slips(), spoilt=False)) == set()
