"""The database server that the embedded Zep depends on, as the real one depends on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib

from zep_conformance.embedded.postgres import SSL_REQUEST

ANSWER_LIMIT = 2.0
"""Seconds that the server has to answer a new connection."""


class StoreDown(Exception):
    """The database server can't be reached."""


class StoreServer:
    """A connection that is held open. While it is, the store can be used; when it ends, another is made.

    address: host and port, None for a Zep that needs no such server.
    """

    def __init__(self, address: tuple[str, int] | None) -> None:
        self._address = address
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._connecting = asyncio.Lock()

    async def check(self) -> None:
        """Connect to the server, unless that is done. Raises StoreDown."""
        if self._address is None or self._is_open():
            return
        async with self._connecting:
            if not self._is_open():
                await self._reopen(*self._address)

    async def _reopen(self, host: str, port: int) -> None:
        try:
            await asyncio.wait_for(self._connect(host, port), ANSWER_LIMIT)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise StoreDown(f"dial tcp {host}:{port}: {error or type(error).__name__}") from error

    def _is_open(self) -> bool:
        if self._connection is None:
            return False
        reader, writer = self._connection
        return not (reader.at_eof() or reader.exception() or writer.is_closing())

    async def _connect(self, host: str, port: int) -> None:
        await self.close()
        self._connection = reader, writer = await asyncio.open_connection(host, port)
        writer.write(SSL_REQUEST)
        await reader.readexactly(1)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            _, writer = self._connection
            self._connection = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
