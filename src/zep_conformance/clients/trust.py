"""Whom TLS connections trust: loaded once, since each client would take 20 ms for the same list again."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The usual authorities, or those in $SSL_CERT_FILE or $SSL_CERT_DIR."""
    return httpx.create_ssl_context()
