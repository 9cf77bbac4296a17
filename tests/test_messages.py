"""Every message that users meet: it names the place and what would be right, and no class of Python or a library."""

import argparse
import ast
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from desertion import cli, figures, plots, publish, reconcile, tables
from desertion.errors import ArgumentError
from desertion.figures import rules
from desertion.project import PACKAGE

LONG = "a" * 300
#: Errors for users, by name; the others never reach one (`desertion.errors`).
FOR_USERS = {"UserError", "ArgumentError", "ParameterError", "CsvError", "RunError"}
FOREIGN = re.compile(
    r"Traceback|\b[A-Z]\w*(Error|Exception|Warning)\b|\[Errno|<class|object at 0x|site-packages|lambda"
)
WRONG_CALLS = [
    ["build", "--edition", LONG], ["build", "--edition", "../x"], ["build", "--edition", ""],
    ["run", LONG], ["run", "/"], ["run", "README.md"], ["run", "data/figures.csv"], ["run", "02-claims", "-p", "x"],
    ["run", "02-claims", "-p", f"{LONG}=1"], ["run", "04-comparisons", "-p", "level=[1"],
    ["run", "04-comparisons", "-p", "level=2"],
    ["run", "02-claims", "notebooks/02-claims.ipynb"], ["run", "02-claims", "--edition", "2024"],
    ["check", "--data", LONG], ["check", "--data", "README.md"], ["fmt", "--data", LONG], ["fmt", "--data", "nowhere"],
    ["check", "--data", "\0"], ["run", "\0"], ["run", "claims"], ["run", ""], ["fit", "\0"], ["sweep", "\0"],
    ["diff", "\0"], ["diff", "\ud800"], ["run", "02-claims", "/"], ["run", "02-claims", "/dev/null/x"],
    ["run", "02-claims", f"{LONG}/x"],
    ["fit", LONG], ["fit", "/"], ["fit", "README.md"], ["fit", "nowhere.csv", "--model", "zip"],
    ["fit", "nowhere.csv", "--level", "95"], ["fit", "nowhere.csv", "--trend", "wave"], ["score", LONG], ["score", "/"],
    ["score", "README.md"], ["interval", "-1"], ["interval", "1.5"], ["interval", "nan"], ["interval", "1", "1e-300"],
    ["interval", "1", "--level", "95"], ["rate-ratio", "0", "1", "0", "1"], ["rate-ratio", "1", "0", "1", "1"],
    ["rate-ratio", "1", "inf", "1", "1"], ["sweep", LONG], ["sweep", "/"], ["sweep", "README.md"], ["diff", LONG],
    ["diff", "nowhere", "."], ["diff", "edition:nowhere", "."], ["diff", f"edition:{LONG}"],
    ["diff", "HEAD:README.md", "."],
    ["new", "notebook", LONG], ["new", "notebook", "../x"], ["new", "notebook", "Ünï"],
    ["conflicts", "--edition", "x/y"],
    ["claims", "--edition", "\0"], ["conflicts", "--edition", LONG],
    ["add", "fact"], ["add", "fact=mediazona/337/received/2023"],
    ["add", f"{LONG}=1", "fact=x", "value=1", "source_id=x"],
    ["add", "fact=x", "value=1", "source_id=x"], ["add", "--from", LONG], ["add", "--from", "/"],
    ["add", "--from", "README.md"], ["add", "--from", "data/claims.csv"], ["add", "fact=x", "--data", "nowhere"],
    ["confirm", "F0", "1", "x"], ["confirm", LONG, "1", "x"], ["confirm", "F001", "536"],
    ["confirm", "F001", "1", "x", "--data", "nowhere"],
    ["plots", "build/x", "--edition", "nowhere"], ["plots", "README.md"], ["plots", "README.md/x"],
    ["plots", "README.md", "--edition", LONG],
    ["site", "--address", "ftp://x"], ["site", "--address", LONG], ["site", "--repository", "x y"],
]  # fmt: skip
#: Commands without an argument that may be wrong.
BARE = {"accept", "release"}


