"""What a run is doing: shown in a live line, or said in the terminal when nothing else was for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

SILENCE = 10.0
"""Seconds without a word after which a run says what it is doing."""
LONG = 2.0
"""Seconds of a step after which it is worth a word what its requests are."""
_GLANCE = 0.2
"""Seconds between two looks at the clock."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """Something that is being done. step: of a scenario. seconds: since that began. awaited: what it waits for.

    beside: how much else is being done at the same time.
    """

    what: str
    step: str
    seconds: float
    awaited: str
    beside: int

    def __str__(self) -> str:
        return f"“{self.what}”, {self.step}" if self.step else self.what


class Activity:
    """Knows what is being done, and since when. sent: how many requests have been."""

    def __init__(self, sent: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._sent, self._clock = sent, clock
        self._doing: dict[str, tuple[str, str, float]] = {}
        self._asked = ("", 0, False)
        self._said = clock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def at(self, what: str, *, step: str = "", of: str = "") -> None:
        """Note what is being done from now on. step: of a scenario. of: its node id, as workers do several at once."""
        others = {one: known for one, known in self._doing.items() if one and of}
        self._doing = {**others, of: (what, step, self._clock())}
        self._asked = ("", 0, False)

    def over(self, of: str = "") -> None:
        """Note that nothing is being done any more, or just not that."""
        self._doing = {one: known for one, known in self._doing.items() if one != of}

    def asks(self, request: httpx.Request) -> None:
        """Note a request that is sent: an httpx request hook."""
        question, times, _ = self._asked
        asked = f"{request.method} {request.url.path}"
        self._asked = (asked, times + 1 if asked == question else 1, True)

    def answered(self, _response: httpx.Response) -> None:
        """Note that it was answered: an httpx response hook."""
        self._asked = (*self._asked[:2], False)

    @property
    def doing(self) -> Doing | None:
        """What was begun before all else that is being done; None for nothing that would be worth a word."""
        known = list(self._doing.values())
        if not known:
            return None
        what, step, since = min(known, key=lambda one: one[2])
        seconds = self._clock() - since
        return Doing(what=what, step=step, seconds=seconds, awaited=self._awaited(seconds), beside=len(known) - 1)

    def _awaited(self, seconds: float) -> str:
        question, times, is_open = self._asked
        if not question or seconds < LONG:
            return ""
        return f"awaits {question}" if is_open else f"asked {question}{f' {times} times' if times > 1 else ''}"

    def due(self) -> str:
        """Return what there is to say now; "" where something was just begun, or said."""
        now, doing = self._clock(), self.doing
        if doing is None or now - self._said < SILENCE or doing.seconds < SILENCE:
            return ""
        self._said = now
        return f"still at {doing}: {doing.seconds:.0f} s; {self._sent()} requests sent so far"

    def watch(self, look: Callable[[], None]) -> None:
        """Call `look` now and then, from another thread, until `stop`."""

        def glance() -> None:
            while not self._over.wait(_GLANCE):
                look()

        self._thread = threading.Thread(target=glance, name="activity", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let nobody be told any more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
