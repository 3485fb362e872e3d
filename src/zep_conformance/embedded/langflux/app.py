"""The embedded LangFlux as an ASGI application.

app = create_app(LangFluxSettings(database=Path("langflux.sqlite3"), api_key="…"))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from zep_conformance.embedded.behaviours import variant
from zep_conformance.embedded.langflux import chat_messages, predictions, resources
from zep_conformance.embedded.langflux.answers import Handler, answered
from zep_conformance.embedded.langflux.keys import KeyCheck
from zep_conformance.embedded.langflux.mutations import MUTATIONS
from zep_conformance.embedded.langflux.services import LangFluxSettings, Services

__all__ = ["LangFluxSettings", "create_app"]

_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "prediction/{id}", predictions.answer_prediction),
    ("GET", "chatmessage/{id}", chat_messages.list_chat_messages),
    ("DELETE", "chatmessage/{id}", chat_messages.delete_chat_messages),
    ("GET", "chatflows", resources.list_flows),
    ("POST", "chatflows", resources.add_flow),
    ("GET", "chatflows/{id}", resources.get_flow),
    ("DELETE", "chatflows/{id}", resources.delete_flow),
    ("GET", "credentials", resources.list_credentials),
    ("POST", "credentials", resources.add_credential),
    ("GET", "credentials/{id}", resources.get_credential),
    ("DELETE", "credentials/{id}", resources.delete_credential),
    ("GET", "components-credentials/{name}", resources.get_credential_type),
    ("GET", "nodes/{name}", resources.get_node),
    ("GET", "marketplaces/templates", resources.list_templates),
    ("GET", "apikey", resources.list_keys),
    ("GET", "ping", resources.ping),
    ("GET", "version", resources.version),
)


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
    routes.append(Route("/{rest:path}", resources.web_page, methods=_EVERY_METHOD))
    called = variant(settings.recorded_behaviours, settings.mutations)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(KeyCheck, api_key=settings.api_key, variant=called)],
        lifespan=lifespan,
    )
    app.state.services = services
    return app
