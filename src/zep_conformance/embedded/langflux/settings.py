"""What the embedded LangFlux is given, and what its parts share while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request

from zep_conformance.embedded.departures import Departures
from zep_conformance.facts.servers import LANGFLUX_VERSION

if TYPE_CHECKING:
    import httpx

    from zep_conformance.embedded.langflux.credentials import Vault
    from zep_conformance.embedded.langflux.store import Store

VERSION = LANGFLUX_VERSION
"""The Flowise that is imitated."""


@dataclass(frozen=True)
class LangFluxSettings:
    """database: the SQLite file with flows, credentials and chat messages; made when missing. Beside it lies
    `<database>.key`, the key that credentials are encrypted with. api_key: the key named "DefaultKey".
    recorded_behaviours: names of those that are shown. mutations: names of those that are planted.
    """

    database: Path
    api_key: str
    recorded_behaviours: frozenset[str] = frozenset()
    mutations: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shared:
    """What every request needs. http: one client for Zep and the model, with connections kept alive."""

    settings: LangFluxSettings
    departures: Departures
    store: Store
    vault: Vault
    http: httpx.AsyncClient


def shared(request: Request) -> Shared:
    """What the application of this request shares."""
    found = request.app.state.shared
    assert isinstance(found, Shared)
    return found
