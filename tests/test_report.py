"""The report: one page and one PDF, nothing from outside, text stays text, the same bytes each time."""

import dataclasses
import json
import re
import shutil
import subprocess
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import markupsafe
import nbformat
import pandas as pd
import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4
from support.pages import BAD, RAW, bad_data, data, notebook, picture, published, render, shown

from desertion import figures, params, report, tables
from desertion import notebook as nb
from desertion.entries import statements
from desertion.errors import UserError
from desertion.plots import palette, sources
from desertion.project import BUILD, NOTEBOOKS, PLOTS
from desertion.report import content, escape, glyphs, layout, paper, paper_tables, parts, verification
from desertion.report import page as page_module
from desertion.report.blocks import (
    Block,
    FilledNumber,
    Moved,
    Part,
    PictureBlock,
    PlotBlock,
    Prose,
    SentenceBlock,
    TableBlock,
    TableCell,
    Verbatim,
)
from desertion.report.links import Links
from desertion.text import visible, visible_lines


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(made: Path) -> str:
    return made.read_text(encoding="utf-8")


#: A float of pandas, a word of the code, a number without its separators: none of a reader's business.
RAW_VALUE = re.compile(r"\b(nan|NaN|None|NaT|True|False)\b|\b[a-z]+_[a-z]|\b\d{4,}\.0\b|(?<![\d.,])\d{5,}\b")


@cache
def words_of(pdf: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("skipped: no pdftotext (poppler-utils)")
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True)
    return done.stdout.replace("\u200b", "")  # where an address may break


def row_of(page: str, name: str) -> str:
    """The row of a published number, as HTML."""
    match = re.search(rf'<tr id="{name}".*?</tr>', page, re.DOTALL)
    assert match is not None, name
    return match[0]


def link_of(page: str, words: str) -> dict[str, str]:
    """The attributes of the first link of a number with these words."""
    match = re.search(rf'<a (class="n[^>]*)>{re.escape(words)}</a>', page)
    assert match is not None, words
    return dict(re.findall(r'([\w-]+)="([^"]*)"', match[1]))


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    loads = [
        (tag, name, value)
        for tag, name, value in Page(page).attributes
        if name in {"src", "srcset", "data"} or (name in {"href", "xlink:href"} and tag != "a")
    ]
    assert all(value.startswith("#") for _, _, value in loads), loads
    assert not re.search(r"url\((?!#|data:font/ttf;)|@import", page)
    assert len(page) < 3_000_000


def test_only_the_projects_own_script_may_run(page: str) -> None:
    policy = next(value for tag, name, value in Page(page).attributes if tag == "meta" and "default-src" in value)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+';", policy)


