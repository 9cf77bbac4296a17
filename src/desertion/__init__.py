"""AWOL and desertion convictions in the Russian military: figures, trends, plots and the report."""

__version__ = "0.1.0"
