"""API keys: who may call what.

As Flowise 2.2.8 has it without a user name and password: a few paths are open, `x-request-from: internal`
opens all of them, and everything else under /api/v1/ wants an API key as `Authorization: Bearer <key>`.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zep_conformance.embedded.langflux.answers import Json

OPEN_PATHS = ("/api/v1/prediction/", "/api/v1/ip", "/api/v1/ping", "/api/v1/version")
"""What paths that need no key begin with: of Flowise's WHITELIST_URLS those that anybody asks for."""


class KeyCheck:
    """Lets through who may, and marks every answer as one of an embedded LangFlux.

    variant: "documented", "recorded" or "mutated", for the header X-LangFlux-Embedded.
    """

    def __init__(self, app: ASGIApp, *, api_key: str, variant: str) -> None:
        self._app, self._api_key, self._variant = app, api_key, variant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-LangFlux-Embedded"] = self._variant
                headers.setdefault("Vary", "Origin")
            await send(message)

        if self._may_pass(scope["path"], Headers(scope=scope)):
            await self._app(scope, receive, marked)
        else:
            refusal = Json({"error": "Unauthorized Access"}, status_code=401)
            await refusal(scope, receive, marked)

    def _may_pass(self, path: str, headers: Headers) -> bool:
        if "/api/v1/" not in path.lower():
            return True
        if "/api/v1/" not in path:  # Express would route it in any case; the key must not be got round so.
            return False
        return path.startswith(OPEN_PATHS) or headers.get("x-request-from") == "internal" or self._is_key(headers)

    def _is_key(self, headers: Headers) -> bool:
        supplied = headers.get("authorization", "").split("Bearer ")[-1]
        return hmac.compare_digest(supplied.encode(), self._api_key.encode())
