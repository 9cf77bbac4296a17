"""How long page and PDF take to render; in a headless browser, when the page is ready and how fast it filters.

Needs what tests/test_report_browser.py needs, and a built page (`make`). Run: python benchmarks/bench_page.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from desertion import figures, params, report
from desertion.project import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests"))
from support.browser import browse
from support.pages import many_data, render


def rendering() -> float:
    """Seconds from the executed notebooks of the default edition to its page and PDF, imports not counted."""
    place, edition = BUILD / "default", params.edition("default")
    with tempfile.TemporaryDirectory() as folder:
        data = figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)
        start = time.perf_counter()
        executed = sorted((place / "notebooks").glob("*.ipynb"))
        report.render(edition, executed, Path(folder) / "report.html", plots=place / "plots", data=data)
        return time.perf_counter() - start


def main() -> None:
    """Print seconds and milliseconds, each beside its aim."""
    seconds = sorted(rendering() for _ in range(5))
    print(f"page and PDF rendered: {seconds[0]:.2f} s at best, {seconds[2]:.2f} s in the middle (aim: under 6)")
    views = browse(BUILD / "default" / "report.html", "open")["views"]
    times = sorted(view["milliseconds"] for view in views)
    print(f"page ready: {times[0]:.0f} ms at best, {times[len(times) // 2]:.0f} ms in the middle (aim: under 1,000)")
    with tempfile.TemporaryDirectory() as folder:
        filtered = sorted(browse(render(Path(folder), many_data(5000)), "filter")["milliseconds"])
    print(f"filter 5,000 statements: {filtered[len(filtered) // 2]:.0f} ms in the middle (aim: under 200)")


if __name__ == "__main__":
    main()
