"""Where the suite itself is: features, steps, fixtures and their data; and how many processors it has here."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_INSTALLED = Path(__file__).resolve().parent / "_suite"


def is_installed() -> bool:
    """Return whether this is an installed copy, not a checkout."""
    return _INSTALLED.is_dir()


@cache
def root() -> Path:
    """Return the folder that holds features/, steps/, fixtures/ and conftest.py.

    In a checkout that is its top; an installed wheel carries a copy inside the package.
    """
    return _INSTALLED if is_installed() else Path(__file__).resolve().parents[2]


def measurements() -> Path:
    """Return the folder with what whole runs on real versions came to."""
    return root() / "docs" / "data"


def data() -> Path:
    """Return the folder with requirements, deviations and recordings."""
    return root() / "fixtures" / "data"


def cores() -> int:
    """Return how many processors this process may use; 1 where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
