"""What all clients have in common: whom they trust, how long they keep connections, what LangFlux refuses; and limits
on what a run may do to somebody's deployment: how many requests, how fast, and whether it may write.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx

from zep_conformance.errors import DeploymentFailed, LimitReached

Hooks = Mapping[str, list[Callable[..., Any]]]
"""httpx event hooks, which see every exchange; and "failure": told of a request, and of the error that came of it."""
KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0)
"""httpx's own numbers, but for the last, in seconds: Node and uvicorn let go of an idle connection after 5, which is
httpx's number, too. A request that was sent at that very moment would meet the end, and a scenario would fail."""


@cache
def trusted() -> ssl.SSLContext:
    """Return the usual authorities, or those in $SSL_CERT_FILE or $SSL_CERT_DIR.

    Loaded once, since each client would take 20 ms for the same list again.
    """
    return httpx.create_ssl_context()


def http_client(
    url: str,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    hooks: Hooks | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Return a client of the server at `url`. timeout: seconds for one request.

    transport: what answers in place of the server, None for the server.
    """
    given: dict[str, Any] = {"base_url": url, "headers": dict(headers or {}), "timeout": timeout}
    if transport is not None:
        given |= {"transport": transport, "trust_env": False}
    else:
        given |= {"verify": trusted(), "limits": KEPT}
    client = httpx.Client(**given)
    client._cookies = _Cookies()
    return hooked(client, hooks or {})


class _Cookies(httpx.Cookies):
    """Cookies, which are looked for where an answer has some: httpx does so in each, by way of two modules."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take those that an answer sets."""
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


def hooked(client: httpx.Client, hooks: Hooks) -> httpx.Client:
    """Let hooks see every exchange of a client, those too that httpx has no hooks for. Return the client.

    They find in a request's extensions when it "began", by time.monotonic().
    """
    client.event_hooks = dict(hooks)
    send = client.send

    def sent(request: httpx.Request, **how: Any) -> httpx.Response:
        request.extensions = {**request.extensions, "began": time.monotonic()}
        try:
            return send(request, **how)
        except httpx.RequestError as error:
            for hook in hooks.get("failure", ()):
                hook(request, error)
            raise

    client.send = sent  # type: ignore[method-assign]
    return client


class LangFluxRefused(DeploymentFailed):
    """LangFlux answered a request that should have worked with an error."""

    def __init__(self, what: str, answer: httpx.Response) -> None:
        super().__init__(f"{what}: LangFlux answered {answer.status_code}: {answer.text[:300]}")
        self.status, self.body = answer.status_code, answer.text


READS_BY_POST = ("/search",)
"""Ends of the paths that are asked with POST and change nothing."""


class Limits:
    """Looks at each request before it is sent (`check` is an httpx request hook).

    max_requests: how many may be sent in all, None for any number. rate: how many a second, None for any.
    read_only: whether requests that could write are forbidden. seconds: how long requests may be sent, None for ever;
    began: since when, by `clock`.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        rate: float | None = None,
        read_only: bool = False,
        seconds: float | None = None,
        began: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_requests, self._rate, self._read_only = max_requests, rate, read_only
        self._sleep, self._clock = sleep, clock
        self._seconds, self._began = seconds, clock() if began is None else began
        self._lock = threading.Lock()
        self._next_slot = 0.0
        self._removing = False
        self.sent = 0

    def lift_budget(self) -> None:
        """Let only rate and read-only hold from now on: what was made must be removed, whatever that takes."""
        self._removing = True

    def time_left(self) -> float | None:
        """Return the seconds until nothing may be sent any more, 0 from then on; None where that is never."""
        if self._seconds is None or self._removing:
            return None
        return max(self._began + self._seconds - self._clock(), 0.0)

    def check_time(self) -> None:
        """Check that the time is not over. Raises LimitReached when it is."""
        if self.time_left() == 0:
            raise LimitReached(f"--time-limit: {self._seconds:g} s are over", code="time-limit")

    def check(self, request: httpx.Request) -> None:
        """Count a request, and hold it back until its turn. Raises LimitReached when it must not be sent."""
        if self._read_only and not self._reads(request):
            raise LimitReached(f"--read-only: {request.method} {request.url.path} could write", code="read-only")
        self.check_time()
        with self._lock:
            if self._max_requests is not None and self.sent >= self._max_requests and not self._removing:
                raise LimitReached(f"--max-requests: {self.sent} requests have been sent", code="max-requests")
            self.sent += 1
            now = self._clock()
            slot = max(now, self._next_slot)
            self._next_slot = slot + (1 / self._rate if self._rate else 0)
        if slot > now:
            self._sleep(slot - now)
            self.check_time()
        if (left := self.time_left()) is not None:
            # Whoever never answers is not waited for any longer than that.
            timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
            shorter = {name: left if seconds is None else min(seconds, left) for name, seconds in timeouts.items()}
            request.extensions = {**request.extensions, "timeout": shorter}

    @staticmethod
    def _reads(request: httpx.Request) -> bool:
        by_post = request.method == "POST" and request.url.path.endswith(READS_BY_POST)
        return by_post or request.method in ("GET", "HEAD", "OPTIONS")
