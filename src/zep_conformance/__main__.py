"""`python -m zep_conformance` is `zep-conformance`."""

import sys

from zep_conformance.cli.main import main

sys.exit(main())
