"""The embedded LangFlux as an ASGI application.

app = create_app(LangFluxSettings(database=Path("langflux.sqlite3"), api_key="…"))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from zep_conformance.embedded.behaviours import variant
from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.langflux import chatmessages, predictions, resources
from zep_conformance.embedded.langflux.answers import Handler, answered
from zep_conformance.embedded.langflux.credentials import Vault
from zep_conformance.embedded.langflux.departures import CATALOGUE
from zep_conformance.embedded.langflux.keys import Gate
from zep_conformance.embedded.langflux.settings import LangFluxSettings, Shared
from zep_conformance.embedded.langflux.store import Store
from zep_conformance.embedded.langflux.zep_client import TIMEOUT

__all__ = ["LangFluxSettings", "create_app"]

_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "prediction/{id}", predictions.predict),
    ("POST", "internal-prediction/{id}", predictions.predict_internally),
    ("GET", "chatmessage/{id}", chatmessages.list_messages),
    ("DELETE", "chatmessage/{id}", chatmessages.delete_messages),
    ("GET", "internal-chatmessage/{id}", chatmessages.list_internal_messages),
    ("GET", "chatflows", resources.list_flows),
    ("POST", "chatflows", resources.add_flow),
    ("GET", "chatflows/apikey/{key}", resources.flows_by_key),
    ("GET", "chatflows/{id}", resources.get_flow),
    ("PUT", "chatflows/{id}", resources.change_flow),
    ("DELETE", "chatflows/{id}", resources.delete_flow),
    ("GET", "chatflows-streaming/{id}", resources.flow_streams),
    ("GET", "chatflows-uploads/{id}", resources.flow_uploads),
    ("GET", "public-chatflows/{id}", resources.public_flow),
    ("GET", "public-chatbotConfig/{id}", resources.public_config),
    ("GET", "credentials", resources.list_credentials),
    ("POST", "credentials", resources.add_credential),
    ("GET", "credentials/{id}", resources.get_credential),
    ("PUT", "credentials/{id}", resources.change_credential),
    ("DELETE", "credentials/{id}", resources.delete_credential),
    ("GET", "components-credentials", resources.list_credential_types),
    ("GET", "components-credentials/{name}", resources.get_credential_type),
    ("GET", "components-credentials-icon/{name}", resources.icon),
    ("GET", "nodes", resources.list_nodes),
    ("GET", "nodes/{name}", resources.get_node),
    ("GET", "node-icon/{name}", resources.icon),
    ("GET", "marketplaces/templates", resources.list_templates),
    ("GET", "apikey", resources.list_keys),
    ("GET", "verify/apikey/{key}", resources.verify_key),
    ("GET", "ping", resources.ping),
    ("GET", "version", resources.version),
)


def create_app(settings: LangFluxSettings) -> Starlette:
    """The application.

    Raises KeyError for a departure that is not in the catalogue, sqlite3.Error or OSError when the database
    can't be used.
    """
    departures = Departures(CATALOGUE, settings.recorded_behaviours | settings.mutations)
    settings.database.parent.mkdir(parents=True, exist_ok=True)
    vault = Vault(settings.database.with_name(settings.database.name + ".key"))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # Connections are let go before servers let go of them (uvicorn: 5 s), or a request could meet the
        # end.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=3)
        store = Store(settings.database)
        # trust_env: what is on this host is not to be looked for behind a proxy.
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as http:
            app.state.shared = Shared(settings, departures, store, vault, http)
            yield
        store.close()

    routes = [Route(f"/api/v1/{path}", answered(handler), methods=[method]) for method, path, handler in _ROUTES]
    routes.append(Route("/{rest:path}", resources.page, methods=_EVERY_METHOD))
    gate = Middleware(Gate, api_key=settings.api_key, manner=variant(settings.recorded_behaviours, settings.mutations))
    return Starlette(routes=routes, middleware=[gate], lifespan=lifespan)
