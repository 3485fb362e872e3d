"""What the embedded LangFlux keeps and does behind its routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.langflux.answers import FlowiseError
from zep_conformance.embedded.langflux.chat_messages import ChatMessages
from zep_conformance.embedded.langflux.flow import Node
from zep_conformance.embedded.langflux.nodes import CREDENTIAL_TYPES
from zep_conformance.embedded.langflux.store import LangFluxStore
from zep_conformance.embedded.langflux.turns import Identities, Turn
from zep_conformance.embedded.langflux.zep_memory import TIMEOUT, ZepMemory
from zep_conformance.facts.servers import LANGFLUX_VERSION

MASK = "_FLOWISE_BLANK_07167752-1a71-43b1-bf8f-4f32252165db"
"""What is shown instead of a password: Flowise's own constant, one and the same for every password."""


class Credentials:
    """The credentials of a store: masked where they are shown, and what the nodes of a flow get of them.

    They lie unencrypted in the database file, which only its owner may read: nobody else has what is tried out here.
    """

    def __init__(self, store: LangFluxStore, behaviours: Behaviours) -> None:
        self._store, self._behaviours = store, behaviours

    def secret(self, node: Node, field: str) -> str:
        """Return a field of the credential that a node has selected; "" where it has none."""
        credential = self._store.credential(node.credential) if node.credential else None
        return str(credential["fields"].get(field) or "") if credential else ""

    def shown(self, credential_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return a credential's fields for showing: in clear only what its type declares to be no password."""
        inputs = CREDENTIAL_TYPES.get(credential_type, {}).get("inputs", [])
        passwords = {field["name"] for field in inputs if field["type"] == "password"}
        plain = {field["name"] for field in inputs} - passwords
        if "unlisted-field-shown" in self._behaviours:
            plain = set(fields) - passwords
        return {name: value if name in plain else MASK for name, value in fields.items()}


@dataclass(frozen=True)
class LangFluxSettings:
    """What an embedded LangFlux is started with.

    database: the SQLite file with flows, credentials and chat messages; made when missing, readable by its owner
    only. api_key: the key named "DefaultKey". version: what it says that it is. recorded_behaviours: names of those
    that are shown. mutations: names of those that are planted.
    """

    database: Path
    api_key: str
    version: str = LANGFLUX_VERSION
    recorded_behaviours: frozenset[str] = frozenset()
    mutations: frozenset[str] = frozenset()


class Services:
    """Everything that a request is answered with.

    Raises KeyError for a recorded behaviour that there is not, sqlite3.Error or OSError when the database can't be
    used.
    """

    def __init__(self, settings: LangFluxSettings) -> None:
        self.api_key, self.version = settings.api_key, settings.version
        self.behaviours = Behaviours("langflux", settings.recorded_behaviours)
        self.store = LangFluxStore(settings.database)
        self.before = self.store.opened_by(settings.version)
        """The version that had the database open before, "" where none had."""
        self.credentials = Credentials(self.store, self.behaviours)
        self.identities = Identities(self.behaviours)
        self.chat_messages = ChatMessages(self)
        # Connections are let go before servers let go of them (uvicorn: 5 s), or a request could meet the end.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=3)
        # trust_env: what is on this host is not to be looked for behind a proxy.
        self.http = httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False)
        """For Zep and the model, with connections kept alive."""

    async def close(self) -> None:
        """Close the connections and the database."""
        await self.http.aclose()
        self.store.close()

    def chatflow(self, ident: str) -> dict[str, Any]:
        """Return a chatflow. Raises FlowiseError (500, as Flowise has it) where there is none."""
        chatflow = self.store.flow(ident)
        if chatflow is None:
            what = f"Chatflow {ident} not found in the database!"
            raise FlowiseError(f"Error: chatflowsService.getChatflowById - {what}")
        return chatflow

    def memory(self, node: Node) -> ZepMemory:
        """Return what a Zep Memory node remembers with. Raises ZepError for a wrong Base URL."""
        token = self.credentials.secret(node, "apiKey")
        return ZepMemory(http=self.http, node=node, token=token, behaviours=self.behaviours)

    def turn(self, chatflow: Mapping[str, Any], body: Mapping[str, Any], *, streaming: bool) -> Turn:
        """Return the turn that a request to a chatflow asks for. Raises FlowiseError, FlowError, see `Turn`."""
        return Turn(self, chatflow, body, streaming=streaming)
