"""One line at the bottom of a terminal that is rewritten in place, and gone while anything else is written."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

NARROW = 30
"""Columns in which a line has room for what is being done."""
_ERASE = "\r\x1b[K"
_GAP = "  "


class LiveLine:
    """Writes it. file: a terminal; another handle on it than pytest's, which may be captured meanwhile."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        # Whoever is interrupted while he writes may have to write that he was.
        self._lock = threading.RLock()
        self._shown = ""
        self._is_at_start = True

    @property
    def columns(self) -> int:
        """How wide the terminal is now."""
        with contextlib.suppress(OSError, ValueError):
            if columns := os.get_terminal_size(self._file.fileno()).columns:
                return columns
        return 80

    def show(self, line: Callable[[int], str]) -> None:
        """Write the line in place of the one before, unless something else stands there. line: takes the columns."""
        with self._lock:
            text = line(self.columns - 1)
            if self._is_at_start and text != self._shown:
                self._shown = text
                self._file.write(f"{_ERASE}{text}")
                self._file.flush()

    @contextlib.contextmanager
    def aside(self, text: str) -> Iterator[None]:
        """Let something else be written: the line is gone meanwhile, and stays so until that ends a line."""
        with self._lock:
            self.hide()
            self._is_at_start = text.endswith("\n") or (self._is_at_start and not text)
            yield

    def hide(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._shown:
                self._shown = ""
                self._file.write(_ERASE)
                self._file.flush()


def composed(before: str, title: str, step: str, after: str, columns: int) -> str:
    """Return a line of at most so many columns: what gives way is the title, then the step, then what comes after."""
    from rich.cells import cell_len  # only a terminal needs it

    before, title, step, after = map(_printable, (before, title, step, after))
    room = columns - cell_len(before) - cell_len(after) - 2 * len(_GAP)
    if room < NARROW and after:
        return composed(before, title, step, "", columns)
    if step and title:
        least = max(room // 3, room - cell_len(step) - len(_GAP))
        title = _cut(title, least)
        step = _cut(step, room - cell_len(title) - len(_GAP))
    told = _GAP.join(filter(None, (title, step)))
    return _cut(_GAP.join(filter(None, (before, _cut(told, room), after))), columns)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, columns: int) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= columns:
        return text
    return f"{set_cell_size(text, columns - 1).rstrip()}…" if columns > 0 else ""
