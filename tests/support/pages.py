"""Small executed notebooks with real plots, and data with bad text, for the tests of the report."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import nbformat
import pandas as pd
from IPython.core.formatters import DisplayFormatter
from nbformat import v4

from desertion import figures, load_ipython_extension, params, plots, publish, report, tables
from desertion.figures import Data
from desertion.project import PHONE
from desertion.sentences import sentence

TABLES = Path(__file__).parents[1] / "plot_tables"
FRAME = pd.DataFrame({"from_count": [615, 591], "said": ["<b>", "b"]}, pd.Index(["F085", "x"], name="id"))
#: What a cell of the data may hold at worst.
BAD = (
    '<script>window.bad = 1</script><img src=x onerror="window.bad = 1">',
    "=cmd()|' /C calc'!A0",
    "\u202egnp.exe\u200f turned",
    "x" * 10_000,
    "</script><script>window.bad = 1</script>\u2028$x$ [link](javascript:alert(1)) `code` #panic()",
    "\x1b[31mred\x1b[0m\x07\x9b31m and a bell",
)
#: A frame with values that no reader should see.
RAW = pd.DataFrame(
    {"measure": ["persons_convicted", "verdicts"], "articles": ["337+338", "337"], "to_count": [433090.0, None],
     "mixed_measures": [True, False], "year": [2021, 2023]}
).set_index("measure")  # fmt: skip


@cache
def data() -> Data:
    return figures.load()


@cache
def picture(name: str, size: Any = "double") -> publish.Published:
    return publish.render(plots.PLOTS[name], pd.read_csv(TABLES / f"{name}.csv"), data(), size=size)


def shown(content: dict[str, str], **metadata: Any) -> Any:
    return v4.new_output("display_data", data=content, metadata=metadata)


def shown_frame(frame: pd.DataFrame) -> Any:
    """The output of a cell that ends with a data frame, in a kernel that has the package."""
    formatter = DisplayFormatter()
    load_ipython_extension(SimpleNamespace(display_formatter=formatter))
    content, metadata = formatter.format(frame)
    return v4.new_output("display_data", data=content, metadata=metadata)


def shown_table(frame: pd.DataFrame, name: str, title: str, columns: Any, **how: Any) -> Any:
    """The output of `tables.show`."""
    with mock.patch("IPython.display.publish_display_data") as publish:
        tables.show(frame, name, title, columns, **how)
    return v4.new_output("display_data", data=publish.call_args.args[0], **publish.call_args.kwargs)


def sentence_of(name: str, template: str, **how: Any) -> Any:
    one = sentence(name, template, **how)
    return shown({"text/markdown": one.text, "text/plain": one.text}, desertion={"sentence": one.record()})


def grouped() -> Any:
    """A table of the project: a group, a number that carries its statements, a note."""
    rows = pd.DataFrame({"who": ["Mediazona"], "group": ["Art. 337"], "count": [5096.0], "ids": ["F147 F085"]})
    columns = {"who": "Counted by", "count": "Cases"}
    how: dict[str, Any] = {"rows": "who", "groups": "group", "ids": "ids", "notes": ["A note under it."]}
    return shown_table(rows, "counts", "Counts of courts", columns, **how)


def notebook(folder: Path, stem: str = "03-trends", title: str = "# What is known?") -> Path:
    """An executed notebook: an answer of two sentences, a table, a published plot twice, another, and plain text."""
    grew = sentence_of(
        "grew",
        "**It grew** under Art. 337 from {a:,.0f} in 2021 to {b:,.0f} in 2023, ×{r:.2f}.",
        when="r > 7", a=615, b=5096, r=5096 / 615, ids="F085 F147",
    )  # fmt: skip
    many = sentence_of(
        "many", "There are {n} of them, says {who}.", when="n > 1", n=591, who="<b>*a*</b> [b](http://evil.example)"
    )
    sums = sentence_of(
        "sums", "Of {all} counts {part} is the last.", when="all > part", all=6, part=1,
        ids={"all": "F085 F147 F192 F293 F313 F333", "part": "F147"},
    )  # fmt: skip
    cells = [
        v4.new_markdown_cell(f"{title}\n\nA question with $x_1$."),
        v4.new_code_cell("a", metadata={"tags": ["answer"]}, outputs=[grew, many, sums]),
        v4.new_code_cell("b", outputs=[shown_frame(FRAME)]),
        v4.new_code_cell("c", outputs=[shown({"image/svg+xml": picture("growth").svg})]),
        v4.new_code_cell("d", outputs=[shown({"image/svg+xml": picture("offences").svg})]),
        v4.new_code_cell("e", outputs=[shown({"image/svg+xml": picture("offences").svg})]),
        v4.new_code_cell("f", outputs=[shown({"text/plain": "<script>alert(1)</script>"})]),
        v4.new_code_cell("g", outputs=[shown({"image/svg+xml": picture("long_view").svg})]),
        v4.new_code_cell("h", outputs=[grouped()]),
        v4.new_code_cell("i", outputs=[shown_frame(RAW)]),
        v4.new_code_cell("j", metadata={"tags": ["working"]}, outputs=[shown({"text/plain": "a working frame"})]),
    ]
    path = folder / f"{stem}.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def published(folder: Path, name: str = "growth") -> Path:
    """The folder of a plot that was published, with its SVG and CSV."""
    place = folder / "plots"
    place.mkdir(exist_ok=True)
    (place / f"{name}.svg").write_text(picture(name).svg, encoding="utf-8")
    (place / f"{name}.csv").write_text(picture(name).csv, encoding="utf-8")
    (place / f"{name}.json").write_text(picture(name).record, encoding="utf-8")
    (place / f"{name}{PHONE}.svg").write_text(picture(name, "single").svg, encoding="utf-8")
    return place


def render(folder: Path, known: Data | None = None) -> Path:
    """The page of such a notebook, with its PDF beside it."""
    out = folder / "report.html"
    report.render(params.edition("default"), [notebook(folder)], out, plots=published(folder), data=known or data())
    return out


def bad_data() -> Data:
    """The real data with bad text in notes, compilers and publishers of some statements that the notebook shows."""
    known = data()
    table, sources = known.figures.copy(), known.sources.copy()
    for n, words in enumerate(BAD):
        row = ["F085", "F147", "F293", "F313", "F333", "F192"][n]
        table.loc[row, ["note", "publisher", "compiler", "locator"]] = words
        table.loc[row, "url"] = ["javascript:window.bad=1", 'https://x.example/"onload="bad()'][n % 2]
        sources.loc[table.at[row, "source_id"], "publisher"] = words
    return dataclasses.replace(known, figures=table, sources=sources)


def many_data(count: int) -> Data:
    """The real figures repeated until there are `count` statements."""
    known = data()
    times = -(-count // len(known.figures))
    copies = [known.figures.set_axis([f"F{n:02d}{i[1:]}" for i in known.figures.index]) for n in range(1, times + 1)]
    table = pd.concat(copies).iloc[: count - len(known.context)].rename_axis("id")
    table["fact"] = table.index
    return dataclasses.replace(known, figures=table, corrections=known.corrections.iloc[:0])
