"""The table of findings in docs/deployment-files.md, made from the catalogue.

`python -m zep_conformance.docsgen.deployment_files docs/deployment-files.md` writes it into the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from zep_conformance.deployment_files.catalogue import CATALOGUE
from zep_conformance.docsgen.doctor import write

if __name__ == "__main__":
    write(Path(sys.argv[1]), CATALOGUE)
