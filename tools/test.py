"""Runs the parts of `make test` side by side and prints how long each took.

The data, the lint and the types are checked one after the other while pytest runs. Without a terminal a line says
every 15 seconds what still runs. Ends with 1 where a part failed; what it printed then stands at the end.

    python tools/test.py          # what an analyst runs before a push
    python tools/test.py --slow   # the tests marked slow, and those of the page in a browser
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time

_EVERY = 15.0  # seconds between two lines without a terminal
_PYTEST = ("pytest", "-n", "auto", "--maxprocesses", "8", "--dist", "loadscope", "--no-loadscope-reorder")
_CHECKS = {
    "data": [("desertion", "check")],
    "lint": [("ruff", "check", "--quiet", "."), ("ruff", "format", "--check", "--quiet", "src", "tests", "benchmarks")],
    "types": [("tools.typecheck",)],
}


class Parts:
    """The parts that run now, the seconds that each finished one took, and what the failed ones printed."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}
        self.failed: dict[str, str] = {}

    def run(self, name: str, commands: list[tuple[str, ...]], *, quiet: bool) -> None:
        """Run the modules of `commands` in turn until one fails; `quiet`: keep what they print until the end."""
        self.started[name] = time.monotonic()
        for command in commands:
            done = subprocess.run(
                [sys.executable, "-m", *command],
                stdout=subprocess.PIPE if quiet else None,
                stderr=subprocess.STDOUT if quiet else None,
                text=True,
            )
            if done.returncode:
                self.failed[name] = done.stdout or ""
                break
        seconds = time.monotonic() - self.started.pop(name)
        print(f"{name:6} {'FAILED' if name in self.failed else 'passed'} in {seconds:.0f} s", flush=True)


def main(slow: bool) -> int:
    """Run all parts; 0 where every one passed."""
    parts = Parts()
    began = time.monotonic()
    checks = threading.Thread(
        target=lambda: [parts.run(name, commands, quiet=True) for name, commands in _CHECKS.items()]
    )
    chosen = ("-m", "slow", "tests") if slow else ("-m", "not slow", "--nbval", "notebooks", "tests")
    tests = [(*_PYTEST, *chosen)]
    running = [threading.Thread(target=lambda: parts.run("tests", tests, quiet=False))]
    running += [] if slow else [checks]
    for thread in running:
        thread.start()
    said = began
    while any(thread.is_alive() for thread in running):
        time.sleep(0.1)
        now = time.monotonic()
        if now - said > _EVERY and not sys.stdout.isatty():
            said = now
            print(f"... {', '.join(parts.started)} running for {now - began:.0f} s", flush=True)
    for name, output in parts.failed.items():
        print(f"\n{name} FAILED\n{output}", end="")
    print(f"{'FAILED' if parts.failed else 'passed'} in {time.monotonic() - began:.0f} s")
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main("--slow" in sys.argv[1:]))
