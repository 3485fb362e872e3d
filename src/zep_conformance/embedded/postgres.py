"""A stand-in for PostgreSQL: it keeps nothing, but the embedded Zep stores nothing without it.

The embedded Zep has its data in a SQLite file. So that it can lose its database as a real one does, it holds a
connection to this server, and refuses what needs the store while there is none. Of PostgreSQL's protocol only the
first question is understood, whether TLS is spoken (an SSLRequest); a real PostgreSQL answers it just so.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""PostgreSQL's documentation, "Frontend/Backend Protocol", "SSLRequest"."""
_NO_TLS = b"N"
_ERROR = b"E"


class StandIn:
    """The server; `serve` runs it until it is cancelled."""

    def __init__(self) -> None:
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Answer on a listening socket, and hang up on everybody when cancelled."""
        server = await asyncio.start_server(self._answer, sock=listener)
        try:
            await server.serve_forever()
        finally:
            for writer in list(self._open):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        # Whoever is on the other side may be gone at any time.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked = await reader.readexactly(len(SSL_REQUEST))
            writer.write(_NO_TLS if asked == SSL_REQUEST else _ERROR)
            await writer.drain()
            if asked == SSL_REQUEST:
                await reader.read()  # until the other side hangs up
        self._open.discard(writer)
        writer.close()


def create_app() -> StandIn:
    """Return the server, for the fleet to run. It keeps no state."""
    return StandIn()
