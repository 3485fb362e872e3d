"""httpx without its own command line: who imports this before httpx is spared rich and Pygments, at every start.

It imports them wherever it can, and does without where it can't. Nothing of ours uses that command line.
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # that is how an import is made to fail
