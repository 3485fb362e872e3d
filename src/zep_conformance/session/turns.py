"""Turns: where workers of pytest-xdist share parts, a scenario that stops one has them all to itself."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from zep_conformance.processes.folders import owned_folder

_PREFIX = "zep-conformance-turns-"


class Turns:
    """A file that is locked: shared by scenarios that disturb nobody, by one alone that does.

    path: None where nobody shares anything, so that nobody waits.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._closing = ExitStack()

    @classmethod
    def made(cls) -> Self:
        """Return turns with a file of their own, which `close` removes; those of killed runs are removed, too."""
        turns = cls()
        turns.path = turns._closing.enter_context(owned_folder(_PREFIX)) / "turns"
        turns.path.touch()
        return turns

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn, and have it inside the block."""
        if self.path is None:
            yield
            return
        # The lock is gone with the file handle, and so with the process, however that ends.
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    def close(self) -> None:
        """Remove the file, where it was made here."""
        self._closing.close()
