"""Waiting for a condition: polling with back-off, never a nap."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from zep_conformance.clients import clock
from zep_conformance.clients.recorded import NotRecorded

T = TypeVar("T")

FIRST_PAUSE = 0.02
GROWTH = 1.15
"""Each pause is this much longer than the one before, so that the last one overshoots by little."""
LONGEST_PAUSE = 0.5
NEARLY = 0.95
"""The share of a limit that has passed by what a recording has of a wait that came to its end."""


def eventually(check: Callable[[], T], limit: float) -> T:
    """Call `check` until it raises no AssertionError, and return what it returns.

    limit: seconds. Raises the last AssertionError when they have passed; any other exception at once. A recording that
    ends when they have nearly passed has the whole of a wait that was in vain.
    """
    began = clock.monotonic()
    unmet: list[AssertionError] = []

    def noting() -> T:
        try:
            return check()
        except AssertionError as error:
            unmet[:] = [error]
            raise

    def is_over(_: RetryCallState) -> bool:
        return clock.monotonic() - began >= limit

    polling = Retrying(
        retry=retry_if_exception_type(AssertionError),
        wait=wait_exponential(multiplier=FIRST_PAUSE, exp_base=GROWTH, max=LONGEST_PAUSE),
        stop=is_over,
        sleep=clock.sleep,
        reraise=True,
    )
    try:
        return polling(noting)
    except NotRecorded as ended:
        if unmet and clock.monotonic() - began >= limit * NEARLY:
            ended.excuse()
            raise unmet[0] from None
        raise
