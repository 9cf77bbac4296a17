"""YAML of editions, sweeps and command lines: scalars of YAML 1.2, and nothing that makes a small file large."""

import contextlib
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from desertion import yaml_file
from desertion.errors import UserError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("true", True), ("False", False), ("~", None),
        ("null", None), ("12:30:45", "12:30:45"), ("2024-03-20", "2024-03-20"), ("2024-24-20", "2024-24-20"),
        ("007", 7), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("1e3", 1000.0), ("-.5", -0.5), ("1.", 1.0),
        ("'1'", "1"), ('"true"', "true"), ("337+338", "337+338"), ("", None), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    document = yaml_file.parse(text, "f")
    assert document == value
    assert type(document) is type(value)


def test_keys_are_text_and_so_are_the_values_that_name_something() -> None:
    text = "edition: 2024-03-20\nnotebook: 01\n2024: {3: no}\nother: 01"
    assert yaml_file.parse(text, "f", ("edition", "notebook")) == {
        "edition": "2024-03-20", "notebook": "01", "2024": {"3": "no"}, "other": 1,
    }  # fmt: skip


def test_where_text_is_due_every_word_is_one() -> None:
    assert yaml_file.parse("[337, true, 1.0, null]", "f", plain_text=True) == ["337", "true", "1.0", None]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: &x [1]\nb: *x", "f:1: not YAML: anchors and aliases are not read"),
        ("a: 1\nb: *x", "f:2: not YAML: anchors and aliases are not read"),
        ("a: !!python/name:os.system 1", "f:1: not YAML: tags are not read"),
        ("a: 1\nb: 2\na: 3", "f:3: a stands twice"),
        ("a: 1\n? [b]\n: 2", "f:2: a key is a name, not a list or mapping"),
        ("a: [1", "f:1: not YAML: expected ',' or ']'"),
        ("a: 1\n---\nb: 2", "f:2: not YAML: but found another document"),
        ("a: \x07", "f: the character U+0007 must not stand in YAML"),
        ("[" * 1000, "levels deep"),
        ("a: " + "1" * 500, "a number of more than 40 digits"),
        ('"\\ud800"', "half of a character"),
        ("x" * 300_000, "more than 200,000 characters"),
    ],
)
def test_what_is_refused_is_named_with_its_line(text: str, what: str) -> None:
    with pytest.raises(UserError) as error:
        yaml_file.parse(text, "f")
    assert what in str(error.value)
    assert len(str(error.value)) < 200


def test_a_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (tmp_path / "bomb.yml").write_text("\n".join(lines))
    start = time.perf_counter()
    with pytest.raises(UserError, match="anchors and aliases"):
        yaml_file.read(tmp_path / "bomb.yml")
    assert time.perf_counter() - start < 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yml: cannot be read: No such file"):
        yaml_file.read(tmp_path / "none.yml")
    (tmp_path / "latin.yml").write_bytes(b"title: \xe9")
    with pytest.raises(UserError, match=r"latin\.yml: not UTF-8 at byte 7"):
        yaml_file.read(tmp_path / "latin.yml")


#: PyYAML writes for YAML 1.1, where 0E0 and 0o7 are texts; here they are numbers.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).filter(
    lambda text: not any(form.fullmatch(text) for form in (yaml_file._INT, yaml_file._FLOAT))
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text("abcé ", max_size=4), each, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
@example("\x85")
@example("\u2028\u2029")
def test_what_a_library_writes_is_read_back(value: object) -> None:
    assert yaml_file.parse(yaml.safe_dump(value), "f") == value


@given(PLAIN)
@example("\x85")
def test_what_a_library_writes_in_unicode_is_read_back_or_refused(value: object) -> None:
    with contextlib.suppress(UserError):
        assert yaml_file.parse(yaml.safe_dump(value, allow_unicode=True), "f") == value


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029"])
def test_a_line_break_that_nobody_sees_is_refused(odd: str) -> None:
    with pytest.raises(UserError, match=rf"f:2: the character U\+{ord(odd):04X}"):
        yaml_file.parse(f"a: 1\nb: 'x{odd}y'\n", "f")


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    with contextlib.suppress(UserError):
        yaml_file.parse(text, "f")
