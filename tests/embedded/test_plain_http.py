"""How the embedded Zep asks its neighbours: over connections that are kept, for as long as the server keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import h11
import pytest

from zep_conformance.embedded.zep.plain_http import PlainHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n4\r\n now\r\n0\r\n\r\n"


class Server:
    """Gives every request of a connection the next answer, and hangs up where there is none."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                if not self.answers:
                    break
                writer.write(self.answers.pop(0))
        except asyncio.IncompleteReadError:
            pass
        writer.close()


def asking(server: Server, ask: Callable[[PlainHttp, str], Awaitable[None]], *, answer: float = 10.0) -> None:
    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        client = PlainHttp(connect=10.0, answer=answer)
        try:
            await ask(client, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/embeddings")
        finally:
            await client.aclose()
            listening.close()

    asyncio.run(main())


def test_one_connection_has_several_requests() -> None:
    server = Server(ANSWER, CHUNKED)

    async def ask(client: PlainHttp, url: str) -> None:
        assert await client.post(url, b"{}", {"Authorization": "Bearer x"}) == (200, b"ok")
        assert await client.post(url, b"[1]", {}) == (503, b"not now")

    asking(server, ask)
    assert server.connections == 1
    assert server.asked[0].startswith(b"POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Bearer x\r\n" in server.asked[0]
    assert server.asked[1].endswith(b"\r\n\r\n[1]")


def test_requests_at_once_have_connections_of_their_own() -> None:
    server = Server(ANSWER, ANSWER, ANSWER)

    async def ask(client: PlainHttp, url: str) -> None:
        await asyncio.gather(client.post(url, b"1", {}), client.post(url, b"2", {}))
        await client.post(url, b"3", {})

    asking(server, ask)
    assert server.connections == 2


def test_a_connection_that_the_server_closes_is_not_used_again() -> None:
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    server = Server(closing, ANSWER)

    async def ask(client: PlainHttp, url: str) -> None:
        assert [await client.post(url, b"", {}) for _ in range(2)] == [(200, b"ok"), (200, b"ok")]

    asking(server, ask)
    assert server.connections == 2


def test_a_server_that_hangs_up_has_not_answered() -> None:
    async def ask(client: PlainHttp, url: str) -> None:
        with pytest.raises((OSError, h11.RemoteProtocolError)):
            await client.post(url, b"", {})

    asking(Server(), ask)


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_said() -> None:
    async def ask(client: PlainHttp, url: str) -> None:
        with pytest.raises(TimeoutError):
            await client.post(url, b"", {})

    asking(Server(ANSWER[:-1]), ask, answer=0.05)


def test_nobody_there_is_an_error_of_the_system() -> None:
    async def main() -> None:
        with pytest.raises(OSError):
            await PlainHttp(connect=10.0, answer=10.0).post("http://127.0.0.1:1/", b"", {})

    asyncio.run(main())
