"""One truth for the packages: pyproject.toml, environment.yml and requirements.lock agree, and this interpreter too."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from desertion.engine import environment
from desertion.project import ROOT
from desertion.release import about

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def direct() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *(line for lines in extras for line in lines),
    ]


@pytest.mark.parametrize("requirement", direct())
def test_a_direct_dependency_is_pinned_and_the_lock_has_that_version(requirement: str) -> None:
    match = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", requirement)
    assert match, f"{requirement} is not pinned"
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    assert environment.pins(LOCK).get(name, ("absent", ""))[0] == match[2]


def test_every_package_of_the_lock_has_one_version_and_hashes() -> None:
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    names = [block.split("==")[0] for block in blocks]
    assert len(names) == len(set(names)) == len(environment.pins(LOCK))
    assert all("--hash=sha256:" in block for block in blocks)


def test_environment_yml_pins_python_and_pip_and_leaves_the_rest_to_the_lock() -> None:
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, rest = content["dependencies"]
    assert re.fullmatch(r"python=\d+\.\d+\.\d+", python)
    assert re.fullmatch(r"pip=\d+\.\d+", pip)
    assert rest == {"pip": ["-r requirements.lock"]}
    minor = tuple(map(int, python.removeprefix("python=").split(".")[:2]))
    assert minor >= tuple(map(int, PROJECT["project"]["requires-python"].removeprefix(">=").split(".")))


def test_the_interpreter_that_runs_the_tests_matches_the_lock() -> None:
    assert environment.differences(LOCK) == []


def test_packages_of_a_group_count_where_it_is_asked_for_alone() -> None:
    lock = "no-such-package==1.0 ; extra == 'test'\nnor-this==1 ; (sys_platform == 'x') or extra == 'cluster'\n"
    assert environment.differences(lock) == []
    assert environment.differences(lock, ["test"]) == ["missing: no-such-package"]
    assert environment.differences(lock, ["test", "cluster"]) == ["missing: no-such-package, nor-this"]


def needed(requirements: Iterable[str]) -> set[str]:
    """The packages that these requirements lead to in this environment, as the installed ones declare them."""
    names: set[str] = set()
    todo = [(Requirement(words), "") for words in requirements]
    while todo:
        one, extra = todo.pop()
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        if name in names and not one.extras:
            continue
        names.add(name)
        with contextlib.suppress(PackageNotFoundError):
            todo += [(Requirement(words), each) for words in requires(name) or () for each in ("", *one.extras)]
    return names


def test_what_make_and_make_lab_need_belongs_to_no_group_and_the_tests_packages_do() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    pins = environment.pins(LOCK)
    base = needed([*PROJECT["project"]["dependencies"], *extras["report"], *extras["lab"]])
    without = {name for name, (_, marker) in pins.items() if not marker or Marker(marker).evaluate({"extra": ""})}
    assert base <= without
    assert {"pytest", "mypy", "ruff", "hypothesis", "distributed", "mici"} & without == set()
    of_the_tests = {name for name, (_, marker) in pins.items() if "extra == 'test'" in marker}
    assert needed(extras["test"]) - base <= of_the_tests


@pytest.fixture(scope="module")
def lock_tool() -> ModuleType:
    found = importlib.util.spec_from_file_location("lock", ROOT / "tools" / "lock.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_marker_of_a_package_names_the_groups_that_need_it(lock_tool: ModuleType) -> None:
    assert lock_tool.marker("", {"test": ""}) == ""
    assert lock_tool.marker(None, {"test": "", "cluster": ""}) == "extra == 'test' or extra == 'cluster'"
    assert lock_tool.marker(None, {"test": "os_name == 'nt'"}) == "extra == 'test' and (os_name == 'nt')"
    other = "os_name == 'nt' and python_version < '3.12'"
    assert lock_tool.marker(other, {"test": other}) == other
    assert lock_tool.marker(other, {"nuts": ""}) == f"({other}) or extra == 'nuts'"


def test_a_renewal_holds_back_what_a_comment_holds(lock_tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    project = (
        '    "numpy==1",\n    "Odd_Name==1",\nlab = ["jupyterlab==1"]\n    "matplotlib==1", # 3.13 breaks a plot\n'
    )
    newest = "numpy==2\nodd-name==3\njupyterlab==4\nmatplotlib==1\n"
    asked: list[str] = []
    monkeypatch.setattr(lock_tool, "compile_", lambda text, *_: asked.append(text) or newest)
    renewed, _ = lock_tool.renewed(project, "")
    assert '"numpy>=1"' in asked[0]
    assert '"matplotlib==1"' in asked[0]
    assert (
        renewed
        == '    "numpy==2",\n    "Odd_Name==3",\nlab = ["jupyterlab==4"]\n    "matplotlib==1", # 3.13 breaks a plot\n'
    )


def test_the_badge_of_binder_leads_to_the_repository_that_the_citation_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [target] = re.findall(r"\[!\[Binder\]\(https://mybinder.org/badge_logo.svg\)\]\((.*?)\)", readme)
    repository = about.citation().repository.removeprefix("https://github.com/").rstrip("/")
    assert target == (f"https://mybinder.org/v2/gh/{repository}/HEAD" if repository else "https://mybinder.org")


def test_a_package_in_another_version_or_missing_is_named_with_both_versions() -> None:
    lock = "numpy==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\nappnope==9 ; sys_platform == 'nowhere'\n"
    assert environment.differences(lock) == [
        f"numpy: {version('numpy')} (the lock has 0.0.1)",
        "missing: no-such-package",
    ]


def start(code: str, *, source: Path = ROOT / "src") -> subprocess.CompletedProcess[str]:
    """Run `code` in a Python of its own that imports the package from `source`."""
    environment = os.environ | {"PYTHONPATH": str(source)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=source, text=True, capture_output=True, check=False
    )


@pytest.mark.parametrize("command", ["build", "accept"])
@pytest.mark.parametrize("module", ["typst", "pypandoc"])
def test_a_missing_package_of_the_page_is_named_before_a_notebook_runs(command: str, module: str) -> None:
    done = start(
        f"import sys; sys.modules['{module}'] = None; from desertion import cli; sys.exit(cli.main(['{command}']))"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"this Python lacks '{module}': run `{sys.executable} -m pip install -e '.[report]'` in the clone, "
        "or use `make`, which has a Python of its own\n"
    )


@pytest.mark.parametrize(
    "command", [["check"], ["conflicts"], ["rate-ratio", "4", "1", "2", "1"], ["run", "01-figures"]]
)
def test_any_missing_package_is_one_sentence(command: list[str]) -> None:
    names = ["numpy", "pandas", "nbformat", "papermill"]
    blocked = f"import sys; sys.modules.update(dict.fromkeys({names})); from desertion import cli"
    done = start(f"{blocked}; sys.exit(cli.main({command}))")
    assert done.returncode in (1, 2)
    assert re.fullmatch(
        r"this Python lacks '\w+': run `.* -m pip install -e '\.\[report\]'` in the clone, .*\n", done.stderr
    )


def test_a_package_without_its_clone_says_that_it_is_installed_editable(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(ROOT / "src" / "desertion", site / "desertion", ignore=shutil.ignore_patterns("__pycache__"))
    for code in (
        "import sys; from desertion import cli; sys.exit(cli.main(['check']))",
        "import sys; from desertion import cli; sys.exit(cli.main(['build']))",
    ):
        done = start(code, source=site)
        assert done.returncode == 1
        assert done.stderr == (
            f"desertion is installed in {site}, without its data and notebooks: run `{sys.executable} -m pip install "
            "-e '.[report]'` in a clone, for it must be installed editable\n"
        )
    done = start("from desertion import figures; figures.load()", source=site)
    assert done.stderr.splitlines()[-1].startswith(
        f"desertion.errors.UserError: desertion is installed in {site}, without"
    )


def test_the_environment_names_the_project_in_ascii_so_that_it_starts_in_any_folder_under_any_locale() -> None:
    named = [path.read_bytes() for path in (ROOT / ".venv").glob("lib/python3*/site-packages/__editable__.desertion-*")]
    assert named == [b"../../../../src\n"] or Path(sys.prefix) != ROOT / ".venv"
