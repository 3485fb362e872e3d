"""The parts of a running server, as every handler is given them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep import wire
from zep_conformance.embedded.zep.connections import Connections
from zep_conformance.embedded.zep.enrichment import Enrichment
from zep_conformance.embedded.zep.locks import RecordLocks
from zep_conformance.embedded.zep.neighbours import Neighbours
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.search import Search
from zep_conformance.embedded.zep.store import Store, StoreServer
from zep_conformance.embedded.zep.summaries import Summary


@dataclass(kw_only=True)
class Service:
    """A running server. window: messages after which a summary is due, and most that a memory shows.

    description: the OpenAPI description of what it offers, as JSON. most: bytes of a request's body that are taken.
    """

    store: Store
    store_server: StoreServer
    connections: Connections
    locks: RecordLocks
    neighbours: Neighbours
    enrichment: Enrichment
    search: Search
    behaviours: Behaviours
    window: int
    description: str
    most: int = wire.MAX_BODY

    def recent(self, session_id: str, summary: Summary) -> list[Row]:
        """Return the messages since a session's summary, at most a window of the newest, oldest first."""
        return self.store.messages.newest(session_id, self.window, after=summary.point_id)

    def last(self, session_id: str, count: int) -> list[Row]:
        """Return the newest `count` messages of a session, summarised or not, oldest first."""
        return self.store.messages.newest(session_id, count)

    async def read_object(self, request: Request, model: str) -> wire.Fields:
        """Return the JSON object in a request's body. model: what Zep calls such one. Raises Refusal 400 or 413."""
        return await wire.read_object(request, self.behaviours, most=self.most, model=model)

    async def close(self) -> None:
        """Stop the workers and close what is open."""
        await self.enrichment.stop()
        await self.neighbours.close()
        await self.store_server.close()
        self.store.close()
