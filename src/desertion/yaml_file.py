"""Reads YAML of editions, sweeps and command lines strictly: scalars of YAML 1.2, no aliases, tags or repeated keys.

`no` is a text and not false, `12:30` is a text and not 750, a date is a text. Every key is a text, too: `01` names a
notebook. A file is small and flat, or refused before it is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from desertion.errors import UserError
from desertion.project import relative
from desertion.text import shown

_BYTES = 200_000
_DEPTH = 20
_DIGITS = 40  # characters of a number: int() itself takes seconds for a million
_HALF = re.compile("[\ud800-\udfff]")
#: Line breaks of YAML 1.1 and none of 1.2: PyYAML would turn them into spaces.
_BREAK = re.compile("[\x85\u2028\u2029]")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read(path: Path, texts: Collection[str] = ()) -> Any:
    """The content of the YAML file `path`; values of the top-level keys `texts` are text though they look like numbers.

    Raises UserError with file, line and what would be right.
    """
    where = relative(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{where}: cannot be read: {error.strerror}") from None
    try:
        return parse(content.decode("utf-8-sig"), where, texts)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 at byte {error.start}: save it as UTF-8") from None


def parse(text: str, where: str, texts: Collection[str] = (), *, plain_text: bool = False) -> Any:
    """The value that the YAML `text` holds; with `plain_text` every scalar but null is a text.

    `where` is for messages. Raises UserError as `read` does.
    """
    if len(text) > _BYTES:
        raise UserError(f"{where}: more than {_BYTES:,} characters of YAML: write less")
    if odd := _BREAK.search(text):
        number = text.count("\n", 0, odd.start()) + 1
        raise UserError(f"{where}:{number}: the character U+{ord(odd[0]):04X} breaks a line unseen: delete it")
    try:
        loader = _Loader(text, plain_text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        return None if node is None else _value(node, where, texts, plain_text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not YAML: {shown(error.problem or error.context or 'damaged')}") from None
    except yaml.reader.ReaderError as error:
        raise UserError(f"{where}: the character U+{error.character:04X} must not stand in YAML") from None


class _Loader(yaml.SafeLoader):
    """PyYAML's parser, which refuses what makes a small file large."""

    def __init__(self, text: str, plain_text: bool) -> None:
        super().__init__(text)
        self.plain_text = plain_text
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not read", event.start_mark)
        if event.tag:
            raise yaml.composer.ComposerError(None, None, "tags are not read", event.start_mark)
        if self.depth == _DEPTH:
            raise yaml.composer.ComposerError(None, None, f"more than {_DEPTH} levels deep", event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _value(node: yaml.Node, where: str, texts: Collection[str], plain_text: bool) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, where, (), plain_text) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key, item in node.value:
            line = f"{where}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise UserError(f"{line}: a key is a name, not a list or mapping")
            if _HALF.search(key.value):
                raise UserError(f"{line}: a name holds half of a character")
            if key.value in values:
                raise UserError(f"{line}: {shown(key.value)} stands twice")
            values[key.value] = _value(item, where, (), plain_text or key.value in texts)
        return values
    text = str(node.value)
    if _HALF.search(text):
        raise UserError(f"{where}:{node.start_mark.line + 1}: a text holds half of a character")
    if getattr(node, "style", None) is not None:  # quoted, or a block
        return text
    if _NULL.fullmatch(text):
        return None
    return text if plain_text else _scalar(text, f"{where}:{node.start_mark.line + 1}")


def _scalar(text: str, where: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2."""
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    whole = _INT.fullmatch(text)
    if not whole and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _DIGITS:
        raise UserError(f"{where}: {shown(text)}: a number of more than {_DIGITS} digits")
    if whole:
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
