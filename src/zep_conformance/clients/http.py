"""What all clients have in common: whom they trust, how long they keep connections, and what LangFlux refuses."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx

from zep_conformance.errors import DeploymentFailed

Hooks = Mapping[str, list[Callable[..., Any]]]
"""httpx event hooks, which see every exchange."""
KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0)
"""httpx's own numbers, but for the last, in seconds: Node and uvicorn let go of an idle connection after 5, which is
httpx's number, too. A request that was sent at that very moment would meet the end, and a scenario would fail."""


@cache
def trusted() -> ssl.SSLContext:
    """Return the usual authorities, or those in $SSL_CERT_FILE or $SSL_CERT_DIR.

    Loaded once, since each client would take 20 ms for the same list again.
    """
    return httpx.create_ssl_context()


class LangFluxRefused(DeploymentFailed):
    """LangFlux answered a request that should have worked with an error."""

    def __init__(self, what: str, answer: httpx.Response) -> None:
        super().__init__(f"{what}: LangFlux answered {answer.status_code}: {answer.text[:300]}")
        self.status = answer.status_code
