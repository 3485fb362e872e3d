"""The locks that changes of records take, one for each session's and each user's: a change reads, merges and writes.

Zep's are PostgreSQL's advisory locks, which belong to a connection. One is let go by whichever connection of its pool
is free then: by another one where others change records at the same time, and then it never is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.wire import Refusal

PATIENCE = 1.0
"""Seconds that a change waits for a lock (Zep 0.27.2: 120)."""
HELD = 0.005
"""Seconds that a change takes in PostgreSQL, about: others that come meanwhile are made at the same time."""


class RecordLocks:
    """The locks of one Zep. Where none is left none is needed: one change is made at a time."""

    def __init__(self, behaviours: Behaviours) -> None:
        self._can_be_left = "record-locks-left" in behaviours
        self._changing = 0
        self._left: set[str] = set()

    @asynccontextmanager
    async def held(self, record: str) -> AsyncIterator[None]:
        """Hold the lock of a record while it is changed. Raises Refusal 500 where it was left."""
        if not self._can_be_left:
            yield
            return
        if record in self._left:
            await asyncio.sleep(PATIENCE)
            raise Refusal(500, "failed to acquire advisory lock: failed to acquire advisory lock")
        self._changing += 1
        try:
            await asyncio.sleep(HELD)
            if self._changing > 1:
                self._left.add(record)
            yield
        finally:
            self._changing -= 1
