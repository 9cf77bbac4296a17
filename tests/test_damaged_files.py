"""Damaged notebooks, editions, sweeps and command lines: a message, never a traceback, and soon."""

import contextlib
import copy
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import outputs

from desertion import notebook as nb
from desertion import params, sentences
from desertion.changes import findings, states
from desertion.engine import receipt, sweep
from desertion.errors import UserError
from desertion.project import EDITIONS, NOTEBOOKS, PLOTS
from desertion.report import content, history

#: How many in a short run and in a long one: of notebooks, and of each of the others.
SHORT, LONG = (120, 80), (2500, 1000)
WORDS = [
    "", " ", "null", "~", "yes", "0", "-1", "1e999", ".nan", "'", '"', "[", "]", "{", "}", "[[[[", "{a: {a: {a", ": ",
    "- ", "# ", "&a", "*a", "<<: *a", "!!python/name:os.system", "!!binary =", "? ", "| ", ">", "%", "@", "`", "\t",
    "\x00", "\x07", "\u202e", "\u200b", "\ufeff", "\ud800", "\\ud800", "é", "2024-03-20", "9" * 5000, "337", "x" * 3000,
    "out", "reads", "level", "as_of", "articles", "03-trends", "false", "true", "---\n", "...\n", "\r", "\n\n", "\\",
    "lambda: 0", "int = = ", "= ", "list[str]",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", "\ud800", "parameters", [], ["x"], [None],
    [["x"]], {}, {"x": 1}, {"tags": ["parameters"]}, {"tags": "parameters"}, "x" * 3000, "a: int = 5", "a = 5", "1 / 0",
    {"output_type": "stream", "name": "stdout", "text": [1]}, "{" * 300, "(" * 300, "-" * 9000 + "1",
    "a: int = " + "9" * 5000, "'\x00'",
]  # fmt: skip


def changed_text(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 4)):
        place, length = rng.randrange(len(text) + 1), rng.choice([0, 0, 1, 3, 20])
        text = text[:place] + rng.choice(WORDS) + text[place + length :]
        if rng.random() < 0.1:
            text = text[: rng.randrange(len(text) + 1)]
    return text


def changed_tree(value: Any, rng: random.Random) -> Any:
    """`value` with one part of it, at any depth, replaced, removed, repeated or moved."""
    if not isinstance(value, list | dict) or not value or rng.random() < 0.12:
        if isinstance(value, str) and rng.random() < 0.6:
            return changed_text(value, rng)
        return copy.deepcopy(rng.choice(VALUES))
    key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    how = rng.random()
    if how < 0.08:
        del value[key]
    elif how < 0.12 and isinstance(value, list):
        value.insert(key, copy.deepcopy(value[key]))
    elif how < 0.15 and isinstance(value, dict):
        value[rng.choice(WORDS)] = value.pop(key)
    else:
        value[key] = changed_tree(value[key], rng)
    return value


def notebook_text(rng: random.Random, sources: list[dict[str, Any]]) -> bytes:
    notebook = copy.deepcopy(rng.choice(sources))
    if rng.random() < 0.3:  # the parameters cell alone
        cell = notebook["cells"][1]
        cell["source"] = changed_text("".join(cell["source"]), rng)
        return json.dumps(notebook).encode()
    for _ in range(rng.randint(1, 3)):
        cells = notebook.get("cells") if isinstance(notebook, dict) else None
        if rng.random() < 0.1 or not isinstance(cells, list) or not cells:
            notebook = changed_tree(notebook, rng)
        else:
            number = rng.randrange(len(cells))
            key = rng.choice(list(cells[number]) or ["id"]) if isinstance(cells[number], dict) else ""
            if key in ("metadata", "outputs", "source", "cell_type") and key in cells[number]:
                cells[number][key] = changed_tree(cells[number][key], rng)
            else:
                cells[number] = changed_tree(cells[number], rng)
    raw = json.dumps(notebook).encode()
    if rng.random() < 0.15:
        place = rng.randrange(len(raw))
        raw = raw[:place] + rng.randbytes(rng.randint(0, 3)) + raw[place + rng.randint(0, 3) :]
    return raw


