"""The server that the embedded Zep's store hangs on: gone is gone, whatever it said last."""

from __future__ import annotations

import asyncio

import pytest

from zep_conformance.embedded.zep.store import StoreDown, StoreServer


class Database:
    """Answers a new connection as PostgreSQL does, and says its last words when it goes."""

    def __init__(self, last_words: bytes) -> None:
        self._last_words = last_words
        self._goes = asyncio.Event()
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readexactly(8)
        writer.write(b"N")
        await writer.drain()
        await self._goes.wait()
        writer.write(self._last_words)
        writer.close()

    async def start(self) -> tuple[str, int]:
        """Listen, and return where."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def go(self, store: StoreServer) -> None:
        """End, and wait until the other side has seen that."""
        self._server.close()
        self._goes.set()
        async with asyncio.timeout(10):
            while store._is_open():
                await asyncio.sleep(0)


@pytest.mark.parametrize("last_words", [b"", b"E...terminating connection due to unexpected postmaster exit"])
def test_a_server_that_has_gone_is_down(last_words: bytes) -> None:
    async def gone() -> None:
        database = Database(last_words)
        store = StoreServer(await database.start())
        await store.check()
        await store.check()
        assert database.connections == 1
        await database.go(store)
        with pytest.raises(StoreDown):
            await store.check()
        await store.close()

    asyncio.run(gone())
