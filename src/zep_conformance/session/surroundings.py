"""What a run runs on: for whoever reads its report elsewhere, or later."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

_LIBRARIES = ("pytest", "pytest-bdd", "httpx", "zep-python")
"""Those whose versions change what a run asks, or how."""


@cache
def environment() -> dict[str, str]:
    """Return system, cores, Python, and the versions of the libraries that matter, by what they are called."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not installed as a package
            continue
    return found
