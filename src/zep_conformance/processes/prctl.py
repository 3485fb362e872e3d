"""What Linux offers so that no process outlives the one that it serves; elsewhere these do nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
"""prctl(2): PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER."""
# Loaded here, since between fork and exec as little as possible may happen.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """What a new process calls first so that it gets a signal when `parent`, which forks it now, ends."""

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_SET_DEATH_SIGNAL, int(number), 0, 0, 0)
            if os.getppid() != parent:  # it ended in between
                os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that it can be found and ended."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
