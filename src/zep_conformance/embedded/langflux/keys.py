"""API keys: who may call what.

As Flowise 2.2.8 has it without a user name and password: a few paths are open, `x-request-from: internal`
opens all of them, and everything else under /api/v1/ wants an API key as `Authorization: Bearer <key>`.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zep_conformance.embedded.langflux.answers import Json
from zep_conformance.embedded.langflux.settings import Shared

OPEN_PATHS = (
    "/api/v1/verify/apikey/",
    "/api/v1/chatflows/apikey/",
    "/api/v1/public-chatflows",
    "/api/v1/public-chatbotConfig",
    "/api/v1/prediction/",
    "/api/v1/node-icon/",
    "/api/v1/components-credentials-icon/",
    "/api/v1/chatflows-streaming",
    "/api/v1/chatflows-uploads",
    "/api/v1/ip",
    "/api/v1/ping",
    "/api/v1/version",
)
"""What paths that need no key begin with (Flowise's WHITELIST_URLS, as far as they are served here)."""


def key_id(api_key: str) -> str:
    """The id under which the key is listed, and which a chatflow names in its `apikeyid`."""
    return hashlib.sha256(b"id:" + api_key.encode()).hexdigest()[:32]


@lru_cache(maxsize=4)
def _secret_hash(api_key: str) -> str:
    """The salted hash that is listed beside a key; only shown, never compared with."""
    salt = hashlib.sha256(b"salt:" + api_key.encode()).hexdigest()[:16]
    return f"{hashlib.scrypt(api_key.encode(), salt=salt.encode(), n=16384, r=8, p=1).hex()}.{salt}"


def listed_keys(parts: Shared) -> list[dict[str, Any]]:
    """The keys as GET /api/v1/apikey lists them: the DefaultKey, with the chatflows bound to it."""
    api_key = parts.settings.api_key
    ident = key_id(api_key)
    bound = [
        {"flowName": flow["name"], "category": flow["category"], "updatedDate": flow["updatedDate"]}
        for flow in parts.store.flows()
        if flow["apikeyid"] == ident
    ]
    key = {
        "keyName": "DefaultKey",
        "apiKey": api_key,
        "apiSecret": _secret_hash(api_key),
        "createdAt": datetime.now(UTC).strftime("%d-%b-%y"),
        "id": ident,
        "chatFlows": bound,
    }
    return [key]


def _fits(api_key: str, headers: Headers) -> bool:
    supplied = headers.get("authorization", "").split("Bearer ")[-1]
    return hmac.compare_digest(supplied.encode(), api_key.encode())


def flow_key_fits(parts: Shared, chatflow: dict[str, Any], request: Request) -> bool:
    """Whether a request may use a chatflow: one that is bound to a key wants that key."""
    if not chatflow["apikeyid"]:
        return True
    known = chatflow["apikeyid"] == key_id(parts.settings.api_key)
    return known and _fits(parts.settings.api_key, request.headers)


class Gate:
    """Lets through who may, and marks every answer as one of an embedded LangFlux.

    manner: "documented", "faithful" or "departing", for the header X-LangFlux-Embedded.
    """

    def __init__(self, app: ASGIApp, api_key: str, manner: str) -> None:
        self._app, self._api_key, self._manner = app, api_key, manner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-LangFlux-Embedded"] = self._manner
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
        return (
            path.startswith(OPEN_PATHS)
            or headers.get("x-request-from") == "internal"
            or (_fits(self._api_key, headers))
        )
