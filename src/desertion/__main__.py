"""`python -m desertion`."""

import sys

from desertion.cli import main

if __name__ == "__main__":
    sys.exit(main())