def small(path: Path) -> dict[str, Any]:
    """A notebook with at most 2,000 characters of each output: most of a whole one is the text of pictures."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output["data"] = {kind: "".join(text)[:2000] for kind, text in output.get("data", {}).items()}
    return notebook


def use_notebook(path: Path) -> None:
    """What the package does with a notebook before a kernel starts and after one ended."""
    uses: list[Callable[[], object]] = [
        lambda: nb.digest(nb.read(path, validate=False)),
        lambda: params.read_cell(nb.read(path, validate=False), path).reads,
        lambda: params.check(nb.read(path), path, {"level": 0.9}),
        lambda: nb.dumps(nb.scrub(nb.read(path), injected=True)),
        lambda: sentences.records(path),
        lambda: sentences.withheld(path, NOTEBOOKS / "03-trends.ipynb"),
        lambda: content.read([path], None),
    ]
    for use in uses:
        with contextlib.suppress(UserError):
            use()


def both(counts: tuple[int, int]) -> list[Any]:
    return [pytest.param(counts[0], id="short"), pytest.param(counts[1], id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", both((SHORT[0], LONG[0])))
def test_a_damaged_notebook_is_read_or_refused(count: int, tmp_path: Path) -> None:
    sources = [*(small(path) for path in nb.paths()), outputs.executed()]
    path = tmp_path / "03-trends.ipynb"
    for seed in range(count):
        path.write_bytes(notebook_text(random.Random(seed), sources))
        start = time.perf_counter()
        try:
            use_notebook(path)
        except Exception as error:
            raise AssertionError(f"notebook of seed {seed}") from error
        assert time.perf_counter() - start < 10, f"notebook of seed {seed}"


# --- what the project stores -----------------------------------------------------------------------------------------


def deep(value: Any, rng: random.Random) -> Any:
    """`value` with one part deep inside it replaced or removed: a file as a whole is seldom of another type."""
    if not isinstance(value, list | dict) or not value or rng.random() < 0.05:
        return copy.deepcopy(rng.choice(VALUES))
    key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if rng.random() < 0.05:
        del value[key]
    else:
        value[key] = deep(value[key], rng)
    return value


def use_receipt(path: Path) -> None:
    read = receipt.Receipt.read(path.parent)
    assert read.whole() in (True, False)
    for entry in read.notebooks.values():
        assert -entry.seconds + entry.cells + entry.peak is not None
        receipt.differences(entry.key, {"notebook": ""})
        assert not any(".." in name for name in entry.outputs), "no build removes a file outside of its folder"
    "".join([*read.notes, *read.report.values(), *read.rebuilt.values(), *read.inputs.values()])


def use_history(path: Path) -> None:
    history.FILE = path
    read = history.load("default", "")
    for name in {name for state in read.states.values() for name in state}:
        stem, _, sentence = name.partition(" ")
        "".join(read.of(stem, sentence, "r.ratio:.1f"))
        list(read.then(stem, sentence, ["r.ratio:.1f"]))


def use_outputs(path: Path) -> None:
    cells = json.loads(path.read_text())
    name = path.with_suffix(".ipynb")
    name.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    for use in (
        lambda: [str(each) for each in sentences.withheld(name, name)],
        lambda: content.read([name], None),
        lambda: findings.read(states.State("x", {f"notebooks/{name.name}": name.read_bytes()}, {})),
    ):
        with contextlib.suppress(UserError):
            use()


def use_plot(path: Path) -> None:
    with contextlib.suppress(UserError):
        stored = {f"plots/{path.name}": path.read_bytes(), "plots/growth.csv": (PLOTS / "growth.csv").read_bytes()}
        findings.read(states.State("x", stored, {}))


def records() -> list[dict[str, Any]]:
    """Cells with a sentence, a table, and a table with groups and spans, as the notebooks store them."""
    out: dict[str, list[Any]] = {}
    for path in nb.paths():
        for cell in small(path)["cells"]:
            for output in cell.get("outputs", []):
                for kind, record in output.get("metadata", {}).get("desertion", {}).items():
                    full = sum(bool(record.get(part)) for part in ("groups", "spans", "by", "recipes", "ids"))
                    if full > out.get(kind, [-1])[0]:
                        out[kind] = [full, cell | {"outputs": [output]}]
    title = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# What is known?"}
    return [title, *(cell for _, cell in out.values())]


RECEIPT = {
    "inputs": {"commit": "a"}, "report": {"report.html": "b"}, "rebuilt": {"report.html": "changed"}, "notes": ["n"],
    "notebooks": {
        "03-trends": {"key": {"notebook": "c"}, "outputs": {"plots/growth.svg": "d"}, "cells": 5, "seconds": 1.5,
                      "peak": 99}
    },
    "versions": {},
}  # fmt: skip


@pytest.mark.parametrize("count", both((150, 3000)))
@pytest.mark.parametrize(
    ("name", "use", "of"),
    [
        ("build.json", use_receipt, lambda: RECEIPT),
        ("history.json", use_history, lambda: json.loads((EDITIONS / "history.json").read_text(encoding="utf-8"))),
        ("outputs.json", use_outputs, records),
        ("growth.json", use_plot, lambda: json.loads((PLOTS / "growth.json").read_text(encoding="utf-8"))),
    ],
    ids=["receipt", "history", "outputs", "plot"],
)
def test_a_damaged_record_is_read_refused_or_made_anew(
    name: str,
    use: Callable[[Path], None],
    of: Callable[[], Any],
    count: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "FILE", EDITIONS / "history.json")
    good, path = of(), tmp_path / name
    for seed in range(count):
        rng = random.Random(seed)
        path.write_text(json.dumps(deep(copy.deepcopy(good), rng)), encoding="utf-8")
        try:
            with contextlib.suppress(UserError):
                use(path)
        except Exception as error:
            raise AssertionError(f"{name} of seed {seed}") from error


SWEEP = """notebook: 03-trends
edition: 2024-03-20
parameters: {minimum_df: 4}
grid:
  level: [0.9, 0.95]
  articles: [["337"], ["337", "338"]]
