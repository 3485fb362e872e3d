"""A part to run: what it is made by, and what it listens on."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.errors import PortTaken


@dataclass(frozen=True, kw_only=True)
class Part:
    """One server to run: `factory` ("module:function") called in its own process gives the application.

    log: the file that its output is appended to. reserved: a socket that holds the port until the first start, so
    that no other process is given it in between. refuses_when_cut_off: whether what is sent to it through a firewall is
    refused, and not dropped.
    """

    name: str
    factory: str
    log: Path
    port: int
    host: str = "127.0.0.1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)
    refuses_when_cut_off: bool = False


def listen(name: str, host: str, port: int) -> socket.socket:
    """Return a socket that holds a port (0: a free one) for a part. Raises PortTaken when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(part=name, host=host, port=port) from error
    return listener
