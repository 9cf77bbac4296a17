"""Runs a task of tests/browser/check.mjs on a page in headless Chromium."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parents[1] / "browser"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browse(page: Path | str, task: str) -> dict[str, Any]:
    missing = [
        name
        for name, there in {
            "browser": BROWSER,
            "node": shutil.which("node"),
            "playwright-core (npm ci in tests/browser)": (HERE / "node_modules" / "playwright-core").is_dir(),
        }.items()
        if not there
    ]
    if missing:
        message = f"skipped: no {missing[0]}"
        if os.environ.get("DESERTION_BROWSER") == "1":
            pytest.fail(message.replace("skipped: ", "DESERTION_BROWSER=1, but "))
        pytest.skip(message)
    command = ["node", str(HERE / "check.mjs"), str(BROWSER), str(page), task]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=HERE)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["errors"] == []
    assert result["requests"] == []
    return result
