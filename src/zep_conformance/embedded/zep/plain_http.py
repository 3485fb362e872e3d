"""HTTP/1.1 without TLS, as the embedded Zep asks its neighbours: by httpx most of its time would go into asking.

asking = PlainHttp(connect=2.0, answer=30.0)
status, body = await asking.post("http://127.0.0.1:5557/entities", b"{}", {})
await asking.aclose()
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import h11

KEPT = 3.0
"""Seconds for which an idle connection is used again: uvicorn lets go of it after 5."""
_READ = 65536

Place = tuple[str, int]


class PlainHttp:
    """A client that keeps its connections. connect, answer: seconds for a connection, and for a whole answer."""

    def __init__(self, *, connect: float, answer: float) -> None:
        self._connect, self._answer = connect, answer
        self._kept: dict[Place, list[_Connection]] = {}

    async def aclose(self) -> None:
        """Close the connections that nobody uses."""
        for some in self._kept.values():
            for one in some:
                one.close()
        self._kept = {}

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return the status of an answer, and its content. url: one with http.

        Raises OSError, TimeoutError among them, and h11.ProtocolError where no whole answer comes.
        """
        parts = urlsplit(url)
        place = (parts.hostname or "", parts.port or 80)
        connection = self._idle(place) or await self._opened(place)
        try:
            async with asyncio.timeout(self._answer):
                answer = await connection.post(parts.path or "/", {"Host": parts.netloc, **headers}, content)
        except BaseException:
            connection.close()
            raise
        if connection.is_free():
            self._kept.setdefault(place, []).append(connection)
        else:
            connection.close()
        return answer

    def _idle(self, place: Place) -> _Connection | None:
        kept = self._kept.get(place, [])
        while kept:
            connection = kept.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return None

    async def _opened(self, place: Place) -> _Connection:
        async with asyncio.timeout(self._connect):
            return _Connection(*await asyncio.open_connection(*place))


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)
        self._since = 0.0

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()

    def is_free(self) -> bool:
        """Make it ready for another request, if the server goes on with it; return whether that is so."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._since = asyncio.get_running_loop().time()
        return True

    def is_usable(self) -> bool:
        """Return whether the server has it still."""
        return not self._reader.at_eof() and asyncio.get_running_loop().time() - self._since < KEPT

    async def post(self, target: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        """Send a request, and return the status and the content of its answer."""
        length = {"Content-Length": str(len(content))}
        request = h11.Request(method="POST", target=target, headers=list({**headers, **length}.items()))
        events = (request, h11.Data(data=content), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()
        status, pieces = 0, []
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
        return status, b"".join(pieces)

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ))
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the server hung up without an answer")
        return event
