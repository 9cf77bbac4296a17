"""Building an edition, as a user meets it: the command line in a small clone with a data file and two notebooks.

Parameters, data checks and the page are stand-ins here; they have tests of their own.
"""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clone import PUBLISH, READ, Clone, wait_until

#: A check of the data that waits for the first kernel, and then for a second.
SLOW_CHECK = """
import time
from pathlib import Path
from desertion.project import ROOT

def kernels():
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if b"import kernelapp" in (path / "cmdline").read_bytes():
                yield (path / "cwd").resolve()
        except OSError:
            pass

def check(data):
    end = time.monotonic() + 30
    while ROOT / "notebooks" not in kernels() and time.monotonic() < end:
        time.sleep(0.05)
    if time.monotonic() < end:
        (ROOT / "started").touch()
    time.sleep(1)
    return ["data/figures.csv:1: a fault"]
"""


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    clone = Clone(tmp_path / "clone {level}")  # braces in a path are parameters to papermill
    yield clone
    assert clone.processes() == {}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
class TestBuild:
    @pytest.mark.quick
    def test_what_is_made_and_that_nothing_runs_twice(self, clone: Clone) -> None:
        assert clone.ran() == {"01-a", "02-b"}
        assert clone.files() == {
            "notebooks/01-a.ipynb", "notebooks/02-b.ipynb", "plots/a.csv", "report.html", "build.json", ".lock",
        }  # fmt: skip
        before = {name: (clone.place / name).stat().st_mtime_ns for name in clone.files()}
        for path in (clone.root / "data" / "figures.csv", clone.root / "notebooks" / "01-a.ipynb"):
            os.utime(path)
        assert clone.build().splitlines()[0] == "build/default/report.html is up to date"
        assert {name: (clone.place / name).stat().st_mtime_ns for name in clone.files()} == before

    @pytest.mark.quick
    def test_a_build_with_nothing_to_do_imports_nothing_heavy(self, clone: Clone) -> None:
        clone.build()
        code = "import sys; from desertion.cli import main; main(['build']); print(*sys.modules)"
        loaded = set(clone.build("-c", code).split())
        assert not loaded & {
            "papermill",
            "nbformat",
            "jupyter_client",
            "pydantic",
            "pandas",
            "numpy",
            "yaml",
            "tqdm",
            "jinja2",
        }

    def test_a_build_is_up_to_date_by_the_bytes_of_every_file(self, clone: Clone) -> None:
        clone.write("data/figures.csv", "good\nand more\n")
        clone.build()
        ask = ("-c", "from desertion.engine import receipt; print(receipt.up_to_date('default'))")
        assert clone.build(*ask) == "True\n"
        files = [
            "data/figures.csv", "notebooks/01-a.ipynb", "editions/default.yml", "requirements.lock", "data/new.csv",
            "src/desertion/vocabulary.py", "src/desertion/new.py", "src/desertion/report/style.css",
            "build/default/report.html", "build/default/notebooks/01-a.ipynb", "build/default/plots/a.csv",
        ]  # fmt: skip
        for name in files:
            before = (clone.root / name).read_bytes() if (clone.root / name).exists() else None
            (clone.root / name).write_bytes((before or b"").replace(b"level", b"level ") + b" ")
            assert clone.build(*ask) == "False\n", name
            (clone.root / name).unlink() if before is None else (clone.root / name).write_bytes(before)
        assert clone.build(*ask) == "True\n"

    def test_another_processor_or_python_reruns_everything(self, clone: Clone) -> None:
        clone.build()
        change = "from desertion import project; project._processor = lambda: 'another'; import sys\n"
        change += "sys.version = '3.99.0 (main, Jan  1 2030, 00:00:00) [GCC 1.0]'; "
        output = clone.build("-c", change + "from desertion.engine import build; build.main('default', explain=True)")
        assert "01-a: changed: processor, python\n02-b: changed: processor, python\n" in output

    def test_the_longest_begins_and_of_a_new_one_its_author_says_whether_it_is_long(self, clone: Clone) -> None:
        path = clone.root / "notebooks" / "02-b.ipynb"
        notebook = json.loads(path.read_text())
        path.write_text(json.dumps(notebook | {"metadata": notebook["metadata"] | {"desertion": {"long": True}}}))
        alone = ("-m", "desertion", "build", "--jobs", "1")
        ran = [line.split()[0] for line in clone.build(*alone).splitlines() if " ran in " in line]
        assert ran == ["02-b", "01-a"]
        receipt = json.loads((clone.place / "build.json").read_text())
        receipt["notebooks"]["01-a"]["seconds"] = 60.0
        (clone.place / "build.json").write_text(json.dumps(receipt))
        clone.write("data/figures.csv", "better\n")
        ran = [line.split()[0] for line in clone.build(*alone).splitlines() if " ran in " in line]
        assert ran == ["01-a", "02-b"]

    def test_a_new_commit_makes_the_page_anew_and_nothing_else(self, clone: Clone) -> None:
        git = ["git", "-C", str(clone.root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
        for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
            subprocess.run([*git, *words], check=True)
        clone.build()
        assert "is up to date" in clone.build()
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "two"], check=True)
        assert "02-b: is up to date\nreport.html: changed: commit\n" in clone.explain()
        subprocess.run([*git, "pack-refs", "--all"], check=True)
        assert "is up to date" in clone.build()
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
        assert clone.build("-c", "from desertion.engine import receipt; print(receipt.head())") == head

    def test_what_depends_on_a_change_runs_and_nothing_else(self, clone: Clone) -> None:
        clone.build()
        clone.write("editions/default.yml", "title: T\nnotebooks: {02-b: {level: 2}}")
        assert clone.ran() == {"02-b"}
        assert "level = 2" in clone.report.read_text()
        clone.write("editions/default.yml", "title: T\nnotebooks:\n  02-b: {level: 2}")
        assert clone.ran() == set()
        clone.notebook("01-a", READ)
        assert "01-a: changed: notebook\n02-b: is up to date\nreport.html: notebooks run" in clone.explain()
        assert "plots/a.csv" not in clone.files(), "what a notebook no longer publishes is removed"
        clone.write("data/figures.csv", "better\n")
        clone.write("data/new.csv", "new\n")
        clone.write("src/desertion/hedges.py", "")
        assert "01-a: changed: data/figures.csv, src/desertion\n02-b: changed" in clone.explain()
        assert "better" in clone.report.read_text()
        clone.write("src/desertion/report/style.css", "p {}")
        output = clone.build()
        assert output.splitlines()[0] == "build/default/report.html is new", (
            "a change of the page's style reruns no notebook"
        )

    def test_a_data_file_reruns_the_notebooks_that_declare_it_and_the_page(self, clone: Clone) -> None:
        clone.write("data/context.csv", "good\n")
        both = "reads: list[str] = ['figures.csv', 'context.csv']"
        clone.notebook("02-b", READ, "Path('../data/context.csv').read_text()", parameters=both)
        clone.build()
        clone.write("data/context.csv", "better\n")
        assert "01-a: is up to date\n02-b: changed: data/context.csv\nreport.html: notebooks run\n" in clone.explain()
        made = json.loads((clone.place / "build.json").read_text())["rebuilt"]
        assert made == {"02-b": "changed: data/context.csv", "report.html": "notebooks run"}
        clone.write("data/sources.csv", "new\n")
        assert "02-b: is up to date\nreport.html: changed: data/sources.csv\n" in clone.explain()

    def test_every_notebook_may_read_the_compilers_and_runs_again_for_them(self, clone: Clone) -> None:
        clone.write("data/compilers.csv", "name,who\nProekt,newsroom\n")
        clone.notebook("02-b", "from desertion import vocabulary\nvocabulary.compiler('Proekt')")
        clone.build()
        clone.write("data/compilers.csv", "name,who\nProekt,a newsroom\n")
        assert clone.ran() == {"01-a", "02-b"}
        clone.write("data/compilers.csv", "name,who\nProect,a newsroom\n")
        assert "ValueError: no such compiler; did you mean 'Proect'?" in clone.build(status=1)

    @pytest.mark.parametrize(
        "source",
        [
            "open('../data/context.csv')",
            "import pandas as pd\npd.read_csv('../data/context.csv')",
            "import os\nos.symlink('../data', 'link')\nopen('link/context.csv', 'rb')",
            "import os\nos.chdir('../data')\nos.open('context.csv', os.O_RDONLY)",
        ],
        ids=["open", "pandas", "link", "os"],
    )
    def test_a_file_that_is_not_declared_cannot_be_read(self, source: str, clone: Clone) -> None:
        clone.write("data/context.csv", "good\n")
        (clone.root / "notebooks" / "01-a.ipynb").unlink()
        clone.notebook("02-b", READ, source)
        output = clone.build(status=1)
        assert "notebooks/02-b.ipynb: code cell 3 of 3 failed" in output
        assert "UserError: data/context.csv is not declared" in output
        assert 'add "context.csv" to `reads = […]` in the parameters cell' in output

    @pytest.mark.parametrize(
        ("reads", "message"),
        [
            ("['figures.cvs']", "`reads` names 'figures.cvs', which is not in data/: did you mean 'figures.csv'?"),
            ("'figures.csv'", "code cell 1 (parameters), line 1: reads = 'figures.csv': must be a list"),
        ],
    )
    def test_a_wrong_declaration_stops_before_a_kernel(self, reads: str, message: str, clone: Clone) -> None:
        clone.notebook("02-b", READ, parameters=f"reads: list[str] = {reads}")
        output = clone.build(status=1)
        assert output.startswith("notebooks/02-b.ipynb: ")
        assert message in output

    def test_an_output_that_was_removed_or_cut_short_is_made_again(self, clone: Clone) -> None:
        clone.build()
        page = clone.report.read_bytes()
        clone.report.write_bytes(page[:100])
        assert clone.ran() == set()
        assert clone.report.read_bytes() == page
        (clone.place / "plots" / "a.csv").write_text("")
        assert "01-a: plots/a.csv is missing or was changed" in clone.explain()
        (clone.place / "build.json").write_text('{"notebooks": ')
        assert clone.ran() == {"01-a", "02-b"}
        assert clone.report.read_bytes() == page

    def test_outputs_of_a_notebook_that_is_gone_are_removed(self, clone: Clone) -> None:
        clone.build()
        (clone.root / "notebooks" / "01-a.ipynb").unlink()
        assert clone.ran() == set()
        assert clone.files() == {"notebooks/02-b.ipynb", "report.html", "build.json", ".lock"}

    def test_all_failures_are_told_and_the_successful_runs_are_kept(self, clone: Clone) -> None:
        clone.build()
        page = clone.report.read_bytes()
        clone.write("data/figures.csv", "worse\n")
        clone.notebook("03-c", "1 / 0")
        clone.notebook("04-d", "import sys\nsys.exit(0)")
        output = clone.build(status=1)
        assert "notebooks/03-c.ipynb: code cell 2 of 2 failed (`1 / 0`)" in output
        assert "notebooks/04-d.ipynb: code cell 2 of 2 failed (`import sys`)" in output
        assert "build/default/report.html is still the report of the last good build" in output
        assert clone.report.read_bytes() == page
        assert (clone.root / "build" / "failed" / "default" / "03-c.ipynb").exists()
        clone.notebook("03-c", "1")
        (clone.root / "notebooks" / "04-d.ipynb").unlink()
        assert clone.ran() == {"03-c"}
        assert "worse" in clone.report.read_text()
        assert not list((clone.root / "build" / "failed" / "default").iterdir())

    def test_data_that_do_not_pass_and_wrong_parameters_stop_before_a_kernel(self, clone: Clone) -> None:
        assert "there is no earlier report" in (clone.write("data/figures.csv", "bad\n") or clone.build(status=1))
        clone.write("data/figures.csv", "good\n")
        clone.build()
        clone.write("data/figures.csv", "bad\n")
        output = clone.build(status=1)
        assert output.startswith("data/figures.csv:1: value 'bad': must be good\nnothing was built; build/default/rep")
        clone.write("data/figures.csv", "good\n")
        assert "is up to date" in clone.build()
        clone.write("editions/default.yml", "title: T\nnotebooks: {02-b: {levle: 2}}")
        assert "editions/default.yml: 02-b: no parameter 'levle'" in clone.build(status=1)
        clone.write("editions/default.yml", "title: T")
        clone.write("notebooks/02-b.ipynb", "{")
        assert "notebooks/02-b.ipynb:1: not JSON" in clone.build(status=1)

    def test_kernels_start_while_the_data_are_checked_but_no_cell_runs_before_they_pass(self, clone: Clone) -> None:
        clone.write("src/desertion/figures.py", SLOW_CHECK)
        clone.notebook("01-a", "from pathlib import Path\nPath('../ran').touch()")
        assert "data/figures.csv:1: a fault" in clone.build(status=1)
        assert (clone.root / "started").exists()
        assert not (clone.root / "ran").exists()

    def test_cold_turns_the_cache_of_fits_off_in_kernels(self, clone: Clone) -> None:
        clone.notebook("01-a", "import os\nprint('cache', os.environ.get('DESERTION_MEMO'))")
        clone.build("-m", "desertion", "build", "--cold")
        assert "cache off" in clone.report.read_text()
        shutil.rmtree(clone.root / "build")
        clone.build()
        assert "cache None" in clone.report.read_text()

    def test_a_plot_may_move_but_not_have_two_makers(self, clone: Clone) -> None:
        clone.build()
        clone.notebook("01-a", READ)
        clone.notebook("02-b", READ, PUBLISH.format("a"), "level")
        assert clone.ran() == {"01-a", "02-b"}
        assert "plots/a.csv" in clone.files()
        clone.notebook("01-a", READ, PUBLISH.format("a"))
        assert "plots/a.csv is published by two notebooks, 02-b and 01-a" in clone.build(status=1)

    def test_one_notebook_runs_with_other_parameters_and_never_over_itself(self, clone: Clone) -> None:
        command = ("-m", "desertion", "run", "02-b", "-p", "level=7")
        assert clone.build(*command).startswith("build/runs/02-b.ipynb\n")
        assert '"7"' in (clone.root / "build" / "runs" / "02-b.ipynb").read_text()
        itself = ("-m", "desertion", "run", "notebooks/02-b.ipynb", "notebooks/02-b.ipynb")
        assert "would take the notebook's own place" in clone.build(*itself, status=1)
        clone.notebook("02-b", "1 / 0")
        assert "code cell 2, line 1: 1 / 0\n  ZeroDivisionError" in clone.build(*command, status=1)

    def test_a_folder_that_cannot_be_written_is_named(self, clone: Clone) -> None:
        clone.write("build", "a file where the folder should be")
        output = clone.build(status=1)
        assert "build/default: " in output


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
class TestInterruption:
    SLOW = "Path('../started').touch()\nimport time\nwhile Path('../wait').exists():\n    time.sleep(0.1)"

    @pytest.fixture
    def slow(self, clone: Clone) -> Clone:
        """A good build, then new data, with a notebook that takes as long as the file `wait` exists."""
        (clone.root / "notebooks" / "01-a.ipynb").unlink()
        clone.notebook("02-b", READ, PUBLISH.format("b"), self.SLOW)
        clone.build()
        (clone.root / "started").unlink()
        (clone.root / "wait").touch()
        clone.write("data/figures.csv", "newer\n")
        return clone

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
    def test_the_good_page_stays_nothing_runs_on_and_the_next_build_finishes(
        self, slow: Clone, how: signal.Signals
    ) -> None:
        page = slow.report.read_bytes()
        process = slow.start()
        wait_until((slow.root / "started").exists, 20)
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.send_signal(how)
        output = "".join(process.communicate(timeout=5))
        assert process.returncode == (130 if how == signal.SIGINT else -how)
        assert "Traceback" not in output
        wait_until(lambda: not slow.processes(), 5)
        assert not list(Path("/tmp").glob(f"desertion-{process.pid}-*"))
        assert slow.report.read_bytes() == page
        (slow.root / "wait").unlink()
        assert slow.ran() == {"02-b"}
        assert b"newer" in slow.report.read_bytes()
        assert slow.files() == {"notebooks/02-b.ipynb", "plots/b.csv", "report.html", "build.json", ".lock"}
        if how == signal.SIGKILL:
            page = slow.report.read_bytes()
            shutil.rmtree(slow.root / "build")
            slow.build()
            assert slow.report.read_bytes() == page, "an undisturbed build gives the same bytes"

    def test_a_build_whose_make_is_killed_ends(self, slow: Clone) -> None:
        (slow.root / "Makefile").write_text(f"all:\n\t@{sys.executable} -m desertion build\n")
        environment = {**os.environ, "PYTHONPATH": str(slow.root / "src")}
        make = subprocess.Popen(["make"], cwd=slow.root, env=environment, start_new_session=True)
        wait_until((slow.root / "started").exists, 20)
        make.kill()
        make.wait()
        wait_until(lambda: not slow.processes(), 10)
        assert not list(slow.place.glob(".new-*"))

    def test_leftovers_of_a_killed_build_are_removed_by_a_build_with_nothing_to_do(self, slow: Clone) -> None:
        (slow.root / "wait").unlink()
        slow.build()
        over = subprocess.Popen(["true"])
        over.wait()
        alive = Path(tempfile.mkdtemp(prefix=f"desertion-{os.getpid()}-", dir="/tmp"))
        left = [slow.place / f".new-{over.pid}" / "a", Path(f"/tmp/desertion-{over.pid}-abc_1")]
        for folder in left:
            folder.mkdir(parents=True)
        (slow.place / ".report.html.x.part").touch()
        assert "build/default/report.html is up to date" in slow.build()
        assert not any(path.exists() for path in [*left, *slow.place.glob(".new-*"), *slow.place.glob(".*.part")])
        assert alive.exists(), "a folder of a process that lives stays"
        alive.rmdir()

    def test_a_killed_worker_costs_its_own_run_only(self, slow: Clone) -> None:
        process = slow.start()
        wait_until((slow.root / "started").exists, 20)
        (worker,) = slow.find("worker")
        os.kill(worker, signal.SIGKILL)
        output = "".join(process.communicate(timeout=20))
        assert process.returncode == 1
        assert "notebooks/02-b.ipynb: its worker process was killed" in output
        wait_until(lambda: not slow.processes(), 5)
        (slow.root / "wait").unlink()
        assert slow.ran() == {"02-b"}

    @pytest.mark.quick
    def test_a_second_build_waits_for_the_first_and_says_so(self, slow: Clone) -> None:
        first = slow.start()
        wait_until((slow.root / "started").exists, 20)
        second = slow.start(stderr=subprocess.STDOUT)
        assert second.stdout is not None
        assert second.stdout.readline() == "another build of edition default is running; waiting for it\n"
        (slow.root / "wait").unlink()
        first.communicate(timeout=20)
        assert second.communicate(timeout=20)[0].splitlines()[0] == "build/default/report.html is up to date"
        assert first.returncode == second.returncode == 0

    def test_a_terminal_gets_a_bar_and_ci_gets_lines(self, clone: Clone) -> None:
        terminal, other = pty.openpty()
        termios.tcsetwinsize(other, (24, 100))
        process = clone.start(stderr=other)
        os.close(other)
        shown = b""
        with contextlib.suppress(OSError):  # the other end was closed
            while chunk := os.read(terminal, 4096):
                shown += chunk
        os.close(terminal)
        process.communicate(timeout=20)
        assert b"cell 1/" in shown
        assert b"01-a  ran in " in shown


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc")
class TestAccept:
    ACCEPT = (
        "-c",
        "import sys; from desertion import cli; from desertion.engine import accept; "
        "cli._accept = lambda _: accept.main(); sys.exit(cli.main(['accept']))",
    )

    def test_outputs_and_plots_are_stored_and_the_change_is_told(self, clone: Clone) -> None:
        output = clone.build(*self.ACCEPT)
        assert "notebooks/01-a.ipynb: outputs of code cells 2\n" in output
        assert "notebooks/02-b.ipynb: outputs of code cells 2, 3\n" in output
        assert "plots/a: new (.csv)\n" in output
        stored = json.loads((clone.root / "notebooks" / "01-a.ipynb").read_text())
        assert [cell["execution_count"] for cell in stored["cells"]] == [1, 2, 3]
        assert "injected-parameters" not in json.dumps(stored)
        assert (clone.root / "plots" / "plots.lock").read_text() == "a.csv"
        assert clone.build(*self.ACCEPT) == "nothing changed\n"
        assert clone.build() == "build/default/report.html is up to date\n", "stored outputs make nothing stale"
        clone.notebook("02-b", READ, "level + 1")
        clone.notebook("01-a", READ)
        output = clone.build(*self.ACCEPT)
        assert "plots/a: removed (.csv)" in output
        assert not (clone.root / "plots" / "a.csv").exists()

    @pytest.mark.quick
    def test_a_dry_run_says_what_would_change_and_stores_nothing(self, clone: Clone) -> None:
        before = {path: path.read_bytes() for path in (clone.root / "notebooks").iterdir()}
        dry = ("-c", "import sys; from desertion import cli; sys.exit(cli.main(['accept', '--dry-run']))")
        output = clone.build(*dry)
        assert "the stored outputs → edition default: 1 plot new; " in output
        assert "\nnothing was stored\n" in output
        assert {path: path.read_bytes() for path in (clone.root / "notebooks").iterdir()} == before
        assert not (clone.root / "plots").exists()
        first, *rest = clone.build().splitlines()
        assert first == "build/default/report.html is up to date"
        assert len(rest) == 2
        assert rest[0].startswith("not accepted yet: 1 plot new; ")

    def test_nothing_is_touched_where_a_notebook_fails_or_an_edition_overrides(self, clone: Clone) -> None:
        clone.build(*self.ACCEPT)
        clone.notebook("02-b", "1 / 0")
        clone.write("data/figures.csv", "newer\n")
        before = {path: path.read_bytes() for name in ("notebooks", "plots") for path in (clone.root / name).iterdir()}
        assert "ZeroDivisionError" in clone.build(*self.ACCEPT, status=1)
        clone.write("editions/default.yml", "title: T\nnotebooks: {02-b: {level: 2}}")
        output = clone.build(*self.ACCEPT, status=1)
        assert "edition 'default' overrides parameters" in output
        assert before == {path: path.read_bytes() for path in before}
