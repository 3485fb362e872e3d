"""Temporary folders that outlive nobody: whoever made one holds its lock, and the next to make one sweeps the rest."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LOCK = "lock"
"""The file in such a folder that is locked while its owner lives: the system lets go of it however that ends."""


@contextlib.contextmanager
def owned_folder(prefix: str, where: Path | None = None) -> Iterator[Path]:
    """Make a folder that is removed at the end, and remove those that killed processes have left.

    prefix: what the names of such folders begin with. where: a folder, by default the machine's temporary one.
    """
    where = where or Path(tempfile.gettempdir())
    _sweep(where, prefix)
    folder, lock = _locked_folder(where, prefix)
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(where: Path, prefix: str) -> tuple[Path, TextIO]:
    """Return a new folder and its lock, which is held until it is closed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
        with contextlib.ExitStack() as unless_locked:
            lock = unless_locked.enter_context((folder / LOCK).open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / LOCK).exists():  # else another process has swept it away before it was locked
                unless_locked.pop_all()
                return folder, lock


def _sweep(where: Path, prefix: str) -> None:
    """Remove the folders whose lock nobody holds: their owners were killed."""
    for folder in where.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
