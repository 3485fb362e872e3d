"""Freezes of the Zep under test: seen by somebody who looks while a scenario waits for an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import httpx

from zep_conformance.clients.freezing import Frozen, await_end, read

LOOKS = 4
"""How often it is seen to whether something has no answer, in the time that Zep has for one."""
END_LIMIT = 90.0
"""Seconds that the end of a freeze is waited for, which takes 60."""
MANY = 3
"""Freezes in one run, each of a minute, after which nothing more is asked."""


class Freezes:
    """Looks at Zep when a request, of whatever client, has had no answer for some seconds: is it frozen?

    patience: for how many. path: what is then read, of something that nobody writes to. zeps: makes a client of each.
    """

    def __init__(self, *, patience: float, path: str, zeps: Callable[[], Iterable[httpx.Client]]) -> None:
        self.patience = patience
        self._path, self._zeps = path, zeps
        self._unanswered: dict[int, float] = {}
        self._lock = threading.Lock()
        self._has_looked = threading.Event()
        self._has_looked.set()
        self._is_seen = threading.Event()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.seconds = 0.0
        """For how long Zep was frozen in this scenario, as far as that is over."""
        self.count = 0
        """How many scenarios Zep was frozen in."""

    def sent(self, request: Any) -> None:
        """Note a request: an httpx request hook."""
        with self._lock:
            self._unanswered[id(request)] = time.monotonic()

    def answered(self, response: Any) -> None:
        """Note its answer: an httpx response hook."""
        with self._lock:
            self._unanswered.pop(id(response.request), None)

    def begin(self) -> None:
        """Forget what was before: a new scenario starts."""
        with self._lock:
            self._unanswered.clear()
        self._is_seen.clear()
        self.seconds = 0.0
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def met(self) -> bool:
        """Return whether Zep was frozen in this scenario, waiting for whoever is about to see."""
        with self._lock:
            if self._is_late():
                self._has_looked.clear()
        while not self._has_looked.is_set() and not self._is_seen.wait(self.patience / LOOKS):
            pass
        return self._is_seen.is_set()

    @property
    def has_seen(self) -> bool:
        """Whether Zep was seen to be frozen in this scenario."""
        return self._is_seen.is_set()

    @property
    def are_many(self) -> bool:
        """Whether Zep was frozen so often in this run that it is no use to ask more."""
        return self.count >= MANY

    def await_end(self) -> None:
        """Wait until Zep is frozen no more."""
        self._has_looked.wait(END_LIMIT)

    def close(self) -> None:
        """Look no more."""
        self._is_closed.set()
        self._has_looked.set()

    def _is_late(self) -> bool:
        return any(time.monotonic() - since > self.patience for since in self._unanswered.values())

    def _watch(self) -> None:
        while not self._is_closed.wait(self.patience / LOOKS):
            with self._lock:
                is_late = self._is_late()
                if is_late:
                    self._unanswered.clear()  # each is looked into once
                    self._has_looked.clear()
            if is_late:
                for zep in self._zeps():
                    with zep, suppress(httpx.HTTPError):
                        self._look(zep)
            self._has_looked.set()

    def _look(self, zep: httpx.Client) -> None:
        began = time.monotonic()
        try:
            read(zep, self._path, self.patience)
        except Frozen:
            self.count += not self._is_seen.is_set()
            self._is_seen.set()
            await_end(zep, self._path, END_LIMIT)
            self.seconds += time.monotonic() - began
