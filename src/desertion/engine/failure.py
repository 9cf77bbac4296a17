"""The first fault of an executed notebook: its cell, its line and the error, in a few lines."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desertion import notebook as nb
from desertion.project import relative
from desertion.text import shown, uncoloured

_HEADER = re.compile(
    r"^(?:File )?(?P<where>Cell In\[(?P<count>\d+)\]|.+?)(?:, line |:)(?P<line>\d+)(?:, in (?P<in>.+))?$"
)
_MARKED = re.compile(r"^-+>\s+\d+\s?(?P<source>.*)$")
_CELL_HASH = re.compile(r" \((?:\d+\.py|<unknown>), line \d+\)$")  # behind the message of a SyntaxError
_BELOW_HASH = re.compile(r" \(<string>, line \d+\)$")  # the same of one below a cell magic
# How the program of `%%bash`, say, ended, at the end of IPython's message, which begins with the whole program.
_PROGRAM = re.compile(r"(?:returned non-zero exit status \d+|died with [^']*)\.$")
# The errors of a group, which Python prints as a tree.
_INNER = re.compile(r"^[ |]*\| (\w[\w.]*: .+)$", re.MULTILINE)
# Between the parts of a traceback that is longer than one error.
_CHAIN = ("The above exception was the direct cause", "During handling of the above exception")
# Half of a character beyond U+FFFF in a text of JSON, with what stands beside it in its line.
_HALF = re.compile(r'[^"\\\n]{0,20}[\ud800-\udfff][^"\\\n]{0,20}')
_NO_PROGRAM = "Couldn't find program: "
#: What `%%time`, `%%timeit`, `%%prun` and the parser call the lines below a cell magic.
_BELOW_MAGIC = ("<timed exec>", "<timed eval>", "<magic-timeit>", "<unknown>", "<string>")
_TRACEBACK_LINES = 8


def fault(notebook: nb.Notebook, path: Path, interruption: str, reasons: Mapping[str, str]) -> str:
    """The first fault of the executed `notebook`, in a few lines; "" if every cell ran.

    `reasons`: those of `unshown`, by the cell's id.
    """
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    ran = {cell["execution_count"]: (number, cell) for number, cell in _numbered(cells) if cell["execution_count"]}

    def message(number: int, cell: dict[str, Any], what: str) -> str:
        place = f"code cell {number} of {len(cells) - any(map(nb.is_injected, cells))}" if number else "the parameters"
        return f"{relative(path)}: {place} failed (`{nb.first_line(cell)}`):\n  {what}"

    for number, cell in _numbered(cells):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                return message(number, cell, "\n  ".join(_traceback(output, number, cell, ran)))
        if reason := reasons.get(cell["id"]):
            return message(number, cell, reason)
    if interruption:
        started = [item for item in _numbered(cells) if item[1]["metadata"]["papermill"]["start_time"]]
        return message(*started[-1], interruption)
    for count, (number, cell) in enumerate(_numbered(cells), 1):
        state = cell["metadata"]["papermill"]
        if cell["execution_count"] != count or state["status"] != "completed" or not state["start_time"]:
            order = f"it did not run as number {count} (execution count: {cell['execution_count']})"
            return message(number, cell, order)
    return ""


def unshown(cell: dict[str, Any], reply: Mapping[str, Any]) -> str:
    """Why the executed `cell` failed by the kernel's `reply`, where no output of it is an error; "" if it did not."""
    if any(output["output_type"] == "error" for output in cell["outputs"]):
        return ""
    if reply["status"] == "error":
        return f"{reply.get('ename', 'error')}: {reply.get('evalue', '')}"[:300]
    if half := _HALF.search(json.dumps(cell["outputs"], ensure_ascii=False).replace("\\n", "\n")):
        return f"its output holds half of a character, which no file can hold: '{shown(half[0])}'"
    if any(each.get("source") == "ask_exit" for each in reply.get("payload", ())):
        return "a cell must not end the notebook before its last cell: delete quit() or exit()"
    lines = _printed(cell, "stdout")
    return lines[0] if _is_below_magic(cell) and lines and lines[0].startswith(_NO_PROGRAM) else ""


def _printed(cell: dict[str, Any], stream: str) -> list[str]:
    """The lines that `cell` printed to `stream`."""
    return uncoloured("".join(each["text"] for each in cell["outputs"] if each.get("name") == stream)).splitlines()


def _is_below_magic(cell: dict[str, Any]) -> bool:
    return str(cell["source"]).lstrip().startswith("%%")


def _numbered(cells: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each code cell with its number for a reader, 0 for the one that papermill added."""
    numbered, number = [], 0
    for cell in cells:
        number += not nb.is_injected(cell)
        numbered.append((0 if nb.is_injected(cell) else number, cell))
    return numbered


def _traceback(
    output: dict[str, Any], number: int, cell: dict[str, Any], ran: dict[int, tuple[int, dict[str, Any]]]
) -> list[str]:
    """The error of `cell`, the code cell `number`, in at most 8 lines: its last frames outside of libraries, type and
    message, for a program under a cell magic with the last lines that it printed. A frame below a cell magic is a line
    of the cell, too.

    `ran` maps a kernel's execution count to the cell and its number.
    """
    lines_of_cell = cell["source"].splitlines()
    magic = _is_below_magic(cell)
    frames: list[str] = []
    entries = [uncoloured(entry) for entry in output["traceback"]]
    for entry in entries:
        if entry.strip().startswith(_CHAIN):
            frames = []  # of the exception before, which the last one replaced
        header, _, body = entry.strip("\n").partition("\n")
        match = _HEADER.match(header.strip())
        if not match:
            continue
        place = Path(match["where"]).expanduser()
        line = int(match["line"])
        written = ""
        if magic and (match["where"] in _BELOW_MAGIC or int(match["count"] or 0) > cell["execution_count"]):
            line += 1  # the magic stands above
            where = f"code cell {number}"
            written = "".join(lines_of_cell[line - 1 : line])
        elif match["count"]:
            other, source = ran.get(int(match["count"]), (0, {"source": ""}))
            where = f"code cell {other or '?'}"
            written = "".join(source["source"].splitlines()[line - 1 : line])
        elif place.is_absolute() and not any(map(place.is_relative_to, (sys.prefix, sys.base_prefix))):
            where = relative(place)
        else:
            continue
        lines = body.splitlines()
        # A SyntaxError shows its line alone and unmarked.
        marked = filter(None, map(_MARKED.match, lines))
        code = next((mark["source"] for mark in marked), lines[0] if lines else "")
        if written and ("get_ipython()." in code or "Could not get source" in code):  # what IPython made of a magic
            code = written
        function = f", in {match['in'].partition('(')[0]}" if match["in"] else ""
        frame = f"{where}, line {line}{function}: {code.strip()[:200]}"
        if frames[-1:] != [frame]:  # a recursion is shown once
            frames.append(frame)
    message = [line for line in f"{output['ename']}: {output['evalue']}".splitlines() if line.strip()]
    if magic and output["ename"] == "CalledProcessError" and (ended := _PROGRAM.search(output["evalue"])):
        lines = list(filter(str.strip, _printed(cell, "stderr")))
        message = [f"the program {ended[0]}", *(lines[:1] + lines[1:][-2:])]
    if output["ename"] == "SystemExit":
        message.append("a cell must not end the notebook before its last cell")
    message += [line for line in _INNER.findall("\n".join(entries)) if line not in message]
    message = [_CELL_HASH.sub("", _BELOW_HASH.sub("", line) if magic else line)[:300] for line in message[:4]]
    return frames[len(message) - _TRACEBACK_LINES :] + message