@pytest.mark.parametrize("call", WRONG_CALLS, ids=lambda call: " ".join(call)[:40])
def test_a_wrong_call_prints_one_message_without_a_class_of_python(
    call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(call) in (1, 2)
    done = capsys.readouterr()
    message = (done.out + done.err).strip()
    assert message
    assert not FOREIGN.search(message), message
    assert len(message.splitlines()) <= 5, message
    assert all(each.isprintable() or each == "\n" for each in message), message


@pytest.mark.parametrize("call", ["check --data", "fmt --data", "add --from", "run", "fit", "score", "sweep"])
def test_a_link_that_leads_in_a_circle_is_one_message(
    call: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert cli.main([*call.split(), str(tmp_path / "loop")]) in (1, 2)
    done = capsys.readouterr()
    message = (done.out + done.err).strip()
    assert "loop" in message
    assert not FOREIGN.search(message), message
    assert len(message.splitlines()) == 1, message


def test_every_command_is_called_wrongly() -> None:
    [commands] = [each for each in cli._parser()._actions if isinstance(each, argparse._SubParsersAction)]
    assert {call[0] for call in WRONG_CALLS} == set(commands.choices) - BARE


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Each place in the package that makes an error for users."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in FOR_USERS
                and node.args
            ):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_no_message_is_made_of_the_name_or_the_repr_of_an_exception() -> None:
    found = list(raised())
    assert len(found) > 150, "they are found"
    for place, call in found:
        source = ast.unparse(call)
        assert not re.search(r"\{error!r\}|repr\(error\)|type\(error\)|format_exc", source), place


def test_a_message_is_more_than_a_word_and_holds_a_value_a_place_or_what_is_right() -> None:
    for place, call in raised():
        message = call.args[0]
        if isinstance(message, ast.Constant):
            words = str(message.value)
            assert re.search(r"[:;,`'(]| must | needs? | is not | is none | are 0", words), f"{place}: {words}"
            assert len(words.split()) >= 4, f"{place}: {words}"
        elif isinstance(message, ast.JoinedStr):
            literal = " ".join(str(part.value) for part in message.values if isinstance(part, ast.Constant))
            assert len(literal.split()) >= 2 or passed_on(message), f"{place}: {ast.unparse(message)}"


#: Names of messages that an inner function made, to which a place is added.
_PASSED_ON = re.compile(r"error|fault|message|strerror|rule|hint|near|has|lines|stderr|known|note|what|form|right")


def passed_on(message: ast.JoinedStr) -> bool:
    return any(_PASSED_ON.search(ast.unparse(part)) for part in message.values if isinstance(part, ast.FormattedValue))


def test_a_refusal_of_a_command_says_what_the_data_would_need() -> None:
    models = [PACKAGE / "trends" / name for name in ("regression.py", "terms.py", "grid.py")]
    for path in [*(PACKAGE / "csv_models").glob("*.py"), *models]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                assert len(node.args) + len(node.keywords) == 2, f"{path}:{node.lineno}"
                assert ast.unparse([*node.args, *(one.value for one in node.keywords)][1]) not in ("''", "None")


def test_what_only_notebooks_call_raises_no_plain_value_error() -> None:
    for folder in ("plots", "publish"):
        for path in (PACKAGE / folder).glob("*.py"):
            assert "raise ValueError(" not in path.read_text(encoding="utf-8"), path


@pytest.fixture(scope="module")
def data() -> figures.Data:
    return figures.load()


FRAME = pd.DataFrame({"a": [1]})
MISTAKES: dict[str, Callable[[figures.Data], object]] = {
    "a plot by name": lambda data: publish.show("growth", FRAME, data),  # type: ignore[arg-type]
    "a plot of no frame": lambda data: publish.show(plots.growth, [1], data),  # type: ignore[arg-type]
    "a plot of another frame": lambda data: publish.show(plots.growth, FRAME, data),
    "a plot without data": lambda data: publish.show(plots.growth, FRAME, FRAME),  # type: ignore[arg-type]
    "a table of no frame": lambda data: tables.show([1], "t", "T", {"a": "A"}),  # type: ignore[arg-type]
    "headings in a list": lambda data: tables.show(FRAME, "t", "T", ["a"]),  # type: ignore[arg-type]
    "conflicts of no ledger": lambda data: reconcile.conflicts(FRAME),  # type: ignore[arg-type]
    "conflicts of rows": lambda data: reconcile.conflicts([1]),  # type: ignore[list-item]
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_wrong_argument_in_a_cell_is_one_message(what: str, data: figures.Data) -> None:
    with pytest.raises(ArgumentError) as caught:
        MISTAKES[what](data)
    assert not FOREIGN.search(str(caught.value))


def test_an_address_with_a_password_is_refused() -> None:
    assert rules.address("https://user:pw@x.org/") == "has a name or password before the host: delete all up to the @"
    assert rules.address("https://x.org/@user") == ""


@pytest.mark.parametrize("name", plots.PLOTS)
def test_a_plot_of_sixty_series_ends_in_seconds_or_is_refused(name: str) -> None:
    few = pd.read_csv(Path(__file__).parent / "plot_tables" / f"{name}.csv").head(6)
    if "measure" in few:
        few = few[few["measure"] != "event"]
    named = [column for column in ("series", "label", "compiler", "panel", "force", "page") if column in few]
    parts = [few.assign(**{each: few[each] + f" {k}" for each in named}) for k in range(60)]
    with contextlib.suppress(ArgumentError):  # at most 12 can be told apart
        began = time.process_time()
        plots.PLOTS[name](pd.concat(parts, ignore_index=True))
        assert time.process_time() - began < 30
