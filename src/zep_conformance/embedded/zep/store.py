"""All that the embedded Zep remembers, and the server without which it stores nothing, as the real one PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AbstractContextManager
from pathlib import Path

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.postgres import SSL_REQUEST
from zep_conformance.embedded.zep.database import Database, Tasks
from zep_conformance.embedded.zep.messages import Messages
from zep_conformance.embedded.zep.records import Sessions, Users
from zep_conformance.embedded.zep.summaries import Summaries
from zep_conformance.facts.servers import ZEP_VERSION

ANSWER_LIMIT = 2.0
"""Seconds that the server has to answer a new connection."""


class Store:
    """The tables, opened together on one file. Raises sqlite3.Error when it can't be opened.

    version: of the Zep that opens it. before: of the one that has opened it before, "" where none has.
    """

    def __init__(self, path: Path, behaviours: Behaviours, version: str = ZEP_VERSION) -> None:
        self.behaviours, self.version = behaviours, version
        self.database = Database(path)
        self.before = self.database.opened_by(version)
        self.tasks = Tasks(self.database)
        self.sessions = Sessions(self.database, behaviours)
        self.users = Users(self.database, behaviours=behaviours, sessions=self.sessions)
        self.messages = Messages(self.database, behaviours=behaviours, sessions=self.sessions, tasks=self.tasks)
        self.summaries = Summaries(self.database, behaviours=behaviours, tasks=self.tasks)
        if "never-purges" not in behaviours:
            self.sessions.purge()

    def transaction(self) -> AbstractContextManager[None]:
        """Do all of a block or nothing, see `Database.transaction`."""
        return self.database.transaction()

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class StoreDown(Exception):
    """The database server can't be reached."""


class StoreServer:
    """A connection that is held open. While it is, the store can be used; when it ends, another is made.

    address: host and port, None for a Zep that needs no such server.
    """

    def __init__(self, address: tuple[str, int] | None) -> None:
        self._address = address
        self._connection: tuple[asyncio.Task[bytes], asyncio.StreamWriter] | None = None
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
        last_words, writer = self._connection
        return not (last_words.done() or writer.is_closing())

    async def _connect(self, host: str, port: int) -> None:
        await self.close()
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(SSL_REQUEST)
            await reader.readexactly(1)
        except BaseException:
            writer.close()
            raise
        # Asked for nothing, a server that says something says why it goes.
        last_words = asyncio.create_task(reader.read(1))
        last_words.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._connection = last_words, writer

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            last_words, writer = self._connection
            self._connection = None
            last_words.cancel()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
