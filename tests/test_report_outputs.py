"""Any output of a cell comes to the reader of the page and of the PDF, or is named; nothing in it runs."""

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbformat import v4
from PIL import Image
from support.pages import RAW, data, grouped, picture, shown

from desertion import inline, params, report
from desertion.errors import UserError
from desertion.report import content, image, markup, paper
from desertion.report.blocks import Block, PictureBlock, PlotBlock, Prose, TableBlock, TableCell, Unshown, Verbatim

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><circle cx="9" cy="9" r="5"/></svg>'
WHERE = "07-mine, code cell 1"


def bitmap(kind: str, mode: str = "RGB") -> str:
    out = io.BytesIO()
    Image.new(mode, (12, 8), "red" if mode == "RGB" else 0).save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def write(folder: Path, *outputs: Any, before: str = "", after: str = "", **cell: Any) -> Path:
    """An executed notebook whose only code cell has these outputs, between two texts in Markdown."""
    path = folder / "07-mine.ipynb"
    cells = [v4.new_markdown_cell(f"# Title\n\n{before}", **cell), v4.new_code_cell("a", outputs=list(outputs))]
    nbformat.write(v4.new_notebook(cells=[*cells, v4.new_markdown_cell(after or "The end.")]), path)
    return path


def blocks(folder: Path, *outputs: Any) -> list[Block]:
    """What the report makes of the outputs of a cell."""
    (section,) = content.read([write(folder, *outputs)], None)
    assert section.blocks[-1] == Prose("The end.")
    return list(section.blocks[:-1])


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that the PDF's compiler gets."""
    compile_, written = paper._compile, []

    def keep(inputs: dict[str, bytes], stamp: int) -> bytes:
        written.append(inputs["main.typ"].decode())
        return compile_(inputs, stamp)

    monkeypatch.setattr(paper, "_compile", keep)
    return written


def render(folder: Path, path: Path) -> tuple[str, list[str]]:
    """The page of a notebook, and the notes for its author."""
    notes = report.render(params.edition("default"), [path], folder / "report.html", data=data())
    return (folder / "report.html").read_text(encoding="utf-8"), notes


def words_of(pdf: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("skipped: no pdftotext (poppler-utils)")
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True)
    return done.stdout


