"""What a writer is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from zep_conformance.report.events import Event, RunEnded
from zep_conformance.report.folder import write


class Writer(ABC):
    """One report. file: its name, in the folder of the reports."""

    file: str

    @abstractmethod
    def saw(self, event: Event) -> None:
        """Take note of an event, or write. Whatever it raises is said, and harms nobody else."""

    def close(self) -> None:  # noqa: B027 (most have nothing open)
        """Let go of what is open: no event comes any more."""


class AtEnd(Writer):
    """A report that is a text, and is written when the run is over: all of it or nothing."""

    def saw(self, event: Event) -> None:
        """Write the report of a run that has ended."""
        if isinstance(event, RunEnded):
            # Half a surrogate pair, which a server may send and UTF-8 can't hold, is written as JSON has it.
            write(event.path_of(self.file), self.text(event).encode(errors="backslashreplace").decode())

    @abstractmethod
    def text(self, event: RunEnded) -> str:
        """Return the report. What it is told is clean of secrets."""
