"""Limits on what a run may do to somebody's deployment: how many requests, how fast, and whether it may write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx

from zep_conformance.errors import LimitReached

_READS_BY_POST = ("/search",)
"""Ends of the paths that are asked with POST and change nothing."""


class Limits:
    """Looks at each request before it is sent (`check` is an httpx request hook).

    max_requests: how many may be sent in all, None for any number. rate: how many a second, None for any.
    read_only: whether requests that could write are forbidden.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        rate: float | None = None,
        read_only: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_requests = max_requests
        self._rate = rate
        self._read_only = read_only
        self._sleep, self._clock = sleep, clock
        self._lock = threading.Lock()
        self._next_slot = 0.0
        self._removing = False
        self.sent = 0

    def lift_budget(self) -> None:
        """Let only rate and read-only hold from now on: what was made must be removed, whatever that takes."""
        self._removing = True

    def check(self, request: httpx.Request) -> None:
        """Count a request, and hold it back until its turn. Raises LimitReached when it must not be sent."""
        if self._read_only and not self._reads(request):
            raise LimitReached(f"--read-only: {request.method} {request.url.path} could write", code="read-only")
        with self._lock:
            if self._max_requests is not None and self.sent >= self._max_requests and not self._removing:
                raise LimitReached(f"--max-requests: {self.sent} requests have been sent", code="max-requests")
            self.sent += 1
            now = self._clock()
            slot = max(now, self._next_slot)
            self._next_slot = slot + (1 / self._rate if self._rate else 0)
        if slot > now:
            self._sleep(slot - now)

    @staticmethod
    def _reads(request: httpx.Request) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return True
        return request.method == "POST" and request.url.path.endswith(_READS_BY_POST)
