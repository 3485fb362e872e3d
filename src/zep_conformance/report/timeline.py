"""The start-up timeline: when each part was pulled, created, started and ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PHASES = ("pull", "build", "create", "start", "ready")
"""What a part goes through, in this order; a target has some of them."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """One phase of one part. began, ended: seconds since the start of the run."""

    part: str
    phase: str
    began: float
    ended: float

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        return {
            "part": self.part,
            "phase": self.phase,
            "began": round(self.began, 3),
            "ended": round(self.ended, 3),
        }


class Timeline:
    """Collects the phases of parts that start side by side."""

    def __init__(self) -> None:
        self._zero = time.monotonic()
        self._lock = threading.Lock()
        self._spans: list[Span] = []

    @contextmanager
    def phase(self, part: str, phase: str) -> Iterator[None]:
        """Everything inside is this phase of the part, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(part, phase, began=began, ended=time.monotonic())

    def add(self, part: str, phase: str, *, began: float, ended: float) -> None:
        """Add a phase, which another process may have seen. began, ended: by time.monotonic(), whose zero all share."""
        with self._lock:
            self._spans.append(Span(part=part, phase=phase, began=began - self._zero, ended=ended - self._zero))

    def spans(self) -> list[Span]:
        """Return all phases so far, by their beginning."""
        with self._lock:
            return sorted(self._spans, key=lambda span: (span.began, span.part))