def test_identifiers_are_unique_although_a_plot_is_shown_twice(page: str) -> None:
    ids = [value for _, name, value in Page(page).attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [v[1:] for _, name, v in Page(page).attributes if name in {"href", "xlink:href"} and v[:1] == "#"]
    assert set(targets) <= set(ids)
    clips = re.findall(r"url\(#([^)]+)\)", page)
    assert clips
    assert set(clips) <= set(ids)
    assert "offences-again-title" in ids


def test_the_answer_opens_the_page_with_the_main_plots_and_is_not_said_twice(page: str) -> None:
    heading = page.index("What is known?</h2>")
    assert page.count("<strong>It grew</strong>") == 1
    assert page.index("<strong>It grew</strong>") < page.index('id="plot-long_view"') < page.index("There are ")
    assert page.index("There are ") < heading < page.index('id="plot-offences"')


def test_what_is_not_known_closes_the_opening_after_the_answers_of_all_leading_notebooks() -> None:
    def named(stem: str) -> content.Section:
        return content.Section(stem, stem, (Prose(f"{stem} answer"),), (Prose(stem),), (Prose(f"{stem} limits"),))

    opening, rest, _ = layout.arrange([named("09-other"), *map(named, layout.LEADS)], [])
    leads = [f"{stem} {part}" for part in ("answer", "limits") for stem in layout.LEADS]
    assert [block.text for block in opening if isinstance(block, Prose)] == leads
    assert [block.text for block in rest[0].lead if isinstance(block, Prose)] == [
        "09-other answer", "09-other limits", "09-other",
    ]  # fmt: skip
    assert not rest[0].parts, "without sub-sections nothing is folded"


def plot_of(name: str) -> PlotBlock:
    return PlotBlock(name, f"Title of {name}", "words", '<svg viewBox="0 0 10 5"></svg>', (), None)


def test_a_section_shows_its_answer_and_first_plot_and_folds_the_rest_under_its_headings() -> None:
    answer = (Prose("Plain first."), Prose("**Bold.** Second."), Prose("It goes on."))
    blocks = (Prose("Why.\n\n## One\n\nWords."), plot_of("a"), Prose("## Two"), plot_of("b"), rows_of(2))
    sections = [content.Section(layout.LEADS[0], "Lead", ()), content.Section("09-other", "Q", answer, blocks)]
    _, (_, chapter), _ = layout.arrange(sections, [])
    assert [getattr(block, "text", getattr(block, "name", "")) for block in chapter.lead] == [
        "Plain first.", "**Bold.** Second.", "a",
    ]  # fmt: skip
    assert [block.text for block in chapter.more if isinstance(block, Prose)] == ["It goes on.", "Why."]
    assert [part.heading for part in chapter.parts] == ["One", "Two"]
    assert chapter.parts[0].blocks == (Prose("Words."), Moved("a", "Title of a", 1))
    assert [type(block) for block in chapter.parts[1].blocks] == [PlotBlock, TableBlock]


def test_a_sub_section_with_a_raw_output_is_not_folded() -> None:
    drawn = PictureBlock("image/png", b"", "words", 10, 5, "07-own, code cell 2")
    frame = TableBlock((), ((TableCell("1"),),))
    cases: list[tuple[Block, bool]] = [(plot_of("a"), True), (dataclasses.replace(drawn, where=""), True)]
    cases += [(dataclasses.replace(frame, title="Counts"), True), (Prose("Words."), True)]
    cases += [(drawn, False), (frame, False), (Verbatim("printed"), False), (Prose("shown", drawn.where), False)]
    for block, folded in cases:
        heading = next(iter(page_module.PageWriter([]).part(Part("One", (block,)))))
        assert (heading == "## One") != folded, heading


def test_every_sub_section_of_the_stored_notebooks_is_folded() -> None:
    _, chapters, methods = layout.arrange(content.read(nb.paths(), PLOTS), [])
    writer = page_module.PageWriter([])
    for part in (part for chapter in (*chapters, methods) for part in chapter.parts):
        assert "word" in next(iter(writer.part(part))), part.heading


def test_what_no_heading_or_answer_stands_before_is_not_folded() -> None:
    section = content.Section("09-own", "Q", (), (Prose("Words."), Prose("## One"), plot_of("a")))
    _, (_, chapter), _ = layout.arrange([content.Section(layout.LEADS[0], "Lead", ()), section], [])
    assert [getattr(block, "text", "plot") for block in chapter.lead] == ["Words.", "plot"]
    assert chapter.more == []


@pytest.mark.parametrize(
    ("text", "before", "headings"),
    [
        ("a\n\n## One\n\nb\n\n## Two ##", ["a"], ["One", "Two"]),
        ("a\n## no heading, as Markdown reads it", ["a\n## no heading, as Markdown reads it"], []),
        ("```\n\n## code\n```", ["```\n\n## code\n```"], []),
        ("~~~\n\n```\n\n## code\n~~~\n\n## One", ["~~~\n\n```\n\n## code\n~~~"], ["One"]),
        ("### lower\n\nb", ["### lower\n\nb"], []),
        ("##none", ["##none"], []),
    ],
)
def test_a_text_is_divided_at_its_headings_alone(text: str, before: list[str], headings: list[str]) -> None:
    first, behind = parts.split([Prose(text)])
    assert [block.text for block in first if isinstance(block, Prose)] == before
    assert [part.heading for part in behind] == headings


def test_a_heading_before_a_filled_number_begins_a_part_too() -> None:
    block = SentenceBlock(("## One\n\nFor ", "6", " months."), numbers=(FilledNumber("6"),))
    assert parts.split([block]) == (
        [], [Part("One", (dataclasses.replace(block, parts=("For ", "6", " months.")),))],
    )  # fmt: skip


def test_a_cell_tagged_methods_moves_its_sub_section_or_its_notebook_to_the_methods(tmp_path: Path) -> None:
    tagged = {"tags": ["methods"]}
    cells = [
        v4.new_markdown_cell("# First?"),
        v4.new_markdown_cell("## Check\n\nIt is checked.", metadata=tagged),
        v4.new_code_cell("a", outputs=[shown({"text/plain": "a check"})], metadata=tagged),
        v4.new_markdown_cell("## Result"),
        v4.new_code_cell("b", outputs=[shown({"text/plain": "a result"})]),
    ]
    whole = [v4.new_markdown_cell("# Second?\n\nWhy.", metadata=tagged), v4.new_markdown_cell("## Sub")]
    whole += [v4.new_code_cell("c", outputs=[shown({"text/plain": "of the whole"})])]
    for name, each in (("08-first", cells), ("09-second", whole)):
        nbformat.write(v4.new_notebook(cells=each), tmp_path / f"{name}.ipynb")
    _, chapters, methods = layout.arrange(content.read(sorted(tmp_path.glob("*.ipynb")), None), [])
    assert [chapter.stem for chapter in chapters] == ["08-first"]
    assert [part.heading for part in chapters[0].parts] == ["Result"]
    assert [part.heading for part in methods.parts][:2] == ["Check", "Second? {#09-second}"]
    assert methods.parts[0].blocks == (Prose("It is checked."), Verbatim("a check"))
    assert methods.parts[1].blocks == (Prose("Why."), Prose("### Sub"), Verbatim("of the whole"))


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/markdown"])
def test_what_a_new_last_cell_shows_stands_unfolded_in_the_section_of_its_notebook(kind: str, tmp_path: Path) -> None:
    for path in nb.paths():
        notebook = nbformat.read(path, 4)
        notebook.cells.append(v4.new_markdown_cell(f"Why {path.stem}."))
        notebook.cells.append(v4.new_code_cell("new", outputs=[shown({kind: "just made"})]))
        nbformat.write(notebook, tmp_path / path.name)
    out = tmp_path / "report.html"
    report.render(params.edition("default"), sorted(tmp_path.glob("*.ipynb")), out, plots=PLOTS, data=data())
    html = out.read_text(encoding="utf-8")
    for stem in (path.stem for path in nb.paths()):
        between = html[html.rindex("<", 0, html.index(f'id="{stem}"')) : html.index(f"Why {stem}.")]
        assert not re.search(r'id="\d\d-(?!\w+-more)', between[10:].partition(">")[2]), f"{stem}: in another section"
        assert between.count("<details") == between.count("</details"), f"{stem}: it is folded"
    assert len(re.findall("just made", html)) == len(nb.paths())


def test_a_printed_number_leads_to_the_pages_that_print_it_and_a_computed_one_never_does(page: str) -> None:
    assert link_of(page, "615") == {
        "class": "n", "href": "#F085", "data-ids": "F085", "id": "number-grew-a-0f",
    }  # fmt: skip
    assert link_of(page, "5,096")["data-ids"] == "F147"
    assert link_of(page, "8.29") == {
        "class": "n computed", "href": "#methods", "data-ids": "F085 F147", "data-how": "5,096 ÷ 615",
        "id": "number-grew-r-2f",
    }  # fmt: skip
    assert link_of(page, "591") == {"class": "n computed", "href": "#methods", "id": "number-many-n"}
    assert ">337</a>" not in page
    for link in re.findall(r'<a class="n (?:computed|assumed)"[^>]*>', page):
        assert re.search(r'href="#(methods|version)"', link), link


def test_a_short_number_of_several_statements_is_computed_and_a_long_one_printed(page: str) -> None:
    # A number of one digit may be printed by chance: where ids are given by name, all of them are behind it.
    assert link_of(page, "6")["data-ids"] == "F085 F147 F192 F293 F313 F333"
    assert link_of(page, "1")["class"] == "n computed"
    cell = re.search(r'<td class="number" data-label="Cases"><a ([^>]*)>5,096</a>', page)
    assert cell is not None
    assert cell[1] == 'class="n" href="#F147" data-ids="F147"'  # a row of two counts, one of which is this


def test_a_recipe_makes_a_number_a_computed_one_and_a_parameter_an_assumption() -> None:
    links = Links(statements(data(), "own-page-first"))
    assert links.attributes(FilledNumber("615", ("F085",), recipe="615 in all"))["data-how"] == "615 in all"
    assert links.attributes(FilledNumber("50", ("F085",), assumed="Variance. It is …")) == {
        "class": "n assumed", "href": "#version", "data-how": "Variance. It is …",
    }  # fmt: skip
    assert links.attributes(FilledNumber("4,481", ("F085", "F147")))["data-how"] == "5,096 − 615"
    assert "data-how" not in links.attributes(FilledNumber("8", ("F085", "F147")))  # one digit proves nothing
    assert links.attributes(FilledNumber("none", ("F085",))) == {}
    assert links.attributes(FilledNumber("Persons convicted under Art. 337", ("F085",))) == {}
    assert links.attributes(FilledNumber("2,024", ("F085",)))["class"] == "n computed"


@pytest.mark.parametrize("words", [
    "2021", "September 2023", "31 May 2025", "Mar 2024", "Jul–Dec 2024", "12 Apr 2024", "2023-12-29", "2026-11",
    "21 Sep 2022 – 18 Jun 2024", "Oct 2022 – Jun 2023", "2009–2021",
])  # fmt: skip
def test_a_date_is_no_computed_number(words: str) -> None:
    assert Links(statements(data(), "own-page-first")).attributes(FilledNumber(words, ("F085",))) == {}


def test_the_value_of_a_parameter_stands_where_its_name_was(tmp_path: Path) -> None:
    cells = [
        v4.new_markdown_cell("# What is known?\n\nA variance of `assumed` times the mean, not `code`, for `months`."),
        v4.new_code_cell(
            "assumed: float = 50.0  # variance over mean\nmonths: int = 12  # months\n",
            metadata={"tags": ["parameters"]},
        ),
        v4.new_code_cell("months = 6", metadata={"tags": ["injected-parameters"]}),
    ]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "03-trends.ipynb")
    report.render(params.edition("default"), [tmp_path / "03-trends.ipynb"], tmp_path / "r.html", data=data())
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (
        link_of(page, "50")["data-how"] == "Variance over mean. It is the parameter assumed of 03-trends (its default)."
    )
    assert link_of(page, "6")["data-how"] == "Months. It is the parameter months of 03-trends (its default is 12)."
    assert "<code>code</code>" in page
    assert "<code>assumed</code>" not in page


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_reader_meets_the_name_of_a_parameter_in_prose(path: Path) -> None:
    names = params.cell.of(path.stem).names
    section = content.read([path], None)[0]
    for block in (*section.answer, *section.limits, *section.blocks, *section.methods):
        prose = block.text if isinstance(block, content.Prose) else "".join(getattr(block, "parts", ()))
        assert [name for name in names if f"`{name}`" in prose] == []


