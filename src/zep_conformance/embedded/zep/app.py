"""The embedded Zep as an ASGI application.

    application = create_app(ZepSettings(database=Path("zep.sqlite3"), model_url=None, nlp_url=None))

serves, as Zep 0.27.2 does: /healthz, /admin, and under /api/v1 sessions, memory, messages, search and users;
and /openapi.json, which describes that. Document collections are not there.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zep_conformance.embedded.behaviours import Behaviours, variant
from zep_conformance.embedded.zep.auth import Guard
from zep_conformance.embedded.zep.connections import Connections
from zep_conformance.embedded.zep.enrichment import Enrichment
from zep_conformance.embedded.zep.locks import RecordLocks
from zep_conformance.embedded.zep.neighbours import Neighbours
from zep_conformance.embedded.zep.operations import by_resource, describe, wants_token
from zep_conformance.embedded.zep.paths import NamedResource, Paths
from zep_conformance.embedded.zep.search import Search
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.store import Store, StoreDown, StoreServer
from zep_conformance.embedded.zep.wire import NOT_FOUND_PAGE, Refusal, not_found, page, refused
from zep_conformance.facts.servers import ENOUGH_CORES, FREEZE, ZEP_VERSION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ZepSettings:
    """How to run an embedded Zep.

    database: SQLite file, made if missing. model_url: OpenAI-compatible base URL with /v1; nlp_url: Zep's NLP
    server; without one, the tasks that need it wait. auth_secret: None lets everybody in. message_window: as
    ZEP_MEMORY_MESSAGE_WINDOW. store_server: host and port of the database server without which nothing is stored,
    None for none. web: whether there is /admin. cores, freeze: see `connections.Connections`.
    version: what it says that it is. recorded_behaviours: names of those that are shown. mutations: names of those that
    are planted.
    """

    database: Path
    model_url: str | None = None
    nlp_url: str | None = None
    auth_secret: str | None = None
    message_window: int = 12
    store_server: tuple[str, int] | None = None
    web: bool = True
    cores: int = ENOUGH_CORES
    freeze: float = FREEZE
    version: str = ZEP_VERSION
    recorded_behaviours: frozenset[str] = frozenset()
    mutations: frozenset[str] = frozenset()


class EmbeddedZep:
    """A Zep put together: from a request to its handler, and what handlers are given.

    Starlette's own routing would decode a path before it takes it apart. operations: by resource and method. headers:
    sent with every answer.
    """

    def __init__(self, settings: ZepSettings) -> None:
        behaviours = self._behaviours = Behaviours("zep", settings.recorded_behaviours)
        self.guard = Guard(settings.auth_secret)
        self.paths = Paths(behaviours)
        self.operations = by_resource(behaviours, web=settings.web)
        version = f"{settings.version}-embedded ({variant(settings.recorded_behaviours, settings.mutations)})"
        self.headers = [(b"x-zep-version", version.encode())]
        store = Store(settings.database, behaviours, settings.version)
        store_server = StoreServer(settings.store_server)
        neighbours = Neighbours(settings.model_url, settings.nlp_url)
        self.service = Service(
            store=store,
            store_server=store_server,
            connections=Connections(behaviours, cores=settings.cores, freeze=settings.freeze),
            locks=RecordLocks(behaviours),
            neighbours=neighbours,
            enrichment=Enrichment(
                store,
                neighbours,
                window=settings.message_window,
                model=settings.model_url is not None,
                nlp=settings.nlp_url is not None,
                store_server=store_server,
            ),
            search=Search(store.database),
            behaviours=behaviours,
            window=settings.message_window,
            description=describe(secured=settings.auth_secret is not None, web=settings.web),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
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
        response.raw_headers += self.headers
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request. Raises Refusal, and sqlite3.Error for a broken store."""
        raw: bytes | None = request.scope.get("raw_path")
        path = request.scope["path"] if raw is None else raw.partition(b"?")[0].decode("latin-1")
        target = self.paths.parse(path)
        await self.admit(request, target)
        known = self.operations.get(target.resource)
        if known is None:
            return page(NOT_FOUND_PAGE, 404)
        if target.ids and not target.ids[0]:
            raise not_found()
        operation = known.get(request.method)
        if operation is None:
            if target.resource == "healthz" and "healthz-404-else" in self._behaviours:
                return page(NOT_FOUND_PAGE, 404)
            return Response(status_code=405, headers={"allow": ", ".join(known)})
        if operation.stored:
            try:
                await self.service.store_server.check()
            except StoreDown as error:
                raise Refusal(500, f"failed to connect to the database: {error}") from error
            await self.service.connections.free()
        return await operation.handler(self.service, request, *target.ids)

    async def admit(self, request: Request, target: NamedResource) -> None:
        """Check the token of a request for what wants one, where authentication is required. Raises Refusal 401."""
        if wants_token(target.resource, self._behaviours):
            self.guard.check(request.headers)


def create_app(settings: ZepSettings) -> Starlette:
    """Return the server as an ASGI application, to be run once: its lifespan runs the workers and closes the store.

    Raises KeyError for an unknown recorded behaviour or mutation, ValueError for an empty secret or a window below 1,
    sqlite3.Error or OSError when the database can't be opened.
    """
    if settings.message_window < 1:
        raise ValueError("the message window must be at least 1")
    zep = EmbeddedZep(settings)
    if settings.mutations:
        from zep_conformance.embedded.zep.mutations import MUTATIONS  # not imported where there are none

        MUTATIONS.plant(settings.mutations, zep)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        zep.service.enrichment.start()
        try:
            yield
        finally:
            await zep.service.close()

    application = Starlette(lifespan=lifespan)
    # Not a Mount: its pattern matches no path with a newline in it.
    application.router.default = zep
    return application
