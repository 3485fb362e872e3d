"""Waiting until Zep has enriched what was written to it."""

from __future__ import annotations

from zep_python import Message

from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Zep

GRACE = 3.0
"""Seconds that entities and intent get after the embedding. Zep 0.27.2 loses one of them for good now and then."""
REDONE = 180.0
"""Seconds that the queue gets where parts may have been stopped. What Zep 0.27.2 was doing then it does again, in vain
and for 10 to 16 s each time; there were up to ten such tasks."""

ASKED_AGAIN = 40.0
"""Seconds until Zep asks the model or the NLP server again that did not answer: it repeats a request for up to 31 s."""


class EnrichmentWait:
    """Waits until messages are enriched: when a search finds them, and entities and intent are there.

    limit: seconds to wait for the embedding. grace: seconds that entities and intent get after it.
    """

    def __init__(self, limit: float, grace: float = GRACE) -> None:
        self._limit, self._grace = limit, grace

    def await_embedded(self, zep: Zep, session: str, limit: float | None = None) -> None:
        """Wait until the newest message of a session can be found. Raises AssertionError after the limit.

        limit: seconds, where it is another than usual.
        """
        most = self._limit if limit is None else limit
        newest = zep.memory(session, lastn=1).messages
        if newest:
            eventually(lambda: self._found(zep, session, newest[-1], most), most)

    def settle(self, zep: Zep, session: str, limit: float | None = None) -> None:
        """Wait until nothing more will happen to a session. Raises AssertionError when it is not even embedded.

        limit: see `await_embedded`. What is lost (see GRACE) is not waited for longer than the grace: this makes room
        for a clear, no more.
        """
        self.await_embedded(zep, session, limit)
        try:
            eventually(lambda: self._complete(zep, session), self._grace)
        except AssertionError:
            return

    def _found(self, zep: Zep, session: str, newest: Message, limit: float) -> None:
        assert zep.is_embedded(session, newest.content, newest.uuid), (
            f"after {limit:g} s the newest message of {session} is not found by searching: "
            "Zep has not embedded it. Is the NLP server up, and does the width of its embeddings fit?"
        )

    def _complete(self, zep: Zep, session: str) -> None:
        newest = zep.memory(session, lastn=1).messages[-1:]
        system = (newest[0].metadata or {}).get("system", {}) if newest else {}
        assert "entities" in system and "intent" in system
