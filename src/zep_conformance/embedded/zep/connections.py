"""How many connections to its database a Zep opens, and what comes of it where they are too few.

Zep 0.27.2 opens at most four for each core that it sees (GOMAXPROCS). The tasks of a post hold all of them and wait for
more; until they give up nothing that needs the store is answered, while /healthz is. On one core a turn of a chat does
that, two messages in a post; on two cores a burst of imports does. Measured on 2026-11-26:

| cores | a post of 1 message | of 2 | of 12 | 12 posts of 2 at once | of 12 | 30 posts of 12 at once |
|---|---|---|---|---|---|---|
| 1 | | freezes | freezes | freezes | | |
| 2 | | | | | freezes in the second round | freezes in the first |
| 8 | | | | | | |
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from zep_conformance.embedded.behaviours import Behaviours

TURN = 2
"""Messages in a post that hold all connections of one core."""
IMPORTED = 12
"""Messages in a post that, with some others like it, hold all connections of two cores."""
BURST = 12
"""How many such posts it takes."""
AT_ONCE = 10.0
"""Seconds within which they come."""


class Connections:
    """The connections of one Zep to its database.

    cores: how many it uses. freeze: seconds after which tasks that wait for a connection give up.
    """

    def __init__(self, behaviours: Behaviours, *, cores: int, freeze: float) -> None:
        self._can_run_out = "freezes-on-few-cores" in behaviours
        self._cores, self._freeze = cores, freeze
        self._imports: deque[float] = deque(maxlen=BURST)
        self._free_at = 0.0

    def take(self, messages: int) -> None:
        """Have the tasks of a post take the connections that they need. messages: how many it has."""
        if self._can_run_out and self._run_out(messages):
            self._imports.clear()
            self._free_at = max(self._free_at, time.monotonic() + self._freeze)

    def _run_out(self, messages: int) -> bool:
        if self._cores == 1:
            return messages >= TURN
        if self._cores > 2 or messages < IMPORTED:
            return False
        now = time.monotonic()
        self._imports.append(now)
        return len(self._imports) == BURST and now - self._imports[0] <= AT_ONCE

    async def free(self) -> None:
        """Wait until there is a connection to be had."""
        while (left := self._free_at - time.monotonic()) > 0:
            await asyncio.sleep(left)
