"""The page: one file, nothing from outside, text stays text, the same bytes each time."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from desertion import params, report
from desertion.project import UserError

SVG = (
    '<?xml version="1.0"?>\n<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="400pt" height="200pt" '
    'viewBox="0 0 400 200" xmlns="http://www.w3.org/2000/svg"><title id="t">A plot</title>'
    '<metadata>made by</metadata><style type="text/css">*{stroke:red}</style><clipPath id="c"/>'
    '<g id="F001" clip-path="url(#c)"/><use xlink:href="#F001"/></svg>'
)
TABLE = '<div><style scoped>a{}</style><table border="1" class="dataframe"><tr><td>&lt;b&gt;</td></tr></table></div>'


def notebook(folder: Path, stem: str = "01-figures", **changes: Any) -> Path:
    def shown(data: dict[str, str], **metadata: Any) -> Any:
        return v4.new_output("display_data", data=data, metadata=metadata)

    cells = [
        v4.new_markdown_cell("# What is known?\n\nA question with $x_1$."),
        v4.new_code_cell(
            "a", metadata={"tags": ["answer"]}, outputs=[shown({"text/markdown": "The ratio is **8.30**."})]
        ),
        v4.new_code_cell("b", outputs=[shown({"text/html": TABLE})]),
        v4.new_code_cell("c", outputs=[shown({"image/svg+xml": SVG}, desertion={"name": "growth", "title": "T"})]),
        v4.new_code_cell("d", outputs=[shown({"image/svg+xml": SVG}, desertion={"name": "offences", "title": "T"})]),
        v4.new_code_cell("e", outputs=[shown({"text/plain": "<script>alert(1)</script>"})]),
    ]
    path = folder / f"{stem}.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def page(folder: Path) -> str:
    (folder / "plots").mkdir(exist_ok=True)
    (folder / "plots" / "growth.csv").write_text("ratio,ids\n8.3,F001\n")
    report.render(params.edition("default"), [notebook(folder)], folder / "r.html", plots=folder / "plots")
    return (folder / "r.html").read_text(encoding="utf-8")


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def test_the_page_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    loads = [
        (tag, name, value)
        for tag, name, value in Page(page(tmp_path)).attributes
        if name in {"src", "srcset", "data"} or (name in {"href", "xlink:href"} and tag != "a")
    ]
    assert all(value.startswith("#") for _, _, value in loads), loads
    assert not re.search(r"url\((?!#)|@import", page(tmp_path))


def test_identifiers_are_unique_although_two_plots_share_a_statement(tmp_path: Path) -> None:
    read = Page(page(tmp_path))
    found = [value for _, name, value in read.attributes if name == "id"]
    assert len(found) == len(set(found))
    targets = [value[1:] for _, name, value in read.attributes if name in {"href", "xlink:href"} and value[0] == "#"]
    assert set(targets) <= set(found)
    assert 'clip-path="url(#growth--c)"' in page(tmp_path)


def test_the_answer_opens_the_page_and_is_not_said_twice(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert text.count("<strong>8.30</strong>") == 1
    assert text.index("<strong>8.30</strong>") < text.index("What is known?</h1>")


def test_text_of_the_data_stays_text(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert "script" not in Page(text).tags
    assert "&lt;b&gt;" in text


def test_a_plot_takes_the_width_of_the_page_and_carries_the_numbers_behind_it(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert re.search(r'<svg[^>]*viewBox="0 0 400 200"', text)
    assert not re.search(r"<svg[^>]* (width|height)=", text)
    assert 'download="growth.csv"' in text
    assert 'download="offences.csv"' not in text
    assert "*{stroke:red}" not in text


def test_the_same_notebooks_give_the_same_bytes(tmp_path: Path) -> None:
    assert page(tmp_path) == page(tmp_path)


def test_markup_in_the_name_of_an_edition_is_text(tmp_path: Path) -> None:
    edition = params.Edition("x", "<script>1</script>", "a & b", {}, {})
    report.render(edition, [notebook(tmp_path)], tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "script" not in Page(text).tags
    assert "a &amp; b" in text


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    (tmp_path / "01-figures.ipynb").write_text("{")
    with pytest.raises(UserError, match=r"01-figures\.ipynb: not a notebook"):
        report.render(params.edition("default"), [tmp_path / "01-figures.ipynb"], tmp_path / "r.html")