keep: false
timeout: 600
"""
EDITION = """parameters:
  as_of: 2024-03-20
  articles: ["337", "337+338+339"]
  level: 0.9
notebooks:
  03-trends: {forecast_months: 6}
  04-comparisons: false
"""


def use_edition(path: Path) -> None:
    edition = params.edition(path.stem, path.parent)
    for each in nb.paths():
        edition.overrides(params.of(each.stem))
    assert edition.as_of is None or edition.as_of.year > 0
    assert edition.rule
    assert edition.undated_lag_days >= 0


def use_sweep(path: Path) -> None:
    spec = sweep.read(path)
    assert spec.names is not None
    assert next(spec.sets()) is not None


def use_assignment(path: Path) -> None:
    cell = params.of("03-trends")
    cell.check(cell.parse([path.read_bytes().decode("utf-8")]))


@pytest.mark.parametrize("count", both((SHORT[1], LONG[1])))
@pytest.mark.parametrize(
    ("use", "texts"),
    [
        (use_edition, [f"title: T\n{EDITION}", (EDITIONS / "2024-03-20.yml").read_text(encoding="utf-8")]),
        (use_sweep, [SWEEP, "function: desertion.trends.exact.interval\nlist: [{x: 5, t: 1.0}, {x: 7, t: 2}]\n"]),
        (use_assignment, ["level=0.9", "articles=[337, 338]", "as_of=2024-03-20", "incomplete=true", "rule=newest"]),
    ],
    ids=["edition", "sweep", "assignment"],
)  # fmt: skip
def test_damaged_yaml_is_read_or_refused(
    use: Callable[[Path], None], texts: list[str], count: int, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yml"
    for seed in range(count):
        rng = random.Random(seed)
        path.write_bytes(changed_text(rng.choice(texts), rng).encode("utf-8", "replace"))
        start = time.perf_counter()
        message = ""
        try:
            use(path)
        except UserError as error:
            message = str(error)
        except Exception as error:
            raise AssertionError(f"text of seed {seed}") from error
        assert max(map(len, message.splitlines()), default=0) < 500, f"text of seed {seed}"
        assert time.perf_counter() - start < 10, f"text of seed {seed}"
