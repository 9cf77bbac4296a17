"""What `desertion diff` says of two states: made up here as files, as commits of a small repository, or on disk."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desertion import changes, cli, git, text
from desertion.changes import compare, page, rows, states, terminal, words
from desertion.changes.compare import CellChange, Difference
from desertion.changes.states import State
from desertion.engine import merged
from desertion.errors import UserError

SVG = '<svg width="1" height="1"><title id="growth-title">T</title><rect id="growth-F1" fill="#0072b2"/>{}</svg>'


def sentence(name: str, shown: str, *, withheld: bool = False, **values: float) -> dict[str, Any]:
    record = {"id": name, "template": "", "when": "r > 1", "values": values, "withheld": withheld, "ids": []}
    return {
        "output_type": "display_data",
        "data": {"text/markdown": shown},
        "metadata": {"desertion": {"sentence": record}},
    }


def table(
    title: str, head: Sequence[str], *body: Sequence[str], heads: int = 1, groups: Sequence[str] = ()
) -> dict[str, Any]:
    columns = [{"name": each, "label": each, "right": place >= heads} for place, each in enumerate(head)]
    record = {"title": title, "columns": columns, "rows": body, "heads": heads, "groups": groups}
    return {"output_type": "display_data", "data": {"text/plain": title}, "metadata": {"desertion": {"table": record}}}


def notebook(*outputs: dict[str, Any], parameters: str = "level: float = 0.95", tags: Sequence[str] = ()) -> bytes:
    cells = [
        {"cell_type": "code", "id": "a", "source": parameters, "metadata": {"tags": ["parameters"]}, "outputs": []},
        {
            "cell_type": "code",
            "id": "b",
            "source": "show()",
            "metadata": {"tags": list(tags)},
            "outputs": list(outputs),
        },
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def plot(csv: str, *, svg: str = "", **kinds: str) -> dict[str, bytes]:
    record = {"title": "Growth", "columns": {name: {"kind": kind} for name, kind in kinds.items()}}
    content = {".csv": csv, ".json": json.dumps(record), ".svg": SVG.format(svg)}
    return {f"plots/growth{ending}": each.encode() for ending, each in content.items()}


def state(*outputs: dict[str, Any], files: dict[str, bytes] | None = None, name: str = "old") -> State:
    return State(name, {"notebooks/03-trends.ipynb": notebook(*outputs), **(files or {})}, {})


def differ(old: State, new: State) -> Difference:
    return compare.compare(old, new)


def of_data(old: str, new: str, file: str = "figures.csv") -> list[compare.StatementChange]:
    return differ(*(state(files={f"data/{file}": each.encode()}) for each in (old, new))).statements


def test_rows_that_hold_no_number_are_not_counted_as_statements() -> None:
    rows = {"figures.csv": "id,fact\nF1,a\n", "acknowledged.csv": "figure_id,warning,reason\nF1,twin,read\n"}
    new = state(files={f"data/{name}": text.encode() for name, text in rows.items()})
    assert terminal.summary(differ(state(files={"data/figures.csv": b"id,fact\n"}), new)) == (
        "1 statement added; 1 other row added"
    )


def test_the_picture_for_phones_counts_only_where_both_sides_keep_it() -> None:
    stored, phone = plot("a\n1\n", a="number"), {"plots/growth-single.svg": SVG.format("").encode()}
    drawn = stored | phone
    wider = {"plots/growth-single.svg": SVG.format("<g/>").encode()}
    assert not differ(state(files=stored), state(files=drawn)).plots
    (changed,) = differ(state(files=drawn), state(files=stored | wider)).plots
    assert changed.picture


# --- words and rows --------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_the_pieces_of_two_texts_give_both_back(old: str, new: str) -> None:
    pieces = words.parts(old, new)
    assert "".join(each.old for each in pieces) == old
    assert "".join(each.new for each in pieces) == new


def test_only_the_numbers_that_changed_are_marked() -> None:
    old, new = (
        "in May 2026 the middle is 700 cases, 68 to 6,200",
        "in December 2026 the middle is 500 cases, 68 to 4,500",
    )
    assert words.inline(old, new) == "in [May → December] 2026 the middle is [700 → 500] cases, 68 to [6,200 → 4,500]"
    assert words.inline(f"{'long ' * 50}1 end", f"{'long ' * 50}2 end") == "… long long long long long long [1 → 2] end"


CELLS = st.fixed_dictionaries({"a": st.sampled_from("xyz"), "b": st.sampled_from("12"), "n": st.sampled_from("56")})


@given(st.lists(CELLS, max_size=8), st.lists(CELLS, max_size=8))
def test_every_row_is_paired_or_comes_or_is_gone_once(old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
    def count(each: Any) -> Counter[Any]:
        return Counter(tuple(sorted(row.items())) for row in each)

    paired = rows.pair(old, new, ["a", "b"])
    # equal rows may be left out of `both`: what is left of each side is the same
    same = count(old) - count([one for one, _ in paired.both]) - count(paired.gone)
    assert same == count(new) - count([other for _, other in paired.both]) - count(paired.come)


def test_a_row_that_moved_is_no_change() -> None:
    old = [{"who": "a", "n": "1"}, {"who": "b", "n": "2"}]
    paired = rows.pair(old, [{"who": "c", "n": "3"}, *reversed(old)], ["who"])
    assert [one == other for one, other in paired.both] in ([], [True, True])
    assert paired.come == [{"who": "c", "n": "3"}]


# --- findings --------------------------------------------------------------------------------------------------------


def test_a_sentence_is_changed_withheld_sayable_new_or_gone() -> None:
    old = state(
        sentence("a", "7"), sentence("b", "8"), sentence("c", "*withheld*", withheld=True, r=0.5), sentence("d", "9")
    )
    new = state(sentence("a", "6"), sentence("b", "*no*", withheld=True, r=0.9), sentence("c", "5"), sentence("e", "4"))
    found = {each.id: each for each in differ(old, new).sentences}
    assert {name: each.how for name, each in found.items()} == {
        "a": "changed", "b": "withheld", "c": "sayable", "d": "gone", "e": "new",
    }  # fmt: skip
    assert (found["a"].old, found["a"].new) == ("7", "6")
    assert found["b"].why == "needs r > 1; r is 0.9"


def test_equal_states_have_no_difference() -> None:
    one = state(sentence("a", "7"), table("T", ["who", "n"], ["x", "1"]), files=plot("who,n\nx,1\n"))
    assert not differ(one, one)
    assert terminal.summary(differ(one, one)) == "nothing changed"


def test_a_cell_of_a_table_has_the_name_of_its_row_and_column() -> None:
    old = table("T", ["who", "cases"], ["x", "1"], ["y", "2"])
    (change,) = differ(state(old), state(table("T", ["who", "cases"], ["z", "4"], ["y", "3"], ["x", "1"]))).tables
    assert change.cells == [CellChange("y", "cases", "2", "3")]
    assert (change.come, change.gone, change.title, change.notebook) == (["z"], [], "T", "03-trends")


def test_the_numbers_of_a_frames_rows_are_no_cells() -> None:
    old, new = table("", ["", "who"], ["0", "x"]), table("", ["", "who"], ["0", "y"], ["1", "x"])
    (change,) = differ(state(old), state(new)).tables
    assert (change.cells, change.come) == ([], ["y"])


@pytest.mark.parametrize("grouped", [True, False])
def test_a_verdict_that_flips_is_named_by_its_claim(grouped: bool) -> None:
    def claims(verdict: str) -> dict[str, Any]:
        if grouped:
            return table("Claims", ["claim"], ["it rose"], groups=[f"{verdict}: the words"])
        return table("Claims", ["claim", "Verdict"], ["it rose", verdict])

    (flip,) = differ(state(claims("Holds")), state(claims("Overstated"))).verdicts
    assert (flip.row, flip.old.lower(), flip.new.lower()) == ("it rose", "holds", "overstated")


def test_a_verdict_in_a_plot_counts_once() -> None:
    def claims(verdict: str) -> State:
        files = plot(f"claim,label,verdict\nC1,it rose,{verdict}\n", claim="text", label="text", verdict="text")
        return state(table("Claims", ["claim", "verdict"], ["it rose", verdict]), files=files)

    assert len(differ(claims("holds"), claims("overstated")).verdicts) == 1


def test_a_refusal_comes_and_goes() -> None:
    def fits(growth: str, why: str) -> State:
        return state(table("Fits", ["model", "Growth", "Why not"], ["nb2", growth, why]))

    (come,) = differ(fits("2.0", ""), fits("refused", "3 counts")).refusals
    assert (come.what, come.how, come.reason) == ("nb2", "refused", "3 counts")
    (gone,) = differ(fits("refused", "3 counts"), fits("2.0", "")).refusals
    assert gone.how == "no longer refused"
    why = [table("Why", ["Refused", "n"], *each) for each in ([["too few", "2"]], [])]
    assert [each.how for each in differ(state(why[1]), state(why[0])).refusals] == ["refused"]


def test_plotted_numbers_that_moved_are_counted_and_the_largest_is_named() -> None:
    kinds = {"who": "text", "day": "date", "n": "number", "low": "number", "ids": "text"}
    old = plot("who,day,n,low,ids\nx,2021,100,90,F1\nx,2022,10,,F2\n", **kinds)
    new = plot("who,day,n,low,ids\nx,2020,1,,F9\nx,2022,20,15,F2\nx,2021,101,90,F1 F3\n", svg="<g/>", **kinds)
    (change,) = differ(state(files=old), state(files=new)).plots
    assert len(change.moved) == 3
    assert change.largest == CellChange("x, 2022", "n", "10", "20")
    assert change.come == ["x, 2020"]
    assert [each.column for each in change.cells] == ["ids"]
    assert change.picture


def test_a_plot_that_is_new_or_gone_is_said() -> None:
    one = plot("who,n\nx,1\n")
    assert [each.how for each in differ(state(), state(files=one)).plots] == ["new"]
    assert [each.how for each in differ(state(files=one), state()).plots] == ["gone"]


def test_statements_are_added_changed_rejected_removed_and_corrected_whatever_their_columns() -> None:
    head, one = "id,fact,value,status", "F1,a/b,700,ok"
    (change,) = of_data(f"{head}\n{one}\n", f"{head}\n{one}\nF2,a/c,5,ok\n")
    assert (change.how, change.id, change.label) == ("added", "F2", "a/c = 5")
    (change,) = of_data(f"{head}\n{one}\n", f"{head},new\nF1,a/b,710,ok,x\n")
    assert (change.how, change.cells) == ("changed", [CellChange("F1", "value", "700", "710")])
    assert [each.how for each in of_data(f"{head}\n{one}\n", f"{head}\nF1,a/b,700,rejected\n")] == ["rejected"]
    assert [each.how for each in of_data(f"{head}\n{one}\n", f"{head}\n")] == ["removed"]
    corrections = "figure_id,field,printed,corrected\nF1,value,7,8\n"
    (change,) = of_data(corrections, f"{corrections}F1,per,a,b\n", "corrections.csv")
    assert (change.how, change.id, change.label) == ("corrected", "F1, per", "a → b")


def test_parameters_cells_packages_and_modules_are_inputs() -> None:
    old = State(
        "a", {"notebooks/n.ipynb": notebook(), "requirements.lock": b"numpy==1.0 \\\n"}, {"src/desertion/a.py": "1"}
    )
    new = State(
        "b", {"notebooks/n.ipynb": notebook(parameters="level: float = 0.9"), "requirements.lock": b"numpy==2.0\n"}, {}
    )
    assert [(each.kind, each.name, each.old, each.new) for each in differ(old, new).inputs] == [
        ("parameter", "n: level", "0.95", "0.9"), ("notebook", "n", "", "1 cell edited"),
        ("package", "numpy", "1.0", "2.0"), ("code", "src/desertion", "", "1 file changed"),
    ]  # fmt: skip


def test_columns_that_came_or_went_are_inputs() -> None:
    old, new = (state(files={"data/figures.csv": f"id,{name}\nF1,x\n".encode()}) for name in ("note", "remark"))
    assert [(each.kind, each.name, each.old, each.new) for each in differ(old, new).inputs] == [
        ("columns", "figures.csv", "note", "remark")
    ]


def test_an_output_that_keeps_no_record_is_named_where_it_differs() -> None:
    def printed(*lines: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": "stdout", "text": list(lines)}

    assert differ(state(printed("1\n")), state(printed("2\n"))).others == ["03-trends, cell 2"]
    assert not differ(state(printed("1\n", "2")), state(printed("1\n2"))).others, "an editor may split it otherwise"


@pytest.mark.parametrize(
    "own",
    [
        {"sentence": {}}, {"sentence": []}, {"sentence": {"id": "a", "template": "{", "withheld": False}},
        {"table": {"columns": []}}, {"table": {"columns": [1], "rows": [["x"]]}},
        {"table": {"columns": [], "rows": ["{"]}},
        {"sentence": {"id": "a", "template": "", "withheld": True}}, 1, {"sentence": 1},
    ],
)  # fmt: skip
def test_a_damaged_record_is_one_line(own: object) -> None:
    output = {"output_type": "display_data", "data": {}, "metadata": {"desertion": own}}
    with pytest.raises(UserError, match=r"notebooks/03-trends\.ipynb of old: .*damaged") as error:
        differ(state(output), state())
    assert "\n" not in str(error.value)


# --- the text and the page -------------------------------------------------------------------------------------------


def large() -> tuple[State, State]:
    def one(number: int) -> State:
        says = [sentence(f"s{each}", f"{'word ' * 90}{number}") for each in range(40)]
        shown = [table(f"T{each}", ["who", "n", "Verdict"], ["x", str(number), f"holds{number}"]) for each in range(40)]
        data = "id,value\n" + "".join(f"F{each},{number}\n" for each in range(500))
        return state(*says, *shown, files={"data/figures.csv": data.encode()}, name=f"state {number}")

    return one(1), one(2)


def test_a_large_difference_has_at_most_forty_lines() -> None:
    lines = terminal.lines(differ(*large()), "build/diff.html")
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 320
    assert "40 sentences changed" in lines[0]
    assert any("and 31 more" in line for line in lines)


class Reader(HTMLParser):
    """Ids and addresses of a page, and the tags that are open at its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: Counter[str] = Counter()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_page_is_one_file_without_script_whose_text_is_text() -> None:
    evil = "<script>alert(1)</script>\u202e 8"
    old = state(sentence("a", "7"), files=plot("who,n\nx,1\n", who="text", n="number"))
    new = state(sentence("a", evil), files=plot("who,n\nx,2\n", svg="<g/>", who="text", n="number"))
    html = page.page(differ(old, new), old, new)
    seen = Reader(html)
    assert seen.tags["script"] == 0
    assert "\u202e" not in html
    assert "&lt;script" in re.sub(r"</?(ins|del)>", "", html)
    assert all(address.startswith("#") for address in seen.addresses)
    assert "default-src 'none'" in html
    assert max(Counter(seen.ids).values()) == 1, "the two pictures of a plot have ids of their own"
    assert {"growth-old-F1", "growth-new-F1"} <= set(seen.ids)
    assert seen.tags["svg"] == 2
    assert 'type="radio"' in html


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A small repository as the project; the function commits files, path → content, and returns the hash."""
    root = tmp_path / "project"
    (root / "editions").mkdir(parents=True)
    for module in (states, git):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(states, "EDITIONS", root / "editions")
    monkeypatch.setattr(states, "BUILD", root / "build")
    monkeypatch.setattr(changes, "PAGE", root / "build" / "diff.html")
    monkeypatch.setattr(merged, "LOCK", root / "notebooks" / "outputs.lock")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, "-C", str(root), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(files: dict[str, bytes]) -> str:
        if not (root / ".git").exists():
            run("init", "-q")
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        run("add", "-A")
        run("commit", "-q", "-m", "a commit")
        return run("rev-parse", "HEAD")

    return commit


def diff(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["diff", *arguments])
    return status, *capsys.readouterr()


def test_two_commits_are_compared_and_nothing_on_disk_is_touched(
    repository: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = "notebooks/01-a.ipynb"
    first = repository({name: notebook(sentence("a", "about 7"))})
    second = repository({name: notebook(sentence("a", "about 8"))})
    (states.ROOT / name).write_bytes(b"in the middle of an edit")
    status, out, _ = diff(capsys, first, second)
    assert status == 3
    assert "01-a a: about [7 → 8]" in out
    assert (states.ROOT / name).read_bytes() == b"in the middle of an edit"
    assert changes.PAGE.is_file()
    assert diff(capsys, first, first)[:2] == (0, f"{first} → {first}: nothing changed\n")
    status, out, _ = diff(capsys, first, second, "--json")
    assert json.loads(out)["sentences"][0]["new"] == "about 8"


def test_what_is_on_disk_is_compared_with_the_last_commit_by_default(
    repository: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    repository({"notebooks/01-a.ipynb": notebook(sentence("a", "about 7"))})
    assert diff(capsys)[0] == 0
    (states.ROOT / "data").mkdir()
    (states.ROOT / "data" / "figures.csv").write_text("id,value\nF1,7\n")
    status, out, _ = diff(capsys)
    assert status == 3
    assert "added figures F1 (7)" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "there is no revision 'nothing'"),
        ("--help", "there is no revision '--help'"),
        ("both", "'both' is both a revision and an edition: write edition:both, or "),
        ("late", "there is no revision 'late'; the edition is edition:late"),
        ("before", "before"),
        ("broken", "notebooks/01-a.ipynb of broken"),
    ],
)
def test_a_state_that_cannot_be_compared_is_one_line_and_nothing_is_written(
    name: str, message: str, repository: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    for branch, content in (("before", notebook()), ("broken", b"{"), ("both", notebook(sentence("a", "7")))):
        repository({"notebooks/01-a.ipynb": content, f"editions/{branch}x.yml": b""})
        subprocess.run(["git", "-C", str(states.ROOT), "tag", branch], check=True)
    for edition in ("both", "late"):
        (states.ROOT / "editions" / f"{edition}.yml").write_text("title: T")
    status, out, error = diff(capsys, "--", name, "HEAD")
    assert (status, out) == (1, "")
    assert message in error
    assert error.count("\n") == 1
    assert not changes.PAGE.exists()


def test_without_a_repository_and_in_a_shallow_clone_the_message_says_what_is_left(
    repository: Callable[..., str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, _, error = diff(capsys, "HEAD")
    assert status == 1
    assert error == (
        "this is not a git repository: only editions (edition:NAME) and what is on disk (.) can be compared\n"
    )
    for content in "78":
        repository({"notebooks/01-a.ipynb": notebook(sentence("a", content))})
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{states.ROOT}", str(shallow)], check=True)
    for module in (states, git):
        monkeypatch.setattr(module, "ROOT", shallow)
    status, _, error = diff(capsys, "HEAD~1")
    assert status == 1
    assert error == "there is no revision 'HEAD~1' in this shallow clone: `git fetch --unshallow` brings older ones\n"


def test_an_edition_whose_first_build_fails_is_one_line(
    repository: Callable[..., str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from desertion.engine import build

    def fail(*_: object) -> None:
        raise UserError("notebooks/03-trends.ipynb, cell 3: it broke\nthere is no earlier report")

    monkeypatch.setattr(build, "build", fail)
    status, _, error = diff(capsys, ".", "edition:default")
    assert status == 1
    assert error == (
        "edition 'default' was never built, and its build failed: notebooks/03-trends.ipynb, cell 3: it broke\n"
    )
    assert text.visible(error[:-1]) == error[:-1]


def test_a_build_that_differs_from_what_is_stored_is_summed_up_in_two_lines(
    repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository({"notebooks/01-a.ipynb": notebook(sentence("a", "about 7"))})
    from desertion.engine import build

    root = states.ROOT
    for name, place in (("BUILD", "build"), ("NOTEBOOKS", "notebooks"), ("PLOTS", "plots")):
        monkeypatch.setattr(build, name, root / place)
    built = root / "build" / "default" / "notebooks" / "01-a.ipynb"
    built.parent.mkdir(parents=True)
    built.write_bytes((root / "notebooks" / "01-a.ipynb").read_bytes())
    assert build._as_stored("default")
    assert changes.unaccepted("default") == []
    for place, name in (
        (root / "plots", "a"),
        (built.parents[1] / "plots", "a"),
        (built.parents[1] / "plots", "a-single"),
    ):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.svg").write_text("<svg><title>A</title></svg>")  # the narrow picture is not stored
        (place / "a.csv").write_text("period,count\n2023,7\n")
    assert build._as_stored("default")
    assert changes.unaccepted("default") == []
    assert not compare.compare(states.working_tree(), states.built("default"))
    built.write_bytes(notebook(sentence("a", "about 8")))
    assert not build._as_stored("default")
    first, second = changes.unaccepted("default")
    assert first == "not accepted yet: 1 sentence changed"
    assert "desertion diff . edition:default" in second
