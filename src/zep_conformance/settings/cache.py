"""Where what is worth keeping between runs is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder to keep things in: $ZEP_CONFORMANCE_CACHE, or zep-conformance in the user's cache."""
    if chosen := environment.get("ZEP_CONFORMANCE_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zep-conformance"
