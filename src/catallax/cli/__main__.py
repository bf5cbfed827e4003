"""`python -m catallax.cli` does what `catallax` does."""

import sys

from catallax.cli.main import main

sys.exit(main())
