"""Writes the skeleton of a new notebook: a question, the parameters cell, the data, one table and a plot of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion.errors import UserError
from desertion.project import NOTEBOOKS, relative, write_atomic
from desertion.text import shown

_NAME = re.compile(r"(?:(?P<number>[0-9]{2})-)?(?P<words>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
_PARAMETERS = """\
reads: list[str] = [
    "corrections.csv", "details.csv", "events.csv", "figures.csv", "hedges.csv",
    "identities.csv", "sources.csv",
]  # files of data/ that the notebook reads
as_of: "Optional[date]" = None  # last day of publication that counts; None: everything in data/
undated_lag_days: int = 60  # days from its period's end until an undated page counts as published
out: "Optional[str]" = None  # folder that plots are published in; the runner sets it"""
_IMPORTS = """\
import seaborn as sns
from desertion import figures, params, publish, reconcile

p = params.read(globals())
data = figures.load(as_of=p.as_of, undated_lag_days=p.undated_lag_days)"""
_TABLE = """\
facts = figures.select(
    reconcile.facts(data), articles="337", measures="cases_received_by_court",
    scope="whole", status=None,
)
cases = reconcile.by_year(facts).query("not incomplete")
cases = cases[["compiler", "year", "value", "ids"]].reset_index(drop=True)
cases"""
_PLOT = """\
def draw(figure, table):
    axes = figure.subplots()
    sns.lineplot(
        table, x="year", y="value", hue="compiler", style="compiler", markers=True, errorbar=None,
        ax=axes,
    )
    axes.set(xlabel="", ylabel="cases", xticks=table["year"].unique(), ylim=(0, None))
    publish.mark(axes, table, x="year", y="value")  # what a reader may click

publish.figure(
    "NAME_cases", draw, cases, data, out=out,
    title="Russia: cases of absence without leave (Art. 337) received by courts",
    alt=f"{len(cases)} counts by year and by who counted, {cases['value'].min():,.0f} to "
    f"{cases['value'].max():,.0f} cases.",
)"""


def notebook(name: str) -> Path:
    """Write `notebooks/NN-NAME.ipynb`, NN the next free number where `name` begins with none; the path.

    Raises UserError where the name is not one of a notebook, or is taken.
    """
    match = _NAME.fullmatch(name)
    if not match or len(name) > 60:
        right = "lower-case words joined by '-', such as by-region or 07-by-region"
        raise UserError(f"'{shown(name)}' is no name of a notebook: {right}")
    stems = [path.stem for path in NOTEBOOKS.glob("*.ipynb")]
    numbers = {int(stem[:2]) for stem in stems if re.match(r"[0-9]{2}-", stem)}
    number = int(match["number"]) if match["number"] else max(numbers, default=0) + 1
    taken = [stem for stem in stems if re.sub(r"^[0-9]{2}-", "", stem) == match["words"]]
    if number in numbers and match["number"]:
        taken += [stem for stem in stems if stem.startswith(f"{number:02}-")]
    if taken:
        raise UserError(f"{relative(NOTEBOOKS / taken[0])}.ipynb is there: choose another name or number")
    if number > 99:
        raise UserError("there are 99 notebooks: give a free number, such as 42-by-region")
    path = NOTEBOOKS / f"{number:02}-{match['words']}.ipynb"
    title = match["words"].replace("-", " ").capitalize()
    cells = [
        _cell("markdown", "question", f"# {title}?\n\nThe question that this notebook answers, in a sentence or two."),
        _cell("code", "parameters", _PARAMETERS, tags=["parameters"]),
        _cell("code", "imports", _IMPORTS),
        _cell("code", "table", _TABLE),
        _cell("code", "plot", _PLOT.replace("NAME", match["words"].replace("-", "_"))),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    write_atomic(path, nb.dumps(whole, relative(path)))
    return path


def _cell(kind: str, identity: str, source: str, **metadata: Any) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": identity, "metadata": metadata, "source": source}
    return cell | {"outputs": [], "execution_count": None} if kind == "code" else cell
