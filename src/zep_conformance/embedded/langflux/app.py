"""The embedded LangFlux as an ASGI application.

app = create_app(LangFluxSettings(database=Path("langflux.sqlite3"), api_key="…"))
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zep_conformance.embedded.behaviours import variant
from zep_conformance.embedded.langflux import chat_messages, handlers
from zep_conformance.embedded.langflux.answers import Handler, Json, answered
from zep_conformance.embedded.langflux.mutations import MUTATIONS
from zep_conformance.embedded.langflux.services import LangFluxSettings, Services

_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "prediction/{id}", handlers.answer_prediction),
    ("GET", "chatmessage/{id}", chat_messages.list_chat_messages),
    ("DELETE", "chatmessage/{id}", chat_messages.delete_chat_messages),
    ("GET", "chatflows", handlers.list_flows),
    ("POST", "chatflows", handlers.add_flow),
    ("GET", "chatflows/{id}", handlers.get_flow),
    ("DELETE", "chatflows/{id}", handlers.delete_flow),
    ("GET", "credentials", handlers.list_credentials),
    ("POST", "credentials", handlers.add_credential),
    ("GET", "credentials/{id}", handlers.get_credential),
    ("PUT", "credentials/{id}", handlers.update_credential),
    ("DELETE", "credentials/{id}", handlers.delete_credential),
    ("GET", "components-credentials/{name}", handlers.get_credential_type),
    ("GET", "nodes/{name}", handlers.get_node),
    ("GET", "marketplaces/templates", handlers.list_templates),
    ("GET", "apikey", handlers.list_keys),
    ("GET", "ping", handlers.ping),
    ("GET", "version", handlers.version),
)
OPEN_PATHS = ("/api/v1/prediction/", "/api/v1/ip", "/api/v1/ping", "/api/v1/version")
"""What paths that need no key begin with: of Flowise's WHITELIST_URLS those that anybody asks for."""


class KeyCheck:
    """Lets through who may, and marks every answer as one of an embedded LangFlux.

    As Flowise 2.2.8 has it without a user name and password: a few paths are open, `x-request-from: internal` opens all
    of them, and everything else under /api/v1/ wants an API key as `Authorization: Bearer <key>`.

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


def create_app(settings: LangFluxSettings) -> Starlette:
    """Return the application.

    Raises KeyError for a recorded behaviour or a mutation that there is not, sqlite3.Error or OSError when the
    database can't be used.
    """
    services = Services(settings)
    MUTATIONS.plant(settings.mutations, services)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await services.close()

    routes = [Route(f"/api/v1/{path}", answered(handler), methods=[method]) for method, path, handler in _ROUTES]
    routes.append(Route("/{rest:path}", handlers.web_page, methods=_EVERY_METHOD))
    called = variant(settings.recorded_behaviours, settings.mutations)
    app = Starlette(
        routes=routes, middleware=[Middleware(KeyCheck, api_key=services.api_key, variant=called)], lifespan=lifespan
    )
    app.state.services = services
    return app
