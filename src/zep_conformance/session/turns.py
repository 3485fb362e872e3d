"""Turns: where workers of pytest-xdist share parts, a scenario that stops one has them all to itself."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

_PREFIX = "zep-conformance-turns-"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Turns:
    """A file that is locked: shared by scenarios that disturb nobody, by one alone that does.

    path: None where nobody shares anything, so that nobody waits.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._is_ours = False

    @classmethod
    def made(cls) -> Self:
        """With a new file, which `close` removes; those of killed runs are removed, too."""
        for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            owner = old.name.removeprefix(_PREFIX).partition("-")[0]
            if owner.isdecimal() and not _is_alive(int(owner)):
                with suppress(OSError):  # somebody else's
                    old.unlink()
        handle, name = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-")
        os.close(handle)
        turns = cls(Path(name))
        turns._is_ours = True
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
        if self._is_ours and self.path is not None:
            self.path.unlink(missing_ok=True)
