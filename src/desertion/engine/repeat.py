"""Runs notebooks a second time, before their outputs are stored: every later run is compared with these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from desertion import notebook as nb
from desertion import params
from desertion.engine import private, receipt
from desertion.engine.display import Display
from desertion.project import BUILD, relative

#: What makes the outputs of two runs differ, most often first, with what mends it.
CAUSES = (
    "usual causes: intervals of seaborn (errorbar=None, or seed=1), jitter (jitter=False, or np.random.seed(1) before "
    "it), random numbers without a seed, the order of a set (sorted), the time, an object's address in printed text"
)


def run_again(name: str, paths: Sequence[Path], jobs: int | None) -> dict[Path, nb.Notebook]:
    """The notebooks `paths` executed anew with their defaults, `jobs` at a time, for edition `name`.

    Each runs without the cache of fits, which would hide that a function gives another result, and with sets in another
    order than in the first run, as in a kernel of JupyterLab. Raises RunError where a notebook fails.
    """
    from desertion.engine.run import run
    from desertion.engine.workers import Answer, Task, Workers

    inputs = receipt.inputs(name, paths)
    with private.folder() as folder:
        tasks = {}
        for path in paths:
            data = receipt.declared(inputs, params.read_cell(nb.read(path), path))
            copy, failed = folder / path.name, BUILD / "failed" / name / path.name
            tasks[Task(relative(path), partial(run, path, copy, {}, failed=failed, data=data))] = path
        count = min(jobs or os.cpu_count() or 1, len(paths))
        with Workers(count, cold=True, again=True) as workers, Display(len(paths)) as display:
            for task, message in workers.run(tasks, tick=display.tick):
                if isinstance(message, Exception):
                    raise message
                if isinstance(message, Answer):
                    display.end(tasks[task].stem, f"ran again in {message.value.seconds:.1f} s")
                else:
                    display.cell(tasks[task].stem, *message)
        return {path: nb.scrub(nb.read(folder / path.name)) for path in paths}
