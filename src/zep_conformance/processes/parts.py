"""A part to run: what it is made by, what it listens on; and how it may fail."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class PortTaken(Exception):
    """A port that a part was to listen on is in use."""

    def __init__(self, part: str, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host}, for {part}, is in use")
        self.part, self.host, self.port = part, host, port


class PartDied(Exception):
    """A part ended, or did not come up; carries its log. how: in words, as "ended with exit code 1"."""

    def __init__(self, part: str, log: str, how: str = "did not start") -> None:
        last = next(reversed(log.strip().splitlines()), "(empty)")
        super().__init__(f"{part} {how}; its log ends: {last[:500]}")
        self.part, self.log, self.how = part, log, how


@dataclass(frozen=True)
class Part:
    """One server to run: `factory` ("module:function") called in its own process gives the application.

    log: the file that its output is appended to. reserved: a socket that holds the port until the first start, so
    that no other process is given it in between.
    """

    name: str
    factory: str
    log: Path
    port: int
    host: str = "127.0.0.1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)


def listen(name: str, host: str, port: int) -> socket.socket:
    """A socket that holds a port (0: a free one) for a part. Raises PortTaken when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(name, host, port) from error
    return listener
