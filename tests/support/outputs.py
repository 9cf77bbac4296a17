"""A notebook with more than a dozen kinds of output, as an analyst may write them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

#: A red square as PNG in base64.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAFElEQVR4nGM8ISfHgBsw4ZEbwdIARtsBGOVUa2wAAAAASUVORK5CYII="
#: What the cells show, with the source of each.
CELLS = {
    "imports": """
        import logging
        import sys

        import matplotlib.pyplot as plt
        import numpy as np
        import pandas as pd
        import seaborn as sns
        from IPython.display import HTML, JSON, SVG, Image, Javascript, Latex, Markdown, Math, display

        import desertion

        frame = pd.DataFrame({"year": [2021, 2022, 2023], "verdicts": [615, 1000.5, 5096]})
    """,
    "a figure of matplotlib": """
        fig, ax = plt.subplots()
        ax.plot(frame["year"], frame["verdicts"], marker="o", label="Art. 337")
        ax.set(title="Verdicts by year", xlabel="year", ylabel="verdicts")
        ax.legend()
    """,
    "a figure of seaborn": """
        plt.style.use("default")
        sns.relplot(frame, x="year", y="verdicts", kind="line", errorbar=None)
    """,
    "a figure of pandas": """
        frame.plot.bar(x="year", y="verdicts", figsize=(14, 3), title="Wide")
        plt.show()
    """,
    "a bitmap as PNG": """
        %config InlineBackend.figure_format = "png"
        fig, ax = plt.subplots(figsize=(4, 3))
        _ = ax.imshow(np.arange(12).reshape(3, 4))
        ax.set_title("A grid")
        plt.show()
        %config InlineBackend.figure_format = "svg"
    """,
    "a photograph as JPEG": """
        import io

        from PIL import Image as Bitmap

        photo = io.BytesIO()
        Bitmap.new("RGB", (120, 80), (0, 90, 160)).save(photo, "JPEG")
        display(Image(photo.getvalue(), alt="A blue field"))
    """,
    "a data frame": "frame",
    "a frame with two levels of columns": """
        frame.assign(article=["337", "337", "338"]).pivot_table(
            index="year", columns="article", values=["verdicts"], aggfunc=["sum", "count"]
        )
    """,
    "a Styler": """
        styled = frame.style.format({"verdicts": "{:,.1f}"}).highlight_max(color="yellow")
        styled.set_caption("Verdicts, the most in yellow").background_gradient(subset=["year"])
    """,
    "Markdown": 'Markdown("**Grew** from 615 to 5,096:\\n\\n- a list\\n- [a page](https://example.org)")',
    "a formula": 'Math(r"\\lambda_t = \\frac{y_t}{E_t}")',
    "an equation between words": """
        Latex(r"For $t > 0$: \\begin{equation} y_t \\sim \\mathrm{Poisson}(\\lambda_t) \\end{equation}")
    """,
    "LaTeX that nobody knows": 'Latex(r"$\\nosuchcommand{x}$")',
    "HTML": """
        HTML('<h1>Heading</h1><p onclick="bad()">Words, <b>bold</b>, <a href="javascript:bad()">a link</a></p>'
             '<table><tr><th>who</th><th>count</th></tr><tr><td>Mediazona</td><td>5,096</td></tr></table>'
             '<script>bad()</script><img src="http://evil.example/x.png"><style>body { display: none }</style>')
    """,
    "an SVG that does more than be seen": """
        SVG('<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60" onload="bad()"><title id="growth-title">'
            'Mine</title><script>bad()</script><circle cx="30" cy="30" r="20" fill="green"/></svg>')
    """,
    "text": '{"a": [1, 2], "b": "five"}',
    "an object with an address": "object()",
    "streams": """
        print("a line", flush=True)
        print("\\x1b[31mred\\x1b[0m, and a doubt", file=sys.stderr, flush=True)
        print("another line")
    """,
    "JSON": 'JSON({"verdicts": [615, 5096]})',
    "a widget": """
        view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2, "version_minor": 0}}
        display(view | {"text/plain": "IntSlider(value=0)"}, raw=True)
    """,
    "JavaScript": 'Javascript("bad()")',
    "a chart of Plotly": """
        data = {"data": [], "layout": {}}
        chart = {"application/vnd.plotly.v1+json": data, "text/html": "<div></div><script></script>"}
        display(chart, raw=True)
    """,
    "a type that nobody knows": 'display({"application/x-own": "a", "text/plain": "<Own>"}, raw=True)',
}  # fmt: skip


def code_cell(kind: str) -> int:
    """The number of the code cell that shows `kind`; the first is that of the parameters."""
    return list(CELLS).index(kind) + 2


def executed() -> dict[str, Any]:
    """A notebook that has outputs of most kinds, without having run."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><circle r="5"/></svg>'
    table = '<style>#a {background-color: red}</style><table><tr><th rowspan="2">x</th><td id="a">1</td></tr></table>'
    data = [
        {"image/svg+xml": svg, "text/plain": "a"},
        {"image/png": PICTURE},
        {"text/html": f"<h1>H</h1><p>a <a href='x'>b</a><img src='data:image/png;base64,{PICTURE}'></p>{table}"},
        {"text/markdown": f"![a](data:image/png;base64,{PICTURE}) *b* [c](javascript:d)"},
        {"text/latex": r"$\frac{1}{2}$"},
        {"application/json": {"a": [1]}},
        {"application/vnd.plotly.v1+json": {}, "text/html": "<script></script>"},
    ]
    made = [v4.new_output("display_data", data=each, metadata={kind: {"alt": "w"} for kind in each}) for each in data]
    made += [v4.new_output("stream", name=name, text="\x1b[31ma\x1b[0m") for name in ("stdout", "stderr")]
    cells = [
        v4.new_markdown_cell("# T\n\n![a](attachment:b.png)", attachments={"b.png": {"image/png": PICTURE}}),
        v4.new_code_cell("reads: list[str] = []", metadata={"tags": ["parameters"]}),
        *(v4.new_code_cell("a", outputs=[output]) for output in made),
    ]
    notebook: dict[str, Any] = json.loads(nbformat.writes(v4.new_notebook(cells=cells)))
    return notebook


def write(path: Path) -> Path:
    """The notebook, not executed, at `path`."""
    cells = [
        v4.new_markdown_cell("# Which outputs come to a reader?\n\nA dozen kinds."),
        v4.new_code_cell("reads: list[str] = []", metadata={"tags": ["parameters"]}),
        *(v4.new_code_cell(textwrap.dedent(source).strip()) for source in CELLS.values()),
        v4.new_markdown_cell(
            "A picture in the prose: ![a red square](attachment:red.png) and ![one](elsewhere.png) that is not here.",
            attachments={"red.png": {"image/png": PICTURE}},
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path
