"""`python -m desertion`."""

import sys

from desertion.cli import command

if __name__ == "__main__":
    sys.exit(command())
