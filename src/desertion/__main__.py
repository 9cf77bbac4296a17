"""`python -m desertion`."""

import sys

from desertion.engine import fresh

if __name__ == "__main__" and not fresh.stands(sys.argv[1:]):
    from desertion.cli import main

    sys.exit(main())
