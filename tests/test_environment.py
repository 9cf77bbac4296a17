"""One truth for the packages: pyproject.toml, environment.yml and requirements.lock agree, and this interpreter too."""

import re
import tomllib
from importlib.metadata import version

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
