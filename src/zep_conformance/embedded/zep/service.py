"""What every handler is given: the parts of a running server."""

from __future__ import annotations

from dataclasses import dataclass, field

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.enrichment import Enrichment
from zep_conformance.embedded.zep.neighbours import Neighbours
from zep_conformance.embedded.zep.spoiling import Crowd
from zep_conformance.embedded.zep.store import Store
from zep_conformance.embedded.zep.storeserver import StoreServer


@dataclass(frozen=True)
class Service:
    """A running server. window: messages after which a summary is due, and most that a memory shows.

    description: the OpenAPI description of what it offers, as JSON.
    """

    store: Store
    store_server: StoreServer
    neighbours: Neighbours
    enrichment: Enrichment
    departures: Departures
    window: int
    description: str
    crowd: Crowd = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "crowd", Crowd(self.departures))

    async def store_is_up(self) -> None:
        """See that the store can be used. Raises StoreDown."""
        await self.store_server.check()
        if self.store_server.back:
            self.store_server.back = False
            if "store-back-without-newest" in self.departures:
                self.store.messages.forget_newest()

    async def close(self) -> None:
        """Stop the workers and close what is open."""
        await self.enrichment.stop()
        await self.neighbours.close()
        await self.store_server.close()
        self.store.close()
