"""The time that everything goes by: this machine's, or that of a recording which is replayed.

began = clock.monotonic()
…
with clock.running(another):        # in every thread, until the block ends
    …
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Clock:
    """This machine's."""

    def now(self) -> datetime:
        """Return the time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)


_running = Clock()


def now() -> datetime:
    """Return the time of day, UTC."""
    return _running.now()


def monotonic() -> float:
    """Return seconds since some moment."""
    return _running.monotonic()


def sleep(seconds: float) -> None:
    """Let so many seconds pass."""
    _running.sleep(seconds)


@contextmanager
def running(clock: Clock) -> Iterator[None]:
    """Go by another clock inside the block, in all threads."""
    global _running
    before, _running = _running, clock
    try:
        yield
    finally:
        _running = before
