"""What a scenario draws that its seed does not give again: kept with the recording of a run, given back in a replay."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T", int, str)

ByScenario = Mapping[str, Mapping[str, list[Any]]]
"""By node id and by what it is called: what was drawn, in order."""


class Drawn:
    """Draws, and keeps what was drawn. before: what another run drew, which is drawn once more.

    Where a scenario draws more than it did then, the rest is new.
    """

    def __init__(self, before: ByScenario | None = None) -> None:
        self._before = before or {}
        self._lock = threading.Lock()
        self._nodeid = ""
        self.kept: dict[str, dict[str, list[Any]]] = {}

    def begin(self, nodeid: str) -> None:
        """Draw for another scenario from now on."""
        with self._lock:
            self._nodeid = nodeid
            self.kept.setdefault(nodeid, {})

    def __call__(self, what: str, draw: Callable[[], T]) -> T:
        """Return what `draw` returns, or what it returned in the run that is replayed. what: by what it is kept."""
        with self._lock:
            drawn = self.kept.setdefault(self._nodeid, {}).setdefault(what, [])
            before = self._before.get(self._nodeid, {}).get(what, [])
            value = cast(T, before[len(drawn)]) if len(drawn) < len(before) else draw()
            drawn.append(value)
            return value

    def uuid(self) -> str:
        """Return a uuid that nothing has."""
        return self("uuid", lambda: str(uuid.uuid4()))
