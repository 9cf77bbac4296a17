"""A small project of its own with the package's real engine, as a user meets it: the command line and its files."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from desertion.project import ROOT

#: Modules that the small project has as they are.
REAL = (
    "__init__.py", "__main__.py", "arguments.py", "changes", "cli.py", "csv_models/__init__.py",
    "csv_models/commands.py", "drawing.py", "engine", "errors.py", "git.py",
    "inline.py", "memo.py", "notebook.py", "params", "project.py", "reads.py", "report/page.css", "report/picture.py",
    "sentences.py", "skeleton.py", "text.py", "vocabulary.py", "yaml_file.py",
)  # fmt: skip
STAND_INS = {
    "trends.py": """
class Refused:
    pass
""",
    "plots/font.py": """
def face(words):
    return ""
""",
    "figures.py": """
def check(data):
    return ["data/figures.csv:1: value 'bad': must be good"] if "bad" in (data / "figures.csv").read_text() else []
""",
    "report/__init__.py": """
from desertion.project import write_atomic

def prepare(edition):
    return None

def render(edition, notebooks, out, *, plots=None, prepared=None):
    published = sorted(path.name for path in plots.iterdir()) if plots.exists() else []
    write_atomic(out, "".join(path.read_text() for path in notebooks) + str(published))
    return []
""",
    "publish.py": """
from desertion.project import write_atomic

def lock(folder):
    names = sorted(path.name for path in folder.iterdir() if path.name != "plots.lock")
    write_atomic(folder / "plots.lock", "\\n".join(names))
""",
}
PARAMETERS = """
level: int = 1  # a number
reads: list[str] = ["figures.csv"]
out: "Optional[str]" = None
""".strip()
READ = "from pathlib import Path\nPath('../data/figures.csv').read_text()"
PUBLISH = "if out:\n    Path(out, '{}.csv').write_text(Path('../data/figures.csv').read_text())"


class Clone:
    """A project of its own, with the package's real runner."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root / "build" / "default"
        self.report = self.place / "report.html"
        for name in REAL:
            self.copy(f"src/desertion/{name}")
        for name, content in STAND_INS.items():
            self.write(f"src/desertion/{name}", content)
        self.write("data/figures.csv", "good\n")
        # Here `level` is any whole number.
        known = root / "src" / "desertion" / "params" / "known.py"
        known.write_text(known.read_text() + "\ndel REGISTRY['level']\n")
        self.write("editions/default.yml", "title: Default")
        self.write("requirements.lock", "")
        self.notebook("01-a", READ, PUBLISH.format("a"))
        self.notebook("02-b", READ, "level")

    def copy(self, name: str) -> None:
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place)

    def write(self, name: str, content: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(content)

    def notebook(self, stem: str, *sources: str, parameters: str = PARAMETERS) -> None:
        cells: list[Any] = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
        (self.root / "notebooks").mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), self.root / "notebooks" / f"{stem}.ipynb")

    def start(self, *code: str, **kwargs: Any) -> subprocess.Popen[str]:
        command = [sys.executable, *(code or ("-m", "desertion", "build"))]
        environment = {**os.environ, "PYTHONPATH": str(self.root / "src"), "CI": ""}
        # a shell that runs tests in the background lets them ignore Ctrl-C, and so all that they start
        heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": heeds} | kwargs
        return subprocess.Popen(command, cwd=self.root, env=environment, text=True, start_new_session=True, **kwargs)

    def build(self, *code: str, status: int = 0) -> str:
        """Build, and return what was printed; with `code`, run that instead."""
        process = self.start(*code)
        output = "".join(process.communicate(timeout=60))
        assert process.returncode == status, output
        assert "Traceback" not in output
        return output

    def explain(self) -> str:
        return self.build("-c", "from desertion.engine import build; build.main('default', explain=True)")

    def ran(self, *code: str) -> set[str]:
        return {line.split()[0] for line in self.build(*code).splitlines() if " ran in " in line}

    def files(self) -> set[str]:
        return {path.relative_to(self.place).as_posix() for path in self.place.rglob("*") if path.is_file()}

    def processes(self) -> dict[int, str]:
        """Command lines of this clone's processes: each has its path in its command line or environment."""
        commands = {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if str(self.root).encode() in (path / "cmdline").read_bytes() + (path / "environ").read_bytes():
                    commands[int(path.name)] = (path / "cmdline").read_text().replace("\0", " ")
        return commands

    def find(self, kind: str) -> list[int]:
        """Processes of a kind: worker, server (from which kernels are forked), kernel (forked or not)."""
        commands = self.processes()
        kinds = {}
        for pid, command in commands.items():
            if "import work" in command:
                kinds[pid] = "worker"
            elif "import kernelapp" in command:
                kinds[pid] = "kernel"
            elif "multiprocessing.forkserver" in command:
                with contextlib.suppress(OSError):
                    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
                    kinds[pid] = "kernel" if "multiprocessing.forkserver" in commands.get(parent, "") else "server"
        return [pid for pid, one in kinds.items() if one == kind]


def wait_until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
