"""The page in a headless browser: when it is ready, and how long the table takes to filter 5,000 statements.

Needs what tests/test_report_browser.py needs, and a built page (`make`). Run: python benchmarks/bench_page.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from desertion.project import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests"))
from report_pages import many_data, render
from test_report_browser import browse


def main() -> None:
    """Print milliseconds, each beside its aim."""
    views = browse(BUILD / "default" / "report.html", "open")["views"]
    times = sorted(view["milliseconds"] for view in views)
    print(f"page ready: {times[0]:.0f} ms at best, {times[len(times) // 2]:.0f} ms in the middle (aim: under 1,000)")
    with tempfile.TemporaryDirectory() as folder:
        filtered = sorted(browse(render(Path(folder), many_data(5000)), "filter")["milliseconds"])
    print(f"filter 5,000 statements: {filtered[len(filtered) // 2]:.0f} ms in the middle (aim: under 200)")


if __name__ == "__main__":
    main()