class Page(HTMLParser):
    """The tags of a page, and its attributes as (tag, name, value)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_a_bitmap_is_a_picture_with_its_size_and_words(kind: str, tmp_path: Path) -> None:
    output = shown({f"image/{kind}": bitmap(kind), "text/plain": "<IPython.core.display.Image object>"})
    (block,) = blocks(tmp_path, output)
    assert isinstance(block, PictureBlock)
    assert (block.kind, block.width, block.height, block.alt) == (f"image/{kind}", 12, 8, f"Picture of {WHERE}")


def test_the_words_of_a_picture_are_those_of_its_metadata_else_its_plain_text(tmp_path: Path) -> None:
    named = shown({"image/svg+xml": SVG, "text/plain": "a"}, **{"image/svg+xml": {"alt": "A circle\u202e"}})
    plain = shown({"image/svg+xml": SVG, "text/plain": "a circle"})
    alts = [block.alt for block in blocks(tmp_path, named, plain) if isinstance(block, PictureBlock)]
    assert alts == [f"Picture of {WHERE}: A circle[U+202E]", f"Picture of {WHERE}: a circle"]


@pytest.mark.parametrize(
    ("svg", "size"),
    [
        (SVG, (96, 48)),
        (SVG.replace('width="72pt" height="36pt"', 'viewBox="0 0 30 20"'), (30, 20)),
        (SVG.replace('width="72pt" height="36pt"', ""), (300, 150)),
        (SVG.replace('xmlns="http://www.w3.org/2000/svg" ', ""), (96, 48)),
        (SVG.replace("72pt", "1in").replace("36pt", "2.54cm"), (96, 96)),
    ],
)
def test_the_size_of_an_svg_is_the_one_that_a_browser_takes(svg: str, size: tuple[float, float]) -> None:
    block = image.read("image/svg+xml", svg, "", WHERE)
    assert isinstance(block, PictureBlock)
    assert (block.width, block.height) == pytest.approx(size)
    assert b'xmlns="http://www.w3.org/2000/svg"' in block.content


def test_a_retina_bitmap_has_the_size_that_its_metadata_give() -> None:
    block = image.read("image/png", bitmap("png"), "", WHERE, {"width": 6, "height": 4})
    assert isinstance(block, PictureBlock)
    assert (block.width, block.height) == (6, 4)


def test_a_jpeg_in_colours_for_print_is_turned_into_those_of_a_screen() -> None:
    block = image.read("image/jpeg", bitmap("jpeg", "CMYK"), "", WHERE)
    assert isinstance(block, PictureBlock)
    assert block.kind == "image/png"


DAMAGED = {
    "not base64": ("image/png", "???"),
    "cut": ("image/png", base64.b64encode(base64.b64decode(bitmap("png"))[:50]).decode()),
    "wrong checksum": ("image/png", base64.b64encode(base64.b64decode(bitmap("png"))[:-16] + b"x" * 16).decode()),
    "not closed": ("image/svg+xml", SVG[:-3]),
    "not SVG": ("image/svg+xml", "<html><body/></html>"),
    "endless": ("image/svg+xml", SVG.replace('width="72pt" height="36pt"', 'viewBox="0 0 1e9 5"')),
    "entities": ("image/svg+xml", f'<!DOCTYPE svg [<!ENTITY a "b">]>{SVG}'),
    "empty": ("image/svg+xml", ""),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_picture_is_named(case: str) -> None:
    kind, text = DAMAGED[case]
    assert image.read(kind, text, "", WHERE) == Unshown(f"a damaged picture ({kind})", WHERE)


def test_a_published_plot_stands_in_the_page_and_one_that_would_do_more_is_an_image(tmp_path: Path) -> None:
    svg = picture("growth").svg
    end = svg.rindex("</svg>")
    more = ("<script>bad()</script>", '<a href="javascript:bad()"/>', '<g onclick="bad()"/>', "<foreignObject/>",
            '<image href="http://evil.example/x.png"/>', "<style>body { display: none }</style><style>p {}</style>",
            '<rect fill="url(http://evil.example/x)"/>', "<g")  # fmt: skip
    for added in more[:-1]:
        assert image.is_published(svg[:end] + added + svg[end:]) == added.startswith("<style>")  # which is removed
    assert not image.is_published(svg[:end] + more[-1])
    kinds = [type(block) for block in blocks(tmp_path, *(shown({"image/svg+xml": one}) for one in (svg, SVG)))]
    assert kinds == [PlotBlock, PictureBlock]


# --- HTML, LaTeX, Markdown -------------------------------------------------------------------------------------------


def test_html_is_shown_as_its_words_and_tables(tmp_path: Path) -> None:
    html = (
        "<style>p {}</style><h1>Head</h1><p>A <a href='javascript:bad()'>link</a>, <b>bold</b> $5 *stars* &lt;b&gt;</p>"
        "<ul><li>one<li>two</ul><div><div><pre>code\n  x</pre></div></div><p>\u202eturned</p>"
    )
    words, code, last = blocks(tmp_path, shown({"text/html": html, "text/plain": "an object"}))
    assert words == Prose(
        "**Head**\n\nA link, **bold** \\$5 \\*stars\\* \\<b\\>\n\n-   one\n-   two".replace("-   ", "- ")
    )
    assert code == Verbatim("code\n  x")
    assert last == Prose("\\[U+202E\\]turned")


def test_a_table_of_pandas_without_a_record_is_a_table(tmp_path: Path) -> None:
    (table,) = blocks(tmp_path, shown({"text/html": RAW.to_html()}))
    assert isinstance(table, TableBlock)
    assert [cell.text for cell in table.body[0]][:3] == ["persons_convicted", "337+338", "433090.0"]
    assert [cell.heading for cell in table.body[0]][:2] == [True, False]
    assert table.body[0][2].right


def test_a_styler_keeps_its_caption_and_colours() -> None:
    frame = pd.DataFrame({"year": [2021, 2023], "count": [615, 5096]})
    styled = frame.style.highlight_max(subset=["count"], color="yellow").set_caption("Counts").format("{:,}")
    styled = styled.map(lambda _: "background-color: #06294b", subset=["year"])
    (table,) = markup.from_html(styled.to_html(), WHERE)
    assert isinstance(table, TableBlock)
    assert table.title == "Counts"
    assert table.body[1][2] == TableCell("5,096", right=True, fill="#ffff00", ink="#000000")
    assert (table.body[0][1].fill, table.body[0][1].ink) == ("#06294b", "#ffffff")
    assert (table.body[0][2].fill, table.body[0][2].ink) == ("", "")


def test_a_colour_that_is_none_stays_out_of_the_page() -> None:
    cell = '<td style="background-color: {}; color: {}">1</td>'
    for fill, ink in (("url(x.png)", "red;position:fixed"), ("expression(bad())", "none"), ("#ff00", "RED")):
        (table,) = markup.from_html(f"<table><tr>{cell.format(fill, ink)}</tr></table>", WHERE)
        assert isinstance(table, TableBlock)
        assert table.body[0][0].fill == ""
        assert table.body[0][0].ink == ("" if ink == "none" else "#ff0000")


@pytest.mark.parametrize(
    ("html", "what"),
    [
        ("<script>bad()</script>", "JavaScript"),
        ("<p>a</p><IFRAME src='/etc/passwd'></IFRAME>", "an embedded page"),
        ("<video src=x></video>", "a video"),
        ("<form><input value=a></form>", "a control"),
        ("<img src='x.png'>", "the picture 'x.png', which is not in the notebook,"),
        (
            "<img src='http://evil.example/x.png'>",
            "the picture 'http://evil.example/x.png', which is not in the notebook,",
        ),
    ],
)
def test_what_html_runs_embeds_or_fetches_is_named(html: str, what: str, tmp_path: Path) -> None:
    (*_, last) = blocks(tmp_path, shown({"text/html": html, "text/plain": "an object"}))
    assert last == Unshown(what, WHERE)


def test_html_and_latex_read_no_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("a secret <p>of the disk</p>")
    html = f"<iframe src='{tmp_path}/secret.tex'></iframe><p>words</p><img src='file://{tmp_path}/secret.tex'>"
    latex = rf"Words \input{{{tmp_path}/secret}}"
    made = [*markup.from_html(html, WHERE), *markup.from_latex(latex, WHERE)]
    assert "words" in str(made)
    assert "of the disk" not in str(made)


def test_a_picture_inside_html_is_a_picture() -> None:
    html = f'<p>a<img alt="Red" src="data:image/png;base64,{bitmap("png")}">b</p>{SVG}'
    kinds = [(type(block), getattr(block, "alt", "")) for block in markup.from_html(html, WHERE)]
    assert kinds == [(Prose, ""), (PictureBlock, "Red"), (PictureBlock, "A picture")]


def test_html_that_would_take_minutes_to_read_is_named() -> None:
    assert markup.from_html("<p>words</p>" * 200_000, WHERE) == [Unshown("HTML of 2.4 MB", WHERE)]


def test_html_without_words_gives_way_to_plain_text(tmp_path: Path) -> None:
    assert blocks(tmp_path, shown({"text/html": "<style>p {}</style>", "text/plain": "an object"})) == [
        Verbatim("an object")
    ]
    deep = "<b>" * 3000 + "words" + "</b>" * 3000
    assert blocks(tmp_path, shown({"text/html": deep, "text/plain": "an object"}))


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"$\displaystyle \frac{y}{E}$", r"$\displaystyle \frac{y}{E}$"),
        (r"\begin{equation} y = x \end{equation}", "$$"),
        (r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", "$$"),
        (r"Words and $x$, \textbf{bold}", "Words and $x$, **bold**"),
    ],
)
def test_latex_is_set_as_formulas_and_words(latex: str, expected: str, tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, shown({"text/latex": latex, "text/plain": "an object"}))
    assert isinstance(block, Prose)
    assert block.text.startswith(expected)


@pytest.mark.parametrize("latex", [r"$\nosuch{x}$", r"\input{/etc/hostname}", r"\left[ x \right]", "", "$x"])
def test_latex_that_cannot_be_set_is_shown_as_it_was_written(latex: str, tmp_path: Path) -> None:
    words, source = blocks(tmp_path, shown({"text/latex": latex}))
    assert words == Prose("*LaTeX that cannot be set here, as it was written:*")
    assert source == Verbatim(latex)


def test_a_picture_that_is_attached_to_the_prose_is_shown_and_any_other_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, before="Here: ![A red one](attachment:a.png), ![](../b.png).",
                 attachments={"a.png": {"image/png": bitmap("png")}})  # fmt: skip
    (section,) = content.read([path], None)
    words, red, other, _ = section.blocks
    assert isinstance(words, Prose)
    assert isinstance(red, PictureBlock)
    assert (red.alt, red.where) == ("A red one", "")
    assert other == Unshown("the picture '../b.png', which is not in the notebook,", "07-mine, cell 1")
    assert content.notes([section]) == [f"{other.where}: {other.what} cannot be shown in the page and the PDF"]


# --- text, streams, what cannot be shown -----------------------------------------------------------------------------


def test_both_streams_come_to_the_reader_without_the_colours_of_a_terminal(tmp_path: Path) -> None:
    out = v4.new_output("stream", name="stdout", text="a\n\x1b[31mred\x1b[0m\u202e\n")
    err = v4.new_output("stream", name="stderr", text="a doubt")
    assert blocks(tmp_path, out, err) == [Verbatim("a\nred[U+202E]\n"), Verbatim("a doubt")]


def test_json_is_shown_as_text(tmp_path: Path) -> None:
    output = shown({"application/json": {"a": ["<b>"]}, "text/plain": "<IPython.core.display.JSON object>"})
    assert blocks(tmp_path, output) == [Verbatim('{\n "a": [\n  "<b>"\n ]\n}')]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("application/vnd.jupyter.widget-view+json", "a widget"),
        ("application/javascript", "JavaScript"),
        ("application/vnd.plotly.v1+json", "an interactive chart of Plotly"),
        ("application/vnd.vegalite.v5+json", "an interactive chart of Vega"),
        ("application/pdf", "an output of the type application/pdf"),
        ("x-own/\u202ekind", "an output of the type x-own/\\u202ekind"),
    ],
)
def test_what_cannot_be_shown_is_named_with_notebook_and_cell(kind: str, what: str, tmp_path: Path) -> None:
    value = {"a": 1} if kind.endswith("+json") else "bad()"
    output = shown({kind: value, "text/plain": "<an object>"})
    assert blocks(tmp_path, output) == [Unshown(what, WHERE)]
    (section,) = content.read([tmp_path / "07-mine.ipynb"], None)
    assert content.notes([section]) == [f"{WHERE}: {what} cannot be shown in the page and the PDF"]


def test_a_chart_that_comes_with_a_picture_is_shown_as_the_picture(tmp_path: Path) -> None:
    output = shown({"application/vnd.plotly.v1+json": {}, "image/png": bitmap("png")})
    assert isinstance(blocks(tmp_path, output)[0], PictureBlock)


def test_the_name_of_what_a_cell_drew_with_is_left_out_beside_the_picture_alone(tmp_path: Path) -> None:
    drawn = shown({"image/svg+xml": SVG})
    handles = ("<matplotlib.legend.Legend>", "[<matplotlib.lines.Line2D>,\n <matplotlib.lines.Line2D>]",
               "<Axes: xlabel='x'>", "Text(0.5, 1.0, 'T')", "<seaborn.axisgrid.FacetGrid>")  # fmt: skip
    for handle in handles:
        assert [type(b) for b in blocks(tmp_path, shown({"text/plain": handle}), drawn)] == [PictureBlock]
        assert blocks(tmp_path, shown({"text/plain": handle})) == [Verbatim(handle)]
    assert len(blocks(tmp_path, shown({"text/plain": "615"}), drawn)) == 2


def test_a_figure_without_sources_is_noted_once_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, shown({"image/svg+xml": SVG}), shown({"image/png": bitmap("png")}))
    page, notes = render(tmp_path, path)
    assert notes == [f"{WHERE}: a plot has no sources recorded: publish it with publish.figure"]
    assert page.count(f"No sources are recorded for this picture ({WHERE}).") == 2
    assert words_of(tmp_path / "report.pdf").count("No sources are recorded for this picture") == 2


# --- the page and the PDF --------------------------------------------------------------------------------------------


def test_hostile_output_neither_runs_nor_reaches_out_of_its_place(tmp_path: Path, written: list[str]) -> None:
    hostile = (
        '<h1 id="answer">H</h1><p onclick="bad()" style="position:fixed" class="n">P</p></main></body>'
        "<script>bad()</script>"
        '<a href="JaVaScRiPt:bad()">l</a><img src=x onerror="bad()"><style>body { display: none }</style>'
        '<base href="//e">'
        '<meta http-equiv="refresh" content="0"><table><tr><td onclick="bad()">c</td></tr></table><svg onload="bad()"/>'
        "<noscript><p title='</noscript><img src=x onerror=bad()>'>q</p></noscript><math><mtext><script>bad()</script>"
    )
    outputs = [
        shown({"text/html": hostile}),
        shown({"text/markdown": f"{hostile}\n\n[l](javascript:bad()) <javascript:bad()> ![p](http://evil.example/p)"}),
        shown({"text/markdown": "[safe](https://example.org) and [not](javascript:bad())"}),
        shown({"text/latex": r"\href{javascript:bad()}{l} \url{javascript:bad()} $x$"}),
        shown({"image/svg+xml": SVG.replace("<circle", '<script>bad()</script><circle onclick="bad()"')}),
        shown({"image/svg+xml": picture("growth").svg.replace("</svg>", "<script>bad()</script></svg>")}),
        shown({"text/plain": hostile}),
        v4.new_output("stream", name="stderr", text=hostile),
    ]
    page, _ = render(tmp_path, write(tmp_path, *outputs))
    parsed = Page(page)
    assert parsed.tags.count("script") == 1
    assert {"base", "iframe", "form", "object"}.isdisjoint(parsed.tags)
    assert parsed.tags.count("style") == 2  # of the page and of its plots
    assert parsed.tags.count("meta") == 4
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert not [value for _, name, value in parsed.attributes if name in ("href", "src") and "script:" in value.lower()]
    sources = [value for tag, name, value in parsed.attributes if tag == "img" and name == "src"]
    assert sources
    assert all(re.match(r"data:image/(png|svg\+xml);base64,", one) for one in sources)
    ids = [value for _, name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert [value for tag, name, value in parsed.attributes if name == "style" and "position" in value] == []
    assert page.index("The end.") < page.index("</main>") == page.rindex("</main>")
    addresses = set(re.findall(r'#link\("([^"]*)', written[-1]))
    assert "https://example.org" in addresses
    assert all(address.startswith("https://") for address in addresses)


def test_each_kind_of_output_comes_into_the_pdf(tmp_path: Path, written: list[str]) -> None:
    frame = pd.DataFrame({"count": [5096]})
    outputs = [
        shown({"image/png": bitmap("png")}, **{"image/png": {"alt": "A red field"}}),
        shown({"text/html": frame.style.highlight_max(color="yellow").format("{:,}").to_html()}),
        shown({"text/html": "<p>Words of <b>HTML</b> in $5</p>"}),
        shown({"text/latex": r"$$\nosuch{x}$$"}),
        shown({"text/latex": r"$\frac{1}{2}$ and words of LaTeX"}),
        shown({"application/javascript": "bad()"}),
        v4.new_output("stream", name="stderr", text="a doubt of the library"),
    ]
    page, _ = render(tmp_path, write(tmp_path, *outputs, before="### A heading two levels below"))
    read = words_of(tmp_path / "report.pdf")
    assert f"JavaScript cannot be shown here ({WHERE})." in read
    assert "A heading two levels below" in read
    for words in ("5,096", "Words of HTML in $5", r"\nosuch{x}", "words of LaTeX", "a doubt of the library"):
        assert words in read
    assert 'style="background:#ffff00;color:#000000">5,096</td>' in page
    assert f'alt: "Picture of {WHERE}: A red field"' in written[-1]


def test_markdown_that_takes_in_what_follows_it_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, grouped(), before="```\nnever closed", after="```\nx\n```")
    with pytest.raises(UserError, match=r"leaves a block open .* what follows its words '.*never closed': close it"):
        render(tmp_path, path)


def test_markdown_between_rules_is_no_metadata(tmp_path: Path) -> None:
    page, _ = render(tmp_path, write(tmp_path, before="---\nNote: one\n---", after="% two"))
    assert "Note: one" in page
    assert "% two" in page


# --- in the kernel ---------------------------------------------------------------------------------------------------


def test_the_words_of_a_figure_are_its_titles_axes_and_legends() -> None:
    figure = Figure()
    assert inline.words(figure) == ""
    left, right = figure.subplots(1, 2)
    figure.suptitle("Both")
    left.plot([1, 2], label="Art. 337")
    left.set(title="One", xlabel="year", ylabel="verdicts\n(first court)")
    left.legend()
    right.set_title("Other")
    assert inline.words(figure) == "Both. One; x: year; y: verdicts (first court); legend: Art. 337. Other"
    assert matplotlib.rcParams["svg.hashsalt"] is None
