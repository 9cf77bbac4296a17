"""One truth for the packages: pyproject.toml, environment.yml and requirements.lock agree, and this interpreter too."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from desertion.engine import environment
from desertion.project import ROOT

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
