"""`python -m desertion`."""

import sys

from desertion.cli import main

sys.exit(main())
