"""Ctrl-C, and the SIGTERM of a cancelled pipeline, which must not get lost.

Python raises what a signal means wherever the program is. Where that is the finalizer of an object, such as an answer
of the Docker engine that nobody needs any more, the exception is dropped, and the program goes on. So it is noted that
the signal came; between two probes of what comes up, and between two scenarios, `raise_if_lost` raises it once more.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)
_came = threading.Event()


def _interrupt(*_: int | FrameType | None) -> None:
    _came.set()
    raise KeyboardInterrupt


@contextmanager
def noted() -> Iterator[None]:
    """Raise KeyboardInterrupt for each of the two signals inside, and note that it came; as before afterwards.

    Where Ctrl-C is ignored, as it is for what a shell starts in the background, it stays so.
    """
    _came.clear()
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        if number != signal.SIGINT or handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _came.clear()


def raise_if_lost() -> None:
    """Raise KeyboardInterrupt if a signal came, and whoever calls this still goes on."""
    if _came.is_set():
        raise KeyboardInterrupt


@contextmanager
def put_off() -> Iterator[None]:
    """Let the signals wait until what is done inside is done: it can't be half done.

    What they do is then done, in the main thread; other threads get no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handlers = {number: handler for number in NUMBERS if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda *what: came.append(what))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for came_number, frame in came:
            handlers[signal.Signals(came_number)](came_number, frame)