READ = sorted(NOTEBOOKS.glob("*.ipynb"))


def blocks(path: Path) -> list[Block]:
    section = content.read([path], None)[0]
    return [*section.answer, *section.limits, *section.blocks]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_a_computed_number_says_how_it_was_computed(path: Path) -> None:
    every = figures.load()
    maker = Links(statements(every, "own-page-first"))
    links = [(number.name, maker.attributes(number)) for each in blocks(path) if isinstance(each, SentenceBlock)
             for number in each.numbers]  # fmt: skip
    for table in (each for each in blocks(path) if isinstance(each, TableBlock)):
        cells = [cell for row in table.body for cell in row if cell.ids]
        numbers = [(cell, FilledNumber(cell.text, cell.ids, bool(cell.recipe))) for cell in cells]
        links += [(f"{table.title}, {cell.label}: {cell.text}", maker.attributes(number) | {"recipe": cell.recipe})
                  for cell, number in numbers]  # fmt: skip
    computed = [
        (name, link.get("data-how") or link["recipe"]) for name, link in links if link.get("class") == "n computed"
    ]
    assert computed
    assert [name for name, recipe in computed if not recipe] == []


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_a_recipe_in_numbers_gives_the_number(path: Path) -> None:
    found = [(each.recipe, each.words) for block in blocks(path) if isinstance(block, SentenceBlock)
             for each in block.numbers]  # fmt: skip
    found += [(cell.recipe, cell.text) for block in blocks(path) if isinstance(block, TableBlock)
              for row in block.body for cell in row]  # fmt: skip
    sums = str.maketrans({"−": "-", "×": "*", "÷": "/", ",": None})
    for recipe, words in found:
        if re.fullmatch(r"[\d(][\d,. ()+−×÷]+", recipe) and re.fullmatch(r"[−\d,.]+", words):
            number = words.translate(sums)
            unit = 10.0 ** -len(number.partition(".")[2])
            assert eval(recipe.translate(sums)) == pytest.approx(float(number), abs=unit), (recipe, words)


