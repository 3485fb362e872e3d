"""What a run is doing: said in the terminal when nothing else was for a while, as on a slow target."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SILENCE = 10.0
"""Seconds without a word after which a run says what it is doing."""
_GLANCE = 0.5
"""Seconds between two looks at the clock."""


class Activity:
    """Knows what is being done, and since when. sent: how many requests have been."""

    def __init__(self, sent: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._sent, self._clock = sent, clock
        self._what, self._since, self._said = "", clock(), clock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def at(self, what: str) -> None:
        """Note what is being done from now on; "" for nothing that would be worth a word."""
        self._what, self._since = what, self._clock()

    def due(self) -> str:
        """Return what there is to say now; "" where something was just begun, or said."""
        now, what, since = self._clock(), self._what, self._since
        if not what or now - max(since, self._said) < SILENCE:
            return ""
        self._said = now
        return f"still at {what}: {now - since:.0f} s; {self._sent()} requests sent so far"

    def watch(self, say: Callable[[str], None]) -> None:
        """Tell `say`, from another thread, until `stop`."""

        def look() -> None:
            while not self._over.wait(_GLANCE):
                if line := self.due():
                    say(line)

        self._thread = threading.Thread(target=look, name="activity", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
