"""Progress on standard error: a bar on a terminal; elsewhere and in CI one line per notebook, and one every 15 s."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from desertion.text import visible_lines

_EVERY = 15.0  # seconds between two lines without a terminal


def log(line: str) -> None:
    """Print `line` on standard error, at once."""
    print(visible_lines(line), file=sys.stderr, flush=True)


class Display:
    """The progress of `notebooks` runs, or of another `work` of one step, as a context manager."""

    def __init__(self, notebooks: int, work: str = "starting kernels") -> None:
        self._work = work
        self._bar: Any = None
        self._at: dict[str, tuple[int, int]] = {}
        self._notebooks = notebooks
        self._began = self._last = time.monotonic()
        self._over = threading.Event()

    def __enter__(self) -> Display:
        if sys.stderr.isatty() and os.environ.get("CI", "").lower() not in ("true", "1"):
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread
            shape = "{desc} {bar} {elapsed}<{remaining}"
            self._bar = tqdm(total=1.0, bar_format=shape, desc=self._work, leave=False, file=sys.stderr)
        else:
            threading.Thread(target=self._go_on_reporting, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._bar is not None:
            self._bar.close()

    def cell(self, stem: str, done: int, total: int) -> None:
        """Notebook `stem` has finished `done` of its `total` code cells."""
        self._at[stem] = (done, total)
        self._draw()

    def step(self, stem: str) -> None:
        """Run `stem` ended and needs no line."""
        self._at[stem] = (1, 1)
        self._draw()

    def tick(self) -> None:
        """Refresh the elapsed time."""
        if self._bar is not None:
            self._bar.refresh()

    def end(self, stem: str, how: str) -> None:
        """Notebook `stem` ended; print `how`."""
        self._at[stem] = (1, 1)
        line = f"{stem}  {how}"
        if self._bar is None:
            self._last = time.monotonic()
            log(line)
        else:
            self._bar.write(line, file=sys.stderr)
            self._draw()

    def _go_on_reporting(self) -> None:
        """Print what runs where nothing was printed for a while, so that a log shows that the work goes on."""
        while not self._over.wait(max(0.1, self._last + _EVERY - time.monotonic())):
            now = time.monotonic()
            if now >= self._last + _EVERY:
                self._last = now
                ended = sum(done == of for done, of in list(self._at.values()))
                running = f" ({self._running()})" if self._running() else ""
                log(f"... {ended} of {self._notebooks} done after {now - self._began:.0f} s{running}")

    def _running(self) -> str:
        at = [(stem, done, of) for stem, (done, of) in list(self._at.items()) if done < of]
        return ", ".join(f"{stem} cell {done}/{of}" if of > 1 else stem for stem, done, of in at)

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.set_description_str(self._running(), refresh=False)
            self._bar.n = sum(done / of for done, of in self._at.values()) / self._notebooks
            self._bar.refresh()
