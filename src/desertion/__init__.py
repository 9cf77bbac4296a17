"""AWOL and desertion convictions in the Russian military: figures, trends, plots and the report."""

from desertion import imported as _imported

__version__ = "0.1.0"

_imported.watch()
