"""Zep's queue of enrichment, and what must not be done before it has been worked through (DEV-1).

Clearing a conversation whose last message is not enriched yet, and a post without messages, each stall everybody's
enrichment on Zep 0.27.2. A replay must do the first only when the queue is empty; the second is in the recordings,
so that is done last, and waited for before anything is removed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.zep import NewMessage, Zep

STALL = 15.0
"""Seconds by which a post without messages delays the enrichment of Zep 0.27.2: a little more than was measured."""
_MEMORY = re.compile(r"/api/v\d+/sessions/[^/]+/memory")
_TALK = re.compile(r"/api/v\d+/(?:internal-)?prediction/.+")
_CLEARS_SEVERAL = re.compile(r"/api/v\d+/(?:user|chatmessage|chatflows)/.+")


def stalls(request: Mapping[str, Any]) -> bool:
    """Return whether a request is a post without messages."""
    body = request.get("body")
    empty = isinstance(body, dict) and not body.get("messages")
    return bool(request["method"] == "POST" and _MEMORY.fullmatch(request["path"]) and empty)


class EnrichmentQueue:
    """The queue of one Zep, as far as it is known from what was written.

    zep: None where it can't be asked from here; then nothing is waited for. prefix: of the session that is written to.
    limit: seconds to wait, more where it was stalled.
    """

    def __init__(self, zep: Zep | None, *, prefix: str, limit: float) -> None:
        self._zep, self._session, self._limit = zep, f"{prefix}settled", limit
        self._waiting: set[str] = set()
        self._stalls = self._settled = 0
        self.trouble: str | None = None

    def note(self, request: Mapping[str, Any]) -> None:
        """Note a request that was sent: it may have written something that is enriched later."""
        path = request["path"].partition("?")[0]
        if request["method"] == "POST" and (_MEMORY.fullmatch(path) or _TALK.fullmatch(path)):
            self._stalls += stalls(request)
            self._waiting.add(path)

    def holds_back(self, request: Mapping[str, Any]) -> bool:
        """Return whether a request clears what is not known to be enriched yet, so that the queue must settle first."""
        path = request["path"].partition("?")[0]
        if request["method"] != "DELETE" or self._zep is None or self.trouble:
            return False
        return path in self._waiting or (bool(self._waiting) and bool(_CLEARS_SEVERAL.fullmatch(path)))

    def settle(self) -> None:
        """Wait until what was written is enriched. What goes wrong is kept as `trouble`, and not tried again.

        Zep works through its queue in order, so that one last message is enriched after all others.
        """
        if self._zep is None or self.trouble or not self._waiting:
            return
        self._settled += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zep-python's, of versions other than its own
                text = f"Conversation {self._settled} of Zita Marchetti is over in Lisbon"
                self._zep.write(self._session, [NewMessage("human", text)])
                EnrichmentWait(self._limit + self._stalls * STALL).settle(self._zep, self._session)
        except Exception as error:
            # Whatever is answered by what is no Zep, or a broken one: the rest, and the removal, go on.
            self.trouble = (
                f"enrichment did not settle before the removal ({type(error).__name__}), which may delay others'"
            )
        self._waiting.clear()
        self._stalls = 0

    @property
    def session(self) -> str | None:
        """The session that was written to, if any."""
        return self._session if self._settled else None
