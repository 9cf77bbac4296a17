"""`python -m desertion`."""

import sys

from desertion.engine import fresh

if not fresh.stands(sys.argv[1:]):
    from desertion.cli import main

    sys.exit(main())
