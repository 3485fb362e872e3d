"""How long connections are kept for a next request."""

from __future__ import annotations

import httpx

KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0)
"""httpx's own numbers, but for the last, in seconds: Node and uvicorn let go of an idle connection after 5, which is
httpx's number, too. A request that was sent at that very moment would meet the end, and a scenario would fail."""
