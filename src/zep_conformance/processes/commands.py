"""Takes commands, one JSON line each, from several askers at once, for as long as the first of them lives.

A line is ``[number, command]``; the answer has that number as ``"to"``, since whoever is interrupted while waiting for
an answer must not take it for that to the next command.

The first is whoever holds our standard input; the others come by way of a UNIX socket, and go as they like.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOCKET = "control"
"""The name of the socket in the folder of a run's state."""


class Abandoned(Exception):
    """Whoever we work for is gone."""


def address(folder: Path) -> tuple[str, int]:
    """Return the address of the socket in a folder, and a handle to close after use.

    A socket's path may have no more than 107 characters; by way of a handle of its folder it always fits.
    """
    handle = os.open(folder, os.O_RDONLY)
    return (f"/proc/self/fd/{handle}/{SOCKET}" if sys.platform == "linux" else str(folder / SOCKET)), handle


class Askers:
    """Standard input, and a socket in `folder` where one is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._selector = selectors.DefaultSelector()
        self._unread: dict[int, bytes] = {}
        self._listener: socket.socket | None = None
        if folder is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            where, handle = address(folder)
            self._listener.bind(where)
            os.close(handle)
            self._listener.listen()
            self._selector.register(self._listener, selectors.EVENT_READ)

    @staticmethod
    def pause(seconds: float) -> None:
        """Wait so long, or less. Raises Abandoned when nobody holds our standard input any more."""
        poll = select.poll()
        poll.register(sys.stdin.fileno(), 0)  # to be hung up on is always told of, what can be read is not
        if poll.poll(seconds * 1000):
            raise Abandoned

    def serve(self, answer: Callable[[Any], dict[str, Any]]) -> None:
        """Answer commands until standard input ends."""
        stdin = sys.stdin.fileno()
        self._selector.register(stdin, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._selector.register(self._listener.accept()[0], selectors.EVENT_READ)
                    continue
                lines = self._lines(key.fd)
                if lines is None and key.fd == stdin:
                    return
                if lines is None:
                    self._selector.unregister(key.fileobj)
                    assert isinstance(key.fileobj, socket.socket)
                    key.fileobj.close()
                for line in lines or ():
                    number, command = json.loads(line)
                    reply = (json.dumps({**answer(command), "to": number}) + "\n").encode()
                    with contextlib.suppress(OSError):  # it may have gone
                        os.write(sys.stdout.fileno() if key.fd == stdin else key.fd, reply)

    def _lines(self, handle: int) -> list[bytes] | None:
        """Return the whole lines that have come, None when no more will."""
        with contextlib.suppress(ConnectionResetError):
            if data := os.read(handle, 65536):
                *lines, self._unread[handle] = (self._unread.pop(handle, b"") + data).split(b"\n")
                return lines
        self._unread.pop(handle, None)
        return None
