"""The embedded Zep as an ASGI application.

    application = create_app(ZepSettings(database=Path("zep.sqlite3"), model_url=None, nlp_url=None))

serves, as Zep 0.27.2 does: /healthz, /admin, and under /api/v1 sessions, memory, messages, search and users;
and /openapi.json, which describes that. Document collections are not there.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zep_conformance.embedded.behaviours import variant
from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep import api_memory
from zep_conformance.embedded.zep.auth import Guard
from zep_conformance.embedded.zep.defects import OPEN_ROUTES
from zep_conformance.embedded.zep.departures import CATALOGUE
from zep_conformance.embedded.zep.enrichment import Enrichment
from zep_conformance.embedded.zep.neighbours import Neighbours
from zep_conformance.embedded.zep.openapi import describe
from zep_conformance.embedded.zep.operations import by_resource, wants_token
from zep_conformance.embedded.zep.paths import Target, parse
from zep_conformance.embedded.zep.refusals import Refusal, not_found
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.store import Store
from zep_conformance.embedded.zep.storeserver import StoreDown, StoreServer
from zep_conformance.embedded.zep.wire import NOT_FOUND_PAGE, page, plain, refused
from zep_conformance.facts.servers import ZEP_VERSION

log = logging.getLogger(__name__)

MISTAKES_BORNE = 10
"""Malformed requests after which a server that they wear out is done for."""


@dataclass(frozen=True)
class ZepSettings:
    """How to run an embedded Zep.

    database: SQLite file, made if missing. model_url: OpenAI-compatible base URL with /v1; nlp_url: Zep's NLP
    server; without one, the tasks that need it wait. auth_secret: None lets everybody in. message_window: as
    ZEP_MEMORY_MESSAGE_WINDOW. store_server: host and port of the database server without which nothing is stored,
    None for none. web: whether there is /admin. recorded_behaviours: names of those that are
    shown. mutations: names of those that are planted.
    """

    database: Path
    model_url: str | None = None
    nlp_url: str | None = None
    auth_secret: str | None = None
    message_window: int = 12
    store_server: tuple[str, int] | None = None
    web: bool = True
    recorded_behaviours: frozenset[str] = frozenset()
    mutations: frozenset[str] = frozenset()


class _Dispatcher:
    """From a request to its handler. Starlette's own routing decodes a path before it takes it apart."""

    def __init__(self, settings: ZepSettings, departures: Departures) -> None:
        self._departures = departures
        self._guard = Guard(settings.auth_secret, departures)
        self._version = (
            b"x-zep-version",
            f"{_version(departures)}-embedded ({variant(settings.recorded_behaviours, settings.mutations)})".encode(),
        )
        self._operations = by_resource(departures, web=settings.web)
        self._mistakes = 0
        self.service: Service | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = self._refused(refusal)
        except ClientDisconnect:
            return
        except sqlite3.Error as error:
            log.exception("%s %s", request.method, scope["path"])
            response = refused(Refusal(500, f"storage error: {error}"))
        except Exception:
            log.exception("%s %s", request.method, scope["path"])
            response = refused(Refusal(500, "internal error"))
        if "version-missing" not in self._departures:
            response.raw_headers.append(self._version)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw: bytes | None = request.scope.get("raw_path")
        path = request.scope["path"] if raw is None else raw.partition(b"?")[0].decode("latin-1")
        target = parse(path, self._departures)
        if self._mistakes > MISTAKES_BORNE:
            raise Refusal(503, "worn out")
        if self._needs_token(target, request.method):
            await self._check_token(request, target)
        known = self._operations.get(target.resource)
        if target.resource == "collections":
            return plain("[]\n")
        if known is None:
            return page(NOT_FOUND_PAGE, 404)
        if target.ids and not target.ids[0]:
            raise not_found()
        operation = known.get(request.method)
        if operation is None:
            if target.resource == "healthz" and "healthz-404-else" in self._departures:
                return page(NOT_FOUND_PAGE, 404)
            return Response(status_code=405, headers={"allow": ", ".join(known)})
        assert self.service is not None, "a request before the start"
        if operation.stored:
            try:
                await self.service.store_is_up()
            except StoreDown as error:
                if "store-down-acknowledged" in self._departures and request.method == "POST":
                    return plain("OK")
                raise Refusal(500, f"failed to connect to the database: {error}") from error
        return await operation.handler(self.service, request, *target.ids)

    async def _check_token(self, request: Request, target: Target) -> None:
        """Raises Refusal 401, unless a planted defect has it otherwise."""
        try:
            self._guard.check(request.headers)
        except Refusal as refusal:
            if "refused-write-stored" in self._departures and (target.resource, request.method) == ("memory", "POST"):
                assert self.service is not None, "a request before the start"
                await api_memory.post_memory(self.service, request, *target.ids)
            status = 500 if "refusal-is-500" in self._departures else refusal.status
            raise Refusal(status, "" if "refusal-unexplained" in self._departures else refusal.reason) from refusal

    def _refused(self, refusal: Refusal) -> Response:
        """The answer to a request that is refused; a planted defect may make another one of a mistake's."""
        departures = self._departures
        if refusal.status != 400 or not departures.active:
            return refused(refusal)
        if "malformed-kills" in departures:
            os._exit(1)
        if "malformed-wears-out" in departures:
            self._mistakes += 1
        if "malformed-accepted" in departures:
            return plain("OK")
        status = 500 if "malformed-500" in departures else refusal.status
        return refused(Refusal(status, "" if "malformed-unexplained" in departures else refusal.reason))

    def _needs_token(self, target: Target, method: str) -> bool:
        departures = self._departures
        if departures.active and any(
            route == (target.resource, method) and name in departures for name, route in OPEN_ROUTES.items()
        ):
            return False
        return wants_token(target.resource, departures)


def _version(departures: Departures) -> str:
    if "version-too-new" in departures:
        return "1.0.2"
    return "0.19.0" if "version-too-old" in departures else ZEP_VERSION


def create_app(settings: ZepSettings) -> Starlette:
    """The server as an ASGI application; its lifespan opens the database and runs the workers.

    Raises KeyError for an unknown departure, ValueError for an empty secret or a window below 1.
    """
    if settings.message_window < 1:
        raise ValueError("the message window must be at least 1")
    departures = Departures(CATALOGUE, settings.recorded_behaviours | settings.mutations)
    dispatcher = _Dispatcher(settings, departures)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        store = Store(settings.database, departures)
        store_server = StoreServer(settings.store_server, departures)
        neighbours = Neighbours(settings.model_url, settings.nlp_url)
        enrichment = Enrichment(
            store,
            neighbours,
            settings.message_window,
            model=settings.model_url is not None,
            nlp=settings.nlp_url is not None,
            store_server=store_server,
        )
        description = json.dumps(describe(departures, secured=settings.auth_secret is not None, web=settings.web))
        service = Service(store, store_server, neighbours, enrichment, departures, settings.message_window, description)
        enrichment.start()
        dispatcher.service = service
        try:
            yield
        finally:
            await service.close()

    application = Starlette(lifespan=lifespan)
    # Not a Mount: its pattern matches no path with a newline in it.
    application.router.default = dispatcher
    return application
