"""Every edition builds, and one of an earlier day shows nothing that was learnt later."""

import json
import subprocess
import sys

import pytest

from desertion import figures, params
from desertion.project import BUILD, ROOT


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in params.names() if name != "default"])
def test_an_earlier_edition_builds_from_what_was_known(name: str) -> None:
    command = [sys.executable, "-m", "desertion", "build", "--edition", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = figures.load(as_of=params.edition(name).as_of)
    known = {*data.figures.index, *data.context.index, *data.events.index}
    for path in (BUILD / name / "plots").glob("*.json"):
        assert set(json.loads(path.read_text(encoding="utf-8"))["ids"]) <= known