def prose(block: Block) -> str:
    """The words of a block that its author wrote as sentences."""
    if isinstance(block, TableBlock):
        return " ".join(f"{each.rstrip('.')}." for each in block.notes)
    return block.text if isinstance(block, Prose) else "".join(getattr(block, "parts", ()))


def sentences_in(text: str) -> list[str]:
    text = re.sub(r"\*\*|^#+ .*$", "", text, flags=re.MULTILINE).replace("Art. ", "Art.\u00a0")
    return [each for part in text.split("\n\n") for each in re.split(r"(?<=[.?!])\s+|; ", part)]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_no_sentence_for_readers_has_more_than_thirty_words(path: Path) -> None:
    found = [each for block in blocks(path) for each in sentences_in(prose(block))]
    assert [each for each in found if len(each.split()) > 30] == []


def test_the_first_screen_is_a_headline_and_six_paragraphs_of_short_sentences_at_most() -> None:
    opening, _, _ = layout.arrange(content.read(READ, None), [])
    paragraphs = [block for block in opening if isinstance(block, SentenceBlock)]
    assert 4 <= len(paragraphs) <= 7
    found = [each for block in paragraphs for each in sentences_in(prose(block))]
    assert [each for each in found if len(each.split()) > 25] == []


#: Words of the code, for which readers get plain ones.
HOUSE_WORDS = re.compile(
    r"\b(statements?|compilers?|rivals?|refused|renders?|prior-driven|truncated|relays?)\b", re.IGNORECASE
)


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_readers_meet_plain_words(path: Path) -> None:
    words = []
    for block in blocks(path):
        words.append(prose(block))
        if isinstance(block, PlotBlock):
            words += [block.title, block.alt]
        if isinstance(block, TableBlock):
            words += [block.title, *(cell.text for row in (*block.head, *block.body) for cell in row)]
    assert [each for each in words if HOUSE_WORDS.search(each)] == []


def test_without_the_script_every_statement_has_its_row(page: str) -> None:
    rows = {each for each in re.findall(r'<tr id="([^"]+)"', page) if not re.fullmatch(r"p\d+", each)}
    assert rows == {*data().figures.index, *data().context.index, *data().events.index}


def test_the_rows_of_all_published_numbers_stand_in_the_page_once(page: str) -> None:
    locators = [each for each in data().figures["locator"] if len(each) > 40]
    assert locators
    every = [*data().figures["locator"], *data().context["locator"]]
    often = [each for each in locators if page.count(str(markupsafe.escape(each))) > sum(each in one for one in every)]
    assert often == []


def test_text_of_the_notebooks_stays_text(page: str) -> None:
    assert Page(page).tags.count("script") == 1
    assert "&lt;b&gt;*a*&lt;/b&gt; [b](http://evil.example)" in page
    assert "evil.example" not in "".join(value for _, _, value in Page(page).attributes)


def test_a_table_names_its_columns_in_one_row_and_links_statements(page: str) -> None:
    heads = '<th scope="col">id</th><th scope="col" class="number">from count</th><th scope="col">said</th>'
    assert f"<thead><tr>{heads}</tr></thead>" in page
    link = '<a class="n" href="#F085" data-ids="F085">F085</a>'
    assert f'<th scope="row">{link}</th><td class="number" data-label="from count">615</td>' in page


def test_a_table_of_the_project_keeps_its_title_groups_and_notes_in_page_and_pdf(made: Path, page: str) -> None:
    table = next(each for each in re.findall(r"<table>.*?</table>", page, re.DOTALL) if "Counts of courts" in each)
    assert '<caption><span class="stay">Table 1. Counts of courts</span></caption>' in table
    assert re.search(r'<th colspan="2" scope="rowgroup" class="group"><span class="stay">Art. 337</span></th>', table)
    assert '<th scope="row">Mediazona</th><td class="number" data-label="Cases">' in table
    assert '<th scope="col" class="number">Cases</th>' in table
    assert "<style" not in table
    assert '<p class="note">A note under it.</p>' in page
    read = words_of(made.with_suffix(".pdf"))
    for words in ("Table 1: Counts of courts", "Mediazona", "5,096", "A note under it."):
        assert words in read


