"""Waiting for a condition: polling with back-off, never a nap."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

T = TypeVar("T")

FIRST_PAUSE = 0.02
GROWTH = 1.15
"""Each pause is this much longer than the one before, so that the last one overshoots by little."""
LONGEST_PAUSE = 0.5


def eventually(check: Callable[[], T], limit: float) -> T:
    """Call `check` until it raises no AssertionError, and return what it returns.

    limit: seconds. Raises the last AssertionError when they have passed; any other exception at once.
    """
    polling = Retrying(
        retry=retry_if_exception_type(AssertionError),
        wait=wait_exponential(multiplier=FIRST_PAUSE, exp_base=GROWTH, max=LONGEST_PAUSE),
        stop=stop_after_delay(limit),
        reraise=True,
    )
    return polling(check)
