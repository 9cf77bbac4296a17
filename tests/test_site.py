"""The site as a host would serve it, on loopback: every link leads somewhere, and nothing comes from outside."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

import pytest
import yaml
from support import pages
from support.browser import browse

from desertion import vocabulary
from desertion.errors import UserError
from desertion.figures.schema import BY_FILE
from desertion.project import BUILD, ROOT
from desertion.release import about, hosted, site

EDITIONS = ("default", "2024-03-20")
CHANGES = """<!DOCTYPE html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>A</title>
<link rel="icon" href="data:,"></head><body><main><h1>What changed</h1><p class="edition">A → B</p></main></body>"""


class Page(HTMLParser):
    """The links, ids and metadata of a page, and what it loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.meta: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        self.ids.add(its.get("id", ""))
        if tag == "a" and "href" in its:
            self.links.append(its["href"])
        elif tag == "meta":
            self.meta[its.get("name") or its.get("property", "")] = its.get("content", "")
        else:
            self.loads += [its[name] for name in ("src", "href") if name in its and its.get("rel") != "canonical"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address at which `folder` is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder and the address of a site of small pages with real plots."""
    place = tmp_path_factory.mktemp("site") / "site"
    built = {}
    for name in EDITIONS:
        built[name] = tmp_path_factory.mktemp(name)
        pages.render(built[name])
        pages.published(built[name], "long_view")
    with serve(place) as address:
        with site.whole(place) as new:
            site.write(new, built, {EDITIONS[1]: CHANGES}, address)
        yield place, address


def fetch(address: str) -> bytes:
    try:
        with urlopen(address, timeout=10) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        error.close()
        pytest.fail(f"{address}: {error.code}")


def walk(address: str) -> dict[str, Page | None]:
    """Every address of the site that its links lead to; the page where it is one."""
    seen: dict[str, Page | None] = {}
    todo, anchors = [address], []
    while todo:
        at = todo.pop()
        content = fetch(at)
        if not (at.endswith((".html", "/"))):
            seen[at] = None
            continue
        page = seen[at] = Page(content.decode())
        for link in page.links:
            target, anchor = urldefrag(urljoin(at, link))
            if target.startswith(address):
                anchors.append((target, anchor))
                if target not in seen and target not in todo:
                    todo.append(target)
    for target, anchor in anchors:
        known = seen[target]
        assert not anchor or (known and anchor in known.ids), f"{target}#{anchor}"
    return seen


def test_every_link_leads_somewhere_and_every_file_is_linked(served: tuple[Path, str]) -> None:
    place, address = served
    seen = walk(address)
    reached = {url.removeprefix(address) or "index.html" for url in seen}
    files = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert [name for name in files - reached if "-single." not in name and name != "data/CONTEXT.md"] == []
    assert {"report.pdf", "2024-03-20/index.html", "2024-03-20/changes.html", "data/datapackage.json"} <= reached


def test_no_page_loads_anything_by_itself(served: tuple[Path, str]) -> None:
    for url, page in walk(served[1]).items():
        assert page is None or [each for each in page.loads if not each.startswith(("data:", "#"))] == [], url


def test_the_page_of_what_changed_leads_back_to_both_editions(served: tuple[Path, str]) -> None:
    place, _ = served
    links = Page((place / "2024-03-20" / "changes.html").read_text(encoding="utf-8")).links
    assert links == ["index.html", "../index.html"]


def test_editions_are_told_apart_by_the_title_of_their_page_and_of_the_links_to_them(served: tuple[Path, str]) -> None:
    root, dated = ((served[0] / name / "index.html").read_text(encoding="utf-8") for name in ("", "2024-03-20"))
    assert re.findall("<title>(.*)</title>", root + dated) == [
        "AWOL and desertion convictions in the Russian military. Everything known",
        "AWOL and desertion convictions in the Russian military. What was known on 20 March 2024",
    ]
    assert '<a href="2024-03-20/index.html">What was known on 20 March 2024</a>' in root


def test_the_page_of_the_data_shows_no_marks_of_markdown_and_refers_to_nothing_that_is_not_there(
    served: tuple[Path, str],
) -> None:
    html = (served[0] / "data" / "index.html").read_text(encoding="utf-8")
    assert "<code>F001</code>" in html
    assert re.findall(r"`|\*|\(below\)", html.partition("<main>")[2]) == []


def test_the_head_has_what_a_search_engine_and_a_link_preview_need(served: tuple[Path, str]) -> None:
    place, address = served
    for folder in ("", "2024-03-20/"):
        page = Page((place / folder / "index.html").read_text(encoding="utf-8"))
        assert len(page.meta["description"]) > 20
        assert page.meta["og:url"] == f"{address}{folder}"
        assert fetch(page.meta["og:image"]).startswith(b"\x89PNG")


def test_the_dataset_names_files_that_are_there(served: tuple[Path, str]) -> None:
    place, _ = served
    html = (place / "index.html").read_text(encoding="utf-8")
    text = re.search(r'<script type="application/ld\+json">(.*?)</script>', html)
    assert text
    dataset = json.loads(text[1])
    assert (dataset["@type"], dataset["license"]) == ("Dataset", about.LICENCE)
    assert len(dataset["description"]) >= 50  # what Google asks for
    assert len(dataset["distribution"]) > 5
    for each in dataset["distribution"]:
        assert fetch(each["contentUrl"]).decode().count("\n") > 1


def test_a_plot_can_be_embedded_and_cited(served: tuple[Path, str]) -> None:
    place, address = served
    html = (place / "2024-03-20" / "index.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure id="plot-growth">.*?</figure>', html, re.DOTALL)
    assert figure
    embed, cite = map(unescape, re.findall(r'<pre tabindex="0">(.*?)</pre>', figure[0])[-2:])
    page = Page(embed)
    assert page.links == [f"{address}2024-03-20/#plot-growth"]
    assert fetch(page.loads[0]).startswith(b"<svg")
    for words in ("edition “What was known on 20 March 2024”", page.links[0], "Mediazona", "CC BY 4.0"):
        assert words in cite


def test_no_text_of_the_data_becomes_markup(tmp_path: Path) -> None:
    hostile = '"><script>alert(1)</script>&'
    folder = tmp_path / "plots"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"title": hostile, "compilers": [hostile]}))
    (folder / "a.svg").touch()
    hosting = hosted.Hosting(
        "https://example.org/", tmp_path, hostile, hostile, [(hostile, hostile)], {"name": hostile}
    )
    page = '<title>A</title><p class="edition">B</p><figure id="plot-a"><figcaption></figcaption></figure>'
    html = hosted.page(page, hosting)
    assert re.findall("<script[^>]*>", html) == ['<script type="application/ld+json">']
    read = Page(html)
    assert (read.meta["description"], read.links[0]) == (hostile, hostile)
    embed, cite = map(unescape, re.findall(r'<pre tabindex="0">(.*?)</pre>', html))
    assert (Page(embed).loads, embed.count("<")) == (["https://example.org/plots/a.svg"], 3)  # of a, img and /a
    assert f"“{hostile}”" in cite


def test_without_an_address_nothing_absolute_is_claimed(tmp_path: Path) -> None:
    built = tmp_path / "default"
    built.mkdir()
    pages.render(built)
    site.write(tmp_path / "site", {"default": built}, {}, "")
    html = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "canonical" not in html
    assert "og:url" not in html
    assert "Embed:" not in html
    assert "Cite:" in html


def test_a_page_of_another_form_is_refused_and_the_last_site_stays(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.mkdir()
    (place / "index.html").write_text("the last one")
    hosting = hosted.Hosting("", tmp_path, "", "", [], {})

    def fail() -> None:
        with site.whole(place) as new:
            (new / "index.html").write_text(hosted.page("<p>no page of a build</p>", hosting))

    with pytest.raises(RuntimeError, match="has no"):
        fail()
    assert (place / "index.html").read_text() == "the last one"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(
    "text", ["example.org", "javascript:alert(1)", 'https://example.org/"x', "https://a b/", "http://a:65536/"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not the address of a site"):
        about.address(text)
    assert about.address("https://example.org/a") == "https://example.org/a/"


def test_the_workflow_lets_only_the_job_that_deploys_write(  # the site of a fork cannot be changed by its pull request
) -> None:
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    writing = {name: job["permissions"] for name, job in flow["jobs"].items() if "permissions" in job}
    assert writing == {"deploy": {"pages": "write", "id-token": "write"}}
    assert "pull_request" not in flow[True]  # YAML 1.1 reads `on` as true
    assert flow["concurrency"]["cancel-in-progress"] is False


def columns(form: str) -> tuple[set[str], dict[str, list[str]]]:
    """The fields of an issue form by their labels, and the words of its lists."""
    content = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / form).read_text(encoding="utf-8"))
    fields = [each["attributes"] for each in content["body"] if each["type"] != "markdown"]
    names = {name for each in fields for name in each["label"].split(", ")}
    return names, {each["label"]: each["options"] for each in fields if "options" in each}


def test_the_fields_of_the_issue_forms_are_columns_of_the_data() -> None:
    known = {name: set(schema.columns) for name, schema in BY_FILE.items()}
    names, words = columns("number-wrong.yml")
    assert names <= known["corrections.csv"]
    assert {*words["field"]} - {"another"} <= known["figures.csv"]
    names, words = columns("new-number.yml")
    assert names <= known["figures.csv"] | known["sources.csv"]
    assert words["measure"] == list(vocabulary.MEASURES)


def test_the_card_opens_the_form_for_errors_of_the_repository(tmp_path: Path) -> None:
    hosting = hosted.Hosting("", tmp_path, "", "", [], {}, "https://example.org/o/r")
    html = hosted.page('<title>A</title><p class="edition">B</p>', hosting)
    form = Page(html).meta["error-form"]
    assert form == "https://example.org/o/r/issues/new?template=number-wrong.yml&figure_id="
    fields = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "number-wrong.yml").read_text(encoding="utf-8"))
    assert "figure_id" in [each.get("id") for each in fields["body"]]
    assert "meta[name=error-form]" in (ROOT / "src" / "desertion" / "report" / "page.js").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_works_in_a_browser_as_it_is_served(served: tuple[Path, str], tmp_path: Path) -> None:
    for name in ("", "data/index.html", "2024-03-20/changes.html"):
        for view in browse(served[1] + name, "open")["views"]:
            assert view["ready"] or name
            assert view["wide"] <= view["width"], (name, view)
            assert view["violations"] == [], (name, view)


@pytest.mark.slow
def test_the_whole_site_has_no_dead_link() -> None:
    if not (BUILD / "site").is_dir():
        pytest.skip("skipped: no built site (run make site first)")
    with serve(BUILD / "site") as address:
        assert len(walk(address)) > 80
