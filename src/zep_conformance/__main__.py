"""`python -m zep_conformance` is `zep-conformance`."""

from zep_conformance.cli.main import main

main()
