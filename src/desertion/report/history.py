"""What the numbers of the sentences are in other editions and were at each release: editions/history.json.

`desertion accept --editions` writes the file; a state has its numbers by sentence and field of the template.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desertion.errors import UserError
from desertion.project import EDITIONS, relative

FILE = EDITIONS / "history.json"


@dataclass(frozen=True)
class History:
    """The numbers of `states`, label → sentence → field → number; a sentence without numbers was withheld.

    `editions`: the labels of those that are other editions, not releases.
    """

    states: Mapping[str, Mapping[str, Mapping[str, str]]]
    editions: tuple[str, ...] = ()

    def of(self, stem: str, sentence: str, field: str) -> tuple[str, ...]:
        """The number in each state whose sentence has it, `LABEL: number`, one line each."""
        lines = []
        for label, numbers in self.states.items():
            known = numbers.get(f"{stem} {sentence}")
            if known is not None and (not known or field in known):
                lines.append(f"{label}: {known.get(field, 'not enough data')}")
        return tuple(lines)

    def then(self, stem: str, sentence: str, fields: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The numbers of these `fields` in each other edition that has the sentence; none where it was withheld."""
        for label in self.editions:
            known = self.states[label].get(f"{stem} {sentence}")
            if known is not None and (not known or known.keys() >= set(fields)):
                yield label, tuple(known[field] for field in fields) if known else ()


def load(edition: str, data: str) -> History:
    """The history without the edition itself; `data`: the hash of the data now. Raises UserError for a damaged file."""
    if not FILE.is_file():
        return History({})
    try:
        kept: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
        states = {
            f"{state['title']}{'' if state['data'] == data else ' (before the last change of the data)'}": _numbers(
                state
            )
            for name, state in kept["editions"].items()
            if name != edition
        }
        releases = {f"Release {name}": _numbers(state) for name, state in kept["releases"].items()}
        return History(states | releases, tuple(states))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{relative(FILE)}: damaged: `desertion accept --editions` writes it anew") from None


def _numbers(state: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The numbers of a stored state. Raises TypeError where one is no text."""
    numbers: dict[str, dict[str, str]] = state["numbers"]
    if not all(isinstance(number, str) for fields in numbers.values() for number in fields.values()):
        raise TypeError
    return numbers
