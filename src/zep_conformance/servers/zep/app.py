"""The embedded Zep as an ASGI application.

    application = create_app(ZepSettings(database=Path("zep.sqlite3"), model_url=None, nlp_url=None))

serves, as Zep 0.27.2 does: /healthz, /admin, and under /api/v1 sessions, memory, messages, search and users.
Document collections are not there.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from zep_conformance.servers.departures import Departures
from zep_conformance.servers.zep import api_admin, api_memory, api_sessions
from zep_conformance.servers.zep.auth import Guard
from zep_conformance.servers.zep.departures import CATALOGUE, manner
from zep_conformance.servers.zep.enrichment import Enrichment
from zep_conformance.servers.zep.neighbours import Neighbours
from zep_conformance.servers.zep.paths import Target, parse
from zep_conformance.servers.zep.refusals import Refusal, not_found
from zep_conformance.servers.zep.service import Service
from zep_conformance.servers.zep.store import Store
from zep_conformance.servers.zep.wire import NOT_FOUND_PAGE, page, refused

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Response]]

_HANDLERS: dict[str, dict[str, Handler]] = {
    "sessions": {"GET": api_sessions.list_sessions, "POST": api_sessions.create_session},
    "session": {"GET": api_sessions.get_session, "PATCH": api_sessions.update_session},
    "memory": {
        "GET": api_memory.get_memory,
        "POST": api_memory.post_memory,
        "DELETE": api_memory.delete_memory,
    },
    "messages": {"GET": api_memory.list_messages},
    "message": {"GET": api_memory.get_message, "PATCH": api_memory.update_message},
    "search": {"POST": api_memory.post_search},
    "users": {"GET": api_sessions.list_users, "POST": api_sessions.create_user},
    "user": {
        "GET": api_sessions.get_user,
        "PATCH": api_sessions.update_user,
        "DELETE": api_sessions.delete_user,
    },
    "user_sessions": {"GET": api_sessions.list_user_sessions},
    "admin": {"GET": api_admin.admin, "DELETE": api_admin.admin},
}


@dataclass(frozen=True)
class ZepSettings:
    """How to run an embedded Zep.

    database: SQLite file, made if missing. model_url: OpenAI-compatible base URL with /v1; nlp_url: Zep's NLP
    server; without one, the tasks that need it wait. auth_secret: None lets everybody in. message_window: as
    ZEP_MEMORY_MESSAGE_WINDOW. departures: names from `departures.CATALOGUE`.
    """

    database: Path
    model_url: str | None = None
    nlp_url: str | None = None
    auth_secret: str | None = None
    message_window: int = 12
    departures: frozenset[str] = frozenset()


class _Dispatcher:
    """From a request to its handler. Starlette's own routing decodes a path before it takes it apart."""

    def __init__(self, settings: ZepSettings, departures: Departures) -> None:
        self._departures = departures
        self._guard = Guard(settings.auth_secret)
        self._version = (b"x-zep-version", f"0.27.2-embedded ({manner(departures)})".encode())
        self.service: Service | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = refused(refusal)
        except ClientDisconnect:
            return
        except sqlite3.Error as error:
            log.exception("%s %s", request.method, scope["path"])
            response = refused(Refusal(500, f"storage error: {error}"))
        except Exception:
            log.exception("%s %s", request.method, scope["path"])
            response = refused(Refusal(500, "internal error"))
        response.raw_headers.append(self._version)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw: bytes | None = request.scope.get("raw_path")
        path = request.scope["path"] if raw is None else raw.partition(b"?")[0].decode("latin-1")
        target = parse(path, self._departures)
        if target.resource == "healthz" and request.method in ("GET", "HEAD"):
            return Response(".", headers={"content-type": "text/plain"})
        if self._needs_token(target):
            self._guard.check(request.headers)
        handlers = _HANDLERS.get(target.resource)
        if handlers is None:
            return page(NOT_FOUND_PAGE, 404)
        if target.ids and not target.ids[0] and target.resource != "admin":
            raise not_found()
        handler = handlers.get(request.method)
        if handler is None:
            return Response(status_code=405, headers={"allow": ", ".join(handlers)})
        assert self.service is not None, "a request before the start"
        return await handler(self.service, request, *target.ids)

    def _needs_token(self, target: Target) -> bool:
        if target.resource == "admin":
            return "admin-without-token" not in self._departures
        return target.resource not in ("", "healthz")


def create_app(settings: ZepSettings) -> Starlette:
    """The server as an ASGI application; its lifespan opens the database and runs the workers.

    Raises KeyError for an unknown departure, ValueError for an empty secret or a window below 1.
    """
    if settings.message_window < 1:
        raise ValueError("the message window must be at least 1")
    departures = Departures(CATALOGUE, settings.departures)
    dispatcher = _Dispatcher(settings, departures)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        store = Store(settings.database, departures)
        neighbours = Neighbours(settings.model_url, settings.nlp_url)
        enrichment = Enrichment(
            store,
            neighbours,
            settings.message_window,
            model=settings.model_url is not None,
            nlp=settings.nlp_url is not None,
        )
        service = Service(store, neighbours, enrichment, departures, settings.message_window)
        enrichment.start()
        dispatcher.service = service
        try:
            yield
        finally:
            await service.close()

    return Starlette(routes=[Mount("/", app=dispatcher)], lifespan=lifespan)
