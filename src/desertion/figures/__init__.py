"""The curated statements: read, validated, corrected and cut at a date. A *figure* is a published number."""

from desertion.errors import DataError
from desertion.figures.check import check, examine, unarchived
from desertion.figures.fault import Fault
from desertion.figures.fmt import fmt
from desertion.figures.load import Data, load, table, typed, vintages
from desertion.figures.selection import select

__all__ = [
    "Data", "DataError", "Fault", "check", "examine", "fmt", "load", "select", "table", "typed", "unarchived",
    "vintages",
]  # fmt: skip