def test_a_frame_of_pandas_is_shown_without_raw_values(page: str) -> None:
    table = content.table(tables.of_frame(RAW))
    assert [cell.text for cell in table.head[0]] == ["measure", "articles", "to count", "mixed measures", "year"]
    assert [[cell.text for cell in row] for row in table.body] == [
        ["persons convicted", "Art. 337 and 338", "433,090", "yes", "2021"],
        ["verdicts (cases decided)", "Art. 337", "–", "no", "2023"],
    ]
    cells = re.sub(
        r"<[^>]*>", "\n", "".join(re.findall(r"<table>.*?</table>", page.split('id="methods"')[0], re.DOTALL))
    )
    assert not RAW_VALUE.search(cells)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_table_of_a_notebook_comes_to_a_reader_with_raw_values(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    cells = [cell for cell in cells if "working" not in cell.metadata.get("tags", [])]
    shown = [output for cell in cells for output in cell.outputs if "text/html" in output.data]
    assert shown
    for output in shown:
        record = tables.TableRecord.of(output)
        assert record is not None
        table = content.table(record)
        texts = [cell.text for row in (*table.head, *table.body) for cell in row]
        assert [text for text in texts if RAW_VALUE.search(text)] == []


def test_a_working_cell_shows_its_frame_in_the_notebook_alone(page: str) -> None:
    assert "a working frame" not in page


def test_a_phone_gets_the_plot_one_column_wide_with_its_marks(page: str) -> None:
    figure = next(each for each in re.findall(r"<figure.*?</figure>", page, re.DOTALL) if 'id="plot-growth"' in each)
    wide, narrow = re.findall(r'<div class="(?:wide|narrow)"><svg.*?</svg></div>', figure, re.DOTALL)
    assert 'id="growth-title"' in wide
    assert 'id="growth-single-title"' in narrow
    assert set(re.findall(r'data-ids="[^"]*"', narrow)) == set(re.findall(r'data-ids="[^"]*"', wide))
    other = next(each for each in re.findall(r"<figure.*?</figure>", page, re.DOTALL) if 'id="plot-offences"' in each)
    assert 'class="narrow"' not in other  # nobody published it


def test_every_very_light_or_very_dark_colour_of_a_plot_has_one_for_the_dark_page(page: str) -> None:
    drawn = "".join(path.read_text(encoding="utf-8") for path in PLOTS.glob("*.svg"))
    colours = set(re.findall(r"\b(?:fill|stroke)(?:: |=\")#([0-9a-f]{6})", drawn))
    assert len(colours) > 10
    extreme = {each for each in colours if not 60 < sum(bytes.fromhex(each)) / 3 < 190}
    assert extreme
    assert extreme <= set(re.findall(r"--([0-9a-f]{6}): #", page))


def test_every_counter_can_be_told_from_a_dark_page() -> None:
    styles = layout.file("page.css")
    dark = dict(re.findall(r"--([0-9a-f]{6}): (#[0-9a-f]{6})", styles))
    (paper,) = re.findall(r"--paper: (#16[0-9a-f]{4})", styles)
    looks = [*palette.COUNTERS.values(), *palette.styles({name: name for name in "abcdef"}).values()]
    for colour in {each.lower().lstrip("#") for look in looks for each in (look.colour, look.ink)}:
        assert palette.contrast(paper) / palette.contrast(dark[colour]) >= 4.5, colour  # both against white
    shades = {palette.lighter(look.colour, share) for look in looks for _, share in sources.FINENESS}
    assert {each.lstrip("#") for each in shades} <= {each.lower() for each in dark}


def test_the_formulas_are_set_in_the_page_and_in_the_pdf(made: Path, page: str) -> None:
    methods = page[page.index('id="methods"') :]
    assert methods.count("<math") > 20
    assert methods.count('display="block"') == 5
    assert not re.search(r"\$\$|\\frac|\\lambda", re.sub(r"(?s)<annotation.*?</annotation>", "", methods))
    assert "λ" in methods
    assert "Garwood" in words_of(made.with_suffix(".pdf"))


def test_measured_coverage_is_told_where_it_was_measured(tmp_path: Path) -> None:
    assert list(verification.verification(tmp_path)) == []
    (tmp_path / "benchmarks").mkdir()
    lines = [
        "truth,quantity,level,data_sets,covered,band_low,band_high",
        *("prior,month 3,0.95,1000,0.941,0.93,0.97", "prior,month 9,0.95,1000,0.9523,0.93,0.97"),
        *("prior,month 3,0.8,1000,0.79,0.76,0.84", "prior,month 9,0.8,1000,0.79,0.76,0.84", "own,tau,0.95,7,1,1,1"),
    ]
    (tmp_path / "benchmarks" / "calibration.csv").write_text("\n".join(lines) + "\n")
    _, table = verification.verification(tmp_path)
    assert isinstance(table, content.TableBlock)
    assert [[cell.text for cell in row] for row in (*table.head, *table.body)] == [
        ["Quantity", "nominal 95 %", "nominal 80 %"],
        ["True values drawn from the model's own assumptions (1,000 data sets)"],
        ["intensity of one month", "94.1–95.2 %", "79.0 %"],
        ["own (7 data sets)"],
        ["scale of the walk, τ", "100.0 %", "–"],
    ]
    lines = [
        "truth,quantity,measure,data_sets,value,error", "wrong,sets,refused,1000,0.0100,0.01",
        *("wrong,phi,ratio,990,0.812,0.02", "wrong,reports,named,120,0.61,0.05", "wrong,total 2021,95,990,0.94,0.01"),
        *("wrong,total 2022,95,990,0.951,0.01", "wrong,growth 2021 to 2022,80,990,0.8,0.01"),
        "late,total 2021,95,300,0.82,0.01", "late,total 2021 (band over the delay),95,75,0.96,0.01",
        "8 informative counts,sets,refused,300,0.2,0.02",
    ]  # fmt: skip
    (tmp_path / "benchmarks" / "schedule.csv").write_text("\n".join(lines) + "\n")
    *_, table = verification.verification(tmp_path)
    late = "Cases are posted late, by another law than the model's"
    assert isinstance(table, content.TableBlock)
    assert [[cell.text for cell in row] for row in table.body] == [
        ["One exact report is 15 % wrong", "1,000", "94.0–95.1 %", "–", "–", "80.0 %", "0.81", "1.0 %", "61.0 %", "–"],
        [late, "300", "82.0 %", *["–"] * 7],
        [f"{late} (band over the delay)", "75", "96.0 %", *["–"] * 7],
        ["8 informative counts", "300", "–", "–", "–", "–", "–", "20.0 %", "–", "–"],
    ]
    (tmp_path / "benchmarks" / "calibration.csv").write_text("quantity,level\nmonth,0.95\n")
    with pytest.raises(UserError, match=r"calibration\.csv: no table of measured coverage"):
        list(verification.verification(tmp_path))


def test_a_plot_carries_its_words_and_the_published_numbers_behind_it(page: str) -> None:
    assert not re.search(r"<svg[^>]* (width|height)=", page)
    assert f'aria-label="Plot 1. {picture("long_view").title}"' in page
    assert "<span>Plot 1</span>" in page, "the picture has its title, which does not stand under it again"
    assert 'download="growth.csv"' in page
    assert 'download="offences.csv"' not in page


def test_another_plot_than_the_published_one_does_not_carry_its_numbers(tmp_path: Path) -> None:
    place = published(tmp_path)
    (place / "growth.svg").write_text("<svg/>")
    plots = [b for b in content.read([notebook(tmp_path)], place)[0].blocks if isinstance(b, content.PlotBlock)]
    assert [plot.table for plot in plots] == [None] * 4


def test_the_same_content_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = render(tmp_path)
    assert again.read_bytes() == made.read_bytes()
    assert again.with_suffix(".pdf").read_bytes() == made.with_suffix(".pdf").read_bytes()


def test_the_pdf_is_accessible_archival_and_small(made: Path) -> None:
    pdf = made.with_suffix(".pdf").read_bytes()
    assert b"pdfuaid:part" in pdf
    assert b"pdfaid:part" in pdf
    assert len(pdf) < 5_000_000
    read = words_of(made.with_suffix(".pdf"))
    assert "Plot 1: Sources: " in read
    assert "References" in read
    for source in {data().figures.at[each, "source_id"] for each in ("F085", "F147")}:
        assert data().sources.at[source, "url"][:30] in read


def on_paper(folder: Path, blocks: list[Block]) -> list[str]:
    """The words of each page of a PDF with these blocks as its answer."""
    edition = params.edition("default")
    methods = layout.Chapter("methods", "Methods", [Prose("How it was done.")])
    whole = layout.Report(edition, date(2025, 8, 19), "", blocks, [], methods, [], [], {"Data": "none"})
    (folder / "report.pdf").write_bytes(paper.paper(whole))
    return words_of(folder / "report.pdf").split("\f")


def test_the_main_part_of_the_built_pdf_has_at_most_twelve_pages() -> None:
    built = BUILD / "default" / "report.pdf"
    if not built.is_file():
        pytest.skip("skipped: no built PDF (run make first)")
    pages = words_of(built).split("\f")
    first = next(number for number, page in enumerate(pages) if re.search("^Methods and limits$", page, re.MULTILINE))
    assert first <= 12


def rows_of(count: int, words: str = "a number of cases") -> TableBlock:
    body = tuple((TableCell(f"row {n}", heading=True), TableCell(words)) for n in range(1, count + 1))
    head = ((TableCell("Name", heading=True), TableCell("What", heading=True)),)
    return TableBlock(head, body, f"Table of {count} rows", (), 1)


def test_a_long_table_stands_in_full_in_the_appendix_and_the_text_names_its_page(tmp_path: Path) -> None:
    long = Prose("\n\n".join(["A line of words."] * 60))
    pages = on_paper(tmp_path, [Prose("Before it."), rows_of(60), Prose("After it."), long])
    assert "Table 1, Table of 60 rows, has 60 rows and stands on page 2." in pages[0]
    assert "After it." in pages[0]
    text, appendix = "".join(pages).split("Tables in full")
    assert "row 1 " not in text
    assert "Table 1: Table of 60 rows" in pages[1]
    assert all(re.search(rf"row {n}\b", appendix) for n in range(1, 61))


def test_a_short_table_stays_where_it_belongs_with_its_caption_on_one_page(tmp_path: Path) -> None:
    for lines in range(30, 60, 3):
        words = Prose("\n\n".join(["A line of words."] * lines))
        pages = on_paper(tmp_path, [words, rows_of(paper.MOST_ROWS)])
        words_of.cache_clear()
        (page,) = [page for page in pages if f"Table of {paper.MOST_ROWS} rows" in page]
        assert "row 1 " in page
        assert f"row {paper.MOST_ROWS}" in page
        assert "Tables in full" not in "".join(pages)


def test_on_paper_the_words_go_on_below_those_that_name_a_plot_which_finds_no_room_there(tmp_path: Path) -> None:
    tall = dataclasses.replace(plot_of("a"), svg='<svg viewBox="0 0 10 10"></svg>', number=2)
    first, second, *_ = on_paper(tmp_path, [Prose("\n\n".join(["A line of words."] * 12)), tall])
    assert "(Plot 2)" in first
    assert "How it was done." in first
    assert "Plot 2: Title of a." in second


def test_a_page_is_turned_for_long_words_in_rows_and_not_for_the_heads_of_columns() -> None:
    heads, numbers = (tuple(TableCell(words) for _ in range(8)) for words in ("A head of many words", "94.6–97.2 %"))
    upright = paper_tables.widths(TableBlock((heads,), (numbers,)))
    assert (upright.turned, upright.size) == (False, 7.5)
    assert paper_tables.widths(TableBlock((heads,), (tuple(TableCell("incompatibilities" * 2) for _ in heads),))).turned


def test_on_paper_a_sub_section_without_a_plot_stands_in_the_appendix_and_one_with_a_plot_in_the_text(
    tmp_path: Path,
) -> None:
    blocks = (Prose("Why.\n\n## Drawn\n\nOf a plot."), plot_of("a"), rows_of(5), Prose("## Counted\n\nIn words."))
    section = content.Section("09-other", "What is counted?", (Prose("**So** it is."),), blocks)
    opening, chapters, methods = layout.arrange([content.Section(layout.LEADS[0], "Lead", ()), section], [])
    whole = layout.Report(
        params.edition("default"), date(2025, 8, 19), "", opening, chapters, methods, [], [], {"Data": "none"}
    )
    (tmp_path / "report.pdf").write_bytes(paper.paper(whole))
    words = " ".join(words_of(tmp_path / "report.pdf").split())
    text, appendix = words.split("Methods and limits", 1)
    assert re.search(r"What is counted\? So it is\..*Why\..*Drawn Of a plot\. \(Plot 1\)", text)
    assert re.search(r"In the appendix: Counted \(page \d+\)\.", text)
    assert "In words." in appendix
    assert "Table 1: Table of 5 rows" in appendix


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("Cases a month.", "Cases a month. ([Plot\u00a02](#plot-months))"),
        ("## A heading", "## A heading"),
        ("- one\n- two", "- one\n- two"),
        ("Words.\n\n```\ncode\n```", "Words.\n\n```\ncode\n```"),
        ("1. first", "1. first"),
        ("## A heading\n\nCases a month.", "## A heading\n\nCases a month. ([Plot\u00a02](#plot-months))"),
    ],
)
def test_the_paragraph_before_a_plot_names_it(words: str, ends: str) -> None:
    svg = '<svg viewBox="0 0 10 5"></svg>'
    plot = PlotBlock("months", "Cases a month", "words", svg, (), None, number=2)
    written, _drawn = paper.PaperWriter([]).blocks([Prose(words), plot])
    assert written == ends


