"""AWOL and desertion convictions in the Russian military: figures, trends, plots and the report."""

from __future__ import annotations

import sys
from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Let each data frame that a cell shows leave its record for the report, and a kernel show plots as SVG.

    IPython calls this for `--ext=desertion`; in a kernel that imports the package after its start the import does.
    """

    def record(frame: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from desertion import tables

        html = frame._repr_html_()  # None where pandas is told to show text
        return {"text/html": tables.by_row(html)} if html else {}, tables.of_frame(frame).metadata()

    shell.display_formatter.mimebundle_formatter.for_type_by_name("pandas", "DataFrame", record)
    if hasattr(shell, "kernel") and "ipykernel" in sys.modules:
        from desertion import inline

        inline.set_up(shell)


if (_ipython := sys.modules.get("IPython")) is not None and (_shell := _ipython.get_ipython()) is not None:
    load_ipython_extension(_shell)
