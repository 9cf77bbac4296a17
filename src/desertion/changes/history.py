"""Stores the numbers of the sentences of every edition and release, which the cards of the page show."""

from __future__ import annotations

import json

from desertion import git, params
from desertion.changes import findings, states
from desertion.changes.states import State
from desertion.engine.build import build
from desertion.errors import UserError
from desertion.project import write_atomic
from desertion.report import history, version


def store(*, jobs: int | None = None) -> bool:
    """Build every edition, and write the numbers of their sentences and those of each tag; True where they changed.

    A tag from before sentences kept records is left out. Raises UserError as `build` does, before anything is written.
    """
    editions = {}
    for name in params.names():
        edition = params.edition(name)
        build(edition, jobs=jobs)
        kept = {"title": edition.title, "data": version.data_hash()[:16], "numbers": _numbers(states.built(name))}
        editions[name] = kept
    releases = {}
    try:
        tags = git.text("tag", "--sort=creatordate").split()
    except UserError:  # no repository
        tags = []
    for tag in tags:
        try:
            releases[tag] = {"numbers": _numbers(states.load(f"refs/tags/{tag}"))}
        except UserError:
            continue
    text = json.dumps({"editions": editions, "releases": releases}, ensure_ascii=False, indent=1, sort_keys=False)
    return write_atomic(history.FILE, text + "\n")


def _numbers(state: State) -> dict[str, dict[str, str]]:
    """The numbers of each sentence by the fields of its template; none where it is withheld."""
    sentences = findings.read(state).sentences
    return {f"{stem} {name}": dict(each.numbers) for (stem, name), each in sorted(sentences.items())}
