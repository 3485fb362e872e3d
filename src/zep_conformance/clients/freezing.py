"""A Zep that is frozen: it answers its health check, and nothing that needs its store (DEV-15)."""

from __future__ import annotations

import time

import httpx

from zep_conformance.errors import DeploymentFailed
from zep_conformance.facts.servers import HEALTH_PATHS

HEALTHY = 1.0
"""Seconds within which the health check of a Zep is answered that is there, and not merely slow or far away."""


class Frozen(DeploymentFailed):
    """Zep answered nothing for some seconds, and its health check meanwhile."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Zep is frozen: it has not answered a read of a session that nobody writes to for {seconds:g} s, while "
            "/healthz answers"
        )


def read(client: httpx.Client, path: str, patience: float) -> httpx.Response:
    """Return the answer to a read. Raises Frozen where none comes though Zep is healthy, else httpx.HTTPError.

    client: one that has the token. path: of something that nobody writes to. patience: seconds to wait for the answer.
    """
    try:
        return client.get(path, timeout=patience)
    except httpx.TimeoutException:
        if not _is_healthy(client):
            raise
        raise Frozen(patience) from None


def _is_healthy(client: httpx.Client) -> bool:
    try:
        return client.get(HEALTH_PATHS["zep"], timeout=HEALTHY).status_code == 200
    except httpx.HTTPError:
        return False


def await_end(client: httpx.Client, path: str, limit: float) -> float:
    """Wait until a frozen Zep answers again. Return the seconds that it took; more than `limit` where it has not."""
    began = time.monotonic()
    try:
        client.get(path, timeout=limit)
    except httpx.HTTPError:
        return max(limit, time.monotonic() - began)
    return time.monotonic() - began
