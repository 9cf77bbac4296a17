"""How many slips of the hand are refused or warned of, and how many recent rows draw a wrong warning.

Single cells of figures.csv are spoilt, one at a time: 304 slips of eight kinds, as many of each. *Refused*: `check`
names a fault; *warned*: it prints a warning, which the sound data do not draw. At least 87 % are to be refused or
warned of; at most 5 % of the rows that were added after F591 may have a warning that was acknowledged as wrong.

    python benchmarks/bench_slips.py [SEED]
"""

from __future__ import annotations

import csv
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from desertion import figures, reconcile, vocabulary
from desertion.project import DATA

Row = dict[str, str]
SLIPS, SEED, LAST_OLD = 304, 20240320, 591


def read(name: str) -> list[Row]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FIGURES = read("figures.csv")


def plain(digits: str) -> str:
    return digits.lstrip("0") or "0" if "." not in digits else f"{float(digits):g}"


def digits_swapped(row: Row, rng: random.Random) -> Row | None:
    text = row["value"]
    places = [n for n in range(len(text) - 1) if text[n : n + 2].isdigit() and text[n] != text[n + 1]]
    if not places:
        return None
    n = rng.choice(places)
    return {"value": plain(text[:n] + text[n + 1] + text[n] + text[n + 2 :])}


def digit_dropped(row: Row, rng: random.Random) -> Row | None:
    text = row["value"]
    places = [n for n in range(len(text)) if text[n].isdigit() and len(text.partition(".")[0]) > 1]
    n = rng.choice(places or [0])
    short = plain(text[:n] + text[n + 1 :]).rstrip(".") if places else text
    return {"value": short} if short and float(short) != float(text) else None


def shifted(cell: str, years: int) -> str:
    return f"{int(cell[:4]) + years}{'-02-28' if cell[4:] == '-02-29' else cell[4:]}"


def year_of_one_end(row: Row, rng: random.Random) -> Row | None:
    end = rng.choice(("period_start", "period_end"))
    return {end: shifted(row[end], rng.choice((-1, 1)))}


def year_of_both_ends(row: Row, rng: random.Random) -> Row | None:
    years = rng.choice((-1, 1))
    return {end: shifted(row[end], years) for end in ("period_start", "period_end")}


def other(column: str, words: set[str]):
    def slip(row: Row, rng: random.Random) -> Row | None:
        return {column: rng.choice(sorted(words - {row[column]}))}

    slip.__name__ = f"another {column}"
    return slip


KINDS = (digits_swapped, digit_dropped, year_of_one_end, year_of_both_ends,
         other("articles", {row["articles"] for row in FIGURES}), other("measure", {*vocabulary.MEASURES}),
         other("compiler", {row["compiler"] for row in FIGURES}),
         other("source_id", {row["source_id"] for row in FIGURES}))  # fmt: skip


def slips(seed: int) -> list[tuple[str, str, Row]]:
    rng, made = random.Random(seed), []
    while len(made) < SLIPS:
        kind, row = KINDS[len(made) % len(KINDS)], rng.choice(FIGURES)
        if row["status"] != "rejected" and (cells := kind(row, rng)):
            made.append((kind.__name__.replace("_", " "), row["id"], cells))
    return made


def main(seed: int) -> None:
    caught: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(DATA, Path(name) / "data"))
        for kind, number, cells in slips(seed):
            with (folder / "figures.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(FIGURES[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows({**row, **cells} if row["id"] == number else row for row in FIGURES)
            examined = figures.examine(folder)
            broken = {} if examined.faults else reconcile.broken(figures.typed(examined))
            by = "refused" if examined.faults else "warned" if examined.warnings(broken) else "missed"
            caught[kind, by] += 1
            if by == "missed":
                print(f"missed: {kind}, {number}, {cells}")
    words = ("refused", "warned", "missed")
    print(f"{'slip':20}" + "".join(f"{word:>9}" for word in words))
    for kind in dict.fromkeys(kind for kind, _ in caught):
        print(f"{kind:20}" + "".join(f"{caught[kind, word]:9}" for word in words))
    totals = {word: sum(count for (_, by), count in caught.items() if by == word) for word in words}
    print(f"{'all':20}" + "".join(f"{totals[word]:9}" for word in words))
    good = (totals["refused"] + totals["warned"]) / SLIPS
    print(f"refused or warned of: {good:.1%} (at least 87 %)")
    recent = {row["id"] for row in FIGURES if int(row["id"][1:]) > LAST_OLD}
    wrong = {row["id"] for row in read("acknowledged.csv")} & recent
    print(
        f"recent rows with a wrong warning: {len(wrong)} of {len(recent)}, {len(wrong) / len(recent):.1%} (at most 5 %)"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEED)