def test_a_plot_under_a_heading_alone_does_not_leave_it() -> None:
    plot = PlotBlock("months", "Cases a month", "words", '<svg viewBox="0 0 10 5"></svg>', (), None, number=2)
    for words, place in (("## A heading", "placement: none"), ("Words.", "placement: plots-go")):
        writer = paper.PaperWriter([])
        assert place in writer.fill("\n".join(writer.blocks([Prose(words), plot])))


def test_a_sentence_of_many_pages_says_how_many_instead_of_each() -> None:
    rows = [
        {"id": f"F{n:03d}", "publisher": f"Page {n}", "published": "", "url": f"https://{n}.example"}
        for n in range(1, 31)
    ]
    few, many = tuple(row["id"] for row in rows[:2]), tuple(row["id"] for row in rows)
    writer = paper.PaperWriter(rows)
    assert writer.block(SentenceBlock(("Two pages.",), few, ())) == "Two pages. \\[[1](#ref-1)–[2](#ref-2)\\]"
    assert writer.block(SentenceBlock(("All.",), many, ())) == "All. \\[30 of the [references](#references)\\]"


def test_where_the_compiler_fails_at_floating_plots_they_stand_still(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_, tried = paper._compile, []

    def failing(inputs: dict[str, bytes], stamp: int) -> bytes:
        tried.append(inputs["main.typ"].splitlines()[:2])
        if len(tried) < 3:
            raise typst.TypstError("internal error: parent group")
        return compile_(inputs, stamp)

    monkeypatch.setattr(paper, "_compile", failing)
    still = render(tmp_path).with_suffix(".pdf")
    assert [first for first, _ in tried] == [b"#let plots-go = auto"] * 2 + [b"#let plots-go = none"]
    assert "Plot 1: Sources: " in words_of(still)

    def refusing(inputs: dict[str, bytes], stamp: int) -> bytes:
        tried.append([])
        raise typst.TypstError("no alt text")

    tried.clear()
    monkeypatch.setattr(paper, "_compile", refusing)
    still.with_name("report.html").write_text("an earlier page")
    with pytest.raises(UserError, match=r"report\.html is new and has no PDF: the PDF was refused: no alt text"):
        render(tmp_path)
    assert len(tried) == 1
    assert "<main" in still.with_name("report.html").read_text(encoding="utf-8")
    assert not still.exists(), "a PDF of another state does not stay beside the page"


@pytest.mark.parametrize("odd", ["\u2728", "\U0001f1f7\U0001f1fa", "\ue000", "\U00011302", "\u3014"])
@pytest.mark.parametrize("where", ["words", "plot"])
def test_a_character_that_no_font_has_is_a_box_in_the_pdf_and_is_named(
    odd: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glyphs, "DATA", tmp_path)
    (tmp_path / "claims.csv").write_text(f"id,statement\nC1,a{odd}b\n", encoding="utf-8")
    block: Block = Prose(f"A claim: x{odd}y.")
    if where == "plot":
        words = f'<text y="9" font-family="DejaVu Sans">x {odd} y</text>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20">{words}</svg>'
        block = PlotBlock("odd", "title", "alt", svg, (), None)
    edition, methods = params.edition("default"), layout.Chapter("methods", "Methods", [Prose("How it was done.")])
    whole = layout.Report(edition, date(2024, 1, 1), "", [block], [], methods, [], [], {"Data": "none"})
    notes: list[str] = []
    assert paper.paper(whole, notes).startswith(b"%PDF")
    assert [one for one in notes if "claims.csv:2" in one and f"U+{ord(odd[0]):04X}" in one] == notes
    assert notes or where == "words", "the font of last resort draws it"


def test_twenty_numbers_of_page_and_pdf_are_in_the_data(made: Path, page: str) -> None:
    known = {f"{value:,.10g}" for value in (*data().figures["value"], *data().context["value"])}
    known.add("3,977")  # what a running total of 18,159 adds to one of 14,182
    linked = re.findall(r'<a class="n" [^>]*>([\d,.]+)</a>', page)  # printed, not computed
    rows = re.findall(r'<tr id="F\d+"[^>]*><th scope="row">F\d+<td>([\d,.]+)<td>', page)
    labels = [
        label
        for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        for label in re.findall(r">(\d,\d{3})</text>", svg)
    ]
    axis = {"2,000", "4,000", "6,000", "8,000"}
    sample = [*linked, *rows[:: max(1, len(rows) // 20)], *(label for label in labels if label not in axis)]
    assert len(sample) >= 20
    assert [number for number in sample if number not in known] == []
    pdf = [number for number in re.findall(r"\b\d,\d{3}\b", words_of(made.with_suffix(".pdf"))) if number not in axis]
    assert len(pdf) >= 10
    assert [number for number in pdf if number not in known] == []


def test_bad_text_of_the_data_is_shown_and_never_run(tmp_path: Path) -> None:
    out = render(tmp_path, bad_data())
    page = out.read_text(encoding="utf-8")
    assert Page(page).tags.count("script") == 1
    assert "img" not in Page(page).tags
    assert not [v for _, n, v in Page(page).attributes if n in {"href", "src"} and v.startswith("javascript:")]
    assert not [n for _, n, _ in Page(page).attributes if n.startswith("on")]
    assert "\u202e" not in page
    assert "\u2028" not in page
    notes = {"F085": BAD[0], "F293": "[U+202E]gnp.exe[U+200F] turned", "F313": BAD[3]}
    notes["F192"] = "[U+001B][31mred[U+001B][0m[U+0007][U+009B]31m and a bell"
    for name, note in notes.items():
        assert f"<b>Note</b> {markupsafe.escape(note)} " in row_of(page, name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert out.with_suffix(".pdf").stat().st_size < 5_000_000
    assert "<script>" in words_of(out.with_suffix(".pdf"))


def test_what_a_page_prints_is_told_apart_from_how_it_is_read() -> None:
    known = data()
    change = {
        "field": "value",
        "printed": "999",
        "corrected": "615",
        "reason": "of a slip",
        "known_from": pd.Timestamp(0),
    }
    corrections = pd.DataFrame([{"figure_id": "F085", **change}])
    rows = {row["id"]: row for row in statements(dataclasses.replace(known, corrections=corrections), "own-page-first")}
    assert rows["F085"]["printed"] == "999"
    assert rows["F085"]["value"] == 615
    assert rows["F085"]["corrections"] == ["value: printed 999, read as 615, since of a slip"]


def test_a_part_of_the_whole_says_so_wherever_a_statement_is_shown(page: str) -> None:
    rows = {row["id"]: row for row in statements(data(), "own-page-first")}
    moscow = data().figures.query("place == 'Moscow Oblast' and value == 496").iloc[0]
    assert rows[moscow.name]["measure"] == "criminal cases received by a court: Moscow Oblast"
    assert "<td>criminal cases received by a court: Moscow Oblast<td>" in page  # card and tooltip show the same text
    part = data().figures.query("part == '4' and compiler == 'Judicial Department'").iloc[0]
    assert rows[part.name]["scope"] == "part 4"
    soldiers = data().figures.query("soldiers == 'contract'").iloc[0]
    assert rows[soldiers.name]["measure"].endswith(": contract soldiers")
    beside = data().figures.query("qualification == 'additional'").iloc[0]
    assert rows[beside.name]["measure"] == "persons convicted: beside a graver crime"
    assert rows["F001"]["measure"].endswith(": the parts added in September 2022 alone")
    assert rows["F370"]["measure"] == "growth of criminal cases received by a court, over 2021"
    range_ = data().figures[data().figures["low"].notna()].iloc[0]
    assert rows[range_.name]["printed"] == "34 to 35"
    counted = data().figures[data().figures["counted_on"].notna()].iloc[0]
    assert rows[counted.name]["counted"] == f"{counted['counted_on']:%Y-%m-%d}"


def test_hedges_units_rivals_and_renderings_of_the_same_count_are_told() -> None:
    rows = {row["id"]: row for row in statements(data(), "own-page-first")}
    hedged = data().figures.query("hedge == 'more than' and unit == 'persons'").iloc[0]
    assert rows[hedged.name]["printed"] == f"more than {hedged['value']:,.10g}"
    rivals, fact = rows["F192"]["rivals"], data().figures.at["F192", "fact"]
    assert all(other["ids"] for rival in rivals for other in rival["others"])
    assert "5,096 criminal cases received by a court, 2023, Mediazona" in str(rivals)
    assert rows["F192"]["same"] == list(data().figures.index[data().figures["fact"].eq(fact)].drop("F192"))


@given(st.text())
def test_json_in_a_script_is_read_back_and_ends_nothing(words: str) -> None:
    made = escape.to_json({"a": words})
    assert json.loads(made) == {"a": words}
    assert not set(made) & set("<>&\u2028\u2029")


@given(st.text())
def test_no_sign_that_turns_or_hides_text_comes_through(words: str) -> None:
    assert visible(words).isprintable()
    assert all(line.isprintable() for line in visible_lines(words).split("\n"))


def test_markup_in_the_name_of_an_edition_is_text(tmp_path: Path) -> None:
    edition = params.Edition("x", '<script>1</script> "#panic()', "a & b", {}, {})
    report.render(edition, [notebook(tmp_path)], tmp_path / "r.html", data=data())
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert Page(page).tags.count("script") == 1
    assert "a &amp; b" in page
    assert '<script>1</script> "#panic()' in words_of(tmp_path / "r.pdf")


def test_in_the_place_of_a_withheld_sentence_a_reader_meets_its_reason_and_no_condition() -> None:
    record = {"id": "a", "template": "**It grew** to {x}.", "withheld": True, "when": "x > 1"}
    assert content.sentence("", record | {"why": "no *count*"}) == Prose(
        r"**It grew.** *Not enough data\: no \*count\*.*"
    )
    assert content.sentence("its words need `x > 1`", record) == Prose("**It grew.** *What stood here does not hold.*")


def test_a_file_that_is_no_notebook_and_one_without_a_title_are_named(tmp_path: Path) -> None:
    (tmp_path / "01-figures.ipynb").write_text("{")
    with pytest.raises(UserError, match=r"01-figures\.ipynb:1: not JSON"):
        report.render(params.edition("default"), [tmp_path / "01-figures.ipynb"], tmp_path / "r.html", data=data())
    nbformat.write(v4.new_notebook(cells=[v4.new_markdown_cell("words")]), tmp_path / "02-claims.ipynb")
    with pytest.raises(UserError, match=r"02-claims\.ipynb: no title"):
        report.render(params.edition("default"), [tmp_path / "02-claims.ipynb"], tmp_path / "r.html", data=data())
