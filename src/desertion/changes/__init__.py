"""What changed between two states of the project, as its readers see it: sentences first, bytes never.

`states`    the files of a revision, an edition or the working tree
`findings`  what a state holds for its readers
`rows`      pairs the rows of two tables
`compare`   the differences of two states
`words`     marks what changed between two texts
`terminal`  the differences as text
`page`      the differences as a page
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desertion.changes import compare, states, terminal
from desertion.project import BUILD, relative, write_atomic

if TYPE_CHECKING:
    from desertion.changes.compare import Difference
    from desertion.params import Edition

#: Where the whole comparison stands.
PAGE = BUILD / "diff.html"


def difference(old: str, new: str) -> tuple[Difference, str]:
    """The differences of two states, named as on the command line, and the page that shows them, not yet written.

    Raises UserError as `states.load` and `findings.read` do.
    """
    return _difference(states.load(old), states.load(new))


def of_build(edition: Edition) -> tuple[Difference, str]:
    """The same of the stored outputs and those in build/EDITION, which `accept` would store."""
    stored = states.working_tree()
    return _difference(states.State("the stored outputs", stored.files, stored.package), states.built(edition.name))


def _difference(old: states.State, new: states.State) -> tuple[Difference, str]:
    from desertion.changes import page  # and jinja2, which a build has no use for

    one = compare.compare(old, new)
    return one, page.page(one, old, new)


def text(one: Difference, html: str) -> str:
    """The differences in at most 40 lines; the page with the rest is written to `PAGE`."""
    write_atomic(PAGE, html)
    return "\n".join(terminal.lines(one, relative(PAGE)))


def unaccepted(name: str) -> list[str]:
    """Two lines on how the outputs of the built edition `name` differ from those stored, none where they do not."""
    stored = states.working_tree()
    one = compare.compare(stored, states.built(name))
    if not one or any(each.kind == "parameter" for each in one.inputs):
        return []  # an edition with parameters of its own is not stored
    see = f"`desertion diff . edition:{name}` shows each, `make accept` stores them"
    return [f"not accepted yet: {terminal.summary(one)}", see]
